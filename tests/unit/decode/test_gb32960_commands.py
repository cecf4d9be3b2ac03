"""What a platform tells a terminal: queries, settings and controls of GB/T 32960, with our cloud as a peer."""

from __future__ import annotations

from typing import Any

import pytest

from busgate.decode.gb32960 import read
from busgate.decode.gb32960_commands import ParameterQuery, Parameters, TerminalControl
from busgate_sim.cloud.gb32960 import Command, Edition, Response, encode
from busgate_sim.cloud.gb32960_bodies import Body, packet_of
from busgate_sim.cloud.gb32960_commands import UPGRADE, Control, Query, Settings, upgrade_argument

VIN = "SYNTHETICBUS00421"
TIME = bytes.fromhex("190a1b140202")
WHEN = "2025-10-27T20:02:02+08:00"


def sent(
    command: int, body: Body, edition: Edition = Edition.Y2016, response: int = Response.ASKED
) -> tuple[Any, Any, Any]:
    found = read(encode(packet_of(command, body, VIN, edition, response)))
    assert found is not None
    return found.fields, found.body, found.flaws


def setting(values: str, count: int, edition: Edition = Edition.Y2016) -> tuple[Any, Any, Any]:
    return sent(Command.SET, Settings(TIME, count, (), bytes.fromhex(values)), edition)


def test_a_query_names_its_parameters() -> None:
    fields, body, flaws = sent(Command.QUERY, Query(TIME, (0x01, 0x90)))
    assert (fields["count"], fields["ids"], flaws) == (2, ["0x01", "0x90"], ())
    assert body == ParameterQuery(WHEN, 2, ("0x01", "0x90"))


def test_a_query_that_counts_wrong_says_so() -> None:
    fields, _, flaws = sent(Command.QUERY, Settings(TIME, 3, (), b"\x01"))
    assert fields["ids"] == ["0x01"]
    assert flaws == ("3 parameters are asked for, 1 are named",)


EVERY = {
    "0x01": (1, b"\x03\xe8", "local_storage_period_ms", 1000),
    "0x02": (2, b"\x00\x0a", "report_period_s", 10),
    "0x03": (3, b"\xff\xff", "alarm_report_period_ms", "invalid"),
    "0x04": (4, b"\x09", "server_domain_length", 9),
    "0x05": (5, b"a.invalid", "server_domain", "a.invalid"),
    "0x06": (6, b"\x23\x28", "server_port", 9000),
    "0x07": (7, b"H1.01", "hardware_version", "H1.01"),
    "0x08": (8, b"F2\x00\x00\x00", "firmware_version", "F2"),
    "0x09": (9, b"\x0a", "heartbeat_period_s", 10),
    "0x0A": (10, b"\x00\x3c", "terminal_response_timeout_s", 60),
    "0x0B": (11, b"\x00\x3d", "platform_response_timeout_s", 61),
    "0x0C": (12, b"\xfe", "login_retry_interval_min", "abnormal"),
    "0x0D": (13, b"\x01", "public_domain_length", 1),
    "0x0E": (14, b"b", "public_domain", "b"),
    "0x0F": (15, b"\x00\x50", "public_port", 80),
    "0x10": (16, b"\x01", "sampling", "yes"),
}


@pytest.mark.parametrize("edition", list(Edition))
@pytest.mark.parametrize(("command", "response"), [(Command.SET, Response.ASKED), (Command.QUERY, Response.DONE)])
def test_every_parameter_of_the_standard_is_read(edition: Edition, command: Command, response: Response) -> None:
    body = Settings(TIME, len(EVERY), tuple((number, wire) for number, wire, _, _ in EVERY.values()))
    fields, found, flaws = sent(command, body, edition, response)
    assert flaws == ()
    assert fields["parameters"] == [
        {"id": one, "name": name, "value": value} for one, (_, _, name, value) in EVERY.items()
    ]
    assert found == Parameters(WHEN, len(EVERY), tuple(fields["parameters"]))


@pytest.mark.parametrize("edition", list(Edition))
def test_the_width_that_leaves_nothing_over_is_taken(edition: Edition) -> None:
    wide, _, _ = setting("02000a 0300c8", 2, edition)
    narrow, _, flaws = setting("020a 03c8", 2, edition)
    assert [one["value"] for one in wide["parameters"]] == [one["value"] for one in narrow["parameters"]] == [10, 200]
    assert flaws == ()


@pytest.mark.parametrize("unknown", ["90", "11", "ff", "00"])
def test_from_an_unknown_parameter_on_nothing_can_be_read(unknown: str) -> None:
    fields, body, flaws = setting(f"0603e8 {unknown}0102 060001", 3)
    assert [one["id"] for one in fields["parameters"]] == ["0x06", f"0x{unknown.upper()}"]
    assert fields["parameters"][1]["value"] is None
    assert fields["unparsed"] == body.unparsed == "0102060001"
    assert flaws == (f"parameter 0x{unknown.upper()} has no known length",)


def test_a_name_before_its_length_cannot_be_read() -> None:
    fields, _, flaws = setting("05616263 0403", 2)
    assert (fields["unparsed"], flaws) == ("6162630403", ("parameter 0x05 has no known length",))


@pytest.mark.parametrize(
    ("values", "count", "flaw"),
    [
        ("060001", 2, "2 parameters are announced, 1 are here"),
        ("060001ff", 1, "1 bytes follow the last parameter"),
        ("0600", 1, "server_port needs 2 bytes, 1 are left"),
        ("040a 05616263", 2, "server_domain needs 10 bytes, 3 are left"),
    ],
)
def test_settings_that_contradict_themselves_say_so(values: str, count: int, flaw: str) -> None:
    assert setting(values, count)[2] == (flaw,)


