from __future__ import annotations

from busgate.judge.content import content_refused
from busgate.judge.limits import outside
from busgate.judge.policy import load_policy
from busgate.judge.refusal import Refusal
from busgate.model import Reason
from support.judging import policy_of, uds


def test_a_rule_that_is_not_about_diagnostics_never_lets_one_pass() -> None:
    """Even if the tables ever handed it one."""
    (rule,) = load_policy(policy_of("id: m\nmessage: M")).allow
    refusal = Refusal(Reason.NOT_ALLOWLISTED, "the rule is not about diagnostics")
    assert content_refused(rule, uds("14FFFFFF").message) == refusal


def test_limits_are_told_without_false_precision() -> None:
    assert outside(0.1 + 0.2, None, 0.3 - 0.1) == "0.3 is above 0.2"
    assert outside(2**64 + 1, None, 2**64) == "18446744073709551617 is above 18446744073709551616"
    assert outside(-(10**400), -5, None) == f"-{10**400} is below -5"
    assert outside(4, 5, None, " km/h") == "4 km/h is below 5"
    assert outside(5, 5, 5) is None
    assert outside(5, None, None) is None
