from __future__ import annotations

import pytest

from busgate.document import DocumentError
from busgate.judge.policy import load_policy
from busgate.judge.rules import Rule, canid_of, has_destination
from busgate.judge.terms import EVERYTHING, NOTHING
from support.judging import policy_of

UNKNOWN = "there is no such field; see 'busgate policy schema' or the profile guide for the ones there are"
EMPTY = "an empty list selects nothing; list what is meant"


def rule_of(text: str) -> Rule:
    (rule,) = load_policy(policy_of(text)).allow
    return rule


def fault_of(text: str) -> str:
    """What is wrong with a rule; the rule begins on line 5."""
    with pytest.raises(DocumentError) as told:
        load_policy(policy_of(text), "p")
    return str(told.value)


ONE_OF = "a rule selects by exactly one of message, can_id, pgn, uds and cloud"
BY_ADDRESS = "da and signals belong to rules by message, can_id or pgn; an ECU is chosen by uds.target"
REQUESTED = "pgn 0xEA00 and requested belong together: list the groups it may ask for, or write requested: any"
UDS = "uds: {target: BMS, services: 0x14}"


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("id: r", f"p:5: allow.0: {ONE_OF}"),
        ("id: r\nmessage: M\npgn: 0xFEE0", f"p:5: allow.0: {ONE_OF}"),
        (f"id: r\nmessage: M\n{UDS}", f"p:5: allow.0: {ONE_OF}"),
        (f"id: r\npgn: 0xFEE0\n{UDS}", f"p:5: allow.0: {ONE_OF}"),
        (f"id: r\nmessage: M\npgn: 0xFEE0\n{UDS}", f"p:5: allow.0: {ONE_OF}"),
        ("message: M", "p:5: allow.0.id: Field required"),
        ("id: r\nmessage: M\nfoo: 1", f"p:7: allow.0.foo: {UNKNOWN}"),
        ("id: r\nmessage: 5", "p:6: allow.0.message: Input should be a valid string"),
        ("id: r\nmessage: ''", "p:6: allow.0.message: String should have at least 1 character"),
        ("id: r\nmessage:", "p:6: allow.0.message: it has no value; give it one or leave it out"),
        ("id: r\nmessage: M\nrate:", "p:7: allow.0.rate: it has no value; give it one or leave it out"),
        ("id: r\nmessage: M\nwhy: 5", "p:7: allow.0.why: Input should be a valid string"),
        (f"id: r\nmessage: M\nwhy: {'x' * 501}", "p:7: allow.0.why: String should have at most 500 characters"),
        (f"id: r\n{UDS}\nda: 0x4A", f"p:5: allow.0: {BY_ADDRESS}"),
        (f"id: r\n{UDS}\nsignals: {{A: {{max: 5}}}}", f"p:5: allow.0: {BY_ADDRESS}"),
        (f"id: r\n{UDS}\nonly_signals: false", f"p:5: allow.0: {BY_ADDRESS}"),
        ("id: r\nmessage: M\nsignals: {}", "p:5: allow.0: signals lists none; name them or leave it out"),
        ("id: r\nmessage: M\nonly_signals: true", "p:5: allow.0: only_signals needs signals"),
        ("id: r\nmessage: M\nonly_signals: yes", "p:7: allow.0.only_signals: Input should be a valid boolean"),
        ("id: r\nmessage: M\nrequested: 0xFEE0", f"p:5: allow.0: {REQUESTED}"),
        ("id: r\npgn: 0xFEE0\nrequested: any", f"p:5: allow.0: {REQUESTED}"),
        ("id: r\npgn: 0xEA00\nda: any", f"p:5: allow.0: {REQUESTED}"),
        ("id: r\npgn: [0xFEE0, 0xEA00]\nda: any", f"p:5: allow.0: {REQUESTED}"),
        ("id: r\npgn: 0xEA00\nda: any\nrequested: []", f"p:8: allow.0.requested: {EMPTY}"),
        ("id: r\npgn: []", f"p:6: allow.0.pgn: {EMPTY}"),
        ("id: r\npgn: 0xFEE0\nsa: []", f"p:7: allow.0.sa: {EMPTY}"),
        ("id: r\npgn: 0xFEE0\nda: []", f"p:7: allow.0.da: {EMPTY}"),
        ("id: r\npgn: 0x40000", "p:6: allow.0.pgn: 0x40000 is not a whole number from 0x00 to 0x3FFFF"),
        ("id: r\npgn: any", "p:6: allow.0.pgn: 'any' is not a whole number from 0x00 to 0x3FFFF"),
        ("id: r\npgn: 0xFEE0\nsa: 0x100", "p:7: allow.0.sa: 0x100 is not a whole number from 0x00 to 0xFF"),
        ("id: r\npgn: 0xEF00", "p:5: allow.0: PGN 0xEF00 goes to a destination: say which in da, or write da: any"),
        (
            "id: r\npgn: [0xFEE0, 0x1EF00]",
            "p:5: allow.0: PGN 0x1EF00 goes to a destination: say which in da, or write da: any",
        ),
        (
            "id: r\npgn: 0xEF17\nda: any",
            "p:5: allow.0: PGN 0xEF17 holds a destination: write pgn: 0xEF00, da: 0x17",
        ),
        (
            "id: r\npgn: 0x1EF17\nda: any",
            "p:5: allow.0: PGN 0x1EF17 holds a destination: write pgn: 0x1EF00, da: 0x17",
        ),
        *(
            (
                f"id: r\npgn: 0x{pgn:X}\nda: any",
                f"p:5: allow.0: PGN 0x{pgn:X} only carries {what}: write the rule for what it carries",
            )
            for what, pgns in {
                "transport": (0xEC00, 0xEB00, 0xC800, 0xC700),
                "diagnostics": (0xDA00, 0xDB00, 0xCE00, 0xCD00),
            }.items()
            for pgn in pgns
        ),
    ],
)
def test_a_rule_that_says_too_little_or_too_much_is_refused(rule: str, fault: str) -> None:
    assert fault_of(rule) == fault


