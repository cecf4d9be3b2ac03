"""The nouns of busgate: what crosses the gate, what it means, what was decided, what happened.

Law of this module: values only. Nothing here reads a clock, a file, a socket or another room.
Time is data: every `at` is an integer in nanoseconds on the timeline of the bridge that made the unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple

# SocketCAN's canid_t (linux/can.h): the identifier's low 29 bits, and three flags above it.
EXTENDED = 0x8000_0000
REMOTE = 0x4000_0000
ERROR = 0x2000_0000
IDENTIFIER = 0x1FFF_FFFF

# canfd_frame.flags (linux/can.h).
BIT_RATE_SWITCH = 0x01
ERROR_STATE = 0x02
FD_FORMAT = 0x04

GLOBAL_ADDRESS = 0xFF
"""J1939-21's destination address that means every node."""


class Side(StrEnum):
    """Which wire a unit was first seen on."""

    TBOX = "tbox"
    VEHICLE = "vehicle"
    TAP = "tap"
    """One shared wire, only watched: the gateway attributes each frame by its source address."""


class Provenance(StrEnum):
    """How sure it is who sent a frame: by the port it came in on, or by what its identifier claims."""

    PHYSICAL = "physical"
    CLAIMED = "claimed"


class Mode(StrEnum):
    """What the gate does with its verdicts."""

    OBSERVE = "observe"
    MONITOR = "monitor"
    ENFORCE = "enforce"
    LOCAL = "local"
    """The local human has cut the T-box off: none of its frames cross; telemetry to it goes on."""


class Frame(NamedTuple):
    """One CAN or CAN FD frame as a port saw it.

    `can_id` is encoded as SocketCAN's canid_t (29-bit identifiers carry `EXTENDED`), `flags` as canfd_frame.flags;
    a classical frame has flags 0. `data` is 0-8 bytes (classical) or 0-64 (FD).
    """

    at: int
    side: Side
    can_id: int
    data: bytes
    flags: int = 0

    @property
    def identifier(self) -> int:
        """The 11- or 29-bit identifier without its flags."""
        return self.can_id & IDENTIFIER

    @property
    def extended(self) -> bool:
        """Whether the identifier has 29 bits."""
        return bool(self.can_id & EXTENDED)

    @property
    def fd(self) -> bool:
        """Whether this is a CAN FD frame."""
        return bool(self.flags & FD_FORMAT)


class Packet(NamedTuple):
    """One captured link-layer packet; `link_type` is the LINKTYPE_ number of the capture file."""

    at: int
    side: Side
    link_type: int
    data: bytes


Value = int | float | str
"""A decoded signal: a number in its physical unit, or the label of its value table."""

Unit = Frame | Packet


class Malformed(NamedTuple):
    """Foreign bytes that do not follow their protocol; a value, judged by policy like any other."""

    at: int
    side: Side
    can_id: int
    protocol: str
    reason: str


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


Message = CanMessage | ParameterGroup | Diagnostic


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


class Verdict(NamedTuple):
    """The decision on one frame: its zero value blocks. `rule` is the allow rule concerned, `detail` one phrase."""

    action: Action = Action.BLOCK
    reason: Reason = Reason.UNDECIDED
    rule: str = ""
    detail: str = ""


# ---------------------------------------------------------------- events: what happened, as values


@dataclass(frozen=True, slots=True)
class Alert:
    """Something the operator should be able to see, named once per cause.

    `cause` is the same for every repeat of the same thing; `count` frames it stands for so far. `action` is
    what happened to the frame: "block", "pass", or "would_block" where the mode only watches.
    """

    at: int
    cause: str
    rule: str
    version: int
    severity: Severity
    subsystem: Subsystem
    act: Act
    name: str
    source: Party
    target: Party
    provenance: Provenance
    action: str
    reason: Reason
    allow_rule: str = ""
    detail: str = ""
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    state: Mapping[str, Value] = field(default_factory=dict)
    """The vehicle's situation as far as it was known when the verdict fell."""
    frame: str = ""
    """The frame as `candump -L` writes it: `18EF0B4A#00FF`."""


@dataclass(frozen=True, slots=True)
class AlertCount:
    """How often an alert's cause has come since it was raised: written now and then, and when it goes quiet."""

    at: int
    cause: str
    rule: str
    count: int
    first: int
    last: int
    final: bool


@dataclass(frozen=True, slots=True)
class DiagnosticSession:
    """A UDS session that left the default session, when it opened and when it ended.

    `stage` is "start" or "end", `side` where the tester was heard. `services` counts request SIDs, `blocked` the
    requests that the gate refused, `transferred` the bytes of TransferData (36) requests. `programming` is True once
    it held a programming session or a download (10 02, 34, 36, 37). `software` holds what identification DIDs read
    before and after said, in hexadecimal.
    """

    at: int
    stage: str
    side: Side
    source: Party
    target: Party
    subsystem: Subsystem
    provenance: Provenance
    began: int
    session: int
    unlocked: bool
    programming: bool
    services: Mapping[int, int]
    transferred: int
    blocked: int = 0
    ended_by: str = ""
    software: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyApplied:
    """A policy came into force."""

    at: int
    name: str
    version: int
    sha256: str
    signed: bool


@dataclass(frozen=True, slots=True)
class PolicyRefused:
    """A policy was offered and not taken; the last good one stays."""

    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class GrantChange:
    """A maintenance grant began or ended (`stage` "start" or "end")."""

    at: int
    stage: str
    grant: str
    holder: str
    rules: tuple[str, ...]
    until: int
    reason: str


@dataclass(frozen=True, slots=True)
class ModeChange:
    """The gate's mode changed, and who changed it."""

    at: int
    mode: Mode
    previous: Mode | None
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Loss:
    """What could not be kept or sent, counted."""

    at: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counts since the gate began: frames by side, by how their identifier is read, verdicts by reason."""

    at: int
    frames: Mapping[str, int]
    messages: Mapping[str, int]
    verdicts: Mapping[str, int]


Event = (
    Alert | AlertCount | DiagnosticSession | PolicyApplied | PolicyRefused | GrantChange | ModeChange | Loss | Traffic
)


class Outcome(NamedTuple):
    """What became of one unit: the verdict, whether the bridge shall forward it, and what happened on the way."""

    verdict: Verdict
    forward: bool
    events: tuple[Event, ...] = ()


class BusgateError(Exception):
    """A fault whose message tells its reader what is wrong and what to do next."""
