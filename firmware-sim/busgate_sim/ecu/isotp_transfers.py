"""The transfers of an ISO-TP end (ISO 15765-2:2016): the one that comes in, and those that go out.

Law: a wrong number, a missing frame or a silent other end stops a transfer; nothing of it is delivered.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from busgate_sim.ecu import isotp_frames as frames
from busgate_sim.ecu.isotp_frames import CLASSICAL, PADDING, Address, Consecutive, First, Flow, FlowControl, Single
from busgate_sim.encoder import Sent
from busgate_sim.wire import duration
from busgate_sim.world import SECOND, Due, World

Received = Callable[[bytes], None]


class Fault(StrEnum):
    """Why a transfer ended early (8.3.7)."""

    TIMEOUT_A = "N_TIMEOUT_A"
    TIMEOUT_BS = "N_TIMEOUT_Bs"
    TIMEOUT_CR = "N_TIMEOUT_Cr"
    WRONG_SN = "N_WRONG_SN"
    INVALID_FS = "N_INVALID_FS"
    UNEXPECTED = "N_UNEXP_PDU"
    TOO_MANY_WAITS = "N_WFT_OVRN"
    OVERFLOW = "N_BUFFER_OVFLW"
    NOT_SENT = "N_ERROR"


@dataclass(frozen=True, slots=True)
class Settings:
    """How an end behaves; times in nanoseconds (9.7, 9.8)."""

    fd: bool = False
    width: int = CLASSICAL
    """The longest data of a frame that it sends: 8, on CAN FD up to 64 (TX_DL)."""
    padding: int | None = PADDING
    block: int = 0
    """Frames that it takes until it sends the next flow control; 0: all of them."""
    separation: int = 0
    """STmin that it asks for, as its raw byte."""
    most: int = frames.SHORT_LENGTH
    """The longest payload that it has room for."""
    waits: int = 10
    """How often in a row the other end may say "wait" (N_WFTmax)."""
    n_as: int = SECOND
    n_bs: int = SECOND
    n_cr: int = SECOND
    bitrate: int = 500_000


class Transmitter(Protocol):
    """A place on a wire, as far as a sender needs it: `wire.Outlet`."""

    @property
    def waiting(self) -> int:
        """Frames that wait for the wire."""
        ...

    def send(self, sent: Sent) -> bool:
        """Queue a frame; False if it is lost."""
        ...


class End(Protocol):
    """What transfers need of their endpoint."""

    world: World
    outlet: Transmitter
    address: Address
    settings: Settings
    faults: Counter[Fault]
    received: Received

    def transmit(self, data: bytes) -> Sent | None:
        """Queue one frame of this conversation; None if it is lost."""
        ...


class Receiving:
    """The transfer that comes in."""

    def __init__(self, end: End) -> None:
        self._end = end
        self._payload: bytearray | None = None
        self._length = self._width = self._number = self._left = 0
        self._timer: Due | None = None

    def begin(self, said: Single | First) -> None:
        """Take a frame that begins a payload; one that is still coming in gives way (9.8.3)."""
        if self._payload is not None:
            self._stop(Fault.UNEXPECTED)
        if isinstance(said, Single):
            self._end.received(said.payload)
        elif said.length > self._end.settings.most:
            self._end.faults[Fault.OVERFLOW] += 1
            self._allow(Flow.OVERFLOW)
        else:
            self._payload, self._length, self._width = bytearray(said.data), said.length, said.width
            self._number, self._left = 1, self._end.settings.block
            self._allow(Flow.CONTINUE)
            self._wait()

    def go_on(self, said: Consecutive) -> None:
        """Take a further piece of the payload that is coming in."""
        if self._payload is None:
            return
        if said.number != self._number:
            self._stop(Fault.WRONG_SN)
            return
        missing = self._length - len(self._payload)
        if len(said.data) < min(missing, self._width - 1):
            return  # shorter than its transfer's frames are: ignored (9.6.4.1), and N_Cr decides
        self._payload += said.data[:missing]
        self._number = (self._number + 1) % 16
        if len(self._payload) == self._length:
            whole = bytes(self._payload)
            self._stop(None)
            self._end.received(whole)
            return
        self._left -= 1
        if self._left == 0:
            self._left = self._end.settings.block
            self._allow(Flow.CONTINUE)
        self._wait()

    def _allow(self, flow: Flow) -> None:
        self._end.transmit(bytes([0x30 | flow, self._end.settings.block, self._end.settings.separation]))

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._end.world.after(self._end.settings.n_cr, lambda: self._stop(Fault.TIMEOUT_CR))

    def _stop(self, fault: Fault | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._payload = self._timer = None
        if fault is not None:
            self._end.faults[fault] += 1


class Sending:
    """The transfers that go out, one after the other."""

    def __init__(self, end: End) -> None:
        self._end = end
        self._queue: deque[bytes] = deque()
        self._payload = b""
        self._at = self._number = self._left = self._waits = self._gap = 0
        self._awaited: Due | None = None
        self.idle = True

    def queue(self, payload: bytes) -> None:
        """Send a payload after those that wait already."""
        self._queue.append(payload)
        if self.idle:
            self.idle = False
            self._begin()

    def controlled(self, said: FlowControl) -> None:
        """Do as the receiver allows; nothing if none is awaited."""
        if self._awaited is None:
            return
        self._awaited.cancel()
        self._awaited = None
        if said.flow == Flow.CONTINUE:
            self._left, self._gap, self._waits = said.block, frames.separation_ns(said.separation), 0
            self._next()
        elif said.flow == Flow.WAIT and self._waits < self._end.settings.waits:
            self._waits += 1
            self._await()
        else:
            refused = {Flow.WAIT.value: Fault.TOO_MANY_WAITS, Flow.OVERFLOW.value: Fault.OVERFLOW}
            self._stop(refused.get(said.flow, Fault.INVALID_FS))

    def _begin(self) -> None:
        self._payload, self._number, self._waits = self._queue.popleft(), 1, 0
        width, prefixed = self._end.settings.width, self._end.address.says_byte is not None
        if len(self._payload) <= frames.single_most(width, prefixed=prefixed):
            self._transmit(frames.single(self._payload, width, prefixed=prefixed), lambda: self._stop(None))
            return
        data, self._at = frames.first(self._payload, width, prefixed=prefixed)
        self._transmit(data, self._await, at_once=True)

    def _next(self) -> None:
        room = self._end.settings.width - (self._end.address.says_byte is not None) - 1
        data = bytes([0x20 | self._number]) + self._payload[self._at : self._at + room]
        self._at += room
        self._number = (self._number + 1) % 16
        self._left -= 1
        if self._at >= len(self._payload):
            self._transmit(data, lambda: self._stop(None))
        elif self._left == 0:
            self._transmit(data, self._await, at_once=True)
        else:
            self._transmit(data, self._next, gap=self._gap)

    def _transmit(self, data: bytes, then: Callable[[], None], *, at_once: bool = False, gap: int = 0) -> None:
        """Send a frame; `then` at once, or `gap` ns after it is complete on the wire."""
        sent = self._end.transmit(data)
        if sent is None:
            self._stop(Fault.NOT_SENT)
            return
        if at_once:
            then()
            return
        world, lasts = self._end.world, duration(sent, self._end.settings.bitrate)
        latest = world.now + self._end.settings.n_as

        def look() -> None:
            # A controller tells when a frame is sent; the wire only tells that none waits any more, so it has begun.
            if not self._end.outlet.waiting:
                world.after(lasts + gap, then)
            elif world.now >= latest:
                self._stop(Fault.TIMEOUT_A)
            else:
                world.after(lasts, look)

        world.after(0, look)

    def _await(self) -> None:
        self._awaited = self._end.world.after(self._end.settings.n_bs, lambda: self._stop(Fault.TIMEOUT_BS))

    def _stop(self, fault: Fault | None) -> None:
        self._awaited = None
        if fault is not None:
            self._end.faults[fault] += 1
        if self._queue:
            self._begin()
        else:
            self.idle = True
