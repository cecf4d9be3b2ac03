from __future__ import annotations

import pytest

from busgate.judge.plain import policy_in_words, rule_in_words
from busgate.judge.policy import load_policy
from support.judging import policy_of


def words_of(rule: str) -> dict[str, str]:
    (read,) = load_policy(policy_of(f"id: r\n{rule}")).allow
    return dict(rule_in_words(read))


def test_a_policy_says_what_holds_for_all_of_it() -> None:
    assert dict(policy_in_words(load_policy("policy: small\nversion: 3\nallow: []\n"))) == {
        "policy": "small, version 3",
        "for": "any vehicle",
        "malformed": "blocked",
        "all else": "blocked",
        "over the air": "the T-box may talk to anybody; what commands something needs a rule",
    }
    head = (
        "policy: full\nversion: 4\nprofile: demo-ebus\nmode: enforce\nmalformed: pass\n"
        "valid_from: 2026-01-01T00:00:00Z\nexpires: 2027-01-01T00:00:00Z"
    )
    assert dict(policy_in_words(load_policy(policy_of(head=head)))) == {
        "policy": "full, version 4",
        "for": "vehicles of profile demo-ebus",
        "valid from": "2026-01-01T00:00:00Z",
        "expires": "2027-01-01T00:00:00Z",
        "mode": "enforce, unless the installer set another",
        "malformed": "let through",
        "all else": "blocked",
        "over the air": "the T-box may talk to anybody; what commands something needs a rule",
    }


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("message: M", "message M"),
        ("message: M\nsa: any\nda: [0x17, 0x18]", "message M; from any address; to 0x17 or 0x18"),
        ("pgn: 0xFEE0", "PGN 0xFEE0"),
        ("pgn: [0xFEE0, 0xFEE1, 0xFEE2]\nsa: 0x4A", "PGN 0xFEE0, 0xFEE1 or 0xFEE2; from 0x4A"),
        ("pgn: 0xEA00\nda: any\nrequested: 0xFEE0", "PGN 0xEA00; asking for 0xFEE0; to any address"),
        ("pgn: 0xEA00\nda: 0x17\nrequested: any", "PGN 0xEA00; asking for any group; to 0x17"),
        ("uds: {target: BMS, services: 0x14}", "service 0x14 to BMS"),
        (
            "uds: {target: [BMS, 0x27], services: [0x22, 0x2E], dids: [0xF190, '0x0100-0x01FF']}",
            "service 0x22 or 0x2E to BMS or 0x27; DID 0xF190 or 0x100-0x1FF",
        ),
        ("uds: {functional: true, services: 0x3E}", "service 0x3E to all ECUs (functional); sub-function any"),
        (
            "uds: {functional: true, target: 0xFF, services: 0x10, subfunctions: 1}",
            "service 0x10 to 0xFF (functional); sub-function 0x01",
        ),
        (
            "uds: {target: BMS, services: [0x31, 0x22], routines: any, dids: any}",
            "service 0x31 or 0x22 to BMS; sub-function any; DID any; routine any",
        ),
    ],
)
def test_a_rule_says_what_may_be_sent(rule: str, said: str) -> None:
    assert words_of(rule) == {"may send": said}


@pytest.mark.parametrize(
    ("demand", "about", "said"),
    [
        ("signals: {A: {min: 1}}", "only with", "A at least 1; other signals as they come"),
        ("signals: {A: {max: 2.5}}", "only with", "A at most 2.5; other signals as they come"),
        (
            "signals: {A: {min: 1, max: 2}, B: {is: [Off, 3]}}\nonly_signals: true",
            "only with",
            "A 1 to 2; B Off or 3; no other signals",
        ),
        ("grant: maintenance", "only during", "a maintenance grant for maintenance"),
        ("window: {days: [tue, mon]}", "only", "mon, tue (UTC+00:00)"),
        ("window: {from: '22:00', to: '05:30'}", "only", "every day, 22:00 to 05:30 (UTC+00:00)"),
        (
            "window: {days: sun, from: '00:00', to: '24:00', utc_offset: '-03:30'}",
            "only",
            "sun (UTC-03:30)",
        ),
        (
            "window: {days: sun, from: '12:00', to: '24:00', utc_offset: '+01:00'}",
            "only",
            "sun, 12:00 to 24:00 (UTC+01:00)",
        ),
        ("window: {from: '02:00', to: '22:00'}", "only", "every day, 02:00 to 22:00 (UTC+00:00)"),
        ("when: {speed: {min: 1, max: 5, max_age: 2 s}}", "only while", "speed 1 to 5 km/h (told in the last 2 s)"),
        ("when: {speed: {max: 5, max_age: 2 s}}", "only while", "speed at most 5 km/h (told in the last 2 s)"),
        (
            "when: {ignition: {is: true, max_age: 1 s}, doors_open: {is: false, max_age: 500 ms}}",
            "only while",
            "ignition is true (told in the last 1 s); doors_open is false (told in the last 500 ms)",
        ),
        ("rate: {count: 6, per: 1 min}", "at most", "6 in any 1 min"),
        ("why: it is warm", "because", "it is warm"),
    ],
)
def test_a_rule_says_what_it_asks_for(demand: str, about: str, said: str) -> None:
    assert words_of(f"message: M\n{demand}") == {"may send": "message M", about: said}


def test_demands_are_told_in_the_order_in_which_they_are_checked() -> None:
    rule = """
why: it is warm
rate: {count: 6, per: 1 min}
when: {speed: {max: 5, max_age: 2 s}}
window: {days: mon}
grant: maintenance
signals: {A: {min: 1}}
message: M"""
    about = ["may send", "only with", "only during", "only", "only while", "at most", "because"]
    assert list(words_of(rule)) == about


def test_raw_identifiers_are_told_as_people_write_them() -> None:
    assert words_of("can_id: [0x123, 0x1F0]")["may send"] == "CAN id 0x123 or 0x1F0"
