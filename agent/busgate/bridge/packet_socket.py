"""What packet sockets say beside the packet, and the few things they are asked.

Sources: packet(7), linux/if_packet.h, linux/if_arp.h, linux/filter.h; the tcpdump group's LINKTYPE_LINUX_SLL.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import NamedTuple

LOOPBACK, CAN = 772, 280
"""ARPHRD_ numbers."""

_SIOCGIFHWADDR = 0x8927
_TPID_VALID = 1 << 6
_SO_ATTACH_FILTER = 26


class Address(NamedTuple):
    """What sockaddr_ll says of a packet: protocol (network order as read), hardware type, packet type, sender."""

    protocol: int
    hardware: int
    kind: int
    length: int
    sender: bytes


class Tag(NamedTuple):
    """A VLAN tag that the kernel took off; `status` (TP_STATUS_) says whether it knows which kind of tag it was."""

    status: int
    tci: int
    tpid: int


def hardware_type(name: str) -> int:
    """The ARPHRD_ number of an interface."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        told = fcntl.ioctl(asking, _SIOCGIFHWADDR, struct.pack("=16s24x", name.encode()[:15]))
    number: int = struct.unpack_from("=H", told, 16)[0]
    return number


def attach_snap(wire: socket.socket, snap: int) -> None:
    """A filter of one instruction (BPF_RET | BPF_K): accept so many bytes."""
    program = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, snap))
    wire.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(program)))


def tagged(data: bytes, tag: Tag) -> bytes:
    """The frame as it was on the wire, with the tag behind the addresses."""
    kind = tag.tpid if tag.status & _TPID_VALID else 0x8100
    return b"%b%b%b" % (data[:12], struct.pack(">HH", kind, tag.tci), data[12:])


def cooked(address: Address, data: bytes) -> bytes:
    """A packet without link layer under the header of LINKTYPE_LINUX_SLL."""
    protocol, hardware, kind, length, sender = address
    return struct.pack(">HHH8sH", kind, hardware, length, sender, protocol) + data
