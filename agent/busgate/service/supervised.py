"""What a service tells systemd: that it has begun, and that it still works (sd_notify(3)).

Law: without systemd nothing happens; a message that cannot be sent is none.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress


class Supervised:
    """This process as its supervisor sees it."""

    def __init__(self) -> None:
        """Nothing is told yet."""
        self._door = os.environ.pop("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        self._every = _half_of(os.environ.get("WATCHDOG_USEC", ""))
        self._due = 0

    def ready(self) -> None:
        """It has begun: what it is for, it does from now on."""
        self._tell("READY=1")

    def works(self, now: int) -> None:
        """Called from within its work, often; tells it half as often as the watchdog asks for. `now` is in ns."""
        if self._every and now >= self._due:
            self._due = now + self._every
            self._tell("WATCHDOG=1")

    def _tell(self, what: str) -> None:
        if not self._door:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as wire:
            wire.sendto(what.encode(), self._door)


def _half_of(microseconds: str) -> int:
    return int(microseconds) * 500 if microseconds.isdecimal() else 0
