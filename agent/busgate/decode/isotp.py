"""ISO-TP watched from the middle of the wire: frames of one direction in, transfers out, nothing ever sent.

Law: a payload is complete only when every frame of it passed here whole, in order and in time, as ISO 15765-2:2016
demands of a receiver; everything else is `Broken`, a value, and the next single or first frame on that key starts
afresh. Sequence numbers have four bits, so a loss of exactly sixteen frames looks like none: to us as to the ECU.
Time never runs backwards on one watcher; where a trace has it stand still, nothing times out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import ClassVar, NamedTuple

CLASSIC = 8
"""Bytes in the longest classical frame; a longer one is CAN FD and uses the escaped single frame."""

SHORT_LENGTH = 4095
"""The longest FF_DL of the 12-bit form (9.6.3.1); the escaped form is for longer ones only."""

CONTINUE = 0
WAIT = 1
OVERFLOW = 2


class Single(NamedTuple):
    """A whole payload in one frame. `interrupted` holds what an open transfer had, if this frame ended one (9.8.3)."""

    payload: bytes
    interrupted: bytes | None = None


class First(NamedTuple):
    """A transfer opens: `length` bytes are announced, `head` are those this frame shows; `interrupted` as in Single."""

    length: int
    head: bytes
    interrupted: bytes | None = None


class Consecutive(NamedTuple):
    """A frame that belongs to the open transfer and does not finish it; `number` counts from 1 and never wraps."""

    number: int


class Complete(NamedTuple):
    """The frame that finished the transfer."""

    payload: bytes


class FlowControl(NamedTuple):
    """The receiver's answer to a sender on another key. `status` is CONTINUE, WAIT or OVERFLOW (9.6.5.1)."""

    status: int
    block_size: int
    separation_ns: int


class Broken(NamedTuple):
    """What does not follow the protocol. `partial` is as much payload as there was; `ended` tells of an open transfer.

    `ended` is False where a receiver ignores the frame (9.8.3): what was open on this key, if anything, still is.
    """

    reason: str
    partial: bytes = b""
    ended: bool = False


Step = Single | First | Consecutive | Complete | FlowControl | Broken


def _separation_ns(code: int) -> int:
    """STmin (9.6.5.4): milliseconds, or hundreds of microseconds; a reserved code means the longest (9.6.5.5)."""
    if code <= 0x7F:
        return code * 1_000_000
    if 0xF1 <= code <= 0xF9:
        return (code - 0xF0) * 100_000
    return 0x7F * 1_000_000


_SEPARATION_NS = tuple(_separation_ns(code) for code in range(256))


class _Transfer:
    """A transfer on its way: what was announced, what came, and the frame length its First Frame fixed (RX_DL)."""

    __slots__ = ("buffer", "index", "last", "length", "width")

    def __init__(self, at: int, length: int, head: bytes, width: int) -> None:
        self.last = at
        self.length = length
        self.buffer = bytearray(head)
        self.width = width
        self.index = 0


