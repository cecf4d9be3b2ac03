"""The vehicle's values as the reports of both protocols want them.

Law: what a value is called says its unit; what the vehicle does not tell is left out (JT/T 808) or written as invalid
(GB/T 32960), never made up.

Numbers: speed_kmh, odometer_km, soc_percent, pack_v, pack_a, insulation_kohm, latitude, longitude (degrees),
altitude_m, direction_deg, pedal_percent, brake_percent, motor_rpm, motor_nm, motor_degc, controller_degc, alarm_level,
alarms (the word of GB/T 32960), radio. Yes or no: key_on, charging, stopped (drive cut), doors_locked, doors_open.
Lists: cells_v, temperatures_degc.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from busgate_sim.cloud.gb32960 import Edition, clock
from busgate_sim.cloud.gb32960_fields import Value
from busgate_sim.cloud.gb32960_report import BRAKING, DRIVE, DRIVING, NOT_LOCATED, PARKED, SOUTH, WEST, Group, Report
from busgate_sim.cloud.jt808_location import MILEAGE, RECORDER_SPEED, SIGNAL_STRENGTH, Location, Status, stamp

Telemetry = Mapping[str, float | bool | Sequence[float]]

_MOST_CELLS = 200
"""Cells that one frame of data carries (GB/T 32960.3-2016, table 16)."""


def location(values: Telemetry, at: int) -> Location:
    """The report of JT/T 808 at a time (ns since 1970)."""
    latitude, longitude = _number(values, "latitude"), _number(values, "longitude")
    items = [
        (MILEAGE, _wire(values, "odometer_km", 10, 4)),
        (RECORDER_SPEED, _wire(values, "speed_kmh", 10, 2)),
        (SIGNAL_STRENGTH, _wire(values, "radio", 1, 1)),
    ]
    return Location(
        alarm=0,
        status=_status(values),
        latitude_udeg=round(abs(latitude or 0) * 1e6),
        longitude_udeg=round(abs(longitude or 0) * 1e6),
        altitude_m=_within(_number(values, "altitude_m"), 0xFFFF),
        speed_01kmh=_within((_number(values, "speed_kmh") or 0) * 10, 0xFFFF),
        direction_deg=_within(_number(values, "direction_deg"), 359),
        time=stamp(at),
        items=tuple((number, data) for number, data in items if data),
    )


def _status(values: Telemetry) -> Status:
    latitude, longitude = _number(values, "latitude"), _number(values, "longitude")
    holds = {
        Status.ACC: bool(values.get("key_on")),
        Status.POSITIONED: latitude is not None and longitude is not None,
        Status.SOUTH: (latitude or 0) < 0,
        Status.WEST: (longitude or 0) < 0,
        Status.CIRCUIT_CUT: bool(values.get("stopped")),
        Status.DOORS_LOCKED: bool(values.get("doors_locked")),
        Status.DOOR_1_OPEN: bool(values.get("doors_open")),
    }
    return Status(sum(bit for bit, holding in holds.items() if holding))


def report(values: Telemetry, at: int, edition: Edition) -> Report:
    """The report of GB/T 32960 at a time (ns since 1970)."""
    groups = [_vehicle(values), _motor(values), _position(values), _alarms(values)]
    cells, temperatures = _list(values, "cells_v"), _list(values, "temperatures_degc")
    if edition is Edition.Y2016 and cells and temperatures:
        groups.append(_extremes(cells, temperatures))
    if cells:
        groups.append(_cells(values, cells))
    if temperatures:
        groups.append(Group("temperatures", ({"pack": 1, "temperatures_degc": temperatures},)))
    return Report(clock(at), tuple(groups))


def _vehicle(values: Telemetry) -> Group:
    speed, braking = _number(values, "speed_kmh"), (_number(values, "brake_percent") or 0) > 0
    gear = DRIVE if speed else PARKED
    gear |= (BRAKING if braking else 0) | (DRIVING if (_number(values, "pedal_percent") or 0) > 0 else 0)
    row: dict[str, Value] = {
        "state": None if "key_on" not in values else 1 if values["key_on"] else 2,
        "charging": None if "charging" not in values else 1 if values["charging"] else 3,
        "drive_mode": 1,
        "voltage_v": _number(values, "pack_v"),
        "current_a": _number(values, "pack_a"),
        "dcdc": None,
        "gear": None if speed is None else gear,
        "accelerator_percent": _number(values, "pedal_percent"),
    }
    same = ("speed_kmh", "odometer_km", "soc_percent", "insulation_kohm", "brake_percent")
    return Group("vehicle", ({**row, **{name: _number(values, name) for name in same}},))


def _motor(values: Telemetry) -> Group:
    torque = _number(values, "motor_nm")
    row: dict[str, Value] = {
        "motor": 1,
        # 1 consumes, 2 generates, 3 off.
        "state": None if torque is None else 1 if torque > 0 else 2 if torque < 0 else 3,
        "controller_degc": _number(values, "controller_degc"),
        "speed_rpm": _number(values, "motor_rpm"),
        "torque_nm": torque,
        "temperature_degc": _number(values, "motor_degc"),
        "controller_v": _number(values, "pack_v"),
    }
    return Group("motors", (row,))


def _position(values: Telemetry) -> Group:
    latitude, longitude = _number(values, "latitude"), _number(values, "longitude")
    if latitude is None or longitude is None:
        row: dict[str, Value] = {"state": NOT_LOCATED, "coordinates": 1, "longitude_deg": 0, "latitude_deg": 0}
    else:
        state = (SOUTH if latitude < 0 else 0) | (WEST if longitude < 0 else 0)
        # Coordinates 1: WGS 84.
        row = {"state": state, "coordinates": 1, "longitude_deg": abs(longitude), "latitude_deg": abs(latitude)}
    return Group("position", (row,))


def _alarms(values: Telemetry) -> Group:
    row: dict[str, Value] = {
        "level": _number(values, "alarm_level") or 0,
        "alarms": _number(values, "alarms") or 0,
        **dict.fromkeys(("battery", "motor", "engine", "other", "levels"), ()),
    }
    return Group("alarms", (row,))


def _extremes(cells: tuple[float, ...], temperatures: tuple[float, ...]) -> Group:
    row: dict[str, Value] = {"highest_pack": 1, "lowest_pack": 1, "hottest_pack": 1, "coldest_pack": 1}
    row |= {"highest_v": max(cells), "highest_cell": cells.index(max(cells)) + 1}
    row |= {"lowest_v": min(cells), "lowest_cell": cells.index(min(cells)) + 1}
    row |= {"hottest_degc": max(temperatures), "hottest_probe": temperatures.index(max(temperatures)) + 1}
    row |= {"coldest_degc": min(temperatures), "coldest_probe": temperatures.index(min(temperatures)) + 1}
    return Group("extremes", (row,))


def _cells(values: Telemetry, cells: tuple[float, ...]) -> Group:
    row: dict[str, Value] = {
        "pack": 1,
        "voltage_v": _number(values, "pack_v"),
        "current_a": _number(values, "pack_a"),
        "cells": len(cells),
        "first_cell": 1,
        "cells_v": cells[:_MOST_CELLS],
    }
    return Group("cells", (row,))


def _number(values: Telemetry, name: str) -> float | None:
    value = values.get(name)
    return value if isinstance(value, int | float) else None


def _list(values: Telemetry, name: str) -> tuple[float, ...]:
    value = values.get(name)
    return tuple(value) if isinstance(value, Sequence) else ()


def _wire(values: Telemetry, name: str, times: int, width: int) -> bytes:
    value = _number(values, name)
    return b"" if value is None else _within(value * times, (1 << 8 * width) - 1).to_bytes(width)


def _within(value: float | None, most: int) -> int:
    return min(most, max(0, round(value or 0)))
