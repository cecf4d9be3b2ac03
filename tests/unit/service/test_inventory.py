"""What a log tells becomes functions seen: merged, counted, dated, and nothing invented, whatever the entries hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from busgate.cli.replay import command as replay
from busgate.record.entry import decode
from busgate.record.evidence import open_evidence
from busgate.service.inventory import MOST, Inventory, Source
from busgate.service.inventory_cells import ends, outcomes, span, when
from busgate.service.inventory_report import report_of
from busgate.service.remote_function import Interface, Kind, Remote, Way
from support.inventory import START, cloud, drive, only, read, text_message

DAY = Path(__file__).parents[3] / "firmware-sim/scenarios/demo-day.log"
MADE = "2026-11-25T12:00:00Z"


def test_an_alert_is_a_function_on_can_with_all_that_is_told_of_it() -> None:
    row = only(read(drive()))
    assert row.row() == {
        "interface": "can",
        "kind": "control",
        "name": "TboxDriveCommand",
        "protocol": "",
        "codes": ["0x510"],
        "subsystem": "drive",
        "act": "stop",
        "direction": "tbox-to-vehicle",
        "target": "VCU (0x27)",
        "remotes": [],
        "countries": [],
        "first": "2026-03-02T06:40:00.000000Z",
        "last": "2026-03-02T06:40:00.000000Z",
        "count": 1,
        "verdicts": {"would_block": 1},
        "reasons": {"not_allowlisted": 1},
        "grants": [],
        "provenance": ["physical"],
        "severity": "critical",
        "examples": ["TorqueLimit 0 %"],
        "records": ["log#0"],
    }


def test_a_cloud_command_is_a_function_on_ip_with_its_remote_end() -> None:
    told = drive(0, rule="cloud.command", name="terminal control", severity="critical", subsystem="drive", act="stop")
    row = only(read(told, cloud(), cloud(5, endpoint="[2001:db8::9]:443", host="ota.example.org")))
    name = row.identity
    assert (name.interface, name.protocol, name.name, name.way, name.target) == (
        Interface.IP, "jt808", "terminal control", Way.TO_TBOX, "T-box",
    )  # fmt: skip
    assert (row.count, row.codes, row.severity.name) == (2, {"0x8105"}, "CRITICAL")
    assert set(row.remotes) == {
        Remote("198.51.100.9:6000", "", "CN"),
        Remote("[2001:db8::9]:443", "ota.example.org", "CN"),
    }
    assert (row.first, row.last) == ("2026-03-02T06:40:00.000000Z", "2026-03-02T06:40:05.000000Z")


def test_a_short_message_is_a_function_of_its_own() -> None:
    row = only(read(text_message()))
    assert (row.identity.interface, next(iter(row.remotes)).endpoint) == (Interface.SMS, "+31600000001")


@pytest.mark.parametrize(
    ("endpoint", "written"),
    [
        ({"address": "192.0.2.7", "port": 443}, "192.0.2.7:443"),
        ({"address": "192.0.2.7"}, "192.0.2.7"),
        (["192.0.2.7", 443], "192.0.2.7:443"),
        ("192.0.2.7:443", "192.0.2.7:443"),
        ("[2001:db8::7]:443", "[2001:db8::7]:443"),
        ("2001:db8::7", "2001:db8::7"),
        (None, ""),
        (7, "7"),
    ],
)
def test_remote_ends_are_read_however_they_are_written(endpoint: Any, written: str) -> None:
    assert next(iter(only(read(cloud(endpoint=endpoint))).remotes)).endpoint == written


def test_another_part_act_or_target_is_another_function() -> None:
    assert len(read(drive(), drive(act="limit"), drive(subsystem="bms"), drive(target={})).functions) == 4


def test_a_diagnostic_request_is_told_apart_by_what_it_acts_on() -> None:
    def routine(number: str) -> dict[str, Any]:
        asked = {"routine": {"value": number, "unit": ""}}
        return drive(rule="uds.routine", name="RoutineControl", act="routine", arguments=asked)

    rows = list(read(routine("0xFF00"), routine("0xFF01"), routine("0xFF00")).functions.values())
    assert [(row.codes, row.count, row.kind) for row in rows] == [
        ({"0xFF00"}, 2, Kind.DIAGNOSTICS), ({"0xFF01"}, 1, Kind.DIAGNOSTICS),
    ]  # fmt: skip


def test_a_parameter_group_is_its_code() -> None:
    assert only(read(drive(frame="181BF34A#01FF"))).codes == {"0x1B00"}
    assert only(read(drive(frame="0C00F34A#01FF"))).codes == {"0x0000"}


def count(total: int, seconds: int, first: int = 0) -> dict[str, Any]:
    at = str(START + seconds * 1_000_000_000)
    began = str(START + first * 1_000_000_000)
    return {"type": "alert.count", "at": at, "cause": "drive", "rule": "command.drive", "count": total, "first": began,
            "last": at, "final": False}  # fmt: skip


def test_what_an_alert_stands_for_is_counted_once_however_often_it_is_told() -> None:
    row = only(read(drive(), count(10, 5), count(25, 9), count(25, 9)))
    assert (row.count, row.actions["would_block"], row.last) == (25, 25, "2026-03-02T06:40:09.000000Z")


def test_a_count_of_an_alert_that_is_not_there_is_nothing() -> None:
    assert only(read(drive(), count(10, 5, first=3))).count == 1


def test_an_approval_in_force_is_named() -> None:
    granted: dict[str, Any] = {"reason": "granted", "action": "pass", "allow_rule": "flash-bms"}
    begins = {"type": "grant.start", "grant": "g-7", "rules": ["flash-bms"]}
    other = {"type": "grant.start", "grant": "g-8", "rules": ["doors"]}
    assert only(read(begins, other, drive(**granted))).grants == {"g-7"}
    assert only(read(begins, {"type": "grant.end", "grant": "g-7"}, drive(**granted))).grants == {"?"}
    assert only(read(cloud(grant="g-9"))).grants == {"g-9"}


def test_conduct_is_told_beside_and_is_a_function_only_where_nothing_else_names_it() -> None:
    flood: dict[str, Any] = {"rule": "conduct.flood", "act": "send", "subsystem": "unknown", "cause": "flood"}
    inventory = read(
        drive(), drive(**flood), drive(**flood, name="CCVS1"), drive(rule="transport.malformed", name="isotp")
    )
    assert [row.identity.name for row in inventory.functions.values()] == ["TboxDriveCommand", "CCVS1"]
    assert len(inventory.conduct) == 3


def test_an_alert_beside_a_cloud_command_is_not_counted_again() -> None:
    beside = drive(rule="cloud.drive", name="terminal control")
    assert only(read(beside, cloud())).count == 1
    assert only(read(beside)).identity.interface is Interface.IP


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (drive(act="flash", rule="uds.programming"), Kind.UPDATE),
        (cloud(act="flash", subsystem="telematics"), Kind.UPDATE),
        (cloud(act="set", subsystem="telematics"), Kind.CONFIGURATION),
        (drive(act="write", rule="uds.write"), Kind.CONFIGURATION),
        (drive(act="read", rule="uds.read"), Kind.DIAGNOSTICS),
        (drive(act="unlock", rule="uds.unlock"), Kind.DIAGNOSTICS),
        (drive(act="unlock", subsystem="doors"), Kind.CONTROL),
        (drive(act="send", subsystem="telematics", rule="traffic.unlisted"), Kind.TRAFFIC),
        (drive(act="send", subsystem="unknown", rule="traffic.unlisted"), Kind.CONTROL),
        (drive(act="send", rule="traffic.unlisted"), Kind.CONTROL),
    ],
)
def test_what_sort_of_function_it_is(entry: dict[str, Any], kind: Kind) -> None:
    assert only(read(entry)).kind is kind


def test_time_that_means_nothing_is_no_time() -> None:
    inventory = Inventory()
    inventory.add_log(
        Source("log"), [(0, drive() | {"wall": None}), (1, drive() | {"wall": "1970-01-01T00:00:09.000000Z"})]
    )
    assert (only(inventory).first, inventory.first) == (None, None)
    assert when(only(inventory).row(), "nl") == ["geen klok"]


def test_how_long_was_recorded_is_by_the_devices_own_clock_over_all_its_boots() -> None:
    inventory = Inventory()
    boots = [("a", 0), ("a", 60), ("b", 5), ("b", 65)]
    inventory.add_log(
        Source("log"), [(i, {"type": "heartbeat", "boot": b, "mono": str(s * 10**9)}) for i, (b, s) in enumerate(boots)]
    )
    assert inventory.seconds == 120


def test_functions_are_bounded_and_the_rest_is_counted() -> None:
    inventory = read(*(cloud(name=f"f{number}") for number in range(MOST + 7)))
    assert (len(inventory.functions), inventory.left_out) == (MOST, 7)


def test_remote_ends_are_bounded() -> None:
    row = only(read(*(cloud(endpoint={"address": f"198.51.{n >> 8}.{n & 255}", "port": 1}) for n in range(900))))
    assert (len(row.remotes), row.remotes.total(), row.remotes[Remote("others", "", "")]) == (201, 900, 700)


def test_a_demo_day_reads_the_same_from_its_log_and_from_its_report(tmp_path: Path) -> None:
    words = [str(DAY), "--tbox", "can1", "--vehicle", "can0", "--profile", "demo-ebus"]
    printed = CliRunner().invoke(replay, [*words, "--out", str(tmp_path / "log"), "--report", "json"])
    from_report, from_log = Inventory(), Inventory()
    from_report.add_replay("day", json.loads(printed.output))
    with open_evidence(tmp_path / "log") as logs:
        from_log.add_log(Source("day"), ((row.index, decode(row.raw)) for row in logs[-1].rows()))
    assert len(from_log.functions) == 25
    facts = [
        {row.identity: (row.count, row.codes, dict(row.actions), row.first) for row in each.functions.values()}
        for each in (from_report, from_log)
    ]
    assert facts[0] == facts[1]
    assert round(from_log.seconds) == round(from_report.seconds) == 30


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["alert", "sms"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["address", "port", "name", "did"]), inner, max_size=3)
    ),
    max_leaves=6,
)
fields = st.dictionaries(
    st.sampled_from([*drive(), *cloud(), "wall", "mono", "count", "rules", "last", "first"]), anything
)


@given(
    st.lists(st.tuples(st.sampled_from(["alert", "alert.count", "function", "grant.start", "grant.end", "x"]), fields)),
    st.booleans(),
)
def test_any_entries_give_a_report_that_can_be_told(entries: list[tuple[str, dict[str, Any]]], public: bool) -> None:
    inventory = Inventory()
    inventory.add_log(Source("log"), [(n, {**entry, "type": kind}) for n, (kind, entry) in enumerate(entries)])
    report = report_of(inventory, None, made=MADE, public=public)
    for row in report["functions"]:
        assert ends(row, "en")
        assert when(row, "nl")
        assert isinstance(outcomes(row, "nl"), list)
    assert json.loads(json.dumps(report)) is not None


@given(anything)
def test_any_replay_report_is_read_as_far_as_it_goes(rows: Any) -> None:
    inventory = Inventory()
    report = {"alerts": rows, "functions": [rows], "seconds": rows, "log": rows, "start": rows, "end": rows}
    inventory.add_replay("x", report)
    inventory.add_replay("y", {**report, "functions": rows})
    assert [source.name for source in inventory.sources] == ["x", "y"]
    assert json.loads(json.dumps(report_of(inventory, None, made=MADE, public=False))) is not None


@pytest.mark.parametrize(
    ("seconds", "english", "dutch"),
    [(30.0, "30 s", "30 s"), (600, "10 min", "10 min"), (5400, "1.5 h", "1,5 uur"), (360_000, "100 h", "100 uur")],
)
def test_durations_in_words(seconds: float, english: str, dutch: str) -> None:
    assert (span(seconds, "en"), span(seconds, "nl")) == (english, dutch)
