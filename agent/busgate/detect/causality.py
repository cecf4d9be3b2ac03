"""Which message over the air led to which frame of the T-box.

Law: what came first and fits is a candidate, and a confidence is only as high as chance is unlikely. Nothing is claimed
of a frame that came before its message, and an encrypted link is judged by time and size alone, and said to be.

How the confidence comes about: for each candidate of the last `WINDOW_NS`, `fit` says how well what was asked matches
what the frame does (1 the same act on the same part, 0 something else). `chance` is the probability that such a
candidate stands within the same lag by accident, from how often candidates of its kind came before (Poisson). The
confidence is fit x (1 - chance), never above what the labelled runs showed for its way (docs/causality.md).
"""

from __future__ import annotations

from collections import deque
from math import exp
from typing import NamedTuple

from busgate.model import Act, Command, Diagnostic, Flow, Subsystem, Value

WINDOW_NS = 20_000_000_000
"""How long after a message a frame may be its consequence. Updates take longer: they have sessions of their own."""

SETTLED_NS = 1_000_000_000
"""A lag up to this loses nothing (for bursts half of it): a T-box answers within tenths of a second."""

FADES_NS = {"message": 4_000_000_000, "sms": 4_000_000_000, "burst": 1_000_000_000}
"""In how much more time a candidate becomes e times less likely."""

LOADING_NS = 10_000_000_000
"""The same as `SETTLED_NS` for an order to load software, which takes a while; it fades six times as slowly."""

MOST = 256
BURST_NS = 50_000_000
"""Encrypted bytes that come closer together than this are one burst."""

LEAST_CONFIDENCE = 0.2
"""Below this no link is told."""

MOST_CONFIDENT = {"message": 0.95, "sms": 0.95, "burst": 0.75}
"""What a way can reach at most: an encrypted burst is never proof."""

_AS_LIKELY = 0.9
_HISTORY_NS = 300_000_000_000

_ANYTHING = frozenset({Subsystem.UNKNOWN, Subsystem.TELEMATICS})
_ALIKE: dict[Act, frozenset[Act]] = {
    Act.STOP: frozenset({Act.STOP, Act.LIMIT, Act.SET}),
    Act.LIMIT: frozenset({Act.LIMIT, Act.SET, Act.STOP}),
    Act.ENABLE: frozenset({Act.ENABLE, Act.SET, Act.UNLOCK}),
    Act.SET: frozenset({Act.SET, Act.LIMIT, Act.ENABLE, Act.STOP, Act.WRITE}),
    Act.WRITE: frozenset({Act.WRITE, Act.SET, Act.UNLOCK}),
    Act.RESET: frozenset({Act.RESET}),
    Act.UNLOCK: frozenset({Act.UNLOCK, Act.SET, Act.ENABLE}),
}


class Trigger(NamedTuple):
    """Something over the air that a frame may follow. `way` is "message", "sms" or "burst"."""

    at: int
    way: str
    flow: Flow
    subsystem: Subsystem
    act: Act
    told: dict[str, Value]
    """What is told of it in an event: protocol, name, address, host."""
    carries: bool = False
    """It carries data for something behind the T-box, such as a diagnostic request."""


class Cause(NamedTuple):
    """The most likely trigger of a frame; `news` is False where it was told of the same command before."""

    trigger: Trigger
    lag: int
    confidence: float
    news: bool


