"""Two buses side by side in the terminal: the same scenario without the gate and with it.

Law: the picture only listens; both buses live in simulated time, which is paced to wall time here and nowhere else.
"""

from __future__ import annotations

import time
from collections import deque

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from busgate.model import Alert, Side
from busgate_sim.body import BusBody
from busgate_sim.driver import CRUISE_KMH
from busgate_sim.ecu.sensed import Sensed
from busgate_sim.scenario import Scenario
from busgate_sim.splice import Open
from busgate_sim.stage import Stage
from busgate_trial.gate import Gate

PICTURE_SECONDS = 0.2
_TOP_ROWS = 12
_KEPT = 12

_STYLE = {"INFO": "green", "LOW": "cyan", "MEDIUM": "yellow", "HIGH": "bright_red", "CRITICAL": "bold white on red"}


class Show:
    """One scenario on two stages, and what is to be seen of them."""

    def __init__(self, scenario: Scenario, gate: Gate, *, seed: int) -> None:
        """Both stages stand at the beginning."""
        self.scenario = scenario
        self.gate = gate
        self.bare = Stage(scenario, BusBody(scenario.start), Open(), seed=seed)
        self.gated = Stage(scenario, BusBody(scenario.start), gate, seed=seed)
        gate.cause = lambda: self.gated.cause
        self.seconds = 0.0
        self._cloud: deque[str] = deque(maxlen=_KEPT)
        self._shown = 0
        self._alerts: deque[tuple[float, Alert]] = deque(maxlen=_KEPT)

    @property
    def over(self) -> bool:
        """Whether the scenario has ended."""
        return self.seconds >= self.scenario.lasts

    def step(self, seconds: float) -> None:
        """Let both buses live on."""
        before, self.seconds = self.seconds, min(self.seconds + seconds, self.scenario.lasts)
        for stage in (self.bare, self.gated):
            stage.run(self.seconds - before)
        for act in self.scenario.acts:
            if before <= act.at < self.seconds:
                told = " ".join(f"{name}={value}" for name, value in act.told.items())
                self._cloud.append(f"{act.at:6.1f} s  {act.by} -> T-box: {act.does} {told}")
        for event, _ in self.gate.told[self._shown :]:
            if isinstance(event, Alert):
                self._alerts.append((self.seconds, event))
        self._shown = len(self.gate.told)

    def picture(self) -> RenderableType:
        """The whole screen."""
        layout = Layout()
        layout.split_column(Layout(name="top", size=_TOP_ROWS), Layout(self._gate_panel()), Layout(self._cloud_panel()))
        layout["top"].split_row(
            Layout(_bus_panel("without the gate", self.bare)), Layout(_bus_panel("with the gate", self.gated))
        )
        return layout

    def _gate_panel(self) -> RenderableType:
        rows = []
        for at, alert in self._alerts:
            line = Text(f"{at:6.1f} s  ", no_wrap=True, overflow="ellipsis")
            line.append(f" {alert.severity.name:<8} ", style=_STYLE[alert.severity.name])
            line.append(f" {alert.action.upper()} ", style="bold green" if alert.action == "pass" else "bold red")
            line.append(f"{alert.name} → {alert.target}  {alert.reason.value.replace('_', ' ')}: {alert.detail}")
            rows.append(line)
        return Panel(Group(*rows) if rows else Text("ordinary traffic", style="dim"), title="the gate")

    def _cloud_panel(self) -> RenderableType:
        vehicles = self.gated.online.platform.book.vehicles.values()
        state = ", ".join(f"{each.name} online, {each.reports} reports" for each in vehicles if each.online)
        head = Text(
            f"{self.seconds:6.1f} s of {self.scenario.lasts:g}   platform: {state or 'nobody yet'}", style="dim"
        )
        lines = [Text(line, no_wrap=True, overflow="ellipsis") for line in self._cloud]
        return Panel(Group(head, *lines), title="the cloud and the T-box")


def _bus_panel(title: str, stage: Stage) -> RenderableType:
    now, crossed, stopped = stage.sensed, stage.splice.crossed[Side.TBOX], stage.splice.stopped[Side.TBOX]
    table = Table.grid(padding=(0, 2))
    table.add_row("speed", ProgressBar(total=CRUISE_KMH, completed=min(now.speed, CRUISE_KMH), width=20), _speed(now))
    table.add_row("driven", "", f"{now.metres:.0f} m")
    table.add_row("torque", "", f"{now.torque:.0f} %")
    table.add_row(
        "battery", ProgressBar(total=100, completed=now.soc, width=20), f"{now.soc:.1f} % {now.pack_current:.0f} A"
    )
    table.add_row("contactors", "", Text(now.contactors, style="" if now.contactors == "Closed" else "bold red"))
    table.add_row(
        "doors", "", Text(now.doors[0], style="bold red" if now.doors[0] != "Closed" and now.speed > 1 else "")
    )
    table.add_row("charging", "", f"{now.charge_state} {now.charge_current:.0f} A")
    table.add_row("T-box frames", "", f"{crossed} crossed, {stopped} stopped")
    return Panel(table, title=title)


def _speed(now: Sensed) -> str:
    return f"{now.speed:.1f} km/h"


def show(scenario: Scenario, gate: Gate, console: Console, *, speed: float, seed: int) -> None:
    """Play a scenario in the terminal, `speed` times as fast as it is."""
    played = Show(scenario, gate, seed=seed)
    if console.is_terminal:
        _live(played, console, speed)
    else:
        played.step(scenario.lasts)
    console.print(played.picture(), height=_TOP_ROWS + 2 * _KEPT)


def _live(played: Show, console: Console, speed: float) -> None:
    with Live(played.picture(), console=console, auto_refresh=False, screen=True) as live:
        began = time.monotonic()
        while not played.over:
            played.step(PICTURE_SECONDS * speed)
            live.update(played.picture(), refresh=True)
            time.sleep(max(0.0, began + played.seconds / speed - time.monotonic()))
