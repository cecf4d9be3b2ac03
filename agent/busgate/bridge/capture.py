"""pcap and pcapng captures to records: CAN frames of link type 227 as frames, all else as packets.

Law: the bytes decide, never a name. What a damaged capture still holds whole is read, and where it ended is noted.
Read here rather than by scapy: its reader ends silently on a cut file, and this needs nothing but arithmetic.
Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng; LINKTYPE_CAN_SOCKETCAN of the tcpdump group's registry.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from busgate.bridge.records import CLASSICAL_MOST, PACKET, Notes, Record, fits
from busgate.model import BIT_RATE_SWITCH, ERROR, ERROR_STATE, EXTENDED, FD_FORMAT, IDENTIFIER, REMOTE

LINKTYPE_CAN_SOCKETCAN = 227
LONGEST_BLOCK = 1 << 24
"""A record or block that claims more is damage, not data."""
CHUNK = 1 << 18
"""Bytes read at once."""
LATEST = 253_402_300_800 * 1_000_000_000
"""The year 10000 in ns: a packet that claims to be of then, or of before 1970, is damage (the others wait for its time
to come).
"""

_NS = 1_000_000_000
_CAN_HEADER = struct.Struct(">IBB2x")
_CAN_XL = 0x80
_CANFD_MTU = 72
_STANDARD_MOST = 0x7FF
_KNOWN_FLAGS = BIT_RATE_SWITCH | ERROR_STATE

_PCAP_MAGIC: dict[bytes, tuple[str, int]] = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_LINKTYPE_BITS = 0xFFFF  # the upper ones tell of a frame check sequence

# Block types and options of pcapng (4.1-4.4, 4.2 table 3).
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_IF_NAME, _IF_TSRESOL, _IF_TSOFFSET = 2, 9, 14
_BLOCK_FRAME = 12
_SECTION_TYPE = b"\x0a\x0d\x0d\x0a"
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_BLOCK_HEADS = {order: struct.Struct(f"{order}II").unpack_from for order in "<>"}

# Enhanced: interface, time high and low, captured, original. Simple: original. The old one: interface, drops, ...
_PACKET_HEADS = {
    order: {
        kind: struct.Struct(order + head)
        for kind, head in ((_ENHANCED, "IIIII"), (_SIMPLE, "I"), (_OLD_PACKET, "HHIIII"))
    }
    for order in "<>"
}


class _Interface(NamedTuple):
    name: str
    link_type: int
    per_second: int
    offset: int


def read(stream: BinaryIO, notes: Notes) -> Iterator[Record]:
    """Every record of a capture in its order; `stream` begins with the magic number of pcap or pcapng."""
    magic = stream.read(4)
    if magic in _PCAP_MAGIC:
        return _pcap(stream, notes, *_PCAP_MAGIC[magic])
    return _pcapng(stream, notes, magic)


def can_record(at: int, channel: str, data: bytes) -> Record | None:
    """A LINKTYPE_CAN_SOCKETCAN packet as a frame; None when it is none, or one of CAN XL."""
    if len(data) < _CAN_HEADER.size:
        return None
    can_id, length, bits = _CAN_HEADER.unpack_from(data)
    if bits & _CAN_XL:
        return None
    # Captures made before Linux 5.16 have no FD bit: there the size of the record says it (canfd_frame is 72 bytes).
    fd = bool(bits & FD_FORMAT) or len(data) == _CANFD_MTU
    flags = FD_FORMAT | (bits & _KNOWN_FLAGS) if fd else 0
    payload = data[_CAN_HEADER.size : _CAN_HEADER.size + length]
    if can_id & ERROR:
        return (at, channel, ERROR | (can_id & IDENTIFIER), payload, 0) if length <= CLASSICAL_MOST else None
    if not can_id & EXTENDED and can_id & IDENTIFIER > _STANDARD_MOST:
        return None
    if can_id & REMOTE:
        return at, channel, can_id, bytes(min(length, CLASSICAL_MOST)), 0
    return (at, channel, can_id, payload, flags) if len(payload) == length and fits(length, flags) else None


def _entry(at: int, channel: str, link_type: int, data: bytes) -> Record | None:
    if link_type == LINKTYPE_CAN_SOCKETCAN:
        return can_record(at, channel, data)
    return at, channel, link_type, data, PACKET


class _Window:
    """The part of a stream that is looked at, read in large steps: a call per record costs more than the record."""

    __slots__ = ("_read", "at", "data")

    def __init__(self, stream: BinaryIO, begun: bytes = b"") -> None:
        # From a pipe what is there is taken, however little: a live capture is not held up.
        self._read = getattr(stream, "read1", stream.read)
        self.data = begun
        self.at = 0

    def grow(self, size: int = 1) -> bool:
        """Have `size` bytes from `at` on, or at least one more than there are; False at the stream's end."""
        missing = max(size - (len(self.data) - self.at), 1)
        pieces = [self.data[self.at :]]
        while missing > 0 and (piece := self._read(max(missing, CHUNK))):
            pieces.append(piece)
            missing -= len(piece)
        self.data = b"".join(pieces)
        self.at = 0
        return missing <= 0


