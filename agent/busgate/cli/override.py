"""`busgate override`: the operator's own hand on this machine."""

from __future__ import annotations

import getpass
import os
import time
from pathlib import Path

import click

from busgate.bridge.port import BridgeError
from busgate.model import BusgateError
from busgate.report.words import printable
from busgate.service import load
from busgate.service.override import Position, Switch, UnsaidError, crossing, cut, switch_of
from busgate.settings import DEFAULT

_LONGEST_REASON = 500

_FOLLOWS_S = 1.0


@click.command(
    epilog="""\b
Examples:
  busgate override on --reason "the drive was limited from afar"
  busgate override
  busgate override off --reason "the maker's engineer is here"

\b
It holds over restarts. No message over the broker or from the T-box can lift it.
Exit codes: 0 done, or shown; 2 it could not be done as asked, or the kernel still lets frames cross."""
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
        by = f", turned by {printable(now.by)}" if now.by else ""
        why = f": {printable(now.reason, _LONGEST_REASON)}" if now.reason else ""
        click.echo(f"override {'on' if now.on else 'off'}{by}{why}")
        return
    reason = printable(reason.strip(), _LONGEST_REASON)
    if not reason:
        raise BusgateError('say why: it goes into the log. Next: add --reason "…"')
    if position == "off":
        switch.turn(Position(False, _who(), reason))
        click.echo("override off: the gate judges the T-box's frames again by its policy")
        return
    _on(switch, reason)


def _on(switch: Switch, reason: str) -> None:
    """Cut, whatever of it fails: the switch for the agent, and the kernel's rules."""
    unturned = None
    try:
        switch.turn(Position(True, _who(), reason))
    except UnsaidError as fault:
        click.echo(f"busgate: {fault}", err=True)
    except BusgateError as fault:
        unturned = fault
    else:
        click.echo("override on: a running gate lets no frame of the T-box cross from now on")
    known, still = _kernel(switch)
    if unturned is not None:
        kernel = still or "the kernel lets nothing of the T-box's cross, and a running gate still does"
        raise BusgateError(f"{unturned} Meanwhile: systemctl stop busgate-gate. {kernel}")
    if still:
        raise BusgateError(still)
    if known:
        click.echo("the kernel lets nothing of the T-box's cross, with a gate running or without")


def _kernel(switch: Switch) -> tuple[bool, str]:
    """Take the kernel's part away, or wait for who may: whether it is known where it is, and what is still there."""
    try:
        return cut(switch), ""
    except BridgeError as fault:
        refusal = fault
    for _ in range(round(_FOLLOWS_S / 0.05)):
        try:
            if not crossing(switch):
                return True, ""
        except BridgeError:
            break
        time.sleep(0.05)
    return True, (
        f"THE KERNEL STILL LETS SOME OF THE T-BOX'S FRAMES CROSS ({refusal}), and neither a gate nor the panel took "
        "that away. Next: sudo busgate override on"
    )


def _installed() -> Path:
    """Where the gate that was installed on this machine looks for its switch."""
    if not DEFAULT.exists():
        raise BusgateError(f"there is no {DEFAULT} that says where the switch is. Next: give --log FOLDER")
    settings = load.settings(DEFAULT)
    settings.needed("log")
    return switch_of(settings).folder


def _who() -> str:
    """Whose hand it is, as far as this machine knows."""
    asked = os.environ.get("SUDO_USER")
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "somebody"
    return printable(f"{name} (uid {os.getuid()}{f', for {asked}' if asked else ''})", 200)
