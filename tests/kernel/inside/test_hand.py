"""The local hand, modes and the kernel's rules on bad days: a full disk, no right, a killed gate, a refused start."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kernel import BUSGATE, Gate, Recorder, busgate, passes, say, sh
from support.kernel import FAR_TBOX as TBOX_FAR
from support.kernel import FAR_VEHICLE as VEHICLE_FAR
from support.kernel import NEAR_TBOX as TBOX
from support.kernel import NEAR_VEHICLE as VEHICLE
from support.verified import records

POLICY = """\
policy: hand
version: 1
profile: {profile}
mode: enforce
allow:
  - {{id: position, why: place and time, pgn: [0xFEE6, 0xFEF3]}}
  - {{id: faults, why: asks, pgn: 0xEA00, da: any, requested: [0xFECA], rate: {{count: 50, per: 1 s}}}}
"""
POSITION, ASKS, CLEARS = "18FEF34A#0102030405060708", "18EAFF4A#CAFE00", "18EAFF4A#D3FE00"
SPEED, STANDS = "18FEF127#C300400000000000", "18FEF127#C300000000000000"
NO_RIGHT = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", "--"]


@pytest.fixture
def policy(keys: Path, tmp_path: Path) -> Path:
    return signed(keys, tmp_path, "demo-ebus")


def signed(keys: Path, folder: Path, profile: str) -> Path:
    path = folder / f"hand-{profile}.yaml"
    path.write_text(POLICY.format(profile=profile), encoding="utf-8")
    assert busgate("policy", "sign", path, "--key", keys / "operator.key").returncode == 0
    return Path(f"{path}.signed")


def started(keys: Path, folder: Path, policy: Path, *more: str) -> Gate:
    gate = Gate(keys, folder / "log", *more, wires=(TBOX, VEHICLE), policy=policy)
    time.sleep(1)
    return gate


def settings(folder: Path, keys: Path, policy: Path, switch: Path) -> Path:
    path = folder / "busgate.yaml"
    path.write_text(
        f"tbox: socketcan:{TBOX}\nvehicle: socketcan:{VEHICLE}\nprofile: demo-ebus\npolicy: {policy}\n"
        f"operator: {keys}/operator.key.vkey\nkey: {keys}/device.key\nlog: {folder}/log\nswitch: {switch}\n",
        encoding="ascii",
    )
    return path


@pytest.fixture
def small() -> Iterator[Path]:
    """A disk of its own that takes a few files."""
    folder = Path("/run/small")
    sh(f"mkdir -p {folder}; mount -t tmpfs -o size=64k tmpfs {folder}")
    yield folder
    sh(f"umount {folder}")


def fill(folder: Path) -> None:
    sh(f"dd if=/dev/zero of={folder}/full bs=4k 2>/dev/null; true")


@pytest.mark.parametrize("why", ["profile", "grant", "no profile", "key"])
def test_whatever_is_refused_at_the_start_no_older_rule_stays(
    why: str, keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    started(keys, tmp_path, policy).close()
    time.sleep(1)
    words = ["run", "--tbox", f"socketcan:{TBOX}", "--vehicle", f"socketcan:{VEHICLE}", "--operator",
             keys / "operator.key.vkey", "--log", tmp_path / "log",
             "--policy", signed(keys, tmp_path, "generic-j1939") if why == "profile" else policy,
             "--profile", "nobody" if why == "no profile" else "demo-ebus",
             "--key", tmp_path / "nokey" if why == "key" else keys / "device.key",
             *(["--grant", policy] if why == "grant" else [])]  # fmt: skip
    done = busgate(*words)
    assert done.returncode == 2, done.stderr
    say(TBOX_FAR, POSITION)
    say(VEHICLE_FAR, SPEED)
    assert far[VEHICLE_FAR].frames() == [SPEED], done.stderr
    assert far[TBOX_FAR].frames().count(SPEED) == 1, "telemetry flows on"


def test_a_gate_that_only_listens_sends_nothing_under_the_hand_either(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path, policy, "--mode", "observe")
    for position in ("on", "off"):
        assert busgate("override", position, "--log", tmp_path / "log", "--reason", "a test").returncode == 0
        time.sleep(0.3)
        say(VEHICLE_FAR, SPEED)
        say(TBOX_FAR, POSITION)
        assert sh("cangw -L; true") == ""
    assert SPEED not in far[TBOX_FAR].frames()
    assert POSITION not in far[VEHICLE_FAR].frames()
    gate.close()


def test_on_a_full_disk_the_gate_starts_and_the_hand_cuts(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder], small: Path
) -> None:
    fill(small)
    config = settings(tmp_path, keys, policy, small)
    gate = started(keys, tmp_path, policy, "--config", str(config))
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    passes(POSITION, TBOX_FAR, far[VEHICLE_FAR])
    done = busgate("override", "on", "--log", small, "--reason", "a test")
    assert (done.returncode, "who turned it and why is not kept" in done.stderr) == (0, True), done.stderr
    time.sleep(0.3)
    before = far[VEHICLE_FAR].frames()
    say(TBOX_FAR, ASKS, POSITION)
    assert far[VEHICLE_FAR].frames() == before
    assert "wires.json cannot be written: No space left" in gate.stop()
    sh(f"rm {small}/full")
    again = started(keys, tmp_path, policy, "--config", str(config))
    say(TBOX_FAR, ASKS, POSITION)
    assert far[VEHICLE_FAR].frames() == before, "it holds over the restart"
    again.close()


def test_without_a_folder_for_the_switch_the_gate_works(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    config = settings(tmp_path, keys, policy, tmp_path / "nowhere")
    gate = started(keys, tmp_path, policy, "--config", str(config))
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    assert "Next: make its folder" in gate.stop()


def test_who_may_not_touch_the_kernel_is_told_whether_it_was_cut(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path, policy)
    words = [*NO_RIGHT, *BUSGATE, "override", "on", "--log", str(tmp_path / "log"), "--reason", "a test"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    say(TBOX_FAR, POSITION)
    assert far[VEHICLE_FAR].frames() == [], "the gate cut it off"
    assert busgate("override", "off", "--log", tmp_path / "log", "--reason", "a test").returncode == 0
    passes(POSITION, TBOX_FAR, far[VEHICLE_FAR])
    gate.close()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "STILL LETS SOME" in done.stderr) == (2, True), done.stderr
    assert busgate(*words[len(NO_RIGHT) + len(BUSGATE) :]).returncode == 0
    before = far[VEHICLE_FAR].frames()
    say(TBOX_FAR, POSITION)
    assert far[VEHICLE_FAR].frames() == before


def test_turns_without_a_gate_are_in_the_log_of_the_next_one(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    assert far
    started(keys, tmp_path, policy).close()
    for position, reason in (("on", "one"), ("on", "two"), ("off", "three")):
        assert busgate("override", position, "--log", tmp_path / "log", "--reason", reason).returncode == 0
    started(keys, tmp_path, policy).stop()
    rows = [row for row in records(tmp_path / "log", keys / "device.key.vkey") if row["type"].startswith("override")]
    assert [(row["type"], row["reason"].split()[0]) for row in rows] == [
        ("override.on", "one"), ("override.on", "two"), ("override.off", "three"),
    ]  # fmt: skip
    assert all(f"(uid {os.getuid()}" in row["by"] for row in rows)


def test_rules_that_somebody_takes_away_are_set_again(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path, policy)
    sh("cangw -F")
    time.sleep(3)
    say(VEHICLE_FAR, SPEED)
    say(TBOX_FAR, POSITION)
    assert far[TBOX_FAR].frames().count(SPEED) == 1
    assert far[VEHICLE_FAR].frames().count(POSITION) == 1
    sh(f"cangw -A -s {TBOX} -d {VEHICLE} -e")  # a hole, and an echo
    time.sleep(3)
    say(TBOX_FAR, CLEARS)
    assert CLEARS not in far[VEHICLE_FAR].frames()
    said = gate.stop()
    assert said.count("somebody has changed the kernel's rules; they are set again") == 2, said
    rows = records(tmp_path / "log", keys / "device.key.vkey")
    assert sum("somebody has changed" in row.get("reason", "") for row in rows) == 2


def test_killing_the_gate_is_no_way_to_another_mode(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    gate = started(keys, tmp_path, policy)
    say(VEHICLE_FAR, SPEED)
    gate.close()
    time.sleep(1)
    gate = started(keys, tmp_path, policy, "--mode", "monitor")
    say(VEHICLE_FAR, SPEED)
    say(TBOX_FAR, CLEARS)
    assert CLEARS not in far[VEHICLE_FAR].frames()
    say(VEHICLE_FAR, STANDS)
    passes(CLEARS, TBOX_FAR, far[VEHICLE_FAR])
    gate.close()
    time.sleep(1)
    gate = started(keys, tmp_path, policy, "--mode", "monitor")
    passes(CLEARS, TBOX_FAR, far[VEHICLE_FAR])
    gate.close()


def test_rules_by_the_settings_with_the_agents_own_counts(
    keys: Path, tmp_path: Path, policy: Path, far: dict[str, Recorder]
) -> None:
    config = settings(tmp_path, keys, policy, tmp_path / "log")
    gate = started(keys, tmp_path, policy)
    say(TBOX_FAR, POSITION, CLEARS)
    passes(ASKS, TBOX_FAR, far[VEHICLE_FAR])
    words = [*NO_RIGHT, *BUSGATE, "rules", "--config", str(config), "--json"]
    told = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert told["mode"] == "enforce"
    rules = {rule["rule"]: rule for rule in told["rules"] if rule["forwarded"]}
    assert (rules["position"]["where"], rules["position"]["forwarded"]) == ("kernel", 1)
    assert rules["faults"]["where"] == "agent"
    assert rules["faults"]["forwarded"] >= 1
    gate.close()
    shown = busgate("rules", "--config", config)
    assert "no gate runs there now" in shown.stdout
