from __future__ import annotations

from collections.abc import Mapping

import pytest

from busgate.detect.rules import RULES
from busgate.model import EXTENDED, Act, Argument, Party, Subsystem, Value
from support.detected import PROFILE, TBOX, VCU, detector, group, plain


@pytest.mark.parametrize(
    ("mode", "act", "rule"),
    [
        (b"\x00", Act.SEND, "traffic.unlisted"),
        (b"\x01", Act.LIMIT, "command.drive"),
        (b"\x02", Act.STOP, "command.drive"),
        (b"\x09", Act.SET, "command.drive"),
        (b"", Act.SET, "command.drive"),
    ],
)
def test_a_signal_picks_the_act(mode: bytes, act: Act, rule: str) -> None:
    command = detector().command(group(0xFF10, mode, name="TB_Drive", values={"Limit": 20.0}, da=VCU))
    assert (command.act, command.rule, command.subsystem) == (act, rule, Subsystem.DRIVE)
    assert command.arguments == {"Limit": Argument(20.0, "km/h")}


def test_a_marked_message_is_called_by_its_dbc_name() -> None:
    command = detector().command(plain(0x300, b"\x01", name="TB_Drive", values={"Limit": 5}))
    assert command.name == "TB_Drive"
    assert command.source == Party("T-box", None)


def test_values_that_are_not_available_are_no_arguments() -> None:
    values: Mapping[str, Value] = {"A": "Not available", "B": "SNA", "C": 0, "D": "On"}
    command = detector().command(plain(0x300, b"\x01", name="TB_Drive", values=values))
    assert command.arguments == {"C": Argument(0), "D": Argument("On")}


def test_the_marks_target_is_the_ecu_it_names() -> None:
    values: Mapping[str, Value] = {"Request": "Open", "Speed": 0}
    assert detector().command(plain(0x310, b"\x01", name="TB_Doors", values=values)).target == Party("DCU", 0x740)


def test_without_a_named_ecu_the_destination_is_the_target() -> None:
    command = detector().command(group(0x1200, b"\x01", name="TB_Drive", da=VCU))
    assert command.target == Party("VCU", VCU)
    assert command.source == Party("T-box", TBOX)


@pytest.mark.parametrize(
    ("values", "data", "idle"),
    [
        ({"Request": "No request", "Speed": 0}, b"\x00\x00", True),
        ({"Request": "No request", "Speed": 0.0}, b"\x00\x00", True),
        ({"Request": "Open", "Speed": 0}, b"\x01\x00", False),
        ({"Request": "No request", "Speed": 1.5}, b"\x00\x03", False),
        # A label listed by its number.
        ({"Request": "Invalid", "Speed": 0}, b"\x03\x00", True),
        # A number is idle by its physical value only: raw 0 of a scaled signal may be full torque.
        ({"Request": "No request", "Speed": -125}, b"\x00\x00", False),
        # Doubt means no.
        ({"Request": "No request"}, b"\x00\x00", False),
        ({}, b"\x00\x00", False),
    ],
)
def test_idle_needs_every_listed_signal_at_rest(values: dict[str, Value], data: bytes, idle: bool) -> None:
    command = detector().command(plain(0x310, data, name="TB_Doors", values=values))
    assert command.subsystem is Subsystem.DOORS
    assert (command.act, command.rule) == ((Act.SEND, "traffic.unlisted") if idle else (Act.ENABLE, "command.doors"))


def test_an_announced_message_is_never_idle() -> None:
    command = detector().command(
        group(0xFF11, length=30, name="TB_Doors", values={"Request": "No request", "Speed": 0})
    )
    assert command.act is Act.ENABLE


def test_a_marked_message_of_no_known_subsystem_is_an_unknown_command() -> None:
    command = detector().command(plain(0x311, b"\x01", name="TB_Mystery"))
    assert (command.rule, command.subsystem) == ("command.unknown", Subsystem.UNKNOWN)
    assert command.arguments == {"data": Argument("01")}


@pytest.mark.parametrize(
    ("can_id", "name", "called"), [(0x500, None, "id 0x500"), (0x321, "TB_Heartbeat", "TB_Heartbeat")]
)
def test_what_dbc_or_commissioning_knows_is_ordinary(can_id: int, name: str | None, called: str) -> None:
    command = detector().command(plain(can_id, b"\x01", name=name))
    assert (command.name, command.act, command.rule) == (called, Act.SEND, "traffic.unlisted")


def test_an_identifier_nobody_knows_is_an_unknown_command() -> None:
    command = detector().command(plain(0x123, b"\xca\xfe"))
    assert (command.name, command.act, command.rule) == ("id 0x123", Act.SET, "command.unknown")
    assert command.arguments == {"data": Argument("cafe")}


def test_unknown_29_bit_messages_share_a_name() -> None:
    first = detector().command(plain(EXTENDED | 0x12345678, b"\x01"))
    second = detector().command(plain(EXTENDED | 0x12345679, b"\x01"))
    assert first.name == second.name
    assert first.arguments["id"] == Argument("0x12345678")
    assert first.rule == "command.unknown"


def test_every_rule_a_mark_can_lead_to_exists() -> None:
    assert {f"command.{mark.subsystem}" for mark in PROFILE.commands} <= RULES.keys()
