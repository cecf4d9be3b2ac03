from __future__ import annotations

from typing import Any, get_args

import pytest

from busgate.judge.clock import Moment
from busgate.judge.conditions import flags, situation_refused, window_refused
from busgate.judge.limits import When, Window
from busgate.judge.refusal import Refusal
from busgate.judge.situation import NUMBERS, Situation
from busgate.judge.terms import timestamp
from busgate.model import Reason
from busgate.profile import StateName

S = 1_000_000_000

# 2026-11-23 is a Monday.
NIGHT = {"days": ["mon", "wed"], "from": "22:00", "to": "05:00"}
OFFICE = {"days": ["mon", "tue"], "from": "09:00", "to": "17:00"}
WEEKEND = {"days": ["sat", "sun"]}
EVENING = {"from": "22:00", "to": "24:00"}
TO_MIDNIGHT = {"days": "mon", "from": "22:00", "to": "00:00"}
IN_DELHI = {"days": "tue", "from": "00:00", "to": "01:00", "utc_offset": "+05:30"}
IN_LIMA = {"days": "sun", "from": "23:00", "to": "24:00", "utc_offset": "-05:00"}


@pytest.mark.parametrize(
    ("window", "at", "is_open"),
    [
        (OFFICE, "2026-11-23T08:59:59.999999999Z", False),
        (OFFICE, "2026-11-23T09:00:00Z", True),
        (OFFICE, "2026-11-23T16:59:59.999999999Z", True),
        (OFFICE, "2026-11-23T17:00:00Z", False),
        (OFFICE, "2026-11-24T12:00:00Z", True),
        (OFFICE, "2026-11-25T12:00:00Z", False),
        (OFFICE, "2026-11-22T12:00:00Z", False),
        (OFFICE, "1970-01-05T12:00:00Z", True),
        (NIGHT, "2026-11-23T21:59:59.999999999Z", False),
        (NIGHT, "2026-11-23T22:00:00Z", True),
        (NIGHT, "2026-11-24T00:00:00Z", True),
        (NIGHT, "2026-11-24T04:59:59.999999999Z", True),
        (NIGHT, "2026-11-24T05:00:00Z", False),
        (NIGHT, "2026-11-24T22:00:00Z", False),
        (NIGHT, "2026-11-25T04:00:00Z", False),
        (NIGHT, "2026-11-23T04:00:00Z", False),
        (NIGHT, "2026-11-25T12:00:00Z", False),
        (NIGHT, "2026-11-26T04:00:00Z", True),
        (WEEKEND, "2026-11-27T23:59:59.999999999Z", False),
        (WEEKEND, "2026-11-28T00:00:00Z", True),
        (WEEKEND, "2026-11-29T23:59:59.999999999Z", True),
        (WEEKEND, "2026-11-30T00:00:00Z", False),
        (EVENING, "2026-11-25T23:59:59.999999999Z", True),
        (EVENING, "2026-11-26T00:00:00Z", False),
        (TO_MIDNIGHT, "2026-11-23T23:59:59.999999999Z", True),
        (TO_MIDNIGHT, "2026-11-24T00:00:00Z", False),
        (IN_DELHI, "2026-11-23T18:29:59.999999999Z", False),
        (IN_DELHI, "2026-11-23T18:30:00Z", True),
        (IN_DELHI, "2026-11-23T19:30:00Z", False),
        (IN_LIMA, "2026-11-23T04:00:00Z", True),
        (IN_LIMA, "2026-11-23T05:00:00Z", False),
    ],
)
def test_a_window_is_open_from_its_start_to_just_before_its_end(window: dict[str, Any], at: str, is_open: bool) -> None:
    refusal = window_refused(Window.model_validate(window), Moment(0, 0, timestamp(at), None))
    assert (refusal is None) is is_open
    assert refusal is None or refusal.reason is Reason.OUTSIDE_WINDOW


