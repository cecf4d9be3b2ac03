"""What units mean: messages on the CAN wires, and from the cloud, as their decoders read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from busgate.model.cloud import CloudMessage
from busgate.model.units import Side, Value


@dataclass(frozen=True, slots=True)
class CanMessage:
    """A frame that is not J1939: 11-bit, or 29-bit outside J1939 by the profile. `name` is None when no DBC has it."""

    at: int
    side: Side
    can_id: int
    data: bytes
    name: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """A J1939 parameter group, from one frame or announced by a transport session.

    `da` is `GLOBAL_ADDRESS` for broadcast groups. While a transport session is only announced `complete` is
    False, `data` is what is known so far (often nothing) and `length` what was announced, in bytes.
    """

    at: int
    side: Side
    pgn: int
    sa: int
    da: int
    priority: int
    data: bytes
    length: int
    complete: bool = True
    name: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)


class DiagnosticKind(StrEnum):
    """Which part of a UDS exchange a payload is (ISO 14229-1, 8.2-8.6)."""

    REQUEST = "request"
    POSITIVE = "positive"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A UDS payload, whole or as far as its ISO-TP First Frame shows it.

    `source` and `target` are the diagnostic addresses: SA and TA bytes on 29-bit identifiers; on 11-bit ones the
    *request* identifier names the ECU, and the tester is -1. `dids` and `routine` are as far as the bytes show.
    """

    at: int
    side: Side
    can_id: int
    source: int
    target: int
    functional: bool
    kind: DiagnosticKind
    sid: int
    service: str
    alters_state: bool
    data: bytes
    length: int
    complete: bool = True
    subfunction: int | None = None
    suppressed: bool = False
    dids: tuple[int, ...] = ()
    routine: int | None = None
    nrc: int | None = None
    extra: int = 0
    """Bytes that follow all that the service takes."""


WireMessage = CanMessage | ParameterGroup | Diagnostic
"""What frames carry."""

Message = WireMessage | CloudMessage
