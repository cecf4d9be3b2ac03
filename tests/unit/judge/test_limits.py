from __future__ import annotations

import pytest

from busgate.document import DocumentError
from busgate.judge.limits import WEEK, Rate, SignalLimit, Window
from busgate.judge.policy import load_policy
from busgate.judge.rules import Rule
from busgate.judge.terms import DAY, MINUTE
from support.judging import policy_of

UNKNOWN = "there is no such field; see 'busgate policy schema' or the profile guide for the ones there are"
NEVER = "the window never opens; for whole days leave from and to out"
EMPTY = "an empty list selects nothing; list what is meant"


def fault_of(part: str) -> str:
    with pytest.raises(DocumentError) as told:
        load_policy(policy_of(f"id: r\nmessage: M\n{part}"), "p")
    return str(told.value).removeprefix("p:7: allow.0.")


def rule_of(part: str) -> Rule:
    (rule,) = load_policy(policy_of(f"id: r\nmessage: M\n{part}")).allow
    return rule


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("signals: {A: {}}", "signals.A: say min, max or both, or is"),
        ("signals: {A: {min: 1, is: 1}}", "signals.A: say either is, or min and max"),
        ("signals: {A: {max: 1, is: 1}}", "signals.A: say either is, or min and max"),
        ("signals: {A: {min: 2, max: 1}}", "signals.A: min is above max"),
        ("signals: {A: {is: []}}", f"signals.A.is: {EMPTY}"),
        ("signals: {A: {is: [true]}}", "signals.A.is: True is not a number"),
        ("signals: {A: {min: '1'}}", "signals.A.min: '1' is not a number"),
        ("signals: {A: {max: .inf}}", "signals.A.max: inf is not a number"),
        ("signals: {A: {max: }}", "signals.A.max: it has no value; give it one or leave it out"),
        ("signals: {A: 5}", "signals.A: Input should be a valid dictionary or instance of SignalLimit"),
        ("when: {}", "when: name at least one fact, such as speed: {max: 5, max_age: 2 s}"),
        ("when: {speed: {max_age: 1 s}}", "when.speed: say min, max or both"),
        ("when: {speed: {min: 2, max: 1, max_age: 1 s}}", "when.speed: min is above max"),
        ("when: {speed: {max: 5}}", "when.speed.max_age: Field required"),
        ("when: {ignition: {is: true}}", "when.ignition.max_age: Field required"),
        ("when: {ignition: {max_age: 1 s}}", "when.ignition.is: Field required"),
        ("when: {ignition: {is: 1, max_age: 1 s}}", "when.ignition.is: Input should be a valid boolean"),
        ("when: {ignition: {is: on, max_age: 1 s}}", "when.ignition.is: Input should be a valid boolean"),
        (
            "when: {ignition: {is: true, max_age: 5}}",
            "when.ignition.max_age: 5 is not a duration; write it with its unit: 500 ms, 10 s, 1 min or 2 h",
        ),
        ("rate: {count: 0, per: 1 s}", "rate.count: Input should be greater than or equal to 1"),
        ("rate: {count: 10001, per: 1 s}", "rate.count: Input should be less than or equal to 10000"),
        ("rate: {count: 1.0, per: 1 s}", "rate.count: Input should be a valid integer"),
        ("rate: {count: 1}", "rate.per: Field required"),
        ("window: {}", "window: a window needs days, or from and to"),
        ("window: {utc_offset: '+01:00'}", "window: a window needs days, or from and to"),
        ("window: {to: '10:00'}", "window: a window needs days, or from and to"),
        ("window: {from: '10:00'}", "window: from and to belong together; write both"),
        ("window: {days: mon, to: '10:00'}", "window: from and to belong together; write both"),
        ("window: {days: mon, from: '10:00'}", "window: from and to belong together; write both"),
        ("window: {from: '10:00', to: '10:00'}", f"window: {NEVER}"),
        ("window: {from: '24:00', to: '10:00'}", f"window: {NEVER}"),
        ("window: {days: []}", "window.days: write each day once, out of mon, tue, wed, thu, fri, sat, sun"),
        ("window: {days: monday}", "window.days: write each day once, out of mon, tue, wed, thu, fri, sat, sun"),
        ("window: {days: [mon, mon]}", "window.days: write each day once, out of mon, tue, wed, thu, fri, sat, sun"),
        ("window: {days: [mon, 1]}", "window.days: write each day once, out of mon, tue, wed, thu, fri, sat, sun"),
        ("window: {days: mon, is_: 1}", f"window.is_: {UNKNOWN}"),
        ("window: {days: mon, from_: '10:00'}", f"window.from_: {UNKNOWN}"),
    ],
)  # fmt: skip
def test_a_limit_that_limits_nothing_or_everything_is_refused(part: str, fault: str) -> None:
    assert fault_of(part) == fault


def test_a_signal_may_be_limited_on_one_side_on_both_or_to_a_point() -> None:
    rule = rule_of("signals: {A: {min: 1}, B: {max: 2.5}, C: {min: 3, max: 3}, D: {is: Off}, E: {is: [1, On]}}")
    assert rule.signals is not None
    said = {name: (limit.min, limit.max, limit.is_) for name, limit in rule.signals.items()}
    assert said == {
        "A": (1, None, None),
        "B": (None, 2.5, None),
        "C": (3, 3, None),
        "D": (None, None, ("Off",)),
        "E": (None, None, (1, "On")),
    }


def test_large_whole_numbers_stay_exact() -> None:
    assert SignalLimit.model_validate({"max": 2**64 - 1}).max == 2**64 - 1


def test_a_rate_goes_up_to_its_limits() -> None:
    assert Rate.model_validate({"count": 10_000, "per": "2 h"}).per == 120 * MINUTE
    assert Rate.model_validate({"count": 1, "per": "0.001 ms"}).count == 1


@pytest.mark.parametrize(
    ("written", "days", "opens", "closes", "offset"),
    [
        ({"days": "sun"}, ("sun",), 0, DAY, 0),
        ({"days": ["sun", "mon"]}, ("mon", "sun"), 0, DAY, 0),
        ({"from": "22:00", "to": "05:00"}, WEEK, 1320 * MINUTE, 300 * MINUTE, 0),
        ({"from": "22:00", "to": "24:00", "utc_offset": "-01:00"}, WEEK, 1320 * MINUTE, DAY, -60 * MINUTE),
        ({"days": "fri", "from": "00:00", "to": "24:00"}, ("fri",), 0, DAY, 0),
    ],
)
def test_a_window_has_days_or_hours_or_both(
    written: dict[str, object], days: tuple[str, ...], opens: int, closes: int, offset: int
) -> None:
    window = Window.model_validate(written)
    assert (window.days, window.from_, window.to, window.utc_offset) == (days, opens, closes, offset)
