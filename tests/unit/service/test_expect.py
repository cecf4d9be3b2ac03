"""Expectations of a gate against what was seen of it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from busgate.document import DocumentError, read
from busgate.service.expect import Expectations, Seen, in_junit, in_text, judged


def alert(**fields: Any) -> dict[str, Any]:
    usual = {"rule": "command.drive", "name": "TboxDriveCommand", "subsystem": "drive", "act": "stop", "count": 1,
             "severity": "critical", "reason": "not_allowlisted", "action": "block", "frame": "0CFF104A#01",
             "target": {"name": "VCU", "address": "0x27"}, "source": {"name": "TBOX", "address": 74}}  # fmt: skip
    return usual | fields


def expected(text: str) -> Expectations:
    return read(text, Expectations, "expected.yaml")


def faults(text: str, alerts: list[dict[str, Any]], frames: tuple[Seen, ...] = ()) -> list[str]:
    return [fault for _, fault in judged(expected(text), alerts, frames)]


@pytest.mark.parametrize(
    "where",
    ["rule: command.drive", "subsystem: drive, act: stop", "target: VCU", "target: '0x27'", "target: '39'",
     "source: TBOX", "source: '0x4A'", "name: TboxDriveCommand, times: 1", "severity: critical, times: 1-9"],
)  # fmt: skip
def test_an_alert_is_met_by_any_of_its_fields(where: str) -> None:
    assert faults(f"found: [{{{where}}}]\nblocked: [{{{where}}}]", [alert()]) == ["", ""]


@pytest.mark.parametrize(
    ("text", "alerts", "fault"),
    [
        ("found: [{rule: command.drive}]", [], "the gate raised no alert for it"),
        ("found: [{rule: command.drive, target: BMS}]", [alert()], "the gate raised no alert for it"),
        ("blocked: [{rule: command.drive}]", [alert(), alert(action="pass")], "the gate's word for it is pass"),
        ("blocked: [{rule: command.drive}]", [alert(action="would_block")], "the gate's word for it is would_block"),
        ("passed: [{rule: command.drive}]", [alert()], "the gate's word for it is block"),
        ("absent: [{rule: command.drive}]", [alert()], "the gate raised 1 alerts for it"),
        ("found: [{rule: command.drive, times: 3}]", [alert(count=4)], "it came 4 times instead of 3"),
        ("found: [{rule: command.drive, times: 2-3}]", [alert()], "it came 1 times instead of 2-3"),
        ("nothing_else: true\nfound: [{act: stop}]", [alert(), alert(act="reset", rule="uds.reset")],
         "critical uds.reset: TboxDriveCommand (0CFF104A#01)"),
    ],
)  # fmt: skip
def test_what_fails_says_why(text: str, alerts: list[dict[str, Any]], fault: str) -> None:
    assert faults(text, alerts)[-1] == fault


@pytest.mark.parametrize(
    ("text", "crossed", "fault"),
    [
        ("blocked: [{frame: '18EAFF4A#D3FE00'}]", (False, False), ""),
        ("blocked: [{frame: '18eaff4a#d3*'}]", (False, True), "1 of 2 crossed"),
        ("passed: [{frame: '18EAFF4A#????00'}]", (True, True), ""),
        ("passed: [{frame: '18EAFF4A#*'}]", (True, False), "1 of 2 did not cross"),
        ("passed: [{frame: '18EAFF4A#*', channel: can1}]", (True, True), "no such frame was played"),
        ("passed: [{frame: '18EAFF4A#*', times: 3}]", (True, True), "it came 2 times instead of 3"),
        ("blocked: [{frame: '123#*'}]", (False, False), "no such frame was played"),
        ("absent: [{frame: '123#*'}]", (False, False), ""),
        ("absent: [{frame: '18EAFF4A#*'}]", (True, False), "1 of 2 crossed"),
        ("blocked: [{frame: '18EAFF4A#*'}]", (None, False),
         "nobody looked at where it would come out; play onto both sides of the gate"),
    ],
)  # fmt: skip
def test_frames_are_judged_by_what_came_out(text: str, crossed: tuple[bool | None, ...], fault: str) -> None:
    frames = tuple(Seen("can0", "18EAFF4A#D3FE00", each) for each in crossed)
    assert faults(text, [], frames) == [fault]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("found: []", "it expects nothing"),
        ("found: [{frame: '1#'}]", "found is about the gate's alerts"),
        ("blocked: [{}]", "say which command by frame, or by"),
        ("blocked: [{frame: '1#', rule: x}]", "say which command by frame, or by"),
        ("blocked: [{rule: x, channel: can0}]", "channel belongs to frame"),
        ("blocked: [{rule: x, times: many}]", "'many' is no count"),
        ("blocked: [{rule: x, times: 3-2}]", "'3-2' is no count"),
        ("blocked: [{rule: x, times: true}]", "True is no count"),
        ("stopped: [{rule: x}]", "there is no such field"),
    ],
)
def test_what_expects_nothing_or_nonsense_is_refused(text: str, fault: str) -> None:
    with pytest.raises(DocumentError, match=r"expected\.yaml:1") as raised:
        expected(text)
    assert fault in str(raised.value)


def test_outcomes_for_people_and_for_ci() -> None:
    outcomes = judged(expected("found: [{rule: command.drive}, {rule: '<x>'}]"), [alert()], ())
    assert in_text(outcomes).splitlines() == [
        "  ok      found rule=command.drive",
        "  FAILED  found rule=<x>: the gate raised no alert for it",
    ]
    suite = ET.fromstring(in_junit(outcomes, "busgate play x.log", 1.5))  # noqa: S314 - our own text
    assert (suite.get("tests"), suite.get("failures"), suite.get("time")) == ("2", "1", "1.500")
    assert [case.get("name") for case in suite] == ["found rule=command.drive", "found rule=<x>"]
