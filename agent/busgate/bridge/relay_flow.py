"""One flow through the relay: two sockets, two directions, and what is under way between them.

Law: bytes leave in the order in which they came, or not at all. What waits for a slow receiver is bounded: beyond
`HIGH` nothing more is read from the sender. An end (FIN) goes on only after all that was sent before it.
"""

from __future__ import annotations

import contextlib
import select
import socket
from collections import deque
from collections.abc import Iterator

from busgate.bridge.inspector import End, Inspector, Release
from busgate.bridge.relay_socket import reset
from busgate.bridge.relay_splice import Pipe, Pipes
from busgate.model import Direction, Flow

CHUNK = 1 << 16
HIGH, LOW = 1 << 18, 1 << 16
_MOST_BACK = 2 * HIGH
"""Answers to a sender that reads none of them are no reason to read more from it."""
_IN, _OUT, _ERR, _HUP = select.EPOLLIN, select.EPOLLOUT, select.EPOLLERR, select.EPOLLHUP
_NOTHING = 0


class InspectorFailed(Exception):  # noqa: N818 - it is told, not an error of the relay
    """What an inspector raised, so that it is not taken for a fault of the wire."""

    def __init__(self, fault: Exception) -> None:
        super().__init__(str(fault))
        self.fault = fault


class Leg:
    """One of a flow's two sockets: `reads` is the direction that comes from it, `writes` the one that goes to it."""

    __slots__ = ("fd", "mask", "passage", "reads", "sock", "writes")

    def __init__(self, sock: socket.socket, passage: Passage) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.mask: int | None = None
        self.passage = passage
        self.reads: Way
        self.writes: Way


class Way:
    """One direction of a flow."""

    __slots__ = ("direction", "finished", "held", "more", "moved", "other", "paused", "pending", "pipe", "received",
                 "shut", "sink", "source", "waiting")  # fmt: skip

    def __init__(self, direction: Direction, source: Leg, sink: Leg) -> None:
        self.direction = direction
        self.source, self.sink = source, sink
        self.other: Way
        self.pending: deque[memoryview] = deque()
        self.waiting = self.received = self.moved = 0
        self.finished = self.shut = self.held = self.paused = False
        self.more: Iterator[bytes] | None = None
        self.pipe: Pipe | None = None
        source.reads = sink.writes = self

    @property
    def stuck(self) -> bool:
        """Whether something is here that the receiver has not taken."""
        return self.waiting > 0 or self.more is not None or self.pipe is not None


