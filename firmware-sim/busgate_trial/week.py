"""A service week against the gate: by day the line, at night the charger, with what a T-box does in all that time.

Law: nothing in it is an attack, so whatever is blocked or alerted above "info" is the gate's mistake, and is listed.
The T-box's frames come at their true rates; of the vehicle's, each message comes once a second at most.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from busgate.model import Alert, Mode, Severity, Side
from busgate.service import load
from busgate_sim import line
from busgate_sim.body import BusBody
from busgate_sim.scenario import Act, Scenario
from busgate_sim.stage import Stage
from busgate_trial.gate import Gate, vehicle

APART_SECONDS = 1.0
_HOUR = 3600.0
_DRIVES_HOURS = 17.0
_CHARGES_HOURS = 6.0


class Part(NamedTuple):
    """A part of the week and what became of it."""

    name: str
    hours: float
    tbox_frames: int
    stopped: int
    alerts: tuple[str, ...]
    """Rule and severity of each alert above info."""
    told: dict[str, int]
    """All alerts by rule."""
    kilometres: float


def day(number: int, hours: float) -> Iterator[Scenario]:
    """One day's parts; `hours` shortens each of them to at most so long."""
    drives, charges = (min(each, hours) * _HOUR for each in (_DRIVES_HOURS, _CHARGES_HOURS))
    passed = {"expect": "passed", "why": "the policy allows it"}
    preheat = Act.model_validate(
        {"at": 120.0, "does": "climate", "with": {"target": 21.0, "minutes": 20}, "by": "cloud", **passed}
    )
    yield _scenario(f"day {number}, preheating", "standing", min(900.0, hours * _HOUR), (preheat,))
    report = Act.model_validate({"at": drives / 2, "does": "diagnose", **passed, "by": "tbox",
                                 "with": {"target": "BMS", "requests": "22F190 22F189"}})  # fmt: skip
    yield _scenario(f"day {number}, on the line", "driving", drives, (report,))
    # All while it still charges: once the battery is full, a limit is nothing that the policy allows.
    limits = tuple(
        Act.model_validate(
            {"at": charges * part, "does": "charge", "by": "tbox"}
            | {"with": {"request": "Limit", "current": amperes, "soc": 90}}
            | passed
        )
        for part, amperes in ((0.02, 120.0), (0.05, 80.0), (0.08, 160.0))
    )
    yield _scenario(f"night {number}, charging", "charging", charges, limits)


def play(scenario: Scenario, described: load.Vehicle, seed: int) -> Part:
    """Play one part with a gate of its own."""
    gate = Gate(described, "policy.yaml", (), mode=Mode.ENFORCE)
    body = BusBody(scenario.start, line=line.load("city-8"))
    stage = Stage(scenario, body, gate, seed=seed, apart=APART_SECONDS)
    gate.cause = lambda: stage.cause
    stage.run()
    alerts = [told.event for told in gate.told if isinstance(told.event, Alert)]
    loud = tuple(f"{each.rule} {each.severity.name}" for each in alerts if each.severity > Severity.INFO)
    stopped = stage.splice.stopped[Side.TBOX] + stage.splice.stopped[Side.VEHICLE]
    frames = stage.splice.crossed[Side.TBOX] + stage.splice.stopped[Side.TBOX]
    counts = dict(Counter(each.rule for each in alerts))
    return Part(
        scenario.title, scenario.lasts / _HOUR, frames, stopped, loud, counts, round(body.state.metres / 1000, 1)
    )


@click.command(
    epilog="""\b
Examples:
  busgate-sim week --days 1 --hours 1     (minutes)
  busgate-sim week --json                 (a quarter of an hour or more)
"""
)
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="How many days and nights.")
@click.option("--hours", type=click.FloatRange(min=0.1), default=24.0, help="Cut each part of a day to so many hours.")
@click.option("--first", type=click.IntRange(min=1), default=1, help="The first day; each is another one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def week(*, days: int, hours: float, first: int, as_json: bool) -> None:
    """Play a service week with the gate in line: nothing may be blocked, and nothing alerted above "info"."""
    described, began = vehicle(), time.monotonic()
    parts = []
    for number in range(first, first + days):
        for scenario in day(number, hours):
            part = play(scenario, described, seed=number)
            parts.append(part)
            if not as_json:
                verdict = "quiet" if not part.alerts and not part.stopped else "NOT QUIET"
                click.echo(
                    f"{part.name:<22} {part.hours:5.1f} h {part.kilometres:6.1f} km "
                    f"{part.tbox_frames:8d} T-box frames  {part.stopped} stopped  {verdict}"
                )
                for each in part.alerts:
                    click.echo(f"  {each}")
    total = _total(parts, time.monotonic() - began)
    if as_json:
        click.echo(json.dumps({"total": total, "parts": [part._asdict() for part in parts]}, indent=2))
    else:
        click.echo("; ".join(f"{name} {value}" for name, value in total.items()))
    if total["stopped"] or total["alerts above info"]:
        sys.exit(1)


def _total(parts: list[Part], seconds: float) -> dict[str, Any]:
    return {
        "hours": round(sum(part.hours for part in parts), 1),
        "kilometres": round(sum(part.kilometres for part in parts), 1),
        "T-box frames": sum(part.tbox_frames for part in parts),
        "stopped": sum(part.stopped for part in parts),
        "alerts above info": sum(len(part.alerts) for part in parts),
        "seconds taken": round(seconds, 1),
    }


def _scenario(title: str, start: str, lasts: float, acts: tuple[Act, ...]) -> Scenario:
    told = {"scenario": "week", "title": title, "kind": "service", "start": start, "lasts": lasts}
    fitting = tuple(act for act in acts if act.at < lasts)
    return Scenario.model_validate(told).model_copy(update={"acts": fitting})
