"""The parts of a flow: its two sockets, its two directions, and what all flows of a relay share.

Law: what waits here is counted, for each direction and for all together. One direction keeps at most `HIGH` and one
read of bytes for a slow receiver; once all together keep `MOST_WAITING`, reads become small.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Iterator

from busgate.bridge.inspector import Inspector
from busgate.bridge.relay_splice import Pipe, Pipes
from busgate.model import Direction

CHUNK, SMALL_CHUNK = 1 << 18, 1 << 12
"""Bytes read at once: a large read costs the least for each byte."""
HIGH = 1 << 16
MOST_BACK = 1 << 19
"""Answers to a sender that reads none of them are no reason to read more from it."""
MOST_WAITING = 1 << 26


class Shared:
    """What the flows of one relay have together. `waiting` counts bytes that slow receivers have not taken."""

    __slots__ = ("inspector", "pipes", "poll", "waiting")

    def __init__(self, inspector: Inspector) -> None:
        self.inspector = inspector
        self.poll = select.epoll()
        self.pipes = Pipes()
        self.waiting = 0

    @property
    def chunk(self) -> int:
        """How much may be read at once now."""
        return CHUNK if self.waiting < MOST_WAITING else SMALL_CHUNK

    def close(self) -> None:
        """Let go of what is not a flow's own."""
        self.pipes.close()
        self.poll.close()


class InspectorFailed(Exception):  # noqa: N818 - it is told, not an error of the relay
    """What an inspector raised, so that it is not taken for a fault of the wire."""

    def __init__(self, fault: Exception) -> None:
        super().__init__(str(fault))
        self.fault = fault


class Leg:
    """One of a flow's two sockets: `reads` is the direction that comes from it, `writes` the one that goes to it."""

    __slots__ = ("fd", "mask", "reads", "sock", "writes")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.mask: int | None = None
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

    def put(self, data: bytes, shared: Shared) -> bool:
        """Send at once what the receiver takes and keep the rest; whether all went. Raises OSError as `socket.send`."""
        rest = memoryview(data)
        if not self.pending:
            try:
                sent = self.sink.sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            self.moved += sent
            if sent == len(rest):
                return True
            rest = rest[sent:]
        self.pending.append(rest)
        self.waiting += len(rest)
        shared.waiting += len(rest)
        return False

    def flush(self, shared: Shared) -> int:
        """Send what waits as far as it goes; how much that was. Raises OSError as `socket.send`."""
        pending, began = self.pending, self.waiting
        while pending:
            try:
                sent = self.sink.sock.send(pending[0])
            except (BlockingIOError, InterruptedError):
                break
            self.waiting -= sent
            if sent < len(pending[0]):
                pending[0] = pending[0][sent:]
                break
            pending.popleft()
        given = began - self.waiting
        self.moved += given
        shared.waiting -= given
        return given

    def forget(self, shared: Shared) -> None:
        """Let go of everything that is under way."""
        shared.waiting -= self.waiting
        self.waiting, self.more = 0, None
        self.pending.clear()
        if self.pipe is not None:
            shared.pipes.give_back(self.pipe)
            self.pipe = None

    @property
    def stuck(self) -> bool:
        """Whether something is here that the receiver has not taken."""
        return self.waiting > 0 or self.more is not None or self.pipe is not None
