"""Never two forwarders for a frame: the gate and what others have left in the kernel, a second gate, a learner."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.kernel import BUSGATE, Gate, Recorder, busgate, linked, passes, say, sh
from support.kernel import FAR_TBOX as TBOX_FAR
from support.kernel import FAR_VEHICLE as VEHICLE_FAR
from support.kernel import NEAR_TBOX as TBOX
from support.kernel import NEAR_VEHICLE as VEHICLE
from support.verified import records

POLICY = """\
policy: one
version: 1
profile: demo-ebus
mode: enforce
allow:
  - {id: position, why: place and time, pgn: [0xFEE6, 0xFEF3]}
  - {id: widely, why: to anybody, pgn: 0xAA00, da: any}
  - {id: narrowly, why: to all, pgn: 0xAA00, da: 0xFF}
  - {id: faults, why: asks, pgn: 0xEA00, da: any, requested: [0xFECA], rate: {count: 10, per: 1 s}}
"""
POSITION, ASKS, CLEARS = "18FEF34A#0102030405060708", "18EAFF4A#CAFE00", "18EAFF4A#D3FE00"
TO_ALL = "18AAFF4A#0102030405060708"
SPEED = "18FEF127#C300000000000000"
DAY = "firmware-sim/scenarios/demo-day.log"
WIRES = ("--tbox", f"socketcan:{TBOX}", "--vehicle", f"socketcan:{VEHICLE}")
NO_RIGHT = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", "--"]


@pytest.fixture
def policy(keys: Path, tmp_path: Path) -> Path:
    path = tmp_path / "one.yaml"
    path.write_text(POLICY, encoding="utf-8")
    assert busgate("policy", "sign", path, "--key", keys / "operator.key").returncode == 0
    return Path(f"{path}.signed")


def started(keys: Path, folder: Path, policy: Path, *more: str) -> Gate:
    gate = Gate(keys, folder / "log", *more, wires=(TBOX, VEHICLE), policy=policy)
    time.sleep(1)
    return gate


def left_behind(keys: Path, folder: Path, policy: Path) -> None:
    """A gate that was killed; the kernel goes on with its part."""
    gate = started(keys, folder, policy)
    gate.close()
    assert sh("cangw -L; true").count("cangw -A") == 5
    time.sleep(1)  # its keeper lets go of the log


@pytest.mark.parametrize("mode", ["monitor", "enforce", "local"])
def test_the_vehicles_frames_do_not_come_back_and_are_nobodys_commands(
    mode: str, keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path, policy, "--mode", mode)
    played = busgate("play", DAY, "--to", f"{VEHICLE_FAR}=can0", "--stop", "12")
    assert played.returncode == 0, played.stderr
    time.sleep(1)
    own, heard = far[VEHICLE_FAR].frames(), far[TBOX_FAR].frames()
    assert len(own) > 500
    assert heard == own, "telemetry, each frame once and in order"
    said = gate.stop()
    rows = records(tmp_path / "log", keys / "device.key.vkey")
    assert [row for row in rows if row["type"].startswith("alert")] == [], said


@pytest.mark.parametrize(
    "words", [("--no-kernel",), ("--mode", "local", "--no-kernel"), ("--mode", "monitor", "--no-kernel")]
)
def test_a_gate_that_forwards_by_itself_takes_away_what_another_has_left(
    words: tuple[str, ...], keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    left_behind(keys, tmp_path, policy)
    gate = started(keys, tmp_path, policy, *words)
    assert sh("cangw -L; true") == ""
    if "local" not in words:
        passes(POSITION, TBOX_FAR, far[VEHICLE_FAR])
    say(VEHICLE_FAR, SPEED)
    say(TBOX_FAR, POSITION)
    out = far[VEHICLE_FAR].frames()
    sent = far[TBOX_FAR].frames().count(POSITION)
    assert out.count(POSITION) <= (0 if "local" in words else sent)
    assert out.count(SPEED) == 1
    assert far[TBOX_FAR].frames().count(SPEED) <= 1
    gate.close()


def test_listening_only_means_that_the_kernel_is_silent_too(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    standing = tmp_path / "log" / "standing.json"
    for words in (("--mode", "observe", "--no-kernel"), ("--mode", "observe")):
        left_behind(keys, tmp_path, policy)
        standing.unlink()  # else the mode of before stays until the vehicle stands still
        gate = started(keys, tmp_path, policy, *words)
        say(TBOX_FAR, POSITION)
        say(VEHICLE_FAR, SPEED)
        assert POSITION not in far[VEHICLE_FAR].frames()
        assert SPEED not in far[TBOX_FAR].frames()
        gate.close()
        standing.unlink()
        time.sleep(1)


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_who_may_not_clear_the_kernel_does_not_start_beside_it(
    mode: str, keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    left_behind(keys, tmp_path, policy)
    words = ["run", *WIRES, "--profile", "demo-ebus", "--policy", str(policy), "--operator",
             f"{keys}/operator.key.vkey", "--key", f"{keys}/device.key", "--log", f"{tmp_path}/log", "--mode",
             mode]  # fmt: skip
    done = subprocess.run([*NO_RIGHT, *BUSGATE, *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "the kernel still forwards" in done.stderr
    assert "busgate rules --clear" in done.stderr
    say(TBOX_FAR, POSITION)
    assert far[VEHICLE_FAR].frames() == [POSITION], "by the kernel, once"


def test_rules_that_overlap_let_a_frame_cross_once(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path, policy)
    say(TBOX_FAR, TO_ALL, "18AA174A#0102030405060708")
    assert far[VEHICLE_FAR].frames() == [TO_ALL, "18AA174A#0102030405060708"]
    gate.close()


def test_an_older_agents_jobs_do_not_survive_the_next_start(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    sh(f"cangw -A -s {VEHICLE} -d {TBOX} -e; cangw -A -X -s {VEHICLE} -d {TBOX} -e; cangw -A -s {TBOX} -d {VEHICLE} -e")
    gate = started(keys, tmp_path, policy)
    assert "-e" not in sh("cangw -L; true").split()
    say(VEHICLE_FAR, SPEED)
    say(TBOX_FAR, POSITION, CLEARS)
    assert far[VEHICLE_FAR].frames() == [SPEED, POSITION]
    assert far[TBOX_FAR].frames() == [SPEED, POSITION, CLEARS]
    gate.close()


def test_a_second_gate_on_a_wire_is_refused_and_the_first_one_goes_on(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path, policy)
    linked("other0", "other1")
    for wires in ((TBOX, VEHICLE), (TBOX, "other0"), ("other0", VEHICLE)):
        with pytest.raises(AssertionError, match=rf"in the hands of another busgate \(process {gate.process.pid}\)"):
            Gate(keys, tmp_path / "other", wires=wires, policy=policy)
    with pytest.raises(AssertionError, match="in the hands of"):  # before anything is taken out of the kernel
        Gate(keys, tmp_path / "other", wires=(TBOX, VEHICLE), policy=keys / "operator.key")
    cleared = busgate("rules", "--clear", *WIRES)
    assert (cleared.returncode, "in the hands of" in cleared.stderr) == (2, True)
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    say(TBOX_FAR, POSITION)
    assert far[VEHICLE_FAR].frames().count(POSITION) == 1
    gate.close()
    sh("ip link del other0")


def learns(*wires: str, out: Path) -> subprocess.CompletedProcess[str]:
    return busgate("learn", "--hours", "0.0005", "--profile", "demo-ebus", *(wires or WIRES), "-o", out, "--force")


def test_learning_beside_a_gate_or_after_one_is_refused(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path, policy)
    out = tmp_path / "out.yaml"
    beside = learns(out=out)
    assert (beside.returncode, "in the hands of another busgate" in beside.stderr) == (2, True), beside.stderr
    say(TBOX_FAR, CLEARS, POSITION)
    assert far[VEHICLE_FAR].frames() == [POSITION], "and the kernel's part is as it was"
    gate.process.send_signal(signal.SIGKILL)
    gate.process.wait(10)
    after = learns(out=out)
    assert (after.returncode, "a gate was here" in after.stderr) == (2, True), after.stderr
    say(TBOX_FAR, CLEARS)
    assert CLEARS not in far[VEHICLE_FAR].frames()
    assert busgate("rules", "--clear", *WIRES).returncode == 0
    alone = learns(out=out)
    assert (alone.returncode, "no frame of the T-box was seen" in alone.stderr) == (1, True), alone.stderr
    assert sh("cangw -L; true") == "", "and leaves nothing behind"
