"""`busgate explain`: the sentence, the proof, and what it says when there is neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

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
