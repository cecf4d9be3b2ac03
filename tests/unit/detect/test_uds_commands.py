from __future__ import annotations

import json
from pathlib import Path

import pytest

from busgate.detect.rules import RULES
from busgate.model import Act, Argument, DiagnosticKind, Party, Subsystem
from support.detected import BRAKES, TESTER, VCU, detector, uds

VECTORS = Path(__file__).parents[2] / "vectors" / "uds.json"


@pytest.mark.parametrize(
    ("payload", "act", "rule"),
    [
        ("1001", Act.ENABLE, "uds.default-session"),
        ("1081", Act.ENABLE, "uds.default-session"),
        ("1002", Act.FLASH, "uds.programming"),
        ("1082", Act.FLASH, "uds.programming"),
        ("1003", Act.ENABLE, "uds.session"),
        ("1004", Act.ENABLE, "uds.session"),
        ("1060", Act.ENABLE, "uds.session"),
        ("10", Act.ENABLE, "uds.session"),
        ("1101", Act.RESET, "uds.reset"),
        ("14ffffff", Act.CLEAR, "uds.clear"),
        ("1902ff", Act.READ, "uds.read"),
        ("22f190", Act.READ, "uds.read"),
        ("23120400", Act.READ, "uds.read"),
        ("24f190", Act.READ, "uds.read"),
        ("2701", Act.UNLOCK, "uds.unlock"),
        ("2702aabb", Act.UNLOCK, "uds.unlock"),
        ("2803", Act.SILENCE, "uds.silence"),
        ("2900", Act.UNLOCK, "uds.unlock"),
        ("2a01f1", Act.READ, "uds.read"),
        ("2c01", Act.SET, "uds.other"),
        ("2ef19001", Act.WRITE, "uds.write"),
        ("2f123403ff", Act.IO_CONTROL, "uds.io-control"),
        ("31010203", Act.ROUTINE, "uds.routine"),
        ("340011", Act.FLASH, "uds.programming"),
        ("350011", Act.FLASH, "uds.programming"),
        ("3601", Act.FLASH, "uds.programming"),
        ("37", Act.FLASH, "uds.programming"),
        ("3801", Act.FLASH, "uds.programming"),
        ("3d", Act.WRITE, "uds.write"),
        ("3e00", Act.READ, "uds.read"),
        ("8301", Act.SET, "uds.other"),
        ("84", Act.WRITE, "uds.write"),
        ("8502", Act.SILENCE, "uds.silence"),
        ("8600", Act.SET, "uds.other"),
        ("8701", Act.SET, "uds.other"),
        ("04", Act.CLEAR, "uds.clear"),
        ("0801", Act.ROUTINE, "uds.routine"),
        ("0902", Act.READ, "uds.read"),
        ("3b01", Act.SET, "uds.other"),  # WriteDataByLocalIdentifier of KWP2000
        ("ba01", Act.SET, "uds.other"),  # supplier's own
    ],
)
def test_every_service_has_its_act_and_rule(payload: str, act: Act, rule: str) -> None:
    command = detector().command(uds(bytes.fromhex(payload)))
    assert (command.act, command.rule) == (act, rule)
    assert command.rule in RULES
    assert command.subsystem is Subsystem.DRIVE
    assert command.target == Party("VCU", VCU)
    assert command.source == Party("T-box", TESTER)


def test_no_state_altering_service_of_the_public_vectors_is_told_as_reading() -> None:
    rows = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
    requests = [row for row in rows if row["kind"] == "request"]
    assert len(requests) > 50
    for row in requests:
        command = detector().command(uds(bytes.fromhex(row["hex"]), service=row["service"]))
        assert (command.act is Act.READ) is not row["alters_state"], row
        assert command.name == row["service"]


@pytest.mark.parametrize("sid", range(256))
def test_any_sid_is_a_command_with_a_rule(sid: int) -> None:
    command = detector().command(uds(bytes([sid])))
    assert command.rule in RULES
    assert command.act is not Act.SEND


