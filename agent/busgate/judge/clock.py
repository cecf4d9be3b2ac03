"""Time as the judge knows it: what has passed, what a trusted clock says, and the latest it ever said.

Law: two things here never run backwards, whatever the clocks do: the time that has passed, and the latest trusted
time. A clock that is set back can therefore never lengthen a grant, revive a policy or refresh an old fact.
"""

from __future__ import annotations

from typing import NamedTuple

REORDER = 1_000_000_000
"""ns. Frames of two ports may be read a little out of order; only a larger step back is a clock that was set back."""


class Elapsed:
    """The time that has passed, by a clock that may be set back: the sum of its forward steps, in ns.

    `setbacks` counts how often the clock was set back; how long that took nobody knows.
    """

    __slots__ = ("_origin", "setbacks", "total")

    def __init__(self) -> None:
        self._origin: int | None = None
        self.setbacks = 0
        self.total = 0

    def at(self, now: int) -> int:
        """Take note of `now` (ns of the clock); returns its place on the sum, before the end if read out of order."""
        if self._origin is None:
            self._origin = now
        place = now - self._origin
        if self.total - place > REORDER:
            self.setbacks += 1
            self._origin = now - self.total
            return self.total
        self.total = max(self.total, place)
        return place


class Moment(NamedTuple):
    """When a decision falls. `now` is the bridge's timeline; all in ns."""

    now: int
    elapsed: int
    """What has passed since the judge began; never falls."""
    wall: int | None
    """Unix time where a clock is trusted at this moment, else None."""
    latest: int | None
    """The latest trusted Unix time there has been, run on by what has passed since; never falls."""


class Clock:
    """Joins the bridge's timeline with the trusted wall time, as far as there is one."""

    def __init__(self, latest: int | None = None) -> None:
        """`latest` is the latest trusted time of an earlier run, in ns since 1970."""
        self._elapsed = Elapsed()
        self._running = False
        self._latest = latest

    @property
    def latest(self) -> int | None:
        """The latest trusted time as of the last reading: what a next run starts from."""
        return self._latest

    def read(self, now: int, wall: int | None) -> Moment:
        """The moment at `now`. Where `wall` is missing or was set back, the latest time runs on by itself.

        A `latest` from an earlier run only runs on once a clock was trusted in this one: until then the bridge's
        timeline may still jump from a dead battery's 1970 to the present.
        """
        before = self._elapsed.total
        self._elapsed.at(now)
        if wall is not None and (self._latest is None or wall >= self._latest):
            self._latest = wall
        elif self._running and self._latest is not None:
            self._latest += self._elapsed.total - before
        self._running = self._running or wall is not None
        return Moment(now, self._elapsed.total, wall, self._latest)
