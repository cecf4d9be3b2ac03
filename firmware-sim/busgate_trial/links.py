"""How well the gate tells which message over the air led to which frame: measured on scenarios, whose causes are known.

Law: the gate hears what an observer could hear, the packets and the short messages, and never a label. An act is linked
rightly when one of its frames is linked to a message that belongs to it, at `BELIEVED` or more; any other link at that
confidence is false.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Iterator
from heapq import merge
from pathlib import Path
from typing import NamedTuple

from busgate.bridge.channels import ALL, SideMap
from busgate.bridge.trace import Trace
from busgate.gateway import Gateway
from busgate.model import Causation, Frame, Mode, Side, Sms, Unit
from busgate.service import load
from busgate_sim import packets
from busgate_sim.body import BusBody
from busgate_sim.scenario import Act, Scenario
from busgate_sim.splice import Open
from busgate_sim.stage import STARTED, TBOX, Stage, Went, cause_of_act
from busgate_sim.world import SECOND

BELIEVED = 0.5
CLOSE_NS = 2_000_000
"""How far a message may be from where it was said, for the rounding of captures."""


class Link(NamedTuple):
    """One link that the gate told: which act's frame, and whether the message belongs to that act."""

    act: int | None
    way: str
    confidence: float
    right: bool
    lag: int


class Linked(NamedTuple):
    """What became of one scenario: the acts that came over the air, by way, and the links that were told."""

    scenario: str
    by: tuple[str, ...]
    """How each act was ordered; "" for those that nobody ordered over the air or that put no frame on the bus."""
    links: tuple[Link, ...]


class Rate(NamedTuple):
    """How often what was told is so, and what was so is told."""

    told: int
    right: int
    over_the_air: int
    found: int

    @property
    def precision(self) -> float | None:
        """Of the links told, how many are right; None if none was told."""
        return self.right / self.told if self.told else None

    @property
    def recall(self) -> float | None:
        """Of the acts that came over the air, how many were linked rightly; None if there was none."""
        return self.found / self.over_the_air if self.over_the_air else None


def linked(scenario: Scenario, vehicle: load.Vehicle, *, seed: int = 0) -> Linked:
    """Play a scenario with nothing between the wires, and have a gate watch wires and air."""
    stage = Stage(scenario, BusBody(scenario.start), Open(), seed=seed)
    stage.tape = []
    stage.run()
    said = {number: _said(stage, cause_of_act(number)) for number in range(len(scenario.acts))}
    act_of = {cause_of_act(number): number for number in said}
    gateway = Gateway(vehicle.profile, vehicle.database, mode=Mode.MONITOR, wall_offset=0)
    links, moved = list[Link](), set[int]()
    for unit, cause in _units(stage, stage.tape):
        act = act_of.get(cause)
        moved |= set() if act is None else {act}
        links += [_link(event, act, said) for event in gateway.receive(unit).events if isinstance(event, Causation)]
    by = tuple(act.by if said[number] and number in moved else "" for number, act in enumerate(scenario.acts))
    return Linked(scenario.scenario, by, tuple(links))


def rates(runs: Iterable[Linked], way: str = "") -> Rate:
    """Over many runs; `way` limits it to links of one way and to the acts that could be linked by it."""
    told = right = over_the_air = found = 0
    for run in runs:
        links = [each for each in run.links if each.confidence >= BELIEVED and way in {"", each.way}]
        told += len(links)
        right += sum(each.right for each in links)
        acts = {number for number, by in enumerate(run.by) if by and way in {"", _WAYS[by]}}
        over_the_air += len(acts)
        found += len(acts & {each.act for each in links if each.right})
    return Rate(told, right, over_the_air, found)


_WAYS = {"cloud": "message", "sms": "sms", "tls": "burst", "ssh": "burst", "tbox": ""}


def _said(stage: Stage, cause: str) -> tuple[int, ...]:
    """When something towards the T-box that belongs to an act passed the antenna, Unix time in ns."""
    segments = [each.at for each in stage.air.segments if each.cause == cause and not each.up]
    texts = [each.at for each in stage.air.shorts if each.cause == cause]
    return tuple(STARTED * SECOND + at for at in (*segments, *texts))


def _link(event: Causation, act: int | None, said: dict[int, tuple[int, ...]]) -> Link:
    came = event.at - event.lag
    right = act is not None and any(abs(came - at) <= CLOSE_NS for at in said[act])
    return Link(act, event.way, event.confidence, right, event.lag)


def _units(stage: Stage, tape: list[Went]) -> Iterator[tuple[Unit, str]]:
    """All that an observer hears, in its order, with the cause that only we know."""
    start = STARTED * SECOND
    frames = (
        (Frame(start + went.at, Side.TBOX if went.wire == TBOX else Side.VEHICLE, *went.sent), went.cause)
        for went in sorted(tape, key=lambda went: went.at)
    )
    texts = ((Sms(start + each.at, Side.TBOX, "", each.pdu), each.cause) for each in stage.air.shorts)
    heard: tuple[Iterable[tuple[Unit, str]], ...] = (frames, texts, _packets(stage))
    yield from merge(*heard, key=lambda pair: pair[0].at)


def _packets(stage: Stage) -> Iterator[tuple[Unit, str]]:
    opaque = any(act.by == "tls" for act in stage.scenario.acts)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "air.pcapng"
        packets.write(stage.air.segments, STARTED, path, opaque=opaque)
        units = list(Trace(path, SideMap([ALL])))
    for unit in units:
        yield unit, ""


_MIXED_ACTS: tuple[tuple[str, dict[str, float | str]], ...] = (
    ("drive.stop", {}),
    ("drive.release", {}),
    ("drive.limit", {"torque": 40.0}),
    ("doors", {"request": "Unlock"}),
    ("charge", {"request": "Limit", "current": 32.0}),
    ("climate", {"mode": "Preheat", "target": 21.0, "minutes": 20.0}),
    ("diagnose", {"target": "HVAC", "requests": "1003 22F189"}),
)


def mixed(seed: int, *, acts: int = 12, seconds: float = 90.0) -> Scenario:
    """A harder case than any of the library: acts at any moment, by any way, also by the T-box of its own accord.

    One in three comes from nobody over the air, so that whoever links everything is wrong a third of the time.
    """
    chance = random.Random(f"mixed {seed}")  # noqa: S311 - a scenario, not a secret
    ways = ["tls", "tbox"] if seed % 3 == 0 else ["cloud", "cloud", "sms", "tbox"]
    rows = [
        Act.model_validate(
            {
                "at": round(chance.uniform(5, seconds - 5), 3),
                "by": chance.choice(ways),
                "does": (chosen := chance.choice(_MIXED_ACTS))[0],
                "with": chosen[1],
                "expect": "blocked",
                "alert": "",
                "why": "made by chance",
            }
        )
        for _ in range(acts)
    ]
    return Scenario(
        scenario=f"mixed-{seed}", title="acts by chance", kind="attack", start="driving", lasts=seconds,
        speaks=chance.choice(("jt808-2013", "jt808-2019", "gb32960-2016")),
        acts=tuple(sorted(rows, key=lambda act: act.at)),
    )  # fmt: skip
