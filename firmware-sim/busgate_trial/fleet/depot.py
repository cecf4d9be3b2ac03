"""A fleet at work: all its buses in one thread, each with its own uplink, and what came of it.

Law: time passes for all buses alike, in small steps; when this machine is too slow for them, it says by how much.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from busgate.service import load
from busgate.trust.note import Verifier
from busgate_trial.fleet.bus import LightBus
from busgate_trial.fleet.campaign import Campaign

STEP_NS = 100_000_000
_SECOND = 1_000_000_000
_KIB_PER_MIB = 1024
_TURN = 0.02

Alerts = Mapping[str, Sequence[tuple[str, str]]]
"""Rule and severity of each verified alert, by device."""


class Result(NamedTuple):
    """What a fleet's run came to. `late` is by how many seconds the machine fell behind, at most."""

    buses: int
    seconds: float
    frames: int
    blocked: int
    records: int
    published: int
    cosigned: int
    late: float
    cpu_seconds: float
    most_memory_mib: float


class Judged(NamedTuple):
    """A campaign held against its labels: buses by number of `targets` found, blocked, told to the SOC and verified."""

    targets: int
    found: int
    held: int
    verified: int
    false: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        """Whether every order was named and held, and nothing else was alerted."""
        return self.found == self.held == self.verified == self.targets and not self.false


class Depot:
    """The fleet."""

    def __init__(  # noqa: PLR0913 - how many, as what, where, to whom, and what is done to them
        self,
        numbers: Sequence[int],
        vehicle: load.Vehicle,
        folder: Path,
        url: str,
        *,
        witnesses: Sequence[Verifier] = (),
        campaign: Campaign | None = None,
    ) -> None:
        """Makes all buses; their uplinks begin to connect."""
        folder.mkdir(parents=True, exist_ok=True)
        start = time.monotonic_ns()
        self._clock = start, time.time_ns() - start
        self.buses: list[LightBus] = []
        self.now = 0
        """How long the fleet has been at work, in ns."""
        self.late = 0.0
        self._campaign = campaign
        self._cpu = time.process_time()
        try:
            for number in numbers:
                self.buses.append(LightBus(number, vehicle, folder, url, witnesses=witnesses, clock=self._clock))
        except BaseException:
            self.close()
            raise
        self.targets = {} if campaign is None else campaign.targets(len(numbers))
        for place, at in self.targets.items():
            if campaign is not None:
                self.buses[place].traffic.order(round(at * _SECOND), campaign)

    def run(
        self, seconds: float, shown: Callable[[], object] = lambda: None, going: Callable[[], bool] = lambda: True
    ) -> None:
        """Let time pass by the wall's clock; `shown` is called about once a second, and it ends when not `going`."""
        began, end, due = time.monotonic(), self.now + round(seconds * _SECOND), 0.0
        from_ = self.now
        while self.now < end and going():
            self.now = min(end, self.now + STEP_NS)
            for bus in self.buses:
                bus.advance(self.now)
            ahead = (self.now - from_) / _SECOND - (time.monotonic() - began)
            self.late = max(self.late, -ahead)
            if ahead > 0:
                time.sleep(ahead)
            if time.monotonic() >= due:
                shown()
                due = time.monotonic() + 1.0

    def drain(self, seconds: float) -> bool:
        """Sign what is open and wait until all is where it should be; whether it is."""
        for bus in self.buses:
            bus.finish(self.now)
        deadline, waiting = time.monotonic() + seconds, list(self.buses)
        while waiting and time.monotonic() < deadline:
            # All of them in turn: each has answers to take while others wait for theirs.
            waiting = [bus for bus in waiting if not bus.uplink.drain(0.0)]
            time.sleep(_TURN)
        return not waiting

    def close(self) -> None:
        """Close all buses."""
        for bus in self.buses:
            bus.close()

    def result(self) -> Result:
        """What it has come to so far."""
        return Result(
            buses=len(self.buses),
            seconds=self.now / _SECOND,
            frames=sum(bus.frames for bus in self.buses),
            blocked=sum(bus.blocked for bus in self.buses),
            records=sum(bus.log.size for bus in self.buses),
            published=sum(bus.uplink.published for bus in self.buses),
            cosigned=sum(bus.uplink.cosigned for bus in self.buses),
            late=round(self.late, 2),
            cpu_seconds=round(time.process_time() - self._cpu, 2),
            most_memory_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MIB, 1),
        )

    def judged(self, verified: Alerts) -> Judged:
        """The campaign's score; `verified` is what the SOC has verified."""
        campaign = self._campaign
        if campaign is None:
            return Judged(0, 0, 0, 0, tuple(_strangers(self.buses, ())))
        label = campaign.alert, campaign.severity
        targets = [self.buses[place] for place in self.targets]
        named = [bus for bus in targets if label in _told(bus)]
        held = [bus for bus in targets if bool(bus.blocked) is (campaign.expect == "blocked")]
        arrived = [bus for bus in targets if label in verified.get(bus.name, ())]
        quiet = [bus for bus in self.buses if bus not in targets]
        false = [*_strangers(targets, (label,)), *_strangers(quiet, ())]
        return Judged(len(targets), len(named), len(held), len(arrived), tuple(false))

    def rows(self) -> list[dict[str, Any]]:
        """Each bus as plain values."""
        return [
            {
                "bus": bus.name,
                "online": bus.status.connected,
                "frames": bus.frames,
                "alerts": len(bus.alerts),
                "blocked": bus.blocked,
                "records": bus.log.size,
                "published": bus.uplink.published,
                "cosigned": bus.uplink.cosigned,
            }
            for bus in self.buses
        ]


def _told(bus: LightBus) -> list[tuple[str, str]]:
    return [(alert.rule, alert.severity.name.lower()) for alert in bus.alerts]


def _strangers(buses: Sequence[LightBus], expected: Sequence[tuple[str, str]]) -> list[str]:
    """Alerts that no label asks for."""
    return [f"{bus.name}: {rule}" for bus in buses for rule, severity in _told(bus) if (rule, severity) not in expected]


def tell_late(result: Result) -> None:
    """Say so if the machine was too slow."""
    if result.late > 1.0:
        print(f"this machine fell behind by up to {result.late:g} s; take fewer buses", file=sys.stderr)
