"""What a replay found, gathered for its report: alerts with their final counts, sessions, identifiers, verdicts.

Law: the report is made from the same events as the log and from nothing else, so that each alert's `index` is its
record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from busgate.decode.j1939 import pgn_kind
from busgate.decode.pgns import label_of, name_of
from busgate.decode.routes import Route
from busgate.model import (
    Alert,
    AlertCount,
    Causation,
    DiagnosticSession,
    Event,
    Party,
    RemoteFunction,
    UpdateSession,
)
from busgate.record.entry import told


class Findings:
    """A listener of a station."""

    def __init__(self) -> None:
        """Nothing found yet."""
        self.alerts: list[tuple[int, Alert]] = []
        self.sessions: list[tuple[int, DiagnosticSession]] = []
        self.causes: list[tuple[int, Causation]] = []
        self.updates: list[tuple[int, UpdateSession]] = []
        self.functions: dict[tuple[object, ...], tuple[int, RemoteFunction]] = {}
        self._counts: dict[tuple[str, int], int] = {}

    def __call__(self, index: int, event: Event) -> None:
        """Take note of one event, which is record `index` of the log."""
        match event:
            case Alert():
                self.alerts.append((index, event))
            case AlertCount():
                self._counts[event.cause, event.first] = event.count
            case DiagnosticSession(stage="end"):
                self.sessions.append((index, event))
            case Causation():
                self.causes.append((index, event))
            case UpdateSession(stage="end"):
                self.updates.append((index, event))
            case RemoteFunction():
                key = (event.interface, event.protocol, event.direction, event.name, event.subsystem, event.target,
                       event.endpoint)  # fmt: skip
                self.functions[key] = (index, event)
            case _:
                return

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """The causes, updates or functions as plain values, with the record that tells each last."""
        kinds: dict[str, list[tuple[int, Event]]] = {
            "causes": [*self.causes],
            "updates": [*self.updates],
            "functions": [*self.functions.values()],
        }
        found = kinds[kind]
        return [{"index": index, "time": moment(event.at), **told(event).fields} for index, event in found]

    def count(self, alert: Alert) -> int:
        """How many frames an alert stands for."""
        return self._counts.get((alert.cause, alert.at), 1)

    def alert_rows(self) -> list[dict[str, Any]]:
        """The alerts as plain values, in the order raised."""
        return [self._alert(index, alert) for index, alert in self.alerts]

    def _alert(self, index: int, alert: Alert) -> dict[str, Any]:
        return {
            "index": index,
            "time": moment(alert.at),
            "at_ns": alert.at,
            "severity": alert.severity.name.lower(),
            "rule": alert.rule,
            "subsystem": alert.subsystem.value,
            "act": alert.act.value,
            "name": alert.name,
            "arguments": {name: {"value": arg.value, "unit": arg.unit} for name, arg in alert.arguments.items()},
            "target": party(alert.target),
            "source": party(alert.source),
            "provenance": alert.provenance.value,
            "action": alert.action,
            "reason": alert.reason.value,
            "allow_rule": alert.allow_rule,
            "detail": alert.detail,
            "state": dict(alert.state),
            "frame": alert.frame,
            "cloud": dict(alert.cloud),
            "because": dict(alert.because),
            "count": self.count(alert),
        }

    def session_rows(self) -> list[dict[str, Any]]:
        """The diagnostic sessions as plain values, in the order they ended."""
        return [
            {
                "index": index,
                "start": moment(session.began),
                "end": moment(session.at),
                "side": session.side.value,
                "provenance": session.provenance.value,
                "tester": party(session.source),
                "target": party(session.target),
                "subsystem": session.subsystem.value,
                "session": f"0x{session.session:02X}",
                "programming": session.programming,
                "unlocked": session.unlocked,
                "services": {f"0x{sid:02X}": count for sid, count in sorted(session.services.items())},
                "transferred_bytes": session.transferred,
                "blocked_requests": session.blocked,
                "ended_by": session.ended_by,
                "software": dict(session.software),
            }
            for index, session in self.sessions
        ]


def identifier_rows(routes: tuple[Route, ...]) -> list[dict[str, Any]]:
    """Every identifier met, classified: J1939 ones by parameter group."""
    rows = []
    for route in sorted(routes, key=lambda route: route.can_id):
        if not route.frames:
            continue
        row: dict[str, Any] = {
            "id": f"{route.can_id & 0x1FFFFFFF:X}",
            "frames": route.frames,
            "read_as": route.kind.value,
        }
        if route.identifier is not None:
            pgn = route.identifier.pgn
            row |= {"pgn": f"0x{pgn:04X}", "name": name_of(pgn), "label": label_of(pgn), "class": pgn_kind(pgn).value}
            row |= {"sa": f"0x{route.identifier.sa:02X}", "da": f"0x{route.identifier.da:02X}"}
        rows.append(row | {"message": route.message})
    return rows


def party(who: Party) -> dict[str, Any]:
    """A sender or receiver as plain values."""
    return {"name": who.name, "address": None if who.address is None else f"0x{who.address:02X}"}


def moment(at: int) -> str:
    """A time in ns as RFC 3339 in UTC to the microsecond; a trace that counts from zero counts from 1970."""
    seconds, rest = divmod(at, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def by_severity(alerts: list[tuple[int, Alert]]) -> Mapping[str, int]:
    """How many alerts of each severity, the worst first."""
    counts: dict[str, int] = {}
    for _, alert in sorted(alerts, key=lambda pair: -pair[1].severity):
        name = alert.severity.name.lower()
        counts[name] = counts.get(name, 0) + 1
    return counts
