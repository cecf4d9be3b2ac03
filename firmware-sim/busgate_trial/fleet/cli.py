"""`busgate-sim fleet`: many buses that report to one broker, and what is done to all of them at once.

Law: a user's mistake is one line with the next step. Exit codes as for all of `busgate-sim`.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from busgate.cli.demo_broker import broker
from busgate.model import BusgateError
from busgate.report.broker import parse_address
from busgate.trust.keys import load_verifier, new_key, public_path
from busgate_trial.fleet.campaign import campaigns, find
from busgate_trial.fleet.control import Control
from busgate_trial.fleet.depot import Depot, Judged, Result, tell_late
from busgate_trial.gate import vehicle

MOST = 150
"""Buses of one process: each takes six file descriptors, and select() knows 1,024."""

_MOST_SHOWN = 40
_DRAIN_SECONDS = 30.0
SOC = "soc"


@click.command(
    epilog="""\b
Examples:
  busgate-sim fleet
  busgate-sim fleet --buses 10 --seconds 40 --campaign remote-stop
  busgate-sim fleet --mqtt mqtt://localhost --out fleet
"""
)
@click.option("--buses", type=click.IntRange(min=1), default=50, show_default=True, help=f"How many; at most {MOST}.")
@click.option("--first", type=click.IntRange(min=1), default=1, help="The first one's number, for a second process.")
@click.option("--seconds", type=click.FloatRange(min=1), default=60.0, show_default=True, help="How long.")
@click.option("--campaign", metavar="NAME", help=f"What is done to them: {', '.join(campaigns())}, or a .yaml file.")
@click.option("--mqtt", "url", metavar="URL", help="Report to this broker. Default: one of its own on loopback.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Keep keys and logs in this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def fleet(  # noqa: PLR0913 - an option each
    *, buses: int, first: int, seconds: float, campaign: str | None, url: str | None, out: Path | None, as_json: bool
) -> None:
    """Run a fleet of light buses, each with a real gate, log and uplink; `busgate-soc watch` verifies all of them."""
    if buses > MOST:
        raise BusgateError(
            f"one process can be {MOST} buses, since its MQTT client waits with select(); "
            f"start the others in a second one: --first {first + MOST} --buses {buses - MOST} --mqtt URL"
        )
    chosen = None if campaign is None else find(campaign)
    if chosen is not None and chosen.start + chosen.over >= seconds:
        raise BusgateError(
            f"{chosen.campaign} takes until second {chosen.start + chosen.over:g}; add --seconds {seconds * 2:g} or so"
        )
    if url is not None:
        parse_address(url)
    console = Console(highlight=False, stderr=as_json)
    with ExitStack() as opened:
        folder = out or Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="busgate-fleet-")))
        folder.mkdir(parents=True, exist_ok=True)
        at = url or opened.enter_context(broker(folder))[0]
        soc = folder / f"{SOC}.key"
        if not soc.exists():
            new_key(SOC, soc)
        numbers = range(first, first + buses)
        depot = Depot(numbers, vehicle(), folder, at, witnesses=[load_verifier(str(public_path(soc)))], campaign=chosen)
        opened.callback(depot.close)
        control = Control(at, [bus.vkey for bus in depot.buses], soc, folder / "soc")
        opened.callback(control.close)
        console.print(f"{buses} buses report to {at}; keys and logs in {folder}")
        console.print(f"watch them too: busgate-soc watch --mqtt {at} --all")
        with Live(console=console, auto_refresh=False, transient=True) as screen:
            depot.run(seconds, lambda: screen.update(_table(depot, control), refresh=True), _Until())
        whole = depot.drain(_DRAIN_SECONDS)
        result, judged = depot.result(), depot.judged(control.alerts)
    _summary(console, result, judged, control, whole=whole)
    if as_json:
        told = {"result": result._asdict(), "campaign": judged._asdict(), "alarms": control.alarms, "whole": whole}
        click.echo(json.dumps(told, indent=2))
    tell_late(result)
    if not whole or control.alarms or not judged.as_expected:
        sys.exit(1)


def _summary(console: Console, result: Result, judged: Judged, control: Control, *, whole: bool) -> None:
    console.print(
        f"{result.buses} buses, {result.seconds:g} s: {result.frames} frames, {result.blocked} blocked, "
        f"{result.records} records, {result.cosigned} verified and cosigned by the SOC"
    )
    console.print(f"CPU {result.cpu_seconds:g} s, memory at most {result.most_memory_mib:g} MiB")
    if judged.targets:
        console.print(
            f"campaign: {judged.targets} buses were ordered; named on {judged.found}, as labelled on {judged.held}, "
            f"verified at the SOC from {judged.verified}; {len(judged.false)} false alerts"
        )
    if not whole:
        console.print("[bold red]not every record has been cosigned: is the broker reachable?")
    for alarm in control.alarms:
        console.print(f"[bold red]{alarm}")


def _table(depot: Depot, control: Control) -> Table:
    table = Table(title=f"{depot.now / 1e9:.0f} s", title_justify="left")
    for name in ("bus", "uplink", "frames", "alerts", "blocked", "records", "verified"):
        table.add_column(name, justify="left" if name in {"bus", "uplink"} else "right")
    for row in depot.rows()[:_MOST_SHOWN]:
        style = "bold red" if row["blocked"] else None
        verified = control.verified.get(row["bus"], 0)
        online = "online" if row["online"] else "offline"
        cells = [row["bus"], online, *(row[name] for name in ("frames", "alerts", "blocked", "records")), verified]
        table.add_row(*map(str, cells), style=style)
    if len(depot.buses) > _MOST_SHOWN:
        table.caption = f"and {len(depot.buses) - _MOST_SHOWN} more"
    return table


class _Until:
    """Whether nobody has pressed Ctrl-C or sent SIGTERM."""

    def __init__(self) -> None:
        self._going = True
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGTERM, self._stop)

    def __call__(self) -> bool:
        return self._going

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._going = False
