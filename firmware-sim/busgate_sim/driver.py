"""Who drives: the driver of a line, or somebody by hand; both only wish for an acceleration.

Law: what becomes of a wish is the drive's and the brakes'; a driver who gets no traction rolls out to the kerb.
"""

from __future__ import annotations

from math import sqrt

from busgate_sim.line import Line, Section, sections

COMFORT_BRAKE = 1.0
MOST_WISH = 1.2
"""m/s2 that a full pedal asks for."""
MOST_BRAKE = 6.0
"""m/s2 that the friction brakes give at a full pedal."""
CRUISE_KMH = 40.0
DWELL_SECONDS = 14.0
DOOR_SECONDS = 1.6
PATIENCE_SECONDS = 8.0
"""How long a driver who gets no traction waits before rolling out to the kerb."""
_STANDS = 0.15


class Driver:
    """One driver."""

    def __init__(self, line: Line | None = None) -> None:
        """Between two stops of the line."""
        self.hand: float | None = None
        """Set it to drive by hand: from -1 (full brake) to 1 (full traction)."""
        self.opens = False
        """Whether the driver by hand has the doors open."""
        self.dwelt = 0.0
        """Seconds at this stop so far."""
        self._sections = sections(line)
        self._section: Section = next(self._sections)
        self._helpless = 0.0
        self._given_up = False

    @property
    def wants_doors_open(self) -> bool:
        """Whether the doors ought to be open now."""
        return self.opens if self.hand is not None else 0.0 < self.dwelt < DWELL_SECONDS - DOOR_SECONDS

    def wish(self, seconds: float, now: float, speed: float, metres: float, *, traction: bool) -> float:
        """The acceleration (m/s2) that the driver wants at `now` s, at this speed (m/s) and place."""
        if self.hand is not None:
            return self.hand * (MOST_WISH if self.hand > 0 else MOST_BRAKE)
        left = self._section.ends - metres
        if self._given_up:
            return -0.6
        if speed < _STANDS and left < 3.0:
            return self._dwells(seconds, now, metres)
        braking = sqrt(2 * COMFORT_BRAKE * max(0.0, left - 1.0))
        creep = 0.6 if left > 2.0 else 0.0
        wish = (min(self._section.kmh / 3.6, max(braking, creep)) - speed) * 1.2
        wish = -COMFORT_BRAKE if left <= 2.0 else max(-1.4, min(MOST_WISH, wish))
        self._helpless = self._helpless + seconds if wish > 0.2 and not traction else 0.0
        self._given_up = self._helpless > PATIENCE_SECONDS
        return wish

    def stands(self, speed: float, metres: float) -> bool:
        """Whether the bus has come to its stop."""
        return self.hand is None and not self._given_up and speed < _STANDS and self._section.ends - metres < 3.0

    def _dwells(self, seconds: float, now: float, metres: float) -> float:
        self.dwelt += seconds
        late_enough = now >= self._section.departs
        if self.dwelt >= DWELL_SECONDS and not self.wants_doors_open and late_enough:
            self.dwelt = 0.0
            while self._section.ends - metres < 3.0:
                self._section = next(self._sections)
        return -0.5
