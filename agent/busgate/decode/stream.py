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

from busgate.decode.connection import Connection, Key, Limits
from busgate.decode.datagram import ACK, RST, SYN, Datagram
from busgate.decode.reassembly import REACH, Meter, Reassembly
from busgate.decode.stream_events import Opened, Stream, StreamEvent
from busgate.model import Endpoint


class Streams:
    """All connections of one capture, within `limits`.

    Where room is needed the one silent longest gives way; those that ended or were never answered before any other.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._open: OrderedDict[Key, Connection] = OrderedDict()  # silent longest first
        self._index: dict[Key, tuple[Connection, bool]] = {}
        self._spare: OrderedDict[Key, None] = OrderedDict()  # never answered, or over
        self._holes: dict[Key, int] = {}
        self._count = 0
        self._meter = Meter()

    @property
    def held(self) -> int:
        """Bytes kept at this moment."""
        return self._meter.held

    def receive(self, datagram: Datagram) -> list[StreamEvent]:
        """Take in one segment; of anything but TCP nothing comes out."""
        if datagram[1] != "tcp":
            return []
        found = self._index.get(datagram[2:6])
        if found is not None and found[0].answered and not found[0].closed:
            connection, forward = found
            followed = connection.follow(datagram, forward=forward)
            if followed is not None:
                connection.last = datagram[0]
                self._open.move_to_end(connection.key)
                if self._meter.held > self._limits.total_bytes:
                    self._make_room(datagram[0], followed)
                return followed
        return self._receive(datagram, found)

    def _receive(self, datagram: Datagram, found: tuple[Connection, bool] | None) -> list[StreamEvent]:
        """Any segment that does not just continue a connection."""
        events: list[StreamEvent] = []
        if found is None:
            if datagram.flags & RST or not (datagram.flags & SYN or datagram.payload):
                return events  # the end of what was never seen, or an answer to it
            found = self._begin(datagram, events)
        elif datagram.flags & (SYN | RST) or found[0].closed:
            found = self._unusual(*found, datagram, events)
        if found is not None:
            self._take(*found, datagram, events)
            if self.held > self._limits.total_bytes or len(self._open) > self._limits.max_flows:
                self._make_room(datagram.at, events)
        return events

    def tick(self, now: int) -> list[StreamEvent]:
        """What time alone brings about: holes given up, connections that fell silent."""
        events: list[StreamEvent] = []
        for key, due in tuple(self._holes.items()):
            if due <= now:
                connection = self._open[key]
                connection.mind_holes(now, events)
                self._settle(connection)
        for keys, wait, how in (
            (self._spare, self._limits.linger_ns, "no answer"),
            (self._open, self._limits.idle_ns, "idle"),
        ):
            while keys:
                connection = self._open[next(iter(keys))]
                if now - connection.last < wait:
                    break
                self._remove(now, connection, how, events)
        return events

    def next_deadline(self) -> int | None:
        """When `tick` has something to do; None while there is no connection."""
        if not self._open:
            return None
        due = [next(iter(self._open.values())).last + self._limits.idle_ns, *self._holes.values()]
        if self._spare:
            due.append(self._open[next(iter(self._spare))].last + self._limits.linger_ns)
        return min(due)

    def close(self, now: int) -> list[StreamEvent]:
        """The capture ends: tell everything that still waits, and every connection as "idle"."""
        events: list[StreamEvent] = []
        while self._open:
            connection = next(iter(self._open.values()))
            self._remove(now, connection, "idle" if connection.answered else "no answer", events)
        return events

    def _begin(self, datagram: Datagram, events: list[StreamEvent]) -> tuple[Connection, bool]:
        """A connection not known yet; whether its sender is the initiator."""
        syn, answer = datagram.flags & SYN, datagram.flags & ACK
        # Without a SYN: a server's port is the lower one, as a rule.
        forward = not answer if syn else datagram.sport >= datagram.dport
        source, target = Endpoint(datagram.src, datagram.sport), Endpoint(datagram.dst, datagram.dport)
        self._count += 1
        stream = Stream(self._count, source, target) if forward else Stream(self._count, target, source)
        connection = Connection(datagram.at, stream, self._limits, self._meter)
        self._open[connection.key] = connection
        self._index[connection.key] = connection, True
        self._index[connection.reverse_key] = connection, False
        if syn and not answer:
            self._spare[connection.key] = None
        else:
            connection.answered = True
        if syn and answer:
            connection.forth.base = datagram.ack
        events.append(Opened(datagram.at, stream, "syn" if syn else "mid-stream"))
        return connection, forward

    def _take(self, connection: Connection, forward: bool, datagram: Datagram, events: list[StreamEvent]) -> None:
        """An ordinary segment, or one with a SYN that is its connection's own."""
        connection.last = datagram.at
        self._open.move_to_end(connection.key)
        if not connection.answered and not (forward and datagram.flags & SYN):
            connection.answered = True
            self._spare.pop(connection.key, None)
        if connection.take(datagram, events, forward=forward):
            self._settle(connection)
        else:
            self._remove(datagram.at, connection, "lost track", events)
            self._take(*self._begin(datagram, events), datagram, events)

    def _unusual(
        self, connection: Connection, forward: bool, datagram: Datagram, events: list[StreamEvent]
    ) -> tuple[Connection, bool] | None:
        """A SYN or RST, or anything after the end: the connection the segment belongs to, None for nobody's."""
        half = connection.half(forward=forward)
        if datagram.flags & RST:
            self._reset(connection, half, datagram, events)
            return None
        if datagram.flags & SYN:
            own = _own_syn(connection, half, datagram, forward=forward)
        else:
            # What repeats the end says nothing new; other bytes do.
            end = half.where(datagram.seq) + len(datagram.payload)
            own = None if not datagram.payload or (half.base is not None and end <= half.position) else False
        if own is False:
            self._remove(datagram.at, connection, "reopened", events)
            return self._begin(datagram, events)
        return (connection, forward) if own else None

    def _reset(self, connection: Connection, half: Reassembly, datagram: Datagram, events: list[StreamEvent]) -> None:
        """RFC 5961, 3: a receiver may take a RST only where it expects the next byte; here any within reach ends it."""
        if connection.closed:
            return
        how = "rst"
        if not connection.answered and half is connection.back:
            if datagram.ack != connection.forth.base:
                return
            how = "refused"
        elif half.base is not None and not 0 <= half.where(datagram.seq) - half.position < REACH:
            return
        connection.end(datagram.at, how, events)
        self._settle(connection)

    def _settle(self, connection: Connection) -> None:
        """Take note of what a connection waits for, and whether it is over."""
        if connection.due is not None:
            self._holes[connection.key] = connection.due
        else:
            self._holes.pop(connection.key, None)
        if connection.closed:
            self._spare[connection.key] = None
            self._spare.move_to_end(connection.key)

    def _remove(self, at: int, connection: Connection, how: str, events: list[StreamEvent]) -> None:
        if not connection.closed:
            connection.end(at, how, events)
        self._settle(connection)
        del self._open[connection.key], self._spare[connection.key]
        self._index.pop(connection.key, None)
        self._index.pop(connection.reverse_key, None)

    def _make_room(self, at: int, events: list[StreamEvent]) -> None:
        """The segment at hand belongs to the last of all, which stays unless there is no other."""
        while len(self._open) > self._limits.max_flows or (self.held > self._limits.total_bytes and self._open):
            spare = next(iter(self._spare), None) if len(self._open) > self._limits.max_flows else None
            connection = self._open[spare] if spare is not None else next(iter(self._open.values()))
            self._remove(at, connection, "evicted" if connection.answered else "no answer", events)


def _own_syn(connection: Connection, half: Reassembly, datagram: Datagram, *, forward: bool) -> bool | None:
    """Whether a SYN is this connection's own, begins another one (False), or is nobody's (None).

    RFC 5961, 4: an open connection answers a SYN that is not its own with an ACK only, and goes on; when the other end
    takes it, the connection was over.
    """
    first = (datagram.seq + 1) & 0xFFFFFFFF
    if datagram.flags & ACK:
        if connection.challenge == (not forward, datagram.ack):
            return False
        return True if not connection.closed and half.base in {None, first} else None
    if connection.closed:
        return False
    if half.base == first or (half.base is None and not connection.answered):
        return True
    if not connection.answered:
        return False
    connection.challenge = forward, first
    return None
