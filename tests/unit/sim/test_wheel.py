"""The keys of `busgate-sim drive`, and the bus under them, in a terminal of the test's own."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from busgate_trial.cli import group
from busgate_trial.wheel import Wheel, turned

SIM = [sys.executable, "-c", "from busgate_trial.cli import main; main()"]


@pytest.mark.parametrize(
    ("keys", "hand"),
    [
        ("", 0.0),
        ("w", 0.2),
        ("wwwwwww", 1.0),
        ("ws", -0.2),
        ("b", -1.0),
        ("b ", 0.0),
        ("\x1b[A\x1b[A", 0.4),
        ("xyz", 0.0),
    ],
)
def test_keys_turn_the_wheel(keys: str, hand: float) -> None:
    assert turned(Wheel(), keys).hand == pytest.approx(hand)


def test_the_doors_button() -> None:
    assert turned(Wheel(), "d").doors
    assert not turned(Wheel(doors=True), "d").doors


def test_without_a_terminal_it_says_what_to_do_instead() -> None:
    done = CliRunner().invoke(group, ["drive"])
    assert "Next: busgate-sim run" in str(done.exception)


def test_the_bus_pulls_away_in_a_real_terminal() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "100", "LINES": "30", "TERM": "xterm"}
    with subprocess.Popen([*SIM, "drive"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        said, pressed, deadline = "", False, time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    said += os.read(ours, 65536).decode("utf-8", "replace")
                except OSError:
                    break
            if not pressed and "km/h" in said:
                os.write(ours, b"wwwww")
                pressed, began = True, time.monotonic()
            if pressed and time.monotonic() - began > 4:
                os.write(ours, b"q")
        assert process.wait(10) == 0, said
    os.close(ours)
    assert "traction 100%" in said
    assert "with the gate" in said
