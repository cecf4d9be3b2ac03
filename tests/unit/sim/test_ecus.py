"""The simulated control units: what they say at which rate, and whom they obey."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cantools
import pytest

from busgate.model import IDENTIFIER
from busgate_sim.ecu.obeys import TSC1_TIMEOUT_NS, Obedience
from busgate_sim.ecu.says import SAYS
from busgate_sim.ecu.sensed import Sensed
from busgate_sim.ecu.unit import Units
from busgate_sim.encoder import Encoder, Sent, Spoken, Values, group
from busgate_sim.wire import Wire
from busgate_sim.world import MILLISECOND, SECOND, World
from support.sensed import DRIVING, STANDING

DBC = Path(__file__).parents[3] / "dbc" / "demo-ebus"
FILES = ("ebus-j1939.dbc", "ebus-body11.dbc")
TBOX = 0x4A


class Desk:
    """Units on a wire, with a stranger who may speak there too."""

    def __init__(self, sensed: Sensed = DRIVING) -> None:
        self.world = World(seed=1)
        self.wire = Wire(self.world, "can0")
        self.encoder = Encoder("demo-ebus", FILES)
        self.obedience = Obedience(self.world, self.encoder)
        self.demands = self.obedience.demands
        self.heard: list[tuple[int, Sent, str]] = []
        self.wire.watch(lambda at, sent, name: self.heard.append((at, sent, name)))
        self.stranger = self.wire.attach("stranger", lambda _: None)
        Units(self.world, self.wire, self.encoder, lambda: sensed, self.obedience)

    def says(self, name: str, values: Values, sa: int | None = None, da: int | None = None) -> None:
        self.stranger.send(self.encoder.encode(Spoken(name, values, sa, da)))
        self.run(5 * MILLISECOND)

    def run(self, ns: int) -> None:
        self.world.run(self.world.now + ns)


def test_each_message_comes_at_the_rate_of_its_dbc_and_decodes_with_its_sender() -> None:
    desk = Desk()
    desk.run(10 * SECOND)
    database = cantools.database.Database()
    for name in FILES:
        database.add_dbc_string((DBC / name).read_text(encoding="utf-8"))
    cycles = {each.name: each.cycle_time or 0 for each in database.messages}
    counted: Counter[tuple[str, str]] = Counter()
    for _, sent, sender in desk.heard:
        bare = sent.can_id & IDENTIFIER
        told = [each for each in database.messages if each.frame_id == bare]
        if told:
            assert isinstance(told[0].decode(sent.data), dict)
            counted[sender, told[0].name] += 1
    expected = {(name, message) for name, messages in SAYS.items() for message in messages if message != "DM1"}
    assert expected <= set(counted)
    for (name, message), times in counted.items():
        if message != "TSC1":
            assert abs(times - 10_000 / cycles[message]) <= 1, (name, message)


def test_the_bus_is_as_loaded_as_a_real_one() -> None:
    desk = Desk()
    desk.run(10 * SECOND)
    load = desk.wire.busy_ns / (10 * SECOND)
    assert 0.1 < load < 0.4
    assert len(desk.heard) == desk.wire.frames


@pytest.mark.parametrize(
    ("name", "values", "demand", "value"),
    [
        ("TboxDriveCommand", {"RequestType": "Stop"}, "stop", True),
        ("TboxDriveCommand", {"RequestType": "Limit", "TorqueLimit": 40.0}, "torque_limit", 40.0),
        ("TboxDriveCommand", {"RequestType": "Limit", "SpeedLimit": 30}, "speed_limit", 30),
        ("TboxDriveCommand", {"RequestType": "None"}, "stop", False),
        ("TboxBmsCommand", {"ContactorRequest": "Open"}, "contactors_open", True),
        ("TboxBmsCommand", {"ContactorRequest": "None", "DischargeCurrentLimit": 90.0}, "discharge_limit", 90.0),
        ("TboxChargeCommand", {"ChargeRequest": "Stop"}, "charge_stop", True),
        ("TboxChargeCommand", {"ChargeRequest": "Limit", "CurrentLimit": 32.0}, "charge_limit", 32.0),
        ("TboxHvacCommand", {"Mode": "Preheat", "TargetTemperature": 21.0}, "hvac_mode", "Preheat"),
    ],
)
def test_a_command_on_the_bus_is_obeyed(name: str, values: Values, demand: str, value: object) -> None:
    desk = Desk()
    desk.says(name, values)
    assert getattr(desk.demands, demand) == value


def test_a_command_with_a_wrong_checksum_is_not_obeyed() -> None:
    desk = Desk()
    sent = desk.encoder.encode(Spoken("TboxDriveCommand", {"RequestType": "Stop"}))
    desk.stranger.send(Sent(sent.can_id, sent.data[:7] + bytes([sent.data[7] ^ 1])))
    desk.run(SECOND)
    assert (desk.demands.stop, desk.obedience.obeyed) == (False, {})


def test_a_torque_limit_to_the_inverters_ends_with_the_last_tsc1() -> None:
    desk = Desk()
    limit: Values = {"OverrideCtrlMode": "SpeedTorqueLimit", "RequestedTorqueOrTorqueLimit": 10.0, "MessageCounter": 0}
    desk.says("TSC1", limit, TBOX, 0x8A)
    assert desk.demands.torque_limit == 10.0
    desk.run(TSC1_TIMEOUT_NS)
    desk.obedience.tick()
    assert desk.demands.torque_limit is None


def test_the_battery_is_powered_down_by_whoever_asks_and_the_vcu_itself_asks_for_nothing() -> None:
    desk = Desk()
    desk.run(SECOND)
    assert not desk.demands.contactors_open
    desk.says("HVESSC1", {"HvBusConnect": "Disconnect", "PowerDown": "PowerDown"}, TBOX)
    assert desk.demands.contactors_open


def test_doors_open_by_command_at_standstill_only_or_when_the_speed_on_the_bus_is_a_lie() -> None:
    opens: Values = {"DoorRequest": "Open", "Door": "All"}
    driving = Desk()
    driving.run(SECOND)
    driving.says("TboxDoorCommand", opens)
    assert not driving.demands.doors_open
    driving.says("CCVS1", {"WheelBasedVehicleSpeed": 0.0, "ParkingBrakeSwitch": "Set"}, 0x27)
    driving.says("TboxDoorCommand", opens)
    assert driving.demands.doors_open
    standing = Desk(STANDING)
    standing.run(SECOND)
    standing.says("TboxDoorCommand", opens)
    assert standing.demands.doors_open


def test_a_stored_fault_of_the_battery_comes_in_packets() -> None:
    desk = Desk()
    desk.run(6 * SECOND)
    announced, data = group(7, 0xEC00, 0xF3), group(7, 0xEB00, 0xF3)
    packets = [sent.can_id for _, sent, _ in desk.heard if sent.can_id in {announced, data}]
    assert packets[:3] == [announced, data, data]
