"""How often each rule has let something pass lately.

Law: only what passed counts. In no stretch of time as long as a rate's `per`, its end excluded, do more than `count`
messages pass by its rule; a new policy changes that only where it changes the rate.
"""

from __future__ import annotations

from collections import deque

from busgate.judge.limits import Rate


class Usage:
    """The last passes of every rule that has a rate, by rule id."""

    def __init__(self) -> None:
        self._passed: dict[str, tuple[Rate, deque[int]]] = {}

    def take(self, rule_id: str, rate: Rate, elapsed: int) -> bool:
        """Pass once more under this rule at `elapsed` (ns, never falls), if its rate leaves room."""
        kept = self._passed.get(rule_id)
        if kept is None or kept[0] != rate:
            kept = self._passed[rule_id] = (rate, deque(maxlen=rate.count))
        passed = kept[1]
        if len(passed) == rate.count and elapsed - passed[0] < rate.per:
            return False
        passed.append(elapsed)
        return True