class Passage:
    """One flow at work. `over` says why it is no longer, and then `close` is all that is left to do."""

    __slots__ = ("_inspector", "_pipes", "_poll", "began", "closing", "connecting", "down", "flow", "over", "remote",
                 "spliced", "tbox", "told", "touched", "up")  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - both ends, their name, and what they are served with
        self,
        flow: Flow,
        tbox: socket.socket,
        remote: socket.socket,
        inspector: Inspector,
        poll: select.epoll,
        pipes: Pipes,
        now: int,
        *,
        spliced: bool,
    ) -> None:
        """`remote` has begun to connect; what the T-box sends waits in the kernel until it has."""
        self.flow = flow
        self._inspector, self._poll, self._pipes = inspector, poll, pipes
        self.tbox, self.remote = Leg(tbox, self), Leg(remote, self)
        self.up = Way(Direction.UP, self.tbox, self.remote)
        self.down = Way(Direction.DOWN, self.remote, self.tbox)
        self.up.other, self.down.other = self.down, self.up
        self.connecting, self.spliced, self.told = True, spliced, False
        self.closing: int | None = None
        self.over: End | None = None
        self.began = self.touched = now
        self.settle()

    @property
    def held(self) -> bool:
        """Whether the inspector holds anything of it."""
        return self.up.held or self.down.held

    @property
    def silent(self) -> bool:
        """Whether nobody has said anything yet."""
        return not (self.up.received or self.down.received)

    def on(self, leg: Leg, events: int, now: int) -> None:
        """Do what a socket is ready for.

        Raises:
            OSError: the connection is gone.
            InspectorFailed: the inspector raises.
        """
        if self.connecting:
            self._connected(leg, events, now)
        elif events & _ERR:
            raise OSError(leg.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "the connection broke off")
        else:
            if events & _OUT:
                self._flush(leg.writes, now)
            if events & _IN and leg.mask is not None and leg.mask & _IN and self._may_read(leg.reads):
                self._read(leg.reads, now)
            elif events & _HUP and not events & _OUT:
                # Both its directions have ended; the kernel would say so for ever.
                self._poll.unregister(leg.fd)
                leg.mask = None
        self._progress()
        self.settle()

    def release(self, direction: Direction, release: Release, now: int) -> None:
        """Do what the inspector says later; as `on`."""
        self._apply(self.up if direction is Direction.UP else self.down, release, now)
        self._progress()
        self.settle()

    def settle(self) -> None:
        """Ask the kernel for exactly what can be used now."""
        if self.over is not None:
            return
        for leg in (self.tbox, self.remote):
            if self.connecting:
                mask = _OUT if leg is self.remote else _NOTHING
            else:
                writes = leg.writes
                mask = _IN if self._may_read(leg.reads) else _NOTHING
                if writes.waiting or writes.pipe is not None or writes.more is not None:
                    mask |= _OUT
            if mask == leg.mask or (not mask and leg.mask is None and not self.connecting):
                continue
            if leg.mask is None:
                self._poll.register(leg.fd, mask)
            else:
                self._poll.modify(leg.fd, mask)
            leg.mask = mask

    def close(self) -> None:
        """Let go of both sockets, so that the other end hears what kind of end it was."""
        for way in (self.up, self.down):
            if way.pipe is not None:
                self._pipes.give_back(way.pipe)
                way.pipe = None
        for leg in (self.tbox, self.remote):
            if leg.mask is not None:
                with contextlib.suppress(OSError):
                    self._poll.unregister(leg.fd)
                leg.mask = None
            if self.over in {End.FINISHED, End.CUT, End.IDLE}:
                leg.sock.close()
            else:
                reset(leg.sock)

    def _connected(self, leg: Leg, events: int, now: int) -> None:
        if leg is self.tbox:
            raise OSError(leg.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "the T-box broke off")
        fault = leg.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if fault or events & _ERR:
            self.over = End.UNREACHABLE
            return
        self.connecting = False
        self.touched = now

    def _may_read(self, way: Way) -> bool:
        if way.finished or way.paused:
            return False
        if self.spliced:
            return not way.stuck
        return way.waiting < HIGH and way.more is None and way.other.waiting < _MOST_BACK

    def _read(self, way: Way, now: int) -> None:
        if self.spliced and self.closing is None:
            self._pump(way, now)
            return
        try:
            data = way.source.sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        self.touched = now
        way.received += len(data)
        way.finished = not data
        if self.closing is None:
            try:
                release = self._inspector.chunk(self.flow, way.direction, data, now)
            except Exception as fault:
                raise InspectorFailed(fault) from fault
            self._apply(way, release, now)

    def _apply(self, way: Way, release: Release, now: int) -> None:
        forward, back, close, splice, hold_until, pause, more = release
        if forward:
            self._send(way, forward)
        if back:
            self._send(way.other, back)
        way.held = hold_until is not None
        way.paused = pause
        if more is not None:
            way.more = more
            self._flush(way, now)
        if close:
            self.closing = now
            way.held = way.paused = way.other.held = way.other.paused = False
        elif splice:
            self.spliced = True
            way.held = way.paused = way.other.held = way.other.paused = False

    def _send(self, way: Way, data: bytes) -> None:
        if way.shut:
            return
        rest = memoryview(data)
        if not way.pending:
            try:
                sent = way.sink.sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            way.moved += sent
            if sent == len(data):
                return
            rest = rest[sent:]
        way.pending.append(rest)
        way.waiting += len(rest)

    def _flush(self, way: Way, now: int) -> None:
        """Give the receiver what it takes of what waits, and fill up what was promised."""
        pending = way.pending
        while pending or way.more is not None:
            if not pending:
                piece = _next(way.more)
                if piece is None:
                    way.more = None
                    break
                self._send(way, piece)
                self.touched = now
                if pending:
                    break
                continue
            try:
                sent = way.sink.sock.send(pending[0])
            except (BlockingIOError, InterruptedError):
                break
            self.touched = now
            way.moved += sent
            way.waiting -= sent
            if sent < len(pending[0]):
                pending[0] = pending[0][sent:]
                break
            pending.popleft()
        if way.pipe is not None and not pending:
            self._drain(way, way.pipe, now)

    def _pump(self, way: Way, now: int) -> None:
        pipe = self._pipes.take()
        way.pipe = pipe
        taken = pipe.fill(way.source.fd)
        if taken is not None:
            self.touched = now
            way.received += taken
            way.finished = not taken
        self._drain(way, pipe, now)

    def _drain(self, way: Way, pipe: Pipe, now: int) -> None:
        given = pipe.drain(way.sink.fd)
        if given:
            self.touched = now
            way.moved += given
        if not pipe.held:
            way.pipe = None
            self._pipes.give_back(pipe)

    def _progress(self) -> None:
        """Pass ends on, and see whether that was all."""
        for way in (self.up, self.down):
            if (way.finished or self.closing is not None) and not (way.shut or way.held or way.stuck):
                way.shut = True
                way.sink.sock.shutdown(socket.SHUT_WR)
        if self.up.shut and self.down.shut and self.up.finished and self.down.finished:
            self.over = End.FINISHED if self.closing is None else End.CUT


def _next(more: Iterator[bytes] | None) -> bytes | None:
    try:
        return next(more, None) if more is not None else None
    except Exception as fault:
        raise InspectorFailed(fault) from fault
