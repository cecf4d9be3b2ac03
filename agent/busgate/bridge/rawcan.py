"""One SocketCAN interface through its raw socket: frames in batches, with the kernel's times and its counts of losses.

Law: nothing here waits, and after it was opened nothing raises. What cannot be read or sent is counted; after a wire
failed, what had come in before that is not sent on it any more (`failed_at`), so that no backlog goes out in a burst.
An interface that goes away is opened again when it comes back. Sources: linux/can.h, linux/can/error.h,
Documentation/networking/can.rst and timestamping.rst of the kernel.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Self

from busgate.bridge.port import BridgeError
from busgate.model import ERROR, ERROR_STATE, FD_FORMAT, REMOTE, Frame, Side

BATCH = 64
"""Frames read from one wire before the other one has its turn."""

_CLASSICAL, _FD = struct.Struct("=IB3x8s"), struct.Struct("=IBB2x64s")
_SOL_CAN_RAW, _ERR_FILTER, _LOOPBACK, _FD_FRAMES = 101, 2, 3, 5
_SO_RXQ_OVFL, _SO_TIMESTAMPING = 40, 65
"""The second as SO_TIMESTAMPING_NEW: two 64-bit numbers a time on every machine."""
_STAMPS = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6
"""SOF_TIMESTAMPING_ RX_HARDWARE, RX_SOFTWARE, SOFTWARE, RAW_HARDWARE."""
_TIMES = struct.Struct("=6q")
_COUNT = struct.Struct("=I")
_ANCILLARY = socket.CMSG_SPACE(_TIMES.size) + socket.CMSG_SPACE(_COUNT.size)
_SO_RCVBUFFORCE = 33
_RECEIVE_BYTES = 4 << 20
"""Some seconds of a full bus, for a gate that was held up; the stale limit says what of it is still sent."""
_SEND_BYTES = 32 << 10
"""About 30 frames: what a full bus takes in some milliseconds. More would only be sent late."""
_TXQUEUELEN, _SIOCSIFTXQLEN = 32, 0x8943
_ERR_MASK, _ERR_CONTROLLER, _ERR_BUS_OFF, _ERR_RESTARTED = 0x1FFFFFFF, 0x004, 0x040, 0x100
_RETRY_NS = 500_000_000
_CROWDED_NS = 200_000
"""A wire that is read again within this time has more frames waiting, as a rule."""
_STATISTICS = ("rx_dropped", "rx_over_errors", "rx_errors", "tx_dropped", "tx_errors")
_MASK_32 = 0xFFFFFFFF


class RawWire:
    """One interface; `lost` counts by kind, `returns` how often it came back after it had gone."""

    def __init__(self, side: Side, name: str, wire: socket.socket | None, *, echoed: bool = True) -> None:
        """`wire` is an open socket of CAN frames; None is an interface that has gone."""
        self.side = side
        self.name = name
        self.lost: Counter[str] = Counter()
        self.returns = 0
        self.failed_at = -1
        """When it last did not take a frame, or was off the bus; monotonic ns."""
        self.socket = wire
        self._echoed = echoed
        self._overflow = 0
        self._clock = HardwareClock()
        self._retry = 0
        self._last = 0
        self._read_at = 0
        self._before = statistics(name)

    @classmethod
    def open(cls, side: Side, name: str, *, echoed: bool = True) -> Self:
        """Open an interface; raises BridgeError when that cannot be done."""
        try:
            return cls(side, name, _opened(name, echoed=echoed), echoed=echoed)
        except OSError as fault:
            reason = {
                errno.ENODEV: "there is no such interface, or it is no CAN interface",
                errno.EAFNOSUPPORT: "this kernel has no SocketCAN",
            }.get(fault.errno or 0, fault.strerror)
            raise BridgeError(
                f"socketcan:{name}: this wire cannot be opened ({reason}); check that it exists and is up"
            ) from None

    def read(self, offset: int) -> list[Frame]:
        """Up to a batch of what has come in. `offset` is Unix time less monotonic time, from before any waiting."""
        frames: list[Frame] = []
        if self.socket is None:
            return frames
        recvmsg, now = self.socket.recvmsg, time.monotonic_ns()
        try:
            # A wire on which frames come one by one is asked once: to be told that there is no other costs as much.
            for _ in range(BATCH if now - self._read_at < _CROWDED_NS else 1):
                data, ancillary, _, _ = recvmsg(_FD.size, _ANCILLARY)
                frame = self._frame(data, self._came(ancillary, now, offset))
                if frame is not None:
                    frames.append(frame)
        except BlockingIOError:
            pass
        except OSError as fault:
            self._fault(fault)
        self._read_at = now
        return frames

    def send(self, frame: Frame) -> bool:
        """Send without waiting; False and counted when the wire does not take it."""
        if frame.at <= self.failed_at:
            self.lost["backlog_dropped"] += 1
            return False
        if self.socket is None:
            self.lost["gone"] += 1
            return False
        try:
            self.socket.send(_bytes(frame))
        except OSError as fault:
            self.failed_at = time.monotonic_ns()
            if fault.errno in {errno.ENOBUFS, errno.EAGAIN}:
                self.lost["transmit_queue_full"] += 1
            else:
                self.lost["not_sent"] += 1
                if fault.errno in {errno.ENXIO, errno.ENODEV}:
                    self._gone()
            return False
        return True

    def again(self) -> bool:
        """Try to open an interface that has gone, twice a second; whether it is back."""
        now = time.monotonic_ns()
        if self.socket is not None or now < self._retry:
            return False
        self._retry = now + _RETRY_NS
        try:
            self.socket = _opened(self.name, echoed=self._echoed)
        except OSError:
            return False
        self.returns += 1
        self._overflow = 0
        self._clock = HardwareClock()
        self._before = statistics(self.name)
        return True

    def losses(self) -> Counter[str]:
        """What was lost since the opening, with what the interface itself has counted."""
        counts = Counter(self.lost)
        for kind, count in statistics(self.name).items():
            grown = count - self._before.get(kind, 0)
            if grown > 0:
                counts[f"interface_{kind}"] = grown
        return counts

    def close(self) -> None:
        """Let go of the socket."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _came(self, ancillary: list[tuple[int, int, bytes]], now: int, offset: int) -> int:
        """When a frame came, monotonic ns; never after `now`. Without the kernel's word, now."""
        came = now
        for _, kind, data in ancillary:
            if kind == _SO_TIMESTAMPING and len(data) >= _TIMES.size:
                seconds, rest, _, _, hard_seconds, hard_rest = _TIMES.unpack_from(data)
                if seconds:
                    came = seconds * 1_000_000_000 + rest - offset
                    came = self._clock.came(came, hard_seconds * 1_000_000_000 + hard_rest)
            elif kind == _SO_RXQ_OVFL:
                (count,) = _COUNT.unpack_from(data)
                if grown := (count - self._overflow) & _MASK_32:
                    self.lost["receive_queue_full"] += grown
                    self._overflow = count
        self._last = max(self._last, min(came, now))  # the socket's order is the wire's, whatever clocks say
        return self._last

    def _frame(self, data: bytes, at: int) -> Frame | None:
        """A frame as the model has it; None for what the controller itself says, which is counted."""
        if len(data) == _FD.size:
            can_id, length, flags, payload = _FD.unpack(data)
            return Frame(at, self.side, can_id, payload[:length], flags & ERROR_STATE | flags & 1 | FD_FORMAT)
        if len(data) != _CLASSICAL.size:
            self.lost["not_understood"] += 1
            return None
        can_id, length, payload = _CLASSICAL.unpack(data)
        if can_id & ERROR:
            self._error(can_id, at)
            return None
        if can_id & REMOTE:
            return Frame(at, self.side, can_id, bytes(min(length, 8)))
        return Frame(at, self.side, can_id, payload[:length])

    def _error(self, can_id: int, at: int) -> None:
        """Error frames are this machine's controller speaking, never somebody's on the wire (linux/can/error.h)."""
        self.lost["error_frames"] += 1
        if can_id & _ERR_CONTROLLER:
            self.lost["controller_problems"] += 1
        if can_id & _ERR_BUS_OFF:
            self.lost["bus_off"] += 1
        if can_id & _ERR_RESTARTED:
            self.lost["restarted"] += 1
        if can_id & (_ERR_BUS_OFF | _ERR_RESTARTED):
            self.failed_at = max(self.failed_at, at)

    def _fault(self, fault: OSError) -> None:
        if fault.errno == errno.ENETDOWN:  # told once; the socket works again when the interface is up
            self.lost["down"] += 1
            self.failed_at = time.monotonic_ns()
            return
        self._gone()

    def _gone(self) -> None:
        self.lost["interface_gone"] += 1
        self.failed_at = time.monotonic_ns()
        self.close()