@pytest.mark.parametrize("field", ["sa: 0x4A", "da: any"])
def test_a_raw_identifier_has_no_j1939_address(field: str) -> None:
    said = "p:5: allow.0: sa and da are J1939's; an identifier by can_id has neither"
    assert fault_of(f"id: r\ncan_id: 0x123\n{field}") == said


def test_a_raw_identifier_above_11_bits_has_29() -> None:
    assert [canid_of(number) for number in (0, 0x7FF, 0x800, 0x1FFFFFFF)] == [0, 0x7FF, 0x80000800, 0x9FFFFFFF]


@pytest.mark.parametrize(
    ("uds", "fault"),
    [
        (
            "services: 0x14",
            "say which ECU: target, by name or address; or functional: true for requests to all at once",
        ),
        (
            "services: 0x14, functional: false",
            "say which ECU: target, by name or address; or functional: true for requests to all at once",
        ),
        ("target: BMS, services: [0x14, 0x62]", "0x62 is an answer, not a service that can be requested"),
        ("target: BMS, services: [0xC4, 0x7F]", "0x7F is an answer, not a service that can be requested"),
        ("target: BMS, services: 0x14, dids: any", "dids are listed, but none of the services carries one"),
        ("target: BMS, services: 0x31, dids: any", "dids are listed, but none of the services carries one"),
        (
            "target: BMS, services: 0x22, dids: any, routines: 1",
            "routines are listed, but none of the services carries one",
        ),
        (
            "target: BMS, services: 0x14, subfunctions: any",
            "subfunctions are listed, but none of the services carries one",
        ),
        *(
            (
                f"target: BMS, services: [0x14, 0x{sid:02X}]",
                f"service 0x{sid:02X} names data identifiers: list them in dids, or write dids: any",
            )
            for sid in (0x22, 0x24, 0x2A, 0x2C, 0x2E, 0x2F)
        ),
        (
            "target: BMS, services: [0x2F, 0x22]",
            "service 0x22 names data identifiers: list them in dids, or write dids: any",
        ),
        ("target: BMS, services: 0x31", "service 0x31 names routines: list them in routines, or write routines: any"),
        (
            "target: BMS, services: [0x22, 0x2C], dids: 0xF200",
            "service 0x2C gives any data a new identifier, so that a list limits nothing: write dids: any for it",
        ),
    ],
)
def test_a_diagnostic_rule_lists_what_its_services_act_on(uds: str, fault: str) -> None:
    assert fault_of(f"id: r\nuds: {{{uds}}}") == f"p:6: allow.0.uds: {fault}"


WITHOUT_LISTS = [
    sid for sid in range(0x01, 0xFF) if not sid & 0x40 and sid not in {0x22, 0x24, 0x2A, 0x2C, 0x2E, 0x2F, 0x31}
]


