"""JT/T 905, the protocol between a taxi's unit (ISU) and its centre, which shares the frames of JT/T 808.

Law: as of `jt808`, any bytes give a `Pdu` or None, and nothing is dropped. The header is `message_id`, `body_length`
(the whole word; nothing is split or encrypted), `isu` (BCD[6]; as `phone` too, where 808 has it), `serial` and
`checksum`. A number that JT/T 905 does not have is read as JT/T 808-2013 has it, since units of that time speak both.
"""

from __future__ import annotations

from busgate.decode import jt808
from busgate.decode.jt808_frame import Frame, parse
from busgate.decode.jt808_message import Table
from busgate.decode.jt905_bodies import BODIES
from busgate.decode.jt905_location import LOCATIONS
from busgate.decode.jt905_orders import ORDERS
from busgate.model import Pdu

PROTOCOL = "jt905"

MESSAGES: Table = {**jt808.MESSAGES, **LOCATIONS, **BODIES, **ORDERS}


def read905(raw: bytes) -> Pdu | None:
    """Read one whole frame, with its delimiters or without; None if it has no room for a header."""
    frame = parse(raw, taxi=True)
    return None if frame is None else pdu_of(frame)


def pdu_of(frame: Frame, _edition: int | None = None) -> Pdu:
    """The Pdu of a frame that was parsed already, with `taxi`."""
    header = {
        "message_id": frame.message_id,
        "body_length": frame.body_length,
        "isu": frame.phone,
        "phone": frame.phone,
        "serial": frame.serial,
        "checksum": frame.checksum,
    }
    return jt808.with_body(PROTOCOL, MESSAGES, header, frame.body, jt808.OLDER, certain=True, flaws=frame.flaws)
