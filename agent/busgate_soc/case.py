"""One log under way at the SOC: its ledger, what was shown of it early, and when to ask for what is missing.

Law: time is data. Most gaps close by themselves, so a question waits a little; progress puts it off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from busgate_soc.happenings import Log
from busgate_soc.ledger import Ledger

_GRACE: Final = 0.5
"""Seconds that a gap may last before it is asked for."""
_FIRST_WAIT: Final = 2.0
_LONGEST_WAIT: Final = 60.0
_MAX_TOLD: Final = 1000


class Case:
    """A ledger with what the collector wants of it: when to ask next, and what was shown early."""

    def __init__(self, log: Log) -> None:
        """Nothing was heard of it yet."""
        self.log = log
        self.ledger = Ledger(*log)
        self.announced = 0
        self.early: dict[int, Mapping[str, Any]] = {}
        self.ask_at: float | None = None
        self.wait = _FIRST_WAIT
        self.mismatches = 0
        self.told: set[str] = set()
        self._progress = (0, 0)

    @property
    def wanted(self) -> int:
        """The size that this log must have, by all that was heard; most of it is hearsay, and good for asking only."""
        return max(self.ledger.wanted, self.announced)

    def schedule(self, now: float) -> None:
        """Set or clear the time of the next question; progress puts it off."""
        progress = (self.ledger.size, self.ledger.proven)
        moved = progress != self._progress
        self._progress = progress
        if self.wanted <= self.ledger.proven:
            self.ask_at = None
        elif self.ask_at is None:
            self.ask_at, self.wait = now + _GRACE, _FIRST_WAIT
        elif moved:
            self.ask_at, self.wait = now + _FIRST_WAIT, _FIRST_WAIT

    def ask(self, now: float) -> bool:
        """Whether to ask now for what is missing; each question in vain puts the next one off for twice as long."""
        if self.ask_at is None or now < self.ask_at:
            return False
        self.ask_at = now + self.wait
        self.wait = min(_LONGEST_WAIT, self.wait * 2)
        self.ledger.forget_ahead()
        return True

    def news(self, text: str) -> bool:
        """Whether this was not said before about this log."""
        if text in self.told or len(self.told) >= _MAX_TOLD:
            return False
        self.told.add(text)
        return True
