"""Who has a CAN interface in hand: one forwarder for each, and whoever else comes is told which process that is.

Law: two programs that forward on one wire send each frame twice, and the second one knows nothing of the first one's
verdicts or of the override. A hold is an abstract unix socket: it is bound to the network namespace, as the interface
is, needs no folder and no right, and is gone with its process, however that ended (docs/adr/0010).
"""

from __future__ import annotations

import errno
import json
import select
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self

from busgate.model import BusgateError

_PREFIX = "\0busgate/"
_SOCKETCAN = "socketcan:"
_ANSWER_S = 1.0
_MOST = 1 << 20
_CREDENTIALS = struct.Struct("=3i")

Answer = Callable[[], Mapping[str, Any]]


class Hold:
    """The SocketCAN interfaces among some wires, held until `close`. Use as a context manager."""

    def __init__(self, *wires: str) -> None:
        """`wires` are given as `interface:channel`; those that are not the kernel's are nobody's to hold.

        Raises:
            BusgateError: somebody else has one of them.
        """
        self._sockets: list[socket.socket] = []
        try:
            for wire in sorted(set(wires)):
                if wire.startswith(_SOCKETCAN):
                    self._sockets.append(_held(wire.removeprefix(_SOCKETCAN)))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go."""
        for each in self._sockets:
            each.close()
        self._sockets.clear()

    def answer(self, words: Answer, seconds: float) -> None:
        """Tell whoever asks during these seconds what this process does, as one JSON object."""
        try:
            ready, _, _ = select.select(self._sockets, [], [], seconds)
        except (OSError, ValueError):  # let go of, meanwhile
            return
        for listener in ready:
            with suppress(OSError):
                wire, _ = listener.accept()
                with wire:
                    wire.settimeout(_ANSWER_S)
                    wire.sendall(json.dumps(words()).encode())


def told(wire: str) -> dict[str, Any] | None:
    """What the process says that has this wire in hand; None if nobody has, {} if it says nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.settimeout(2 * _ANSWER_S)
        said = b""
        try:
            asked.connect(_name(wire.removeprefix(_SOCKETCAN)))
        except TimeoutError:
            return {}
        except OSError as fault:
            return {} if fault.errno == errno.EAGAIN else None
        try:
            while len(said) < _MOST and (data := asked.recv(1 << 16)):
                said += data
            answer = json.loads(said)
        except (OSError, ValueError):
            return {}
        return answer if isinstance(answer, dict) else {}


def _name(interface: str) -> str:
    return _PREFIX + interface


def _held(interface: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listener.bind(_name(interface))
        listener.listen(4)
    except OSError as fault:
        listener.close()
        if fault.errno != errno.EADDRINUSE:
            raise BusgateError(f"{interface} cannot be taken in hand: {fault.strerror}") from None
        raise BusgateError(
            f"{interface} is in the hands of another busgate{_whose(interface)}, and two forwarders on one wire send "
            "each frame twice. Next: stop that one, or give another interface"
        ) from None
    return listener


def _whose(interface: str) -> str:
    """Which process has it, as the kernel knows it (SO_PEERCRED of who listens); "" if it does not say."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.settimeout(_ANSWER_S)
        asked.connect(_name(interface))
        pid, _, _ = _CREDENTIALS.unpack(asked.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        return f" (process {pid})"
    return ""
