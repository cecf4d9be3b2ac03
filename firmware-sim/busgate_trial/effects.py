"""What an attack does to the bus where nothing stands in its way, seen by comparing two runs of one scenario.

Law: an effect is measured on the body, never on the frames: the same day without the acts is the yardstick.
"""

from __future__ import annotations

from busgate_sim.body import BusBody
from busgate_sim.ecu.sensed import Demands, Sensed
from busgate_sim.scenario import Effect, Scenario
from busgate_sim.splice import Crossing
from busgate_sim.stage import Stage

EVERY_SECONDS = 1.0

Course = tuple[Sensed, ...]
"""The bus as its sensors tell, second by second."""


class Taped(BusBody):
    """A body that keeps its course."""

    def __init__(self, scenario: Scenario) -> None:
        """As the scenario begins."""
        super().__init__(scenario.start)
        self.course: list[Sensed] = []

    def step(self, seconds: float, demands: Demands) -> None:
        """Let time pass, and note what it came to."""
        super().step(seconds, demands)
        if self.state.seconds >= len(self.course) * EVERY_SECONDS:
            self.course.append(self.sensed())


def course_of(scenario: Scenario, crossing: Crossing, *, seed: int = 0, acts: bool = True) -> Course:
    """Play a scenario, with or without its acts, and tell the bus' course."""
    body = Taped(scenario)
    plain = scenario if acts else scenario.model_copy(update={"acts": ()})
    Stage(plain, body, crossing, seed=seed).run()
    return tuple(body.course)


def seen(effect: Effect, course: Course, undisturbed: Course) -> bool:
    """Whether a course shows an effect that the undisturbed one does not."""
    return _shows(effect, course, undisturbed) and not _shows(effect, undisturbed, undisturbed)


def _shows(effect: Effect, course: Course, undisturbed: Course) -> bool:  # noqa: PLR0911 - a table, a line an effect
    last, otherwise = course[-1], undisturbed[-1]
    match effect:
        case "stops":
            return _stands_at_the_end(course)
        case "slows":
            return last.metres < 0.9 * otherwise.metres
        case "dark":
            return last.contactors == "Open"
        case "doors-open":
            return any(now.speed > 3.0 and now.doors[0] != "Closed" for now in course)
        case "charges-less":
            return last.charged_kwh < 0.9 * otherwise.charged_kwh
        case "charges-no-more":
            return last.charge_current == 0.0
        case "heats":
            return last.hvac_mode == "Preheat"


def _stands_at_the_end(course: Course) -> bool:
    """For longer than any stop on the line takes."""
    return all(now.speed == 0.0 for now in course[-30:])
