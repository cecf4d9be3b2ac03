"""What the platform knows of its vehicles, and what it has told them.

Law: a vehicle's entry outlives its connections; what it answers is put to the oldest order that waits for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field

from busgate_sim.cloud.gb32960_report import Report
from busgate_sim.cloud.jt808_location import Location
from busgate_sim.cloud.orders import Order

_MOST_REFUSED = 100
"""Reasons that are kept of what could not be read."""


@dataclass(slots=True)
class Told:
    """One order on its way: `message` is the number it was sent under, `serial` what its answer names it by."""

    order: Order
    at: int
    message: int
    serial: int
    outcome: str = "waiting"


@dataclass(slots=True)
class Vehicle:
    """One vehicle by its phone number or VIN; times in ns since 1970."""

    name: str
    protocol: str
    online: bool = False
    seen: int = 0
    report: Location | Report | None = None
    reports: int = 0
    late: int = 0
    """Reports that the vehicle kept while it had no connection."""
    settings: tuple[tuple[int, bytes], ...] = ()
    told: list[Told] = field(default_factory=list)

    def answered(self, message: int, serial: int | None, outcome: str) -> None:
        """An answer came; `serial` None where the protocol does not say to which."""
        for told in self.told:
            if told.message == message and told.outcome == "waiting" and serial in {None, told.serial}:
                told.outcome = outcome
                return

    def reported(self, report: Location | Report, *, late: bool = False) -> None:
        """A report came; a late one does not replace a newer one."""
        self.reports += 1
        self.late += late
        if not late or self.report is None:
            self.report = report


class Book:
    """All vehicles; `admits` are those that may log in, None for any."""

    def __init__(self, admits: Collection[str] | None = None, secret: bytes = b"synthetic") -> None:
        """No vehicle is known. `secret` makes the authentication codes."""
        self.vehicles: dict[str, Vehicle] = {}
        self.refused: list[str] = []
        self._admits = admits
        self._secret = secret

    def admits(self, name: str) -> bool:
        """Whether this vehicle may log in."""
        return self._admits is None or name in self._admits

    def vehicle(self, name: str, protocol: str) -> Vehicle:
        """The vehicle's entry, a new one at its first login."""
        return self.vehicles.setdefault(name, Vehicle(name, protocol))

    def code(self, name: str) -> str:
        """The authentication code that this vehicle was or will be given."""
        return hashlib.sha256(self._secret + name.encode()).hexdigest()[:16]

    def refuse(self, reason: str) -> None:
        """Something came that could not be read; the last reasons are kept."""
        self.refused = [*self.refused[1 - _MOST_REFUSED :], reason]
