"""One UDS payload to what it asks or answers, whole or as far as the first frame of its transfer shows it.

Law: any bytes give a `Reading` or a `Bad`, never an exception. Requests must have all parameters their service
demands, because what no ECU would take is not a command; answers are read as far as they go, because a short answer
is still an answer. What is announced but not visible yet is absent, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from busgate.decode.uds_fields import Fields, label, rest, run
from busgate.decode.uds_names import NEGATIVE_RESPONSES
from busgate.decode.uds_services import NEGATIVE_RESPONSE, RESPONSE_BIT, SERVICES
from busgate.model import DiagnosticKind, Value

UNKNOWN_SERVICE = "UnknownService"
"""What an ECU refused when it refused a SID that no standard has."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A UDS payload understood.

    `sid` is its first byte, `request_sid` the service it belongs to (both the same in a request). `payload` is what
    was visible of `length` bytes. `subfunction` is without the suppress bit, which is `suppressed`. `dids` are the
    data identifiers read, written, controlled or defined; of an answer to ReadDID only the first, since the lengths
    between the others are the ECU's secret (`split_dids` knows more). `details` holds every parameter by name.
    """

    kind: DiagnosticKind
    sid: int
    request_sid: int
    service: str
    alters_state: bool
    payload: bytes
    length: int
    complete: bool
    subfunction: int | None = None
    suppressed: bool = False
    dids: tuple[int, ...] = ()
    routine: int | None = None
    nrc: int | None = None
    nrc_name: str = ""
    details: Mapping[str, Value] = field(default_factory=dict)
    extra: int = 0
    """Bytes that follow all that the service takes; in `details` as well."""


class Bad(NamedTuple):
    """Bytes that are no UDS payload, and why in one phrase."""

    reason: str


def read(payload: bytes, *, complete: bool = True, length: int | None = None) -> Reading | Bad:
    """Read a payload; with `complete=False` these are its first bytes and `length` what was announced, if known."""
    if not payload:
        return Bad("the payload is empty")
    seen = len(payload)
    total = seen if complete else None if length is None else max(length, seen)
    if payload[0] == NEGATIVE_RESPONSE:
        return _negative(payload, complete, total)
    return _request_or_positive(payload, complete, total)


def _request_or_positive(payload: bytes, complete: bool, total: int | None) -> Reading | Bad:
    """8.4: bit 6 of the SID tells an answer from a request."""
    sid = payload[0]
    answer = bool(sid & RESPONSE_BIT)
    request_sid = sid & ~RESPONSE_BIT
    service = SERVICES.get(request_sid)
    if service is None:
        return Bad(f"no service has the identifier 0x{sid:02X}")
    fields = Fields(payload, total, at=1)
    extra = 0
    if run(service.response if answer else service.request, fields) and total is not None and not fields.ended:
        extra = fields.length - fields.at if fields.length is not None else 0
        rest("extra")(fields)
    if fields.fault and not answer:
        return Bad(f"{service.name} {fields.fault}")
    return Reading(
        DiagnosticKind.POSITIVE if answer else DiagnosticKind.REQUEST,
        sid,
        request_sid,
        service.name,
        service.alters_state and not answer,
        payload,
        len(payload) if total is None else total,
        complete,
        subfunction=fields.subfunction,
        suppressed=fields.suppressed and not answer,
        dids=tuple(fields.dids),
        routine=fields.routine,
        details=fields.values,
        extra=extra,
    )


def _negative(payload: bytes, complete: bool, total: int | None) -> Reading | Bad:
    """8.5: 7F, the SID that was refused, and the reason (annex A.1)."""
    if len(payload) < 3:
        return Bad(f"a negative response has 3 bytes, this one {len(payload)}")
    request_sid, nrc = payload[1], payload[2]
    service = SERVICES.get(request_sid)
    return Reading(
        DiagnosticKind.NEGATIVE,
        NEGATIVE_RESPONSE,
        request_sid,
        service.name if service else UNKNOWN_SERVICE,
        False,
        payload,
        len(payload) if total is None else total,
        complete,
        nrc=nrc,
        nrc_name=label(nrc, NEGATIVE_RESPONSES),
    )


def split_dids(payload: bytes, asked: tuple[int, ...]) -> dict[int, bytes]:
    """The data of each identifier in a whole answer to ReadDID that was asked for `asked`, in that order (11.2).

    Nothing says where one value ends, so each identifier must appear once only behind the one before it;
    where that is not so, or the answer is to something else, the result is empty.
    """
    if not asked or payload[1:3] != asked[0].to_bytes(2):
        return {}
    places = [1]
    for did in asked[1:]:
        place = payload.find(did.to_bytes(2), places[-1] + 2)
        if place < 0 or payload.find(did.to_bytes(2), place + 1) >= 0:
            return {}
        places.append(place)
    return {did: payload[place + 2 : end] for did, place, end in zip(asked, places, [*places[1:], None], strict=True)}
