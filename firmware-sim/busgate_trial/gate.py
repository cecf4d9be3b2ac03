"""The gate as a crossing between two simulated wires: the real gateway, fed frame by frame.

Law: the gate is asked as on a vehicle: one frame, now, and its answer is final.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from busgate.gateway import Gateway
from busgate.judge.grants import Grant, GrantError, read_grant
from busgate.model import Alert, Event, Frame, Mode, Side
from busgate.service import load
from busgate_sim.scenario import Allowed
from busgate_sim.stage import PROFILE, STARTED
from busgate_sim.world import SECOND

DEVICE = "bus-0421"
"""The name that grants are made out to."""


class Told(NamedTuple):
    """An event of the gate, and the cause of the T-box's frame that it came with."""

    event: Event
    cause: str


class Gate:
    """A gateway with a policy and grants in force."""

    def __init__(self, vehicle: load.Vehicle, policy: str, grants: Iterable[Allowed], *, mode: Mode) -> None:
        """`policy` is a file of the profile's folder; the wall clock is the scenario's."""
        self.gateway = Gateway(
            vehicle.profile, vehicle.database, mode=mode, wall_offset=STARTED * SECOND, device=DEVICE
        )
        self.told: list[Told] = []
        self.crossed: dict[str, int] = {}
        """The T-box's frames that crossed, by cause."""
        self.met: dict[str, int] = {}
        self.cause: Callable[[], str] = str
        """Asked for the cause of the frame that is being judged."""
        adopted = load.policy(vehicle.folder / policy, operator=None, unsigned=True)
        self.gateway.adopt(adopted.policy, 0, signed=False)
        for number, allowed in enumerate(grants):
            # One that is refused is not in force; a gate on a vehicle that is running goes on without it, too.
            with suppress(GrantError):
                self._tell(self.gateway.grant(_grant(number, allowed), 0), "")

    def crosses(self, frame: Frame) -> bool:
        """The gate's answer; what it tells of the frame is kept."""
        outcome = self.gateway.receive(frame)
        cause = self.cause() if frame.side is Side.TBOX else ""
        if outcome.events:
            self._tell(outcome.events, cause)
        if cause:
            self.met[cause] = self.met.get(cause, 0) + 1
            if outcome.forward:
                self.crossed[cause] = self.crossed.get(cause, 0) + 1
        return outcome.forward

    def alerts(self, cause: str) -> list[Alert]:
        """The alerts that came with the frames of one cause."""
        return [told.event for told in self.told if told.cause == cause and isinstance(told.event, Alert)]

    def _tell(self, events: Iterable[Event], cause: str) -> None:
        self.told += [Told(event, cause) for event in events]


def vehicle() -> load.Vehicle:
    """The profile that the simulated bus is described by; it takes a second, so load it once."""
    return load.vehicle(PROFILE)


def _grant(number: int, allowed: Allowed) -> Grant:
    """The grant as its operator would write it."""
    functions = ", ".join(allowed.functions)
    return read_grant(
        f"grant: trial-{number}\n"
        "holder: {who: J. Jansen, organisation: Example Service BV, country: NL}\n"
        f"vehicle: {allowed.vehicle}\n"
        f"functions: [{functions}]\n"
        f"start: {_utc(allowed.start)}\n"
        f"end: {_utc(allowed.end)}\n"
        "reason: a trial with synthetic people\n"
        "approvers: [A. de Vries, B. Bakker]\n",
        "grant",
    )


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(STARTED + round(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
