"""The keeper that a gate starts for itself, and starts again when it has died.

Law: the gate never waits for it but at its own start and end.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence

from busgate.model import BusgateError
from busgate.service.outbox import ACK_BYTES

_START_SECONDS = 30.0
_MOST_SAID = 4096
_PROGRAM = "from busgate.cli import main; main()"


class Companion:
    """A keeper as a child process; `connect` is what an outbox asks for."""

    def __init__(self, words: Sequence[str]) -> None:
        """`words` are the options of `busgate keep`; nothing is started yet."""
        self._words = list(words)
        self._child: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self._fault = ""

    def start(self) -> socket.socket:
        """Start it and wait until its log is open.

        Raises:
            BusgateError: what it says hinders it.
        """
        wire = self.connect()
        if wire is None:
            raise BusgateError(
                f"the keeper of the log cannot be started ({self._fault or 'the one before has not ended'}). Next: "
                f"check that {sys.executable} can be run, and that there is memory left"
            )
        wire.settimeout(_START_SECONDS)
        try:
            said = wire.recv(_MOST_SAID)
        except TimeoutError:
            raise BusgateError("the keeper of the log does not answer. Next: look at the disk of its folder") from None
        except OSError:
            said = b""
        if len(said) == ACK_BYTES:
            return wire
        wire.close()
        raise BusgateError(said.decode(errors="replace") or "the keeper of the log ended at once. Next: busgate keep")

    def connect(self) -> socket.socket | None:
        """A connection to a keeper that was just started; None while the one before it still ends."""
        if self._child is not None and self._child.poll() is None:
            return None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            words = [sys.executable, "-c", _PROGRAM, "keep", "--fd", str(theirs.fileno()), *self._words]
            try:
                self._child = subprocess.Popen(words, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)  # noqa: S603
            except OSError as fault:
                self._fault = fault.strerror or str(fault)
                ours.close()
                return None
        self.starts += 1
        return ours

    @property
    def pid(self) -> int | None:
        """Its process."""
        return None if self._child is None else self._child.pid

    def wait(self, seconds: float) -> int | None:
        """Wait for its end, once the connection is closed; its exit code, None if it goes on."""
        if self._child is None:
            return None
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


def take_priority() -> bool:
    """Have the kernel run this process before all ordinary ones, and not what it starts; whether it does."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(10))
    except (OSError, AttributeError):
        return False
    return True
