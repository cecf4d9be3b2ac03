"""What a T-box was seen to send, gathered for a proposal of a policy: how often, with which values, to whom.

Law: only what was seen goes in, and only whole numbers of it; what broke a protocol, came under somebody else's name
or flooded is counted and never learned from.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from busgate.judge.rules import REQUEST
from busgate.judge.terms import MINUTE, SECOND
from busgate.model import (
    EXTENDED,
    IDENTIFIER,
    Act,
    CanMessage,
    Command,
    Diagnostic,
    DiagnosticKind,
    Frame,
    Message,
    ParameterGroup,
    Reason,
    Subsystem,
    Value,
    Verdict,
)

MOST_VALUES = 8
"""Different values of a signal that are listed one by one; more are a range."""

_NEVER = frozenset(
    {Reason.MASQUERADE, Reason.MALFORMED, Reason.FLOOD, Reason.STALE, Reason.NO_TRANSFER, Reason.REMOTE_FRAME,
     Reason.ERROR_FRAME}
)  # fmt: skip
_SUPPRESS = 0x80
_TURNS_AMONG = 50
"""A signal of one way may start anew once in so many steps."""

Key = tuple[str | int, ...]
"""What a rule would select by, ("message", name), ("can_id", number), ("pgn", number) or ("uds", target, service), and
then what it reaches: what reaches the battery is never in one rule with what does not."""


class Busiest:
    """The most of one kind within any second and any minute."""

    def __init__(self) -> None:
        self.second = self.minute = 0
        self._recent: deque[int] = deque()
        self._last_second: deque[int] = deque()

    def add(self, at: int) -> None:
        """One more at `at` (ns)."""
        for times, span in ((self._last_second, SECOND), (self._recent, MINUTE)):
            times.append(at)
            while times[0] <= at - span:
                times.popleft()
        self.second = max(self.second, len(self._last_second))
        self.minute = max(self.minute, len(self._recent))

    def forget(self) -> None:
        """Another recording begins: its clock has nothing to do with the one before."""
        self._recent.clear()
        self._last_second.clear()


class Values:
    """What one signal said."""

    def __init__(self) -> None:
        self.times = 0
        self.low: float | None = None
        self.high: float | None = None
        self.labels: set[str] = set()
        self.numbers: set[int | float] = set()
        self.many = False
        """More different numbers than are listed one by one."""
        self.steps: Counter[float] = Counter()
        self.rises = self.falls = 0
        self._before: float | None = None

    def add(self, value: Value) -> None:
        """One more value."""
        self.times += 1
        if isinstance(value, str):
            self.labels.add(value)
            return
        self.low = value if self.low is None else min(self.low, value)
        self.high = value if self.high is None else max(self.high, value)
        if not self.many:
            self.numbers.add(value)
            self.many = len(self.numbers) > MOST_VALUES
        if self._before is not None:
            self.rises += value > self._before
            self.falls += value < self._before
            if len(self.steps) <= MOST_VALUES:
                self.steps[value - self._before] += 1
        self._before = value

    def forget(self) -> None:
        """Another recording begins: what it starts with is no step."""
        self._before = None

    @property
    def counts(self) -> bool:
        """Whether it is a counter: it nearly always goes up by one."""
        steps = self.steps.total()
        return steps >= MOST_VALUES and self.many and self.steps[1] >= 0.9 * steps

    @property
    def one_way(self) -> str:
        """Where it goes without turning, but for starting anew: "up", "down", or "" if it goes to and fro.

        What it was is then no limit for what it will be: a time of operation, a distance, an energy.
        """
        most, least = max(self.rises, self.falls), min(self.rises, self.falls)
        if not self.many or most < MOST_VALUES or least * _TURNS_AMONG > most:
            return ""
        return "up" if self.rises > self.falls else "down"


@dataclass(slots=True)
class Lesson:
    """All that was seen of one kind of message."""

    key: Key
    subsystem: Subsystem
    acts: Counter[Act] = field(default_factory=Counter)
    targets: set[str] = field(default_factory=set)
    times: int = 0
    first: int = 0
    last: int = 0
    busiest: Busiest = field(default_factory=Busiest)
    values: dict[str, Values] = field(default_factory=dict)
    described: int = 0
    """How often a DBC file told its values."""
    bytes_seen: list[set[int]] = field(default_factory=list)
    """Without a DBC: the values of each byte."""
    sources: set[int] = field(default_factory=set)
    destinations: set[int] = field(default_factory=set)
    requested: set[int] = field(default_factory=set)
    name: str = ""
    functional: bool = False
    subfunctions: set[int] = field(default_factory=set)
    dids: set[int] = field(default_factory=set)
    routines: set[int] = field(default_factory=set)
    partly: bool = False
    """A request of it was never seen whole, so that more may be in it than is listed."""
    top_speed: float | None = None
    """The highest speed told while it was sent, km/h; None if none was ever told."""


class Lessons:
    """Everything learned so far."""

    def __init__(self) -> None:
        self.by_key: dict[Key, Lesson] = {}
        self.left_out: Counter[str] = Counter()
        """Frames that were not learned from, by why."""
        self.frames = 0
        self.first: int | None = None
        self.last = 0

    def hear(
        self, frame: Frame, command: Command | None, verdict: Verdict, *, goes_on: bool, speed: float | None
    ) -> None:
        """One frame of the T-box, as the gateway understood it; `goes_on` where it continues a transfer."""
        self.frames += 1
        self.first = frame.at if self.first is None else self.first
        self.last = frame.at
        if verdict.reason in _NEVER:
            self.left_out[verdict.reason.value] += 1
            return
        if command is not None and _nameless(command.message):
            self.left_out["29-bit identifiers below 0x800, which no rule can name"] += 1
            return
        key = None if command is None else _key(command)
        if command is None or key is None:
            return
        lesson = self.by_key.get(key)
        if lesson is None:
            lesson = self.by_key[key] = Lesson(key, command.subsystem, first=frame.at)
        lesson.acts[command.act] += 1
        lesson.targets.add(str(command.target))
        if not goes_on:
            lesson.times += 1
            lesson.last = frame.at
            lesson.busiest.add(frame.at)
        if speed is not None:
            lesson.top_speed = speed if lesson.top_speed is None else max(lesson.top_speed, speed)
        _learn(lesson, command.message)

    def next_recording(self) -> None:
        """What comes now has a clock of its own."""
        for lesson in self.by_key.values():
            lesson.busiest.forget()
            for values in lesson.values.values():
                values.forget()


def _nameless(message: Message) -> bool:
    if not isinstance(message, CanMessage) or message.name is not None:
        return False
    return bool(message.can_id & EXTENDED) and message.can_id & IDENTIFIER <= 0x7FF


def _key(command: Command) -> Key | None:
    message = command.message
    match message:
        case CanMessage(name=None):
            return "can_id", message.can_id & IDENTIFIER, command.subsystem
        case CanMessage():
            return "message", str(message.name), command.subsystem
        case ParameterGroup(pgn=0xEA00):
            return "pgn", message.pgn, command.subsystem, command.act
        case ParameterGroup():
            return "pgn", message.pgn, command.subsystem
        case Diagnostic(kind=DiagnosticKind.REQUEST):
            whom = "" if message.functional else command.target.name or command.target.address
            return None if whom is None else ("uds", whom, message.sid, command.subsystem)
        case _:
            return None  # an answer to what the vehicle asked: no rule is needed for it


def _learn(lesson: Lesson, message: Message) -> None:
    match message:
        case Diagnostic():
            lesson.functional = message.functional
            if message.source >= 0:
                lesson.sources.add(message.source)
            if message.subfunction is not None:
                lesson.subfunctions.add(message.subfunction & ~_SUPPRESS)
            lesson.dids.update(message.dids)
            if message.routine is not None:
                lesson.routines.add(message.routine)
            lesson.partly |= not message.complete
        case ParameterGroup():
            lesson.sources.add(message.sa)
            lesson.destinations.add(message.da)
            if message.pgn == REQUEST and len(message.data) >= 3:
                lesson.requested.add(int.from_bytes(message.data[:3], "little"))
            if message.complete:
                _values(lesson, message.name, message.values, message.data)
        case CanMessage():
            _values(lesson, message.name, message.values, message.data)


def _values(lesson: Lesson, name: str | None, values: Mapping[str, Value], data: bytes) -> None:
    if name is not None:
        lesson.name = name
        lesson.described += 1
        for signal, value in values.items():
            lesson.values.setdefault(signal, Values()).add(value)
        return
    for place, byte in enumerate(data[:64]):
        if place == len(lesson.bytes_seen):
            lesson.bytes_seen.append(set())
        lesson.bytes_seen[place].add(byte)
