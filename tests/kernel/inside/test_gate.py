"""`busgate run` on two SocketCAN interfaces, with programs that others wrote on both sides."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from busgate.model import EXTENDED
from busgate_sim.encoder import Encoder, Sent
from support.kernel import ROOT, SIM, Gate, Recorder, sh

SCENARIO = """\
scenario: stop-on-wires
title: the T-box stops the drive, on wires of the kernel
kind: attack
start: driving
lasts: 9
acts:
  - {at: 4, by: tbox, does: drive.stop, expect: blocked, alert: command.drive, severity: critical, why: "not allowed"}
"""
HEARTBEAT = "500"


@pytest.mark.usefixtures("gate")
def test_allowed_frames_cross_and_others_do_not(recorders: dict[str, Recorder]) -> None:
    sh("cansend vcan0 18FEF127#C300000000000000")  # the vehicle's speed, to the T-box
    sh("cansend vcan1 18EAFF4A#CAFE00")  # asks for faults: allowed
    sh("cansend vcan1 18EAFF4A#D3FE00")  # asks to clear them: not
    sh("cansend vcan1 123#00")
    sh("cansend vcan1 18EAFF4A#R")
    crossed = recorders["vcan0"].frames()
    assert crossed == ["18FEF127#C300000000000000", "18EAFF4A#CAFE00"]
    assert "18FEF127#C300000000000000" in recorders["vcan1"].frames()


def test_a_killed_gate_lets_nothing_of_the_t_box_cross(gate: Gate, recorders: dict[str, Recorder]) -> None:
    sh("cansend vcan1 18EAFF4A#CAFE00")
    assert recorders["vcan0"].frames() == ["18EAFF4A#CAFE00"]
    gate.process.kill()
    gate.process.wait(10)
    sh("cansend vcan1 18EAFF4A#CAFE00")
    assert recorders["vcan0"].frames() == ["18EAFF4A#CAFE00"]


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "stop-on-wires.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def played(scenario: Path) -> str:
    words = ["run", str(scenario), "--wire", "vcan", "--gate-outside"]
    done = subprocess.run([*SIM, *words], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def stops(frames: list[str]) -> list[str]:
    """The T-box's drive commands that ask for a stop."""
    encoder = Encoder("demo-ebus", ("ebus-j1939.dbc", "ebus-body11.dbc"))
    found = []
    for frame in frames:
        identifier, _, data = frame.partition("#")
        if "#" in data or data.startswith("R"):
            continue
        can_id = int(identifier, 16) | (EXTENDED if len(identifier) == 8 else 0)
        read = encoder.decode(Sent(can_id, bytes.fromhex(data)), {"TboxDriveCommand"})
        if read is not None and read[1]["RequestType"] == "Stop":
            found.append(frame)
    return found


@pytest.mark.usefixtures("gate")
def test_the_simulated_bus_on_the_kernels_wires_with_the_gate_between(
    recorders: dict[str, Recorder], scenario: Path
) -> None:
    said = played(scenario)
    vehicle, tbox = recorders["vcan0"].frames(), recorders["vcan1"].frames()
    assert len(stops(tbox)) == 1
    assert stops(vehicle) == []
    assert sum(frame.startswith(HEARTBEAT + "#") for frame in vehicle) > 50
    own = [frame for frame in vehicle if frame.startswith("18FEF127#")]
    assert len(own) > 50
    assert [frame for frame in tbox if frame.startswith("18FEF127#")] == own
    assert "5 s" in said


def test_the_same_without_a_gate_stops_the_drive(recorders: dict[str, Recorder], scenario: Path) -> None:
    sh("cangw -A -s vcan1 -d vcan0 -e && cangw -A -s vcan0 -d vcan1 -e")
    began = time.monotonic()
    played(scenario)
    assert time.monotonic() - began > 9, "a world on real wires keeps to the wall's clock"
    assert len(stops(recorders["vcan0"].frames())) == 1
