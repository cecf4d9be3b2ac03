"""Which J1939 parameter groups command something, and what: one table.

Law: a group is here because its purpose is to make its receiver do something, whoever sends it. The act is the one
taken when the bytes say no more (a transfer that is only announced). Source: SAE J1939 Digital Annex (names and
numbers), J1939-71 (vehicle), J1939-73 (diagnostics), J1939-81 (network management).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from busgate.model import Act, Subsystem


class Known(NamedTuple):
    """A commanding parameter group.

    `follows_target`: the part of the vehicle is the addressed ECU's, as far as known; a group with a subsystem of its
    own follows only to another vital one, so that a guess about an address never plays it down.
    `rule` is set where another rule than the subsystem's own names it.
    """

    acronym: str
    label: str
    subsystem: Subsystem
    act: Act
    follows_target: bool = False
    rule: str = ""


_DRIVE, _BMS, _HV = Subsystem.DRIVE, Subsystem.BMS, Subsystem.HIGH_VOLTAGE
_BRAKES, _BODY, _ANY = Subsystem.BRAKES, Subsystem.BODY, Subsystem.UNKNOWN
_UNKNOWN, _MEMORY, _CLEAR = "command.unknown", "j1939.memory-access", "j1939.clear"
_ADDRESS = "j1939.address-command"

_VEHICLE: Mapping[int, Known] = {
    # TSC1 goes to engines, motors and retarders alike (J1939-71, PGN 0): the addressed one tells.
    0x0000: Known("TSC1", "Torque/Speed Control 1", _DRIVE, Act.SET, follows_target=True),
    0x0100: Known("TC1", "Transmission Control 1", _DRIVE, Act.SET),
    0x0400: Known("XBR", "External Brake Request", _BRAKES, Act.SET),
    0x0B00: Known("AEBS2", "Advanced Emergency Braking System 2", _BRAKES, Act.SET),
    0x0D00: Known("TC2", "Transmission Control 2", _DRIVE, Act.SET),
    0x1C00: Known("TC3", "Transmission Control 3", _DRIVE, Act.SET),
    0x8000: Known("HSC1", "Hybrid System Control 1", _DRIVE, Act.SET),
    0x8700: Known("ESR", "Engine State Requests", _DRIVE, Act.SET),
    0xCF00: Known("CTL", "Continuous Torque & Speed Limit Request", _DRIVE, Act.LIMIT),
    0xF0ED: Known("ENGSC", "Engine Start Control", _DRIVE, Act.ENABLE),
    0xF038: Known("ETFR", "Engine Torque / Fuel Request", _DRIVE, Act.SET),
    0xF0D3: Known("PCC1", "Predictive Cruise Control 1", _DRIVE, Act.SET),
    0xFCCE: Known("DSC", "Drive Strategy Command", _DRIVE, Act.SET),
    0xFEE4: Known("SHUTDN", "Shutdown", _DRIVE, Act.STOP),
    # Status of the brake and retarder controllers, which others obey: from a T-box it is a forged order.
    0xF000: Known("ERC1", "Electronic Retarder Controller 1", _BRAKES, Act.SET),
    0xF001: Known("EBC1", "Electronic Brake Controller 1", _BRAKES, Act.SET),
    0x1B00: Known("HVESSC1", "High Voltage Energy Storage System Control 1", _BMS, Act.SET),
    0xFC1A: Known("HVESSTC1", "HVESS Thermal Management System Control 1", _BMS, Act.SET),
    0xFC1B: Known("HVESSTC2", "HVESS Thermal Management System Control 2", _BMS, Act.SET),
    0xFBE6: Known("HVESSFC", "High Voltage Energy Storage System Fan Commands", _BMS, Act.SET),
    0xF112: Known("DCDC1C", "DC/DC Converter 1 Control", _HV, Act.SET),
    0xF118: Known("DCDC2C", "DC/DC Converter 2 Control", _HV, Act.SET),
    0xF11D: Known("DCDC3C", "DC/DC Converter 3 Control", _HV, Act.SET),
    0xF122: Known("DCDC4C", "DC/DC Converter 4 Control", _HV, Act.SET),
    0x5300: Known("EVSE1C1", "EVSE 1 Control 1", Subsystem.CHARGING, Act.SET),
    0xF0D6: Known("DCAC_AI1_CMD", "DC/AC Accessory Inverter 1 Command", _HV, Act.SET),
    0xF0DA: Known("DCAC_AI2_CMD", "DC/AC Accessory Inverter 2 Command", _HV, Act.SET),
    0xF0DE: Known("DCAC_AI3_CMD", "DC/AC Accessory Inverter 3 Command", _HV, Act.SET),
    0xF0E2: Known("DCAC_AI4_CMD", "DC/AC Accessory Inverter 4 Command", _HV, Act.SET),
    0xF12E: Known("DCAC_AI5_CMD", "DC/AC Accessory Inverter 5 Command", _HV, Act.SET),
    0xE000: Known("CM1", "Cab Message 1", _BODY, Act.SET),
    0x8500: Known("CM2", "Cab Message 2", _BODY, Act.SET),
    0x7D00: Known("EAMC", "Electrified Accessory Motor Command", _BODY, Act.SET),
    0xA900: Known("FLIC", "Forward Lane Image Command", _BODY, Act.SET),
    0xD200: Known("ASC2", "Air Suspension Control 2", _BODY, Act.SET),
    0xFE41: Known("LCMD", "Lighting Command", _BODY, Act.SET),
    0xD500: Known("TDA", "Time/Date Adjust", _ANY, Act.SET, follows_target=True, rule=_UNKNOWN),
    # Carriers of anything that are not unpacked here: unknown means alert.
    0x2500: Known("CMPDU", "CiA 602-2 Multi-PDU", _ANY, Act.SET, follows_target=True, rule=_UNKNOWN),
    0x4D00: Known(
        "FD.TP.CM", "FD Transport Protocol - Connection Mgmt", _ANY, Act.SET, follows_target=True, rule=_UNKNOWN
    ),
    0x4E00: Known(
        "FD.TP.DT", "FD Transport Protocol - Data Transfer", _ANY, Act.SET, follows_target=True, rule=_UNKNOWN
    ),
    0xCD00: Known("DIAG1", "Reserved for ISO 15765-2", _ANY, Act.SET, follows_target=True, rule=_UNKNOWN),
    0xCE00: Known("DIAG2", "Reserved for ISO 15765-2", _ANY, Act.SET, follows_target=True, rule=_UNKNOWN),
    0xDA00: Known("DIAG3", "Reserved for ISO 15765-2", _ANY, Act.SET, follows_target=True, rule=_UNKNOWN),
    0xDB00: Known("DIAG4", "Reserved for ISO 15765-2", _ANY, Act.SET, follows_target=True, rule=_UNKNOWN),
    # It alters how often an ECU reports, down to hardly ever (J1939-71, PGN 52224).
    0xCC00: Known("REQRR", "Request for Repetition Rate", _ANY, Act.SET, follows_target=True, rule=_UNKNOWN),
    0xDD00: Known("ATR", "Anti-theft Request", _ANY, Act.SET, follows_target=True, rule=_UNKNOWN),
}

_NETWORK: Mapping[int, Known] = {
    0xD900: Known("DM14", "Memory Access Request", _ANY, Act.WRITE, follows_target=True, rule=_MEMORY),
    0xD700: Known("DM16", "Binary Data Transfer", _ANY, Act.WRITE, follows_target=True, rule=_MEMORY),
    0xD600: Known("DM17", "Boot Load Data", _ANY, Act.FLASH, follows_target=True, rule=_MEMORY),
    0xD400: Known("DM18", "Data Security", _ANY, Act.UNLOCK, follows_target=True, rule=_MEMORY),
    0xE300: Known(
        "DM7", "Command Non-continuously Monitored Test", _ANY, Act.ROUTINE, follows_target=True, rule="j1939.test"
    ),
    0xDF00: Known("DM13", "Stop Start Broadcast", _ANY, Act.SILENCE, follows_target=True, rule="j1939.silence"),
    0xFECC: Known("DM3", "Diagnostic Data Clear/Reset for Previously Active DTCs", _ANY, Act.CLEAR, rule=_CLEAR),
    0xFED3: Known("DM11", "Diagnostic Data Clear/Reset for Active DTCs", _ANY, Act.CLEAR, rule=_CLEAR),
    0xC300: Known(
        "DM22",
        "Individual Clear/Reset Of Active And Previously Active DTC",
        _ANY,
        Act.CLEAR,
        follows_target=True,
        rule=_CLEAR,
    ),
    0xDE00: Known("RESET", "Reset", _ANY, Act.RESET, follows_target=True, rule="j1939.reset"),
    0xFED8: Known("CA", "Commanded Address", _ANY, Act.SET, follows_target=True, rule=_ADDRESS),
    0x9300: Known("NM", "NAME Management Message", _ANY, Act.SET, follows_target=True, rule=_ADDRESS),
}

# Inverters 1-6 of motors and generators; their groups lie apart, so each kind lists its six numbers.
_INVERTER: tuple[tuple[str, str, Act, tuple[int, ...]], ...] = (
    ("IC", "Control", Act.SET, (0x2600, 0x2700, 0xF208, 0xF20A, 0xF20C, 0xF20E)),
    ("IC2", "Control 2", Act.SET, (0x5700, 0x5600, 0xFB27, 0xFB22, 0xFB1D, 0xFB18)),
    ("IIR", "Isolation Integrity Request", Act.ROUTINE, (0x5A00, 0x5900, 0xFB2B, 0xFB26, 0xFB21, 0xFB1C)),
    ("IRLR1", "Rate Limits Request 1", Act.LIMIT, (0x2800, 0x2900, 0xF209, 0xF20B, 0xF20D, 0xF20F)),
    ("IRP", "Limits Request Power", Act.LIMIT, (0x6000, 0x5B00, 0xFB28, 0xFB23, 0xFB1E, 0xFB19)),
    ("ILRM", "Limits Request Mechanical", Act.LIMIT, (0x5F00, 0x5C00, 0xFB29, 0xFB24, 0xFB1F, 0xFB1A)),
    ("ILRDC", "Limits Request DC Side", Act.LIMIT, (0x5E00, 0x5D00, 0xFB2A, 0xFB25, 0xFB20, 0xFB1B)),
)

# Power converters 1 and 2.
_CONVERTER: tuple[tuple[str, str, Act, tuple[int, ...]], ...] = (
    ("IC1", "Control 1", Act.SET, (0xF06F, 0xF070)),
    ("IC2", "Control 2", Act.SET, (0xF074, 0xF073)),
    ("IIR", "Isolation Integrity Request", Act.ROUTINE, (0xFA69, 0xFA68)),
    ("IRLR1", "Rate Limits Request 1", Act.LIMIT, (0xF071, 0xF072)),
    ("IRP", "Limits Request Power", Act.LIMIT, (0xFA6F, 0xFA6A)),
    ("ILRM", "Limits Request Electrical", Act.LIMIT, (0xFA6E, 0xFA6B)),
    ("ILRDC", "Limits Request DC Energy Source 1", Act.LIMIT, (0xFA6D, 0xFA6C)),
)

# Battery packs 1-10, 11-22 and 23-26 (0x1B00 and 0x1C00 between them are HVESSC1 and TC3).
_PACKS = (*range(0x2A00, 0x3400, 0x100), *range(0x0F00, 0x1B00, 0x100), *range(0x1F00, 0x2300, 0x100))


def _families() -> Iterator[tuple[int, Known]]:
    for kind, label, act, pgns in _INVERTER:
        for number, pgn in enumerate(pgns, 1):
            yield pgn, Known(f"MG{number}{kind}", f"Motor/Generator {number} Inverter {label}", _DRIVE, act)
    for kind, label, act, pgns in _CONVERTER:
        for number, pgn in enumerate(pgns, 1):
            yield pgn, Known(f"PC{number}{kind}", f"Power Converter {number} {label}", _HV, act)
    for number, pgn in enumerate(_PACKS, 1):
        label = f"High Voltage Energy Storage Pack {number} Control 1"
        yield pgn, Known(f"HVESP{number}C1", label, _BMS, Act.SET)


COMMANDS: Mapping[int, Known] = {**_VEHICLE, **_NETWORK, **dict(_families())}
"""Commanding groups by number; destination-specific ones with the destination byte zero."""

REQUESTS: Mapping[int, str] = {0xEA00: "RQST", 0xC900: "RQST2"}
"""Groups that ask for another group (J1939-21, 5.4.2 and 5.4.6): bytes 1-3 name it, least significant first."""

CLEARED_BY_REQUEST: frozenset[int] = frozenset({0xFECC, 0xFED3})
"""Groups that nobody sends: to request DM3 or DM11 *is* to clear (J1939-73, 5.7.3 and 5.7.11)."""

ADDRESS_CLAIMED = 0xEE00

ORDINARY: Mapping[int, str] = {
    ADDRESS_CLAIMED: "AC",
    0xE800: "ACKM",
    0xEC00: "TP.CM",
    0xEB00: "TP.DT",
    0xC800: "ETP.CM",
    0xC700: "ETP.DT",
    0xD800: "DM15",
}
"""Groups that answer or carry and command nothing themselves; what a transfer carries is judged by its own number."""

PROPRIETARY_TO_ONE: Mapping[int, str] = {0xEF00: "PropA", 0x1EF00: "PropA2"}
"""Proprietary groups with a destination (J1939-21, 5.4.5): their meaning is the maker's alone."""


def is_proprietary_broadcast(pgn: int) -> bool:
    """Proprietary B: 65280-65535 and 130816-131071 (J1939-21, 5.4.5)."""
    return pgn & 0x1FF00 in (0xFF00, 0x1FF00) and pgn < 0x20000


def is_destination_specific(pgn: int) -> bool:
    """PDU1: a PDU format below 240 addresses one node (J1939-21, 5.2.4)."""
    return pgn >> 8 & 0xFF < 0xF0


def is_nameless(pgn: int) -> bool:
    """Whether a group that nobody described can mean anything: addressed or proprietary ones, and reserved numbers."""
    if pgn in COMMANDS or pgn in REQUESTS or pgn in ORDINARY:
        return False
    return is_destination_specific(pgn) or is_proprietary_broadcast(pgn) or pgn >= 0x20000
