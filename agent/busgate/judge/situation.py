"""What the vehicle is doing, as far as its own frames say so.

Law: doubt means no. A fact that is missing, too old, not available, or not of its kind is unknown, and nothing that
happens to the clock makes an old fact young again.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from busgate.judge.clock import Elapsed
from busgate.model import Value
from busgate.profile import StateName

NUMBERS: frozenset[StateName] = frozenset({"speed"})
"""The facts that are numbers, in the unit of `UNITS`; all others are true or false."""

UNITS: dict[StateName, str] = {"speed": "km/h"}

TOLD_FOR = 5_000_000_000
"""ns. An event tells facts up to this old."""


class _Fact(NamedTuple):
    value: int | float
    seen: int
    setbacks: int


class Situation:
    """The facts that policy conditions ask for; fed from frames of the vehicle's side only."""

    def __init__(self) -> None:
        self._facts: dict[StateName, _Fact] = {}
        self._elapsed = Elapsed()

    def update(self, name: StateName, value: Value | None, at: int) -> None:
        """Take note of what a frame said at `at` (ns); None, "not available", makes the fact unknown at once."""
        seen = self._elapsed.at(at)
        known = _known(name, value)
        if known is None:
            self._facts.pop(name, None)
        else:
            self._facts[name] = _Fact(known, seen, self._elapsed.setbacks)

    def get(self, name: StateName, now: int, max_age_ns: int) -> int | float | None:
        """The fact, if it is known at `now` and at most `max_age_ns` old; facts from before a set-back are not."""
        self._elapsed.at(now)
        fact = self._facts.get(name)
        if fact is None or fact.setbacks != self._elapsed.setbacks or self._elapsed.total - fact.seen > max_age_ns:
            return None
        return fact.value

    def snapshot(self, now: int, max_age_ns: int = TOLD_FOR) -> dict[str, Value]:
        """All facts known at `now`, for an event: numbers, True and False; old ones are left out."""
        known = {name: self.get(name, now, max_age_ns) for name in self._facts}
        return {name: value for name, value in known.items() if value is not None}


def _known(name: StateName, value: Value | None) -> int | float | None:
    """The value, if it is one that this fact can have."""
    if name not in NUMBERS:
        return value if isinstance(value, bool) else None
    if isinstance(value, (bool, str)) or value is None or not abs(value) < inf:
        return None
    return value
