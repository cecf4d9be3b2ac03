"""pcapng written, and what this wrote cut into blocks again: frames, packets and short messages in one file.

Law: little endian, times in ns, an interface for each (side, link type) before its first packet; every block stands for
itself, so that a file cut anywhere is whole up to there. CAN frames are LINKTYPE_CAN_SOCKETCAN. Short messages, for
which there is no link type, are LINKTYPE_USER0 on an interface named `sms`: JSON, with the text again as a comment,
which is what Wireshark shows. Format: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import NamedTuple

from busgate.model import REMOTE, Frame, Packet, Side, Sms, Unit

SOCKETCAN, USER0 = 227, 147
"""LINKTYPE_ numbers."""
SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
"""Block types."""

_COMMENT, _APPLICATION = 1, 4
_IF_NAME, _IF_DESCRIPTION, _IF_TSRESOL = 2, 3, 9
_HEAD = struct.Struct("<II")
_LENGTH = struct.Struct("<I")
_PACKET = struct.Struct("<IIIIIII")
_CAN = struct.Struct(">IBB2x")
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
_WORDS = {
    Side.TBOX: "first seen on the T-box's wire",
    Side.VEHICLE: "first seen on the vehicle's wire",
    Side.TAP: "seen on a shared wire",
}


class Source(NamedTuple):
    """An interface of a file."""

    name: str
    side: Side
    link_type: int


def source(unit: Unit, name: str = "") -> Source:
    """The interface a unit belongs to; `name` is that of the wire, where it is known."""
    match unit:
        case Frame():
            return Source(name or f"{unit.side}-can", unit.side, SOCKETCAN)
        case Packet():
            return Source(name or f"{unit.side}-ip", unit.side, unit.link_type)
        case Sms():
            return Source("sms", unit.side, USER0)


def section(comment: str = "") -> bytes:
    """The beginning of a file (4.1)."""
    options = (_option(_COMMENT, _text(comment)) if comment else b"") + _option(_APPLICATION, b"busgate")
    return _block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options + bytes(4))


def interface(of: Source) -> bytes:
    """Tells of an interface (4.2); the first one told is number 0."""
    options = _option(_IF_NAME, _text(of.name)) + _option(_IF_DESCRIPTION, _WORDS[of.side].encode())
    options += _option(_IF_TSRESOL, b"\x09") + bytes(4)
    return _block(INTERFACE, struct.pack("<HHI", of.link_type & 0xFFFF, 0, 0) + options)


def packet(number: int, at: int, unit: Unit) -> bytes:
    """One unit on interface `number` at Unix time `at` in ns (4.3)."""
    data, options = unit.data, b""
    if isinstance(unit, Frame):
        data = _CAN.pack(unit.can_id, len(data), unit.flags & 0xFF) + (b"" if unit.can_id & REMOTE else data)
    elif isinstance(unit, Sms):
        data = _message(unit)
        way = "to" if unit.outgoing else "from"
        options = _option(_COMMENT, _text(f"SMS {way} {unit.number}: {unit.text}")) + bytes(4)
    size, at = len(data), max(0, at)
    length = 32 + size + (-size & 3) + len(options)
    head = _PACKET.pack(PACKET, length, number, at >> 32 & 0xFFFFFFFF, at & 0xFFFFFFFF, size, size)
    return b"%b%b%b%b%b" % (head, data, _PADDING[size & 3], options, _LENGTH.pack(length))


def short_message(unit: Packet) -> Sms | None:
    """A short message read back from its packet; None when it is none."""
    if unit.link_type != USER0:
        return None
    try:
        said = json.loads(unit.data)
        return Sms(
            unit.at,
            unit.side,
            str(said["number"]),
            bytes.fromhex(said["pdu"]),
            str(said["text"]),
            bytes.fromhex(said["data"]),
            bool(said["outgoing"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


class Block(NamedTuple):
    """One block of a file, by its place in the bytes."""

    kind: int
    start: int
    end: int


def blocks(data: bytes) -> Iterator[Block]:
    """The whole blocks of a file that was written here, up to where it was cut."""
    start = 0
    while start + 12 <= len(data):
        kind, length = _HEAD.unpack_from(data, start)
        end = start + length
        least = _PACKET.size + 4 if kind == PACKET else 16
        if length < least or length & 3 or end > len(data) or data[end - 4 : end] != data[start + 4 : start + 8]:
            return
        yield Block(kind, start, end)
        start = end


def packet_time(data: bytes, start: int) -> tuple[int, int]:
    """Interface and Unix time in ns of the packet block at `start`."""
    _, _, number, high, low, _, _ = _PACKET.unpack_from(data, start)
    return number, high << 32 | low


def renumbered(block: bytes, number: int) -> bytes:
    """A packet block moved to another interface."""
    return block[:8] + _LENGTH.pack(number) + block[12:]


def link_type(block: bytes) -> int:
    """The link type that an interface block tells."""
    return block[8] | block[9] << 8


def _message(unit: Sms) -> bytes:
    said = {
        "number": unit.number,
        "outgoing": unit.outgoing,
        "text": unit.text,
        "pdu": unit.pdu.hex(),
        "data": unit.data.hex(),
    }
    return json.dumps(said).encode()


def _text(text: str) -> bytes:
    return text.encode("utf-8", "replace")[:4000]


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + _PADDING[len(value) & 3]


def _block(kind: int, body: bytes) -> bytes:
    length = _LENGTH.pack(12 + len(body))
    return struct.pack("<I", kind) + length + body + length
