"""What the SOC prints, for people in two languages and for programs."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console

from busgate.record.entry import decode
from busgate.report.words import Language
from busgate_soc import phrases
from busgate_soc.happenings import Alarm, Asked, Early, Fault, Happening, Log, Presence, Record, Strange, Verified
from busgate_soc.keyring import Basis
from busgate_soc.screen import Screen
from support.logs import alert, entry

LOG = Log("bus-1", "1-ab")
ENTRY = decode(entry(alert(rule="command.drive")))
ROOT = bytes(range(32))


def verified(*records: Record, basis: Basis = Basis.GIVEN, size: int = 9) -> Verified:
    return Verified(LOG, size, ROOT, basis, True, records)


def printed(*happenings: Happening, language: Language = "en", as_json: bool = False) -> str:
    output = io.StringIO()
    screen = Screen(Console(file=output, highlight=False), language, as_json=as_json)
    for happening in happenings:
        screen.show(happening, 0.0)
    return output.getvalue()


def test_an_alert_says_when_where_how_bad_what_why_what_to_do_and_how_sure() -> None:
    lines = printed(verified(Record(7, ENTRY, early=False))).splitlines()
    assert lines[0] == (
        "2026-01-02T03:04:05.006007Z  bus-1   CRITICAL   T-box (0x4A) asked to limit the drive: VCU_Limit to VCU "
        "(0x27), Mode off, Torque 12.5 %. Blocked."
    )
    assert lines[1] == "    why: No rule of the operator's policy allows it."
    assert lines[2].startswith("    do first: Ask traffic control")
    assert lines[3] == "    record 7, verified at size 9, root 0001020304050607"
    assert lines[4] == "bus-1  verified at size 9, root 0001020304050607, cosigned"


def test_the_same_in_dutch() -> None:
    shown = printed(verified(Record(7, ENTRY, early=False)), language="nl")
    assert "KRITIEK" in shown
    assert "waarom: Geen regel in het beleid" in shown
    assert "doe eerst: Vraag de verkeersleiding" in shown
    assert "gecontroleerd bij 9 regels" in shown


def test_an_early_copy_says_that_nobody_has_proven_it() -> None:
    shown = printed(Early(LOG, 7, ENTRY))
    assert "early copy of record 7, not yet verified" in shown
    assert "verified at" not in shown


def test_what_was_shown_early_is_confirmed_in_one_line() -> None:
    (line, _) = printed(verified(Record(7, ENTRY, early=True))).splitlines()
    assert line.startswith("bus-1  as shown early: T-box (0x4A) asked to limit the drive")
    assert line.endswith("(record 7, verified at size 9, root 0001020304050607)")


@pytest.mark.parametrize(
    ("basis", "words"),
    [(Basis.CAME_WITH_LOG, "NOT VERIFIED: its key came with the log"), (Basis.TEST, "PROVES NOTHING")],
)
def test_a_key_that_was_not_given_is_said_loudly_on_every_line(basis: Basis, words: str) -> None:
    shown = printed(verified(Record(7, ENTRY, early=False), basis=basis))
    assert shown.count(words) == 2
    assert "verified at" not in shown


def test_a_heartbeat_is_not_news_and_heads_do_not_flood() -> None:
    heads = [verified(Record(n, {"type": "heartbeat"}, early=False), size=n + 1) for n in range(5)]
    assert len(printed(*heads).splitlines()) == 1


def test_control_characters_off_the_wire_never_reach_the_terminal() -> None:
    hostile = decode(entry(alert(name="\x1b[2J\u202e", detail="\x07", frame="\x00")))
    shown = printed(
        Early(LOG, 1, hostile),
        verified(Record(1, hostile, early=True), Record(2, hostile, early=False), Record(3, None, early=False)),
        Strange("busgate/\x1b[2J", "\x9b"),
        Fault(LOG, Alarm.REFUSED, {"reason": "\x1b]0;x\x07"}),
    )
    assert all(line.isprintable() for line in shown.splitlines())


@pytest.mark.parametrize("alarm", list(Alarm))
@pytest.mark.parametrize("language", ["en", "nl"])
def test_every_alarm_has_a_sentence(alarm: Alarm, language: Language) -> None:
    facts = dict.fromkeys(("size", "index", "reason", "other"), "17")
    shown = printed(Fault(LOG, alarm, facts), language=language)
    assert shown.startswith("bus-1  ")
    assert "{" not in shown


def test_every_basis_has_words() -> None:
    assert set(phrases.PROVEN) == set(Basis)
    assert set(phrases.ALARMS) == set(Alarm)


def test_a_program_gets_one_object_a_line() -> None:
    shown = printed(
        Presence("bus-1", True, "1-ab", 9),
        Asked(LOG, 3, 9),
        Early(LOG, 7, ENTRY),
        Fault(LOG, Alarm.REFUSED, {"reason": "\x1b"}),
        Strange("t", "r"),
        verified(Record(7, ENTRY, early=True), Record(8, None, early=False)),
        as_json=True,
    )
    assert shown.isascii()
    rows: list[dict[str, Any]] = [json.loads(line) for line in shown.splitlines()]
    assert [row["event"] for row in rows] == [
        "presence", "asked", "early", "alarm", "malformed", "verified", "record", "record"
    ]  # fmt: skip
    assert rows[6]["verified"] == {"size": 9, "root": ROOT.hex(), "basis": "given", "cosigned": True}
    assert rows[6]["entry"] == ENTRY
    assert rows[2]["verified"] is None
    assert rows[7]["entry"] is None


def test_the_summary_says_what_is_proven_and_what_is_not() -> None:
    output = io.StringIO()
    screen = Screen(Console(file=output, highlight=False), "en")
    screen.show(verified(Record(7, ENTRY, early=False)), 0.0)
    screen.summary({LOG: (9, 12), Log("bus-2", "1"): (0, 4), Log("bus-3", "1"): (5, 5)}, 1)
    *_, first, second, third, last = output.getvalue().splitlines()
    assert first == "bus-1 1-ab: verified at size 9, root 0001020304050607 (3 more are not proven)"
    assert second == "bus-2 1: nothing is proven, 4 records announced"
    assert third == "bus-3 1: 5 records proven before this run"
    assert last == "1 alerts (1 critical), 0 alarms, 0 malformed messages, 1 early copies unconfirmed"
