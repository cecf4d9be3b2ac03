"""The kernel's packet ring in shared memory (TPACKET_V3): packets taken by the block, without a call for each.

Law: a block is read only while the kernel has given it over, and given back at once; what is handed out is a copy.
Source: linux/if_packet.h; Documentation/networking/packet_mmap.rst of the kernel.
"""

from __future__ import annotations

import mmap
import select
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from busgate.bridge.packet_socket import Address

BLOCK_BYTES = 1 << 17
"""More than the longest packet that offloading makes of many (64 KiB)."""
RETIRE_MS = 50
"""A block that is not full is given over after this time.

So late a packet can be here; and thin traffic may be left unread for so long times the blocks, of which there are 64
as a rule: some 3 s.
"""

_SOL_PACKET, _RX_RING, _VERSION, _V3 = 263, 5, 10, 2
_FRAME = 2048  # only a divisor of the block in version 3
_USER, _KERNEL = 1, 0
_LOSING = 1 << 2
_BLOCK = struct.Struct("=IIII")  # from its byte 8 on: status, packets, offset of the first, length
_STATUS = struct.Struct("=I")
_HEAD = struct.Struct("=IIIIIIHHIIHH")
_ADDRESS = struct.Struct("=HHiHBB8s")
_ADDRESS_AT = 48  # sockaddr_ll, behind the header aligned to 16


class Taken(NamedTuple):
    """One packet: `came` is the kernel's Unix time in ns; `tci` and `tpid` are a VLAN tag it took off.

    `status` says whether there was one, `where` is the packet's place in the ring.
    """

    came: int
    data: bytes
    status: int
    tci: int
    tpid: int
    where: int


class PacketRing:
    """The ring of one socket, which must not be bound yet."""

    def __init__(self, wire: socket.socket, size: int) -> None:
        """Raises OSError when the kernel does not give the memory."""
        self._blocks = max(2, size // BLOCK_BYTES)
        wire.setsockopt(_SOL_PACKET, _VERSION, _V3)
        per_block = BLOCK_BYTES // _FRAME
        request = struct.pack("=7I", BLOCK_BYTES, self._blocks, _FRAME, per_block * self._blocks, RETIRE_MS, 0, 0)
        wire.setsockopt(_SOL_PACKET, _RX_RING, request)
        try:
            self._map = mmap.mmap(wire.fileno(), BLOCK_BYTES * self._blocks, mmap.MAP_SHARED)
        except OSError:
            # Given back: into a ring that nobody sees the kernel would put every packet.
            wire.setsockopt(_SOL_PACKET, _RX_RING, bytes(28))
            raise
        self._next = 0
        self._poll = select.poll()
        self._poll.register(wire, select.POLLIN)

    def ready(self) -> bool:
        """Whether a block waits."""
        status: int = _STATUS.unpack_from(self._map, self._next * BLOCK_BYTES + 8)[0]
        return bool(status & _USER)

    def block(self) -> Iterator[Taken]:
        """The packets of the next block, which must be `ready`; it is given back when all were taken."""
        # The system call orders the reading of the status before that of the packets, whatever the processor prefers.
        self._poll.poll(0)
        memory, begin = self._map, self._next * BLOCK_BYTES
        _, count, first, _ = _BLOCK.unpack_from(memory, begin + 8)
        at = begin + first
        new, unpack = tuple.__new__, _HEAD.unpack_from
        try:
            for _ in range(count):
                step, seconds, rest, size, _, status, start, _, _, tci, tpid, _ = unpack(memory, at)
                start += at
                yield new(Taken, (seconds * 1_000_000_000 + rest, memory[start : start + size], status, tci, tpid, at))
                at += step
        finally:
            _STATUS.pack_into(memory, begin + 8, _KERNEL)
            self._next = (self._next + 1) % self._blocks

    def kind(self, where: int) -> int:
        """PACKET_OUTGOING and its like, of a packet of the block at hand."""
        return self._map[where + _ADDRESS_AT + 10]

    def address(self, where: int) -> Address:
        """The whole address of a packet of the block at hand."""
        _, protocol, _, hardware, kind, length, sender = _ADDRESS.unpack_from(self._map, where + _ADDRESS_AT)
        return Address(socket.ntohs(protocol), hardware, kind, length, sender)

    def close(self) -> None:
        """Let go of the memory."""
        self._map.close()
