"""`busgate demo`: keys, a signed policy, a broker, a SOC and a recorded bus day, all on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from busgate.bridge.channels import SideMap
from busgate.cli.demo_broker import broker
from busgate.cli.demo_screen import Screen
from busgate.model import Act, BusgateError, Mode
from busgate.record.verify import verify
from busgate.service import load
from busgate.service.places import scenario
from busgate.service.replay import Job, Result, replay
from busgate.trust.keys import load_signer, load_verifier, new_key
from busgate.trust.note import sign

DEVICE = "bus-0421"
_SOC_SECONDS = 15.0


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
    """Play a recorded bus day in which a T-box sends drive and battery commands, and watch both ends.

    The bus is synthetic; the gate, the log, the broker and the SOC are the real ones. Needs no root and no network.
    """
    console = Console()
    _fresh(folder)
    operator, device, soc = (_key(folder, name) for name in ("operator", "device", "soc"))
    vehicle = load.vehicle("demo-ebus")
    signed = folder / "policy.yaml.signed"
    signed.write_text(sign(load.text_of(vehicle.folder / "policy.yaml"), [load_signer(operator)]), encoding="utf-8")
    began = time.monotonic()
    with broker(folder, embedded=embedded_broker) as (url, name):
        console.print(f"broker {name} at {url}; keys, signed policy and log are in {folder}/")
        with Screen(console, vehicle.database, live=console.is_terminal and not plain) as screen:
            watch = _Soc(url, device, soc, screen.soc)
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
                witnesses=(load_verifier(_vkey(soc)),),
                listeners=[screen.event],
                watcher=screen.unit,
            )
            try:
                result = replay(job)
            finally:
                watch.stop()
    checked = verify(folder / "log", vkey=str(_vkey(device)))
    good = checked.ok and result.delivered is True
    verdict = "verified" if checked.ok else "NOT verified"
    _summary(console, result, took=time.monotonic() - began, verdict=verdict, good=good)
    _next_steps(console, result, folder / "log")
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


class _Soc:
    """The SOC's own program in its own process; what it prints is handed on line by line."""

    def __init__(self, url: str, device: Path, key: Path, told: Callable[[str], None]) -> None:
        words = [sys.executable, "-m", "busgate_soc.cli", "watch", "--mqtt", url, "--device", DEVICE]
        words += ["--vkey", str(_vkey(device)), "--key", str(key)]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout, told), daemon=True)
        self._reader.start()
        if not self._listening.wait(_SOC_SECONDS):
            self.stop()
            raise BusgateError("the SOC's watch did not start. Next: run busgate-soc watch by hand to see why")

    def _read(self, output: IO[str] | None, told: Callable[[str], None]) -> None:
        for line in output or ():
            self._listening.set()
            if line.strip():
                told(line.rstrip())

    def stop(self) -> None:
        """End it as its user would, and hear it out."""
        self._process.terminate()
        try:
            self._process.wait(_SOC_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_SOC_SECONDS)


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
    table.add_row("root", Text(log["root"], overflow="fold"))
    table.add_row(
        "SOC", "has every record and cosigned it" if result.delivered else "[red]does not have every record[/]"
    )
    table.add_row("", f"[bold {'green' if good else 'red'}]{verdict}[/]")
    console.print(Panel(table, title="busgate demo: what happened", expand=False))


def _next_steps(console: Console, result: Result, log: Path) -> None:
    worst = max(result.findings.alerts, key=lambda each: each[1].severity, default=(0, None))[0]
    me = _called()
    console.print(f"Next: {me} explain {worst} --log {log}", highlight=False, soft_wrap=True)
    console.print(f"      {me} verify {log}", highlight=False, soft_wrap=True)


def _called() -> str:
    """How its user can call this program again: by its name where the shell finds it, else by its path."""
    return "busgate" if shutil.which("busgate") else os.path.relpath(sys.argv[0])


_PASSING = frozenset({"allowed", "granted", "continues_allowed", "answers_vehicle"})


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()) or "none"
