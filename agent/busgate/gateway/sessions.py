"""Diagnostic sessions as the operator needs them: who was in which ECU, for how long, doing what, and by which port.

Law: every request counts, also the ones the gate refused; a session is told when it starts and when it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from busgate.decode.uds import Reading
from busgate.decode.uds_sessions import SessionEvent, Sessions
from busgate.detect.parties import Parties
from busgate.model import (
    Action,
    Diagnostic,
    DiagnosticKind,
    DiagnosticSession,
    Party,
    Provenance,
    Side,
    Subsystem,
    Value,
    Verdict,
)

Snapshot = Callable[[int], dict[str, Value]]
_MOST_TARGETS = 512


class _Told(NamedTuple):
    """What is known of a target from the last request to it."""

    side: Side
    provenance: Provenance
    tester: Party
    target: Party
    subsystem: Subsystem


class Following:
    """The sessions of one gate, by tester and target."""

    def __init__(self, parties: Parties, snapshot: Snapshot) -> None:
        """`parties` names the addresses, `snapshot` tells the vehicle's situation at a time."""
        self._sessions = Sessions()
        self._parties = parties
        self._snapshot = snapshot
        self._known: dict[int, _Told] = {}
        self._blocked: dict[int, int] = {}

    def follow(
        self, message: Diagnostic, reading: Reading, verdict: Verdict, provenance: Provenance
    ) -> tuple[DiagnosticSession, ...]:
        """Take one request or answer into account; its verdict has fallen."""
        if message.kind is not DiagnosticKind.REQUEST:
            return self._events(self._sessions.response(message.at, message.source, reading))
        self._remember(message, verdict, provenance)
        return self._events(self._sessions.request(message.at, message.source, message.target, reading))

    def tick(self, now: int) -> tuple[DiagnosticSession, ...]:
        """The sessions that ended in silence by `now`."""
        return self._events(self._sessions.tick(now))

    def finish(self, now: int) -> tuple[DiagnosticSession, ...]:
        """The end of the recording ends every session."""
        return self._events(self._sessions.end(now))

    def _remember(self, message: Diagnostic, verdict: Verdict, provenance: Provenance) -> None:
        if len(self._known) >= _MOST_TARGETS:
            self._known.clear()
            self._blocked.clear()
        if message.target not in self._known:
            target, subsystem = self._parties.diagnosed(message)
            outside = message.side is Side.TBOX
            tester = self._parties.tbox(message.source) if outside else self._inside(message.source)
            self._known[message.target] = _Told(message.side, provenance, tester, target, subsystem)
        if verdict.action is Action.BLOCK:
            self._blocked[message.target] = self._blocked.get(message.target, 0) + 1

    def _inside(self, source: int) -> Party:
        return self._parties.at(source)[0] if source >= 0 else Party("tester", None)

    def _events(self, events: Iterable[SessionEvent]) -> tuple[DiagnosticSession, ...]:
        return tuple(self._event(event) for event in events)

    def _event(self, event: SessionEvent) -> DiagnosticSession:
        target = event.target if isinstance(event.target, int) else -1
        nobody = _Told(Side.VEHICLE, Provenance.CLAIMED, Party("", None), Party("", target), Subsystem.UNKNOWN)
        told = self._known.get(target, nobody)
        ended = event.stage == "end"
        blocked = self._blocked.pop(target, 0) if ended else self._blocked.get(target, 0)
        if ended:
            self._known.pop(target, None)
        return DiagnosticSession(
            at=event.at,
            stage=event.stage,
            side=told.side,
            source=told.tester,
            target=told.target,
            subsystem=told.subsystem,
            provenance=told.provenance,
            began=event.began,
            session=event.session,
            unlocked=event.unlocked,
            programming=event.programming,
            services=event.services,
            transferred=event.transferred,
            blocked=blocked,
            ended_by=event.ended_by,
            software=_software(event),
            state=self._snapshot(event.at),
        )


def _software(event: SessionEvent) -> dict[str, str]:
    read = {"before": event.software_before, "after": event.software_after}
    return {when: software for when, software in read.items() if software}