class HardwareClock:
    """Times of a controller's own clock, told on ours.

    The kernel's time of a frame is late by how long its interrupt waited, the controller's is not but runs on a clock
    of its own. The least delay seen is taken for the difference of the two; it leaks, since clocks drift.
    """

    _LEAK_NS = 1_000
    _JUMP_NS = 50_000_000

    def __init__(self) -> None:
        self._difference: int | None = None

    def came(self, software: int, hardware: int) -> int:
        """When a frame came, by both stamps (ns); `hardware` is 0 where the controller offers none."""
        if not hardware:
            return software
        delay = software - hardware
        if self._difference is None or delay < self._difference or delay - self._difference > self._JUMP_NS:
            self._difference = delay
        came = hardware + self._difference
        self._difference += self._LEAK_NS
        return came


def statistics(name: str) -> dict[str, int]:
    """What the kernel has counted of an interface: drops, overruns, errors. Empty if it says nothing."""
    counts = {}
    for kind in _STATISTICS:
        with contextlib.suppress(OSError, ValueError):
            counts[kind] = int(Path(f"/sys/class/net/{name}/statistics/{kind}").read_text(encoding="ascii"))
    return counts


def _opened(name: str, *, echoed: bool) -> socket.socket:
    if not hasattr(socket, "AF_CAN") or sys.platform != "linux":
        raise OSError(errno.EAFNOSUPPORT, "no SocketCAN")
    wire = socket.socket(socket.AF_CAN, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.CAN_RAW)
    try:
        wire.setsockopt(_SOL_CAN_RAW, _FD_FRAMES, 1)
        wire.setsockopt(_SOL_CAN_RAW, _ERR_FILTER, _ERR_MASK)
        wire.setsockopt(_SOL_CAN_RAW, _LOOPBACK, int(echoed))
        wire.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
        wire.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, _STAMPS)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)
        try:
            wire.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BYTES)
        except PermissionError:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
        wire.bind((name,))
        _set_queue(wire, name)
    except OSError:
        wire.close()
        raise
    return wire


def _set_queue(wire: socket.socket, name: str) -> None:
    """Let the interface hold few frames: what it holds when the bus stands still goes out late. Needs a right."""
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.ioctl(wire, _SIOCSIFTXQLEN, struct.pack("=16si20x", name.encode(), _TXQUEUELEN))


def _bytes(frame: Frame) -> bytes:
    if frame.flags & FD_FORMAT:
        return _FD.pack(frame.can_id, len(frame.data), frame.flags & 3, frame.data)
    return _CLASSICAL.pack(frame.can_id, len(frame.data), frame.data)
