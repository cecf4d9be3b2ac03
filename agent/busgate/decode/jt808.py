"""JT/T 808, the protocol between a terminal (T-box) and its platform, in its editions of 2011, 2013 and 2019.

Law: any bytes give a `Pdu` or None, never an exception, and no message is dropped for being unknown, broken or
encrypted: what cannot be read stays in hexadecimal. `fields` holds the header, then the body's fields beside it:

- `message_id`, `attributes`, `body_length`, `encryption` (0 none, 1 RSA), `version_flag` (bit 14), `subpackage` (bit
  13), `protocol_version` (2019), `phone` (all BCD digits), `serial`, `parts` and `part` (0 if not split), `checksum`;
  `edition`, by which the body was read; `body_hex`, all of the body; `encrypted` if it is; `doubt` where
  its receiver may read it otherwise.
- the body's fields under the standard's names in English, as `jt808_layout` says: numbers as transmitted, beside them
  what they are in a unit (`speed_kmh`, `latitude_deg`), mean (`result_name`) or consist of (`alarms`, `status`). Times
  are `YYYY-MM-DDThh:mm:ss` in GMT+8. `body` is the same as a class, None if the body is not read or ends early.

A part of a split message is a Pdu without body fields; `jt808_parts.Reassembler` gives the whole.
The direction is the number's: 0x8000-0xAFFF goes down, 0x0000-0x7FFF up; of the ranges that 2019 leaves to makers
0xE000-0xEFFF goes up and 0xF000-0xFFFF down. JT/T 905 (taxis) has its own tables in `jt905`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from busgate.decode.jt808_bodies_area import AREAS
from busgate.decode.jt808_bodies_control import CONTROLS
from busgate.decode.jt808_bodies_data import DATA
from busgate.decode.jt808_bodies_media import MEDIA
from busgate.decode.jt808_bodies_safety import SAFETY
from busgate.decode.jt808_bodies_session import SESSION
from busgate.decode.jt808_bodies_terminal import TERMINAL
from busgate.decode.jt808_bodies_text import TEXTS
from busgate.decode.jt808_bodies_video import VIDEO
from busgate.decode.jt808_frame import Frame, parse
from busgate.decode.jt808_layout import Reading
from busgate.decode.jt808_location import LOCATIONS
from busgate.decode.jt808_message import Message, Table
from busgate.decode.jt808_recorder import RECORDER
from busgate.model import Direction, Pdu

PROTOCOL = "jt808"

OLDER = 2013
"""What a frame without the version bit is read as, where the caller does not say."""
NEWEST = 2019
EDITIONS = (None, 2011, OLDER, NEWEST)
"""What a caller may say of the edition."""

_SHORT_RESPONSE = 0x4401
"""A vendor family's answer of the platform, outside the ranges of the standard."""

MESSAGES: Table = {
    **SESSION,
    **TERMINAL,
    **LOCATIONS,
    **TEXTS,
    **CONTROLS,
    **AREAS,
    **RECORDER,
    **DATA,
    **MEDIA,
    **VIDEO,
    **SAFETY,
}


def read(raw: bytes, edition: int | None = None) -> Pdu | None:
    """Read one whole frame, with its delimiters or without; None if it has no room for a header.

    `edition` is 2011, 2013 or 2019, or None to take 2019 where the header has its form and 2013 elsewhere.
    """
    frame = parse(raw)
    return None if frame is None else pdu_of(frame, edition)


def pdu_of(frame: Frame, edition: int | None = None) -> Pdu:
    """The Pdu of a frame that was parsed already.

    Raises:
        ValueError: there is no such edition.
    """
    if edition not in EDITIONS:
        raise ValueError(f"JT/T 808 has no edition of {edition}")
    return _pdu(frame, edition or (OLDER if frame.version is None else NEWEST), edition is not None)


