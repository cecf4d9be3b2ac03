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
