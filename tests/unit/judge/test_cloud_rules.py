"""Rules about what comes over the air: which messages they select, and what must hold."""

from __future__ import annotations

from typing import Any

import pytest

from busgate.document import DocumentError
from busgate.judge.decide import Judge
from busgate.judge.plain import rule_in_words
from busgate.judge.policy import load_policy
from busgate.judge.situation import Situation
from busgate.model import (
    Act,
    Action,
    Argument,
    CloudMessage,
    Command,
    Direction,
    Endpoint,
    Flow,
    Party,
    Pdu,
    Reason,
    Subsystem,
)
from support.judging import MONDAY, PROFILE, SECOND, policy_of

TCP = Flow("tcp", Endpoint("10.0.0.2", 40_000), Endpoint("203.0.113.10", 6808))
SMS = Flow("sms", Endpoint("sim"), Endpoint("+31600000001"))
NETWORK = """
network:
  endpoints:
    - {id: platform, addresses: 203.0.113.10, ports: 6808, speaks: jt808}
    - {id: second, addresses: 203.0.113.11, ports: 6808, speaks: jt808}
"""


def asking(
    name: str, *, protocol: str = "jt808", code: int | None = 0x8105, endpoint: str = "platform", flow: Flow = TCP,
    **arguments: Any,
) -> Command:  # fmt: skip
    pdu = Pdu(protocol, "terminal control", code, Direction.DOWN)
    told = {each: Argument(value) for each, value in arguments.items()}
    message = CloudMessage(0, Direction.DOWN, flow, pdu, b"", endpoint=endpoint)
    return Command(
        message, name, Subsystem.TELEMATICS, Act.RESET, "cloud.reset", Party("x", None), Party("T-box", None), told
    )


class Judged:
    """A judge with these rules, and the vehicle's situation."""

    def __init__(self, *rules: str) -> None:
        self.judge = Judge(PROFILE, device="bus-1")
        self.judge.adopt(load_policy(policy_of(*rules) + NETWORK))
        self.situation = Situation()

    def __call__(self, command: Command, at: int = SECOND) -> tuple[Reason, str]:
        verdict = self.judge.decide(command, self.situation, at, wall=MONDAY + at)
        assert (verdict.action is Action.PASS) is (verdict.reason in {Reason.ALLOWED, Reason.GRANTED})
        return verdict.reason, verdict.rule


RESET = asking("terminal control: reset")


@pytest.mark.parametrize(
    ("selector", "command", "selected"),
    [
        ("{protocol: jt808, codes: 0x8105}", RESET, True),
        ("{protocol: jt808, codes: [0x8103, '0x8104-0x8106']}", RESET, True),
        ("{protocol: jt808, codes: any}", RESET, True),
        ("{protocol: jt808, codes: 0x8103}", RESET, False),
        ("{protocol: gb32960, codes: any}", RESET, False),
        ("{protocol: jt808, asks: 'terminal control: reset'}", RESET, True),
        ("{protocol: jt808, asks: ['x', 'terminal control: reset']}", RESET, True),
        ("{protocol: jt808, asks: 'terminal control: cut drive'}", RESET, False),
        ("{protocol: jt808, codes: 0x8105, asks: 'terminal control: cut drive'}", RESET, False),
        ("{protocol: jt808, codes: 0x8105, endpoints: platform}", RESET, True),
        ("{protocol: jt808, codes: 0x8105, endpoints: [second]}", RESET, False),
        ("{protocol: jt808, codes: 0x8105, endpoints: platform}", asking("x", endpoint=""), False),
        ("{protocol: jt808, codes: 0x8105}", asking("x", code=None), False),
        ("{protocol: mqtt, asks: preheat}", asking("preheat", protocol="mqtt", code=3), True),
        # A short message is one whatever it holds, and a rule has to say so.
        ("{protocol: jt808, codes: 0x8105}", asking("x", flow=SMS), False),
        ("{protocol: sms, codes: 0x8105}", asking("x", flow=SMS), True),
        ("{protocol: sms, asks: 'short message'}", asking("short message", protocol="sms", code=0, flow=SMS), True),
        ("{protocol: sms, codes: any}", RESET, False),
    ],
)
def test_what_a_rule_selects(selector: str, command: Command, selected: bool) -> None:
    reason, rule = Judged(f"id: r\ncloud: {selector}")(command)
    assert (reason, rule) == ((Reason.ALLOWED, "r") if selected else (Reason.NOT_ALLOWLISTED, ""))


@pytest.mark.parametrize(
    ("fields", "value", "reason"),
    [
        ("{command_word: {is: 4}}", 4, Reason.ALLOWED),
        ("{command_word: {is: [3, 4]}}", 4, Reason.ALLOWED),
        ("{command_word: {is: 5}}", 4, Reason.SIGNAL_OUT_OF_RANGE),
        ("{command_word: {min: 1, max: 4}}", 4, Reason.ALLOWED),
        ("{command_word: {max: 3}}", 4, Reason.SIGNAL_OUT_OF_RANGE),
        ("{command_word: {max: 3}}", "four", Reason.SIGNAL_UNKNOWN),
        ("{other: {is: 4}}", 4, Reason.SIGNAL_UNKNOWN),
    ],
)
def test_what_a_message_says_must_be_within_the_fields(fields: str, value: object, reason: Reason) -> None:
    judged = Judged(f"id: r\ncloud: {{protocol: jt808, codes: 0x8105, fields: {fields}}}")
    assert judged(asking("x", command_word=value)) == (reason, "r")


