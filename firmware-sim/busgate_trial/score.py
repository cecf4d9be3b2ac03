"""A scenario played through the gate and held against its labels: found, blocked, passed, false.

Law: an act is found when one of its own frames raised the alert that its label names, at the severity it names. An
alert with the ordinary day or with something allowed is false. One that comes beside an expected one (a sender never
seen, next to what it sent) is neither, and is listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from busgate.model import Alert, Mode, Severity, Side
from busgate.service import load
from busgate_sim.scenario import Act, Scenario
from busgate_sim.splice import Open
from busgate_sim.stage import Body, Stage, cause_of_act
from busgate_trial.effects import Taped, course_of, seen
from busgate_trial.gate import Gate


class ActScore(NamedTuple):
    """What became of one act. `frames` met the gate, `crossed` of them went on to the vehicle."""

    does: str
    expect: str
    frames: int
    crossed: int
    alert: str
    found: bool
    beside: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        """Whether what ought to pass did, and what ought not did not, and it was named."""
        match self.expect:
            case "blocked":
                held = self.crossed == 0
            case "passed":
                held = self.crossed == self.frames
            case _:
                held = 0 < self.crossed < self.frames
        return held and self.found and self.frames > 0


class Score(NamedTuple):
    """One scenario's result.

    `false` names rules alerted without cause; `effect` is whether the attack's effect was seen without the gate and
    with it, None where the scenario names none.
    """

    scenario: str
    kind: str
    acts: tuple[ActScore, ...]
    false: tuple[str, ...]
    telemetry_stopped: int
    effect: tuple[bool, bool] | None = None

    @property
    def as_expected(self) -> bool:
        """Whether everything is as its labels say, and the attack has its effect without the gate only."""
        quiet = not self.false and not self.telemetry_stopped
        return all(act.as_expected for act in self.acts) and quiet and self.effect in {None, (True, False)}


class Rates(NamedTuple):
    """How well one rule did over many scenarios; None where there was nothing to find or nothing was said."""

    expected: int
    found: int
    false: int

    @property
    def precision(self) -> float | None:
        """Of what was said, how much was so."""
        said = self.found + self.false
        return self.found / said if said else None

    @property
    def recall(self) -> float | None:
        """Of what was so, how much was said."""
        return self.found / self.expected if self.expected else None


def score(scenario: Scenario, vehicle: load.Vehicle, body: Body, *, seed: int = 0) -> Score:
    """Play one scenario with the gate in enforce mode."""
    gate = Gate(vehicle, scenario.policy, scenario.grants, mode=Mode.ENFORCE)
    stage = Stage(scenario, body, gate, seed=seed)
    gate.cause = lambda: stage.cause
    stage.run()
    return Score(
        scenario.scenario,
        scenario.kind,
        tuple(_of_act(gate, number, act) for number, act in enumerate(scenario.acts)),
        tuple(_false(gate, scenario)),
        stage.splice.stopped[Side.VEHICLE],
    )


def score_with_effect(scenario: Scenario, vehicle: load.Vehicle, *, seed: int = 0) -> Score:
    """Play one scenario with the gate, and where it names an effect also without it and without its acts."""
    body = Taped(scenario)
    result = score(scenario, vehicle, body, seed=seed)
    if scenario.effect is None:
        return result
    undisturbed = course_of(scenario, Open(), seed=seed, acts=False)
    without = seen(scenario.effect, course_of(scenario, Open(), seed=seed), undisturbed)
    return result._replace(effect=(without, seen(scenario.effect, tuple(body.course), undisturbed)))


def rates(scores: Iterable[Score]) -> dict[str, Rates]:
    """Precision and recall of each rule that was expected or said."""
    found: dict[str, list[int]] = {}
    for each in scores:
        for act in each.acts:
            if act.alert:
                tally = found.setdefault(act.alert, [0, 0, 0])
                tally[0] += 1
                tally[1] += act.found
        for rule in each.false:
            found.setdefault(rule, [0, 0, 0])[2] += 1
    return {rule: Rates(*tally) for rule, tally in sorted(found.items())}


def _of_act(gate: Gate, number: int, act: Act) -> ActScore:
    cause = cause_of_act(number)
    alerts = gate.alerts(cause)
    named = [alert for alert in alerts if alert.rule == act.alert and alert.severity is _severity(act)]
    beside = sorted({alert.rule for alert in alerts if alert.rule != act.alert})
    found = bool(named) or not act.alert
    return ActScore(
        act.does, act.expect, gate.met.get(cause, 0), gate.crossed.get(cause, 0), act.alert, found, tuple(beside)
    )


def _false(gate: Gate, scenario: Scenario) -> Iterable[str]:
    """Rules alerted with the ordinary day, with the vehicle, or with what is allowed and not worth telling."""
    quiet = {cause_of_act(number) for number, act in enumerate(scenario.acts) if act.expect != "passed" or act.alert}
    for told in gate.told:
        if isinstance(told.event, Alert) and told.cause not in quiet:
            yield told.event.rule


def _severity(act: Act) -> Severity | None:
    return Severity[act.severity.upper()] if act.severity else None