@pytest.mark.parametrize("sid", WITHOUT_LISTS)
def test_only_services_that_have_a_sub_function_can_be_limited_to_some(sid: int) -> None:
    """ISO 14229-1:2020: the requests whose second byte is a sub-function."""
    has_one = sid in {0x10, 0x11, 0x19, 0x27, 0x28, 0x29, 0x3E, 0x83, 0x85, 0x86, 0x87}
    assert rule_of(f"id: r\nuds: {{target: BMS, services: {sid}}}").uds
    limited = f"id: r\nuds: {{target: BMS, services: {sid}, subfunctions: 1}}"
    if has_one:
        assert rule_of(limited).uds
    else:
        assert fault_of(limited).endswith("subfunctions are listed, but none of the services carries one")


TARGET = "write the ECU's name as the profile has it, or its address, or a list of them"


@pytest.mark.parametrize("target", ["[]", "''", "[BMS, '']", "-1", "0x20000000", "true", "1.5", "[[BMS]]", "{a: 1}"])
def test_a_target_is_a_name_or_an_address(target: str) -> None:
    assert fault_of(f"id: r\nuds: {{services: 0x14, target: {target}}}") == f"p:6: allow.0.uds.target: {TARGET}"


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("services: []", f"services: {EMPTY}"),
        ("services: 0", "services: 0x00 is not a whole number from 0x01 to 0xFE"),
        ("services: 0xFF", "services: 0xFF is not a whole number from 0x01 to 0xFE"),
        ("services: any", "services: 'any' is not a whole number from 0x01 to 0xFE"),
        ("services: 0x10, subfunctions: 0x83", "subfunctions: 0x83 is not a whole number from 0x00 to 0x7F"),
        ("services: 0x10, subfunctions: []", f"subfunctions: {EMPTY}"),
        ("services: 0x22, dids: 0x10000", "dids: 0x10000 is not a whole number from 0x00 to 0xFFFF"),
        ("services: 0x22, dids: []", f"dids: {EMPTY}"),
        ("services: 0x31, routines: 0x10000", "routines: 0x10000 is not a whole number from 0x00 to 0xFFFF"),
        ("services: 0x31, routines: []", f"routines: {EMPTY}"),
        ("services: 0x14, functional: 1", "functional: Input should be a valid boolean"),
    ],
)
def test_a_diagnostic_rule_names_its_field(part: str, fault: str) -> None:
    assert fault_of(f"id: r\nuds: {{target: BMS, {part}}}") == f"p:6: allow.0.uds.{fault}"


def test_what_is_left_out_of_a_rule_is_not_limited_or_not_allowed() -> None:
    rule = rule_of("id: r\nmessage: M")
    assert (rule.why, rule.sa, rule.da, rule.signals, rule.only_signals) == ("", None, None, None, False)
    assert (rule.rate, rule.when, rule.window, rule.grant, rule.uds, rule.pgn) == (None,) * 6
    assert rule.requested == NOTHING
    uds = rule_of(f"id: r\n{UDS}").uds
    assert uds is not None
    assert (uds.functional, uds.subfunctions, uds.dids, uds.routines) == (False, EVERYTHING, NOTHING, NOTHING)


@pytest.mark.parametrize(
    "rule",
    [
        "id: r\npgn: 0x3FFFF",
        "id: r\npgn: [0, 0xEF00, 0xF000]\nda: 0",
        "id: r\npgn: [0xEA00, 0xFEE0]\nda: any\nrequested: any",
        "id: r\nuds: {target: [BMS, 0x1FFFFFFF, 0], services: [0x01, 0xBF]}",
        "id: r\nuds: {target: BMS, services: [0x22, 0x2C], dids: any}",
        "id: r\nuds: {target: BMS, services: [0x31, 0x10], routines: 0, subfunctions: 0x7F}",
        f"id: r\nwhy: {'x' * 500}\nmessage: {'m' * 128}\ngrant: maintenance",
    ],
)
def test_a_rule_may_go_to_the_limits(rule: str) -> None:
    assert rule_of(rule).id == "r"


@pytest.mark.parametrize(
    ("pgn", "addressed"),
    [(0x0000, True), (0xEF00, True), (0x1EF00, True), (0xEFFF, True), (0xF000, False), (0x1FFFF, False)],
)
def test_groups_below_240_go_to_a_destination(pgn: int, addressed: bool) -> None:
    assert has_destination(pgn) is addressed