def whole(first: Pdu, body: bytes, flaws: tuple[str, ...], edition: int | None = None) -> Pdu:
    """A message that came in parts, from the Pdu of the first of them and the whole body."""
    known = {name: first.fields[name] for name in _KEPT if name in first.fields}
    header = {**known, "body_length": len(body), "part": 0, "reassembled": True}
    return with_body(
        PROTOCOL, MESSAGES, header, body, edition or first.fields["edition"], certain=edition is not None, flaws=flaws
    )


def doubtful(pdu: Pdu, why: str) -> Pdu:
    """A message that its receiver may take for another: `doubt` says why."""
    return replace(pdu, fields={**pdu.fields, "doubt": why}, flaws=(*pdu.flaws, why))


_KEPT = (
    "message_id",
    "attributes",
    "encryption",
    "version_flag",
    "subpackage",
    "protocol_version",
    "phone",
    "serial",
    "parts",
)


def direction_of(message_id: int) -> Direction:
    """Which way messages of this number go."""
    if message_id == _SHORT_RESPONSE:
        return Direction.DOWN
    if message_id < 0x8000 or 0xE000 <= message_id < 0xF000:
        return Direction.UP
    return Direction.DOWN if message_id < 0xB000 or message_id >= 0xF000 else Direction.UNKNOWN


def name_of(message_id: int, messages: Table = MESSAGES) -> str:
    """What the standard calls it, or that it is a maker's, or unknown."""
    if message_id in messages:
        return messages[message_id].name
    vendor = message_id >> 8 in {0x0F, 0x8F} or message_id >= 0xE000
    return f"{'vendor' if vendor else 'unknown'} 0x{message_id:04X}"


def _pdu(frame: Frame, edition: int, certain: bool) -> Pdu:
    header: dict[str, Any] = {
        "message_id": frame.message_id,
        "attributes": frame.attributes,
        "body_length": frame.body_length,
        "encryption": frame.encryption,
        "version_flag": frame.attributes >> 14 & 1,
        "subpackage": int(frame.split),
    }
    if frame.version is not None:
        header["protocol_version"] = frame.version
    header |= {"phone": frame.phone, "serial": frame.serial, "parts": frame.parts, "part": frame.part}
    header["checksum"] = frame.checksum
    if frame.alternative:
        header["delimiter"] = "e7"
    is_part = frame.split and frame.parts > 1
    return with_body(
        PROTOCOL, MESSAGES, header, frame.body, edition, certain=certain, flaws=frame.flaws, is_part=is_part
    )


def with_body(  # noqa: PLR0913 - what makes a Pdu: whose, read how, and what of
    protocol: str,
    messages: Table,
    header: dict[str, Any],
    body: bytes,
    edition: int,
    *,
    certain: bool,
    flaws: tuple[str, ...],
    is_part: bool = False,
) -> Pdu:
    """A Pdu from its header's fields and its body, read as `messages` say; `certain` as in `jt808_message.Reader`.

    The body of a part of a message is not read.
    """
    message_id = header["message_id"]
    fields: dict[str, Any] = {}
    structure: object | None = None
    message = messages.get(message_id)
    if header.get("encryption"):
        fields["encrypted"] = True
    elif message is not None and not is_part:
        reading, edition = _read(message, body, edition, certain)
        structure = reading.body
        fields |= reading.fields
        flaws = (*flaws, *reading.flaws)
    # The header's names win; bodies have none of them.
    fields = {**header, **fields, **header, "edition": edition, "body_hex": body.hex()}
    return Pdu(protocol, name_of(message_id, messages), message_id, direction_of(message_id), fields, structure, flaws)


def _read(message: Message, body: bytes, edition: int, certain: bool) -> tuple[Reading, int]:
    """The body by this edition; by the other if this one is a guess that does not fit and the other fits exactly."""
    reading = message.read(body, edition, certain)
    if not reading.flaws or certain:
        return reading, edition
    other = OLDER if edition == NEWEST else NEWEST
    second = message.read(body, other, True)
    if second.flaws:
        return reading, edition
    return second._replace(flaws=(f"the body has the form of {other}, the header that of {edition}",)), other
