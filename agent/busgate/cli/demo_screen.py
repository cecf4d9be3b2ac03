"""What the demo shows while the bus drives: the wire, the gate's verdicts with their reasons, the SOC's alerts.

Law: the screen only listens; with no terminal it prints the same story as plain lines.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from busgate.decode.dbc import Database
from busgate.judge.situation import Situation
from busgate.model import Action, Alert, Event, Frame, Outcome, Severity, Side, Unit, Value

STYLE = {
    Severity.INFO: "green",
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "bright_red",
    Severity.CRITICAL: "bold white on red",
}
_REFRESH_SECONDS = 0.1
_TOP_ROWS = 8
_SIDES = {Side.VEHICLE: "vehicle says:", Side.TBOX: "T-box says:  "}


class Screen:
    """The live picture of one demo."""

    def __init__(self, console: Console, database: Database, *, live: bool) -> None:
        """`live` draws a full-screen picture; without it, each alert is one printed line."""
        self.console = console
        self.live = live
        self._database = database
        self._situation: dict[str, Value] = {}
        self._decoded = dict.fromkeys(_SIDES, "nothing yet")
        self._frames = dict.fromkeys(Side, 0)
        self._verdicts = {Action.PASS: 0, Action.BLOCK: 0}
        self._alerts: deque[tuple[int, Alert]] = deque(maxlen=14)
        self._soc: deque[str] = deque(maxlen=14)
        self._display: Live | None = None
        self._drawn = 0.0
        self._at = self._start = 0

    def __enter__(self) -> Self:
        """Take the screen."""
        if self.live:
            self._display = Live(self._picture(), console=self.console, auto_refresh=False, screen=True)
            self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the screen back."""
        if self._display is not None:
            self._display.stop()

    def unit(self, unit: Unit, outcome: Outcome, situation: Situation) -> None:
        """One unit went through the gate, which now knows this of the vehicle."""
        self._start = self._start or unit.at
        self._at = unit.at
        self._frames[unit.side] += 1
        if unit.side is not Side.VEHICLE:
            self._verdicts[outcome.verdict.action] += 1
        if self._display is not None and isinstance(unit, Frame):
            self._shown(unit, situation)

    def event(self, index: int, event: Event) -> None:
        """Something went into the log."""
        if not isinstance(event, Alert):
            return
        self._alerts.append((index, event))
        if not self.live:
            self.console.print(_gate_line(index, event), soft_wrap=True)

    def soc(self, line: str) -> None:
        """The SOC's terminal printed a line."""
        self._soc.append(line)
        if not self.live:
            self.console.print(Text(f"  SOC | {line}", style="blue"), soft_wrap=True)

    def _shown(self, frame: Frame, situation: Situation) -> None:
        """Draw it all anew, some times a second; of the frames between only the T-box's are decoded for the screen."""
        due = time.monotonic() - self._drawn >= _REFRESH_SECONDS
        if (due or frame.side is Side.TBOX) and (text := self._text_of(frame)):
            self._decoded[frame.side] = text
        if due and self._display is not None:
            self._drawn = time.monotonic()
            self._situation = situation.snapshot(frame.at)
            self._display.update(self._picture(), refresh=True)

    def _text_of(self, frame: Frame) -> str:
        """What a frame says, if one of the vehicle's DBC files knows it."""
        decoder = self._database.find(frame.can_id)
        values = None if decoder is None else decoder.decode(frame.data)
        if decoder is None or not isinstance(values, dict):
            return ""
        return f"{decoder.name}  " + "  ".join(
            f"{name} {_value(value)}{decoder.units.get(name, '')}" for name, value in values.items()
        )

    def _picture(self) -> RenderableType:
        layout = Layout()
        layout.split_column(
            Layout(self._top(), size=_TOP_ROWS), Layout(self._verdict_panel()), Layout(self._soc_panel())
        )
        return layout

    def _top(self) -> RenderableType:
        table = Table.grid(padding=(0, 4))
        table.add_row(
            f"bus time {(self._at - self._start) / 1e9:5.1f} s",
            f"vehicle side {self._frames[Side.VEHICLE]:6d} frames",
            f"T-box side {self._frames[Side.TBOX]:5d} frames",
        )
        table.add_row(
            "",
            Text(f"passed {self._verdicts[Action.PASS]}", style="green"),
            Text(f"blocked {self._verdicts[Action.BLOCK]}", style="bright_red"),
        )
        known = "   ".join(f"{_said(name)} {_value(value)}" for name, value in self._situation.items())
        lines = [Text(f"the vehicle now: {known or 'not known yet'}", no_wrap=True, overflow="ellipsis")]
        lines += [
            Text(f"{who} {self._decoded[side]}", style="cyan", no_wrap=True, overflow="ellipsis")
            for side, who in _SIDES.items()
        ]
        lines.append(Text("synthetic recording, played through the real gate in enforce mode", style="dim"))
        return Panel(Group(table, *lines), title="cloud → T-box → busgate → vehicle")

    def _verdict_panel(self) -> RenderableType:
        lines = [_gate_line(index, alert) for index, alert in self._alerts]
        return Panel(
            Group(*lines) if lines else Text("ordinary traffic", style="dim"), title="what the gate judged, and why"
        )

    def _soc_panel(self) -> RenderableType:
        lines = [Text(line, no_wrap=True, overflow="ellipsis") for line in self._soc]
        return Panel(
            Group(*lines) if lines else Text("listening", style="dim"),
            title="what the SOC received and verified over MQTT",
        )


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _said(name: str) -> str:
    return f"{name.replace('_', ' ')} (km/h)" if name == "speed" else name.replace("_", " ")


def _gate_line(index: int, alert: Alert) -> Text:
    arguments = ", ".join(f"{name}={_value(arg.value)}{arg.unit}" for name, arg in alert.arguments.items())
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f" {alert.severity.name:<8} ", style=STYLE[alert.severity])
    line.append(f" {alert.action.upper():<6} ", style="bold green" if alert.action == "pass" else "bold red")
    line.append(f"#{index:<3} ", style="dim")
    line.append(alert.name, style="bold")
    line.append(f" → {alert.target}" if str(alert.target) != "unknown" else f" from {alert.source}")
    line.append(f"  {alert.reason.value.replace('_', ' ')}", style="yellow")
    line.append(f": {alert.detail}" if alert.detail else "", style="dim")
    line.append(f"  ({arguments})" if arguments else "", style="dim")
    return line
