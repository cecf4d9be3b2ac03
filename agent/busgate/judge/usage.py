"""How often each rule has let something pass lately.

Law: only what passed counts. In no stretch of time as long as a rate's `per`, its end excluded, do more than `count`
messages pass by its rule; a new policy changes that only where it changes the rate.
"""

from __future__ import annotations

from collections import deque

from busgate.judge.limits import Rate


class Usage:
    """The last passes of every rule that has a rate, by rule id; beside them the rate that they were counted by."""

    def __init__(self) -> None:
        self._passed: dict[str, tuple[int, int, deque[int]]] = {}

    def take(self, rule_id: str, rate: Rate, elapsed: int) -> bool:
        """Pass once more under this rule at `elapsed` (ns, never falls), if its rate leaves room."""
        count, per = rate.count, rate.per
        kept = self._passed.get(rule_id)
        if kept is None or kept[0] != count or kept[1] != per:
            kept = self._passed[rule_id] = (count, per, deque(maxlen=count))
        passed = kept[2]
        if len(passed) == count and elapsed - passed[0] < per:
            return False
        passed.append(elapsed)
        return True
