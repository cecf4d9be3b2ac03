"""Values of GB/T 32960.3 reports that are more than one number: words, bits, and the lists of the alarms.

Law: as in `gb32960_values`, whose steps these extend. Words are those of 2016 (7.2.3) and 2025 (7.2.4), in English.
"""

from __future__ import annotations

from collections.abc import Mapping

from busgate.decode.gb32960_values import Fields, Step, missing

VEHICLE_STATES: Mapping[int, str] = {1: "started", 2: "off", 3: "other"}
CHARGING_STATES: Mapping[int, str] = {
    1: "parked charging",
    2: "driving charging",
    3: "not charging",
    4: "charging complete",
}
OPERATION_MODES: Mapping[int, str] = {1: "electric", 2: "hybrid", 3: "fuel"}
DCDC_STATES: Mapping[int, str] = {1: "working", 2: "disconnected"}
MOTOR_STATES: Mapping[int, str] = {1: "consuming", 2: "generating", 3: "off", 4: "ready"}
ENGINE_STATES: Mapping[int, str] = {1: "started", 2: "off"}
COORDINATES: Mapping[int, str] = {1: "WGS84", 2: "GCJ02", 3: "other"}
ALGORITHMS: Mapping[int, str] = {1: "SM2", 2: "RSA", 3: "ECC"}

ALARMS = (
    "temperature difference", "battery temperature high", "pack voltage high", "pack voltage low", "charge low",
    "cell voltage high", "cell voltage low", "charge high", "charge jumps", "packs do not match",
    "cells inconsistent", "insulation", "DC/DC temperature", "brakes", "DC/DC state", "motor controller temperature",
    "high-voltage interlock", "motor temperature", "pack overcharged", "motor speed high", "motor current high",
    "capacitor temperature", "capacitor pressure", "thermal event", "hydrogen leak", "hydrogen pressure",
    "hydrogen temperature", "stack temperature",
)  # fmt: skip
"""The general alarms from bit 0 (2016: table 18; those from "motor speed high" on are of 2025)."""

BRAKES_ON = 0x65
"""What the brake pedal says where it has no travel to tell (2016, table 9)."""


def gear(fields: Fields) -> bool:
    """Table A.1: the position in the low four bits, and above it whether there is driving and braking force."""
    wire = fields.number(1, "gear")
    if wire is None:
        return False
    low = wire & 0x0F
    position = {0: "N", 13: "R", 14: "D", 15: "P"}.get(low, str(low))
    # 2016 has no words for a gear that is not known, and its two highest bits are 0: all ones can only be these words.
    fields.values["gear"] = missing(wire, 1) or position
    fields.values |= {"driving_force": bool(wire & 0x20), "braking_force": bool(wire & 0x10)}
    return True


def gear_2025(fields: Fields) -> bool:
    """Table A.1 of 2025: bit 7 says that the position is not valid."""
    if not gear(fields):
        return False
    fields.values["gear_valid"] = not fields.data[fields.at - 1] & 0x80
    return True


def position_state(fields: Fields) -> bool:
    """2016: table 15; 2025: table 22. Bit 0 is set where there is no position."""
    wire = fields.number(1, "position_state")
    if wire is None:
        return False
    fields.values |= {
        "position_valid": not wire & 0x01,
        "latitude_hemisphere": "S" if wire & 0x02 else "N",
        "longitude_hemisphere": "W" if wire & 0x04 else "E",
    }
    return True


def brake(fields: Fields) -> bool:
    """2016, table 9: the travel, or only that the brakes are on."""
    wire = fields.number(1, "brake_pedal_percent")
    if wire is None:
        return False
    fields.values["brake_pedal_percent"] = missing(wire, 1) or ("on" if wire == BRAKES_ON else wire)
    return True


def general_alarms(fields: Fields) -> bool:
    """The word of general alarms: all of it in hexadecimal, and what its bits mean."""
    wire = fields.number(4, "general_alarm_flags")
    if wire is None:
        return False
    fields.values["general_alarm_flags"] = f"0x{wire:08X}"
    fields.values["general_alarms"] = [name for bit, name in enumerate(ALARMS) if wire >> bit & 1]
    return True


def fault_codes(name: str) -> Step:
    """Codes of the vehicle's maker, four bytes each, in hexadecimal."""

    def step(fields: Fields) -> bool:
        count = fields.number(1, name)
        if count is None:
            return False
        if word := missing(count, 1):
            fields.values[name] = word
            return True
        taken = fields.take(4 * count, name)
        if taken is None:
            return False
        fields.values[name] = [taken[at : at + 4].hex() for at in range(0, len(taken), 4)]
        return True

    return step


def alarm_levels(fields: Fields) -> bool:
    """2025: the general alarms that are on, as bit number and level."""
    count = fields.number(1, "general_alarm_levels")
    if count is None:
        return False
    if word := missing(count, 1):
        fields.values["general_alarm_levels"] = word
        return True
    taken = fields.take(2 * count, "general_alarm_levels")
    if taken is None:
        return False
    fields.values["general_alarm_levels"] = [
        {"alarm": ALARMS[bit] if bit < len(ALARMS) else f"0x{bit:02X}", "level": level}
        for bit, level in zip(taken[::2], taken[1::2], strict=True)
    ]
    return True
