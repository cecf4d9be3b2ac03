"""One network interface listened to: every packet that enters or leaves it, with the kernel's time and count of losses.

Law: nothing here sends; nothing waits but `wait`; after it was opened nothing raises. What the kernel could not keep
is counted. An interface that goes away is opened again when it comes back. Times are the kernel's, and never run
backwards.

Packets come out of memory shared with the kernel (`packet_mmap`), or one by one where that cannot be had. The kernel
takes a VLAN tag off before it hands a packet over; it is put back. Link types: Ethernet as it is; modems and tunnels
without a link layer as raw IP; everything else, PPP too (whose header the kernel has taken off by then), as the
kernel itself understands it, under a header that says so (LINKTYPE_LINUX_SLL).
Sources: packet(7), linux/if_packet.h, linux/if_arp.h, the tcpdump group's description of LINKTYPE_LINUX_SLL.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Self

from busgate.bridge.packet_mmap import PacketRing
from busgate.bridge.packet_socket import CAN, LOOPBACK, Address, Tag, attach_snap, cooked, hardware_type, tagged
from busgate.bridge.port import BridgeError
from busgate.bridge.rawcan import HardwareClock
from busgate.model import Packet, Side

BATCH = 64
"""Packets read one by one before another wire has its turn."""
ETHERNET, RAW_IP, COOKED = 1, 101, 113

_ARPHRD = {1: ETHERNET, 772: ETHERNET, 519: RAW_IP, 65534: RAW_IP}  # Ethernet, loopback, raw IP, none (tun, WireGuard)
_ETH_P_ALL = 3
_SOL_PACKET, _ADD_MEMBERSHIP, _STATISTICS, _AUXDATA = 263, 1, 6, 8
_PROMISCUOUS, _OUTGOING = 1, 4
_VLAN_VALID = 1 << 4
_SO_TIMESTAMPING, _SO_RCVBUFFORCE = 65, 33
_STAMPS = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6
"""SOF_TIMESTAMPING_ RX_HARDWARE, RX_SOFTWARE, SOFTWARE, RAW_HARDWARE."""
_TIMES = struct.Struct("=6q")
_AUX = struct.Struct("=IIIHHHH")
_ANCILLARY = socket.CMSG_SPACE(_TIMES.size) + socket.CMSG_SPACE(_AUX.size)
_COUNTS = struct.Struct("=II")
_RECEIVE_BYTES = 8 << 20
_RETRY_NS = 500_000_000
_LONGEST = 1 << 18


@dataclass(frozen=True, slots=True)
class Listening:
    """How an interface is listened to."""

    snap: int = 0
    """Bytes kept of each packet; 0 keeps all."""
    promiscuous: bool = False
    """Also what is addressed to other machines."""
    ring_bytes: int = 8 << 20
    """Memory shared with the kernel; 0 takes packets one by one, with the times of network cards that have a clock."""


class Sniffer:
    """One interface. `lost` counts by kind, `returns` how often it came back after it had gone."""

    def __init__(self, side: Side, name: str, how: Listening) -> None:
        """Use `open`; made directly it is an interface that has gone."""
        self.side = side
        self.name = name
        self.lost: Counter[str] = Counter()
        self.returns = 0
        self.link_type = ETHERNET
        self.socket: socket.socket | None = None
        self._how = how
        self._ring: PacketRing | None = None
        self._index = 0
        self._loopback = False
        self._clock = HardwareClock()
        self._last = 0
        self._retry = 0

    @classmethod
    def open(cls, side: Side, name: str, how: Listening | None = None) -> Self:
        """Open an interface; raises BridgeError when that cannot be done."""
        made = cls(side, name, how or Listening())
        try:
            made._open()
        except OSError as fault:
            reason = {
                errno.ENODEV: "there is no such interface",
                errno.EPERM: "listening takes the right CAP_NET_RAW; run as root or by its service",
                errno.EAFNOSUPPORT: "this machine has no packet sockets",
                errno.EPROTONOSUPPORT: "it is a CAN interface; listen to it as socketcan",
            }.get(fault.errno or 0, fault.strerror)
            raise BridgeError(f"{name}: this interface cannot be listened to ({reason}); see: ip link show") from None
        return made

    @property
    def mapped(self) -> bool:
        """Whether packets come out of shared memory."""
        return self._ring is not None

    def wait(self, timeout: float) -> bool:
        """Wait until something can be read, at most `timeout` seconds."""
        if self.socket is None:
            time.sleep(timeout)
            return False
        if self._ring is not None and self._ring.ready():
            return True
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def read(self, offset: int = 0) -> list[Packet]:
        """What has come in: a block, or a batch. `offset` is Unix time less the timeline of `at`; 0 gives Unix time."""
        if self.socket is None:
            return []
        try:
            packets = self._mapped(self._ring, offset) if self._ring is not None else self._one_by_one(offset)
            if not packets and (fault := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                self._fault(fault)
        except OSError as fault:
            self._fault(fault.errno or 0)
            return []
        return packets

    def again(self) -> bool:
        """Try to open an interface that has gone, twice a second; whether it is back."""
        now = time.monotonic_ns()
        if self.socket is not None or now < self._retry:
            return False
        self._retry = now + _RETRY_NS
        try:
            self._open()
        except OSError:
            return False
        self.returns += 1
        return True

    def losses(self) -> Counter[str]:
        """What was lost since the opening."""
        self._count()
        return Counter(self.lost)

    def close(self) -> None:
        """Let go of the interface."""
        if self.socket is not None:
            self._count()
            if self._ring is not None:
                self._ring.close()
            self.socket.close()
        self.socket = self._ring = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _mapped(self, ring: PacketRing, offset: int) -> list[Packet]:
        packets: list[Packet] = []
        if not ring.ready():
            return packets
        side, link_type, last, new = self.side, self.link_type, self._last, tuple.__new__
        now = time.time_ns() - offset
        for taken in ring.block():
            came, data, status, tci, tpid, where = taken
            outgoing = ring.kind(where) == _OUTGOING
            if self._loopback and outgoing:
                continue  # it comes in as well
            came -= offset
            last = max(last, min(came, now))  # the order of the ring is the wire's, whatever clocks say
            if link_type == COOKED:
                data = cooked(ring.address(where), data)
            elif status & _VLAN_VALID:
                data = tagged(data, Tag(status, tci, tpid))
            packets.append(new(Packet, (last, side, link_type, data, outgoing)))
        self._last = last
        return packets

    def _one_by_one(self, offset: int) -> list[Packet]:
        packets: list[Packet] = []
        assert self.socket is not None  # noqa: S101 - by `read`, which has looked
        receive = self.socket.recvmsg
        for _ in range(BATCH):
            try:
                data, ancillary, _, address = receive(_LONGEST, _ANCILLARY)
            except BlockingIOError:
                break
            _, protocol, kind, hardware, sender = address
            if self._loopback and kind == _OUTGOING:
                continue
            came, tag = self._ancillary(ancillary)
            self._last = max(self._last, min(came, time.time_ns()) - offset)
            if self.link_type == COOKED:
                data = cooked(Address(protocol, hardware, kind, len(sender), sender), data)
            elif tag is not None:
                data = tagged(data, tag)
            packets.append(Packet(self._last, self.side, self.link_type, data, kind == _OUTGOING))
        return packets

    def _ancillary(self, ancillary: list[tuple[int, int, bytes]]) -> tuple[int, Tag | None]:
        """When a packet came (Unix ns), and the VLAN tag that was taken off it."""
        came, tag = time.time_ns(), None
        for level, kind, told in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPING and len(told) >= _TIMES.size:
                seconds, rest, _, _, hard_seconds, hard_rest = _TIMES.unpack_from(told)
                if seconds:
                    came = self._clock.came(seconds * 10**9 + rest, hard_seconds * 10**9 + hard_rest)
            elif level == _SOL_PACKET and kind == _AUXDATA and len(told) >= _AUX.size:
                status, _, _, _, _, tci, tpid = _AUX.unpack_from(told)
                if status & _VLAN_VALID:
                    tag = Tag(status, tci, tpid)
        return came, tag

    def _open(self) -> None:
        if sys.platform != "linux":
            raise OSError(errno.EAFNOSUPPORT, "no packet sockets")
        hardware = hardware_type(self.name)
        if hardware == CAN:
            raise OSError(errno.EPROTONOSUPPORT, "a CAN interface")
        self.link_type = _ARPHRD.get(hardware, COOKED)
        self._loopback = hardware == LOOPBACK
        self._index = socket.if_nametoindex(self.name)
        self._clock = HardwareClock()
        kind = socket.SOCK_DGRAM if self.link_type == COOKED else socket.SOCK_RAW
        try:
            self._ring = None
            self.socket = socket.socket(socket.AF_PACKET, kind | socket.SOCK_NONBLOCK, 0)
            self._set_up(self.socket)
            # Bound last: until then it hears nothing, rather than every interface.
            self.socket.bind((self.name, _ETH_P_ALL))
        except OSError:
            self.close()
            raise

    def _set_up(self, wire: socket.socket) -> None:
        if self._how.snap:
            attach_snap(wire, self._how.snap)
        if self._how.promiscuous:
            wire.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, struct.pack("=iHH8s", self._index, _PROMISCUOUS, 0, b""))
        if self._how.ring_bytes:
            try:
                self._ring = PacketRing(wire, self._how.ring_bytes)
            except OSError:
                self.lost["no_shared_memory"] += 1  # told, since it costs packets when there are many
            else:
                return
        wire.setsockopt(_SOL_PACKET, _AUXDATA, 1)
        wire.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, _STAMPS)
        try:
            wire.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BYTES)
        except PermissionError:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)

    def _count(self) -> None:
        """Fetch the kernel's count of drops, which begins anew with each fetching."""
        if self.socket is None:
            return
        try:
            _, dropped = _COUNTS.unpack_from(self.socket.getsockopt(_SOL_PACKET, _STATISTICS, 12))
        except OSError:
            return
        if dropped:
            self.lost["receive_queue_full"] += dropped

    def _fault(self, number: int) -> None:
        try:
            there = socket.if_nametoindex(self.name) == self._index
        except OSError:
            there = False
        if there and number == errno.ENETDOWN:  # told once; the socket works again when the interface is up
            self.lost["down"] += 1
            return
        self.lost["interface_gone"] += 1
        self.close()
