"""Who holds a diagnostic session with which ECU, since when, and what was done in it.

Law: a session begins when it is asked for, not when it is granted, because answers are suppressed, blocked or not on
this wire. It ends once, by the first of: back to default, reset, refusal, silence (S3), another tester, end of trace.
Nothing here reads a clock: requests and answers bring their time, `next_deadline` says when to call `tick`.
Each payload is told once: when its first frame announces it, or when it is whole.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from busgate.decode.uds import Reading
from busgate.decode.uds_names import AUTHENTICATED, RESPONSE_PENDING
from busgate.decode.uds_software import SoftwareIds, software_text
from busgate.model import DiagnosticKind

DEFAULT = 1
PROGRAMMING = 2

_NO_RESET = frozenset({4, 5})
"""10.3: rapid power shutdown is switched on or off, nothing resets."""

_TRANSFERS = frozenset({0x34, 0x35, 0x36, 0x37, 0x38})

_READS_FILES = frozenset({4, 5})
"""Annex G.1: the modes of RequestFileTransfer that only take data out."""


class Ending(StrEnum):
    """Why a session ended."""

    DEFAULT = "default session"
    RESET = "reset"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    OTHER_TESTER = "other tester"
    EVICTED = "too many targets"
    END_OF_TRACE = "end of trace"


class SessionEvent(NamedTuple):
    """A session at its start or end.

    `session` is the diagnosticSessionType last asked for or in force (1: state was altered in the default session).
    `unlocked` and `programming` tell whether it ever was; `services` counts requests by SID, `transferred` the bytes
    that TransferData carried to the ECU. `software_before` and `software_after` are what was read of the ECU's
    software identifiers before its first and after its last TransferData: "F188=<hex> F189=<hex>", or "".
    """

    stage: str
    tester: Hashable
    target: Hashable
    began: int
    at: int
    session: int
    unlocked: bool
    programming: bool
    services: Mapping[int, int]
    transferred: int
    ended_by: str = ""
    software_before: str = ""
    software_after: str = ""


@dataclass(slots=True)
class _Session:
    """A session as it goes. `confirmed` is the session type known to be in force, 0 while nothing was answered yet."""

    tester: Hashable
    target: Hashable
    functional: bool
    began: int
    deadline: int
    session: int
    confirmed: int
    last: tuple[int, int | None] | None = None
    unlocked: bool = False
    programming: bool = False
    uploading: bool = False
    transferred: int = 0
    services: dict[int, int] = field(default_factory=dict)
    before: dict[int, str] = field(default_factory=dict)
    after: dict[int, str] = field(default_factory=dict)

    def event(self, stage: str, at: int, ended_by: str = "") -> SessionEvent:
        """How it stands, as a value of its own."""
        return SessionEvent(
            stage,
            self.tester,
            self.target,
            self.began,
            at,
            self.session,
            self.unlocked,
            self.programming,
            dict(self.services),
            self.transferred,
            ended_by,
            software_text(self.before),
            software_text(self.after),
        )

    def count(self, reading: Reading) -> None:
        """Take in what a request asks for, whatever will be answered."""
        if not reading.suppressed:
            self.last = reading.sid, reading.subfunction
        self.services[reading.sid] = self.services.get(reading.sid, 0) + 1
        if reading.sid == 0x10:
            if reading.subfunction != DEFAULT:
                self.session = reading.subfunction or 0
                self.programming |= self.session == PROGRAMMING
        elif reading.alters_state:
            self.confirmed = self.confirmed or DEFAULT
            if reading.sid in _TRANSFERS:
                self._transfer(reading)

    def _transfer(self, reading: Reading) -> None:
        """15.2-15.6: what goes into the ECU is programming; what is taken out of it is not."""
        match reading.sid:
            case 0x34:
                self.uploading = False
            case 0x35:
                self.uploading = True
            case 0x38:
                self.uploading = len(reading.payload) > 1 and reading.payload[1] in _READS_FILES
            case 0x36:
                self.transferred += max(reading.length - 2, 0)
                # An identifier read before the last block is not the one the ECU ends with.
                self.after.clear()
            case _:
                pass
        self.programming |= not self.uploading

    def awaits(self, answer: Reading) -> bool:
        """Whether an answer is to the request told last: the same service and, if it says so, sub-function."""
        if self.last is None:
            return False
        sid, subfunction = self.last
        return sid == answer.request_sid and answer.subfunction in {None, subfunction}


class Sessions:
    """Follows the session of each target. `s3_ns` is S3 of the server (ISO 14229-2), `answer_ns` P2* after an NRC 78.

    Memory is bounded by `max_targets` (at least 1) open sessions and as many targets whose software is remembered.
    """

    def __init__(self, *, s3_ns: int = 5_000_000_000, answer_ns: int = 5_000_000_000, max_targets: int = 256) -> None:
        self._s3_ns = s3_ns
        self._answer_ns = answer_ns
        self._max_targets = max_targets
        self._open: dict[Hashable, _Session] = {}
        self._software = SoftwareIds(max_targets=max_targets)

    def request(
        self, at: int, tester: Hashable, target: Hashable, reading: Reading, *, functional: bool = False
    ) -> tuple[SessionEvent, ...]:
        """Tell a request. A functional one reaches every session; it opens one of its own only if it must."""
        events = list(self.tick(at))
        if reading.kind is not DiagnosticKind.REQUEST:
            return tuple(events)
        self._software.request(target, reading)
        fresh = None
        if self._must_open(tester, target, reading, functional=functional):
            own = self._open.get(target)
            if own is not None:
                events.append(self._end(own, at, Ending.OTHER_TESTER))
            number, confirmed = self._standing(reading, own)
            fresh = _Session(tester, target, functional, at, at + self._s3_ns, number, confirmed)
            fresh.unlocked = own is not None and own.unlocked
            events += self._begin(at, fresh)
        for session in self._reached(target, functional=functional):
            ended = self._asked(session, at, reading)
            events += [session.event("start", at), *ended] if session is fresh else ended
        return tuple(events)

    def response(self, at: int, target: Hashable, reading: Reading) -> tuple[SessionEvent, ...]:
        """Tell an answer of `target`; one without a session of its own answers the functional requests."""
        events = list(self.tick(at))
        if reading.kind is DiagnosticKind.REQUEST:
            return tuple(events)
        own = self._open.get(target)
        said = self._software.answer(target, reading) if reading.kind is DiagnosticKind.POSITIVE else {}
        if own is not None:
            (own.after if own.transferred else own.before).update(said)
        waiting = [own] if own else [each for each in self._open.values() if each.functional and each.awaits(reading)]
        for session in waiting:
            events += self._answered(session, at, reading)
        return tuple(events)

    def tick(self, now: int) -> tuple[SessionEvent, ...]:
        """End the sessions that fell silent; their end is dated when S3 ran out, however late the tick comes."""
        due = sorted(
            (session for session in self._open.values() if session.deadline <= now), key=lambda each: each.deadline
        )
        return tuple(self._end(session, session.deadline, Ending.TIMEOUT) for session in due)

    def next_deadline(self) -> int | None:
        """When to call `tick`, or None while no session is open."""
        return min((session.deadline for session in self._open.values()), default=None)

    def end(self, now: int) -> tuple[SessionEvent, ...]:
        """The trace is over: what is still open ends, in the order it began."""
        events = list(self.tick(now))
        events += [self._end(session, now, Ending.END_OF_TRACE) for session in list(self._open.values())]
        return tuple(events)

    def _must_open(self, tester: Hashable, target: Hashable, reading: Reading, *, functional: bool) -> bool:
        if not reading.alters_state or (reading.sid == 0x10 and reading.subfunction == DEFAULT):
            return False
        own = self._open.get(target)
        if own is not None:
            return own.tester != tester
        return not functional or not self._open or reading.sid == 0x10

    def _standing(self, reading: Reading, previous: _Session | None) -> tuple[int, int]:
        """Which session type a new session shows, and which is known to be in force (0: it was only asked for)."""
        inherited = previous.session if previous else 0
        if reading.sid == 0x10:
            return reading.subfunction or 0, inherited
        # A functional 10 03 put this ECU into a session as well.
        everyone = max((session.session for session in self._open.values() if session.functional), default=DEFAULT)
        return inherited or everyone, inherited or everyone

    def _begin(self, at: int, session: _Session) -> tuple[SessionEvent, ...]:
        evicted: tuple[SessionEvent, ...] = ()
        if len(self._open) >= self._max_targets:
            silent = min(self._open.values(), key=lambda each: each.deadline)
            evicted = (self._end(silent, at, Ending.EVICTED),)
        session.before = self._software.known(session.target)
        self._open[session.target] = session
        return evicted

    def _reached(self, target: Hashable, *, functional: bool) -> list[_Session]:
        if functional:
            return list(self._open.values())
        return [self._open[target]] if target in self._open else []

    def _end(self, session: _Session, at: int, ending: Ending) -> SessionEvent:
        del self._open[session.target]
        return session.event("end", at, ending)

    def _asked(self, session: _Session, at: int, reading: Reading) -> tuple[SessionEvent, ...]:
        session.deadline = max(session.deadline, at + self._s3_ns)
        session.count(reading)
        if not reading.suppressed:
            return ()
        # Nobody will answer, so it is taken to be granted.
        match reading.sid:
            case 0x10 if reading.subfunction == DEFAULT:
                return (self._end(session, at, Ending.DEFAULT),)
            case 0x10:
                session.confirmed = session.session
            case 0x11 if reading.subfunction not in _NO_RESET:
                return (self._end(session, at, Ending.RESET),)
            case _:
                pass
        return ()

    def _answered(self, session: _Session, at: int, reading: Reading) -> tuple[SessionEvent, ...]:
        if reading.nrc == RESPONSE_PENDING:
            session.deadline = max(session.deadline, at + self._answer_ns)
            return ()
        session.deadline = max(session.deadline, at + self._s3_ns)
        positive = reading.kind is DiagnosticKind.POSITIVE
        match reading.request_sid:
            case 0x10 if not positive:
                # One ECU's refusal of a functional request says nothing of the others.
                if session.confirmed:
                    session.session = session.confirmed
                elif not session.functional:
                    return (self._end(session, at, Ending.REFUSED),)
            case 0x10 if reading.subfunction == DEFAULT:
                return (self._end(session, at, Ending.DEFAULT),)
            case 0x10:
                session.session = session.confirmed = reading.subfunction or session.session
                session.programming |= session.session == PROGRAMMING
            case 0x11 if positive and reading.subfunction not in _NO_RESET:
                return (self._end(session, at, Ending.RESET),)
            case 0x27 | 0x29 if positive:
                session.unlocked |= _unlocks(reading)
            case _:
                pass
        return ()


def _unlocks(reading: Reading) -> bool:
    """10.4: a key was taken, or the seed is all zeros because the level is open already; 10.6: ownership is proven."""
    if reading.request_sid == 0x29:
        return reading.payload[2:3] == bytes([AUTHENTICATED])
    if reading.subfunction is None:
        return False
    seed = reading.payload[2:]
    return not reading.subfunction & 1 or (reading.complete and bool(seed) and not any(seed))
