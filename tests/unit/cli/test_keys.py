"""`busgate keys`: a key is made once, readable by its owner alone, and never overwritten."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from busgate.cli.keys import command
from busgate.model import BusgateError
from busgate.trust.keys import load_signer, load_verifier


def keys(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_a_new_key_has_two_halves_that_belong_together(tmp_path: Path) -> None:
    path = tmp_path / "bus-0421.key"
    done = keys("new", "bus-0421", "--out", path)
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    public = path.with_name("bus-0421.key.vkey")
    assert load_signer(path).verifier == load_verifier(public)
    assert load_verifier(public).text in done.output
    assert "PRIVATE" not in done.output


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert keys("new", "bus", "--out", tmp_path / name).exit_code == 0
    assert load_signer(tmp_path / "a").verifier != load_signer(tmp_path / "b").verifier


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "k"
    keys("new", "bus", "--out", path)
    before = path.read_bytes()
    done = keys("new", "bus", "--out", path)
    assert isinstance(done.exception, BusgateError)
    assert "never overwritten" in str(done.exception)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["two words", "plus+sign", ""])
def test_a_name_that_no_note_can_hold_is_refused(name: str, tmp_path: Path) -> None:
    done = keys("new", name, "--out", tmp_path / "k")
    assert done.exit_code != 0
    assert not (tmp_path / "k").exists()