class Watcher:
    """Reassembles any number of links, each under a key of the caller's: one per identifier and address byte.

    `timeout_ns` is N_Cr, counted from a transfer's last frame (9.7). Memory is bounded by `max_transfers` open
    transfers (at least 1; the longest silent gives way, and the next `tick` says so) of `max_length` bytes each.
    """

    def __init__(self, *, timeout_ns: int = 1_000_000_000, max_transfers: int = 256, max_length: int = 1 << 20) -> None:
        self._timeout_ns = timeout_ns
        self._max_transfers = max_transfers
        self._max_length = max_length
        # Ordered by last frame, so that the first is the next to time out and the first to give way.
        self._open: dict[Hashable, _Transfer] = {}
        self._evicted: deque[tuple[int, Hashable, Broken]] = deque(maxlen=max_transfers)

    def receive(self, at: int, key: Hashable, data: bytes, *, address_bytes: int = 0, fd: bool = False) -> Step:
        """Read one frame; `address_bytes` is 1 where byte 0 is N_TA or N_AE (extended and mixed addressing)."""
        size = len(data)
        if size <= address_bytes:
            return Broken("the frame has no protocol control byte")
        if size > CLASSIC and not fd:
            return Broken(f"a classical frame cannot have {size} bytes")
        return self._readers[data[address_bytes] >> 4](self, at, key, data, address_bytes)

    def defer(self, at: int, key: Hashable) -> None:
        """Let the transfer on `key` wait anew: on the way back its receiver sent WAIT or CONTINUE (9.6.5)."""
        transfer = self._open.pop(key, None)
        if transfer is not None:
            transfer.last = at
            self._open[key] = transfer

    def is_open(self, key: Hashable) -> bool:
        """Whether a transfer on `key` waits for its next frame."""
        return key in self._open

    def tick(self, now: int) -> tuple[tuple[Hashable, Broken], ...]:
        """End the transfers whose next frame did not come in time (N_TIMEOUT_Cr), and tell which gave way."""
        ended = [(key, broken) for _, key, broken in self._evicted]
        self._evicted.clear()
        while self._open:
            key, transfer = next(iter(self._open.items()))
            if now - transfer.last < self._timeout_ns:
                break
            del self._open[key]
            ended.append((key, self._late(transfer)))
        return tuple(ended)

    def next_deadline(self) -> int | None:
        """When to call `tick`, or None while nothing waits."""
        if self._evicted:
            return self._evicted[0][0]
        if not self._open:
            return None
        return next(iter(self._open.values())).last + self._timeout_ns

    def _single(self, _at: int, key: Hashable, data: bytes, skip: int) -> Step:
        """SingleFrame (9.6.2). Any padding is taken, whatever its length or value."""
        size = data[skip] & 0x0F
        start = skip + 1
        if len(data) > CLASSIC:
            if size:
                return Broken("a single frame of more than 8 bytes must use the escaped length")
            size = data[start]
            start += 1
            if size < CLASSIC - skip:
                return Broken(f"the escaped single frame length {size} fits the short form")
        elif not size:
            return Broken("the single frame has length 0")
        if size > len(data) - start:
            return Broken(f"the single frame says {size} bytes and has {len(data) - start}", data[start:])
        return Single(data[start : start + size], self._interrupt(key))

    def _first(self, at: int, key: Hashable, data: bytes, skip: int) -> Step:
        """FirstFrame (9.6.3), whose length must not fit one frame (FF_DLmin, 9.6.3.1)."""
        width = len(data)
        if width < CLASSIC:
            return Broken(f"a first frame has at least 8 bytes, this one {width}")
        length = (data[skip] & 0x0F) << 8 | data[skip + 1]
        start = skip + 2
        if not length:
            length = int.from_bytes(data[start : start + 4])
            start += 4
            if length <= SHORT_LENGTH:
                return Broken(f"the escaped first frame length {length} fits the short form", data[start:])
        if length <= (width - 1 if width == CLASSIC else width - 2) - skip:
            return Broken(f"the first frame says {length} bytes, which fit a single frame", data[start:])
        head = data[start:]
        if length > self._max_length:
            ended = self._interrupt(key) is not None
            return Broken(f"the first frame says {length} bytes; at most {self._max_length} are followed", head, ended)
        interrupted = self._interrupt(key)
        if len(self._open) >= self._max_transfers:
            self._evict(at)
        self._open[key] = _Transfer(at, length, head, width)
        return First(length, head, interrupted)

    def _consecutive(self, at: int, key: Hashable, data: bytes, skip: int) -> Step:
        """ConsecutiveFrame (9.6.4): the next number, in time, as long as the FirstFrame; the last may be shorter."""
        transfer = self._open.pop(key, None)
        if transfer is None:
            return Broken("no transfer is open for this consecutive frame", data[skip + 1 :])
        if at - transfer.last >= self._timeout_ns:
            return self._late(transfer)
        buffer = transfer.buffer
        missing = transfer.length - len(buffer)
        index = transfer.index + 1
        # The warm path: nearly every frame is the one awaited, and as long as the first.
        awaited = data[skip] & 0x0F == index & 0x0F and len(data) == transfer.width
        if not awaited and (fault := _consecutive_fault(transfer, index, missing, data, skip)):
            return Broken(fault, bytes(buffer), ended=True)
        buffer += data[skip + 1 : skip + 1 + missing]
        if len(buffer) == transfer.length:
            return Complete(bytes(buffer))
        transfer.index = index
        transfer.last = at
        self._open[key] = transfer
        return Consecutive(index)

    def _flow_control(self, _at: int, _key: Hashable, data: bytes, skip: int) -> Step:
        """FlowControl (9.6.5); it concerns the transfer of the other direction, never one on this key."""
        if len(data) < skip + 3:
            return Broken("the flow control frame is too short")
        status = data[skip] & 0x0F
        if status > OVERFLOW:
            return Broken(f"flow status {status} is reserved")
        return FlowControl(status, data[skip + 1], _SEPARATION_NS[data[skip + 2]])

    def _reserved(self, _at: int, _key: Hashable, data: bytes, skip: int) -> Step:
        """Any other N_PCI type is ignored by receivers (9.6.1)."""
        return Broken(f"frame type {data[skip] >> 4} is reserved")

    def _interrupt(self, key: Hashable) -> bytes | None:
        transfer = self._open.pop(key, None)
        return None if transfer is None else bytes(transfer.buffer)

    def _evict(self, at: int) -> None:
        key = next(iter(self._open))
        partial = bytes(self._open.pop(key).buffer)
        broken = Broken("too many transfers are open; this one was silent longest", partial, ended=True)
        self._evicted.append((at, key, broken))

    def _late(self, transfer: _Transfer) -> Broken:
        wait = self._timeout_ns / 1e9
        return Broken(f"frame {transfer.index + 1} did not come within {wait:g} s", bytes(transfer.buffer), ended=True)

    # By N_PCI type, the high nibble (9.6.1, table 9). Functions, not methods: the caller passes the watcher.
    _readers: ClassVar[tuple[Callable[[Watcher, int, Hashable, bytes, int], Step], ...]] = (
        _single,
        _first,
        _consecutive,
        _flow_control,
        *(_reserved,) * 12,
    )


def _consecutive_fault(transfer: _Transfer, index: int, missing: int, data: bytes, skip: int) -> str:
    """Why a consecutive frame is not the one awaited (9.6.4.3, 9.6.4.4), or ""."""
    got = data[skip] & 0x0F
    if got != index & 0x0F:
        if got == (index - 1) & 0x0F:
            return f"frame {index - 1} came twice or out of order"
        return f"sequence number {index & 0x0F} was due, {got} came"
    room = transfer.width - skip - 1
    size = len(data) - skip - 1
    if size > room:
        return f"frame {index} is longer than its first frame"
    if size < min(missing, room):
        return f"frame {index} has {size} bytes of payload where {min(missing, room)} were due"
    return ""
