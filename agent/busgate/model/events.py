"""What happened, as values: all that the log, the alerts and the reports are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from busgate.model.commands import Act, Argument, Party, Reason, Severity, Subsystem, Verdict
from busgate.model.units import Mode, Provenance, Side, Value


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
    cloud: Mapping[str, Value] = field(default_factory=dict)
    """For what came over the air: protocol, code, direction, transport, address, port, host, country, and its bytes."""
    because: Mapping[str, Value] = field(default_factory=dict)
    """For a frame: the message over the air that most likely led to it, `lag_ms` before, with a `confidence`."""


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
    network: Mapping[str, int] = field(default_factory=dict)
    """Packets, bytes, conversations and messages of the T-box's other side, by name."""


@dataclass(frozen=True, slots=True)
class RemoteFunction:
    """Something that can be done from outside, seen on one interface ("can", "ip" or "sms"): first, now and then, last.

    `count` says how often so far, between `first` and `last`; `passed` and `blocked` what became of it. `endpoint` is
    the other end over the air, empty on CAN.
    """

    at: int
    interface: str
    protocol: str
    direction: str
    name: str
    code: int | None
    subsystem: Subsystem
    act: Act
    rule: str
    target: Party
    endpoint: str
    host: str
    country: str
    grant: str
    provenance: Provenance
    count: int
    passed: int
    blocked: int
    first: int
    last: int
    watched: bool = False
    """Whether a refusal only was told, so that what is `blocked` went on all the same."""
    final: bool = False


@dataclass(frozen=True, slots=True)
class Causation:
    """A message over the air and the first frame of the T-box that it most likely led to.

    `way` is "message" where the message was read and asks for what the frame does, "sms" the same by short message,
    "burst" where only the time and size of an encrypted burst speak. `confidence` is between 0 and 1, as measured on
    labelled simulated runs (docs/causality.md); `lag` is in ns.
    """

    at: int
    way: str
    lag: int
    confidence: float
    cloud: Mapping[str, Value]
    frame: str
    name: str
    subsystem: Subsystem
    act: Act


@dataclass(frozen=True, slots=True)
class UpdateSession:
    """Software on its way into the vehicle, joined from the air and from diagnostics.

    `stage` is "start" or "end". `ordered_by` is the message that asked for it, `source` whom it was loaded from,
    `bytes` and `sha256` what was loaded, `written` the bytes that diagnostics wrote to `target`. `approval` is the
    grant in force, or "none". `before` and `after` are software identifications as the ECU told them
    ("F189=<hex>"), "" where nobody asked.
    """

    at: int
    stage: str
    began: int
    ordered_by: str
    source: str
    url: str
    bytes: int
    sha256: str
    target: Party
    written: int
    before: str
    after: str
    state: Mapping[str, Value]
    approval: str
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class CellularChange:
    """What changed of the T-box's modem, SIM or network. Identities are salted hashes, and where it is is not told."""

    at: int
    modem: str
    iccid: str
    imsi: str
    operator_code: str
    operator_name: str
    registration: str
    roaming: bool | None
    state: str
    technology: str
    signal: int | None
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """Something that waits for the operator: `stage` is "held", "released", "refused" or "lost"."""

    at: int
    stage: str
    item: str
    name: str
    source: str
    bytes: int
    sha256: str
    by: str = ""
    reason: str = ""


Event = (
    Alert
    | AlertCount
    | DiagnosticSession
    | RemoteFunction
    | Causation
    | UpdateSession
    | CellularChange
    | Held
    | PolicyApplied
    | PolicyRefused
    | GrantChange
    | ModeChange
    | Loss
    | Traffic
)


class Outcome(NamedTuple):
    """What became of one unit: the verdict, whether the bridge shall forward it, and what happened on the way."""

    verdict: Verdict
    forward: bool
    events: tuple[Event, ...] = ()
