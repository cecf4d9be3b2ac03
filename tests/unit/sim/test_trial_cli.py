"""`busgate-sim` as its user meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from busgate.bridge.channels import SideMap
from busgate.bridge.trace import Trace
from busgate.model import Frame, Side
from busgate_sim.scenario import library
from busgate_trial.cli import group

SHORT = """\
scenario: short
title: a stop after a second
kind: attack
start: driving
lasts: 3
acts:
  - {at: 1, does: drive.stop, expect: blocked, alert: command.drive, severity: critical, why: no rule allows it}
"""


def sim(*words: object) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


@pytest.fixture
def short(tmp_path: Path) -> Path:
    path = tmp_path / "short.yaml"
    path.write_text(SHORT, encoding="utf-8")
    return path


def test_the_library_is_listed_with_at_least_forty_scenarios() -> None:
    listed = json.loads(sim("list", "--json").output)
    assert len(listed) >= 40
    assert [each["scenario"] for each in listed] == list(library())
    assert {each["kind"] for each in listed} == {"service", "attack", "fault"}
    assert all(each["title"] for each in listed)


def test_run_tells_the_act_the_gates_alert_and_what_crossed(short: Path) -> None:
    said = sim("run", short).output
    assert "cloud -> T-box: drive.stop" in said
    assert "gate: CRITICAL command.drive: TboxDriveCommand block (not_allowlisted)" in said or "block" in said
    assert re.search(r"T-box frames: \d+ crossed to the vehicle, 1 did not", said)
    without = sim("run", short, "--no-gate").output
    assert "gate:" not in without
    assert re.search(r"T-box frames: \d+ crossed to the vehicle, 0 did not", without)


def test_score_ends_with_0_as_labelled_and_with_1_otherwise(short: Path) -> None:
    good = sim("score", short, "--json")
    assert good.exit_code == 0
    told = json.loads(good.output)
    assert told["scenarios"][0]["as_expected"] is True
    assert told["rules"]["command.drive"]["recall"] == 1.0
    short.write_text(SHORT.replace("expect: blocked", "expect: passed"), encoding="utf-8")
    assert sim("score", short).exit_code == 1


def test_a_recording_is_the_same_each_time_and_its_labels_name_its_lines(short: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        assert sim("record", short, "--out", tmp_path / folder).exit_code == 0
    trace, again = (tmp_path / folder / "short.log" for folder in ("a", "b"))
    assert trace.read_bytes() == again.read_bytes()
    labels = yaml.safe_load((tmp_path / "a" / "short.labels.yaml").read_text(encoding="utf-8"))
    (line,) = labels["acts"][0]["lines"]
    assert "can1 510#" in trace.read_text(encoding="utf-8").splitlines()[line - 1]
    frames = [unit for unit in Trace(trace, SideMap(["can1"], ["can0"])) if isinstance(unit, Frame)]
    assert len(frames) == len(trace.read_text(encoding="utf-8").splitlines())
    assert {frame.side for frame in frames} == {Side.TBOX, Side.VEHICLE}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "nosuch"], "there is no scenario nosuch"),
        (["run", "nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["run", "bad.yaml"], "bad.yaml:5: acts.0.does: there is no act 'nonsense'"),
        (["record", "flood", "--out", "file"], "file cannot be written"),
        (["score", "--bogus"], "No such option"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(words: list[str], told: str, tmp_path: Path) -> None:
    bad = "scenario: bad\ntitle: t\nkind: attack\nstart: driving\nlasts: 9\nacts: [{at: 1, does: nonsense, "
    (tmp_path / "bad.yaml").write_text(f"{bad}expect: blocked, why: x}}]\n", encoding="utf-8")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    program = [sys.executable, "-c", "from busgate_trial.cli import main; main()"]
    done = subprocess.run([*program, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert told.replace(":5:", ":6:") in done.stderr
