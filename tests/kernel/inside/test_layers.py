"""The gate in its two layers: who forwards what, and what goes on when the agent is stopped, killed or comes back."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import can
import pytest

from support.kernel import BUSGATE, Gate, Recorder, bus, is_part, passes, say, sh
from support.kernel import FAR_TBOX as TBOX_FAR
from support.kernel import FAR_VEHICLE as VEHICLE_FAR
from support.kernel import NEAR_TBOX as TBOX
from support.kernel import NEAR_VEHICLE as VEHICLE

POLICY = """\
policy: layers
version: {version}
profile: demo-ebus
mode: enforce
allow:
  - {{id: position, why: place and time, pgn: [0xFEE6, 0xFEF3]}}
  - {{id: heartbeat, why: counted, message: TboxHeartbeat, rate: {{count: 12, per: 1 s}}}}
  - {{id: faults, why: asks, pgn: 0xEA00, da: any, requested: [0xFECA], rate: {{count: 10, per: 1 s}}}}
"""
POSITION, ASKS, CLEARS, BEAT = "18FEF34A#0102030405060708", "18EAFF4A#CAFE00", "18EAFF4A#D3FE00", "500#0102030405060708"
SPEED = "18FEF127#C300000000000000"


def signed(keys: Path, folder: Path, version: int = 1, text: str = POLICY) -> Path:
    path = folder / f"layers-{version}.yaml"
    path.write_text(text.format(version=version), encoding="utf-8")
    done = subprocess.run(
        [*BUSGATE, "policy", "sign", str(path), "--key", str(keys / "operator.key")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Path(f"{path}.signed")


def started(keys: Path, tmp_path: Path, *more: str) -> Gate:
    policy = signed(keys, tmp_path)
    return Gate(keys, tmp_path / "log", *more, wires=(TBOX, VEHICLE), policy=policy)


def test_each_frame_has_one_forwarder_and_arrives_once(keys: Path, tmp_path: Path, far: dict[str, Recorder]) -> None:
    gate = started(keys, tmp_path)
    time.sleep(1)
    say(TBOX_FAR, POSITION, CLEARS, "18FEF34A#R", "18FEF34A##01122")
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    passes(BEAT, TBOX_FAR, far[VEHICLE_FAR])
    say(VEHICLE_FAR, SPEED, "456##0AABB", "123#R")
    out = far[VEHICLE_FAR].frames()
    assert set(out) == {POSITION, ASKS, BEAT, SPEED, "123#R", *_fd(far[VEHICLE_FAR])}
    assert out.count(POSITION) == out.count(ASKS) == 1
    tbox = far[TBOX_FAR].frames()
    assert tbox.count(SPEED) == tbox.count("123#R") == tbox.count(POSITION) == 1
    assert _fd(far[TBOX_FAR])[-1].endswith("AABB")
    gate.stop()
    gate.close()


def _fd(recorder: Recorder) -> list[str]:
    return [frame for frame in recorder.frames() if "##" in frame and not frame.startswith("18FEF34A")]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
def test_without_the_agent_the_kernels_part_goes_on_and_nothing_else(
    end: signal.Signals, keys: Path, tmp_path: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path)
    time.sleep(1)
    gate.process.send_signal(end)
    time.sleep(1.5)
    say(TBOX_FAR, POSITION, ASKS, CLEARS)
    say(VEHICLE_FAR, SPEED)
    assert far[VEHICLE_FAR].frames() == [POSITION, SPEED]
    assert far[TBOX_FAR].frames().count(SPEED) == 1
    if end is signal.SIGSTOP:
        time.sleep(0.5)
        gate.process.send_signal(signal.SIGCONT)
        time.sleep(2)
        # What waited is stale: it is not sent late, and what the kernel forwarded is not sent twice.
        assert far[VEHICLE_FAR].frames() == [POSITION, SPEED]
        passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    gate.close()


def test_after_a_crash_the_gate_comes_back_without_a_burst(
    keys: Path, tmp_path: Path, far: dict[str, Recorder]
) -> None:
    first = started(keys, tmp_path)
    time.sleep(1)
    first.process.kill()
    first.process.wait(10)
    say(TBOX_FAR, ASKS, ASKS, POSITION)
    second = Gate(keys, tmp_path / "log", wires=(TBOX, VEHICLE), policy=signed(keys, tmp_path, 1))
    time.sleep(1)
    assert far[VEHICLE_FAR].frames() == [POSITION]
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    second.close()


@pytest.mark.parametrize(("mode", "crosses"), [("local", []), ("observe", []), ("monitor", [POSITION, ASKS, CLEARS])])
def test_modes(mode: str, crosses: list[str], keys: Path, tmp_path: Path, far: dict[str, Recorder]) -> None:
    gate = started(keys, tmp_path, "--mode", mode)
    time.sleep(1)
    for frame in crosses:
        passes(frame, TBOX_FAR, far[VEHICLE_FAR])
    say(TBOX_FAR, POSITION, ASKS, CLEARS)
    say(VEHICLE_FAR, SPEED)
    heard = far[VEHICLE_FAR].frames()
    assert set(heard) == {*crosses, SPEED}
    assert heard.count(SPEED) == 1, "and the vehicle's own frame does not come back to it"
    assert far[TBOX_FAR].frames().count(SPEED) == (mode != "observe")
    gate.close()


def test_a_refused_policy_takes_the_older_ones_rules_out_of_the_kernel(
    keys: Path, tmp_path: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path)
    time.sleep(1)
    gate.stop()
    unsigned = tmp_path / "unsigned.yaml"
    unsigned.write_text(POLICY.format(version=2), encoding="utf-8")
    with pytest.raises(AssertionError, match="sign"):
        Gate(keys, tmp_path / "log", wires=(TBOX, VEHICLE), policy=unsigned)
    say(TBOX_FAR, POSITION)
    say(VEHICLE_FAR, SPEED)
    assert far[VEHICLE_FAR].frames() == [SPEED]
    assert far[TBOX_FAR].frames().count(SPEED) == 1


def test_busgate_rules_shows_the_layers_with_counters(keys: Path, tmp_path: Path, far: dict[str, Recorder]) -> None:
    gate = started(keys, tmp_path)
    time.sleep(1)
    say(TBOX_FAR, POSITION, POSITION)
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    words = ["rules", "--profile", "demo-ebus", "--policy", str(tmp_path / "layers-1.yaml.signed"), "--operator",
             str(keys / "operator.key.vkey"), "--tbox", f"socketcan:{TBOX}",
             "--vehicle", f"socketcan:{VEHICLE}"]  # fmt: skip
    done = subprocess.run([*BUSGATE, *words, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rules = json.loads(done.stdout)["rules"]
    *others, faults = [(rule["rule"], rule["where"], rule["forwarded"]) for rule in rules]
    assert others == [("position", "kernel", 0), ("position", "kernel", 2), ("heartbeat", "agent", 0)]
    assert faults[:2] == ("faults", "agent")
    assert faults[2] >= 1
    gate.close()
    cleared = subprocess.run([*BUSGATE, "rules", "--clear", *words[7:]], capture_output=True, text=True, check=False)
    assert cleared.returncode == 0, cleared.stderr
    assert sh("cangw -L; true") == ""


def test_law_1_under_load_every_frame_out_was_in_once_and_in_order(
    keys: Path, tmp_path: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path)
    time.sleep(1)
    with bus(TBOX_FAR) as tbox, bus(VEHICLE_FAR) as vehicle:
        for number in range(400):
            payload = number.to_bytes(8, "big")
            tbox.send(can.Message(arbitration_id=0x18FEF34A, data=payload))
            vehicle.send(can.Message(arbitration_id=0x18FEF127, data=payload))
            if not number % 40:
                tbox.send(can.Message(arbitration_id=0x18EAFF4A, data=b"\xca\xfe\x00"))
                time.sleep(0.2)
    out, asked = far[VEHICLE_FAR].frames(), [ASKS] * 10
    for identifier in ("18FEF34A", "18FEF127"):
        side = out if identifier == "18FEF34A" else far[TBOX_FAR].frames()
        numbers = [int(frame.split("#")[1], 16) for frame in side if frame.startswith(identifier)]
        assert numbers == list(range(400)), identifier
    assert is_part([frame for frame in out if frame == ASKS], asked)
    gate.close()


def test_the_operators_hand_cuts_within_100_ms_and_holds_with_the_agent_dead(
    keys: Path, tmp_path: Path, far: dict[str, Recorder]
) -> None:
    def turn(position: str) -> None:
        words = ["override", position, "--log", str(tmp_path / "log"), "--reason", "a test"]
        done = subprocess.run([*BUSGATE, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    gate = started(keys, tmp_path)
    time.sleep(1)
    say(TBOX_FAR, POSITION)
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    turn("on")
    time.sleep(0.1)
    before = far[VEHICLE_FAR].frames()
    say(TBOX_FAR, POSITION, ASKS)
    say(VEHICLE_FAR, SPEED)
    assert far[VEHICLE_FAR].frames() == [*before, SPEED]
    assert far[TBOX_FAR].frames().count(SPEED) == 1
    turn("off")
    time.sleep(0.3)
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    passes(POSITION, TBOX_FAR, far[VEHICLE_FAR])
    before = far[VEHICLE_FAR].frames()
    gate.process.kill()
    gate.process.wait(10)
    turn("on")
    say(TBOX_FAR, POSITION)
    assert far[VEHICLE_FAR].frames() == before, "the kernel lets nothing cross either"
    again = started(keys, tmp_path)
    time.sleep(1)
    say(TBOX_FAR, POSITION, ASKS)
    assert far[VEHICLE_FAR].frames() == before, "it outlives the restart"
    again.close()
