"""GB/T 32960 packets against public test suites and an independent decoder, and what is said of broken ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from busgate.decode.gb32960 import check, read
from busgate.decode.gb32960_bodies import Answer, Empty, Opaque
from busgate.decode.gb32960_names import direction
from busgate.decode.gb32960_report import Report
from busgate.decode.gb32960_session import Activation, ActivationResponse, KeyExchange, Login, Login2025, PlatformLogin
from busgate.model import Direction, Pdu
from support.gb32960_peer import Pair, pairs

ROWS = json.loads((Path(__file__).parents[2] / "vectors" / "cloud_gb32960.json").read_text(encoding="utf-8"))["packets"]
PEERS = [row for row in ROWS if "peer" in row]
VIN = b"SYNTHETICBUS00421"
NOW = "190a1b140202"

FLAWED = {
    "message_and_data_samples.py:896": "data of kind 0x82 follows the signature",
    "message_and_data_samples.py:1271": "data of kind 0x79 is reserved and cannot be read",
    "JTNE_0x02_Package_DeviceTest.cs:179": "the report has no time",
    "JTNE_0x02_Package_PlatformTest.cs:130": "bytes follow",  # neither time nor pedals; not read further
    "NELogoutUpStreamTest.cs:80": "username needs 12 bytes",  # a logout sent as a platform's login
    "NEPlatformLogoutUpStreamTest.cs:20": "33 bytes follow",  # a platform's login sent as its logout
}
"""Published packets that are not as the standard has it, by where they are published."""

PEER_DIFFERS = {
    ("cell_volts.curr", "2016"): "the peer takes 2025's bias of 3000 A for 2016 as well",
    ("whole_vehicle.insulation_resistance", "2016"): "the peer reads all ones as 65535 kOhm, the standard as invalid",
}


def packet(data: str, command: int = 0x02, response: int = 0xFE, start: bytes = b"##", encryption: int = 1) -> bytes:
    body = bytes.fromhex(data)
    checked = bytes([command, response]) + VIN + bytes([encryption]) + len(body).to_bytes(2) + body
    return start + checked + bytes([check(checked)])


def pdu(raw: bytes) -> Pdu:
    found = read(raw)
    assert found is not None
    json.dumps(found.fields)
    return found


def place(row: dict[str, Any]) -> str:
    return str(row["source"]).rpartition("/")[2]


@pytest.mark.parametrize("row", ROWS, ids=place)
def test_every_published_packet_reads_as_published(row: dict[str, Any]) -> None:
    raw = bytes.fromhex(row["hex"])
    fields = pdu(raw).fields
    said = {
        **row["header"],
        "version": row["version"],
        "data_hex": row["hex"][48:-2],
        "bcc": f"0x{raw[-1]:02X}",
        "bcc_ok": True,
        "total_len": len(raw),
    }
    assert {name: fields[name] for name in said} == said


@pytest.mark.parametrize("row", ROWS, ids=place)
def test_published_packets_have_no_flaws_but_those_known(row: dict[str, Any]) -> None:
    flaws = pdu(bytes.fromhex(row["hex"])).flaws
    if place(row) in FLAWED:
        assert FLAWED[place(row)] in "; ".join(flaws)
    else:
        assert flaws == ()


def compared(row: dict[str, Any]) -> list[Pair]:
    return list(pairs(row["peer"], pdu(bytes.fromhex(row["hex"])).fields))


@pytest.mark.parametrize("row", PEERS, ids=place)
def test_an_independent_decoder_says_the_same(row: dict[str, Any]) -> None:
    for pair in compared(row):
        if (pair.name, row["version"]) not in PEER_DIFFERS:
            assert pair.ours == pair.theirs, pair.name


def test_so_much_was_compared_and_nothing_had_no_counterpart() -> None:
    found = [(row, pair) for row in PEERS for pair in compared(row)]
    assert len(found) == 447
    assert [pair for _, pair in found if pair.ours is None] == []
    differing = {(pair.name, row["version"]) for row, pair in found if pair.ours != pair.theirs}
    assert differing == set(PEER_DIFFERS)


@pytest.mark.parametrize(
    ("command", "response", "way"),
    [
        (0x01, 0xFE, Direction.UP),
        (0x02, 0xFE, Direction.UP),
        (0x02, 0x01, Direction.DOWN),
        (0x08, 0xFE, Direction.UP),
        (0x08, 0x01, Direction.DOWN),
        (0x0A, 0xFE, Direction.DOWN),  # the platform says how an activation ended, and marks it as a command
        (0x0A, 0x01, Direction.UP),
        (0x0B, 0xFE, Direction.UNKNOWN),
        (0x40, 0xFE, Direction.UP),
        (0x80, 0xFE, Direction.DOWN),
        (0x81, 0x01, Direction.UP),
        (0x82, 0xFE, Direction.DOWN),
        (0x82, 0x02, Direction.UP),
        (0x9A, 0xFE, Direction.DOWN),
        (0xC0, 0xFE, Direction.UNKNOWN),
        (0xFE, 0x01, Direction.UNKNOWN),
        (0x00, 0xFE, Direction.UNKNOWN),
    ],
)
def test_the_direction_is_what_command_and_response_say(command: int, response: int, way: Direction) -> None:
    assert direction(command, response) is way
    assert pdu(packet("", command, response)).direction is way


def test_a_wrong_check_byte_is_a_flaw_of_a_packet_that_is_read() -> None:
    raw = bytearray(packet(NOW + "9091", 0x82))
    raw[-1] ^= 0x48
    found = pdu(bytes(raw))
    assert found.fields["bcc_ok"] is False
    assert (found.fields["control_id"], found.fields["parameter"]) == ("0x90", "91")
    assert found.flaws == (f"checksum is {raw[-1]:02x}, should be {raw[-1] ^ 0x48:02x}",)


@pytest.mark.parametrize("encryption", [2, 3, 4, 5])
def test_encrypted_data_stays_hexadecimal(encryption: int) -> None:
    found = pdu(packet(NOW + "9091", 0x82, encryption=encryption))
    assert found.fields["encrypted"] is True
    assert found.fields["data_hex"] == NOW + "9091"
    assert "control_id" not in found.fields
    assert found.body == Opaque(bytes.fromhex(NOW + "9091"))
    assert (found.flaws, found.direction) == ((), Direction.DOWN)


@pytest.mark.parametrize("encryption", [0x00, 0x06, 0xFE, 0xFF])
def test_data_under_no_encryption_that_there_is_gets_read(encryption: int) -> None:
    found = pdu(packet(NOW + "02", 0x82, encryption=encryption))
    assert found.fields["control_id"] == "0x02"
    assert found.flaws == (f"encryption is 0x{encryption:02X}; the data was read as not encrypted",)


def test_a_packet_cut_short_or_followed_by_more_is_read_as_far_as_it_goes() -> None:
    whole = packet(NOW + "9091", 0x82)
    assert pdu(whole[:-1]).flaws == ("the check byte is missing",)
    short = pdu(whole[:-2])
    assert short.flaws == ("the header says 8 bytes of data, 7 are here",)
    assert (short.fields["control_id"], short.fields["bcc"], short.fields["bcc_ok"]) == ("0x90", None, False)
    longer = pdu(whole + b"##")
    assert longer.flaws == ("2 bytes follow the check byte",)
    assert longer.fields["bcc_ok"] is True


def test_what_has_no_header_is_no_packet() -> None:
    whole = packet("", 0x07)
    assert read(whole[:23]) is None
    assert read(b"#$" + whole[2:]) is None
    assert read(b"") is None


def test_odd_headers_say_so() -> None:
    raw = bytearray(packet("", 0x07))
    raw[3], raw[5], raw[22:24] = 0x33, 0xC3, b"\xff\xff"
    assert pdu(bytes(raw)).flaws[:4] == (
        "response flag 0x33 is reserved",
        "the VIN has bytes that are no text",
        'the length is "invalid"',
        "the header says 65535 bytes of data, 1 are here",
    )
    assert pdu(bytes(raw)).fields["vin"][1] == "Ã"


def test_names_of_commands_and_their_answers() -> None:
    assert pdu(packet("", 0x07)).name == "heartbeat"
    assert pdu(packet("", 0x07, 0x01)).name == "heartbeat answer"
    assert pdu(packet("", 0x09)).name == "reserved uplink"
    assert pdu(packet("", 0x09, start=b"$$")).name == "activation"
    assert pdu(packet("", 0x9A)).name == "reserved downlink"
    assert pdu(packet("", 0xC1)).name == "platform custom"
    assert pdu(packet("", 0x00)).name == "0x00"


def test_sessions_have_a_class_for_each_command() -> None:
    login = pdu(packet(NOW + "0007" + "31" * 20 + "0202" + "41424344", 0x01)).body
    assert login == Login("2025-10-27T20:02:02+08:00", 7, "1" * 20, 2, 2, ["AB", "CD"])
    login = pdu(packet(NOW + "0007" + "31" * 20 + "020100" + "41" * 24, 0x01, start=b"$$")).body
    assert login == Login2025("2025-10-27T20:02:02+08:00", 7, "1" * 20, [1, 0], [["A" * 24], []])
    platform = pdu(packet(NOW + "0007" + "61" * 12 + "62" * 10 + "00" * 10 + "03", 0x05)).body
    assert platform == PlatformLogin("2025-10-27T20:02:02+08:00", 7, "a" * 12, "b" * 10, "AES128")
    assert pdu(packet("", 0x08)).body == Empty()
    assert pdu(packet(NOW, 0x08, 0x01)).body == Answer("2025-10-27T20:02:02+08:00")
    assert pdu(packet("", 0x07, 0x01)).body == Empty()


def test_activation_and_keys_of_2025() -> None:
    data = NOW + "31" * 16 + "0002" + "abcd" + VIN.hex() + "01" + "0001aa" + "0002bbcc"
    activation = pdu(packet(data, 0x09, start=b"$$")).body
    signature = {"algorithm": "SM2", "r": "aa", "s": "bbcc"}
    assert activation == Activation("2025-10-27T20:02:02+08:00", "1" * 16, "abcd", VIN.decode(), signature)
    assert pdu(packet("0203", 0x0A, start=b"$$")).body == ActivationResponse("failure", "VIN duplicate")
    keys = pdu(packet("05" + "0002" + "0102" + NOW + "1a0a1b140202", 0x0B, start=b"$$")).body
    assert keys == KeyExchange("SM4", "0102", "2025-10-27T20:02:02+08:00", "2026-10-27T20:02:02+08:00")


def test_a_body_that_ends_early_keeps_what_it_has() -> None:
    found = pdu(packet(NOW + "0007" + "3132", 0x01))
    assert found.body == Login("2025-10-27T20:02:02+08:00", 7)
    assert found.flaws == ("iccid needs 20 bytes, 2 are left",)
    assert found.fields["unparsed"] == "3132"


def test_counts_that_are_invalid_have_nothing_behind_them() -> None:
    login = pdu(packet(NOW + "0007" + "31" * 20 + "ffff", 0x01))
    assert (login.fields["subsystem_count"], login.flaws) == ("invalid", ())
    login = pdu(packet(NOW + "0007" + "31" * 20 + "fe", 0x01, start=b"$$"))
    assert (login.fields["packs_per_bms"], login.fields["pack_codes"], login.flaws) == ("abnormal", [], ())
    report = pdu(packet(NOW + "02ff" + "09fe"))
    assert [info.get("motors", info.get("subsystems")) for info in report.fields["infos"]] == ["invalid", "abnormal"]


def test_what_is_no_time_is_shown_and_said() -> None:
    found = pdu(packet("ffffffffffff" + "0007", 0x04))
    assert (found.fields["time"], found.fields["serial"]) == ("ffffffffffff", 7)
    assert found.flaws == ("time ffffffffffff is no time",)


def test_an_answer_that_sends_everything_back_is_read_as_that() -> None:
    found = pdu(packet(NOW + "0007", 0x04, 0x01))
    assert (found.name, found.fields["serial"]) == ("vehicle logout answer", 7)
    assert found.flaws == ("an answer has nothing but its time",)
    odd = pdu(packet(NOW + "ff" * 9, 0x07, 0x01))
    assert (odd.body, odd.fields["unparsed"]) == (Answer("2025-10-27T20:02:02+08:00"), "ff" * 9)


@pytest.mark.parametrize("command", [0x2A, 0x9A, 0xC3])
def test_reserved_and_custom_commands_keep_their_data(command: int) -> None:
    found = pdu(packet("0102", command))
    assert (found.body, found.fields["data_hex"], found.flaws) == (Opaque(b"\x01\x02"), "0102", ())


def test_the_exclusive_or_folds_any_number_of_bytes() -> None:
    for size in range(40):
        data = bytes(range(7, 7 + size))
        expected = 0
        for byte in data:
            expected ^= byte
        assert check(data) == expected


def test_the_body_of_a_report_is_its_fields() -> None:
    found = pdu(packet(NOW + "04" + "01" + "0bb8" + "ffff", 0x03))
    assert isinstance(found.body, Report)
    assert found.name == "reissued report"
    (info,) = found.body.infos
    assert (info.kind, info.name) == (0x04, "engine")
    assert info.values == {
        "engine_state": "started", "crankshaft_speed_rpm": 3000, "fuel_consumption_l_100km": "invalid",
    }  # fmt: skip
