"""Fragments of IP datagrams put together again, as an observer must: more than one receiver's habits are possible.

Law: a datagram is whole only when every byte up to its last fragment came. Of two fragments that claim the same bytes
the first wins, and that they differed is told: receivers disagree there, so it is how a message is hidden. Memory is
bounded by `most` datagrams and `most_bytes` in all, the oldest giving way; each waits `timeout_ns`, by packet time.
RFC 791, 3.2; RFC 8200, 4.5; RFC 5722.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

LONGEST = 0xFFFF
"""What a datagram's length field can say; a fragment that reaches further is an attack."""

SHOWN = 2048
"""Bytes that are kept of a datagram that was lost."""

DIFFER = "overlapping fragments differ"
DISAGREE = "fragments disagree about where the datagram ends"


class Whole(NamedTuple):
    """A datagram's payload, put together."""

    data: bytes
    flaws: tuple[str, ...]


class Lost(NamedTuple):
    """A datagram of which not all came: the beginning of what there was, holes as zero bytes."""

    key: Hashable
    since: int
    data: bytes
    reason: str


class _Partial:
    __slots__ = ("buffer", "flaws", "got", "have", "since", "total")

    def __init__(self, since: int) -> None:
        self.since = since
        self.buffer = bytearray()
        self.have = bytearray()
        self.got = 0
        self.total: int | None = None
        self.flaws: tuple[str, ...] = ()

    def flaw(self, text: str) -> None:
        if text not in self.flaws:
            self.flaws = (*self.flaws, text)

    def put(self, offset: int, data: bytes) -> None:
        """Take in bytes that are missing; those that are there already are compared."""
        if not data:
            return
        end = offset + len(data)
        buffer, have = self.buffer, self.have
        if len(have) < end:
            buffer.extend(bytes(end - len(buffer)))
            have.extend(bytes(end - len(have)))
        if have.find(1, offset, end) < 0:
            buffer[offset:end] = data
            have[offset:end] = b"\1" * len(data)
            self.got += len(data)
            return
        for position, byte in enumerate(data, offset):
            if not have[position]:
                have[position] = 1
                buffer[position] = byte
                self.got += 1
            elif buffer[position] != byte:
                self.flaw(DIFFER)


class Fragments:
    """The datagrams that are not whole yet, by a key of the caller's: addresses, protocol, identification."""

    def __init__(self, *, timeout_ns: int = 30_000_000_000, most: int = 256, most_bytes: int = 8 << 20) -> None:
        self._timeout_ns = timeout_ns
        self._most = most
        self._most_bytes = most_bytes
        self._open: dict[Hashable, _Partial] = {}
        self._lost: list[Lost] = []
        self.held = 0
        """Bytes kept at this moment."""

    def add(self, at: int, key: Hashable, offset: int, data: bytes, *, more: bool) -> Whole | str | None:
        """Take one fragment in: the whole datagram, None while bytes are missing, or why a receiver refuses it."""
        end = offset + len(data)
        if end > LONGEST:
            return "a fragment reaches beyond the longest datagram"
        if more and (len(data) & 7 or not data):
            return "a fragment that is not the last has a length that is no multiple of 8"
        partial = self._open.get(key)
        if partial is not None and at - partial.since >= self._timeout_ns:
            self._drop(key, "its fragments did not all come in time")
            partial = None
        if partial is None:
            partial = self._open[key] = _Partial(at)
        before = len(partial.have)
        data = self._bounded(partial, offset, data, more=more)
        partial.put(offset, data)
        self.held += 2 * (len(partial.have) - before)
        if partial.got == partial.total:
            del self._open[key]
            self.held -= 2 * len(partial.have)
            return Whole(bytes(partial.buffer[: partial.total]), partial.flaws)
        self._make_room(key)
        return None

    def tick(self, now: int) -> list[Lost]:
        """The datagrams that timed out by `now` or had to give way since the last call."""
        while self._open:
            key, partial = next(iter(self._open.items()))
            if now - partial.since < self._timeout_ns:
                break
            self._drop(key, "its fragments did not all come in time")
        lost, self._lost = self._lost, []
        return lost

    def next_deadline(self) -> int | None:
        """When `tick` has something to do; None while nothing waits."""
        for partial in self._open.values():
            return partial.since + self._timeout_ns
        return None

    def _bounded(self, partial: _Partial, offset: int, data: bytes, *, more: bool) -> bytes:
        """The bytes that lie within the datagram's end, once that is known; the first fragment to tell it wins."""
        end = offset + len(data)
        if not more:
            if partial.total is None and len(partial.have) <= end:
                partial.total = end
            elif partial.total != end:
                partial.flaw(DISAGREE)
        if partial.total is not None and end > partial.total:
            partial.flaw(DISAGREE)
            return data[: max(0, partial.total - offset)]
        return data

    def _make_room(self, newest: Hashable) -> None:
        while len(self._open) > self._most or self.held > self._most_bytes:
            key = next(iter(self._open))
            if key == newest and len(self._open) == 1:
                return
            self._drop(key, "too many datagrams are open; this one was the oldest")

    def _drop(self, key: Hashable, reason: str) -> None:
        partial = self._open.pop(key)
        self.held -= 2 * len(partial.have)
        if len(self._lost) < self._most:
            self._lost.append(Lost(key, partial.since, bytes(partial.buffer[:SHOWN]), reason))
