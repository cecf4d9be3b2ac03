"""`busgate held` as the operator sees it: what waits, his word on it, and what is said of his mistakes."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from busgate.bridge.hold import Held, Holding, Spool
from busgate.cli.held import command
from busgate.model import BusgateError

AT = 1_795_600_000_000_000_000
DATA = b"firmware" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "held").mkdir()
    (tmp_path / "marks").mkdir()
    return tmp_path


def spool(folder: Path) -> Spool:
    return Spool(folder / "held", folder / "marks", spare_bytes=0)


@pytest.fixture
def name(folder: Path) -> str:
    begun = spool(folder).begin({"name": "http://ota.example/bms.bin", "source": "203.0.113.10:8080"}, AT)
    assert isinstance(begun, Holding)
    begun.write(DATA)
    done = begun.finish()
    assert isinstance(done, Held)
    return done.name


def held(folder: Path, *words: object) -> Result:
    where = ["--folder", str(folder / "held"), "--marks", str(folder / "marks")]
    return CliRunner().invoke(command, [*map(str, words), *where], catch_exceptions=False)


def refused(folder: Path, *words: object) -> str:
    with pytest.raises(BusgateError) as fault:
        held(folder, *words)
    assert "\n" not in str(fault.value)
    return str(fault.value)


def test_nothing_held_is_exit_code_1(folder: Path) -> None:
    said = held(folder, "list")
    assert (said.exit_code, said.stdout, said.stderr) == (1, "", "nothing is held\n")


def test_what_waits_is_listed_with_all_that_tells_it_from_others(folder: Path, name: str) -> None:
    said = held(folder, "list")
    assert said.exit_code == 0
    (line,) = said.stdout.splitlines()
    for part in (
        name,
        "2026-11-25T",
        "waits",
        f"{len(DATA)} bytes",
        "http://ota.example/bms.bin from 203.0.113.10:8080",
    ):
        assert part in line


def test_it_is_shown_with_its_digest(folder: Path, name: str) -> None:
    row = json.loads(held(folder, "show", name, "--report", "json").stdout)
    assert row["sha256"] == hashlib.sha256(DATA).hexdigest()
    assert (row["standing"], row["whole"], row["kept"], row["bytes"]) == ("waits", True, True, len(DATA))
    assert f"sha256    {row['sha256']}" in held(folder, "show", name).stdout


@pytest.mark.parametrize(("word", "standing"), [("release", "released"), ("refuse", "refused")])
def test_a_decision_is_kept_with_who_and_why_and_is_the_last(folder: Path, name: str, word: str, standing: str) -> None:
    said = held(folder, word, name, "--reason", " ticket 4711 ")
    assert (said.exit_code, said.stdout) == (0, f"{name}: {standing}\n")
    (row,) = json.loads(held(folder, "list", "--report", "json").stdout)
    assert (row["standing"], row["reason"]) == (standing, "ticket 4711")
    assert row["by"]
    assert "has been decided upon" in refused(folder, "release", name, "--reason", "again")


def test_the_payload_is_saved_as_it_came_and_over_nothing(folder: Path, name: str) -> None:
    out = folder / "bms.bin"
    assert held(folder, "save", name, "-o", out).exit_code == 0
    assert out.read_bytes() == DATA
    assert "is there already. Next:" in refused(folder, "save", name, "-o", out)


def test_a_payload_that_was_changed_is_said_to_be(folder: Path, name: str) -> None:
    (folder / "held" / f"{name}.bin").write_bytes(b"x" * len(DATA))
    assert "SHA-256 differs" in refused(folder, "save", name, "-o", folder / "bms.bin")
    assert not (folder / "bms.bin").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show",), "say which one. Next: busgate held list"),
        (("show", "nothing"), "nothing is held under the name 'nothing'. Next: busgate held list"),
        (("release", "../../etc/passwd", "--reason", "x"), "nothing is held under the name"),
        (("release", "1-0"), 'say why: it goes into the log. Next: add --reason "…"'),
        (("refuse", "1-0", "--reason", "  "), "say why"),
        (("save", "1-0"), "say where to. Next: add -o FILE"),
    ],
)
def test_a_mistake_is_said_in_one_line(folder: Path, words: tuple[str, ...], said: str) -> None:
    assert said in refused(folder, *words)


def test_a_folder_that_is_not_there_is_said() -> None:
    with pytest.raises(BusgateError, match=r"there is no folder .*\. Next: check --folder"):
        CliRunner().invoke(command, ["list", "--folder", "/nowhere"], catch_exceptions=False)


def test_settings_that_are_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(BusgateError, match=r"there is no file .* Next: give --folder FOLDER"):
        CliRunner().invoke(command, ["list", "--config", str(tmp_path / "none.yaml")], catch_exceptions=False)
    (tmp_path / "busgate.yaml").write_text("network: {tbox: eth1}\n", encoding="utf-8")
    with pytest.raises(BusgateError, match=r"does not say where anything is held. Next: give --folder"):
        CliRunner().invoke(command, ["list", "--config", str(tmp_path / "busgate.yaml")], catch_exceptions=False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_may_not_be_read_is_no_empty_one(folder: Path, name: str) -> None:
    assert name
    (folder / "held").chmod(0)
    assert "cannot be read by this user. Next: as root" in refused(folder, "list")


HOSTILE = "http://\x1b]0;pwn\x07\x1b[2J\u202eh\u2066.example/\x9b31m\udcff\n1-0  waits"


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("words", [("list",), ("show", f"{AT}-0")])
def test_nothing_foreign_reaches_the_terminal_as_it_is(folder: Path, words: tuple[str, ...], style: str) -> None:
    about = {"name": HOSTILE.replace("\udcff", ""), "source": HOSTILE.replace("\udcff", "")}
    assert isinstance(spool(folder).begin(about, AT), Holding)
    said = held(folder, *words, "--report", style)
    assert said.exit_code == 0
    assert all(line.isprintable() for line in said.stdout.split("\n"))
    assert "u202e" in said.stdout
    if words == ("list",) and style == "text":
        assert len(said.stdout.splitlines()) == 1


def test_a_damaged_record_is_listed_beside_the_others(folder: Path, name: str) -> None:
    (folder / "held" / "5-0.json").write_text('{"at": 1e400, "about": {}}')
    damaged, other = json.loads(held(folder, "list", "--report", "json").stdout)
    assert (damaged["name"], damaged["standing"], damaged["sha256"]) == ("5-0", "damaged", "(not known)")
    assert (other["name"], other["standing"]) == (name, "waits")
    assert "damaged" in held(folder, "list").stdout.splitlines()[0]


def test_a_reason_that_cannot_be_printed_is_spelled_out(folder: Path, name: str) -> None:
    assert held(folder, "release", name, "--reason", "ja\udcff\x1b[2J" + "x" * 9000).exit_code == 0
    row = json.loads(held(folder, "show", name, "--report", "json").stdout)
    assert row["standing"] == "released"
    assert row["reason"].startswith("ja\\udcff\\x1b[2Jxxx")
    assert row["reason"].isprintable()
    assert [each.name for each in (folder / "marks").iterdir()] == [f"{name}.mark"]


def test_what_is_lost_is_said_to_be_and_cannot_be_released(folder: Path, name: str) -> None:
    spool(folder).lost(name, "the conversation is over (tbox)")
    assert "  lost  " in held(folder, "list").stdout
    row = json.loads(held(folder, "show", name, "--report", "json").stdout)
    assert (row["standing"], row["lost"], row["kept"]) == ("lost", "the conversation is over (tbox)", True)
    assert "the conversation is over (tbox)" in refused(folder, "release", name, "--reason", "go on")
    assert held(folder, "save", name, "-o", folder / "out").exit_code == 0