@pytest.mark.parametrize(
    ("target", "subsystem", "party"),
    [
        (BRAKES, Subsystem.BRAKES, Party("EBS", BRAKES)),
        (0x77, Subsystem.UNKNOWN, Party("", 0x77)),
        (0x00, Subsystem.DRIVE, Party("engine 1", 0x00)),
        (0x733, Subsystem.HVAC, Party("HVAC", 0x733)),
        (0x740, Subsystem.DOORS, Party("DCU", 0x740)),
        (0x7A0, Subsystem.UNKNOWN, Party("", 0x7A0)),
    ],
)
def test_the_target_is_the_profiles_ecu(target: int, subsystem: Subsystem, party: Party) -> None:
    command = detector().command(uds(b"\x11\x01", target=target))
    assert (command.subsystem, command.target) == (subsystem, party)


def test_on_11_bit_identifiers_the_t_box_has_no_address() -> None:
    assert detector().command(uds(b"\x11\x01", target=0x733)).source == Party("T-box", None)


@pytest.mark.parametrize("target", [0xFF, 0x7DF])
def test_a_functional_request_reaches_all_ecus(target: int) -> None:
    command = detector().command(uds(b"\x11\x01", target=target, functional=True))
    assert (command.subsystem, command.target) == (Subsystem.UNKNOWN, Party("all ECUs", target))


@pytest.mark.parametrize("kind", [DiagnosticKind.POSITIVE, DiagnosticKind.NEGATIVE])
@pytest.mark.parametrize("target", [VCU, 0x733])
def test_an_answer_of_the_t_box_commands_nothing(kind: DiagnosticKind, target: int) -> None:
    command = detector().command(uds(b"\x62\xf1\x90", kind=kind, service="ReadDID", target=target))
    assert (command.act, command.rule, command.name) == (Act.SEND, "traffic.unlisted", "ReadDID response")


@pytest.mark.parametrize(
    ("payload", "arguments"),
    [
        ("1003", {"session": "extended"}),
        ("1060", {"session": "0x60"}),
        ("1101", {"reset": "hard"}),
        ("14ffffff", {"group": "0xFFFFFF"}),
        ("2701", {"level": 1, "step": "request seed"}),
        ("2704aabb", {"level": 2, "step": "send key"}),
        ("2883fe", {"control": "disable receiving and sending", "communication_type": "0xFE"}),
        ("8502", {"setting": "off"}),
        ("2f12340355", {"control": "short term adjustment", "data": "55"}),
        ("2ef190414243", {"data": "414243"}),
        ("2301", {}),
        ("2312100204", {"address": "0x1002", "size": (4, "bytes")}),
        ("340011200a", {"address": "0x20", "size": (10, "bytes")}),
        ("34004420", {}),
        ("3611aabbcc", {"block": 0x11}),
        ("38040004612f2f62", {"operation": "read", "file": "a//b"}),
        ("380100020a0d", {"operation": "add", "file": "0a0d"}),
        ("3d12200102", {"address": "0x2001", "size": (2, "bytes")}),
        ("11", {}),
        ("36", {}),
        ("38", {}),
        ("84aa", {"data": "aa"}),
    ],
)
def test_the_arguments_are_what_the_bytes_show(payload: str, arguments: dict[str, object]) -> None:
    command = detector().command(uds(bytes.fromhex(payload)))
    assert command.arguments == {
        name: Argument(*value) if isinstance(value, tuple) else Argument(value)  # type: ignore[arg-type]
        for name, value in arguments.items()
    }


def test_identifiers_are_listed_and_counted() -> None:
    few = detector().command(uds(b"\x22", dids=(0xF190, 0xF18C)))
    many = detector().command(uds(b"\x22", dids=tuple(range(20))))
    assert few.arguments["did"] == Argument("0xF190 0xF18C")
    assert str(many.arguments["did"].value).endswith("0x0007 and 12 more")


def test_a_routine_is_named_with_its_control_and_data() -> None:
    command = detector().command(uds(bytes.fromhex("3101ff00aabb"), routine=0xFF00))
    assert command.arguments == {
        "control": Argument("start"),
        "routine": Argument("0xFF00"),
        "data": Argument("aabb"),
    }


def test_a_first_frame_is_a_command_already_and_tells_its_length() -> None:
    command = detector().command(uds(bytes.fromhex("36011122334455"), length=1026))
    assert command.act is Act.FLASH
    assert command.arguments == {"block": Argument(1), "length": Argument(1026, "bytes")}