@pytest.mark.parametrize(
    ("control", "name"),
    [
        (0x02, "power off"),
        (0x03, "reset"),
        (0x04, "factory reset"),
        (0x05, "disconnect"),
        (0x07, "open sampling link"),
        (0x00, "reserved"),
        (0x42, "reserved"),
        (0x80, "user defined"),
        (0xFE, "user defined"),
    ],
)
def test_a_control_has_its_name(control: int, name: str) -> None:
    fields, body, flaws = sent(Command.CONTROL, Control(TIME, control))
    assert (fields["control_id"], fields["control_name"], fields["parameter"]) == (f"0x{control:02X}", name, "")
    assert (body, flaws) == (TerminalControl(WHEN, control, name), ())


@pytest.mark.parametrize(("argument", "parameter"), [(b"\x91", "91"), (b"\x90", "90"), (b"\x01\x02;\x03", "01023b03")])
def test_a_vendors_control_shows_its_bytes(argument: bytes, parameter: str) -> None:
    fields, _, flaws = sent(Command.CONTROL, Control(TIME, 0x90, argument))
    assert (fields["control_id"], fields["parameter"], flaws) == ("0x90", parameter, ())


def test_a_control_without_a_parameter_that_has_one_says_so() -> None:
    fields, _, flaws = sent(Command.CONTROL, Control(TIME, 0x02, b"\x01\x02"))
    assert fields["parameter"] == "0102"
    assert flaws == ("control 0x02 has no parameter, 2 bytes follow",)


def test_a_warning_has_a_level_and_a_text() -> None:
    fields, _, _ = sent(Command.CONTROL, Control(TIME, 0x06, b"\x02" + "停车".encode("gbk")))
    assert fields["warning"] == {"level": 2, "text": "停车"}
    assert sent(Command.CONTROL, Control(TIME, 0x06))[2] == ("the warning has no level",)


def test_an_upgrade_has_its_fields() -> None:
    argument = upgrade_argument("ftp://update.invalid/ab", firmware="04.18", maker="ACME", timeout_min=0x3B)
    fields, body, flaws = sent(Command.CONTROL, Control(TIME, UPGRADE, argument))
    assert fields["remote_upgrade"] == body.details == {
        "apn": "", "username": "", "password": "", "address": "0.0.0.0", "port": 0, "maker_code": "ACME",  # noqa: S104 - no address
        "hardware_version": "", "firmware_version": "04.18", "url": "ftp://update.invalid/ab", "timeout_min": 0x3B,
    }  # fmt: skip
    assert flaws == ()


def test_bytes_in_an_upgrade_may_be_semicolons() -> None:
    argument = b"cmnet;u;p;\0\0\x0a;;\x01;;;;M;;1;H1;01;F2;02;http://x.invalid/f;\x00;"
    fields, _, flaws = sent(Command.CONTROL, Control(TIME, UPGRADE, argument))
    upgrade = fields["remote_upgrade"]
    assert (upgrade["address"], upgrade["port"], upgrade["maker_code"]) == ("10.59.59.1", 0x3B3B, "M;;1")
    assert (upgrade["hardware_version"], upgrade["url"], upgrade["timeout_min"]) == ("H1;01", "http://x.invalid/f", 59)
    assert flaws == ()


def test_an_upgrade_of_plain_texts_is_read_and_one_of_other_fields_says_so() -> None:
    texts = b"apn;user;pass;192.0.2.7;9000;ACME;1;2;http://x.invalid/f;30"
    fields, _, flaws = sent(Command.CONTROL, Control(TIME, UPGRADE, texts))
    upgrade = fields["remote_upgrade"]
    assert (upgrade["address"], upgrade["port"], upgrade["timeout_min"], flaws) == ("192.0.2.7", "9000", "30", ())
    fields, _, flaws = sent(Command.CONTROL, Control(TIME, UPGRADE, b"http://x.invalid/f"))
    assert "remote_upgrade" not in fields
    assert fields["parameter"] == b"http://x.invalid/f".hex()
    assert flaws == ("an upgrade has 10 fields, not 1",)


def test_an_upgrade_that_leaves_fields_out_still_has_its_numbers() -> None:
    argument = b"cmnet;;;\0\0\xc0\0\x02\x07;\x1f\x90;;;F2.02;http://x.invalid/f;\0\x1e"
    fields, _, flaws = sent(Command.CONTROL, Control(TIME, UPGRADE, argument))
    upgrade = fields["remote_upgrade"]
    assert (upgrade["address"], upgrade["port"], upgrade["timeout_min"]) == ("192.0.2.7", 8080, 30)
    assert (upgrade["maker_code"], upgrade["firmware_version"], flaws) == ("", "F2.02", ())


def test_an_address_of_six_bytes_that_is_no_ipv4_stays_hexadecimal() -> None:
    argument = b";;;\x01\x02\x03\x04\x05\x06;\x00\x50;ACME;H1.01;F2.02;u;\x00\x01"
    fields, _, _ = sent(Command.CONTROL, Control(TIME, UPGRADE, argument))
    assert (fields["remote_upgrade"]["address"], fields["remote_upgrade"]["port"]) == ("010203040506", 80)


@pytest.mark.parametrize("command", [Command.QUERY, Command.SET, Command.CONTROL])
@pytest.mark.parametrize("size", [0, 5, 6])
def test_commands_cut_short_keep_what_they_have(command: Command, size: int) -> None:
    packet = packet_of(command, Control(TIME, 0), VIN)
    found = read(encode(type(packet)(command, VIN, packet.data[:size])))
    assert found is not None
    assert found.fields.get("time") == (WHEN if size == 6 else None)
    assert len(found.flaws) == 1
    assert " needs " in found.flaws[0]
