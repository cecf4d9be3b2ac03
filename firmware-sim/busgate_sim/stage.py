"""One scenario set up and run: the bus' body, its control units, its T-box, two wires and what joins them.

Law: the same scenario, seed and crossing give the same frames at the same nanoseconds.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, Protocol

from busgate_sim.ecu.catalogue import Catalogue
from busgate_sim.ecu.diagnosed import Diagnosed
from busgate_sim.ecu.obeys import Obedience
from busgate_sim.ecu.sensed import Demands, Sensed
from busgate_sim.ecu.unit import Units
from busgate_sim.encoder import Encoder, Sent
from busgate_sim.online import Online, ordered
from busgate_sim.scenario import Scenario
from busgate_sim.splice import Crossing, Splice
from busgate_sim.tbox_firmware.acts import ACTS, Arguments
from busgate_sim.tbox_firmware.cloud_command import CloudCommand
from busgate_sim.tbox_firmware.talks import TALKS, target_of
from busgate_sim.tbox_firmware.tester import Tester
from busgate_sim.tbox_firmware.unit import NAME, TboxUnit
from busgate_sim.wire import Wire
from busgate_sim.world import MILLISECOND, SECOND, World

PROFILE = "demo-ebus"
FILES = ("ebus-j1939.dbc", "ebus-body11.dbc")
STARTED = 1_772_433_600
"""When every scenario begins, Unix seconds: 2026-03-02T06:40:00Z."""

_THINKS_NS = 120 * MILLISECOND
"""How long the T-box takes at least from an order to its first frame; at most twice that."""

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

    def __init__(self, scenario: Scenario, body: Body, crossing: Crossing, *, seed: int = 0) -> None:
        """Everything stands where the scenario begins; nothing has been said."""
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
        self.talks: list[Tester] = []
        """The T-box's conversations with control units so far."""
        encoder = Encoder(PROFILE, FILES)
        self.vehicle, self.tbox = Wire(self.world, VEHICLE), Wire(self.world, TBOX)
        self.obedience = Obedience(self.world, encoder)
        self.units = Units(self.world, self.vehicle, encoder, lambda: self.sensed, self.obedience)
        catalogue = Catalogue(lambda: self.sensed, lambda: self.obedience.demands)
        self.diagnosed = Diagnosed(self.world, self.units.outlets, catalogue.offers, self.units.speaks)
        self.vehicle.attach("diagnostics", self.diagnosed.hear)
        self.unit = TboxUnit(self.world, self.tbox, Encoder(PROFILE, FILES), place=self._place, started=STARTED)
        self.tbox.watch(self._on_tbox)
        self.vehicle.watch(self._on_vehicle)
        self.splice = Splice(self.world, self.tbox, self.vehicle, crossing)
        self.online = Online(self.world, STARTED, lambda: self.sensed, self._obeys)
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
        """By way of the platform where a clerk there can order it, else by the T-box itself."""
        act = self.scenario.acts[number]
        order = ordered(act.does, act.told) if act.by in {"cloud", "tls"} else None
        if order is not None and self.online.online:
            self.online.order(order, cause_of_act(number))
        else:
            self._does(act.does, act.told, cause_of_act(number))

    def _does(self, what: str, told: Arguments, cause: str) -> None:
        if what in TALKS:
            self.talks.append(Tester(self.world, self.unit, target_of(told), TALKS[what](told), cause))
        else:
            self.unit.act(ACTS[what](told), cause)

    def _obeys(self, command: CloudCommand, cause: str) -> None:
        """What the T-box makes of an order, after the time that it takes to think."""
        self.understood[cause] = command.message_id
        if command.kind in ACTS or command.kind in TALKS:
            thinks = _THINKS_NS + self.world.chance.randrange(_THINKS_NS)
            self.world.after(thinks, partial(self._does, command.kind, command.arguments, cause))

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
