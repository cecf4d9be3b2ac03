"""Scenarios played through the real gate, scored by their labels; a scorer that cannot be wrong is no scorer."""

from __future__ import annotations

import pytest

from busgate.model import Mode, UpdateSession
from busgate.service import load
from busgate_sim.ecu.sensed import Demands, Sensed
from busgate_sim.scenario import Scenario, find
from busgate_sim.stage import Stage
from busgate_trial import gate
from busgate_trial.score import rates, score
from support.sensed import DRIVING, STANDING


class Steady:
    """A body whose state never changes but in time and place."""

    def __init__(self, sensed: Sensed) -> None:
        self._sensed = sensed

    def step(self, seconds: float, demands: Demands) -> None:
        del demands
        now = self._sensed
        self._sensed = now._replace(seconds=now.seconds + seconds, metres=now.metres + seconds * now.speed / 3.6)

    def sensed(self) -> Sensed:
        return self._sensed


class Nothing:
    """A crossing that is closed both ways."""

    def crosses(self, frame: object) -> bool:
        del frame
        return False


@pytest.fixture(scope="module")
def vehicle() -> load.Vehicle:
    return gate.vehicle()


def body(scenario: Scenario) -> Steady:
    return Steady(DRIVING if scenario.start == "driving" else STANDING)


@pytest.mark.parametrize("name", ["remote-stop-driving", "torque-test-grant-over", "flood", "service-standing"])
def test_a_scenario_goes_as_its_labels_say(name: str, vehicle: load.Vehicle) -> None:
    scenario = find(name)
    result = score(scenario, vehicle, body(scenario))
    assert result.as_expected, result
    assert len(result.acts) == len(scenario.acts)


@pytest.mark.parametrize(
    "wrong",
    [
        {"expect": "passed"},
        {"expect": "partly"},
        {"alert": "command.bms", "severity": "critical"},
        {"alert": "command.drive", "severity": "high"},
    ],
)
def test_a_wrong_label_is_told(wrong: dict[str, str], vehicle: load.Vehicle) -> None:
    scenario = find("remote-stop-driving")
    act = scenario.acts[0].model_copy(update=wrong)
    result = score(scenario.model_copy(update={"acts": (act,), "lasts": 12.0}), vehicle, body(scenario))
    assert not result.as_expected


def test_an_alert_with_what_is_not_worth_telling_is_false(vehicle: load.Vehicle) -> None:
    scenario = find("torque-test-granted")
    act = scenario.acts[0].model_copy(update={"alert": "", "severity": ""})
    result = score(scenario.model_copy(update={"acts": (act,), "lasts": 12.0}), vehicle, body(scenario))
    assert result.false == ("command.drive",)
    assert rates([result])["command.drive"].precision == 0.0


def test_rates_count_what_was_expected_found_and_false(vehicle: load.Vehicle) -> None:
    results = []
    for name in ("remote-stop-driving", "contactors-driving"):
        scenario = find(name).model_copy(update={"lasts": 12.0})
        results.append(score(scenario, vehicle, body(scenario)))
    found = rates(results)
    assert (found["command.drive"].recall, found["command.bms"].precision) == (1.0, 1.0)
    missed = rates([results[0]._replace(acts=tuple(act._replace(found=False) for act in results[0].acts))])
    assert (missed["command.drive"].recall, missed["command.drive"].precision) == (0.0, None)


def test_the_same_seed_gives_the_same_frames_and_another_seed_others() -> None:
    def frames(seed: int) -> list[object]:
        scenario = find("remote-stop-driving")
        stage = Stage(scenario, body(scenario), Nothing(), seed=seed)
        stage.tape = []
        stage.run(3.0)
        return list(stage.tape)

    assert frames(1) == frames(1)
    assert frames(1) != frames(2)


def test_the_tape_holds_every_frame_once_with_its_cause() -> None:
    scenario = find("remote-stop-driving")
    stage = Stage(scenario, body(scenario), Nothing(), seed=1)
    stage.tape = []
    stage.run(12.0)
    assert len(stage.tape) == stage.vehicle.frames + stage.tbox.frames
    assert [went.sent.can_id for went in stage.tape if went.cause == "act 0"] == [0x510]
    assert sorted(stage.tape, key=lambda went: went.at) == stage.tape


@pytest.mark.parametrize("grants", [1, 0])
def test_the_record_of_an_update_names_the_grant_by_which_its_unit_was_written(
    vehicle: load.Vehicle, grants: int
) -> None:
    scenario = find("update-approved")
    mode = Mode.ENFORCE if grants else Mode.MONITOR  # what no grant allows is written nevertheless, and said to be so
    played = gate.Gate(vehicle, scenario.policy, scenario.grants[:grants], mode=mode)
    Stage(scenario, body(scenario), played, seed=0).run()
    ended = [told.event for told in played.told if isinstance(told.event, UpdateSession) and told.event.stage == "end"]
    (update,) = ended or played.gateway.finish(60 * 1_000_000_000)
    assert isinstance(update, UpdateSession)
    assert (update.target.name, update.written > 0) == ("HVAC", True)
    assert update.approval.startswith("grant trial-0 to J. Jansen" if grants else "none"), update.approval
