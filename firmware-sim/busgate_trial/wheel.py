"""`busgate-sim drive`: the simulated bus by hand, from a terminal, in memory or on wires that others share.

Law: the keys only set what the driver wishes; what becomes of it is the bus' and the gate's.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple

import click
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from busgate.model import Alert, BusgateError, Mode
from busgate_sim.body import BusBody
from busgate_sim.scenario import Scenario
from busgate_sim.splice import Open
from busgate_sim.stage import Stage
from busgate_trial.gate import Gate, vehicle
from busgate_trial.pace import MEMORY, Around, paced

STEP = 0.2
_TURN_S = 0.1
_LOG = 6


class Wheel(NamedTuple):
    """What the driver's hands and feet do: -1 full brake to 1 full traction, and the doors' button."""

    hand: float = 0.0
    doors: bool = False


_KEYS: MappingProxyType[str, Callable[[Wheel], Wheel]] = MappingProxyType(
    {
        "w": lambda wheel: wheel._replace(hand=min(1.0, max(0.0, wheel.hand) + STEP)),
        "s": lambda wheel: wheel._replace(hand=max(-1.0, min(0.0, wheel.hand) - STEP)),
        " ": lambda wheel: wheel._replace(hand=0.0),
        "b": lambda wheel: wheel._replace(hand=-1.0),
        "d": lambda wheel: wheel._replace(doors=not wheel.doors),
    }
)
_ARROWS = {"\x1b[A": "w", "\x1b[B": "s"}
QUIT = frozenset({"q", "\x03", "\x04"})


def turned(wheel: Wheel, keys: str) -> Wheel:
    """What the wheel is after some keys; those that mean nothing are passed over."""
    for arrow, key in _ARROWS.items():
        keys = keys.replace(arrow, key)
    for key in keys:
        if key in _KEYS:
            wheel = _KEYS[key](wheel)
    return wheel


@click.command(
    epilog="""\b
Keys: w or up faster, s or down brake, space roll, b brake fully, d doors, q end.
Examples:
  busgate-sim drive
  busgate-sim drive --wire vcan        (a second terminal: busgate-sim attack --wire vcan drive.stop)
"""
)
@click.option("--gate/--no-gate", "gated", default=True, help="With the gate in line (enforce mode), or without it.")
@click.option("--wire", default=MEMORY, show_default=True, help="Where the frames go, as for run.")
def drive(*, gated: bool, wire: str) -> None:
    """Drive the simulated bus by hand, and see what the gate says meanwhile."""
    if not sys.stdin.isatty():
        raise BusgateError("driving takes a terminal and its keys. Next: busgate-sim run service-driving")
    scenario = Scenario(scenario="by-hand", title="by hand", kind="service", start="driving", lasts=86_400)
    body = BusBody("driving")
    body.state.speed = 0.0
    gate = Gate(vehicle(), scenario.policy, (), mode=Mode.ENFORCE) if gated else None
    stage = Stage(scenario, body, gate or Open())
    wheel = Wheel()
    console = Console(highlight=False)
    with _raw() as keys, paced(stage, Around(wire, 1.0)) as passes, Live(console=console, auto_refresh=False) as screen:
        while not QUIT & set(pressed := keys()):
            wheel = turned(wheel, pressed)
            body.driver.hand, body.driver.opens = wheel.hand, wheel.doors and stage.sensed.speed < 1.0
            passes(_TURN_S)
            screen.update(_screen(stage, wheel, gate), refresh=True)


def _screen(stage: Stage, wheel: Wheel, gate: Gate | None) -> Panel:
    now = stage.sensed
    table = Table.grid(padding=(0, 3))
    pedal = "roll" if wheel.hand == 0 else f"{'traction' if wheel.hand > 0 else 'brake'} {abs(wheel.hand):.0%}"
    table.add_row("speed", f"[bold]{now.speed:5.1f} km/h", "way", f"{now.metres:7.0f} m")
    table.add_row("pedal", pedal, "doors", now.doors[0].lower())
    table.add_row("battery", f"{now.soc:.1f} %  {now.pack_current:.0f} A", "contactors", now.contactors.lower())
    table.add_row("air", f"{now.air_bar:.1f} bar", "24 V net", f"{now.low_voltage:.1f} V")
    for event in [told.event for told in gate.told if isinstance(told.event, Alert)][-_LOG:] if gate else []:
        table.add_row("gate", f"{event.severity.name} {event.name}", event.action, str(event.reason.value))
    keys = "w faster, s brake, space roll, b full brake, d doors, q end"
    return Panel(table, title="with the gate" if gate else "without a gate", subtitle=keys, width=88)


@contextmanager
def _raw() -> Iterator[Callable[[], str]]:
    """The terminal's keys as they are pressed; it is as before afterwards."""
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def keys() -> str:
        ready, _, _ = select.select([descriptor], [], [], 0)
        return os.read(descriptor, 64).decode("utf-8", "replace") if ready else ""

    try:
        tty.setcbreak(descriptor)
        yield keys
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
