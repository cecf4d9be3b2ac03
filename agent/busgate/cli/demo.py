"""`busgate demo`: keys, a signed policy, a broker and a recorded bus day, all on this machine."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from busgate.bridge.channels import SideMap
from busgate.cli.demo_broker import broker
from busgate.cli.demo_screen import Screen
from busgate.model import Act, BusgateError, Mode
from busgate.record.verify import verify
from busgate.service import load
from busgate.service.places import scenario
from busgate.service.replay import Job, Result, replay
from busgate.trust.keys import load_signer, new_key
from busgate.trust.note import sign

DEVICE = "bus-0421"


@click.command(
    epilog="""\b
Examples:
  busgate demo
  busgate demo --plain --speed 0      (no full-screen picture, as fast as it goes)

\b
Exit codes: 0 everything was delivered and verified; 1 it was not; 2 the demo could not run.""",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=1.5,
    show_default=True,
    help="Bus seconds a second; 0 does not wait.",
)
@click.option("--plain", is_flag=True, help="Print lines instead of drawing on the whole screen.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("busgate-demo"), show_default=True,
              help="Where keys, policy and log are put; made anew each time.")  # fmt: skip
@click.option("--embedded-broker", is_flag=True, help="Use the embedded broker even where mosquitto is installed.")
def command(*, speed: float, plain: bool, folder: Path, embedded_broker: bool) -> None:
    """Play a recorded bus day in which a T-box sends drive and battery commands, and watch.

    The bus is synthetic; the gate, the log and the broker are the real ones. Needs no root and no network.
    """
    console = Console()
    _fresh(folder)
    operator, device = (_key(folder, name) for name in ("operator", "device"))
    vehicle = load.vehicle("demo-ebus")
    signed = folder / "policy.yaml.signed"
    signed.write_text(sign(load.text_of(vehicle.folder / "policy.yaml"), [load_signer(operator)]), encoding="utf-8")
    began = time.monotonic()
    with broker(folder, embedded=embedded_broker) as (url, name):
        console.print(f"broker {name} at {url}; keys, signed policy and log are in {folder}/")
        with Screen(console, live=console.is_terminal and not plain) as screen:
            job = Job(
                trace=scenario("demo-day.log"),
                sides=SideMap(["can1"], ["can0"]),
                vehicle=vehicle,
                mode=Mode.ENFORCE,
                policy=load.policy(signed, operator=str(_vkey(operator)), unsigned=False),
                out=folder / "log",
                signer=load_signer(device),
                device=DEVICE,
                speed=speed,
                mqtt=url,
                listeners=[screen.event],
                watcher=screen.unit,
            )
            result = replay(job)
    checked = verify(folder / "log", vkey=str(_vkey(device)))
    good = checked.ok and result.delivered is True
    _summary(
        console, result, took=time.monotonic() - began, verdict="verified" if checked.ok else "NOT verified", good=good
    )
    if not good:
        sys.exit(1)


def _fresh(folder: Path) -> None:
    """An empty folder, made anew only if it is one of ours."""
    if folder.exists():
        if any(folder.iterdir()) and not (folder / "operator.key").exists():
            raise BusgateError(f"{folder} holds other things. Next: busgate demo --folder SOMEWHERE-ELSE")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _key(folder: Path, name: str) -> Path:
    path = folder / f"{name}.key"
    new_key(f"{name}.demo.busgate", path)
    return path


def _vkey(key: Path) -> Path:
    return key.with_name(key.name + ".vkey")


def _summary(console: Console, result: Result, *, took: float, verdict: str, good: bool) -> None:
    report, alerts = result.report, [alert for _, alert in result.findings.alerts]
    commands = [alert for alert in alerts if alert.act not in {Act.READ, Act.SEND}]
    table = Table.grid(padding=(0, 2))
    table.add_row("frames", f"{report['frames']} in {report['seconds']:.0f} s of bus time, played in {took:.0f} s")
    table.add_row("commands found", f"{len(commands)} of the T-box, {_counted(report['severities'])} alerts in all")
    passed = {name: n for name, n in report["verdicts"].items() if name in _PASSING}
    blocked = {name: n for name, n in report["verdicts"].items() if name not in _PASSING}
    table.add_row("passed", f"[green]{sum(passed.values())}[/] frames of the T-box: {_counted(passed)}")
    table.add_row("blocked", f"[red]{sum(blocked.values())}[/] frames of the T-box: {_counted(blocked)}")
    log = report["log"]
    table.add_row("signed log", f"{log['size']} records, origin {log['origin']}")
    table.add_row("root", log["root"])
    table.add_row("broker", "took every record" if result.delivered else "[red]did not take every record[/]")
    table.add_row("", f"[bold {'green' if good else 'red'}]{verdict}[/]")
    console.print(Panel(table, title="busgate demo: what happened", expand=False))
    console.print("Next: busgate verify busgate-demo/log", highlight=False)


_PASSING = frozenset({"allowed", "granted", "continues_allowed", "answers_vehicle"})


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()) or "none"
