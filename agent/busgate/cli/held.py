"""`busgate held`: what waits for the operator, and his word on it."""

from __future__ import annotations

import getpass
import json
import os
import time
from pathlib import Path
from typing import Any

import click

from busgate.bridge.hold import Held, Spool
from busgate.bridge.hold_marks import Decision, Mark
from busgate.model import BusgateError
from busgate.report.words import printable
from busgate.service import load
from busgate.service.findings import moment
from busgate.settings import DEFAULT

_LONGEST_REASON = 500
_LONGEST_SHOWN = 4000


@click.command(
    epilog="""\b
Examples:
  busgate held list
  busgate held show 1772433605000000000-0
  busgate held release 1772433605000000000-0 --reason "approved by the fleet manager, ticket 4711"
  busgate held refuse 1772433605000000000-0 --reason "nobody ordered it"
  busgate held save 1772433605000000000-0 -o update.bin

\b
What is released goes on within a second, if the conversation that it belongs to still stands; what is refused never
does. What lost its conversation before that (lost) can be neither. Either way the payload stays as evidence until room
is needed.
Exit codes: 0 done; 1 nothing is held (list); 2 it could not be done as asked, since it is decided or lost, too.""",
)
@click.argument("what", type=click.Choice(["list", "show", "release", "refuse", "save"]))
@click.argument("name", required=False)
@click.option("--config", type=click.Path(path_type=Path), default=DEFAULT, show_default=True, help="Settings file.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where it is held; stands above the settings.")
@click.option("--marks", type=click.Path(path_type=Path), help="Where the marks are. Default: the same folder.")
@click.option("--reason", default="", help="Why; it goes into the log.")
@click.option("--report", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="save: the file to write the payload to.")
def command(  # noqa: PLR0913 - one parameter an option
    *,
    what: str,
    name: str | None,
    config: Path,
    folder: Path | None,
    marks: Path | None,
    reason: str,
    style: str,
    out: Path | None,
) -> None:
    """Show what waits for the operator, and release or refuse it."""
    spool = _spool(config, folder, marks)
    if what == "list":
        _list(spool, style)
        return
    if name is None:
        raise BusgateError("say which one. Next: busgate held list")
    if what == "show":
        _show(spool.show(name), style)
        return
    if what == "save":
        _save(spool, name, out)
        return
    reason = printable(reason.strip(), _LONGEST_REASON)
    if not reason:
        raise BusgateError('say why: it goes into the log. Next: add --reason "…"')
    decision = Decision.RELEASE if what == "release" else Decision.REFUSE
    spool.mark(name, Mark(decision, _who(), reason, time.time_ns()))
    click.echo(f"{name}: {'released' if decision is Decision.RELEASE else 'refused'}")


def _spool(config: Path, folder: Path | None, marks: Path | None) -> Spool:
    if folder is None:
        if not config.exists():
            raise BusgateError(
                f"there is no file {config}. Next: give --folder FOLDER, where it is held, or --config FILE"
            )
        settings = load.settings(config)
        hold = None if settings.network is None else settings.network.hold
        if hold is None:
            raise BusgateError(f"{config} does not say where anything is held. Next: give --folder FOLDER")
        folder, marks = Path(hold.folder), marks or Path(hold.marks)
    if not folder.is_dir():
        raise BusgateError(f"there is no folder {folder}. Next: check --folder, or `network.hold` in the settings")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise BusgateError(
            f"{folder} cannot be read by this user. Next: as root, or as a member of the group that owns it"
        )
    return Spool(folder, marks or folder)


def _list(spool: Spool, style: str) -> None:
    everything = spool.everything()
    if style == "json":
        click.echo(json.dumps([_row(held) for held in everything], indent=2))
    else:
        for held in everything:
            about = held.about
            click.echo(
                f"{held.name}  {moment(held.at)[:19]}Z  {_standing(held):<9} {held.size:>9} bytes  "
                f"{printable(str(about.get('name', '?')))} from {printable(str(about.get('source', '?')))}"
            )
    if not everything:
        click.echo("nothing is held", err=True)
        raise SystemExit(1)


def _show(held: Held, style: str) -> None:
    row = _row(held)
    if style == "json":
        click.echo(json.dumps(row, indent=2))
        return
    for name, value in row.items():
        click.echo(f"{name:<9} {printable(str(value), _LONGEST_SHOWN)}")


def _row(held: Held) -> dict[str, Any]:
    mark = held.mark
    return {
        "name": held.name,
        "held": moment(held.at),
        "standing": _standing(held),
        "what": held.about.get("name", ""),
        "source": held.about.get("source", ""),
        "bytes": held.size,
        "sha256": held.sha256 or ("(not known)" if held.damaged else "(still coming)"),
        "whole": held.whole,
        "kept": held.kept,
        "lost": held.lost,
        "by": "" if mark is None else mark.by,
        "reason": "" if mark is None else mark.reason,
    }


def _standing(held: Held) -> str:
    if held.lost:
        return "lost"
    if held.mark is None:
        return "damaged" if held.damaged else "waits"
    return "released" if held.mark.decision is Decision.RELEASE else "refused"


def _save(spool: Spool, name: str, out: Path | None) -> None:
    if out is None:
        raise BusgateError("say where to. Next: add -o FILE")
    if out.exists():
        raise BusgateError(f"{out} is there already. Next: name another file")
    payload = spool.payload(name)
    with out.open("xb") as file:
        try:
            for piece in payload:
                file.write(piece)
        except (BusgateError, OSError):
            out.unlink()  # what is not whole is not left behind
            raise
    click.echo(f"{out}: {out.stat().st_size} bytes, as they were held")


def _who() -> str:
    asked = os.environ.get("SUDO_USER")
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    return printable(f"{user} (uid {os.getuid()}{f', for {asked}' if asked else ''})", 200)
