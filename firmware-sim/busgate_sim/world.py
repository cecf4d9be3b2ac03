"""Simulated time: an agenda of what is due, done in order; nothing happens in between.

Law: the same seed gives the same day, event for event. Time is an integer in nanoseconds since the world began, and
what is due at the same moment is done in the order in which it was put on the agenda.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from heapq import heappop, heappush

SECOND = 1_000_000_000
MILLISECOND = 1_000_000

Deed = Callable[[], object]


class Due:
    """Something on the agenda; `cancel` takes it off."""

    __slots__ = ("deed",)

    def __init__(self, deed: Deed) -> None:
        """What is to be done when its time comes."""
        self.deed: Deed | None = deed

    def cancel(self) -> None:
        """Never do it; what was done already stays done."""
        self.deed = None


class World:
    """One simulation's clock, agenda and source of chance."""

    def __init__(self, seed: int = 0) -> None:
        """The clock stands at 0 and the agenda is empty."""
        self.now = 0
        # Seeded and not a secret: a scenario has to be the same on every machine.
        self.chance = random.Random(seed)  # noqa: S311
        self._agenda: list[tuple[int, int, Due]] = []
        self._noted = 0

    def at(self, when: int, deed: Deed) -> Due:
        """Do something at a time (ns); what is late already is done next."""
        due = Due(deed)
        self._noted += 1
        heappush(self._agenda, (max(when, self.now), self._noted, due))
        return due

    def after(self, delay: int, deed: Deed) -> Due:
        """Do something `delay` ns from now."""
        return self.at(self.now + delay, deed)

    def every(self, period: int, deed: Deed, *, phase: int = 0, jitter: int = 0) -> Due:
        """Do something each `period` ns, for the first time after `phase`, each time up to `jitter` ns late.

        The returned entry stands for all repetitions: cancelling it ends them.
        """
        series = Due(deed)
        cycle = 0

        def again() -> None:
            nonlocal cycle
            if series.deed is None:
                return
            series.deed()
            cycle += 1
            late = self.chance.randrange(jitter) if jitter else 0
            self.at(began + cycle * period + late, again)

        began = self.now + phase
        self.at(began, again)
        return series

    def next_due(self) -> int | None:
        """When the next thing is due (ns), None with an empty agenda."""
        while self._agenda and self._agenda[0][2].deed is None:
            heappop(self._agenda)
        return self._agenda[0][0] if self._agenda else None

    def run(self, until: int) -> None:
        """Do all that is due up to and including `until` (ns), and leave the clock there."""
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, due = heappop(self._agenda)
            if due.deed is not None:
                due.deed()
        self.now = max(self.now, until)
