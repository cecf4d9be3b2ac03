from __future__ import annotations

import string
from pathlib import Path

import pytest

from busgate.detect.rule import PLACEHOLDERS, VITAL, Rule, Scale, is_standing, severity_of
from busgate.detect.rules import RULES
from busgate.detect.threats import ATTACK_TECHNIQUES, R155_ROWS
from busgate.model import Severity, Subsystem, Value
from support.rules_page import render

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"
STANDING = {"speed": 0.0}
DRIVING = {"speed": 42.0}

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_rule_is_found_by_its_own_id() -> None:
    assert all(rule_id == rule.id for rule_id, rule in RULES.items())
    assert len(RULES) == 66


@every_rule
def test_a_rule_has_all_that_an_alert_and_a_report_need(rule: Rule) -> None:
    assert rule.version >= 1
    assert rule.r155
    assert rule.attack
    for text in (rule.title, rule.text_en, rule.text_nl, rule.playbook_en, rule.playbook_nl):
        assert text.strip() == text != ""
    for sentence in (rule.text_en, rule.text_nl, rule.playbook_en, rule.playbook_nl):
        assert sentence.endswith(".")


@every_rule
def test_a_rule_refers_only_to_rows_and_techniques_that_exist(rule: Rule) -> None:
    assert set(rule.r155) <= R155_ROWS.keys()
    assert set(rule.attack) <= ATTACK_TECHNIQUES.keys()
    assert len(set(rule.r155)) == len(rule.r155)
    assert len(set(rule.attack)) == len(rule.attack)


@every_rule
def test_a_rule_speaks_the_same_in_both_languages(rule: Rule) -> None:
    assert _placeholders(rule.text_en) == _placeholders(rule.text_nl) <= PLACEHOLDERS
    assert rule.text_en != rule.text_nl
    assert rule.playbook_en != rule.playbook_nl
    assert not _placeholders(rule.playbook_en) | _placeholders(rule.playbook_nl)
    assert rule.text_en.format(source="T-box (0x4A)", target="VCU (0x27)", name="TSC1")


@every_rule
def test_moving_is_never_less_severe_than_standing_nor_vital_than_the_rest(rule: Rule) -> None:
    assert rule.scale.standing <= rule.scale.moving
    if rule.vital is not None:
        assert rule.vital.standing <= rule.vital.moving
        assert rule.scale.standing <= rule.vital.standing
        assert rule.scale.moving <= rule.vital.moving


def test_every_subsystem_has_its_command_rule() -> None:
    assert {f"command.{subsystem}" for subsystem in Subsystem} <= RULES.keys()


def test_only_vital_subsystems_make_anything_critical() -> None:
    for rule in RULES.values():
        for subsystem in Subsystem:
            if subsystem in VITAL or rule.id in {f"command.{vital}" for vital in VITAL}:
                continue
            assert severity_of(rule, DRIVING, allowed=False, subsystem=subsystem) < Severity.CRITICAL


@pytest.mark.parametrize("subsystem", sorted(VITAL))
def test_a_vital_command_is_critical_unless_the_vehicle_surely_stands(subsystem: Subsystem) -> None:
    rule = RULES[f"command.{subsystem}"]
    assert severity_of(rule, STANDING, allowed=False) is Severity.HIGH
    assert severity_of(rule, DRIVING, allowed=False) is Severity.CRITICAL
    assert severity_of(rule, {}, allowed=False) is Severity.CRITICAL


def test_reprogramming_a_vital_ecu_is_critical_even_at_standstill() -> None:
    rule = RULES["uds.programming"]
    assert severity_of(rule, STANDING, allowed=False, subsystem=Subsystem.BRAKES) is Severity.CRITICAL
    assert severity_of(rule, DRIVING, allowed=False, subsystem=Subsystem.HVAC) is Severity.HIGH


@every_rule
def test_what_the_operator_allowed_is_information_but_conduct_never_is(rule: Rule) -> None:
    severity = severity_of(rule, DRIVING, allowed=True, subsystem=Subsystem.DRIVE)
    bad_conduct = {"conduct.masquerade", "conduct.flood", "conduct.stale-counter", "transport.malformed"}
    bad_conduct |= {"frame.remote", "frame.error", "sms.command", "sim.changed"}
    bad_conduct |= {f"net.{each}" for each in ("country", "identity", "shell", "inbound", "grant", "evasion")}
    assert (severity > Severity.INFO) is (rule.id in bad_conduct)


@pytest.mark.parametrize(
    ("situation", "standing"),
    [
        ({"speed": 0}, True),
        ({"speed": 0.5}, True),
        ({"speed": 0.51}, False),
        ({"speed": -3.0}, False),
        ({"speed": float("nan")}, False),
        ({"speed": "not available"}, False),
        ({"park_brake": 1}, False),
        ({}, False),
    ],
)
def test_doubt_about_speed_counts_as_moving(situation: dict[str, Value], standing: bool) -> None:
    assert is_standing(situation) is standing


def test_a_scale_speaks_of_standing_first() -> None:
    assert Scale(Severity.LOW, Severity.HIGH) == Scale(standing=Severity.LOW, moving=Severity.HIGH)


def test_the_page_of_rules_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), (
        "docs/rules.md is not what the tables say; run: python tests/support/rules_page.py > docs/rules.md"
    )


def test_what_reaches_all_ecus_at_once_reaches_the_vital_ones() -> None:
    rule = RULES["uds.silence"]
    assert severity_of(rule, DRIVING, allowed=False) is Severity.HIGH
    assert severity_of(rule, DRIVING, allowed=False, everybody=True) is Severity.CRITICAL
    assert severity_of(RULES["uds.read"], DRIVING, allowed=False, everybody=True) is Severity.LOW
