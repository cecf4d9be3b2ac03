"""How far the log has been sent: what goes next, what is on its way, up to where the broker has it.

Law: the log is the queue, and this is only a position in it. At most `limit` bundles are on their way; `published` is
the size below which the broker acknowledged everything, and falls back when somebody asks for entries again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

LIMIT: Final = 16
"""Bundles on their way at once. With two alerts, a checkpoint and a state it makes 20, which mosquitto accepts."""


class Span(NamedTuple):
    """The entries of one bundle: from `first`, before `end`."""

    first: int
    end: int


class Window:
    """A position in one log; sizes and indexes count entries."""

    def __init__(self, start: int, limit: int = LIMIT) -> None:
        self.next = start
        self.limit = limit
        self._on_the_way: dict[int, Span] = {}

    @property
    def on_the_way(self) -> Mapping[int, Span]:
        """The bundles that the broker has not acknowledged, by message number."""
        return self._on_the_way

    @property
    def room(self) -> int:
        """How many bundles may be sent now."""
        return max(0, self.limit - len(self._on_the_way))

    @property
    def published(self) -> int:
        """The broker acknowledged every entry below this index."""
        return min((self.next, *(span.first for span in self._on_the_way.values())))

    def sent(self, mid: int, count: int) -> None:
        """The next `count` entries went out as message `mid`."""
        self._on_the_way[mid] = Span(self.next, self.next + count)
        self.next += count

    def acknowledged(self, mid: int) -> bool:
        """The broker has message `mid`; False when that was no bundle."""
        return self._on_the_way.pop(mid, None) is not None

    def refused(self, mid: int) -> bool:
        """The broker did not take message `mid`: its entries go again; False when that was no bundle."""
        span = self._on_the_way.pop(mid, None)
        if span is not None:
            self.rewind(span.first)
        return span is not None

    def rewind(self, size: int) -> None:
        """Send again from `size` on; a size that was not reached yet changes nothing."""
        self.next = min(self.next, size)
