"""One TCP connection: both directions put in order, its holes waited for or given up, its end told once.

Law: as in `stream`; time comes with the segments, and `due` says when a hole is given up without one.
"""

from __future__ import annotations

from dataclasses import dataclass

from busgate.decode.datagram import ACK, FIN, RST, SYN, Datagram
from busgate.decode.reassembly import REACH, Bytes, Differs, Meter, Missing, Piece, Reassembly
from busgate.decode.stream_events import Closed, Conflict, Data, Gap, Stream, StreamEvent

_NO_ORDINARY = SYN | FIN | RST
_new = tuple.__new__  # Data(...) takes twice as long

Key = tuple[str, int, str, int]
"""Address and port of a sender, and of its receiver."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept and waited for.

    `max_flows` connections; of each, `flow_bytes` a direction that wait for others before them; `total_bytes` of all.
    A hole is given up `grace_ns` after the receiver had its bytes (a capture is not always in order), or after
    `patience_ns` where the receiver is not heard. What ended or was never answered is forgotten after `linger_ns`, any
    other connection after `idle_ns` without a packet.
    """

    max_flows: int = 4096
    flow_bytes: int = 1 << 20
    total_bytes: int = 64 << 20
    grace_ns: int = 200_000_000
    patience_ns: int = 3_000_000_000
    linger_ns: int = 120_000_000_000
    idle_ns: int = 3_600_000_000_000


class Connection:
    """Two directions: `forth` are the initiator's bytes, `back` the responder's."""

    __slots__ = ("_limits", "answered", "back", "challenge", "closed", "due", "forth", "key", "last", "stream")

    def __init__(self, at: int, stream: Stream, limits: Limits, meter: Meter) -> None:
        self._limits = limits
        self.key: Key = (*stream.initiator, *stream.responder)
        self.stream = stream
        self.forth = Reassembly(limits.flow_bytes, meter)
        self.back = Reassembly(limits.flow_bytes, meter)
        self.answered = False
        """Whether more than a first SYN was seen."""
        self.closed = False
        self.challenge: tuple[bool, int] | None = None
        """A SYN that is not this connection's: whether the initiator sent it, and the number it begins with."""
        self.due: int | None = None
        """When its next hole is given up."""
        self.last = at

    @property
    def reverse_key(self) -> Key:
        """As `key`, for what the responder sends."""
        return (*self.stream.responder, *self.stream.initiator)

    def half(self, *, forward: bool) -> Reassembly:
        """One direction."""
        return self.forth if forward else self.back

    def follow(self, datagram: Datagram, *, forward: bool) -> list[StreamEvent] | None:
        """The warm path of `take`: the next bytes of a direction while nothing is missing; None for anything else."""
        half, other = (self.forth, self.back) if forward else (self.back, self.forth)
        if datagram[7] & _NO_ORDINARY or self.due is not None or half.fin is not None or not half.follows(datagram[8]):
            return None
        if datagram[7] & ACK and datagram[9] != other.heard:
            other.acknowledge(datagram[9])  # once more by `take`, if it comes to that: it does no harm twice
            if other.acked > other.position:
                return None
        data = datagram[6]
        if not data:
            return []
        half.append(data)
        return [_new(Data, (datagram[0], self.stream, forward, data))]

    def take(self, datagram: Datagram, events: list[StreamEvent], *, forward: bool) -> bool:
        """Take in a segment; False where its bytes belong to another life of these ports, and nothing was taken."""
        at, flags, seq, data = datagram.at, datagram.flags, datagram.seq, datagram.payload
        half, other = (self.forth, self.back) if forward else (self.back, self.forth)
        if flags & SYN:
            seq = (seq + 1) & 0xFFFFFFFF
        if half.base is None and (data or flags & (SYN | FIN)):
            half.base = seq
        if flags & ACK:
            other.acknowledge(datagram.ack)
        if data or flags & FIN:
            start = half.where(seq)
            if not -REACH <= start - half.position <= REACH:
                # Nobody's, unless the receiver is there too or was not heard.
                return not (data and _lives_at(half, seq))
            self._bytes(datagram, start, events, forward=forward)
        if other.acked > other.position or half.waiting or half.acked > half.position or self.due is not None:
            self.mind_holes(at, events)
        elif half.fin is not None:
            self._finish(at, events)
        return True

    def mind_holes(self, at: int, events: list[StreamEvent]) -> None:
        """Look after missing bytes: whether they are waited for any longer, and until when."""
        self.due = None
        for half, forward in ((self.forth, True), (self.back, False)):
            while half.full:
                if half.heard is None or half.lost:
                    self._tell(at, half.skip(at), events, forward=forward)
                else:  # the receiver has no use for what waits either: it will be sent again
                    half.drop_last()
            due = self._deadline(at, half)
            while due is not None and due <= at:
                self._tell(at, half.skip(at), events, forward=forward)
                due = self._deadline(at, half)
            if due is not None:
                self.due = due if self.due is None else min(due, self.due)
        self._finish(at, events)

    def end(self, at: int, how: str, events: list[StreamEvent]) -> None:
        """Tell what still waits, and the end."""
        for half, forward in ((self.forth, True), (self.back, False)):
            while half.lost or half.waiting:
                self._tell(at, half.skip(at), events, forward=forward)
            half.forget()
        self.closed = True
        self.due = None
        events.append(Closed(at, self.stream, how))

    def _finish(self, at: int, events: list[StreamEvent]) -> None:
        if self.forth.ended and self.back.ended and not self.closed:
            self.end(at, "fin", events)

    def _bytes(self, datagram: Datagram, start: int, events: list[StreamEvent], *, forward: bool) -> None:
        """Payload and FIN of a segment whose place in its direction is known."""
        half, data = self.half(forward=forward), datagram.payload
        if data and not (start == half.position - 1 and len(data) == 1):  # else a keep-alive (RFC 9293, 3.8.4)
            if half.fin is not None and start + len(data) > half.fin:
                half.fin = None  # that FIN was not the sender's, or is not any more: what follows counts
            self._tell(datagram.at, half.take(datagram.at, start, data), events, forward=forward)
        end = start + len(data) + datagram.lacks
        if datagram.flags & FIN and end >= half.position and half.fin is None:
            half.fin = end

    def _deadline(self, at: int, half: Reassembly) -> int | None:
        """Until when this direction's next hole is waited for; None without a hole that time alone would end."""
        if half.lost:
            half.lost_since = at if half.lost_since is None else half.lost_since
            return half.lost_since + self._limits.grace_ns
        half.lost_since = None
        return half.since + self._limits.patience_ns if half.waiting and half.heard is None else None

    def _tell(self, at: int, pieces: list[Piece], events: list[StreamEvent], *, forward: bool) -> None:
        for piece in pieces:
            match piece:
                case Bytes(data):
                    events.append(Data(at, self.stream, forward, data))
                case Missing(size):
                    events.append(Gap(at, self.stream, forward, size))
                case Differs(offset, kept, refused):
                    events.append(Conflict(at, self.stream, forward, offset, kept, refused))


def _lives_at(half: Reassembly, seq: int) -> bool:
    """Whether the receiver waits for bytes near this number, as far as it was heard."""
    if half.heard is None:
        return True
    ahead = (half.heard - seq + (1 << 31) & 0xFFFFFFFF) - (1 << 31)
    return abs(ahead) < REACH
