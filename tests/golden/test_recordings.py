"""The committed recordings are what their scenarios still give, and the gate finds in them what their labels say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from busgate_sim.scenario import find
from busgate_trial.tape import record, shortened

FOLDER = Path(__file__).parents[2] / "firmware-sim" / "scenarios" / "recordings"
NAMES = sorted(path.name.removesuffix(".labels.yaml") for path in FOLDER.glob("*.labels.yaml"))
SECONDS = 16.0
BUSGATE = [sys.executable, "-c", "from busgate.cli import main; main()"]


def test_there_are_some() -> None:
    assert len(NAMES) >= 4


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_written_anew_byte_for_byte(name: str, tmp_path: Path) -> None:
    written = record(shortened(find(name), SECONDS), tmp_path)
    for path in written:
        assert path.read_bytes() == (FOLDER / path.name).read_bytes(), f"{path.name}: run make fixtures"


@pytest.mark.parametrize("name", NAMES)
def test_busgate_replay_finds_in_it_what_its_label_says(name: str) -> None:
    labels = yaml.safe_load((FOLDER / f"{name}.labels.yaml").read_text(encoding="utf-8"))
    policy = Path(__file__).parents[2] / labels["policy"]
    words = ["replay", FOLDER / f"{name}.log", "--profile", labels["profile"], "--policy", policy, "--unsigned"]
    words += ["--vehicle", "can0", "--tbox", "can1", "--mode", "enforce", "--report", "json"]
    done = subprocess.run([*BUSGATE, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    found = {(alert["rule"], alert["severity"]) for alert in json.loads(done.stdout)["alerts"]}
    assert {(act["alert"], act["severity"]) for act in labels["acts"] if act.get("alert")} <= found
