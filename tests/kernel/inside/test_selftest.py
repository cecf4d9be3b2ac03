"""`busgate selftest can` on the kernel's wires: sides, and denied commands through the installed policy."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from support.kernel import BUSGATE, FAR_TBOX, FAR_VEHICLE, NEAR_TBOX, NEAR_VEHICLE, Gate, Recorder, sh

DAY = "firmware-sim/scenarios/demo-day.log"


def selftest(*words: object) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [*BUSGATE, "selftest", "can", *map(str, words), "--json"],
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return done.returncode, {check["name"]: check for check in json.loads(done.stdout)}


@pytest.mark.usefixtures("wires")
def test_the_t_boxs_side_is_found_and_swapped_plugs_are_told() -> None:
    with subprocess.Popen(
        [*BUSGATE, "play", DAY, "--to", "vcan1=can1,vcan0=can0", "--loop", "9"], stdout=subprocess.DEVNULL
    ) as bus:
        for tbox, vehicle, code, state in (("vcan1", "vcan0", 0, "ok"), ("vcan0", "vcan1", 1, "failed")):
            got, checks = selftest("--tbox", tbox, "--vehicle", vehicle, "--profile", "demo-ebus", "--seconds", 4)
            assert checks["sides"]["state"] == state, checks
            assert "vcan1 is the T-box's side" in checks["sides"]["seen"]
            assert checks["vcan0 alive"]["state"] == "ok"
            assert checks["vcan0 load"]["state"] == "skipped"
            assert got == code
        bus.kill()


@pytest.mark.usefixtures("wires")
def test_denied_commands_on_wires_of_their_own(keys: Path, tmp_path: Path) -> None:
    config = tmp_path / "busgate.yaml"
    config.write_text(
        f"tbox: socketcan:vcan1\nvehicle: socketcan:vcan0\nprofile: demo-ebus\npolicy: {keys}/policy.yaml.signed\n"
        f"operator: {keys}/operator.key.vkey\n",
        encoding="utf-8",
    )
    code, checks = selftest("--config", config, "--denied", "--seconds", 0.1)
    for name in ("telemetry", "denied commands", "denied, agent killed", "telemetry, agent killed"):
        assert checks[name]["state"] == "ok", checks
    assert "commands that the policy denies were sent, none crossed" in checks["denied commands"]["seen"]
    assert code == 1  # nobody speaks on these wires, and that is told
    assert "bgt" not in sh("ip -br link; true")
    assert "bgt" not in sh("cangw -L; true")


def test_the_side_is_found_without_a_profile_with_a_gate_in_line(
    keys: Path, tmp_path: Path, far: dict[str, Recorder]
) -> None:
    gate = Gate(keys, tmp_path / "log", wires=(NEAR_TBOX, NEAR_VEHICLE))
    time.sleep(1)
    with subprocess.Popen(
        [*BUSGATE, "play", DAY, "--to", f"{FAR_TBOX}=can1,{FAR_VEHICLE}=can0", "--loop", "9"], stdout=subprocess.DEVNULL
    ) as bus:
        far[FAR_TBOX].begins()
        got, checks = selftest("--tbox", NEAR_TBOX, "--vehicle", NEAR_VEHICLE, "--seconds", 4)
        bus.kill()
    assert f"{NEAR_TBOX} is the T-box's side" in checks["sides"]["seen"], checks
    assert (got, checks["sides"]["state"]) == (0, "ok")
    refused = subprocess.run(
        [*BUSGATE, "selftest", "can", "--tbox", NEAR_TBOX, "--vehicle", NEAR_VEHICLE, "--bitrate"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (refused.returncode, "in the hands of another busgate" in refused.stderr) == (2, True), refused.stderr
    gate.close()
