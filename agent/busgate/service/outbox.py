"""What the gate tells the keeper of its log, which is another process: a queue that can never delay a frame.

Law: nothing here waits. The queue is bounded and counts what it drops, and what is urgent (a blocked or critical
command) is never what is dropped: when there is no room for any more of it, `full` says so, and nothing of the T-box's
may cross. What the keeper has not said to be durable is sent again to the next one.
"""

from __future__ import annotations

import errno
import json
import os
import select
import socket
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from busgate.model import Event
from busgate.record.entry import told
from busgate.service.urgency import urgent

ORDINARY_MOST = 4096
URGENT_MOST = 16_384
_WINDOW = 512
"""Messages that the keeper may have without having said that they are durable."""
RETRY_NS = 1_000_000_000
ACK_BYTES = 8
END = b"{}"
"""The last message: the gate has been stopped, all is said."""


class Letter(NamedTuple):
    """One event on its way."""

    number: int
    text: bytes
    urgent: bool


class Outbox:
    """Events to the keeper, in order. `durable` is the number of the last one that cannot be lost any more."""

    def __init__(self, connect: Callable[[], socket.socket | None], first: socket.socket | None = None) -> None:
        """`connect` gives a fresh SOCK_SEQPACKET connection to a keeper, or None when there is none now.

        `first` is a connection that is there already.
        """
        self.durable = 0
        self.dropped = 0
        self.last = 0
        self._connect = connect
        self._socket = first
        if first is not None:
            first.setblocking(False)
        self._retry = 0
        self._waiting: deque[Letter] = deque()
        self._sent: deque[Letter] = deque()
        self._ordinary = 0
        self._urgent = 0

    @property
    def full(self) -> bool:
        """No more of what must not be lost can be kept: the T-box has to stand still until some of it is durable."""
        return self._urgent >= URGENT_MOST

    @property
    def connected(self) -> bool:
        """Whether a keeper is there, as far as is known."""
        return self._socket is not None

    def put(self, event: Event) -> int:
        """Take an event; its number. An ordinary one that has no room is dropped and counted."""
        must = urgent(event)
        if not must and self._ordinary >= ORDINARY_MOST:
            self.dropped += 1
            return self.last
        self.last += 1
        told_as = told(event)
        text = json.dumps(
            {"type": told_as.type, "at": event.at, "urgent": must, "fields": told_as.fields}, separators=(",", ":")
        )
        self._waiting.append(Letter(self.last, text.encode(), must))
        self._count(must, 1)
        return self.last

    def pump(self, now: int) -> None:
        """Hear what has become durable, and send what there is room for."""
        if self._socket is None and not self._connected_anew(now):
            return
        self._hear()
        while self._socket is not None and self._waiting and len(self._sent) < _WINDOW:
            if not self._send(self._waiting[0].text):
                return
            self._sent.append(self._waiting.popleft())

    def finish(self, now: int, seconds: float) -> bool:
        """Send everything and wait for it to be durable, as long as that; whether it is."""
        self._retry = 0  # a keeper that died just now is worth one more try
        for _ in range(max(1, round(seconds / 0.01))):
            self.pump(now)
            if self._socket is None:
                return False
            if self.durable >= self.last:
                break
            select.select([self._socket], [], [], 0.01)
        if self._socket is not None:
            self._send(END)
        return self.durable >= self.last

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected_anew(self, now: int) -> bool:
        if now < self._retry:
            return False
        self._retry = now + RETRY_NS
        self._socket = self._connect()
        if self._socket is None:
            return False
        self._socket.setblocking(False)
        self._waiting.extendleft(reversed(self._sent))  # a keeper that died may not have kept these
        self._sent.clear()
        return True

    def _hear(self) -> None:
        while self._socket is not None:
            try:
                data = self._socket.recv(ACK_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if len(data) != ACK_BYTES:
                self.close()
                return
            self._acknowledged(int.from_bytes(data, "big"))

    def _acknowledged(self, count: int) -> None:
        """So many of the letters of this connection are durable in all."""
        for _ in range(min(count, len(self._sent))):
            letter = self._sent.popleft()
            self._count(letter.urgent, -1)
            self.durable = letter.number

    def _send(self, text: bytes) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.send(text)
        except BlockingIOError:
            return False
        except OSError as fault:
            if fault.errno == errno.ENOBUFS:
                return False
            self.close()
            return False
        return True

    def _count(self, must: bool, by: int) -> None:
        if must:
            self._urgent += by
        else:
            self._ordinary += by


def connect_to(path: str | os.PathLike[str]) -> Callable[[], socket.socket | None]:
    """How a keeper that listens at `path` is reached."""

    def connect() -> socket.socket | None:
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            wire.settimeout(0.2)
            wire.connect(os.fspath(path))
        except OSError:
            wire.close()
            return None
        return wire

    return connect
