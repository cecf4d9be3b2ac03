"""Whatever the T-box's side sends on the kernel's wires: what reaches the vehicle's side, as candump heard it there."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from busgate.bridge.player import open_player
from busgate.model import ERROR, EXTENDED, Frame, Side
from support.attacker import attack
from support.believing import BELIEFS, BODY, MIXED, POLICY, REQUEST, allowed, believed
from support.gate import frame
from support.kernel import BUSGATE, Gate, Recorder, is_part, sh
from support.verified import records

TBOX, TBOX_FAR, VEHICLE, VEHICLE_FAR = "tb0", "tb1", "ve0", "ve1"
ANY_PRIORITY = ~(7 << 26)
FRAMES, A_SECOND = 3000, 250
KERNEL_TOO = POLICY + "  - {id: position, pgn: 0xFEF3}\n"


@pytest.fixture
def far(tmp_path: Path) -> Iterator[dict[str, Recorder]]:
    for near, other in ((TBOX, TBOX_FAR), (VEHICLE, VEHICLE_FAR)):
        sh(f"ip link add {near} type vxcan peer name {other}")
        for name in (near, other):
            sh(f"ip link set {name} mtu 72 txqueuelen 4096 up")
    both = {name: Recorder(name, tmp_path) for name in (TBOX_FAR, VEHICLE_FAR)}
    yield both
    for recorder in both.values():
        recorder.stop()
    sh(f"cangw -F; ip link del {TBOX}; ip link del {VEHICLE}")


Start = Callable[..., Gate]


@pytest.fixture
def start(far: dict[str, Recorder], keys: Path, policy: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts the gate between the two pairs; it is gone when the test is, however that ended."""
    assert far
    running: list[Gate] = []

    def started(*more: str) -> Gate:
        running.append(Gate(keys, tmp_path / "log", *more, wires=(TBOX, VEHICLE), policy=policy))
        time.sleep(1)
        return running[-1]

    yield started
    for gate in running:
        gate.close()


@pytest.fixture
def policy(keys: Path, tmp_path: Path) -> Path:
    path = tmp_path / "attacked.yaml"
    path.write_text(KERNEL_TOO, encoding="utf-8")
    words = ["policy", "sign", str(path), "--key", str(keys / "operator.key")]
    assert subprocess.run([*BUSGATE, *words], capture_output=True, check=False).returncode == 0
    return Path(f"{path}.signed")


@pytest.mark.parametrize("more", [(), ("--no-kernel",)], ids=["both layers", "the agent alone"])
def test_no_ecu_ends_up_with_a_command_that_the_policy_does_not_allow(
    far: dict[str, Recorder], start: Start, more: tuple[str, ...]
) -> None:
    start(*more)
    tbox, ecus = open_player(TBOX_FAR), open_player(VEHICLE_FAR)
    flow_control = Frame(0, Side.TAP, EXTENDED | 0x18DA4AF3, bytes.fromhex("3000000000000000"))
    began = time.monotonic()
    for number, sent in enumerate(attack(seed=20_26, frames=FRAMES)):
        assert tbox.send(sent)
        if number % 5 == 0:
            assert ecus.send(flow_control)
        if number % 50 == 0:
            tbox.listen()
            ecus.listen()
            time.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
    heard = far[VEHICLE_FAR].frames()
    crossed = [frame(text, Side.TBOX) for text in heard if not text.startswith("18DA4AF3")]
    assert len(crossed) > 100, "the gate let what is allowed across, so that there was something to look at"
    sent_texts = Counter(text for text in far[TBOX_FAR].frames() if not text.startswith("18DA4AF3"))
    assert not Counter(text for text in heard if not text.startswith("18DA4AF3")) - sent_texts, "nothing is new"
    for got in crossed:
        assert got.can_id & ANY_PRIORITY in {REQUEST & ANY_PRIORITY, MIXED & ANY_PRIORITY, BODY}, got
    for belief in BELIEFS:
        for can_id, request in believed(crossed, belief):
            assert allowed(can_id, request), (belief, hex(can_id), request.hex())
    tbox.close()
    ecus.close()


@pytest.mark.parametrize("more", [(), ("--no-kernel",)], ids=["both layers", "the agent alone"])
def test_law_1_on_saturated_wires_both_ways_with_fd_and_remote_frames(
    far: dict[str, Recorder], start: Start, more: tuple[str, ...]
) -> None:
    start(*more)
    generators = [
        f"cangen {TBOX_FAR} -e -I 18FEF34A -L 8 -D i -g 0.2 -n 2000 -p 10",
        f"cangen {TBOX_FAR} -e -I 18DAF34A -L 8 -D i -g 1 -n 300 -p 10",
        f"cangen {TBOX_FAR} -f -I 3F3 -L 64 -D i -g 1 -n 300 -p 10",
        f"cangen {VEHICLE_FAR} -e -I 18FEF127 -L 8 -D i -g 0.2 -n 2000 -p 10",
        f"cangen {VEHICLE_FAR} -I 2A0 -L 8 -D i -g 0.2 -n 2000 -p 10",
        f"cangen {VEHICLE_FAR} -f -I 3C0 -L 64 -D i -g 1 -n 300 -p 10",
        f"cangen {VEHICLE_FAR} -R -I 123 -L 4 -g 1 -n 300 -p 10",
    ]
    running = [subprocess.Popen(words.split()) for words in generators]
    for process in running:
        assert process.wait(120) == 0
    time.sleep(1)
    at_tbox, at_vehicle = far[TBOX_FAR].frames(), far[VEHICLE_FAR].frames()
    crossed: dict[str, int] = {}
    for identifier, source, sink in (
        ("18FEF34A#", at_tbox, at_vehicle),
        ("18DAF34A#", at_tbox, at_vehicle),
        ("3F3#", at_tbox, at_vehicle),
        ("18FEF127#", at_vehicle, at_tbox),
        ("2A0#", at_vehicle, at_tbox),
        ("3C0#", at_vehicle, at_tbox),
        ("123#", at_vehicle, at_tbox),
    ):
        went_in = [text for text in source if text.startswith(identifier)]
        came_out = [text for text in sink if text.startswith(identifier)]
        assert went_in, identifier
        assert is_part(came_out, went_in), (identifier, len(went_in), len(came_out), went_in[:3], went_in[-3:])
        crossed[identifier] = len(came_out)
    assert crossed["3F3#"] == 0, "nothing allows it"
    assert min(crossed[identifier] for identifier in ("18FEF127#", "2A0#", "3C0#", "123#")) > 100, crossed
    if not more:  # the kernel's part loses nothing, however full it is
        assert (crossed["18FEF34A#"], crossed["18FEF127#"], crossed["2A0#"]) == (2000, 2000, 2000)


def test_error_frames_stay_on_their_own_side_and_are_counted(
    far: dict[str, Recorder], start: Start, keys: Path, tmp_path: Path
) -> None:
    gate = start("--no-kernel")
    tbox = open_player(TBOX_FAR)
    for _ in range(5):
        assert tbox.send(Frame(0, Side.TAP, ERROR | 0x004, bytes(8)))
    tbox.close()
    time.sleep(0.5)
    assert far[VEHICLE_FAR].frames() == []
    gate.stop()
    drops = [each for each in records(tmp_path / "log", keys / "device.key.vkey") if each["type"] == "drop"]
    assert drops
    assert max(each["counts"].get("tbox_error_frames", 0) for each in drops) == 5