class Causality:
    """What came over the air of late, and which frame each most likely led to."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._recent: deque[Trigger] = deque(maxlen=MOST)
        self._history: deque[tuple[int, tuple[str, object]]] = deque(maxlen=4 * MOST)
        self._told: dict[tuple[int, str, str], int] = {}
        self._began: int | None = None

    def listening(self, at: int) -> None:
        """The air is listened to: what comes how often is counted from the first of these."""
        self._began = at if self._began is None else self._began

    def over_the_air(self, trigger: Trigger) -> None:
        """Something came for the T-box; a burst that goes on is the same one, as late as its last bytes."""
        self.listening(trigger.at)
        if trigger.way == "burst" and self._goes_on(trigger):
            return
        self._recent.append(trigger)
        self._history.append((trigger.at, _kind(trigger)))

    def _goes_on(self, trigger: Trigger) -> bool:
        for place in range(len(self._recent) - 1, max(-1, len(self._recent) - 9), -1):
            last = self._recent[place]
            if last.way == "burst" and last.flow == trigger.flow:
                if trigger.at - last.at > BURST_NS:
                    return False
                del self._recent[place]
                self._recent.append(trigger)
                return True
        return False

    def on_the_wire(self, command: Command, at: int) -> Cause | None:
        """The T-box sent a frame that commands something: what most likely led to it, if anything did."""
        likely: list[tuple[float, Trigger]] = []
        for trigger in reversed(self._recent):
            lag = at - trigger.at
            if lag < 0:
                continue
            if lag > WINDOW_NS:
                break
            confidence = self._confidence(trigger, command, lag, at)
            if confidence >= LEAST_CONFIDENCE:
                likely.append((confidence, trigger))
        if not likely:
            return None
        # Of those that are about as likely the latest is taken: a T-box does what it was told last.
        most = max(confidence for confidence, _ in likely)
        confidence, trigger = next(each for each in likely if each[0] >= _AS_LIKELY * most)
        return Cause(trigger, at - trigger.at, round(confidence, 2), self._is_news(trigger, command, at))

    def _confidence(self, trigger: Trigger, command: Command, lag: int, at: int) -> float:
        fit = 0.8 if trigger.way == "burst" else fitting(trigger, command)
        if not fit:
            return 0.0
        late = exp(-max(0, lag - _settled(trigger)) / _fades(trigger))
        # What was answered once hardly asks for the same again: a newer message of the same kind comes first.
        answered = 0.5 if self._key(trigger, command) in self._told else 1.0
        return min(MOST_CONFIDENT[trigger.way], fit * late * answered * (1 - self._chance(trigger, lag, at)))

    def _chance(self, trigger: Trigger, lag: int, at: int) -> float:
        """How likely one of its kind stands within the lag by accident, from those before it."""
        kind = _kind(trigger)
        oldest = max(at - _HISTORY_NS, self._began if self._began is not None else at)
        if len(self._history) == self._history.maxlen:
            # What came before is forgotten: how often it came is only known since.
            oldest = max(oldest, self._history[0][0])
        earlier = sum(1 for moment, other in self._history if other == kind and oldest <= moment < trigger.at)
        elapsed = trigger.at - oldest
        if not earlier or elapsed <= 0:
            return 0.0
        return 1 - exp(-earlier / elapsed * lag)

    def _is_news(self, trigger: Trigger, command: Command, at: int) -> bool:
        key = self._key(trigger, command)
        last = self._told.pop(key, None)
        if len(self._told) >= MOST:
            del self._told[next(iter(self._told))]
        self._told[key] = at
        return last is None

    @staticmethod
    def _key(trigger: Trigger, command: Command) -> tuple[int, str, str]:
        return trigger.at, command.name, str(command.target)


def _settled(trigger: Trigger) -> int:
    if trigger.act is Act.FLASH:
        return LOADING_NS
    return SETTLED_NS // 2 if trigger.way == "burst" else SETTLED_NS


def _fades(trigger: Trigger) -> int:
    return LOADING_NS * 6 if trigger.act is Act.FLASH else FADES_NS[trigger.way]


def fitting(trigger: Trigger, command: Command) -> float:
    """How well what was asked matches what a frame does: 1 the same, 0 something else."""
    diagnostic = isinstance(command.message, Diagnostic)
    if trigger.carries:
        return 0.95 if diagnostic else 0.6
    if trigger.act is Act.FLASH:
        return 0.95 if diagnostic else 0.0
    same_part = trigger.subsystem is command.subsystem
    if trigger.subsystem in _ANYTHING:
        # Nobody knows what it asks for, so anything that follows may be it.
        return 0.7 if trigger.act is command.act else 0.6
    if not same_part:
        return 0.3 if trigger.act is command.act and command.subsystem in _ANYTHING else 0.0
    if trigger.act is command.act:
        return 1.0
    return 0.9 if command.act in _ALIKE.get(trigger.act, frozenset()) else 0.5


def _kind(trigger: Trigger) -> tuple[str, object]:
    """What counts as another of the same: for bursts those of the same conversation, else what asks for the same."""
    if trigger.way == "burst":
        return "burst", trigger.flow
    return trigger.way, (trigger.subsystem, trigger.act)
