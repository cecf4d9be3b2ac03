"""The two buses side by side: what the picture says."""

from __future__ import annotations

import io

from rich.console import Console

from busgate.model import Mode
from busgate_sim.scenario import find
from busgate_trial import gate
from busgate_trial.show import Show, show


def test_the_picture_shows_what_the_gate_makes_of_a_stop() -> None:
    scenario = find("contactors-driving").model_copy(update={"lasts": 14.0})
    played = Show(scenario, gate.Gate(gate.vehicle(), scenario.policy, (), mode=Mode.ENFORCE), seed=0)
    while not played.over:
        played.step(0.5)
    console = Console(width=120, height=40, file=io.StringIO(), record=True)
    console.print(played.picture())
    text = console.export_text()
    assert "without the gate" in text
    assert "with the gate" in text
    contactors = next(line for line in text.splitlines() if "contactors" in line)
    assert contactors.index("Open") < contactors.index("Closed")
    assert "TboxBmsCommand → BMS" in text
    assert "cloud -> T-box: battery contactors=Open" in text
    assert "online" in text


def test_without_a_terminal_only_the_end_is_printed() -> None:
    scenario = find("contactors-driving").model_copy(update={"lasts": 1.0})
    console = Console(width=120, height=40, file=io.StringIO(), record=True)
    gated = gate.Gate(gate.vehicle(), scenario.policy, (), mode=Mode.ENFORCE)
    show(scenario, gated, console, speed=1000.0, seed=0)
    assert console.export_text().count("without the gate") == 1
