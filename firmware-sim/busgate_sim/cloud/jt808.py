"""JT/T 808 messages to frames and back: escape, checksum, header (JT/T 808-2011, -2013 and -2019, clause 4.4).

Law: any bytes between two delimiters are a `Message` or `Refused`. A wrong checksum or length is written down in
`flaws` and the message still read: devices are met that obey such messages, so a platform may send one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import reduce
from operator import xor

from busgate_sim.cloud.octets import ContradictionError, Octets, Refused

DELIMITER = 0x7E
MOST_BODY = 0x3FF
"""Octets of body that one frame carries; longer bodies are split."""

_LENGTH = 0x3FF
_SPLIT = 0x2000
_WITH_VERSION = 0x4000
_RESERVED = 0x8000
_FIRST_REVISION = 1


class Edition(IntEnum):
    """Which text of the standard two peers speak; the header only tells 2019 from the older two."""

    Y2011 = 2011
    Y2013 = 2013
    Y2019 = 2019


@dataclass(frozen=True, slots=True)
class Message:
    """One message, or one part of a split one.

    `phone` is the terminal's number as its BCD digits, 12 of them (2019: 20); `encryption` the three bits of the
    header (0 none, 1 RSA); `part` and `parts` count a split message from 1, 0 of 0 is whole. `revision` is the
    protocol version octet of 2019. `flaws` says what a receiver found wrong with the frame.
    """

    number: int
    phone: str
    serial: int
    body: bytes = b""
    edition: Edition = Edition.Y2019
    encryption: int = 0
    part: int = 0
    parts: int = 0
    revision: int = _FIRST_REVISION
    flaws: tuple[str, ...] = ()


def encode(message: Message) -> bytes:
    """The frame, delimiters included.

    Raises:
        ValueError: a field does not fit the header; `split` cuts long bodies.
    """
    if len(message.body) > MOST_BODY:
        raise ValueError(f"{len(message.body)} octets of body, one frame carries {MOST_BODY}: split it")
    newest = message.edition is Edition.Y2019
    digits = 20 if newest else 12
    if len(message.phone) > digits:
        raise ValueError(f"the number {message.phone} has more than {digits} digits")
    attributes = len(message.body) | (message.encryption & 7) << 10
    attributes |= (_SPLIT if message.parts else 0) | (_WITH_VERSION if newest else 0)
    header = message.number.to_bytes(2) + attributes.to_bytes(2)
    header += bytes([message.revision]) if newest else b""
    header += bytes.fromhex(message.phone.zfill(digits)) + message.serial.to_bytes(2)
    if message.parts:
        header += message.parts.to_bytes(2) + message.part.to_bytes(2)
    plain = header + message.body
    return bytes([DELIMITER]) + escape(plain + bytes([checksum(plain)])) + bytes([DELIMITER])


def decode(frame: bytes, older: Edition = Edition.Y2013) -> Message | Refused:
    """A frame to its message; `older` is what a frame without the version flag is taken for."""
    plain = unescape(frame.strip(bytes([DELIMITER])))
    if isinstance(plain, Refused):
        return plain
    if not plain:
        return Refused("frame: no octets between the delimiters")
    octets = Octets(plain[:-1])
    try:
        message, length = _header(octets, older)
    except ContradictionError as short:
        return Refused(f"header: {short}")
    body = octets.rest()
    flaws = list(message.flaws)
    if checksum(plain[:-1]) != plain[-1]:
        flaws.append("checksum")
    if len(body) != length:
        flaws.append("length")
    return replace(message, body=body, flaws=tuple(flaws))


def _header(octets: Octets, older: Edition) -> tuple[Message, int]:
    number, attributes = octets.number(2), octets.number(2)
    newest = bool(attributes & _WITH_VERSION)
    revision = octets.number(1) if newest else _FIRST_REVISION
    phone = octets.take(10 if newest else 6).hex()
    serial = octets.number(2)
    parts, part = (octets.number(2), octets.number(2)) if attributes & _SPLIT else (0, 0)
    flaws: tuple[str, ...] = ("reserved bit",) if attributes & _RESERVED else ()
    if attributes & _SPLIT and not 1 <= part <= parts:
        raise ContradictionError(f"part {part} of {parts}")
    message = Message(
        number=number,
        phone=phone,
        serial=serial,
        edition=Edition.Y2019 if newest else older,
        encryption=attributes >> 10 & 7,
        part=part,
        parts=parts,
        revision=revision,
        flaws=flaws,
    )
    return message, attributes & _LENGTH


def checksum(plain: bytes) -> int:
    """The exclusive or of all octets from the header to the body's end (4.4.4)."""
    return reduce(xor, plain, 0)


def escape(plain: bytes) -> bytes:
    """What stands between the delimiters: 7d as 7d 01, 7e as 7d 02 (4.4.2)."""
    return plain.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")


def unescape(escaped: bytes) -> bytes | Refused:
    """What `escape` was given."""
    first, *others = escaped.split(b"\x7d")
    plain = bytearray(first)
    for other in others:
        if other[:1] not in {b"\x01", b"\x02"}:
            return Refused("escape: 7d is followed by neither 01 nor 02")
        plain.append(0x7C + other[0])
        plain += other[1:]
    return bytes(plain)
