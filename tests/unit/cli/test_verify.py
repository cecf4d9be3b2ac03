"""`busgate verify` as its user sees it: what it says, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from busgate.cli.verify import command
from support.logs import forge, rows, write_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    write_log(tmp_path / "log")
    return tmp_path / "log"


def verify(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_a_verified_log_says_so_with_its_size_and_root_and_whose_key_it_is(log: Path) -> None:
    said = verify(log)
    assert said.exit_code == 0
    assert "verified" in said.output
    assert "signed       14 records, by 5 checkpoints" in said.output
    assert "published test key" in said.output


def test_the_first_bad_record_is_named_and_what_to_do(log: Path) -> None:
    raw = rows(log)[9][1]
    forge(log, ("UPDATE entry SET raw = ? WHERE idx = 9", (raw[:-1] + b" ",)))
    said = verify(log)
    assert said.exit_code == 1
    assert "NOT VERIFIED\n  record 9 was changed" in said.output
    assert "Next: keep this log as it is" in said.output
    assert "proven       records 0 to 7" in said.output


def test_a_program_reads_the_same_as_json(log: Path) -> None:
    forge(log, ("DELETE FROM entry WHERE idx = 3", ()))
    told = json.loads(verify(log, "--json").output)
    assert told["verified"] is False
    assert told["logs"][0]["fault"]["first"] == 3
    assert told["logs"][0]["fault"]["kind"] == "missing"


def test_a_bundle_is_written_once_verified_and_verifies_itself(log: Path, tmp_path: Path) -> None:
    assert verify(log, "--bundle", tmp_path / "incident.zip").exit_code == 0
    assert verify(tmp_path / "incident.zip").exit_code == 0


def test_no_bundle_is_made_of_what_is_not_verified(log: Path, tmp_path: Path) -> None:
    forge(log, ("DELETE FROM entry WHERE idx = 3", ()))
    assert verify(log, "--bundle", tmp_path / "incident.zip").exit_code == 1
    assert not (tmp_path / "incident.zip").exists()


@pytest.mark.parametrize("path", ["missing", "empty", "file"])
def test_what_is_no_log_is_one_line_and_exit_code_2(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "from busgate.cli import main; main()", "verify", str(tmp_path / path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "Next: " in done.stderr
