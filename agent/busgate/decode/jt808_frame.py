"""One JT/T 808 or 905 frame to its header and body: delimiters, escapes, checksum, header forms (JT/T 808-2019, 4.4).

Law: any bytes give a `Frame`, or None when they cannot hold a header. Wrong checksum, wrong length and unknown escapes
are flaws of a frame that is read all the same, because devices are met that obey such frames. Which header form a frame
has is said by attribute bit 14; where the frame's length fits only the other form, the length is right and the bit is
a flaw.

Beside `7e` frames, those of one family of devices are read (seen in public decoders): delimiter `e7`, escapes
`e6 01` for e6, `e6 02` for e7, `3e 01` for 3e, `3e 02` for 3d, and seven octets of terminal number instead of six.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor

DELIMITER = 0x7E
ALTERNATIVE = 0xE7

MOST_BODY = 0x3FF
"""Octets of body that the header's length can say."""

_SPLIT = 0x2000
VERSION = 0x4000
"""The attribute bit that says the header has the form of 2019; reserved in the editions before."""

_RESERVED = 0x8000
_TAXI_HEADER = 12

# The numbers of two vendor messages whose serial number has one octet.
_SHORT_SERIAL = frozenset({0x5501, 0x5502})

_ESCAPED = {DELIMITER: re.compile(rb"\x7d(.?)", re.DOTALL), ALTERNATIVE: re.compile(rb"[\xe6\x3e](.?)", re.DOTALL)}
_MEANT = {
    b"\x7d\x01": b"\x7d",
    b"\x7d\x02": b"\x7e",
    b"\xe6\x01": b"\xe6",
    b"\xe6\x02": b"\xe7",
    b"\x3e\x01": b"\x3e",
    b"\x3e\x02": b"\x3d",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame without its delimiters and escapes.

    `message_id` and `attributes` are the header's first words; `body_length` (bits 0-9), `encryption` (bits 10-12; bit
    10 is RSA) and `split` (bit 13) are part of the latter. `version` is the protocol version octet of the 2019 form,
    None in the older one. `phone` has all BCD digits of the terminal number (JT/T 905: ISU number), leading zeros too.
    `part` of `parts` counts from 1, and is 0 of 0 in a message that is not split. `checksum` is the one received.
    """

    message_id: int
    attributes: int
    body_length: int
    encryption: int
    version: int | None
    phone: str
    serial: int
    split: bool
    parts: int
    part: int
    body: bytes
    checksum: int
    alternative: bool
    flaws: tuple[str, ...]


def parse(raw: bytes, *, taxi: bool = False) -> Frame | None:
    """A whole frame, with its delimiters or without; None if it has no room for a header and a checksum.

    `taxi` reads the header of JT/T 905, whose second word is the body's length and nothing else.
    """
    alternative = len(raw) > 1 and raw[0] == raw[-1] == ALTERNATIVE
    delimiter = ALTERNATIVE if alternative else DELIMITER
    return parse_content(raw.strip(bytes([delimiter])), delimiter, taxi=taxi)


def parse_content(content: bytes, delimiter: int = DELIMITER, *, taxi: bool = False) -> Frame | None:
    """What stands between two delimiters, still escaped."""
    flaws: list[str] = []
    plain = _unescape(content, delimiter, flaws)
    if len(plain) < 5:
        return None
    return _parse_taxi(plain, flaws) if taxi else _parse_plain(plain, delimiter == ALTERNATIVE, flaws)


def _parse_taxi(plain: bytes, flaws: list[str]) -> Frame | None:
    if len(plain) <= _TAXI_HEADER:
        return None
    length, body = int.from_bytes(plain[2:4]), plain[_TAXI_HEADER:-1]
    _check(plain, body, length, flaws)
    return Frame(
        message_id=int.from_bytes(plain[:2]),
        attributes=length,
        body_length=length,
        encryption=0,
        version=None,
        phone=plain[4:10].hex(),
        serial=int.from_bytes(plain[10:12]),
        split=False,
        parts=0,
        part=0,
        body=body,
        checksum=plain[-1],
        alternative=False,
        flaws=tuple(flaws),
    )


def _check(plain: bytes, body: bytes, length: int, flaws: list[str]) -> None:
    if len(body) != length:
        flaws.append(f"the header says {length} bytes of body, there are {len(body)}")
    if (right := checksum(plain[:-1])) != plain[-1]:
        flaws.append(f"checksum is {plain[-1]:02x}, should be {right:02x}")


def _unescape(content: bytes, delimiter: int, flaws: list[str]) -> bytes:
    def meant(found: re.Match[bytes]) -> bytes:
        octets = found[0]
        if octets not in _MEANT:
            flaws.append(f"{octets.hex(' ')} is no escape")
            return octets
        return _MEANT[octets]

    return _ESCAPED[delimiter].sub(meant, content)


def checksum(plain: bytes) -> int:
    """The exclusive or of all octets from the header to the body's end (4.4.4)."""
    return reduce(xor, plain, 0)


def _parse_plain(plain: bytes, alternative: bool, flaws: list[str]) -> Frame | None:
    message_id, attributes = int.from_bytes(plain[:2]), int.from_bytes(plain[2:4])
    versioned = _has_version(plain, message_id, attributes, alternative)
    size = _header_size(message_id, attributes, versioned, alternative)
    if len(plain) - 1 < size:
        return None
    if versioned != bool(attributes & VERSION):
        flaws.append(f"the version bit says {'older' if versioned else '2019'}, the length says otherwise")
    if attributes & _RESERVED:
        flaws.append("attribute bit 15 is reserved and set")
    tail = 4 if attributes & _SPLIT else 0
    width = 1 if message_id in _SHORT_SERIAL else 2
    parts, part = int.from_bytes(plain[size - 4 : size - 2]), int.from_bytes(plain[size - 2 : size])
    if tail and not 1 <= part <= parts:
        flaws.append(f"part {part} of {parts} cannot be")
    body, length = plain[size:-1], attributes & MOST_BODY
    _check(plain, body, length, flaws)
    return Frame(
        message_id=message_id,
        attributes=attributes,
        body_length=length,
        encryption=attributes >> 10 & 7,
        version=plain[4] if versioned else None,
        phone=plain[5 if versioned else 4 : size - tail - width].hex(),
        serial=int.from_bytes(plain[size - tail - width : size - tail]),
        split=bool(tail),
        parts=parts if tail else 0,
        part=part if tail else 0,
        body=body,
        checksum=plain[-1],
        alternative=alternative,
        flaws=tuple(flaws),
    )


def _header_size(message_id: int, attributes: int, versioned: bool, alternative: bool) -> int:
    number = 11 if versioned else 7 if alternative else 6
    return 4 + number + (1 if message_id in _SHORT_SERIAL else 2) + (4 if attributes & _SPLIT else 0)


def _has_version(plain: bytes, message_id: int, attributes: int, alternative: bool) -> bool:
    """Whether the header has the form of 2019: bit 14 says so, unless only the other form fits the frame's length."""
    said = bool(attributes & VERSION)
    length = len(plain) - 1 - (attributes & MOST_BODY)
    if length == _header_size(message_id, attributes, said, alternative):
        return said
    other = _header_size(message_id, attributes, not said, alternative)
    if length == other and (said or plain[4] == 1) and plain[5 if not said else 4 : 10].hex().isdecimal():
        return not said
    # Too short for what the bit says, long enough for the other.
    if said and len(plain) - 1 < _header_size(message_id, attributes, said, alternative) and len(plain) - 1 >= other:
        return False
    return said
