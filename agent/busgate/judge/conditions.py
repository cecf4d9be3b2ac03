"""What must hold around a message before a rule lets it pass: what the vehicle does, and what time it is.

Law: doubt means no. What is not known or not trusted refuses just as what is known and wrong; the reason tells the
two apart.
"""

from __future__ import annotations

from busgate.judge.clock import Moment
from busgate.judge.limits import WEEK, FlagCondition, SpeedCondition, When, Window, outside
from busgate.judge.refusal import Refusal
from busgate.judge.situation import UNITS, Situation
from busgate.judge.terms import DAY, MINUTE, in_words
from busgate.model import Reason
from busgate.profile import StateName

_THURSDAY = 3
"""1970-01-01 was one."""


def situation_refused(when: When, situation: Situation, now: int) -> Refusal | None:
    """Whether all facts that a rule names are known and fit."""
    if when.speed is not None:
        refusal = _speed_refused(when.speed, situation, now)
        if refusal is not None:
            return refusal
    for name, condition in flags(when):
        refusal = _flag_refused(name, condition, situation, now)
        if refusal is not None:
            return refusal
    return None


def flags(when: When) -> tuple[tuple[StateName, FlagCondition], ...]:
    """The conditions on facts that are true or false, by name."""
    named: tuple[tuple[StateName, FlagCondition | None], ...] = (
        ("park_brake", when.park_brake),
        ("ignition", when.ignition),
        ("charging", when.charging),
        ("doors_open", when.doors_open),
    )
    return tuple((name, condition) for name, condition in named if condition is not None)


def _speed_refused(condition: SpeedCondition, situation: Situation, now: int) -> Refusal | None:
    speed = situation.get("speed", now, condition.max_age)
    if speed is None:
        return _unknown("speed", condition.max_age)
    fault = outside(speed, condition.min, condition.max, f" {UNITS['speed']}")
    return None if fault is None else Refusal(Reason.CONDITION_NOT_MET, f"speed {fault}")


def _flag_refused(name: StateName, condition: FlagCondition, situation: Situation, now: int) -> Refusal | None:
    value = situation.get(name, now, condition.max_age)
    if value is None:
        return _unknown(name, condition.max_age)
    if value is condition.is_:
        return None
    return Refusal(Reason.CONDITION_NOT_MET, f"{name} is {_word(not condition.is_)}, not {_word(condition.is_)}")


def _unknown(name: StateName, max_age: int) -> Refusal:
    return Refusal(Reason.CONDITION_UNKNOWN, f"{name} is not known from the last {in_words(max_age)}")


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def window_refused(window: Window, moment: Moment) -> Refusal | None:
    """Whether a trusted clock says that the window is open."""
    if moment.wall is None:
        return Refusal(Reason.TIME_UNKNOWN, "no trusted time to judge the window by")
    day, time = divmod(moment.wall + window.utc_offset, DAY)
    today, yesterday = (_weekday(day) in window.days, _weekday(day - 1) in window.days)
    if window.from_ < window.to:
        is_open = today and window.from_ <= time < window.to
    else:
        is_open = (today and time >= window.from_) or (yesterday and time < window.to)
    if is_open:
        return None
    minutes = time // MINUTE
    return Refusal(Reason.OUTSIDE_WINDOW, f"{_weekday(day)} {minutes // 60:02}:{minutes % 60:02} is outside the window")


def _weekday(day: int) -> str:
    return WEEK[(day + _THURSDAY) % 7]
