"""`busgate play` onto the kernel's wires, with the gate between them, and beside canplayer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.kernel import BUSGATE, Gate, Recorder, passes
from support.said import Said

SPEED, ASKS, CLEARS, STOPS = "18FEF127#C300000000000000", "18EAFF4A#CAFE00", "18EAFF4A#D3FE00", "18DAF34A#021101"


def played(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BUSGATE, "play", *map(str, words)], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Two seconds of both sides: speed every 50 ms, and the T-box asks twice."""
    lines = [f"({1 + number / 20:.6f}) can0 {SPEED}" for number in range(40)]
    lines += [f"(1.710000) can1 {ASKS}", f"(1.810000) can1 {CLEARS}"]
    path = tmp_path / "day.log"
    path.write_text("\n".join(sorted(lines)) + "\n", encoding="ascii")
    return path


def test_expectations_of_a_real_gate(gate: Gate, trace: Path, tmp_path: Path) -> None:
    expected = tmp_path / "expected.yaml"
    expected.write_text(
        f"blocked:\n  - {{frame: '{CLEARS}', channel: can1, times: 1}}\n  - {{frame: '{STOPS}'}}\n"
        "  - {subsystem: bms, act: reset}\n"
        f"passed:\n  - {{frame: '{ASKS}', times: 1}}\n  - {{frame: '{SPEED}', times: 40}}\n",
        encoding="ascii",
    )
    words = (trace, "--to", "vcan0=can0,vcan1=can1", "--inject", f"1.9:can1:{STOPS}", "--expect", expected,
             "--log", gate.log, "--junit", tmp_path / "play.xml")  # fmt: skip
    for _ in range(3):  # a busy machine lets a frame go stale; the gate drops it, and so it did not cross
        done = played(*words)
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 expectations, 0 failed" in done.stdout
    assert 'tests="5" failures="0"' in (tmp_path / "play.xml").read_text(encoding="utf-8")


def test_what_is_sent_is_what_was_recorded_and_the_kernel_says_when(
    recorders: dict[str, Recorder], trace: Path
) -> None:
    done = played(trace, "--to", "vcan0=can0,vcan1=can1", "--compare", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert recorders["vcan0"].frames() == [SPEED] * 80  # ours and canplayer's
    assert recorders["vcan1"].frames() == [ASKS, CLEARS] * 2
    assert told["timing_us"]["frames"] == told["canplayer_us"]["frames"] == 42
    assert (told["timing_us"]["why"], told["canplayer_us"]["why"]) == ("", "")


def test_as_fast_as_it_goes_waits_for_room_and_loses_nothing(recorders: dict[str, Recorder], trace: Path) -> None:
    done = played(trace, "--to", "vcan0", "--speed", 0, "--loop", 100, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["sent"] == {"vcan0": 4200}
    assert len(recorders["vcan0"].frames()) == 4200


def test_learning_in_line_forwards_all_and_writes_what_it_saw(recorders: dict[str, Recorder], tmp_path: Path) -> None:
    out = tmp_path / "proposed.yaml"
    words = ["learn", "--hours", "1", "--profile", "demo-ebus", "--tbox", "socketcan:vcan1", "--vehicle",
             "socketcan:vcan0", "-o", str(out)]  # fmt: skip
    said = Said()
    with subprocess.Popen([*BUSGATE, *words], stderr=said.file) as learning:
        assert "everything is forwarded, nothing is blocked" in said.first(learning)
        for frame, wire, other in ((SPEED, "vcan0", "vcan1"), (CLEARS, "vcan1", "vcan0")):
            passes(frame, wire, recorders[other])
        learning.terminate()
        learning.wait(60)
    assert learning.returncode == 0, said.all()
    text = out.read_text(encoding="utf-8")
    assert "#~   requested: [0xFED3]" in text
    assert "allow: []" in text
