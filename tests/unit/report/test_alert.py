"""Sentences for people: each closed set in both languages, and any entry at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busgate.detect.rules import RULES
from busgate.model import (
    Act,
    AlertCount,
    DiagnosticSession,
    GrantChange,
    Loss,
    Mode,
    ModeChange,
    Party,
    PolicyApplied,
    PolicyRefused,
    Provenance,
    Reason,
    Severity,
    Side,
    Subsystem,
    Traffic,
)
from busgate.record.entry import Boot, LogOpen, Record, decode
from busgate.report import words
from busgate.report.alert import action, next_step, sentence, severity, severity_word, why
from busgate.report.words import Language, Words, printable
from support.logs import alert, entry

LANGUAGES: tuple[Language, ...] = ("en", "nl")
TESTER, ECU = Party("T-box", 0x4A), Party("VCU", 0x27)


def session(stage: str, **changes: Any) -> DiagnosticSession:
    fields: dict[str, Any] = {
        "at": 5,
        "stage": stage,
        "side": Side.TBOX,
        "source": TESTER,
        "target": ECU,
        "subsystem": Subsystem.DRIVE,
        "provenance": Provenance.PHYSICAL,
        "began": 1,
        "session": 2,
        "unlocked": True,
        "programming": True,
        "services": {0x34: 1, 0x36: 8},
        "transferred": 4096,
    }
    return DiagnosticSession(**(fields | changes))


EVENTS: tuple[Record, ...] = (
    alert(rule="command.drive"),
    AlertCount(9, "c", "command.drive", 12, 1, 9, final=True),
    AlertCount(9, "c", "command.drive", 12, 1, 9, final=False),
    session("start"),
    session("start", programming=False),
    session("end"),
    session("end", programming=False),
    PolicyApplied(1, "demo", 3, "ab" * 32, signed=True),
    PolicyRefused(1, "it has expired"),
    GrantChange(1, "start", "g-1", "Workshop", ("a", "b"), 9, "brake software"),
    GrantChange(1, "end", "g-1", "Workshop", ("a",), 9, "time is up"),
    ModeChange(1, Mode.ENFORCE, Mode.MONITOR, "operator", "rollout"),
    ModeChange(1, Mode.LOCAL, Mode.ENFORCE, "key switch", "driver"),
    ModeChange(1, Mode.ENFORCE, Mode.LOCAL, "key switch", "driver"),
    Loss(1, {"kernel": 7}),
    Traffic(1, {"tbox": 5}, {"j1939": 5}, {"allowed": 5}),
    LogOpen(1, "o/log/b/1", "vkey", "there was none"),
    LogOpen(1, "o/log/b/2", "vkey", "its entries were altered", {"origin": "o/log/b/1", "checkpoint": "c"}),
    Boot(1, "bus-1", "0.1.0"),
)


@pytest.mark.parametrize(
    ("table", "members"),
    [
        (words.REASONS, Reason),
        (words.ACTS, Act),
        (words.SUBSYSTEMS, Subsystem),
        (words.SEVERITIES, Severity),
        (words.MODES, Mode),
    ],
)
def test_every_member_of_a_closed_set_has_words_in_both_languages(
    table: Mapping[Enum, Words], members: type[Enum]
) -> None:
    assert set(table) == set(members)
    for row in table.values():
        assert row.en.strip()
        assert row.nl.strip()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_told_in_a_whole_sentence(reason: Reason, language: Language) -> None:
    told = why(decode(entry(alert(reason=reason))), language)
    assert told == words.REASONS[reason].in_(language)
    assert told.endswith(".")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_entry_type_has_a_sentence(event: Record, language: Language) -> None:
    told = sentence(decode(entry(event)), language)
    assert told.endswith(".")
    assert not re.search(r"[{}?]|None", told)
    assert told != sentence(decode(entry(event)), "nl" if language == "en" else "en")


def test_a_command_says_who_asked_what_of_whom_and_what_became_of_it() -> None:
    fields = decode(entry(alert(rule="command.drive", detail="no rule names it", allow_rule="r-1")))
    assert sentence(fields) == (
        "T-box (0x4A) asked to limit the drive: VCU_Limit to VCU (0x27), Mode off, Torque 12.5 %. Blocked."
    )
    assert sentence(fields, "nl") == (
        "T-box (0x4A) vroeg om de aandrijving te begrenzen: VCU_Limit naar VCU (0x27), Mode off, Torque 12,5 %. "
        "Tegengehouden."
    )
    assert why(fields) == "No rule of the operator's policy allows it. Rule: r-1. No rule names it."
    assert next_step(fields) == RULES["command.drive"].playbook_en
    assert next_step(fields, "nl") == RULES["command.drive"].playbook_nl


def test_conduct_is_told_in_the_words_of_its_rule() -> None:
    rule = next(
        rule for rule in RULES.values() if not rule.id.startswith("command.") and "{target}" not in rule.text_en
    )
    told = sentence(decode(entry(alert(rule=rule.id, arguments={}, action="would_block"))))
    assert told.startswith(rule.text_en.format(source="T-box (0x4A)", target="VCU (0x27)", name="VCU_Limit"))
    assert told.endswith("Passed (enforce mode would have blocked it).")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", list(RULES))
def test_every_rule_makes_a_sentence_and_a_first_step(rule: str, language: Language) -> None:
    fields = decode(entry(alert(rule=rule)))
    assert "T-box (0x4A)" in sentence(fields, language)
    assert next_step(fields, language)


def test_severity_is_the_alerts_own_or_that_of_its_type() -> None:
    assert severity(decode(entry(alert(severity=Severity.LOW)))) is Severity.LOW
    assert severity({"type": "alert", "severity": "nonsense"}) is Severity.HIGH
    assert severity(decode(entry(session("end")))) is Severity.HIGH
    assert severity(decode(entry(session("end", programming=False)))) is Severity.LOW
    assert severity(decode(entry(PolicyApplied(1, "p", 1, "", signed=False)))) is Severity.HIGH
    assert severity(decode(entry(Boot(1, "b", "1")))) is Severity.INFO
    assert severity_word(Severity.CRITICAL, "nl") == "kritiek"


def test_a_first_log_asks_nothing_and_a_second_one_asks_why() -> None:
    first, second = (decode(entry(event)) for event in EVENTS[-3:-1])
    assert next_step(first) == ""
    assert "why the last log was left" in next_step(second)
    assert severity(second) is Severity.HIGH


def test_the_action_is_said_only_where_a_frame_is_meant() -> None:
    assert action({"action": "block"}) == "blocked"
    assert action({"action": "pass"}, "nl") == "doorgelaten"
    assert action({}) == ""


def test_control_and_direction_characters_are_spelled_out() -> None:
    fields = decode(entry(alert(name="\x1b[2J\u202eevil\n", detail="\x07bell")))
    for told in (sentence(fields), why(fields)):
        assert told.isprintable()
    assert r"\x1b[2J\u202eevil\n" in sentence(fields)


def test_long_text_is_cut() -> None:
    assert printable("x" * 1000, 10) == "x" * 9 + "…"
    assert printable("\n" * 10, 10) == r"\n\n\n\n\n"[:9] + "…"
    assert printable("x" * 10, 10) == "x" * 10


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = {name for event in EVENTS for name in decode(entry(event))} - {"type"}
TYPES = [decode(entry(event))["type"] for event in EVENTS]


@given(
    kind=st.sampled_from([*TYPES, "unheard of"]) | JSON, fields=st.dictionaries(st.sampled_from(sorted(FIELDS)), JSON)
)
def test_no_entry_makes_it_raise_or_print_what_is_not_printable(kind: object, fields: dict[str, Any]) -> None:
    for language in LANGUAGES:
        told = (sentence(fields | {"type": kind}, language), why(fields, language), next_step(fields, language))
        assert all(text.isprintable() for text in told)
    severity(fields | {"type": kind})
