"""Log entries on the way to the SOC: a 16-byte header, then a tlog-tiles entry bundle.

Header, big endian: `BGE1`, u8 version (1), u8 codec (0 raw, 1 zlib), u16 count, u64 index of the first entry.
Body (C2SP tlog-tiles, "Log Entries"): each entry as u16 length and that many bytes, once the codec is undone.

Law: decoding is strict and bounded. One byte too many or too few, an unknown codec, a body that inflates beyond
`MAX_BODY`: the whole bundle is `NotABundle`, a value with its reason; no bytes raise.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from busgate.model import BusgateError

MAGIC: Final = b"BGE1"
VERSION: Final = 1
RAW: Final = 0
ZLIB: Final = 1
MAX_ENTRIES: Final = 256
"""A full tile (C2SP tlog-tiles)."""
MAX_ENTRY: Final = 0xFFFF
MAX_BODY: Final = 1 << 20
"""Bytes of a body once inflated: 16 of the largest entries, or 256 of 4 KiB."""
MAX_INDEX: Final = (1 << 63) - 1

_HEADER: Final = struct.Struct(">4sBBHQ")
_LENGTH: Final = struct.Struct(">H")
_FAST: Final = 1
"""zlib's level: entries of one log resemble each other, and the vehicle's processor has better to do."""


class BundleError(BusgateError):
    """Entries that no bundle can hold."""


class Bundle(NamedTuple):
    """Consecutive log entries, the first at index `first`; each is the exact bytes of its leaf."""

    first: int
    entries: tuple[bytes, ...]

    @property
    def end(self) -> int:
        """The index after the last entry."""
        return self.first + len(self.entries)


class NotABundle(NamedTuple):
    """Why some bytes are no bundle."""

    reason: str


def fitting(entries: Sequence[bytes], room: int = MAX_BODY) -> int:
    """How many of the leading `entries` one bundle can hold in a body of `room` bytes."""
    for count, entry in enumerate(entries[:MAX_ENTRIES]):
        room -= _LENGTH.size + len(entry)
        if room < 0:
            return count
    return min(len(entries), MAX_ENTRIES)


def encode(first: int, entries: Sequence[bytes]) -> bytes:
    """The bytes of a bundle, deflated where that is shorter; raises BundleError when they do not fit."""
    if not entries or fitting(entries) < len(entries):
        raise BundleError(f"{len(entries)} entries are not a bundle; send 1 to {MAX_ENTRIES} of them, see fitting()")
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise BundleError(f"a log entry is longer than {MAX_ENTRY} bytes; write a shorter one")
    if not 0 <= first <= MAX_INDEX - len(entries):
        raise BundleError(f"{first} is not the index of a log entry")
    raw = b"".join(_LENGTH.pack(len(entry)) + entry for entry in entries)
    packed = zlib.compress(raw, _FAST)
    codec, body = (ZLIB, packed) if len(packed) < len(raw) else (RAW, raw)
    return _HEADER.pack(MAGIC, VERSION, codec, len(entries), first) + body


def decode(payload: bytes) -> Bundle | NotABundle:
    """Read a bundle; foreign bytes give `NotABundle`."""
    if len(payload) < _HEADER.size:
        return NotABundle(f"{len(payload)} bytes are shorter than the header")
    magic, version, codec, count, first = _HEADER.unpack_from(payload)
    if (magic, version) != (MAGIC, VERSION):
        return NotABundle("it does not begin with BGE1, version 1")
    if not 1 <= count <= MAX_ENTRIES or first > MAX_INDEX - count:
        return NotABundle(f"{count} entries from index {first} are out of range")
    body = _body(codec, payload[_HEADER.size :])
    return body if isinstance(body, NotABundle) else _split(body, first, count)


def _body(codec: int, data: bytes) -> bytes | NotABundle:
    match codec:
        case 0:
            return data if len(data) <= MAX_BODY else NotABundle(f"its body is longer than {MAX_BODY} bytes")
        case 1:
            return _inflate(data)
        case _:
            return NotABundle(f"codec {codec} is unknown")


def _inflate(packed: bytes) -> bytes | NotABundle:
    inflator = zlib.decompressobj()
    try:
        body = inflator.decompress(packed, MAX_BODY + 1)
    except zlib.error:
        return NotABundle("its body is not zlib data")
    if len(body) > MAX_BODY:
        return NotABundle(f"its body inflates beyond {MAX_BODY} bytes")
    if not inflator.eof:
        return NotABundle("its zlib data ends early")
    if inflator.unused_data:
        return NotABundle("bytes follow its zlib data")
    return body


def _split(body: bytes, first: int, count: int) -> Bundle | NotABundle:
    entries: list[bytes] = []
    at = 0
    for _ in range(count):
        start = at + _LENGTH.size
        if start > len(body):
            return NotABundle(f"it says {count} entries and holds {len(entries)}")
        at = start + _LENGTH.unpack_from(body, start - _LENGTH.size)[0]
        if at > len(body):
            return NotABundle(f"entry {len(entries)} ends early")
        entries.append(body[start:at])
    if at != len(body):
        return NotABundle(f"{len(body) - at} bytes follow the last entry")
    return Bundle(first, tuple(entries))
