"""Every scenario of the library goes as its labels say, with the gate in line; some also without, for their effect."""

from __future__ import annotations

import pytest

from busgate.service import load
from busgate_sim.body import BusBody
from busgate_sim.scenario import find, library
from busgate_trial import gate
from busgate_trial.score import score, score_with_effect

AFTER_SECONDS = 15.0
"""How long each scenario is followed after its last act began."""


@pytest.fixture(scope="module")
def vehicle() -> load.Vehicle:
    return gate.vehicle()


@pytest.mark.parametrize("name", library())
def test_a_scenario_goes_as_its_labels_say(name: str, vehicle: load.Vehicle) -> None:
    scenario = find(name)
    end = max((act.at for act in scenario.acts), default=20.0) + AFTER_SECONDS
    shorter = scenario.model_copy(update={"lasts": min(scenario.lasts, end)})
    result = score(shorter, vehicle, BusBody(scenario.start))
    assert result.as_expected, result


@pytest.mark.parametrize("name", ["remote-stop-driving", "contactors-driving", "doors-after-a-lie", "charge-starved"])
def test_an_attack_has_its_effect_without_the_gate_and_none_with_it(name: str, vehicle: load.Vehicle) -> None:
    assert score_with_effect(find(name), vehicle).effect == (True, False)
