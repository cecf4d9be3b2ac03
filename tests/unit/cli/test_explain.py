"""`busgate explain`: the sentence, the proof, and what it says when there is neither."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from busgate.cli import _stop, group
from busgate.cli.explain import command
from busgate.model import Reason
from busgate.record.found import EvidenceError
from support.logs import alert, forge, open_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    with open_log(tmp_path / "log") as made:
        made.record(alert(rule="command.drive"), 0)
        made.record(alert(1, rule="command.drive", reason=Reason.CONDITION_NOT_MET, allow_rule="stop-at-depot"), 1)
    return tmp_path / "log"


def explain(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_it_says_what_happened_why_and_that_the_record_is_proven(log: Path) -> None:
    result = explain(3, "--log", log)
    assert result.exit_code == 0
    assert "T-box (0x4A) asked to limit the drive" in result.output
    assert "A rule allows it only in another state of the vehicle. Rule: stop-at-depot." in result.output
    assert "the vehicle then: speed 31.2 km/h, park brake set off" in result.output
    assert "record 3, proven: it is in the log that was signed at size 4" in result.output
    assert "published test key, which proves nothing" in result.output


def test_it_says_so_in_dutch(log: Path) -> None:
    result = explain(2, "--log", log, "--lang", "nl")
    assert "vroeg om de aandrijving te begrenzen" in result.output
    assert "Dit is regel 2, bewezen" in result.output


def test_a_record_that_was_altered_is_explained_and_called_not_proven(log: Path) -> None:
    forge(log, ("UPDATE entry SET raw = replace(CAST(raw AS TEXT), '31.25', '99') WHERE idx = 3", ()))
    result = explain(3, "--log", log)
    assert result.exit_code == 1
    assert "NOT PROVEN: record 3 was changed" in result.output


def test_a_program_gets_the_same_as_json(log: Path) -> None:
    told = json.loads(explain(3, "--log", log, "--json").output)
    assert (told["index"], told["proven"]) == (3, True)
    assert told["entry"]["allow_rule"] == "stop-at-depot"


@pytest.mark.parametrize(("index", "words"), [(4, "no record 4: it has records 0 to 3"), (10**12, "no record")])
def test_an_index_out_of_range_is_a_sentence(log: Path, index: int, words: str) -> None:
    result = explain(index, "--log", log)
    assert isinstance(result.exception, EvidenceError)
    assert words in str(result.exception)


def test_no_log_is_a_sentence(tmp_path: Path) -> None:
    result = explain(0, "--log", tmp_path)
    assert isinstance(result.exception, EvidenceError)
    assert "holds no log" in str(result.exception)


def test_reading_leaves_no_trace(log: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in log.iterdir()}
    explain(3, "--log", log)
    assert {path.name: path.stat().st_mtime_ns for path in log.iterdir()} == before


@pytest.mark.parametrize("words", [("explain", "2"), ("explain", "2", "--lang", "nl"), ("blocked",), ("verify",),
                                   ("inventory",)])  # fmt: skip
@pytest.mark.parametrize("as_json", [False, True])
def test_nothing_foreign_reaches_the_terminal_as_it_is(
    tmp_path: Path, words: tuple[str, ...], *, as_json: bool
) -> None:
    hostile = "\x1b]0;pwn\x07\x1b[2J\u202eh\u2066\x9b31m\n"
    with open_log(tmp_path / "log") as made:
        told = alert(rule="command.drive", name=hostile, detail=hostile, frame=hostile, allow_rule=hostile)
        made.record(replace(told, state={"speed": hostile}), 0)
    what, *rest = words
    where = [str(tmp_path / "log")] if what in {"verify", "inventory"} else ["--log", str(tmp_path / "log")]
    style = [] if not as_json else ["--report", "json"] if what == "inventory" else ["--json"]
    said = CliRunner().invoke(group, [what, *rest, *where, *style])
    assert said.stdout
    assert all(line.isprintable() for line in said.stdout.split("\n"))
    assert ("u202e" in said.stdout) is (what != "verify")


def test_a_fault_is_said_in_printable_letters(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _stop("the log \x1b[2J\u202e cannot be read\nNext: another")
    assert capsys.readouterr().err == "busgate: the log \\x1b[2J\\u202e cannot be read\nNext: another\n"