def test_a_rule_may_ask_for_a_state_of_the_vehicle() -> None:
    judged = Judged("id: r\ncloud: {protocol: jt808, codes: 0x8105}\nwhen: {speed: {max: 0.5, max_age: 2 s}}")
    assert judged(RESET) == (Reason.CONDITION_UNKNOWN, "r")
    judged.situation.update("speed", 0.0, SECOND)
    assert judged(RESET) == (Reason.ALLOWED, "r")
    judged.situation.update("speed", 30.0, SECOND)
    assert judged(RESET) == (Reason.CONDITION_NOT_MET, "r")
    assert judged(RESET, at=10 * SECOND) == (Reason.CONDITION_UNKNOWN, "r")


def test_a_rule_may_ask_for_a_time_a_grant_and_a_rate() -> None:
    window = Judged("id: r\ncloud: {protocol: jt808, codes: 0x8105}\nwindow: {from: '22:00', to: '04:00'}")
    assert window(RESET) == (Reason.OUTSIDE_WINDOW, "r")
    granted = Judged("id: r\ncloud: {protocol: jt808, codes: 0x8105}\ngrant: maintenance")
    assert granted(RESET) == (Reason.GRANT_REQUIRED, "r")
    rated = Judged("id: r\ncloud: {protocol: jt808, codes: 0x8105}\nrate: {count: 2, per: 1 min}")
    assert [rated(RESET)[0] for _ in range(3)] == [Reason.ALLOWED, Reason.ALLOWED, Reason.RATE_EXCEEDED]


def test_a_rule_that_holds_says_so_and_only_what_comes_over_the_air_can_wait() -> None:
    judged = Judged("id: r\ncloud: {protocol: jt808, codes: 0x8105}\nhold: true", "id: s\nmessage: A")
    assert judged.judge.holds("r")
    assert not judged.judge.holds("s")
    assert not judged.judge.holds("")
    assert not Judge(PROFILE).holds("r")


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("id: r\ncloud: {protocol: jt808}", "say which messages: codes (numbers of the protocol), or asks"),
        ("id: r\ncloud: {codes: 1}", "Field required"),
        ("id: r\ncloud: {protocol: jt808, codes: 1}\nmessage: A", "a rule selects by exactly one of"),
        ("id: r\ncloud: {protocol: jt808, codes: 1}\nsignals: {A: {is: 1}}", "what a message over the air says is"),
        ("id: r\nmessage: A\nhold: true", "only what comes over the air can be held; a frame that waits is stale"),
        ("id: r\ncloud: {protocol: jt808, codes: 1, endpoints: nobody}", "network.endpoints lists no nobody"),
        ("id: r\ncloud: {protocol: jt808, codes: 1, endpoints: []}", "an empty list selects nothing"),
        ("id: r\ncloud: {protocol: sms, codes: 1, endpoints: platform}", "short messages come from no endpoint"),
        ("id: r\ncloud: {protocol: jt808, codes: 0x100000000}", "is not a whole number from 0x00 to 0xFFFFFFFF"),
        ("id: r\ncloud: {protocol: jt808, code: 1}", "there is no such field"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_told_in_one_line(rule: str, fault: str) -> None:
    with pytest.raises(DocumentError) as told:
        load_policy(policy_of(rule) + NETWORK, "p.yaml")
    lines = [line for line in str(told.value).splitlines() if fault in line]
    assert len(lines) == 1
    assert lines[0].startswith("p.yaml:")


def test_an_endpoint_that_no_section_lists_is_a_fault_with_its_line() -> None:
    text = policy_of("id: r\ncloud:\n  protocol: jt808\n  codes: 1\n  endpoints: platform")
    with pytest.raises(DocumentError) as told:
        load_policy(text, "p.yaml")
    assert str(told.value) == "p.yaml:9: allow.0.cloud.endpoints: network.endpoints lists no platform"


def test_a_rule_is_said_in_plain_words() -> None:
    (rule,) = load_policy(
        policy_of(
            "id: r\nwhy: because\nhold: true\ncloud: {protocol: jt808, codes: [0x8105], asks: reset,"
            " endpoints: [platform, second], fields: {command_word: {is: 4}}}"
        )
        + NETWORK
    ).allow
    assert dict(rule_in_words(rule)) == {
        "may send": "messages over the air in jt808; number 0x8105; that ask for reset; from platform or second;"
        " command_word 4",
        "and waits": "until the operator releases it",
        "because": "because",
    }
    (rule,) = load_policy(policy_of("id: r\ncloud: {protocol: sms, asks: reset}")).allow
    assert dict(rule_in_words(rule))["may send"].endswith("from any sender")
