"""One flow through the relay: two sockets, two directions, and what is under way between them.

Law: bytes leave in the order in which they came, or not at all. What waits for a slow receiver is bounded: beyond
`HIGH` nothing more is read from the sender. An end (FIN) goes on only after all that was sent before it.
"""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator
from itertools import chain

from busgate.bridge.inspector import End, Release
from busgate.bridge.relay_socket import reset
from busgate.bridge.relay_splice import Pipe
from busgate.bridge.relay_way import HIGH, MOST_BACK, InspectorFailed, Leg, Shared, Way
from busgate.model import Direction, Flow

_IN, _OUT, _ERR, _HUP = select.EPOLLIN, select.EPOLLOUT, select.EPOLLERR, select.EPOLLHUP
_NOTHING = 0
_PIECES = 16
"""How many of what an inspector promised are sent in one go, before others have their turn."""


class Passage:
    """One flow at work. `over` says why it is no longer, and then `close` is all that is left to do."""

    __slots__ = ("_shared", "began", "closing", "connecting", "down", "flow", "over", "remote", "spliced", "tbox",
                 "told", "touched", "up")  # fmt: skip

    def __init__(  # noqa: PLR0913 - both ends, their name, and what they are served with
        self, flow: Flow, tbox: socket.socket, remote: socket.socket, shared: Shared, now: int, *, spliced: bool
    ) -> None:
        """`remote` has begun to connect; what the T-box sends waits in the kernel until it has."""
        self.flow = flow
        self._shared = shared
        self.tbox, self.remote = Leg(tbox), Leg(remote)
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
                if events == _IN and self._plain(leg.reads):
                    return  # what most bytes do: they came and went, and nothing is to be asked of the kernel anew
            elif events & _HUP and not events & _OUT:
                # Both its directions have ended; the kernel would say so for ever.
                self._shared.poll.unregister(leg.fd)
                leg.mask = None
        self._progress()
        self.settle()

    def release(self, direction: Direction, release: Release, now: int) -> None:
        """Do what the inspector says later, as `on`; of a flow that the kernel carries only its end."""
        if self.spliced or self.closing is not None:
            if release.close and self.closing is None:
                self.over = End.CUT
            return
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
                self._shared.poll.register(leg.fd, mask)
            else:
                self._shared.poll.modify(leg.fd, mask)
            leg.mask = mask

    def close(self) -> None:
        """Let go of both sockets, so that the other end hears what kind of end it was."""
        for way in (self.up, self.down):
            way.forget(self._shared)
        for leg in (self.tbox, self.remote):
            if leg.mask is not None:
                with contextlib.suppress(OSError):
                    self._shared.poll.unregister(leg.fd)
                leg.mask = None
            if self.over in {End.FINISHED, End.IDLE} or self.closing is not None:
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
        return way.waiting < HIGH and way.more is None and way.other.waiting < MOST_BACK

    def _plain(self, way: Way) -> bool:
        """Whether a direction that was read goes on as before, and has done nothing to the other one."""
        return not (
            way.waiting
            or way.finished
            or way.held
            or way.paused
            or way.other.waiting
            or way.more is not None
            or way.pipe is not None
            or self.closing is not None
            or (self.spliced and not self.told)
        )

    def _read(self, way: Way, now: int) -> None:
        if self.spliced and self.closing is None:
            self._pump(way, now)
            return
        try:
            data = way.source.sock.recv(self._shared.chunk)
        except (BlockingIOError, InterruptedError):
            return
        self.touched = now
        way.received += len(data)
        way.finished = not data
        if self.closing is None:
            try:
                release = self._shared.inspector.chunk(self.flow, way.direction, data, now)
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
        if way.more is not None:
            way.more = chain(way.more, (data,))
        else:
            way.put(data, self._shared)

    def _flush(self, way: Way, now: int) -> None:
        """Give the receiver what it takes of what waits, and some of what was promised it."""
        if way.pending and way.flush(self._shared):
            self.touched = now
        for _ in range(_PIECES):
            if way.more is None or way.pending:
                break
            piece = self._piece(way.more)
            if piece is None:
                way.more = None
            elif way.put(piece, self._shared):
                self.touched = now
        if way.pipe is not None and not way.pending:
            self._drain(way, way.pipe, now)

    @staticmethod
    def _piece(more: Iterator[bytes]) -> bytes | None:
        try:
            return next(more, None)
        except Exception as fault:
            raise InspectorFailed(fault) from fault

    def _pump(self, way: Way, now: int) -> None:
        pipe = self._shared.pipes.take()
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
            self._shared.pipes.give_back(pipe)

    def _progress(self) -> None:
        """Pass ends on, and see whether that was all."""
        for way in (self.up, self.down):
            if (way.finished or self.closing is not None) and not (way.shut or way.held or way.stuck):
                way.shut = True
                way.sink.sock.shutdown(socket.SHUT_WR)
        if self.up.shut and self.down.shut and self.up.finished and self.down.finished:
            self.over = End.FINISHED if self.closing is None else End.CUT
