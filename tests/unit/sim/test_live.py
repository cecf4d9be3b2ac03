"""The simulated bus on wires of python-can, with somebody else on them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import can
import pytest
from click.testing import CliRunner

from busgate.model import BusgateError
from busgate_sim.body import BusBody
from busgate_sim.encoder import Encoder, Spoken
from busgate_sim.live import KINDS, Live, both, wires
from busgate_sim.scenario import find
from busgate_sim.splice import Closed, Open
from busgate_sim.stage import Stage
from busgate_trial.cli import group

SPEED = 20.0
NAMES = (f"live-{number}" for number in itertools.count())
STOP = Encoder("demo-ebus", ("ebus-j1939.dbc", "ebus-body11.dbc")).encode(
    Spoken("TboxDriveCommand", {"RequestType": "Stop", "TorqueLimit": 0.0, "SpeedLimit": 0})
)


class Desk:
    """A simulated bus on two virtual wires, and a foreign node on each."""

    def __init__(self, crossing: Open | Closed) -> None:
        channels = next(NAMES), next(NAMES)
        self.tbox, self.vehicle = (can.Bus(name, interface="virtual") for name in channels)
        scenario = find("service-driving")
        self.stage = Stage(scenario, BusBody(scenario.start), crossing)
        self.live = Live(self.stage.world, both(self.stage, *(f"virtual:{name}" for name in channels)))

    def close(self) -> None:
        self.tbox.shutdown()
        self.vehicle.shutdown()


@pytest.fixture(params=[Open, Closed])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    made = Desk(request.param())
    yield made
    made.close()


def heard(bus: can.BusABC) -> list[tuple[int, bytes]]:
    frames = []
    while (message := bus.recv(0.2)) is not None:
        frames.append((message.arbitration_id, bytes(message.data)))
    return frames


def test_others_hear_what_the_bus_says_at_the_walls_pace(desk: Desk) -> None:
    began = time.monotonic()
    with desk.live as live:
        live.run(4.0, SPEED)
    assert time.monotonic() - began >= 4.0 / SPEED
    vehicle, tbox = heard(desk.vehicle), heard(desk.tbox)
    assert sum(can_id == 0x18FEF127 for can_id, _ in vehicle) >= 35
    assert sum(can_id == 0x500 for can_id, _ in tbox) >= 35


def test_what_others_say_is_obeyed_and_not_said_again() -> None:
    desk = Desk(Closed())
    with desk.live as live:
        desk.vehicle.send(can.Message(arbitration_id=STOP.can_id, is_extended_id=False, data=STOP.data))
        live.run(2.0, SPEED)
    assert desk.stage.obedience.demands.stop
    assert STOP.can_id not in [can_id for can_id, data in heard(desk.vehicle) if data == STOP.data]
    assert (STOP.can_id, STOP.data) not in heard(desk.tbox)
    desk.close()


def test_without_anything_between_a_foreign_command_crosses_and_with_a_gate_elsewhere_it_does_not() -> None:
    for crossing, crosses in ((Open(), True), (Closed(), False)):
        desk = Desk(crossing)
        with desk.live as live:
            desk.tbox.send(can.Message(arbitration_id=STOP.can_id, is_extended_id=False, data=STOP.data))
            live.run(2.0, SPEED)
        assert desk.stage.obedience.demands.stop is crosses
        desk.close()


def test_pairs_of_wires_are_named() -> None:
    assert wires("vcan") == KINDS["vcan"]
    assert wires("virtual:a,virtual:b") == ("virtual:a", "virtual:b")
    for wrong in ("", "vcan9", "virtual:a", "a,b", "virtual:a,virtual:a"):
        with pytest.raises(BusgateError, match="names no pair of wires"):
            wires(wrong)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--wire", "foo"], "names no pair of wires"),
        (["--gate-outside"], "add --wire vcan"),
        (["--wire", "nonsense:a,nonsense:b"], "cannot be opened"),
    ],
)
def test_mistakes_are_one_line(words: list[str], says: str) -> None:
    done = CliRunner().invoke(group, ["run", "service-standing", *words])
    assert done.exit_code != 0
    assert says in str(done.exception)


def test_a_scenario_can_be_played_on_wires_of_others() -> None:
    tbox, vehicle = next(NAMES), next(NAMES)
    with can.Bus(vehicle, interface="virtual") as listener:
        words = ["run", "battery-report", "--wire", f"virtual:{tbox},virtual:{vehicle}", "--speed", "20"]
        done = CliRunner().invoke(group, words)
        assert done.exit_code == 0, done.output
        assert len(heard(listener)) > 1000
    assert "crossed to the vehicle, 0 did not" in done.output
