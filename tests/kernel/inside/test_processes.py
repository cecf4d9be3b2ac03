"""The gate's two processes, and interfaces that go and come: what crosses, what is told, what is not lost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from support.kernel import BUSGATE, Gate, Recorder, linked, passes, say, sh
from support.kernel import FAR_TBOX as TBOX_FAR
from support.kernel import FAR_VEHICLE as VEHICLE_FAR
from support.kernel import NEAR_TBOX as TBOX
from support.kernel import NEAR_VEHICLE as VEHICLE
from support.verified import records

POLICY = """\
policy: processes
version: {version}
profile: demo-ebus
mode: {mode}
allow:
  - {{id: position, why: place and time, pgn: [0xFEE6, 0xFEF3]}}
  - {{id: faults, why: asks, pgn: 0xEA00, da: any, requested: [0xFECA], rate: {{count: 50, per: 1 s}}}}
"""
POSITION, ASKS, CLEARS = "18FEF34A#0102030405060708", "18EAFF4A#CAFE00", "18EAFF4A#D3FE00"
MOVES, STANDS = "18FEF127#C300400000000000", "18FEF127#C300000000000000"


def signed(keys: Path, folder: Path, version: int = 1, mode: str = "enforce") -> Path:
    path = folder / "processes.yaml"
    path.write_text(POLICY.format(version=version, mode=mode), encoding="utf-8")
    words = ["policy", "sign", str(path), "--key", str(keys / "operator.key")]
    done = subprocess.run([*BUSGATE, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(f"{path}.signed")


def started(keys: Path, tmp_path: Path, *more: str) -> Gate:
    gate = Gate(keys, tmp_path / "log", *more, wires=(TBOX, VEHICLE), policy=signed(keys, tmp_path))
    time.sleep(1)
    return gate


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_with_its_keeper_killed_the_gate_goes_on_starts_another_and_nothing_is_lost(
    keys: Path, tmp_path: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path)
    (keeper,) = children(gate.process.pid)
    os.kill(keeper, signal.SIGKILL)
    say(TBOX_FAR, CLEARS)
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    deadline = time.monotonic() + 30
    while (now := children(gate.process.pid)) in ([], [keeper]) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(now) == 1
    time.sleep(3)
    gate.stop()
    rows = records(tmp_path / "log", keys / "device.key.vkey")
    assert [row["type"] for row in rows].count("boot") == 2
    assert any(row["type"] == "alert" and row["action"] == "block" for row in rows)
    assert CLEARS not in far[VEHICLE_FAR].frames()


def test_the_operators_hand_cuts_with_the_keeper_dead(keys: Path, tmp_path: Path, far: dict[str, Recorder]) -> None:
    gate = started(keys, tmp_path)
    passes(POSITION, TBOX_FAR, far[VEHICLE_FAR])
    (keeper,) = children(gate.process.pid)
    os.kill(keeper, signal.SIGSTOP)
    words = ["override", "on", "--log", str(tmp_path / "log"), "--reason", "a test"]
    done = subprocess.run([*BUSGATE, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    time.sleep(0.1)
    before = far[VEHICLE_FAR].frames()
    say(TBOX_FAR, POSITION, ASKS)
    assert far[VEHICLE_FAR].frames() == before
    os.kill(keeper, signal.SIGCONT)
    gate.stop()
    assert "override.on" in [row["type"] for row in records(tmp_path / "log", keys / "device.key.vkey")]


def test_a_keeper_as_a_service_of_its_own_outlives_the_gate(
    keys: Path, tmp_path: Path, far: dict[str, Recorder]
) -> None:
    door = tmp_path / "keeper.sock"
    words = ["keep", "--socket", str(door), "--log", str(tmp_path / "log"), "--key", str(keys / "device.key")]
    keeper = subprocess.Popen([*BUSGATE, *words], stderr=subprocess.PIPE, text=True)
    while not door.exists():
        time.sleep(0.1)
        assert keeper.poll() is None
    for _ in range(2):
        gate = started(keys, tmp_path, "--keeper", str(door))
        assert children(gate.process.pid) == []
        say(TBOX_FAR, CLEARS)
        passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
        gate.close()  # killed
    keeper.send_signal(signal.SIGTERM)
    _, said = keeper.communicate(timeout=30)
    assert "busgate: stopped; log of" in said
    rows = records(tmp_path / "log", keys / "device.key.vkey")
    assert [row["type"] for row in rows].count("policy.apply") == 2
    assert [row["type"] for row in rows].count("boot") == 1
    assert [row["action"] for row in rows if row["type"] == "alert"].count("block") == 2


def test_an_interface_that_goes_and_comes_back_is_in_line_again(
    keys: Path, tmp_path: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path)
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    far.pop(TBOX_FAR).stop()
    sh(f"ip link del {TBOX}")
    time.sleep(0.5)
    say(VEHICLE_FAR, STANDS)
    linked(TBOX, TBOX_FAR)
    far[TBOX_FAR] = Recorder(TBOX_FAR, tmp_path)
    time.sleep(1.5)
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    passes(POSITION, TBOX_FAR, far[VEHICLE_FAR])
    say(VEHICLE_FAR, MOVES)
    assert far[TBOX_FAR].frames().count(MOVES) == 1, "telemetry, and by one forwarder"
    say(TBOX_FAR, CLEARS)
    assert CLEARS not in far[VEHICLE_FAR].frames()
    gate.stop()
    losses = [row["counts"] for row in records(tmp_path / "log", keys / "device.key.vkey") if row["type"] == "drop"]
    assert losses[-1]["tbox_interface_gone"] == 1


def test_a_bus_that_goes_down_and_up_is_in_line_again(keys: Path, tmp_path: Path, far: dict[str, Recorder]) -> None:
    gate = started(keys, tmp_path)
    sh(f"ip link set {VEHICLE} down")
    say(TBOX_FAR, ASKS)
    sh(f"ip link set {VEHICLE} up")
    time.sleep(0.5)
    assert ASKS not in far[VEHICLE_FAR].frames(), "nothing waited"
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    gate.close()


def test_settings_read_again_change_the_mode_at_standstill_only(
    keys: Path, tmp_path: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path)
    say(VEHICLE_FAR, MOVES)
    signed(keys, tmp_path, version=2, mode="monitor")
    gate.process.send_signal(signal.SIGHUP)
    time.sleep(2)
    say(VEHICLE_FAR, MOVES)
    say(TBOX_FAR, CLEARS)
    assert CLEARS not in far[VEHICLE_FAR].frames()
    say(VEHICLE_FAR, STANDS)
    passes(CLEARS, TBOX_FAR, far[VEHICLE_FAR])
    gate.stop()
    rows = records(tmp_path / "log", keys / "device.key.vkey")
    assert [(row["mode"], row["by"]) for row in rows if row["type"] == "mode"][-1] == ("monitor", "settings")
