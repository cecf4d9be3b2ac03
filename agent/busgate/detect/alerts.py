"""What was found becomes an alert, once per cause, as severe as the vehicle's state makes it.

Law: an alert says what happened to the frame, never what was meant to: `would_block` where the gate only watches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from busgate.detect.conduct import Finding
from busgate.detect.episodes import Episodes
from busgate.detect.rules import RULES, severity_of
from busgate.model import (
    EXTENDED,
    GLOBAL_ADDRESS,
    REMOTE,
    Act,
    Action,
    Alert,
    AlertCount,
    Argument,
    Command,
    Diagnostic,
    Frame,
    Malformed,
    ParameterGroup,
    Party,
    Provenance,
    Subsystem,
    Value,
    Verdict,
)

ORDINARY = frozenset({Act.READ, Act.SEND})
"""Acts that command nothing: worth an alert only when they were not allowed."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is the same for all alerts of one frame, or of one message over the air (`frame` None)."""

    at: int
    frame: Frame | None
    provenance: Provenance
    verdict: Verdict
    watched: bool
    """Whether the gate only watches, so that a blocking verdict changes nothing."""
    state: Mapping[str, Value]
    cloud: Mapping[str, Value] = field(default_factory=dict)
    because: Mapping[str, Value] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """What became of it: "pass", "block" or "would_block"."""
        if self.verdict.action is Action.PASS:
            return "pass"
        return "would_block" if self.watched else "block"


class _Story(NamedTuple):
    """What an alert tells besides its circumstances; `key` is what makes its cause."""

    rule: str
    name: str
    source: Party
    target: Party
    key: str
    detail: str
    subsystem: Subsystem = Subsystem.UNKNOWN
    everybody: bool = False
    act: Act = Act.SEND
    arguments: Mapping[str, Argument] = MappingProxyType({})
    excused: bool = True
    """Whether it counts as the operator's word that it passes."""


class Alerts:
    """The alerts of one gate, and the counts of their causes."""

    def __init__(self) -> None:
        """Nothing has been found yet."""
        self._episodes = Episodes()

    def of_command(self, command: Command, seen: Circumstances, beside: str = "") -> Alert | None:
        """The alert for a command, if it is news; `beside` is what else is wrong with its frame."""
        if seen.verdict.action is Action.PASS and command.act in ORDINARY:
            return None
        return self._raise(
            seen,
            _Story(
                rule=command.rule,
                name=command.name,
                source=command.source,
                target=command.target,
                key=_identity(command),
                detail="; ".join(part for part in (seen.verdict.detail, beside) if part),
                subsystem=command.subsystem,
                everybody=_reaches_all(command),
                act=command.act,
                arguments=command.arguments,
            ),
        )

    def of_finding(
        self, finding: Finding, seen: Circumstances, target: Party, name: str, *, excused: bool = True
    ) -> Alert | None:
        """The alert for bad conduct, if it is news; not `excused` where it passes only since no policy forbids it."""
        key, detail, subsystem = finding.cause, finding.detail, finding.subsystem
        story = _Story(finding.rule, name, finding.source, target, key, detail, subsystem, excused=excused)
        return self._raise(seen, story)

    def of_malformed(self, malformed: Malformed, seen: Circumstances, source: Party) -> Alert | None:
        """The alert for bytes that do not follow their protocol, if it is news."""
        key = f"{malformed.protocol}|{malformed.reason}|{source}"
        nobody = Party("", None)
        return self._raise(
            seen, _Story("transport.malformed", malformed.protocol, source, nobody, key, malformed.reason)
        )

    def tick(self, now: int) -> tuple[AlertCount, ...]:
        """The counts that are due."""
        return self._episodes.tick(now)

    def finish(self, now: int) -> tuple[AlertCount, ...]:
        """The counts of everything that is still open."""
        return self._episodes.finish(now)

    def _raise(self, seen: Circumstances, story: _Story) -> Alert | None:
        rule = RULES[story.rule]
        allowed = seen.verdict.action is Action.PASS and story.excused
        severity = severity_of(rule, seen.state, allowed=allowed, subsystem=story.subsystem, everybody=story.everybody)
        outcome = f"{severity.name.lower()}|{seen.action}|{seen.verdict.reason}"
        cause = self._episodes.seen(f"{story.rule}|{story.key}|{outcome}", story.rule, seen.at)
        if cause is None:
            return None
        return Alert(
            at=seen.at,
            cause=cause,
            rule=story.rule,
            version=rule.version,
            severity=severity,
            subsystem=story.subsystem,
            act=story.act,
            name=story.name,
            source=story.source,
            target=story.target,
            provenance=seen.provenance,
            action=seen.action,
            reason=seen.verdict.reason,
            allow_rule=seen.verdict.rule,
            detail=story.detail,
            arguments=story.arguments,
            state=seen.state,
            frame="" if seen.frame is None else written(seen.frame),
            cloud=seen.cloud,
            because=seen.because,
        )


def _reaches_all(command: Command) -> bool:
    message = command.message
    if isinstance(message, Diagnostic):
        return message.functional
    return isinstance(message, ParameterGroup) and message.da == GLOBAL_ADDRESS


def _identity(command: Command) -> str:
    """What makes two commands the same cause: all but their values, and for diagnostics what they act on."""
    message = command.message
    key = f"{command.name}|{command.act}|{command.source}|{command.target}"
    if isinstance(message, Diagnostic) and command.act not in ORDINARY:
        dids = ",".join(f"{did:04X}" for did in message.dids)
        return f"{key}|{message.subfunction}|{message.routine}|{dids}"
    return key


def written(frame: Frame) -> str:
    """A frame as `candump -L` writes it: `18EF0B4A#00FF`, `123##1AABB` for CAN FD, `123#R` for a remote frame."""
    name = f"{frame.identifier:08X}" if frame.can_id & EXTENDED else f"{frame.identifier:03X}"
    if frame.can_id & REMOTE:
        return f"{name}#R"
    if frame.fd:
        return f"{name}##{frame.flags & 0xF:X}{frame.data.hex().upper()}"
    return f"{name}#{frame.data.hex().upper()}"
