"""One live wire through python-can: a bus, the thread that reads it, and what it lost.

Law: a wire never raises after it was opened. What cannot be received or sent is counted, and it is tried again.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter, deque
from typing import Any

import can

from busgate.bridge.port import MULTICAST, BridgeError
from busgate.bridge.records import CLASSICAL_MOST
from busgate.model import BIT_RATE_SWITCH, ERROR, ERROR_STATE, EXTENDED, FD_FORMAT, IDENTIFIER, REMOTE, Frame, Side

# python-can logs a fault that it then raises, too; unheard by any handler it would be a second line on the terminal.
logging.getLogger("can").addHandler(logging.NullHandler())

_MOST_AWAITED = 16_384
_POLL_S = 0.2
_RETRY_S = 1.0
_ECHO_NS = 1_000_000_000
_FD_BY_OPTION = frozenset({"socketcan", MULTICAST})
_LAST_PORT = 0xFFFF
_ECHOING = frozenset({MULTICAST})
"""Interfaces that hand a sender its own frames back, whatever they are asked."""


class Wire:
    """One python-can bus and the thread that reads it; `lost` counts by kind."""

    def __init__(self, side: Side, bus: can.BusABC, *, echoes: bool = False, stamped: bool = False) -> None:
        """`stamped` is whether the kernel says when each frame came (Unix time), so that waiting ages it."""
        self.side = side
        self.lost: Counter[str] = Counter()
        self._bus = bus
        self._echoes = _Echoes() if echoes else None
        self._stamped = stamped
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def open(cls, side: Side, name: str, *, echoed: bool = True) -> Wire:
        """Open `interface:channel`; raises BridgeError with the reason when that cannot be done.

        What it sends on a SocketCAN interface is heard there by other programs of this machine, unless not `echoed`.

        `udp_multicast:group:port` is a bus between processes of one machine or one network.
        """
        interface, colon, channel = name.partition(":")
        if not colon or not interface or not channel:
            raise BridgeError(f"{name!r} names no wire; write interface:channel, as in socketcan:can0")
        options: dict[str, Any] = {"fd": True} if interface in _FD_BY_OPTION else {}
        if interface == "socketcan" and not echoed:
            options["local_loopback"] = False
        if interface == MULTICAST:
            channel, options["port"] = _group(name, channel)
        try:
            bus = can.Bus(channel, interface=interface, ignore_config=True, receive_own_messages=False, **options)
        except (can.CanError, OSError, ValueError, ImportError, NotImplementedError) as fault:
            raise BridgeError(_not_opened(name, fault)) from None
        return cls(side, bus, echoes=interface in _ECHOING, stamped=interface == "socketcan")

    def start(self, received: queue.Queue[Frame]) -> None:
        """Read into `received` from now on."""
        self._thread = threading.Thread(target=self._read, args=(received,), name=f"bridge-{self.side}", daemon=True)
        self._thread.start()

    def send(self, frame: Frame) -> bool:
        """Send without waiting; False and counted when the wire does not take it."""
        if self._echoes is not None:
            self._echoes.expect(frame)
        try:
            self._bus.send(_message(frame), timeout=0)
        except (can.CanError, OSError, ValueError):
            # A full transmit queue and a wire that is down look alike here; both are a drop (law 6).
            self.lost["not_sent"] += 1
            return False
        return True

    def losses(self) -> Counter[str]:
        """What was lost so far, by kind."""
        return self.lost

    def close(self) -> None:
        """Stop reading and let go of the bus."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._bus.shutdown()

    def _read(self, received: queue.Queue[Frame]) -> None:
        while not self._ended.is_set():
            offset = time.time_ns() - time.monotonic_ns()
            try:
                message = self._bus.recv(_POLL_S)
            except (can.CanError, OSError):
                self.lost["receive_errors"] += 1
                self._ended.wait(_RETRY_S)
                continue
            if message is None:
                continue
            frame = _frame(message, self.side, self._came(message, offset))
            if self._echoes is not None and self._echoes.met(frame):
                continue
            try:
                received.put_nowait(frame)
            except queue.Full:
                self.lost["receive_queue_full"] += 1

    def _came(self, message: can.Message, offset: int) -> int:
        """When a frame came, on the monotonic clock.

        One that waited while this process was stopped is as old as the kernel says. `offset` is the wall's clock less
        the monotonic one from before the wait, so that a clock that was set in between makes a frame old, never young.
        """
        now = time.monotonic_ns()
        return min(now, round(message.timestamp * 1e9) - offset) if self._stamped and message.timestamp else now


class _Echoes:
    """Frames that this wire sent and will hear again: each is passed over once, within a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._awaited: deque[tuple[int, tuple[int, bytes, int]]] = deque(maxlen=_MOST_AWAITED)

    def expect(self, frame: Frame) -> None:
        with self._lock:
            self._awaited.append((time.monotonic_ns(), _key(frame)))

    def met(self, frame: Frame) -> bool:
        with self._lock:
            while self._awaited and frame.at - self._awaited[0][0] > _ECHO_NS:
                self._awaited.popleft()
            for index, (_, key) in enumerate(self._awaited):
                if key == _key(frame):
                    del self._awaited[index]
                    return True
        return False


def _not_opened(name: str, fault: Exception) -> str:
    reason = " ".join(str(fault).split()) or type(fault).__name__
    if "msgpack" in reason:
        return f"{name}: {MULTICAST} needs the package msgpack; install it with: pip install msgpack"
    return f"{name}: this wire cannot be opened ({reason}); check that it exists and is up"


def _group(name: str, channel: str) -> tuple[str, int]:
    """Multicast group and UDP port; wires of one port would hear each other, so it has to be named."""
    group, colon, port = channel.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
        raise BridgeError(
            f"{name!r} names no port; write udp_multicast:group:port, as in {MULTICAST}:239.74.163.2:43113"
        )
    return group, int(port)


def _key(frame: Frame) -> tuple[int, bytes, int]:
    return frame.can_id, frame.data, frame.flags


def _frame(message: can.Message, side: Side, at: int) -> Frame:
    can_id = message.arbitration_id & IDENTIFIER
    data = bytes(message.data)
    if message.is_error_frame:
        return Frame(at, side, can_id | ERROR, data)
    if message.is_extended_id:
        can_id |= EXTENDED
    if message.is_remote_frame:
        return Frame(at, side, can_id | REMOTE, bytes(message.dlc))
    flags = 0
    if message.is_fd or len(data) > CLASSICAL_MOST:
        flags = FD_FORMAT | message.bitrate_switch * BIT_RATE_SWITCH | message.error_state_indicator * ERROR_STATE
    return Frame(at, side, can_id, data, flags)


def _message(frame: Frame) -> can.Message:
    remote = bool(frame.can_id & REMOTE)
    return can.Message(
        arbitration_id=frame.identifier,
        is_extended_id=frame.extended,
        is_remote_frame=remote,
        is_fd=frame.fd,
        bitrate_switch=bool(frame.flags & BIT_RATE_SWITCH),
        error_state_indicator=bool(frame.flags & ERROR_STATE),
        dlc=len(frame.data),
        data=None if remote else frame.data,
    )
