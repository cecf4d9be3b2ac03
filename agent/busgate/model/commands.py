"""What messages ask for, and what was decided of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple

from busgate.model.messages import Message
from busgate.model.units import Value


class Subsystem(StrEnum):
    """The part of the vehicle a command reaches."""

    DRIVE = "drive"
    BMS = "bms"
    HIGH_VOLTAGE = "high-voltage"
    CHARGING = "charging"
    BRAKES = "brakes"
    STEERING = "steering"
    DOORS = "doors"
    HVAC = "hvac"
    BODY = "body"
    TELEMATICS = "telematics"
    UNKNOWN = "unknown"
    """Nothing says what it reaches. Unknown means alert, never benign."""


class Act(StrEnum):
    """What a command does to its subsystem."""

    LIMIT = "limit"
    STOP = "stop"
    ENABLE = "enable"
    SET = "set"
    WRITE = "write"
    RESET = "reset"
    FLASH = "flash"
    ROUTINE = "routine"
    IO_CONTROL = "io-control"
    UNLOCK = "unlock"
    SILENCE = "silence"
    CLEAR = "clear"
    READ = "read"
    """Asks for data and alters nothing; listed so that the inventory of remote functions is whole."""
    SEND = "send"
    """Ordinary traffic of the T-box that commands nothing known."""


class Severity(IntEnum):
    """How much an alert matters, in the order of OCSF's severity_id."""

    INFO = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5


class Argument(NamedTuple):
    """One argument of a command with its unit ("" when it has none)."""

    value: Value
    unit: str = ""


class Party(NamedTuple):
    """Who sends or receives: the profile's name for it ("" when the profile has none) and its address."""

    name: str
    address: int | None

    def __str__(self) -> str:
        """Both, as people read them: `VCU (0x27)`."""
        if self.address is None:
            return self.name or "unknown"
        address = f"0x{self.address:02X}"
        return f"{self.name} ({address})" if self.name else address


@dataclass(frozen=True, slots=True)
class Command:
    """What a T-box message asks of the vehicle. `rule` is the id of the detection rule that named it."""

    message: Message
    name: str
    subsystem: Subsystem
    act: Act
    rule: str
    source: Party
    target: Party
    arguments: Mapping[str, Argument] = field(default_factory=dict)


class Action(IntEnum):
    """What happens to a frame. The zero value blocks, so that forgetting to decide can never let one through."""

    BLOCK = 0
    PASS = 1


class Reason(StrEnum):
    """Why a verdict fell: a closed set, so that every one can be explained."""

    UNDECIDED = "undecided"
    VEHICLE_TO_TBOX = "vehicle_to_tbox"
    ALLOWED = "allowed"
    GRANTED = "granted"
    CONTINUES_ALLOWED = "continues_allowed"
    ANSWERS_VEHICLE = "answers_vehicle"
    NO_POLICY = "no_policy"
    POLICY_EXPIRED = "policy_expired"
    NOT_ALLOWLISTED = "not_allowlisted"
    SIGNAL_OUT_OF_RANGE = "signal_out_of_range"
    SIGNAL_UNKNOWN = "signal_unknown"
    CONDITION_NOT_MET = "condition_not_met"
    CONDITION_UNKNOWN = "condition_unknown"
    RATE_EXCEEDED = "rate_exceeded"
    OUTSIDE_WINDOW = "outside_window"
    TIME_UNKNOWN = "time_unknown"
    GRANT_REQUIRED = "grant_required"
    MASQUERADE = "masquerade"
    CONTINUES_BLOCKED = "continues_blocked"
    NO_TRANSFER = "no_transfer"
    MALFORMED = "malformed"
    REMOTE_FRAME = "remote_frame"
    ERROR_FRAME = "error_frame"
    FLOOD = "flood"
    STALE = "stale"
    LOCAL_OVERRIDE = "local_override"
    ENDPOINT_SERVICE = "endpoint_service"
    """An allowed endpoint's ordinary service: it commands nothing."""
    TBOX_TO_CLOUD = "tbox_to_cloud"
    ENDPOINT_NOT_LISTED = "endpoint_not_listed"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"
    PROTOCOL_NOT_ALLOWED = "protocol_not_allowed"
    IDENTITY_NOT_ALLOWED = "identity_not_allowed"
    """A certificate or a fingerprint other than the policy names."""
    VOLUME_EXCEEDED = "volume_exceeded"
    INBOUND = "inbound"
    """A connection that somebody outside opened towards the T-box."""
    HELD = "held"
    """It waits for the operator."""
    REFUSED_BY_OPERATOR = "refused_by_operator"


class Verdict(NamedTuple):
    """The decision on one frame: its zero value blocks. `rule` is the allow rule concerned, `detail` one phrase."""

    action: Action = Action.BLOCK
    reason: Reason = Reason.UNDECIDED
    rule: str = ""
    detail: str = ""
