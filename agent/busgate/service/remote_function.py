"""One remote function as it was seen: what it is called and does, where it came from, how often, what became of it.

Law: two sightings are the same function when they share interface, protocol, name, part, act, direction, target and,
where one message carries many functions, code. Nothing here is guessed: what an entry does not say stays "".
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from busgate.model import Act, Severity, Subsystem


class Interface(StrEnum):
    """Where a function was seen."""

    CAN = "can"
    IP = "ip"
    SMS = "sms"


class Kind(StrEnum):
    """What sort of function it is."""

    CONTROL = "control"
    UPDATE = "update"
    CONFIGURATION = "configuration"
    DIAGNOSTICS = "diagnostics"
    TRAFFIC = "traffic"
    """Ordinary messages of the T-box's own (heartbeat, clock, position): they ask nothing of the vehicle."""


class Way(StrEnum):
    """Which way it travels."""

    TO_VEHICLE = "tbox-to-vehicle"
    TO_TBOX = "remote-to-tbox"
    FROM_TBOX = "tbox-to-remote"
    UNKNOWN = "unknown"


class Remote(NamedTuple):
    """A remote end: its address with port or its number, the name that was seen for it, the country of its address."""

    endpoint: str
    host: str
    country: str


class Identity(NamedTuple):
    """What makes two sightings the same function; `code` is "" where the name says enough."""

    interface: Interface
    protocol: str
    name: str
    subsystem: Subsystem
    act: Act
    way: Way
    target: str
    code: str


EXAMPLES = 3
_RECORDS = 5
_MOST_REMOTES = 200


@dataclass(slots=True)
class RemoteFunction:
    """Everything seen of one function. `first` and `last` are RFC 3339, None where no clock was known.

    `sure` is False while it is known only by an alert about something else, such as its sender.
    """

    identity: Identity
    diagnostic: bool = False
    sure: bool = False
    count: int = 0
    first: str | None = None
    last: str | None = None
    severity: Severity = Severity.INFO
    codes: set[str] = field(default_factory=set)
    actions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    remotes: Counter[Remote] = field(default_factory=Counter)
    grants: set[str] = field(default_factory=set)
    provenances: set[str] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        """What sort of function it is, by what it does and how."""
        act = self.identity.act
        if act is Act.FLASH:
            return Kind.UPDATE
        if act is Act.SEND:
            return Kind.TRAFFIC if self.identity.subsystem is Subsystem.TELEMATICS else Kind.CONTROL
        if act in {Act.READ, Act.CLEAR} or (self.diagnostic and act is not Act.WRITE):
            return Kind.DIAGNOSTICS
        return Kind.CONFIGURATION if act in {Act.SET, Act.WRITE} else Kind.CONTROL

    def see(self, wall: str | None, action: str, reason: str, times: int = 1) -> None:
        """Count a sighting."""
        self.count += times
        if action:
            self.actions[action] += times
        if reason:
            self.reasons[reason] += times
        self.moved(wall)

    def more(self, times: int, wall: str | None, action: str) -> None:
        """Count what a later record says of the same episode."""
        self.count += times
        if action:
            self.actions[action] += times
        self.moved(wall)

    def moved(self, wall: str | None) -> None:
        """Widen the time in which it was seen."""
        if wall is not None:
            self.first = wall if self.first is None else min(self.first, wall)
            self.last = wall if self.last is None else max(self.last, wall)

    def came_from(self, remote: Remote) -> None:
        """Count a remote end; beyond some hundreds they are counted together."""
        known = remote in self.remotes or len(self.remotes) < _MOST_REMOTES
        self.remotes[remote if known else Remote("others", "", "")] += 1

    def told_in(self, record: str, example: str) -> None:
        """Keep where it is told, and what it asked for, a few times."""
        if record and len(self.records) < _RECORDS:
            self.records.append(record)
        if example and example not in self.examples and len(self.examples) < EXAMPLES:
            self.examples.append(example)

    def row(self) -> dict[str, Any]:
        """All of it as plain values."""
        name = self.identity
        return {
            "interface": name.interface.value,
            "kind": self.kind.value,
            "name": name.name,
            "protocol": name.protocol,
            "codes": sorted(self.codes),
            "subsystem": name.subsystem.value,
            "act": name.act.value,
            "direction": name.way.value,
            "target": name.target,
            "remotes": [
                {"endpoint": remote.endpoint, "host": remote.host, "country": remote.country, "count": count}
                for remote, count in self.remotes.most_common()
            ],
            "countries": sorted({remote.country for remote in self.remotes if remote.country}),
            "first": self.first,
            "last": self.last,
            "count": self.count,
            "verdicts": dict(self.actions.most_common()),
            "reasons": dict(self.reasons.most_common()),
            "grants": sorted(self.grants),
            "provenance": sorted(self.provenances),
            "severity": self.severity.name.lower(),
            "examples": list(self.examples),
            "records": list(self.records),
        }


def later(wall: str | None, by: int) -> str | None:
    """A wall time some ns later; one that is not known, or makes no time, stays as it is."""
    try:
        moment = datetime.fromisoformat(wall or "") + timedelta(microseconds=by // 1000)
    except (ValueError, OverflowError):
        return wall
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