def _pcap(stream: BinaryIO, notes: Notes, order: str, unit: int) -> Iterator[Record]:
    window = _Window(stream)
    if not window.grow(20):
        notes.warn("the capture is cut within its header")
        return
    link_type = struct.unpack_from(f"{order}HHIIII", window.data)[5] & _LINKTYPE_BITS
    window.at = 20
    header = struct.Struct(f"{order}IIII").unpack_from
    number, size, is_can = 0, 1, link_type == LINKTYPE_CAN_SOCKETCAN
    while len(window.data) - window.at >= size or window.grow(size):
        data, position, end = window.data, window.at, len(window.data)
        while position + 16 <= end:
            seconds, fraction, captured, _ = header(data, position)
            start = position + 16
            position = start + captured
            if position > end:
                position = start - 16
                break
            number += 1
            at = seconds * _NS + fraction * unit
            if not is_can:
                yield at, "0", link_type, data[start : start + captured], PACKET
            elif record := can_record(at, "0", data[start : start + captured]):
                yield record
            else:
                notes.skip(number)
        window.at = position
        size = 16 if position + 16 > end else 16 + header(data, position)[2]
        if size > 16 + LONGEST_BLOCK:
            notes.warn(f"the capture is cut or damaged in packet {number + 1}")
            return
        if position == end:
            size = 1
    if len(window.data) > window.at:
        notes.warn(f"the capture is cut in packet {number + 1}")


def _pcapng(stream: BinaryIO, notes: Notes, start: bytes) -> Iterator[Record]:
    window = _Window(stream, start)
    order = "<"
    interfaces: list[_Interface] = []
    number = now = 0
    while window.at < len(window.data) or window.grow():
        number += 1
        block = _block(window, order)
        if block is None:
            notes.warn(f"the capture is cut or damaged in block {number}")
            return
        order, kind, body = block
        if kind == _ENHANCED:
            record = _packet(kind, body, order, interfaces, now)
        elif kind == _SECTION:
            interfaces = []
            continue
        elif kind == _INTERFACE:
            interfaces.append(_interface(body, order, len(interfaces)))
            continue
        elif kind in {_SIMPLE, _OLD_PACKET}:
            record = _packet(kind, body, order, interfaces, now)
        else:
            continue
        if record is None:
            notes.skip(number)
        else:
            now = record[0]
            yield record


def _block(window: _Window, order: str) -> tuple[str, int, bytes] | None:
    """Byte order, type and body of the next block; None when it is not whole."""
    if len(window.data) - window.at < _BLOCK_FRAME and not window.grow(_BLOCK_FRAME):
        return None
    if window.data.startswith(_SECTION_TYPE, window.at):
        # Its type reads the same in both orders; the magic number behind the length tells which it is (4.1).
        known = _ORDERS.get(window.data[window.at + 8 : window.at + 12])
        if known is None:
            return None
        order = known
    kind, length = _BLOCK_HEADS[order](window.data, window.at)
    if not _BLOCK_FRAME <= length <= LONGEST_BLOCK or length % 4:
        return None
    if len(window.data) - window.at < length and not window.grow(length):
        return None
    data, begin = window.data, window.at
    end = begin + length
    if data[end - 4 : end] != data[begin + 4 : begin + 8]:
        return None
    window.at = end
    return order, kind, data[begin + 8 : end - 4]


def _interface(body: bytes, order: str, index: int) -> _Interface:
    link_type = struct.unpack_from(f"{order}H", body)[0] if len(body) >= 2 else -1
    name, per_second, offset = str(index), 1_000_000, 0
    for code, value in _options(body[8:], order):
        if code == _IF_NAME:
            name = value.rstrip(b"\0").decode("utf-8", "replace") or name
        elif code == _IF_TSRESOL and value:
            per_second = 1 << (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == _IF_TSOFFSET and len(value) == 8:
            offset = struct.unpack(f"{order}q", value)[0]
    return _Interface(name, link_type, per_second, offset)


def _options(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 4 <= len(data):
        code, length = struct.unpack_from(f"{order}HH", data, position)
        if code == 0:
            return
        yield code, data[position + 4 : position + 4 + length]
        position += 4 + length + -length % 4


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface], now: int) -> Record | None:
    """The record of one packet block; a simple one (4.4) has no time of its own and takes `now`."""
    head = _PACKET_HEADS[order][kind]
    start = head.size
    if len(body) < start:
        return None
    fields = head.unpack_from(body)
    index = 0 if kind == _SIMPLE else fields[0]
    if index >= len(interfaces):
        return None
    interface = interfaces[index]
    captured = min(fields[0], len(body) - start) if kind == _SIMPLE else fields[-2]
    data = body[start : start + captured]
    if len(data) < captured:
        return None
    at = now if kind == _SIMPLE else _time(fields[-4], fields[-3], interface)
    return _entry(at, interface.name, interface.link_type, data) if 0 <= at < LATEST else None


def _time(high: int, low: int, interface: _Interface) -> int:
    return ((high << 32) | low) * _NS // interface.per_second + interface.offset * _NS
