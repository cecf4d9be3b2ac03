"""Reports of GB/T 32960: kinds of data of both editions, the simulated cloud as a peer, and what cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from busgate.decode.gb32960_info import KINDS
from busgate.decode.gb32960_names import Y2016, Y2025
from busgate.decode.gb32960_report import Report, read_report
from busgate_sim.cloud.gb32960 import Command, Edition
from busgate_sim.cloud.gb32960_bodies import packet_of
from busgate_sim.cloud.gb32960_fields import Row
from busgate_sim.cloud.gb32960_report import Group
from busgate_sim.cloud.gb32960_report import Report as Sent

TIME = bytes.fromhex("190a1b140202")
SIGNED = "ff020002abcd0000"


def report(data: str, version: str = Y2016) -> tuple[Report, list[str]]:
    return read_report(TIME + bytes.fromhex(data), version)


def only(data: str, version: str = Y2016) -> dict[str, Any]:
    found, flaws = report(data, version)
    assert (flaws, found.unparsed, len(found.infos)) == ([], "", 1)
    return dict(found.infos[0].values)


def from_peer(edition: Edition, *groups: Group) -> dict[str, dict[str, Any]]:
    packet = packet_of(Command.REPORT, Sent(TIME, groups), "SYNTHETICBUS00421", edition)
    found, flaws = read_report(packet.data, str(edition.value))
    assert flaws == []
    return {info.name: dict(info.values) for info in found.infos}


@pytest.mark.parametrize("edition", list(Edition))
def test_what_the_simulated_bus_reports_is_read(edition: Edition) -> None:
    row: Row = {"state": 1, "charging": 3, "drive_mode": 1, "speed_kmh": 52.3, "odometer_km": 123456.7,
           "voltage_v": 612.4, "current_a": -87.5, "soc_percent": 64, "dcdc": 1, "gear": 0x2E,
           "insulation_kohm": 5000}  # fmt: skip
    motor: Row = {"motor": 1, "state": 2, "controller_degc": -7, "speed_rpm": -1200, "torque_nm": -512.5,
             "temperature_degc": 88}  # fmt: skip
    got = from_peer(edition, Group("vehicle", (row,)), Group("motors", (motor,)))
    vehicle = got["vehicle"]
    expected: dict[str, Any] = {
        "vehicle_state": "started", "charging_state": "not charging", "operation_mode": "electric", "speed_kmh": 52.3,
        "mileage_km": 123456.7, "total_voltage_v": 612.4, "total_current_a": -87.5, "soc_percent": 64,
        "dcdc_state": "working", "gear": "D", "driving_force": True, "braking_force": False,
        "insulation_resistance_kohm": 5000,
    }  # fmt: skip
    if edition is Edition.Y2016:
        expected |= {"accelerator_pedal_percent": "invalid", "brake_pedal_percent": "invalid"}
    else:
        expected["gear_valid"] = True
    assert vehicle == expected
    (found,) = got["drive_motors"]["motors"]
    assert (found["motor_state"], found["speed_rpm"], found["torque_nm"]) == ("generating", -1200, -512.5)
    assert (found["controller_temperature_c"], found["motor_temperature_c"]) == (-7, 88)


@pytest.mark.parametrize("edition", list(Edition))
def test_places_cells_and_probes_of_the_simulated_bus_are_read(edition: Edition) -> None:
    place: Row = {"state": 0x06, "coordinates": 1, "longitude_deg": 5.109876, "latitude_deg": 52.090123}
    cells: Row = {"pack": 1, "voltage_v": 612.4, "current_a": 12.5, "cells": 3, "first_cell": 1,
             "cells_v": (3.301, 3.302, None)}  # fmt: skip
    probes: Row = {"pack": 1, "temperatures_degc": (-40, 21, "abnormal")}
    got = from_peer(edition, Group("position", (place,)), Group("cells", (cells,)), Group("temperatures", (probes,)))
    location = got["location"]
    assert (location["longitude_deg"], location["latitude_deg"]) == (5.109876, 52.090123)
    assert (location["longitude_hemisphere"], location["latitude_hemisphere"]) == ("W", "S")
    assert location["position_valid"] is True
    assert location.get("coordinate_system") == (None if edition is Edition.Y2016 else "WGS84")
    name = "subsystems" if edition is Edition.Y2016 else "packs"
    (found,) = got["cell_voltages"][name]
    assert (found["current_a"], found["cell_voltages_v"]) == (12.5, [3.301, 3.302, "invalid"])
    assert got["cell_temperatures"][name][0]["temperatures_c"] == [-40, 21, "abnormal"]


def test_alarms_of_2025_have_levels() -> None:
    alarms: Row = {"level": 3, "alarms": 0x0181_0000, "battery": (1, 2), "motor": (), "engine": (), "other": (0xABCD,),
              "levels": (0x1703, 0x1002, 0x4001)}  # fmt: skip
    got = from_peer(Edition.Y2025, Group("alarms", (alarms,)))["alarms"]
    assert got["general_alarms"] == ["high-voltage interlock", "thermal event", "hydrogen leak"]
    assert (got["battery_faults"], got["other_faults"]) == (["00000001", "00000002"], ["0000abcd"])
    assert got["general_alarm_levels"] == [
        {"alarm": "thermal event", "level": 3},
        {"alarm": "high-voltage interlock", "level": 2},
        {"alarm": "0x40", "level": 1},
    ]


def test_lists_of_alarms_that_are_invalid_have_nothing_behind_them() -> None:
    got = only("06 00 00000000 ff fe ff fe ff", Y2025)
    names = ("battery_faults", "motor_faults", "engine_faults", "other_faults", "general_alarm_levels")
    assert [got[name] for name in names] == ["invalid", "abnormal", "invalid", "abnormal", "invalid"]


def test_a_fuel_cell_of_2016() -> None:
    assert only("03 0fa0 01f4 0064 0002 5061 01f4 03 2710 04 015e 05 01") == {
        "voltage_v": 400.0, "current_a": 50.0, "fuel_consumption_kg_100km": 1.0, "temperatures_c": [40, 57],
        "hydrogen_max_temperature_c": 10.0, "hydrogen_max_temperature_probe": 3,
        "hydrogen_max_concentration_mg_kg": 10000, "hydrogen_max_concentration_sensor": 4,
        "hydrogen_max_pressure_mpa": 35.0, "hydrogen_max_pressure_sensor": 5, "high_voltage_dcdc_state": "working",
    }  # fmt: skip


def test_a_fuel_cell_its_stacks_and_capacitors_of_2025() -> None:
    assert only("03 0055 03 2710 04 015e 05 02 63 50", Y2025) == {
        "hydrogen_max_temperature_c": 45, "hydrogen_max_temperature_probe": 3,
        "hydrogen_max_concentration_percent": 1.0, "hydrogen_max_concentration_sensor": 4,
        "hydrogen_max_pressure_mpa": 35.0, "hydrogen_max_pressure_sensor": 5,
        "high_voltage_dcdc_state": "disconnected", "remaining_hydrogen_percent": 99,
        "high_voltage_dcdc_temperature_c": 40,
    }  # fmt: skip
    assert only("30 01 01 0bb8 03e8 05dc 03e8 3c 0002 5051", Y2025)["stacks"] == [
        {
            "stack_number": 1, "voltage_v": 300.0, "current_a": 100.0, "hydrogen_inlet_pressure_kpa": 50.0,
            "air_inlet_pressure_kpa": 0.0, "air_inlet_temperature_c": 20, "coolant_outlet_temperatures_c": [40, 41],
        }
    ]  # fmt: skip
    assert only("31 01 1770 7594 0002 0a8c 0a8d 0001 41", Y2025) == {
        "system_number": 1, "total_voltage_v": 600.0, "total_current_a": 10.0, "cell_voltages_v": [2.7, 2.701],
        "temperatures_c": [25],
    }  # fmt: skip
    extremes = only("32 01 0102 0a8d 02 0304 0a8c 03 0506 41 04 0708 40", Y2025)
    assert (extremes["max_voltage_system_number"], extremes["max_voltage_cell_code"]) == (1, 0x0102)
    assert (extremes["max_cell_voltage_v"], extremes["min_cell_voltage_v"]) == (2.701, 2.7)
    assert (extremes["max_temperature_c"], extremes["min_temperature_c"]) == (25, 24)
    assert extremes["min_temperature_probe_code"] == 0x0708


@pytest.mark.parametrize(
    ("wire", "gear"), [("00", "N"), ("01", "1"), ("0c", "12"), ("0d", "R"), ("0e", "D"), ("0f", "P"), ("ff", "invalid")]
)
def test_gears(wire: str, gear: str) -> None:
    data = f"01 010301 0000 00000000 0000 2710 32 01 {wire} 0000"
    assert only(data + "0065")["gear"] == gear
    assert only(data + "0065")["brake_pedal_percent"] == "on"
    assert only(data, Y2025)["gear_valid"] is (wire != "ff")


def test_what_a_number_stands_for_is_a_word_or_itself() -> None:
    states = [only(f"04 {state} 0000 0000")["engine_state"] for state in ("01", "02", "03", "fe", "ff")]
    assert states == ["started", "off", "0x03", "abnormal", "invalid"]


@pytest.mark.parametrize("kind", ["80", "fe"])
@pytest.mark.parametrize("version", [Y2016, Y2025])
def test_user_defined_data_has_its_length(kind: str, version: str) -> None:
    found, flaws = report(f"{kind} 0003 010203 {kind} 0000", version)
    assert [info.values for info in found.infos] == [{"data": "010203"}, {"data": ""}]
    assert flaws == []


def test_the_signature_of_2025_is_apart() -> None:
    found, flaws = report(f"04 0bb8 {SIGNED}", Y2025)
    assert found.signature == {"algorithm": "RSA", "r": "abcd", "s": ""}
    assert ([info.name for info in found.infos], flaws) == (["engine"], [])
    assert found.fields()["signature"] == found.signature


def test_the_signature_is_found_behind_what_cannot_be_read() -> None:
    found, flaws = report(f"04 0bb8 00 ff00 {SIGNED}", Y2025)
    assert found.signature == {"algorithm": "RSA", "r": "abcd", "s": ""}
    assert found.unparsed == "00ff00"
    assert flaws == ["data of kind 0x00 cannot be read: it has no known length"]


def test_what_follows_the_signature_is_read_and_said() -> None:
    found, flaws = report(f"{SIGNED} 80 0001 07 {SIGNED}", Y2025)
    assert [info.name for info in found.infos] == ["user_defined", "signature"]
    assert flaws == ["data of kind 0x80 follows the signature", "data of kind 0xFF follows the signature"]


def test_from_a_broken_kind_on_nothing_can_be_read() -> None:
    found, flaws = report("04 03ffffffff 02 02 0102")
    assert [info.name for info in found.infos] == ["engine"]
    assert found.unparsed == found.fields()["unparsed"] == "02020102"
    assert flaws == ["data of kind 0x02 cannot be read: controller_temperature_c needs 1 bytes, 0 are left"]


@pytest.mark.parametrize("kind", ["0a", "2f", "30", "7f"])
def test_a_reserved_kind_is_read_by_its_length_where_all_behind_it_can_be(kind: str) -> None:
    found, flaws = report(f"{kind} 0002 0102 04 ffffffffff")
    assert [(info.name, info.kind) for info in found.infos] == [("reserved", int(kind, 16)), ("engine", 4)]
    assert flaws == [f"data of kind 0x{kind.upper()} is reserved"]
    found, flaws = report(f"04 ffffffffff {kind} 0002 0102 00 11")
    assert [info.name for info in found.infos] == ["engine"]
    assert found.unparsed == f"{kind}000201020011"
    assert flaws == [f"data of kind 0x{kind.upper()} is reserved and cannot be read"]


def test_a_report_without_its_time_is_read_and_says_so() -> None:
    found, flaws = read_report(bytes.fromhex("04 01 0bb8 0064 80 0001 07"), Y2016)
    assert (found.time, [info.name for info in found.infos]) == (None, ["engine", "user_defined"])
    assert flaws == ["the report has no time"]
    assert "time" not in found.fields()


def test_a_report_without_anything_is_broken() -> None:
    assert read_report(b"\x19\x0a", Y2016) == (Report(unparsed="190a"), ["time needs 6 bytes, 2 are left"])
    assert read_report(b"", Y2016)[1] == ["time needs 6 bytes, 0 are left"]
    assert report("") == (Report("2025-10-27T20:02:02+08:00"), [])


def test_the_kinds_of_both_editions_are_those_of_the_standard() -> None:
    assert [kind for kind in KINDS[Y2016] if kind < 0x80] == [*range(0x01, 0x0A)]
    assert [kind for kind in KINDS[Y2025] if kind < 0x80] == [*range(0x01, 0x09), 0x30, 0x31, 0x32]
    assert [kind for kind in KINDS[Y2025] if kind >= 0x80] == [*range(0x80, 0x100)]


WHOLE = {
    Y2016: "01 0103010000000000000000271032010e00000000 02 01" + "11" * 12 + "03 0fa001f400640001"
    "50 01f403271004015e0501"
    "04 010bb80064 05 00 00000001 00000002 06" + "01" * 14 + "07 00 00000001 01 00000002 00 00 01 00000003"
    "08 01 01 000100020003 0001 01 0fa0 09 01 01 0001 41 80 0001 07",
    Y2025: "01 0103010000000000000000753032010e0000 02 01" + "11" * 10 + "03 005503271004015e05026350 04 0bb8"
    "05 00 01 00000001 00000002 06 00 00000001 01 00000002 00 00 00 01 0003 07 01 01 00010002 0001 0fa0"
    "08 01 01 0001 41 30 01 01 0bb803e805dc03e83c 0001 50 31 01 17707594 0001 0a8c 0001 41 32" + "01" * 18
    + "80 0001 07" + SIGNED,
}  # fmt: skip
"""One of every kind of data of each edition."""


@pytest.mark.parametrize("version", [Y2016, Y2025])
def test_a_report_cut_anywhere_keeps_its_whole_kinds_and_no_half_ones(version: str) -> None:
    data = bytes.fromhex(WHOLE[version])
    whole, flaws = read_report(TIME + data, version)
    assert (flaws, whole.unparsed) == ([], "")
    assert [info.kind for info in whole.infos] == [*(kind for kind in KINDS[version] if kind < 0x80), 0x80]
    for end in range(len(data)):
        cut, flaws = read_report(TIME + data[:end], version)
        assert cut.infos == whole.infos[: len(cut.infos)]
        assert bool(flaws) == bool(cut.unparsed)
        assert data[:end].endswith(bytes.fromhex(cut.unparsed))