@pytest.mark.parametrize(
    ("window", "at", "detail"),
    [
        (OFFICE, "2026-11-23T07:05:59Z", "mon 07:05 is outside the window"),
        (OFFICE, "2026-11-29T23:59:00Z", "sun 23:59 is outside the window"),
        (IN_DELHI, "2026-11-23T17:00:00Z", "mon 22:30 is outside the window"),
    ],
)
def test_what_is_told_is_the_windows_own_time(window: dict[str, Any], at: str, detail: str) -> None:
    moment = Moment(0, 0, timestamp(at), None)
    assert window_refused(Window.model_validate(window), moment) == Refusal(Reason.OUTSIDE_WINDOW, detail)


def test_the_latest_time_is_no_trusted_time_for_a_window() -> None:
    moment = Moment(0, 0, None, timestamp("2026-11-23T12:00:00Z"))
    refusal = Refusal(Reason.TIME_UNKNOWN, "no trusted time to judge the window by")
    assert window_refused(Window.model_validate(OFFICE), moment) == refusal


SLOW = {"speed": {"min": 1, "max": 5.5, "max_age": "2 s"}}


def refused(when: dict[str, Any], **facts: float) -> Refusal | None:
    situation = Situation()
    for name in get_args(StateName):
        if name in facts:
            situation.update(name, facts[name], 0)
    return situation_refused(When.model_validate(when), situation, S)


@pytest.mark.parametrize(
    ("speed", "detail"),
    [
        (0.999, "speed 0.999 km/h is below 1"),
        (1, None),
        (5.5, None),
        (5.51, "speed 5.51 km/h is above 5.5"),
        (43.2, "speed 43.2 km/h is above 5.5"),
    ],
)
def test_a_speed_is_within_its_limits_both_included(speed: float, detail: str | None) -> None:
    assert refused(SLOW, speed=speed) == (None if detail is None else Refusal(Reason.CONDITION_NOT_MET, detail))


@pytest.mark.parametrize("name", sorted(set(get_args(StateName)) - NUMBERS))
@pytest.mark.parametrize("wanted", [True, False])
def test_a_flag_is_what_it_shall_be_or_is_told(name: str, wanted: bool) -> None:
    when = {name: {"is": wanted, "max_age": "1500 ms"}}
    word, other = ("true", "false") if wanted else ("false", "true")
    assert refused(when, **{name: wanted}) is None
    assert refused(when, **{name: not wanted}) == Refusal(Reason.CONDITION_NOT_MET, f"{name} is {other}, not {word}")
    assert refused(when) == Refusal(Reason.CONDITION_UNKNOWN, f"{name} is not known from the last 1500 ms")


@pytest.mark.parametrize("name", sorted(set(get_args(StateName)) - NUMBERS))
def test_each_flag_keeps_its_own_age_limit(name: StateName) -> None:
    when = When.model_validate({name: {"is": True, "max_age": "2 s"}})
    situation = Situation()
    situation.update(name, True, 0)
    assert situation_refused(when, situation, 2 * S) is None
    assert situation_refused(when, situation, 2 * S + 1) is not None


def test_every_fact_must_fit_and_the_first_that_does_not_is_told() -> None:
    when = SLOW | {"doors_open": {"is": False, "max_age": "2 s"}, "ignition": {"is": True, "max_age": "2 s"}}
    assert refused(when, speed=3, doors_open=False, ignition=True) is None
    assert refused(when, speed=3, doors_open=True, ignition=True) == Refusal(
        Reason.CONDITION_NOT_MET, "doors_open is true, not false"
    )
    assert refused(when, speed=3, doors_open=True) == Refusal(
        Reason.CONDITION_UNKNOWN, "ignition is not known from the last 2 s"
    )
    assert refused(when, speed=9) == Refusal(Reason.CONDITION_NOT_MET, "speed 9 km/h is above 5.5")


def test_a_condition_can_be_put_on_every_fact_that_a_profile_tells() -> None:
    assert set(When.model_fields) == set(get_args(StateName))
    flag = {"is": True, "max_age": "1 s"}
    every = {name: flag for name in get_args(StateName) if name not in NUMBERS}
    assert {name for name, _ in flags(When.model_validate(every))} == set(every)
