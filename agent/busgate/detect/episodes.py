"""One alert per cause: the first of a kind is told at once, the rest are counted until it goes quiet.

Law: every occurrence is in exactly one count, and memory is bounded: causes beyond the limit share one episode a rule.
"""

from __future__ import annotations

from busgate.model import AlertCount

QUIET_NS = 60_000_000_000
"""An episode ends after this long without its cause; the next occurrence is news again."""

COUNT_EVERY_NS = 60_000_000_000
"""How often a lasting episode's count is told."""

MOST_OPEN = 1024
"""Causes kept apart at once; beyond it an episode stands for all further causes of its rule."""


class _Episode:
    __slots__ = ("cause", "count", "first", "last", "rule", "told", "told_at")

    def __init__(self, cause: str, rule: str, at: int) -> None:
        self.cause = cause
        self.rule = rule
        self.first = self.last = self.told_at = at
        self.count = self.told = 1


class Episodes:
    """The open episodes of one gate."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._open: dict[str, _Episode] = {}

    def seen(self, cause: str, rule: str, at: int) -> str | None:
        """Count one occurrence; the name of the episode if it is news and to be alerted, else None."""
        episode = self._open.get(cause)
        if episode is None and len(self._open) >= MOST_OPEN:
            cause = f"{rule}|many causes"
            episode = self._open.get(cause)
        if episode is None:
            self._open[cause] = _Episode(cause, rule, at)
            return cause
        episode.count += 1
        episode.last = at
        return None

    def tick(self, now: int) -> tuple[AlertCount, ...]:
        """The counts that are due, and the episodes that fell quiet."""
        told = []
        for cause, episode in list(self._open.items()):
            if now - episode.last >= QUIET_NS:
                del self._open[cause]
                if episode.count > 1:
                    told.append(self._count(episode, now, final=True))
            elif episode.count > episode.told and now - episode.told_at >= COUNT_EVERY_NS:
                told.append(self._count(episode, now, final=False))
        return tuple(told)

    def finish(self, now: int) -> tuple[AlertCount, ...]:
        """End every episode: what was seen more than once is counted for good."""
        told = tuple(self._count(episode, now, final=True) for episode in self._open.values() if episode.count > 1)
        self._open.clear()
        return told

    @staticmethod
    def _count(episode: _Episode, now: int, *, final: bool) -> AlertCount:
        episode.told, episode.told_at = episode.count, now
        return AlertCount(now, episode.cause, episode.rule, episode.count, episode.first, episode.last, final)
