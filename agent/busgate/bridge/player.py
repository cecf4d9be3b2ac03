"""Wires that a tester plays onto: the one place in busgate that originates frames, and no part of a gate.

Law: a frame is sent as it is told, or counted as not sent. On SocketCAN the kernel says when each of our own frames was
on the wire, which is what timing errors are measured by; elsewhere it is the moment the sending returned.
"""

from __future__ import annotations

import contextlib
import queue
import select
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, Self

from busgate.bridge.rawcan import RawWire
from busgate.bridge.wire import Wire
from busgate.model import Frame, Side

_SOCKETCAN = "socketcan:"
_CAN_RAW, _RECV_OWN = 101, 4
_MSG_CONFIRM = 0x800
"""linux/socket.h; can.rst 4.1.4: set on frames that this very socket sent."""
_PATIENCE_S = 1.0
_RETRY_S = 0.0005


class Player(Protocol):
    """One wire to play onto: `sent` are the times (Unix ns) of our frames in order, `heard` what others sent."""

    sent: list[int]
    heard: list[Frame]

    def send(self, frame: Frame) -> bool:
        """Send, waiting up to a second for room; False when it was not taken."""
        ...

    def listen(self) -> None:
        """Take in what has come, without waiting."""
        ...

    def losses(self) -> Counter[str]:
        """What went wrong, by kind."""
        ...

    def close(self) -> None:
        """Let go of the wire."""
        ...


def open_player(name: str) -> Player:
    """A wire given as `vcan0` or `interface:channel`; raises BridgeError when it cannot be opened."""
    if ":" not in name:
        name = f"{_SOCKETCAN}{name}"
    if name.startswith(_SOCKETCAN):
        return RawPlayer.on(name.removeprefix(_SOCKETCAN))
    return _OtherPlayer(Wire.open(Side.TAP, name))


class RawPlayer(RawWire):
    """A SocketCAN interface; our own frames come back with the kernel's time."""

    sent: list[int]
    heard: list[Frame]

    @classmethod
    def on(cls, name: str) -> Self:
        """Open an interface; raises BridgeError when that cannot be done."""
        wire = cls.open(Side.TAP, name)
        assert wire.socket is not None  # noqa: S101 - open raises otherwise; it closes over the type alone
        wire.socket.setsockopt(_CAN_RAW, _RECV_OWN, 1)
        wire.sent, wire.heard = [], []
        return wire

    def send(self, frame: Frame) -> bool:
        """As `Player.send`: a full queue is waited for, as it is a fast player and no fault."""
        ended = time.monotonic() + _PATIENCE_S
        while True:
            before = self.lost["transmit_queue_full"]
            if super().send(frame._replace(at=time.monotonic_ns())):
                return True
            if self.lost["transmit_queue_full"] == before or time.monotonic() > ended:
                return False
            self.lost["transmit_queue_full"] = before
            self.lost["waited_for_room"] += 1
            self.listen()
            time.sleep(_RETRY_S)

    def listen(self) -> None:
        """As `Player.listen`."""
        if self.socket is None:
            return
        offset = time.time_ns() - time.monotonic_ns()
        with contextlib.suppress(BlockingIOError):
            while True:
                data, ancillary, flags, _ = self.socket.recvmsg(72, 256)
                at = self._came(ancillary, time.monotonic_ns(), offset)
                if flags & _MSG_CONFIRM:
                    self.sent.append(at + offset)
                elif (frame := self._frame(data, at + offset)) is not None:
                    self.heard.append(frame)


class _OtherPlayer:
    """A wire of python-can's."""

    def __init__(self, wire: Wire) -> None:
        self.sent: list[int] = []
        self.heard: list[Frame] = []
        self._wire = wire
        self._queue: queue.Queue[Frame] = queue.Queue(1 << 20)
        wire.start(self._queue)

    def send(self, frame: Frame) -> bool:
        took = self._wire.send(frame)
        if took:
            self.sent.append(time.time_ns())
        return took

    def listen(self) -> None:
        offset = time.time_ns() - time.monotonic_ns()
        with contextlib.suppress(queue.Empty):
            while True:
                frame = self._queue.get_nowait()
                self.heard.append(frame._replace(at=frame.at + offset))

    def losses(self) -> Counter[str]:
        return self._wire.losses()

    def close(self) -> None:
        self._wire.close()


@contextlib.contextmanager
def opened(names: list[str]) -> Iterator[dict[str, Player]]:
    """Players by name, all of them or none."""
    players: dict[str, Player] = {}
    try:
        for name in names:
            players[name] = open_player(name)
        yield players
    finally:
        for player in players.values():
            player.close()


def listen_all(players: dict[str, Player], seconds: float) -> None:
    """Take in what comes on every wire for a while."""
    ended = time.monotonic() + seconds
    while True:
        for player in players.values():
            player.listen()
        left = ended - time.monotonic()
        if left <= 0:
            return
        sockets = [player.socket for player in players.values() if isinstance(player, RawPlayer) and player.socket]
        if len(sockets) == len(players):
            select.select(sockets, [], [], left)
        else:
            time.sleep(min(left, 0.01))


def sleep_sharply() -> None:
    """Have the kernel wake this process when asked, not up to 50 us later, where it lets us."""
    with contextlib.suppress(OSError):
        Path("/proc/self/timerslack_ns").write_text("1", encoding="ascii")
