"""A CAN interface that is only listened to: what a self-test hears, and what its controller complains of.

Law: nothing is ever sent. On a controller, frames that this machine sent itself are not counted as the bus'.
"""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Iterable
from typing import Self

from busgate.bridge.rawcan import RawWire
from busgate.model import Frame, Side

_MSG_DONTROUTE = 0x4
"""linux/socket.h; can.rst 4.1.7: set on frames that were sent by this very machine."""


class Ear(RawWire):
    """One interface; `heard` are the frames so far."""

    heard: list[Frame]
    ignores_own: bool

    @classmethod
    def on(cls, name: str, *, hardware: bool) -> Self:
        """Open an interface; raises BridgeError when that cannot be done."""
        ear = cls.open(Side.TAP, name)
        ear.heard, ear.ignores_own = [], hardware
        return ear

    def listen(self) -> None:
        """Take in what has come, without waiting."""
        if self.socket is None:
            return
        now = time.monotonic_ns()
        offset = time.time_ns() - now
        with contextlib.suppress(OSError):
            while True:
                data, ancillary, flags, _ = self.socket.recvmsg(72, 256)
                frame = self._frame(data, self._came(ancillary, now, offset))
                if frame is not None and not (self.ignores_own and flags & _MSG_DONTROUTE):
                    self.heard.append(frame)


def listen(ears: Iterable[Ear], seconds: float) -> None:
    """Listen on several interfaces for some time."""
    several = list(ears)
    ended = time.monotonic() + seconds
    while (left := ended - time.monotonic()) > 0:
        sockets = [ear.socket for ear in several if ear.socket is not None]
        if sockets:
            select.select(sockets, [], [], left)
        else:
            time.sleep(left)
        for ear in several:
            ear.listen()
