"""One scenario set up and run: the bus' body, its control units, its T-box, two wires and what joins them.

Law: the same scenario, seed and crossing give the same frames at the same nanoseconds.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, Protocol

from busgate_sim.air import Air
from busgate_sim.ecu.catalogue import Catalogue
from busgate_sim.ecu.diagnosed import Diagnosed
from busgate_sim.ecu.obeys import Obedience
from busgate_sim.ecu.sensed import Demands, Sensed
from busgate_sim.ecu.unit import Units
from busgate_sim.encoder import Encoder, Sent
from busgate_sim.online import Online, ordered
from busgate_sim.scenario import Scenario
from busgate_sim.splice import Crossing, Splice
from busgate_sim.tbox_firmware.cloud_command import CloudCommand
from busgate_sim.tbox_firmware.unit import NAME, TboxUnit
from busgate_sim.told import Doing, by_shell, by_short_message, can_be_texted
from busgate_sim.wire import Wire
from busgate_sim.world import MILLISECOND, SECOND, World

PROFILE = "demo-ebus"
FILES = ("ebus-j1939.dbc", "ebus-body11.dbc")
STARTED = 1_772_433_600
"""When every scenario begins, Unix seconds: 2026-03-02T06:40:00Z."""

STEP_NS = 20 * MILLISECOND
"""How finely the body moves."""

VEHICLE, TBOX = "can0", "can1"
"""The names of the two wires."""

_UTRECHT = 52.09, 5.12
_METRES_PER_DEGREE = 111_000


class Body(Protocol):
    """The bus itself, as far as its control units move and sense it."""

    def step(self, seconds: float, demands: Demands) -> None:
        """Let time pass under these demands."""

    def sensed(self) -> Sensed:
        """What the sensors tell now."""


class Went(NamedTuple):
    """One frame as a recorder on its wire saw it; `cause` is empty for the vehicle's."""

    at: int
    wire: str
    sent: Sent
    cause: str


class Stage:
    """A world with one bus in it."""

    def __init__(
        self, scenario: Scenario, body: Body, crossing: Crossing, *, seed: int = 0, apart: float = 0.0
    ) -> None:
        """Everything stands where the scenario begins; nothing has been said.

        The vehicle's messages come at their true rates, but none more often than each `apart` seconds.
        """
        self.scenario = scenario
        self.world = World(seed)
        self.body = body
        self.sensed = body.sensed()
        self.tape: list[Went] | None = None
        """Set it to a list to record every frame that a peer sent."""
        self.understood: dict[str, str] = {}
        """The cloud's message behind each cause, such as `jt808:8105`."""
        self.cause = ""
        """Why the T-box's frame that is on its wire right now was said."""
        encoder = Encoder(PROFILE, FILES)
        self.vehicle, self.tbox = Wire(self.world, VEHICLE), Wire(self.world, TBOX)
        self.obedience = Obedience(self.world, encoder)
        self.units = Units(
            self.world, self.vehicle, encoder, lambda: self.sensed, self.obedience, apart=round(apart * SECOND)
        )
        catalogue = Catalogue(lambda: self.sensed, lambda: self.obedience.demands)
        self.diagnosed = Diagnosed(self.world, self.units.outlets, catalogue.offers, self.units.speaks)
        self.vehicle.attach("diagnostics", self.diagnosed.hear)
        self.unit = TboxUnit(self.world, self.tbox, Encoder(PROFILE, FILES), place=self._place, started=STARTED)
        self.tbox.watch(self._on_tbox)
        self.vehicle.watch(self._on_vehicle)
        self.splice = Splice(self.world, self.tbox, self.vehicle, crossing)
        self.air = Air(self.world)
        self.online = Online(self.air, self.world, STARTED, lambda: self.sensed, self.obeys, spoken=scenario.speaks)
        self.doing = Doing(self.world, self.air, self.unit, lambda done: self.online.upgraded(done=done))
        self.world.every(STEP_NS, self._moves, phase=STEP_NS)
        self._plans()

    def run(self, seconds: float | None = None) -> None:
        """Run for some seconds, or to the scenario's end."""
        end = round(self.scenario.lasts * SECOND) if seconds is None else self.world.now + round(seconds * SECOND)
        self.world.run(end)

    def _plans(self) -> None:
        for number, act in enumerate(self.scenario.acts):
            self.world.at(round(act.at * SECOND), partial(self._acts, number))
        if self.scenario.silent_from is not None:
            self.world.at(round(self.scenario.silent_from * SECOND), self._falls_silent)

    def _acts(self, number: int) -> None:
        """By way of the platform, or in a short message, where a clerk can order it so; else by the T-box itself."""
        act, cause = self.scenario.acts[number], cause_of_act(number)
        what = ordered(act.does, act.told)
        if act.by == "sms" and what is not None and can_be_texted(what):
            by_short_message(self.air, what, STARTED + self.world.now // SECOND, cause, self.obeys)
        elif act.by in {"cloud", "tls"} and what is not None and self.online.online:
            self.online.order(what, cause)
        elif act.by == "ssh":
            by_shell(self.world, self.air, cause, partial(self.doing.does, act.does, act.told, cause))
        else:
            self.doing.does(act.does, act.told, cause)

    def obeys(self, command: CloudCommand, cause: str) -> None:
        """Have the T-box obey a command that came to it."""
        self.understood[cause] = command.message_id
        self.doing.soon(command, cause, self.online.tell)

    def _falls_silent(self) -> None:
        self.unit.silent = True

    def _moves(self) -> None:
        self.obedience.tick()
        self.body.step(STEP_NS / SECOND, self.obedience.demands)
        self.sensed = self.body.sensed()

    def _place(self) -> tuple[float, float]:
        latitude, longitude = _UTRECHT
        return latitude + self.sensed.metres / _METRES_PER_DEGREE, longitude

    def _on_tbox(self, at: int, sent: Sent, name: str) -> None:
        if name == NAME:
            self.cause = self.unit.cause_of(sent)
            if self.tape is not None:
                self.tape.append(Went(at, TBOX, sent, self.cause))

    def _on_vehicle(self, at: int, sent: Sent, name: str) -> None:
        if self.tape is not None and name in self.units.outlets:
            self.tape.append(Went(at, VEHICLE, sent, ""))


def cause_of_act(number: int) -> str:
    """What the frames of a scenario's act are marked with; acts are counted from 0."""
    return f"act {number}"
