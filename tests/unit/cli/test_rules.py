"""`busgate rules` on a kernel made of values, beside a gate that answers or none."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from busgate.bridge import cangw
from busgate.bridge.cangw import Counted, Job, NoGatewayError
from busgate.cli.rules import command
from busgate.model import BusgateError
from busgate.service.hold import Hold

TBOX, VEHICLE = f"r{os.getpid()}t", f"r{os.getpid()}v"
POLICY = """\
policy: shown
version: 1
profile: demo-ebus
allow:
  - {id: position, pgn: 0xFEF3}
  - {id: to-all, pgn: 0xAA00, da: 0xFF}
  - {id: to-any, pgn: 0xAA00, da: any}
  - {id: faults, pgn: 0xEA00, da: any, requested: [0xFECA]}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def told(one: str, other: str) -> list[Counted]:
        assert {one, other} == {TBOX, VEHICLE}
        return [Counted(Job(VEHICLE, TBOX), 90, 0, 0), Counted(Job(VEHICLE, TBOX, fd=True), 9, 0, 0),
                Counted(Job(TBOX, VEHICLE, 0x80FEF34A, 0xC3FFFFFF), 5, 0, 0),
                Counted(Job(TBOX, VEHICLE, 0x80AA004A, 0xC3FF00FF), 7, 0, 0)]  # fmt: skip

    monkeypatch.setattr(cangw, "jobs", told)
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="ascii")
    path = tmp_path / "busgate.yaml"
    path.write_text(
        f"tbox: socketcan:{TBOX}\nvehicle: socketcan:{VEHICLE}\nprofile: demo-ebus\npolicy: policy.yaml\n",
        encoding="ascii",
    )
    return path


@pytest.fixture
def gate() -> Iterator[None]:
    """Somebody who holds both wires and answers."""
    words = {"mode": "enforce", "rules": {"faults": {"pass": 3, "block": 2}, "": {"block": 8}}}
    with Hold(f"socketcan:{TBOX}", f"socketcan:{VEHICLE}") as hold:
        ended = threading.Event()

        def answers() -> None:
            while not ended.is_set():
                hold.answer(lambda: words, 0.02)

        answering = threading.Thread(target=answers)
        answering.start()
        yield
        ended.set()
        answering.join()


def rules(*words: object) -> dict[str, Any]:
    done = CliRunner().invoke(command, [*map(str, words), "--unsigned", "--json"])
    assert done.exit_code == 0, done.exception
    told: dict[str, Any] = json.loads(done.output)
    return told


@pytest.mark.usefixtures("gate")
def test_each_rule_has_its_count_wherever_it_lives(config: Path) -> None:
    told = rules("--config", config)
    assert [(rule["rule"], rule["where"], rule["forwarded"], rule["blocked"]) for rule in told["rules"]] == [
        ("position", "kernel", 5, None), ("to-all", "kernel", 7, None), ("to-any", "kernel", 7, None),
        ("faults", "agent", 3, 2),
    ]  # fmt: skip
    assert told["rules"][1]["why"] == "counted with rule to-any, which takes these frames, too"
    assert (told["telemetry_forwarded"], told["mode"]) == (99, "enforce")
    shown = CliRunner().invoke(command, ["--config", str(config), "--unsigned"]).output
    assert "3 forwarded, 2 blocked" in shown
    assert "no gate runs" not in shown


def test_without_a_gate_the_agents_counts_are_not_known(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rules("--config", config)["rules"][-1]["forwarded"] is None
    assert "no gate runs there now" in CliRunner().invoke(command, ["--config", str(config), "--unsigned"]).output

    def none(*_: str) -> list[Counted]:
        raise NoGatewayError("no can-gw")

    monkeypatch.setattr(cangw, "jobs", none)
    assert rules("--config", config)["telemetry_forwarded"] == 0


@pytest.mark.usefixtures("gate")
def test_nothing_is_cleared_under_a_gate_at_work(config: Path) -> None:
    done = CliRunner().invoke(command, ["--clear", "--config", str(config)])
    assert isinstance(done.exception, BusgateError)
    assert "in the hands of another busgate" in str(done.exception)


def test_cleared_is_what_there_was(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[list[Job]] = []
    monkeypatch.setattr(cangw, "replace", lambda _, __, jobs: left.append(jobs))
    assert "forwards nothing" in CliRunner().invoke(command, ["--clear", "--config", str(config)]).output
    assert left == [[]]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "which rules"),
        (["--clear"], "clear between which"),
        (["--tbox", "socketcan:can1"], "both sides are needed"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], says: str) -> None:
    done = CliRunner().invoke(command, words)
    assert says in str(done.exception)
    assert "\n" not in str(done.exception)
