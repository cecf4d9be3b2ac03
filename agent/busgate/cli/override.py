"""`busgate override`: the operator's own hand on this machine."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import click

from busgate.bridge.port import BridgeError
from busgate.model import BusgateError
from busgate.service import load
from busgate.service.override import Position, Switch, cut
from busgate.settings import DEFAULT


@click.command(
    epilog="""\b
Examples:
  busgate override on --reason "the drive was limited from afar"
  busgate override
  busgate override off --reason "the maker's engineer is here"

\b
It holds over restarts. No message over the broker or from the T-box can lift it.
Exit codes: 0 done, or shown; 2 it could not be done as asked."""
)
@click.argument("position", type=click.Choice(["on", "off"]), required=False)
@click.option(
    "--log",
    "folder",
    type=click.Path(path_type=Path),
    help=f"The log folder of busgate run, or its `switch`. Default: as {DEFAULT} says.",
)
@click.option("--reason", default="", help="Why; it goes into the log.")
def command(*, position: str | None, folder: Path | None, reason: str) -> None:
    """Cut the T-box off from the vehicle, or let it back; telemetry to the T-box goes on.

    Without on or off: show how it stands.
    """
    folder = folder or _installed()
    if not folder.is_dir():
        raise BusgateError(f"there is no log folder {folder}. Next: give the one that busgate run was started with")
    switch = Switch(folder)
    if position is None:
        now = switch.read()
        by = f", turned by {now.by}" if now.by else ""
        why = f": {now.reason}" if now.reason else ""
        click.echo(f"override {'on' if now.on else 'off'}{by}{why}")
        return
    if not reason.strip():
        raise BusgateError('say why: it goes into the log. Next: add --reason "…"')
    switch.turn(Position(position == "on", _who(), reason.strip()))
    if position == "off":
        click.echo("override off: the gate judges the T-box's frames again by its policy")
        return
    click.echo("override on: a running gate lets no frame of the T-box cross from now on")
    try:
        if cut(switch):
            click.echo("the kernel forwards nothing of the T-box's, with a gate running or without")
    except BridgeError as fault:
        click.echo(f"busgate: {fault}; a running gate cuts it off itself", err=True)


def _installed() -> Path:
    """Where the gate that was installed on this machine looks for its switch."""
    if not DEFAULT.exists():
        raise BusgateError(f"there is no {DEFAULT} that says where the switch is. Next: give --log FOLDER")
    settings = load.settings(DEFAULT)
    settings.needed("log")
    return Path(str(settings.switch or settings.log))


def _who() -> str:
    """Whose hand it is, as far as this machine knows."""
    asked = os.environ.get("SUDO_USER")
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "somebody"
    return f"{name} (uid {os.getuid()}{f', for {asked}' if asked else ''})"
