"""`busgate learn` and `busgate blocked` as their user sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from busgate.cli import blocked, learn, replay
from busgate.judge.policy import load_policy
from busgate.service.places import profile_folder, scenario
from busgate.service.proposal import with_refused

DAY = scenario("demo-day.log")
SIDES = ("--profile", "demo-ebus", "--tbox", "can1", "--vehicle", "can0")
POLICY = profile_folder("demo-ebus") / "policy.yaml"


def run(command: object, *words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("learn") / "proposed.yaml"
    said = run(learn.command, DAY, *SIDES, "-o", out)
    assert said.exit_code == 0, said.output
    return out


def test_the_proposal_refuses_every_drive_and_battery_command_of_the_day(proposed: Path) -> None:
    policy = load_policy(proposed.read_text(encoding="utf-8"))
    names = {rule.message for rule in policy.allow}
    assert {"TboxHeartbeat", "TboxRequest"} <= names
    assert names.isdisjoint({"TboxDriveCommand", "TboxBmsCommand"})
    assert not any(rule.uds for rule in policy.allow)
    assert policy.mode is not None
    assert policy.mode.value == "monitor"
    assert run(learn.command, DAY, *SIDES).stdout == proposed.read_text(encoding="utf-8")


def test_what_was_learned_passes_when_all_of_it_is_allowed(proposed: Path, tmp_path: Path) -> None:
    everything = tmp_path / "everything.yaml"
    everything.write_text(with_refused(proposed.read_text(encoding="utf-8")), encoding="utf-8")
    said = run(
        replay.command, DAY, *SIDES, "--policy", everything, "--unsigned", "--mode", "enforce", "--report", "json"
    )
    verdicts = json.loads(said.stdout)["verdicts"]
    # Attacks are not learned; of a read whose DIDs do not all show, the gate cannot know what it is.
    assert verdicts.keys() == {"allowed", "answers_vehicle", "continues_allowed", "continues_blocked", "flood",
                               "malformed", "masquerade", "signal_unknown"}  # fmt: skip
    assert (verdicts["continues_blocked"], verdicts["signal_unknown"]) == (1, 1)


def test_a_file_that_is_there_is_not_replaced(proposed: Path) -> None:
    before = proposed.read_text(encoding="utf-8")
    assert "somebody may have worked on it" in str(run(learn.command, DAY, *SIDES, "-o", proposed).exception)
    assert proposed.read_text(encoding="utf-8") == before
    assert run(learn.command, DAY, *SIDES, "-o", proposed, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ((), "learn from what?"),
        ((DAY, "--hours", 1), "not both"),
        (("--hours", 1), "add -o"),
        (("--hours", 1, "-o", "/nowhere/x.yaml"), "which wires?"),
        (("--hours", 1, "-o", "x.yaml", "--tbox", "a:b", "--tbox", "c:d", "--vehicle", "e:f"), "given 2 times"),
        ((DAY, "--tbox", "can1", "--vehicle", "can0", "-o", "/nowhere/x.yaml"), "/nowhere/x.yaml cannot be written"),
        (("/nowhere.log",), "there is no such file"),
    ],
)
def test_a_mistake_is_one_line(words: tuple[object, ...], fault: str) -> None:
    said = run(learn.command, *words)
    assert fault in str(said.exception), said.output
    assert "\n" not in str(said.exception)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("monitor") / "log"
    words = (DAY, *SIDES, "--policy", POLICY, "--unsigned", "--mode", "monitor", "--out", out, "--report", "json")
    report = json.loads(run(replay.command, *words).stdout)
    # What is not a message of its own, the rest of a blocked transfer, is no alert of its own.
    stopped = sum(report["verdicts"].values()) - sum(
        report["verdicts"][reason] for reason in ("allowed", "answers_vehicle", "continues_blocked")
    )
    (out.parent / "stopped").write_text(str(stopped), encoding="ascii")
    return out


def test_what_enforce_would_have_blocked_is_all_there(log: Path) -> None:
    said = run(blocked.command, "--log", log, "--json")
    assert said.exit_code == 1
    rows = json.loads(said.stdout)
    assert {row["action"] for row in rows} == {"would_block"}
    once = [row for row in rows if row["rule"] != "conduct.stale-counter"]  # a second alert about the same message
    assert sum(row["count"] for row in once) == int((log.parent / "stopped").read_text(encoding="ascii"))
    flood = next(row for row in rows if row["reason"] == "flood")
    assert flood["count"] == 260
    assert flood["first"] < flood["last"] < "2026-03-02T06:40:29"


def test_the_same_for_people(log: Path) -> None:
    said = run(blocked.command, "--log", log)
    assert "kinds would have been blocked:" in said.stdout
    assert "grant_required (rule torque-limit): no grant for maintenance is active" in said.stdout


def test_a_log_in_which_nothing_was_blocked(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.log"
    quiet.write_text("(1772433600.1) can0 18FEF127#C300000000000000\n", encoding="ascii")
    assert run(replay.command, quiet, *SIDES[:2], "--vehicle", "can0", "--out", tmp_path / "log").exit_code == 0
    said = run(blocked.command, "--log", tmp_path / "log")
    assert (said.exit_code, said.stdout) == (0, "nothing was blocked, and in monitor mode nothing would have been\n")
    assert "Next: check its name" in str(run(blocked.command, "--log", tmp_path / "nothing").exception)
