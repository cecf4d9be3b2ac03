"""TCP streams put back in order from captured segments, as an observer must who can ask nobody to send again.

Law: every byte of a stream is delivered once, in order, the first copy winning, or told as a `Gap`; a second copy that
differs is told as a `Conflict`, since showing an observer other bytes than the receiver gets hides a message.
A hole is waited for until the receiver acknowledges bytes behind it (they passed, but not here), or, where its answers
are not seen, until patience has run out or the buffer is full. The initiator is who opened the connection, where that
was not seen ("mid-stream") the end with the higher port, since servers have the lower. No order of segments raises.
Not looked at: checksums (`ip.Reader` can), timestamps (RFC 7323), time to live, urgent data.
RFC 9293; RFC 5961 for what a receiver does with a SYN or RST that does not fit; RFC 7413 for data with a SYN.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from busgate.decode.datagram import ACK, FIN, RST, SYN, Datagram
from busgate.decode.reassembly import REACH, Bytes, Differs, Missing, Piece, Reassembly
from busgate.decode.stream_events import Closed, Conflict, Data, Gap, Opened, Stream, StreamEvent
from busgate.model import Endpoint

_MASK = (1 << 32) - 1
_Key = tuple[str, int, str, int]


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


class _Flow:
    """One connection, and its two directions with the name of the one that is forward."""

    __slots__ = ("answered", "back", "challenge", "closed", "forth", "key", "last", "stream")

    def __init__(self, at: int, stream: Stream, most_bytes: int) -> None:
        self.key: _Key = (*stream.initiator, *stream.responder)
        self.stream = stream
        self.forth = Reassembly(most_bytes)
        self.back = Reassembly(most_bytes)
        self.answered = False
        self.closed = False
        self.challenge: tuple[bool, int] | None = None
        self.last = at

    def halves(self) -> tuple[tuple[Reassembly, bool], tuple[Reassembly, bool]]:
        return (self.forth, True), (self.back, False)


class Streams:
    """All connections of one capture, within `limits`.

    Where room is needed the one silent longest gives way; those that ended or were never answered before any other.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._flows: OrderedDict[_Key, _Flow] = OrderedDict()  # silent longest first
        self._index: dict[_Key, tuple[_Flow, bool]] = {}
        self._spare: OrderedDict[_Key, None] = OrderedDict()  # never answered, or over
        self._holes: dict[_Key, int] = {}
        self._count = 0
        self.held = 0
        """Bytes kept at this moment."""

    def receive(self, datagram: Datagram) -> list[StreamEvent]:
        """Take in one segment; of anything but TCP nothing comes out."""
        if datagram[1] != "tcp":
            return []
        events: list[StreamEvent] = []
        found = self._index.get(datagram[2:6])
        if found is None:
            if datagram.flags & RST or not (datagram.flags & SYN or datagram.payload):
                return []  # the end of what was never seen, or an answer to it
            flow, forward = self._open(datagram, events)
        else:
            flow, forward = found
            if datagram.flags & (SYN | RST) or flow.closed:
                renewed = self._unusual(flow, datagram, events, forward=forward)
                if renewed is None:
                    return events
                flow, forward = renewed
        flow.last = datagram.at
        self._flows.move_to_end(flow.key)
        self._segment(flow, datagram, events, forward=forward)
        if self.held > self._limits.total_bytes or len(self._flows) > self._limits.max_flows:
            self._make_room(datagram.at, events)
        return events

    def tick(self, now: int) -> list[StreamEvent]:
        """What time alone brings about: holes given up, connections that fell silent."""
        events: list[StreamEvent] = []
        for key, deadline in tuple(self._holes.items()):
            if deadline <= now:
                self._mind_holes(now, self._flows[key], events)
        while self._spare:
            flow = self._flows[next(iter(self._spare))]
            if now - flow.last < self._limits.linger_ns:
                break
            self._remove(now, flow, "no answer", events)
        while self._flows:
            flow = next(iter(self._flows.values()))
            if now - flow.last < self._limits.idle_ns:
                break
            self._remove(now, flow, "idle", events)
        return events

    def next_deadline(self) -> int | None:
        """When `tick` has something to do; None while there is no connection."""
        if not self._flows:
            return None
        due = [next(iter(self._flows.values())).last + self._limits.idle_ns, *self._holes.values()]
        if self._spare:
            due.append(self._flows[next(iter(self._spare))].last + self._limits.linger_ns)
        return min(due)

    def close(self, now: int) -> list[StreamEvent]:
        """The capture ends: tell everything that still waits, and every connection as "idle"."""
        events: list[StreamEvent] = []
        while self._flows:
            flow = next(iter(self._flows.values()))
            self._remove(now, flow, "idle" if flow.answered else "no answer", events)
        return events

    def _open(self, datagram: Datagram, events: list[StreamEvent]) -> tuple[_Flow, bool]:
        """A connection not known yet; whether its sender is the initiator."""
        syn, answer = datagram.flags & SYN, datagram.flags & ACK
        # Without a SYN: a server's port is the lower one, as a rule.
        forward = not answer if syn else datagram.sport >= datagram.dport
        source, target = Endpoint(datagram.src, datagram.sport), Endpoint(datagram.dst, datagram.dport)
        self._count += 1
        stream = Stream(self._count, source, target) if forward else Stream(self._count, target, source)
        flow = _Flow(datagram.at, stream, self._limits.flow_bytes)
        self._flows[flow.key] = flow
        self._index[flow.key] = flow, True
        self._index[*stream.responder, *stream.initiator] = flow, False
        if syn and not answer:
            self._spare[flow.key] = None
        else:
            flow.answered = True
        if syn and answer:
            flow.forth.base = datagram.ack
        events.append(Opened(datagram.at, stream, "syn" if syn else "mid-stream"))
        return flow, forward

    def _unusual(
        self, flow: _Flow, datagram: Datagram, events: list[StreamEvent], *, forward: bool
    ) -> tuple[_Flow, bool] | None:
        """A SYN or RST, or anything after the end: the flow that the segment belongs to, None for nobody's."""
        half = flow.forth if forward else flow.back
        if datagram.flags & RST:
            self._reset(flow, half, datagram, events)
            return None
        if datagram.flags & SYN:
            return self._syn(flow, half, datagram, events, forward=forward)
        # What repeats the end says nothing new; other bytes do.
        start = datagram.seq if half.base is None else half.where(datagram.seq)
        if not datagram.payload or (half.base is not None and start + len(datagram.payload) <= half.position):
            return None
        self._remove(datagram.at, flow, "reopened", events)
        return self._open(datagram, events)

    def _syn(
        self, flow: _Flow, half: Reassembly, datagram: Datagram, events: list[StreamEvent], *, forward: bool
    ) -> tuple[_Flow, bool] | None:
        """RFC 5961, 4: an open connection answers a SYN that is not its own with an ACK only, and goes on."""
        first = (datagram.seq + 1) & _MASK
        if datagram.flags & ACK:
            if flow.challenge == (not forward, datagram.ack):
                # The other end took the new SYN: the old connection was over.
                self._remove(datagram.at, flow, "reopened", events)
                return self._open(datagram, events)
            own = not flow.closed and half.base in {None, first}
            return (flow, forward) if own else None
        if not flow.closed and (half.base == first or (half.base is None and not flow.answered)):
            return flow, forward
        if flow.closed or not flow.answered:
            self._remove(datagram.at, flow, "reopened", events)
            return self._open(datagram, events)
        flow.challenge = forward, first
        return None

    def _reset(self, flow: _Flow, half: Reassembly, datagram: Datagram, events: list[StreamEvent]) -> None:
        if flow.closed:
            return
        if not flow.answered:
            if datagram.ack == flow.forth.base or half is flow.forth:
                self._end(datagram.at, flow, "refused" if half is flow.back else "rst", events)
        elif half.base is None or 0 <= half.where(datagram.seq) - half.position < REACH:
            self._end(datagram.at, flow, "rst", events)

    def _segment(self, flow: _Flow, datagram: Datagram, events: list[StreamEvent], *, forward: bool) -> None:
        """An ordinary segment, or one with a SYN that is its connection's own."""
        at, flags, seq, data = datagram.at, datagram.flags, datagram.seq, datagram.payload
        half, other = (flow.forth, flow.back) if forward else (flow.back, flow.forth)
        if not flow.answered and not (forward and flags & SYN):
            flow.answered = True
            self._spare.pop(flow.key, None)
        if flags & SYN:
            seq = (seq + 1) & _MASK
        if half.base is None and (data or flags & (SYN | FIN)):
            half.base = seq
        if flags & ACK:
            other.acknowledge(datagram.ack)
        if data or flags & FIN:
            start = half.where(seq)
            if not -REACH <= start - half.position <= REACH:
                self._elsewhere(flow, half, datagram, events)
                return
            self._bytes(flow, datagram, start, events, forward=forward)
        if other.acked > other.position or half.waiting or flow.key in self._holes or half.acked > half.position:
            self._mind_holes(at, flow, events)
        if half.fin is not None and half.ended and other.ended:
            self._end(at, flow, "fin", events)

    def _elsewhere(self, flow: _Flow, half: Reassembly, datagram: Datagram, events: list[StreamEvent]) -> None:
        """A segment out of all reach: nobody's, unless the receiver is there too or was not heard."""
        if not datagram.payload or not _lives_at(half, datagram.seq):
            return
        self._remove(datagram.at, flow, "lost track", events)
        anew, forward = self._open(datagram, events)
        self._segment(anew, datagram, events, forward=forward)

    def _bytes(self, flow: _Flow, datagram: Datagram, start: int, events: list[StreamEvent], *, forward: bool) -> None:
        """Payload and FIN of a segment whose place in its direction is known."""
        half, data = flow.forth if forward else flow.back, datagram.payload
        before = half.held
        if data and not (start == half.position - 1 and len(data) == 1):  # else a keep-alive (RFC 9293, 3.8.4)
            if half.fin is not None and start + len(data) > half.fin:
                half.fin = None  # that FIN was not the sender's, or is not any more: what follows counts
            self._tell(datagram.at, flow, half.take(datagram.at, start, data), events, forward=forward)
        end = start + len(data) + datagram.lacks
        if datagram.flags & FIN and end >= half.position and half.fin is None:
            half.fin = end
        self.held += half.held - before

    def _mind_holes(self, at: int, flow: _Flow, events: list[StreamEvent]) -> None:
        """Look after missing bytes: whether they are waited for any longer, and until when."""
        due: list[int] = []
        for half, forward in flow.halves():
            while half.full:
                if half.heard is None or half.lost:
                    self._skip(at, flow, half, events, forward=forward)
                else:  # the receiver has no use for what waits either: it will be sent again
                    self.held -= half.drop_last()
            deadline = self._deadline(at, half)
            while deadline is not None and deadline <= at:
                self._skip(at, flow, half, events, forward=forward)
                deadline = self._deadline(at, half)
            if deadline is not None:
                due.append(deadline)
        if due:
            self._holes[flow.key] = min(due)
        else:
            self._holes.pop(flow.key, None)

    def _deadline(self, at: int, half: Reassembly) -> int | None:
        """Until when this direction's next hole is waited for; None without a hole that time alone would end."""
        if half.lost:
            half.lost_since = at if half.lost_since is None else half.lost_since
            return half.lost_since + self._limits.grace_ns
        half.lost_since = None
        return half.since + self._limits.patience_ns if half.waiting and half.heard is None else None

    def _skip(self, at: int, flow: _Flow, half: Reassembly, events: list[StreamEvent], *, forward: bool) -> None:
        before = half.held
        pieces = half.skip(at)
        self.held += half.held - before
        self._tell(at, flow, pieces, events, forward=forward)

    def _tell(self, at: int, flow: _Flow, pieces: list[Piece], events: list[StreamEvent], *, forward: bool) -> None:
        for piece in pieces:
            match piece:
                case Bytes(data):
                    events.append(Data(at, flow.stream, forward, data))
                case Missing(size):
                    events.append(Gap(at, flow.stream, forward, size))
                case Differs(offset, kept, refused):
                    events.append(Conflict(at, flow.stream, forward, offset, kept, refused))

    def _end(self, at: int, flow: _Flow, how: str, events: list[StreamEvent]) -> None:
        """Tell the end. The flow stays known for a while, so that what repeats its last segments opens no new one."""
        if flow.closed:
            return
        for half, forward in flow.halves():
            while half.lost or half.waiting:
                self._skip(at, flow, half, events, forward=forward)
            self.held -= half.held
            half.forget()
        flow.closed = True
        self._holes.pop(flow.key, None)
        self._spare[flow.key] = None
        self._spare.move_to_end(flow.key)
        events.append(Closed(at, flow.stream, how))

    def _remove(self, at: int, flow: _Flow, how: str, events: list[StreamEvent]) -> None:
        self._end(at, flow, how, events)
        del self._flows[flow.key], self._spare[flow.key]
        self._index.pop(flow.key, None)
        self._index.pop((*flow.stream.responder, *flow.stream.initiator), None)

    def _make_room(self, at: int, events: list[StreamEvent]) -> None:
        """The segment at hand belongs to the last of the flows, which stays unless there is no other."""
        while len(self._flows) > self._limits.max_flows or (self.held > self._limits.total_bytes and self._flows):
            spare = next(iter(self._spare), None) if len(self._flows) > self._limits.max_flows else None
            flow = self._flows[spare] if spare is not None else next(iter(self._flows.values()))
            self._remove(at, flow, "evicted" if flow.answered else "no answer", events)


def _lives_at(half: Reassembly, seq: int) -> bool:
    """Whether the receiver waits for bytes near this number, as far as it was heard."""
    if half.heard is None:
        return True
    ahead = (half.heard - seq + (1 << 31) & _MASK) - (1 << 31)
    return abs(ahead) < REACH
