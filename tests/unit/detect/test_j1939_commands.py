from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from busgate.detect.j1939_commands import COMMANDS, is_destination_specific
from busgate.detect.rules import RULES
from busgate.detect.vehicle import VehicleDetector
from busgate.model import GLOBAL_ADDRESS, Act, Argument, Party, Subsystem
from support.detected import BMS, BRAKES, PROFILE, TBOX, UNITS, VCU, detector, group, raw

VECTORS = Path(__file__).parents[2] / "vectors" / "j1939_command_pgns.json"
ROWS: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]

COMMANDS_NOTHING = {Act.READ, Act.SEND}

# Groups of the published list that answer or carry: what a transfer carries is judged by its own number.
CARRIERS = {0xEE00, 0xEC00, 0xEB00, 0xC800, 0xC700}
REQUESTS = {0xEA00, 0xC900}

FITTING = {
    "drive": {Subsystem.DRIVE, Subsystem.BRAKES},
    "drive-motor": {Subsystem.DRIVE},
    "drive-brake-status/ctrl": {Subsystem.BRAKES},
    "bms-hv-contactor": {Subsystem.BMS},
    "bms-thermal": {Subsystem.BMS},
    "dcdc": {Subsystem.HIGH_VOLTAGE},
    "power-converter": {Subsystem.HIGH_VOLTAGE},
    "aux-inverter": {Subsystem.HIGH_VOLTAGE},
    "charging": {Subsystem.CHARGING},
    "body/aux-command": {Subsystem.BODY},
    "proprietary-p2p": {Subsystem.UNKNOWN},
    "diagnostic-write": {Subsystem.UNKNOWN},
    "network-mgmt": {Subsystem.UNKNOWN},
    "iso-tp-carrier": {Subsystem.UNKNOWN},
    "transport": {Subsystem.UNKNOWN},
    "request": {Subsystem.UNKNOWN},
}

commanding = pytest.mark.parametrize(
    "row", [row for row in ROWS if row["pgn"] not in CARRIERS | REQUESTS], ids=lambda row: str(row["acronym"])
)


def test_the_published_list_has_its_144_groups() -> None:
    assert len(ROWS) == 144


@commanding
@pytest.mark.parametrize("data", [b"", bytes(8), b"\xff" * 8, bytes(range(8)), b"\x01"], ids=lambda data: data.hex())
def test_every_commanding_group_from_the_t_box_is_a_command(row: dict[str, Any], data: bytes) -> None:
    command = detector().command(group(row["pgn"], data))
    assert command.act not in COMMANDS_NOTHING
    assert command.subsystem in FITTING[row["class"]]
    assert command.rule in RULES
    assert command.name == row["acronym"]
    assert command.source == Party("T-box", TBOX)


@commanding
def test_an_announced_transfer_of_a_commanding_group_is_a_command_already(row: dict[str, Any]) -> None:
    command = detector().command(group(row["pgn"], length=20))
    assert command.act not in COMMANDS_NOTHING
    assert command.subsystem in FITTING[row["class"]]


@pytest.mark.parametrize("pgn", sorted(CARRIERS))
def test_carriers_and_answers_command_nothing_themselves(pgn: int) -> None:
    command = detector().command(group(pgn, bytes(8), da=VCU))
    assert command.act is Act.SEND
    assert command.rule == ("j1939.address-claim" if pgn == 0xEE00 else "traffic.unlisted")


def test_the_table_has_the_names_of_the_published_list() -> None:
    published = {row["pgn"]: (row["acronym"], row["label"]) for row in ROWS if row["pgn"] in COMMANDS}
    assert {pgn: (COMMANDS[pgn].acronym, COMMANDS[pgn].label) for pgn in published} == published


def test_every_row_names_a_rule_that_exists() -> None:
    for known in COMMANDS.values():
        assert (known.rule or f"command.{known.subsystem}") in RULES


def test_destination_specific_groups_are_listed_without_their_destination() -> None:
    assert all(pgn & 0xFF == 0 for pgn in COMMANDS if is_destination_specific(pgn))


# ---------------------------------------------------------------- what the bytes say


