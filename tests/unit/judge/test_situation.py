from __future__ import annotations

from typing import get_args

import pytest

from busgate.judge.clock import REORDER
from busgate.judge.situation import NUMBERS, TOLD_FOR, UNITS, Situation
from busgate.model import Value
from busgate.profile import StateName

S = 1_000_000_000


def test_what_was_never_said_is_not_known() -> None:
    assert Situation().get("speed", 0, S) is None


def test_a_fact_is_known_up_to_its_age_limit_and_no_longer() -> None:
    situation = Situation()
    situation.update("speed", 43.2, 10 * S)
    assert situation.get("speed", 10 * S, 2 * S) == 43.2
    assert situation.get("speed", 12 * S, 2 * S) == 43.2
    assert situation.get("speed", 12 * S + 1, 2 * S) is None


def test_the_last_word_counts() -> None:
    situation = Situation()
    situation.update("speed", 3, 0)
    situation.update("speed", 4, S)
    assert situation.get("speed", 3 * S, 2 * S) == 4


def test_facts_do_not_stand_for_one_another() -> None:
    situation = Situation()
    situation.update("park_brake", True, 0)
    assert situation.get("ignition", 0, S) is None
    assert situation.get("park_brake", 0, S) is True


def test_not_available_makes_a_fact_unknown_at_once() -> None:
    situation = Situation()
    situation.update("speed", 3, 0)
    situation.update("speed", None, 1)
    assert situation.get("speed", 1, S) is None
    situation.update("speed", None, 2)
    assert situation.get("speed", 2, S) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("speed", True),
        ("speed", "fast"),
        ("speed", float("nan")),
        ("speed", float("inf")),
        ("speed", float("-inf")),
        ("park_brake", 1),
        ("park_brake", 0.0),
        ("doors_open", "open"),
    ],
)
def test_a_value_of_another_kind_says_nothing_and_takes_back_what_was_known(name: StateName, value: Value) -> None:
    situation = Situation()
    situation.update(name, 3 if name == "speed" else True, 0)
    situation.update(name, value, 1)
    assert situation.get(name, 1, S) is None


@pytest.mark.parametrize("value", [0, -1, 10**400, 0.5])
def test_any_finite_number_is_a_speed(value: float) -> None:
    situation = Situation()
    situation.update("speed", value, 0)
    assert situation.get("speed", 0, S) == value


@pytest.mark.parametrize("value", [True, False])
def test_flags_are_true_or_false(value: bool) -> None:
    situation = Situation()
    situation.update("charging", value, 0)
    assert situation.get("charging", 0, S) is value


def test_a_stale_fact_stays_stale_when_frames_are_read_out_of_order() -> None:
    situation = Situation()
    situation.update("speed", 0, 10 * S)
    assert situation.get("speed", 12 * S + 1, 2 * S) is None
    assert situation.get("speed", 12 * S + 1 - REORDER, 2 * S) is None


def test_a_fact_read_out_of_order_is_as_old_as_it_says() -> None:
    situation = Situation()
    situation.update("ignition", True, 10 * S)
    situation.update("speed", 0, 10 * S - REORDER)
    assert situation.get("speed", 11 * S, 2 * S) == 0
    assert situation.get("speed", 11 * S + 1, 2 * S) is None


def test_a_question_slightly_older_than_the_fact_is_answered() -> None:
    situation = Situation()
    situation.update("speed", 0, 10 * S)
    assert situation.get("speed", 10 * S - REORDER, 0) == 0


def test_a_clock_set_back_makes_every_earlier_fact_unknown() -> None:
    situation = Situation()
    situation.update("speed", 0, 100 * S)
    assert situation.get("speed", 50 * S, 2 * S) is None
    assert situation.get("speed", 100 * S, 200 * S) is None
    situation.update("speed", 7, 51 * S)
    assert situation.get("speed", 51 * S, 2 * S) == 7
    situation.update("speed", 8, 52 * S)
    assert situation.get("speed", 53 * S, 2 * S) == 8


def test_a_frame_after_a_set_back_is_known_by_the_new_clock() -> None:
    situation = Situation()
    situation.update("speed", 0, 100 * S)
    situation.update("speed", 60, 50 * S)
    assert situation.get("speed", 52 * S, 2 * S) == 60
    assert situation.get("speed", 52 * S + 1, 2 * S) is None


def test_a_snapshot_tells_the_fresh_facts_as_plain_values() -> None:
    situation = Situation()
    situation.update("charging", True, 0)
    situation.update("speed", 12.5, S)
    situation.update("park_brake", False, S)
    assert situation.snapshot(S) == {"charging": True, "speed": 12.5, "park_brake": False}
    assert situation.snapshot(TOLD_FOR + 1) == {"speed": 12.5, "park_brake": False}
    assert situation.snapshot(TOLD_FOR + S + 1) == {}


def test_a_snapshot_may_be_asked_for_older_facts() -> None:
    situation = Situation()
    situation.update("speed", 12.5, 0)
    assert situation.snapshot(60 * S, 60 * S) == {"speed": 12.5}
    assert situation.snapshot(60 * S) == {}


def test_five_seconds_are_told() -> None:
    assert TOLD_FOR == 5 * S


def test_every_number_has_a_unit() -> None:
    assert set(UNITS) == NUMBERS < set(get_args(StateName))
