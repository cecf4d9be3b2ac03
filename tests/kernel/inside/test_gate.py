"""`busgate run` on two SocketCAN interfaces, with programs that others wrote on both sides."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from busgate.model import EXTENDED
from busgate_sim.encoder import Encoder, Sent
from support.kernel import ROOT, SIM, Gate, Recorder, is_part, passes, say, sh

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
SPEED = "18FEF127#C300000000000000"
ASKS, CLEARS = "18EAFF4A#CAFE00", "18EAFF4A#D3FE00"
"""The T-box asks for faults, which is allowed, and to clear them, which is not."""


@pytest.mark.usefixtures("gate")
def test_allowed_frames_cross_and_others_do_not(recorders: dict[str, Recorder]) -> None:
    passes(SPEED, "vcan0", recorders["vcan1"])
    passes(ASKS, "vcan1", recorders["vcan0"])
    say("vcan1", CLEARS, "123#00", "18EAFF4A#R")
    assert set(recorders["vcan0"].frames()) == {SPEED, ASKS}


def test_a_killed_gate_lets_nothing_of_the_t_box_cross(gate: Gate, recorders: dict[str, Recorder]) -> None:
    passes(ASKS, "vcan1", recorders["vcan0"])
    gate.process.kill()
    gate.process.wait(10)
    before = recorders["vcan0"].frames()
    say("vcan1", ASKS)
    assert recorders["vcan0"].frames() == before


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
    heard = [frame for frame in tbox if frame.startswith("18FEF127#")]
    assert len(heard) > 25
    assert is_part(heard, own)
    assert "5 s" in said


def test_the_same_without_a_gate_stops_the_drive(recorders: dict[str, Recorder], scenario: Path) -> None:
    sh("cangw -A -s vcan1 -d vcan0 -e && cangw -A -s vcan0 -d vcan1 -e")
    began = time.monotonic()
    played(scenario)
    assert time.monotonic() - began > 9, "a world on real wires keeps to the wall's clock"
    assert len(stops(recorders["vcan0"].frames())) == 1


def test_a_wire_that_does_not_exist_or_is_down_is_told_with_the_next_step(
    wires: tuple[str, str], scenario: Path
) -> None:
    def ends(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SIM, "run", str(scenario), "--speed", "20", *words], capture_output=True, text=True, check=False, cwd=ROOT
        )

    missing = ends("--wire", "socketcan:vcan7,socketcan:vcan0")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    assert "socketcan:vcan7: this wire cannot be opened" in missing.stderr
    sh(f"ip link set {wires[1]} down")
    down = ends("--wire", "vcan")
    assert down.returncode == 0, down.stderr
    assert "socketcan:vcan0: frames were lost" in down.stderr
    assert "check that it is up" in down.stderr