@pytest.mark.parametrize(
    ("pgn", "data", "act", "arguments"),
    [
        # TSC1: torque control, highest priority, 1000 rpm not used (FFFF), -25 %.
        (
            0x0000,
            "02ffff64ffffffff",
            Act.SET,
            {
                "override_control_mode": ("torque control", ""),
                "override_priority": ("highest", ""),
                "requested_torque": (-25, "%"),
            },
        ),
        # TSC1: speed control at 1,500 rpm.
        (0x0000, "f1e02effffffffff", Act.SET, {"requested_speed": (1500.0, "rpm"), "override_priority": ("low", "")}),
        (
            0x0000,
            "c3007d7d",
            Act.LIMIT,
            {"override_control_mode": ("speed/torque limit", ""), "requested_torque": (0, "%")},
        ),
        # XBR: -5 m/s2 is (-5 + 15.687) * 2048 = 21887 = 557F; highest priority, maximum mode.
        (
            0x0400,
            "7f55e0fa00000000",
            Act.SET,
            {
                "external_acceleration_demand": (-4.999988, "m/s2"),
                "xbr_control_mode": ("maximum mode", ""),
                "xbr_priority": ("highest", ""),
                "xbr_urgency": (100.0, "%"),
            },
        ),
        (0x1B00, "fd", Act.ENABLE, {"hv_bus_connect": ("connect", "")}),
        (0x1B00, "fc", Act.STOP, {"hv_bus_connect": ("disconnect", "")}),
        (0x1B00, "f5", Act.STOP, {"hv_bus_connect": ("connect", ""), "power_down": ("on", "")}),
        (0x1B00, "fffd", Act.SET, {"cell_balancing": ("on", "")}),
        (0xE000, "7d8025", Act.SET, {"requested_fan_speed": (50.0, "%"), "cab_temperature_command": (27.0, "degC")}),
        (0xE300, "05", Act.ROUTINE, {"test_identifier": (5, "")}),
        (0xDF00, "3c", Act.SILENCE, {"current_data_link": ("stop", ""), "j1939_network_1": ("stop", "")}),
        (0xDF00, "ffffff02780080ff", Act.SILENCE, {"suspend_signal": (2, ""), "suspend_duration": (120, "s")}),
        (0xD900, "0115", Act.WRITE, {"command": ("write", "")}),
        (0xD900, "0113", Act.READ, {"command": ("read", "")}),
        (0xD900, "0111", Act.CLEAR, {"command": ("erase", "")}),
        (0xD900, "011d", Act.FLASH, {"command": ("boot load", "")}),
        (0xD900, "0119", Act.SEND, {"command": ("operation completed", "")}),
        (0xC300, "11", Act.CLEAR, {"control": ("clear active", "")}),
        (0xDE00, "fd", Act.RESET, {"trip_group_1": ("on", "")}),
        (0xFED8, "0102030405060708fe", Act.SET, {"new_address": (0xFE, "")}),
        (0x2600, "0a0b", Act.SET, {"data": ("0a0b", "")}),
    ],
)
def test_the_bytes_tell_act_and_arguments(
    pgn: int, data: str, act: Act, arguments: dict[str, tuple[float | str, str]]
) -> None:
    command = detector().command(group(pgn, bytes.fromhex(data)))
    assert command.act is act
    assert {name: command.arguments[name] for name in arguments} == {
        name: Argument(value, unit) for name, (value, unit) in arguments.items()
    }


def test_what_is_not_available_is_no_argument() -> None:
    command = detector().command(group(0x0400, b"\xff" * 8))
    assert "external_acceleration_demand" not in command.arguments
    assert "xbr_control_mode" not in command.arguments


def test_an_announced_transfer_tells_how_long_it_will_be() -> None:
    command = detector().command(group(0xEF00, length=1785, da=VCU))
    assert command.arguments == {"length": Argument(1785, "bytes")}


def test_long_payloads_are_cut() -> None:
    command = detector().command(group(0xEF00, bytes(1785), da=VCU))
    assert command.arguments == {"data": Argument("00" * 64), "length": Argument(1785, "bytes")}


# ---------------------------------------------------------------- who is reached


@pytest.mark.parametrize(
    ("pgn", "da", "subsystem", "target", "rule"),
    [
        (0x0000, VCU, Subsystem.DRIVE, Party("VCU", VCU), "command.drive"),
        (0x0000, 0x80, Subsystem.BRAKES, Party("RETARDER", 0x80), "command.brakes"),
        # A group with a subsystem of its own is not played down by who it is sent to.
        (0x0000, 0x19, Subsystem.DRIVE, Party("HVAC", 0x19), "command.drive"),
        (0x0000, 0x77, Subsystem.DRIVE, Party("", 0x77), "command.drive"),
        (0x1B00, BMS, Subsystem.BMS, Party("BMS", BMS), "command.bms"),
        (0xDE00, BRAKES, Subsystem.BRAKES, Party("EBS", BRAKES), "j1939.reset"),
        (0xDF00, GLOBAL_ADDRESS, Subsystem.UNKNOWN, Party("all nodes", 0xFF), "j1939.silence"),
        (0x9300, VCU, Subsystem.DRIVE, Party("VCU", VCU), "j1939.address-command"),
        (0xEF00, BMS, Subsystem.BMS, Party("BMS", BMS), "command.unknown"),
        (0xEF00, 0x77, Subsystem.UNKNOWN, Party("", 0x77), "command.unknown"),
        (0xEF00, 0x00, Subsystem.DRIVE, Party("engine 1", 0x00), "command.unknown"),
        (0x2500, 0x19, Subsystem.HVAC, Party("HVAC", 0x19), "command.unknown"),
        # Broadcast groups reach all, whatever their low byte looks like.
        (0xF127, VCU, Subsystem.TELEMATICS, Party("all nodes", 0xFF), "traffic.unlisted"),
    ],
)
def test_the_target_refines_the_subsystem(pgn: int, da: int, subsystem: Subsystem, target: Party, rule: str) -> None:
    command = detector().command(group(pgn, bytes(8), da=da))
    assert (command.subsystem, command.target, command.rule) == (subsystem, target, rule)


