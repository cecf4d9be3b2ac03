"""`busgate replay` as its user sees it: reports, exit codes, and what it says of a user's mistakes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import can
import pytest
from click.testing import CliRunner, Result

from busgate.cli.replay import command
from busgate.cli.replay_report import as_junit, as_text
from busgate.service.places import profile_folder, scenario

POLICY = profile_folder("demo-ebus") / "policy.yaml"
SIDES = ["--tbox", "can1", "--vehicle", "can0"]
DEMO = ["--profile", "demo-ebus", "--policy", str(POLICY), "--unsigned", *SIDES]


def replay(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The beginning of the demo's day: 13 seconds, with a torque limit in them."""
    lines = scenario("demo-day.log").read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path_factory.mktemp("day") / "day.log"
    path.write_text("".join(lines[:9000]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def report(day: Path) -> dict[str, Any]:
    said = replay(day, *DEMO, "--report", "json")
    assert said.exit_code == 0, said.output
    loaded: dict[str, Any] = json.loads(said.stdout)
    return loaded


def test_the_json_report_has_all_that_is_promised(report: dict[str, Any]) -> None:
    assert report["frames"] == 9000
    assert {"sides", "messages", "verdicts", "alerts", "log"} <= report.keys()
    assert sum(report["sides"].values()) == 9000
    assert sum(report["verdicts"].values()) == report["sides"]["tbox"]
    promised = {
        "index", "time", "severity", "rule", "subsystem", "act", "arguments", "target", "source", "provenance",
        "action", "reason",
    }  # fmt: skip
    assert report["alerts"]
    for alert in report["alerts"]:
        assert promised <= alert.keys()
    assert report["log"]["size"] > len(report["alerts"])
    assert len(report["log"]["root"]) == 64


def test_the_same_replay_gives_the_same_root(day: Path, report: dict[str, Any]) -> None:
    again = json.loads(replay(day, *DEMO, "--report", "json").stdout)
    assert again["log"] == report["log"]


def test_the_junit_report_is_xml_with_a_failure_for_each_alert_that_matters(day: Path, report: dict[str, Any]) -> None:
    said = replay(day, *DEMO, "--report", "junit")
    root = ET.fromstring(said.stdout)  # noqa: S314 - our own output
    suites = [root] if root.tag == "testsuite" else list(root)
    cases = [case for suite in suites for case in suite.iter("testcase")]
    failures = [case for case in cases if case.find("failure") is not None]
    assert failures
    assert len(failures) <= len(report["alerts"])
    assert sum(int(suite.get("failures", "0")) for suite in suites) == len(failures)
    assert sum(int(suite.get("tests", "0")) for suite in suites) == len(cases)


def test_the_text_report_names_commands_verdicts_and_the_log(day: Path, report: dict[str, Any]) -> None:
    text = replay(day, *DEMO).stdout
    assert "TboxDriveCommand" in text
    assert "grant required" in text.replace("_", " ")
    assert report["log"]["root"][:16] in text


@pytest.mark.parametrize(("limit", "code"), [("never", 0), ("critical", 1), ("info", 1)])
def test_fail_on_decides_the_exit_code(day: Path, limit: str, code: int) -> None:
    assert replay(day, *DEMO, "--fail-on", limit).exit_code == code


def test_in_monitor_mode_nothing_is_blocked_but_would_be(day: Path) -> None:
    told = json.loads(replay(day, *DEMO, "--mode", "monitor", "--report", "json").stdout)
    assert {alert["action"] for alert in told["alerts"]} <= {"pass", "would_block"}
    assert "would_block" in {alert["action"] for alert in told["alerts"]}


def test_a_tap_claims_what_it_cannot_know(day: Path) -> None:
    told = json.loads(replay("--tap", day, "--profile", "demo-ebus", "--report", "json").stdout)
    assert {alert["provenance"] for alert in told["alerts"]} == {"claimed"}
    assert set(told["sides"]) == {"tap"}


def test_a_log_that_is_kept_can_be_verified_afterwards(day: Path, tmp_path: Path) -> None:
    assert replay(day, *DEMO, "--out", tmp_path / "log").exit_code == 0
    assert busgate("verify", tmp_path / "log").returncode == 0


# ---------------------------------------------------------------- mistakes: one line, what is wrong, what next


def busgate(*words: object) -> subprocess.CompletedProcess[str]:
    program = "from busgate.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], capture_output=True, text=True, check=False
    )


def refused(*words: object) -> str:
    done = busgate("replay", *words)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert "Traceback" not in done.stderr
    return done.stderr


def one_line(*words: object) -> str:
    said = refused(*words)
    assert said.count("\n") == 1, said
    return said


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_what_is_no_recording_is_said(tmp_path: Path) -> None:
    assert "is not a candump log" in one_line(written(tmp_path / "a.log", b"hello there\n"))
    assert "this file is empty" in one_line(written(tmp_path / "b.log", b""))
    assert "there is no such file" in one_line(tmp_path / "missing.log")
    assert "is a folder" in one_line(tmp_path)
    assert "No trace was given".lower() in one_line().lower()


def test_a_blf_cut_in_its_head_is_said_and_one_cut_later_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = tmp_path / "whole.blf"
    with can.BLFWriter(whole) as writer:
        for number in range(20_000):
            writer.on_message_received(can.Message(timestamp=number / 1000, arbitration_id=0x123, data=bytes(8)))
    data = whole.read_bytes()
    assert "cut or damaged" in one_line(written(tmp_path / "head.blf", data[:60]))
    cut = written(tmp_path / "cut.blf", data[: len(data) * 2 // 3])
    told = busgate("replay", cut, "--report", "json")
    assert told.returncode == 0
    assert 0 < json.loads(told.stdout)["frames"] < 20_000


def test_a_policy_with_a_typo_names_file_line_and_field(day: Path, tmp_path: Path) -> None:
    bad = written(tmp_path / "p.yaml", POLICY.read_bytes().replace(b"allow:", b"alow:", 1))
    said = refused(day, "--policy", bad, "--unsigned", *SIDES)
    assert "p.yaml:" in said
    assert "alow" in said


def test_an_unsigned_policy_needs_to_be_asked_for(day: Path) -> None:
    assert "is not signed" in one_line(day, "--policy", POLICY, *SIDES)


def test_a_dbc_with_errors_is_said_with_its_name(day: Path, tmp_path: Path) -> None:
    folder = tmp_path / "profile"
    folder.mkdir()
    for name in ("profile.yaml", "ebus-j1939.dbc", "ebus-body11.dbc"):
        (folder / name).write_bytes((profile_folder("demo-ebus") / name).read_bytes())
    (folder / "ebus-body11.dbc").write_text("BO_ x y z\n", encoding="utf-8")
    assert "ebus-body11.dbc" in one_line(day, "--profile", folder, *SIDES)


def test_a_missing_key_is_said(day: Path, tmp_path: Path) -> None:
    assert "there is no private key file" in one_line(day, *DEMO, "--key", tmp_path / "no.key")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_said(day: Path, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    assert "cannot hold a log" in one_line(day, *DEMO, "--out", folder / "log")


def test_a_file_in_the_folders_place_is_said(day: Path, tmp_path: Path) -> None:
    assert "is a file" in one_line(day, *DEMO, "--out", written(tmp_path / "log", b"x"))


def test_a_broker_that_refuses_is_said(day: Path) -> None:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"mqtt://127.0.0.1:{sock.getsockname()[1]}"
    assert "no connection to broker" in one_line(day, *DEMO, "--mqtt", url)


def test_a_witness_without_a_broker_is_said(day: Path) -> None:
    assert "--witness needs --mqtt" in one_line(day, *DEMO, "--witness", "x")


def test_a_side_that_the_trace_does_not_have_is_said(day: Path) -> None:
    done = busgate("replay", day, "--profile", "demo-ebus", "--tbox", "can7", "--vehicle", "can8", "--report", "json")
    assert "can0" in done.stderr + done.stdout


def test_wrong_addresses_are_said_even_if_no_packet_comes(day: Path) -> None:
    assert "'foo' is neither an IP address nor a network" in one_line(day, *SIDES, "--tbox-address", "foo")


HOSTILE = "\x1b]0;pwn\x07\x1b[2J\u202eh\u2066\x9b31m\n"


def test_nothing_foreign_is_told_as_it_is(report: dict[str, Any]) -> None:
    told = report | {"alerts": [row | {"name": HOSTILE, "detail": HOSTILE} for row in report["alerts"]]}
    for text in (as_text(told), as_junit(told)):
        assert r"\x1b[2J\u202e" in text
        assert all(line.isprintable() for line in text.split("\n"))
    assert ET.fromstring(as_junit(told)).tag == "testsuite"  # noqa: S314 - our own output
