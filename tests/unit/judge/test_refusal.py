from __future__ import annotations

from busgate.judge.refusal import CLOSENESS, Refusal
from busgate.model import Reason


def test_reasons_are_ordered_by_how_close_a_rule_came() -> None:
    for near, reason in enumerate(CLOSENESS):
        for far, other in enumerate(CLOSENESS):
            assert Refusal(reason, "").is_closer_than(Refusal(other, "x")) is (near > far)


def test_what_was_met_already_is_passed_over_in_the_order_of_the_checks() -> None:
    assert CLOSENESS == (
        Reason.NOT_ALLOWLISTED,
        Reason.SIGNAL_UNKNOWN,
        Reason.SIGNAL_OUT_OF_RANGE,
        Reason.GRANT_REQUIRED,
        Reason.TIME_UNKNOWN,
        Reason.OUTSIDE_WINDOW,
        Reason.CONDITION_UNKNOWN,
        Reason.CONDITION_NOT_MET,
        Reason.RATE_EXCEEDED,
    )