def test_the_source_is_the_t_box_whatever_address_it_claims() -> None:
    command = detector().command(group(0x0000, bytes(8), sa=VCU))
    assert command.source == Party("T-box", VCU)


# ---------------------------------------------------------------- requests, unknown and ordinary groups


@pytest.mark.parametrize("pgn", sorted(REQUESTS))
@pytest.mark.parametrize(
    ("data", "act", "rule", "requested"),
    [
        ("eefe00", Act.READ, "j1939.request", "PGN 0xFEEE"),
        ("ccfe00", Act.CLEAR, "j1939.clear", "DM3"),
        ("d3fe00", Act.CLEAR, "j1939.clear", "DM11"),
        ("d3fe00ffffffffff", Act.CLEAR, "j1939.clear", "DM11"),
        ("d3fe", Act.READ, "j1939.request", None),
    ],
)
def test_to_request_dm3_or_dm11_is_to_clear(pgn: int, data: str, act: Act, rule: str, requested: str | None) -> None:
    command = detector().command(group(pgn, bytes.fromhex(data), da=VCU))
    assert (command.act, command.rule, command.subsystem) == (act, rule, Subsystem.DRIVE)
    assert command.arguments == ({} if requested is None else {"requested": Argument(requested)})


@pytest.mark.parametrize(
    ("pgn", "name"),
    [
        (0xEF00, "PropA"),
        (0x1EF00, "PropA2"),
        (0xFF00, "PropB 0xFF00"),
        (0xFFFF, "PropB 0xFFFF"),
        (0x1FF00, "PropB 0x1FF00"),
        (0x1FFFF, "PropB 0x1FFFF"),
        (0x4200, "PGN 0x4200"),
        (0x14200, "PGN 0x14200"),
        (0x2FEF1, "PGN 0x2FEF1"),
        (0x3FF12, "PGN 0x3FF12"),
    ],
)
def test_what_no_standard_explains_is_an_unknown_command(pgn: int, name: str) -> None:
    command = detector().command(group(pgn, b"\x01\x02"))
    assert (command.name, command.act, command.rule) == (name, Act.SET, "command.unknown")
    assert command.subsystem is Subsystem.UNKNOWN
    assert command.arguments == {"data": Argument("0102")}


@pytest.mark.parametrize(
    ("pgn", "name"),
    [
        (0xFEF1, None),  # a broadcast of the standard
        (0xFEE0, None),
        (0x1FE00, None),
        (0xFF42, None),  # proprietary, but seen at commissioning
        (0xFF43, "TB_Status"),  # proprietary, but the DBC has it
        (0xEF00, "TB_ToCluster"),
        (0x4200, "TB_Addressed"),
    ],
)
def test_ordinary_traffic_commands_nothing_known(pgn: int, name: str | None) -> None:
    command = detector().command(group(pgn, bytes(8), name=name))
    assert (command.act, command.rule) == (Act.SEND, "traffic.unlisted")
    assert command.name == (name or f"PGN 0x{pgn:04X}")


def test_an_addressed_proprietary_group_stays_unknown_though_it_was_seen_at_commissioning() -> None:
    assert detector().command(group(0xEF00, bytes(8), da=VCU)).rule == "command.unknown"


def test_a_commanding_group_in_the_dbc_has_its_arguments() -> None:
    command = detector().command(group(0x0000, bytes(8), da=VCU, name="TSC1_TB", values={"Torque": 5, "Mode": "N/A"}))
    assert (command.name, command.rule, command.act) == ("TSC1_TB", "command.drive", Act.SET)
    assert command.arguments == {"Torque": Argument(5)}


def test_groups_that_command_nothing_have_the_names_handed_in() -> None:
    watch = VehicleDetector(PROFILE, UNITS, raw, {0xFEF1: "CCVS1"}.get)
    assert watch.command(group(0xFEF1, bytes(8))).name == "CCVS1"
    assert watch.command(group(0xEA00, b"\xf1\xfe\x00")).arguments == {"requested": Argument("CCVS1")}
    assert watch.command(group(0xFEF2, bytes(8))).name == "PGN 0xFEF2"
