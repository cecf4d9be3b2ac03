"""One direction of a TCP stream: segments as they were captured in, bytes in their order out.

Law: what is delivered is, from the first byte on, what came first for each position; bytes that differ from those are
told as `Differs`, and bytes that never came as `Missing`. Memory: `pending` at most `most_bytes` in `MOST_PIECES`
pieces, and the last `TAIL` bytes delivered, which later copies are held against. RFC 9293, 3.4 and 3.10.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

REACH = 1 << 24
"""Bytes around the next one in which a number is one of this stream; further away it is of another, or a lie."""

TAIL = 1 << 15
"""Delivered bytes that are kept for comparison: what a receiver's window holds on a cellular link, about."""

MOST_PIECES = 1024

_HALF = 1 << 31
_MASK = (1 << 32) - 1


class Bytes(NamedTuple):
    """Bytes in order."""

    data: bytes


class Missing(NamedTuple):
    """So many bytes never came here."""

    size: int


class Differs(NamedTuple):
    """A position of the stream came twice with different bytes: `kept` came first, `refused` later.

    `kept` is empty where the position had been given up before.
    """

    offset: int
    kept: bytes
    refused: bytes


Piece = Bytes | Missing | Differs


class Meter:
    """Counts the bytes that all directions of all connections keep."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0


class Reassembly:
    """Positions count from 0, the first byte after the SYN, or the first byte seen where there was no SYN."""

    __slots__ = (
        "_given_up", "_meter", "_most_bytes", "_pending", "_starts", "_tail", "_waits", "acked", "base", "fin", "heard",
        "lost_since", "position", "since",
    )  # fmt: skip

    def __init__(self, most_bytes: int, meter: Meter) -> None:
        self._most_bytes = most_bytes
        self._meter = meter
        self._waits = 0  # bytes that are pending
        self._starts: list[int] = []
        self._pending: list[bytes] = []
        self._tail = bytearray()
        self._given_up = 0  # so many bytes before the tail were told as missing
        self.base: int | None = None
        """Sequence number of position 0; None until it is known."""
        self.position = 0
        """The next byte to deliver."""
        self.acked = 0
        """Up to where the receiver said it has everything, where that could be seen; never less than before."""
        self.heard: int | None = None
        """The acknowledgement number that the receiver sent last; None while it was not heard."""
        self.fin: int | None = None
        """Where the sender said that nothing follows."""
        self.lost_since: int | None = None
        self.since = 0
        """Since when something waits for bytes before it."""

    @property
    def waiting(self) -> bool:
        """Whether bytes wait for others before them."""
        return bool(self._starts)

    @property
    def ended(self) -> bool:
        """Whether the sender has said that nothing follows, and everything before that is here."""
        return self.fin is not None and self.position >= self.fin

    def follows(self, seq: int) -> bool:
        """Whether a sequence number is that of the next byte, and nothing waits."""
        return self.base is not None and not self._starts and not (seq - self.base - self.position) & _MASK

    def append(self, data: bytes) -> None:
        """Take the next bytes, which `follows` has seen to be such."""
        self.position += len(data)
        self._keep(data)

    def where(self, seq: int) -> int:
        """The position of a sequence number: that within 2 GiB of the next byte (RFC 9293, 3.4)."""
        base = self.base or 0
        return self.position + ((seq - base - self.position + _HALF) & _MASK) - _HALF

    def acknowledge(self, ack: int) -> None:
        """The receiver has everything before this sequence number, unless that is out of all reach."""
        self.heard = ack
        if self.base is not None:
            acked = self.where(ack)
            if self.acked < acked <= self.position + REACH:
                self.acked = acked

    @property
    def lost(self) -> int:
        """Bytes that the receiver has, by its own word, and that did not pass here."""
        known = self.acked if self.fin is None else min(self.acked, self.fin)
        return max(0, known - self.position)

    def take(self, at: int, start: int, data: bytes) -> list[Piece]:
        """Bytes for a position: whatever they make deliverable, and where they differ from what came before."""
        position = self.position
        if start == position and not self._starts:
            self.append(data)
            return [Bytes(data)]
        found: list[Piece] = []
        if start < position:
            self._compare(start, data[: position - start], found)
            data = data[position - start :]
            start = position
        if data:
            if not self._starts:
                self.since = at
            self._insert(start, data, found)
            self._deliver(at, found)
        return found

    @property
    def full(self) -> bool:
        """Whether more waits than is kept."""
        return self._waits > self._most_bytes or len(self._starts) > MOST_PIECES

    def skip(self, at: int) -> list[Piece]:
        """Give up waiting: go on behind the hole."""
        known = self.position + self.lost
        target = min(self._starts[0], known) if self._starts and known > self.position else known
        if self._starts and target == self.position:
            target = self._starts[0]
        if target == self.position:
            return []
        found: list[Piece] = [Missing(target - self.position)]
        self._given_up = target - self.position
        self.position = target
        self.lost_since = None
        self._forget_tail()
        self._deliver(at, found)
        return found

    def forget(self) -> None:
        """Keep no bytes any more: the stream is over."""
        self._starts.clear()
        self._pending.clear()
        self._waiting(-self._waits)
        self._forget_tail()

    def drop_last(self) -> None:
        """Forget what waits furthest ahead."""
        self._starts.pop()
        self._waiting(-len(self._pending.pop()))

    def _deliver(self, at: int, found: list[Piece]) -> None:
        """Whatever continues the stream without a hole."""
        end, count = self.position, 0
        for start, data in zip(self._starts, self._pending, strict=True):
            if start != end:
                break
            end += len(data)
            count += 1
        if not count:
            return
        joined = b"".join(self._pending[:count])
        del self._starts[:count], self._pending[:count]
        self._waiting(-len(joined))
        self.position = end
        self.since = at
        self._keep(joined)
        found.append(Bytes(joined))

    def _forget_tail(self) -> None:
        self._meter.held -= len(self._tail)
        self._tail.clear()

    def _waiting(self, more: int) -> None:
        self._waits += more
        self._meter.held += more

    def _keep(self, data: bytes) -> None:
        tail = self._tail
        before = len(tail)
        tail += data[-TAIL:]
        if len(tail) > 2 * TAIL or len(data) > TAIL:
            del tail[:-TAIL]
            self._given_up = 0
        self._meter.held += len(tail) - before

    def _compare(self, start: int, data: bytes, found: list[Piece]) -> None:
        """A copy of delivered bytes; what is older than the tail can no longer be compared."""
        offset = start - (self.position - len(self._tail))
        if offset < 0:
            late = data[max(0, -offset - self._given_up) : -offset]
            if late:
                found.append(Differs(start + max(0, -offset - self._given_up), b"", late))
            data, start, offset = data[-offset:], start - offset, 0
        kept = bytes(self._tail[offset : offset + len(data)])
        if kept != data:
            found.append(Differs(start, kept, data))

    def _insert(self, start: int, data: bytes, found: list[Piece]) -> None:
        """Put the parts that are not there yet among those that wait."""
        starts, pending = self._starts, self._pending
        index = max(0, bisect_right(starts, start) - 1)
        while data and index < len(starts):
            there, bytes_there = starts[index], pending[index]
            before = there - start
            if before > 0:
                new = data[:before]
                starts.insert(index, start)
                pending.insert(index, new)
                self._waiting(len(new))
                data, start, index = data[before:], start + len(new), index + 1
            elif -before < len(bytes_there):
                kept = bytes_there[-before : -before + len(data)]
                if kept != data[: len(kept)]:
                    found.append(Differs(start, kept, data[: len(kept)]))
                data, start, index = data[len(kept) :], start + len(kept), index + 1
            else:
                index += 1
        if data:
            starts.append(start)
            pending.append(data)
            self._waiting(len(data))
