from __future__ import annotations

from dataclasses import replace
from typing import cast

from busgate.judge.content import content_refused
from busgate.judge.limits import outside
from busgate.judge.policy import load_policy
from busgate.judge.refusal import Refusal
from busgate.model import Diagnostic, Reason
from support.judging import policy_of, uds


def test_a_rule_that_is_not_about_diagnostics_never_lets_one_pass() -> None:
    """Even if the tables ever handed it one."""
    (rule,) = load_policy(policy_of("id: m\nmessage: M")).allow
    refusal = Refusal(Reason.NOT_ALLOWLISTED, "the rule is not about diagnostics")
    assert content_refused(rule, uds("14FFFFFF")) == refusal


def test_limits_are_told_without_false_precision() -> None:
    assert outside(0.1 + 0.2, None, 0.3 - 0.1) == "0.3 is above 0.2"
    assert outside(2**64 + 1, None, 2**64) == "18446744073709551617 is above 18446744073709551616"
    assert outside(-(10**400), -5, None) == f"-{10**400} is below -5"
    assert outside(4, 5, None, " km/h") == "4 km/h is below 5"
    assert outside(5, 5, 5) is None
    assert outside(5, None, None) is None


def test_a_request_that_goes_on_after_all_that_its_service_takes_is_not_the_one_that_is_allowed() -> None:
    (rule,) = load_policy(policy_of("id: alive\nuds: {target: BMS, services: [0x3E], subfunctions: 0}")).allow
    assert content_refused(rule, uds("3E00", subfunction=0)) is None
    asked = uds("3E0011")
    longer = replace(asked, message=replace(cast("Diagnostic", asked.message), extra=1))
    refusal = Refusal(Reason.SIGNAL_OUT_OF_RANGE, "it goes on after all that the service takes")
    assert content_refused(rule, longer) == refusal
