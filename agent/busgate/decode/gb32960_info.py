"""The kinds of data in a report of GB/T 32960.3: 2016 (7.2.3, tables 9 to 20) and 2025 (7.2.4), as layouts.

Law: a kind is its number, its name and its values in the order of the wire; units are in the names (_c is degrees
Celsius), the rest is as `gb32960_values` says. Longitude and latitude have no sign: the hemispheres are beside them.
2025's fuel cell, stack and capacitor layouts are from two public implementations that agree, not from the text.
2016's highest hydrogen concentration is shown without a bias: implementations differ in whether it has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from busgate.decode.gb32960_names import Y2016, Y2025
from busgate.decode.gb32960_signals import (
    ALGORITHMS,
    CHARGING_STATES,
    COORDINATES,
    DCDC_STATES,
    ENGINE_STATES,
    MOTOR_STATES,
    OPERATION_MODES,
    VEHICLE_STATES,
    alarm_levels,
    brake,
    fault_codes,
    gear,
    gear_2025,
    general_alarms,
    position_state,
)
from busgate.decode.gb32960_values import Layout, Step, choice, number, numbers, rows, sized_hex

SIGNATURE = 0xFF
CUSTOM = range(0x80, 0xFF)


class Kind(NamedTuple):
    """One kind of data: what the standard calls it, and its values."""

    name: str
    layout: Layout


def _vehicle(current_bias: int, gear_step: Step) -> Layout:
    return (
        choice("vehicle_state", VEHICLE_STATES),
        choice("charging_state", CHARGING_STATES),
        choice("operation_mode", OPERATION_MODES),
        number("speed_kmh", 2, 10),
        number("mileage_km", 4, 10),
        number("total_voltage_v", 2, 10),
        number("total_current_a", 2, 10, current_bias),
        number("soc_percent"),
        choice("dcdc_state", DCDC_STATES),
        gear_step,
        number("insulation_resistance_kohm", 2),
    )


def _motor(speed_bias: int, torque: Step) -> Layout:
    return (
        number("motor_number"),
        choice("motor_state", MOTOR_STATES),
        number("controller_temperature_c", bias=40),
        number("speed_rpm", 2, bias=speed_bias),
        torque,
        number("motor_temperature_c", bias=40),
    )


def _hydrogen(*temperature: Step, concentration: Step) -> Layout:
    return (
        *temperature,
        number("hydrogen_max_temperature_probe"),
        concentration,
        number("hydrogen_max_concentration_sensor"),
        number("hydrogen_max_pressure_mpa", 2, 10),
        number("hydrogen_max_pressure_sensor"),
        choice("high_voltage_dcdc_state", DCDC_STATES),
    )


def _extremes(of: str, code_size: int) -> Layout:
    """Highest and lowest voltage and temperature, each with where it is: `of` names what has the cells and probes."""
    return (
        *(number(f"max_voltage_{of}_number"), number("max_voltage_cell_code", code_size)),
        *(number("max_cell_voltage_v", 2, 1000), number(f"min_voltage_{of}_number")),
        *(number("min_voltage_cell_code", code_size), number("min_cell_voltage_v", 2, 1000)),
        *(number(f"max_temperature_{of}_number"), number("max_temperature_probe_code", code_size)),
        *(number("max_temperature_c", bias=40), number(f"min_temperature_{of}_number")),
        *(number("min_temperature_probe_code", code_size), number("min_temperature_c", bias=40)),
    )


_PLACE: Layout = (number("longitude_deg", 4, 1_000_000), number("latitude_deg", 4, 1_000_000))
_FAULTS: Layout = (
    number("max_alarm_level"),
    general_alarms,
    *(fault_codes(f"{name}_faults") for name in ("battery", "motor", "engine", "other")),
)


def _probes(of: str) -> Layout:
    return (rows(f"{of}s", (number(f"{of}_number"), numbers("temperatures_c", 2, bias=40))),)


_STACK: Layout = (
    number("stack_number"),
    number("voltage_v", 2, 10),
    number("current_a", 2, 10),
    number("hydrogen_inlet_pressure_kpa", 2, 10, 1000),
    number("air_inlet_pressure_kpa", 2, 10, 1000),
    number("air_inlet_temperature_c", bias=40),
    numbers("coolant_outlet_temperatures_c", 2, bias=40),
)

_CAPACITOR: Layout = (
    number("system_number"),
    number("total_voltage_v", 2, 10),
    number("total_current_a", 2, 10, 30_000),
    numbers("cell_voltages_v", 2, 2, 1000),
    numbers("temperatures_c", 2, bias=40),
)

_SIGNATURE: Layout = (choice("algorithm", ALGORITHMS), sized_hex("r"), sized_hex("s"))

_CUSTOM: Layout = (sized_hex("data"),)

_KINDS_2016: Mapping[int, Kind] = {
    0x01: Kind("vehicle", (*_vehicle(10_000, gear), number("accelerator_pedal_percent"), brake)),
    0x02: Kind(
        "drive_motors",
        (
            rows(
                "motors",
                (
                    *_motor(20_000, number("torque_nm", 2, 10, 20_000)),
                    number("controller_input_voltage_v", 2, 10),
                    number("controller_dc_bus_current_a", 2, 10, 10_000),
                ),
            ),
        ),
    ),
    0x03: Kind(
        "fuel_cell",
        (
            number("voltage_v", 2, 10),
            number("current_a", 2, 10),
            number("fuel_consumption_kg_100km", 2, 100),
            numbers("temperatures_c", 2, bias=40),
            *_hydrogen(
                number("hydrogen_max_temperature_c", 2, 10, 400),
                concentration=number("hydrogen_max_concentration_mg_kg", 2),
            ),
        ),
    ),
    0x04: Kind(
        "engine",
        (
            choice("engine_state", ENGINE_STATES),
            number("crankshaft_speed_rpm", 2),
            number("fuel_consumption_l_100km", 2, 100),
        ),
    ),
    0x05: Kind("location", (position_state, *_PLACE)),
    0x06: Kind("extremes", _extremes("subsystem", 1)),
    0x07: Kind("alarms", _FAULTS),
    0x08: Kind(
        "cell_voltages",
        (
            rows(
                "subsystems",
                (
                    number("subsystem_number"),
                    number("voltage_v", 2, 10),
                    number("current_a", 2, 10, 10_000),
                    number("cell_count", 2),
                    number("frame_first_cell", 2),
                    numbers("cell_voltages_v", 1, 2, 1000),
                ),
            ),
        ),
    ),
    0x09: Kind("cell_temperatures", _probes("subsystem")),
    **dict.fromkeys(CUSTOM, Kind("user_defined", _CUSTOM)),
}

_KINDS_2025: Mapping[int, Kind] = {
    0x01: Kind("vehicle", _vehicle(30_000, gear_2025)),
    0x02: Kind("drive_motors", (rows("motors", _motor(32_000, number("torque_nm", 4, 10, 200_000))),)),
    0x03: Kind(
        "fuel_cell",
        (
            *_hydrogen(
                number("hydrogen_max_temperature_c", 2, bias=40),
                concentration=number("hydrogen_max_concentration_percent", 2, 10_000),
            ),
            number("remaining_hydrogen_percent"),
            number("high_voltage_dcdc_temperature_c", bias=40),
        ),
    ),
    0x04: Kind("engine", (number("crankshaft_speed_rpm", 2),)),
    0x05: Kind("location", (position_state, choice("coordinate_system", COORDINATES), *_PLACE)),
    0x06: Kind("alarms", (*_FAULTS, alarm_levels)),
    0x07: Kind(
        "cell_voltages",
        (
            rows(
                "packs",
                (
                    number("pack_number"),
                    number("voltage_v", 2, 10),
                    number("current_a", 2, 10, 30_000),
                    numbers("cell_voltages_v", 2, 2, 1000),
                ),
            ),
        ),
    ),
    0x08: Kind("cell_temperatures", _probes("pack")),
    0x30: Kind("fuel_cell_stacks", (rows("stacks", _STACK),)),
    0x31: Kind("supercapacitor", _CAPACITOR),
    0x32: Kind("supercapacitor_extremes", _extremes("system", 2)),
    **dict.fromkeys(CUSTOM, Kind("user_defined", _CUSTOM)),
    SIGNATURE: Kind("signature", _SIGNATURE),
}

KINDS: Mapping[str, Mapping[int, Kind]] = {Y2016: _KINDS_2016, Y2025: _KINDS_2025}
"""Tables 8 (2016) and 9 (2025): the kinds of data by edition and number."""

RESERVED = Kind("reserved", _CUSTOM)
"""Platform exchange and reserved numbers: no layout is published; those that are met have a length, as 80-FE have."""
