"""JT/T 808 frames made by the simulated platform, and frames that are wrong on purpose."""

from dataclasses import replace

import pytest

from busgate.decode import jt808
from busgate.decode.jt808_bodies_control import VehicleControl, VehicleControlFlag
from busgate.decode.jt808_bodies_terminal import TerminalControl
from busgate.decode.jt808_frame import checksum
from busgate.model import Direction, Pdu
from busgate_sim.cloud import jt808 as sim
from busgate_sim.cloud import jt808_commands as commands
from busgate_sim.cloud.jt808_bodies import Body, message_of
from busgate_sim.cloud.jt808_location import Location

PHONE = "013800138000"


def read(raw: bytes, edition: int | None = None) -> Pdu:
    pdu = jt808.read(raw, edition)
    assert pdu is not None
    return pdu


def sent(body: Body, edition: sim.Edition = sim.Edition.Y2019) -> Pdu:
    return read(sim.encode(message_of(body, PHONE, 7, edition)))


def down(number: int, body: bytes = b"", edition: sim.Edition = sim.Edition.Y2013) -> Pdu:
    return read(sim.encode(sim.Message(number, PHONE, 7, body, edition)))


def test_a_terminal_control_says_its_word_and_its_parameters() -> None:
    pdu = sent(commands.TerminalControl(2, ("0", "code", "apn", "", "", "evil.example", "8080", "", "60")))
    assert (pdu.protocol, pdu.name, pdu.code, pdu.direction) == ("jt808", "terminal control", 0x8105, Direction.DOWN)
    assert pdu.fields["command_word_name"] == "connect to specified server"
    assert pdu.fields["named_parameters"] == {
        "connection_control": 0,
        "authentication_code": "code",
        "dial_point": "apn",
        "address": "evil.example",
        "tcp_port": 8080,
        "connection_time_limit": 60,
    }
    assert isinstance(pdu.body, TerminalControl)
    assert pdu.body.command_parameters[5] == "evil.example"


def test_an_upgrade_by_url_is_read_in_the_order_of_its_format_string() -> None:
    pdu = sent(
        commands.TerminalControl(1, ("ftp://x/fw.bin", "", "", "", "10.0.0.1", "21", "", "MAKER", "1", "2", "5"))
    )
    named = pdu.fields["named_parameters"]
    assert (named["url"], named["tcp_port"], named["maker_id"]) == ("ftp://x/fw.bin", 21, "MAKER")


@pytest.mark.parametrize("word", [0x64, 0x65])
def test_a_vendors_command_word_cuts_or_restores(word: int) -> None:
    assert "oil and circuit" in down(0x8105, bytes([word])).fields["command_word_name"]


def test_a_speed_limit_is_a_parameter_with_its_unit() -> None:
    pdu = sent(commands.SetParameters(((commands.MAXIMUM_SPEED, (30).to_bytes(4)),)))
    assert pdu.fields["parameters"] == [
        {"id": 0x55, "name": "maximum_speed", "length": 4, "value": 30, "raw": "0000001e", "unit": "km/h"}
    ]


def test_parameters_behind_the_count_are_read_as_well() -> None:
    pdu = down(0x8103, bytes.fromhex("01" + "0000000104" + "0000000a" + "0000005504" + "0000001e"))
    assert [one["name"] for one in pdu.fields["parameters"]] == ["heartbeat_interval", "maximum_speed"]
    assert pdu.flaws == ("the count says 1 parameters, there are 2",)


def test_an_unknown_parameter_keeps_its_bytes() -> None:
    vendor, reserved = sent(commands.SetParameters(((0xF123, b"\1\2"), (0x0999, b"\3")))).fields["parameters"]
    assert (vendor["name"], vendor["value"]) == ("vendor", "0102")
    assert (reserved["name"], reserved["value"]) == ("reserved", "03")


@pytest.mark.parametrize(("flags", "doors"), [(0, "unlock"), (1, "lock"), (0x80, "unlock")])
def test_vehicle_control_of_2013_is_a_flag(flags: int, doors: str) -> None:
    pdu = sent(commands.VehicleControl(flags=flags), sim.Edition.Y2013)
    assert pdu.body == VehicleControlFlag(flags, doors)
    assert [reading["form"] for reading in pdu.fields["readings"]] == ["flag (2011, 2013)"]
    assert not pdu.flaws


@pytest.mark.parametrize("counted", [True, False])
def test_vehicle_control_of_2019_is_read_with_a_count_and_without(counted: bool) -> None:
    pdu = sent(commands.VehicleControl(controls=((1, 0), (0xF001, 1)), counted=counted))
    assert isinstance(pdu.body, VehicleControl)
    assert [(one["name"], one["parameter"], one["meaning"]) for one in pdu.fields["controls"]] == [
        ("doors", 0, "lock"),
        ("vendor", 1, ""),
    ]
    assert not pdu.flaws


def test_a_flag_under_a_header_of_2019_is_told_as_what_it_is() -> None:
    pdu = down(0x8500, b"\1", sim.Edition.Y2019)
    assert pdu.fields["doors"] == "lock"
    assert any("form of" in flaw for flaw in pdu.flaws)


def test_controls_under_a_header_of_2013_are_told_as_what_they_are() -> None:
    pdu = down(0x8500, bytes.fromhex("0001f00101"))
    assert pdu.fields["controls"][0]["control_id"] == 0xF001
    assert pdu.flaws


def test_bytes_that_fit_several_readings_give_all_of_them() -> None:
    readings = down(0x8500, bytes.fromhex("0001f0010001"), sim.Edition.Y2019).fields["readings"]
    assert [len(reading["controls"]) for reading in readings] == [1, 2]


@pytest.mark.parametrize("edition", list(sim.Edition))
def test_the_edition_is_told_from_the_header_or_by_the_caller(edition: sim.Edition) -> None:
    raw = sim.encode(sim.Message(0x8300, PHONE, 1, b"\x01\x02hello", edition))
    newest = edition is sim.Edition.Y2019
    assert read(raw).fields["text"] == ("hello" if newest else "\x02hello")
    assert read(raw, 2019).fields["text"] == "hello"
    assert read(raw, 2013).fields.get("text_type") is None


def test_a_wrong_checksum_is_a_flaw_of_a_command_that_is_read() -> None:
    raw = bytearray(sim.encode(message_of(commands.TerminalControl(4), PHONE, 7)))
    raw[-2] ^= 0x11
    pdu = read(bytes(raw))
    assert pdu.fields["command_word"] == 4
    assert pdu.flaws == (f"checksum is {raw[-2]:02x}, should be {raw[-2] ^ 0x11:02x}",)


def test_a_wrong_length_is_a_flaw_of_a_command_that_is_read() -> None:
    plain = bytes.fromhex("810500050138001380000007") + b"\x04"
    pdu = read(b"\x7e" + plain + bytes([checksum(plain)]) + b"\x7e")
    assert pdu.fields["command_word"] == 4
    assert pdu.flaws == ("the header says 5 bytes of body, there are 1",)


def test_an_encrypted_body_stays_hexadecimal() -> None:
    raw = sim.encode(sim.Message(0x8105, PHONE, 7, b"\x12\x34", encryption=1))
    pdu = read(raw)
    assert pdu.body is None
    assert (pdu.fields["encrypted"], pdu.fields["encryption"], pdu.fields["body_hex"]) == (True, 1, "1234")
    assert "command_word" not in pdu.fields


@pytest.mark.parametrize(
    ("number", "name", "direction"),
    [
        (0x8F01, "vendor 0x8F01", Direction.DOWN),
        (0xF001, "vendor 0xF001", Direction.DOWN),
        (0xE001, "vendor 0xE001", Direction.UP),
        (0x0F01, "vendor 0x0F01", Direction.UP),
        (0x8ABC, "unknown 0x8ABC", Direction.DOWN),
        (0x0ABC, "unknown 0x0ABC", Direction.UP),
        (0xBCDE, "unknown 0xBCDE", Direction.UNKNOWN),
    ],
)
def test_a_number_without_a_message_is_named_and_kept(number: int, name: str, direction: Direction) -> None:
    pdu = down(number, b"\xca\xfe")
    assert (pdu.name, pdu.direction, pdu.fields["body_hex"], pdu.body) == (name, direction, "cafe", None)


def test_escapes_are_undone_before_everything_else() -> None:
    assert down(0x8900, b"\xf0\x7e\x7d\x7e\x7d").fields["data"] == "7e7d7e7d"


def test_an_unknown_escape_is_a_flaw_and_kept() -> None:
    raw = sim.encode(sim.Message(0x8900, PHONE, 7, b"\xf0\x11\x22", sim.Edition.Y2013)).replace(b"\x11", b"\x7d\x05")
    pdu = read(raw)
    assert pdu.fields["data"] == "7d0522"
    assert "7d 05 is no escape" in pdu.flaws


def test_frames_with_e7_and_seven_digits_of_number() -> None:
    plain = bytes.fromhex("81050002" + "01234567890123" + "0007" + "64e7")
    content = plain + bytes([checksum(plain)])
    for octet, escape in (
        (b"\xe6", b"\xe6\x01"),
        (b"\x3e", b"\x3e\x01"),
        (b"\xe7", b"\xe6\x02"),
        (b"\x3d", b"\x3e\x02"),
    ):
        content = content.replace(octet, escape) if octet not in {b"\xe6", b"\x3e"} else content
    pdu = read(b"\xe7" + content + b"\xe7")
    assert (pdu.fields["phone"], pdu.fields["serial"], pdu.fields["command_word"]) == ("01234567890123", 7, 0x64)
    assert pdu.fields["delimiter"] == "e7"
    assert not pdu.flaws


def test_a_version_bit_against_the_length_loses() -> None:
    plain = bytes.fromhex("81054001" + "013800138000" + "0007" + "04")
    pdu = read(b"\x7e" + plain + bytes([checksum(plain)]) + b"\x7e")
    assert (pdu.fields["phone"], pdu.fields["command_word"], pdu.fields["edition"]) == (PHONE, 4, 2013)
    assert pdu.flaws == ("the version bit says 2019, the length says otherwise",)


def test_a_location_is_shown_raw_scaled_and_named() -> None:
    location = Location(1, 0x1C03, 51_924_000, 4_477_000, 5, 123, 90, "261125101112", ((0x01, b"\0\0\0\x64"),))
    pdu = sent(location)
    shown = {
        name: pdu.fields[name]
        for name in ("alarms", "status", "latitude", "latitude_deg", "speed", "speed_kmh", "time")
    }
    assert shown == {
        "alarms": ["emergency alarm"],
        "status": ["ACC on", "positioned", "oil cut", "circuit cut", "doors locked"],
        "latitude": 51_924_000,
        "latitude_deg": 51.924,
        "speed": 123,
        "speed_kmh": 12.3,
        "time": "2026-11-25T10:11:12",
    }
    assert pdu.fields["items"] == [
        {"id": 1, "name": "mileage", "length": 4, "value": 100, "raw": "00000064", "scaled": 10.0, "unit": "km"}
    ]


def test_south_and_west_are_negative_degrees() -> None:
    pdu = sent(Location(0, 0b1100, 1_500_000, 2_500_000, 0, 0, 0, "261125101112"))
    assert (pdu.fields["latitude_deg"], pdu.fields["longitude_deg"]) == (-1.5, -2.5)


def test_a_body_that_ends_early_shows_what_there_is() -> None:
    pdu = down(0x0200, bytes(10))
    assert pdu.body is None
    assert (pdu.fields["alarm_flag"], pdu.fields["extra"]) == (0, "0000")
    assert pdu.flaws == ("the body has 10 bytes and ends early",)


def test_items_of_a_cut_list_are_shown() -> None:
    pdu = down(0x8103, bytes.fromhex("02" + "00000055" + "04" + "0000001e" + "00000056"))
    assert [one["name"] for one in pdu.fields["parameters"]] == ["maximum_speed"]
    assert pdu.fields["extra"] == "00000056"


def test_bytes_after_a_body_are_extra() -> None:
    pdu = down(0x8104, b"\xab")
    assert pdu.fields["extra"] == "ab"
    assert pdu.flaws == ("1 bytes follow the body",)


def test_a_vendors_oil_cut() -> None:
    assert down(0xA006, bytes.fromhex("01261125101112")).fields["command_name"] == "cut oil and circuit"


def test_a_recorder_write_is_told() -> None:
    block = bytes.fromhex("aa75c2000600") + bytes.fromhex("261125101112")
    pdu = down(0x8701, b"\xc2" + block + bytes([checksum(block)]))
    assert (pdu.fields["writes"], pdu.fields["content"]) == (True, {"real_time": "2026-11-25T10:11:12"})
    assert not pdu.flaws


def test_there_is_no_edition_of_2020() -> None:
    with pytest.raises(ValueError, match="no edition of 2020"):
        jt808.read(sim.encode(sim.Message(0x8104, PHONE, 1)), 2020)


def test_numbers_that_json_cannot_keep_are_hexadecimal() -> None:
    pdu = down(0x9205, bytes(13) + b"\xff" * 8 + bytes(3))
    assert pdu.fields["alarm_flag"] == "0xFFFFFFFFFFFFFFFF"


@pytest.mark.parametrize("raw", [b"", b"\x7e", b"\x7e\x7e", b"\x7e\x00\x7e", b"\x7e" + bytes(11) + b"\x7e"])
def test_bytes_without_room_for_a_header_are_none(raw: bytes) -> None:
    assert jt808.read(raw) is None


def test_a_body_of_2013_under_a_header_of_2019_is_read_by_its_own_edition() -> None:
    older = message_of(commands.Text(1, "x"), PHONE, 1, sim.Edition.Y2013)
    registration = bytes(4) + b"MAKER" + b"MODEL".ljust(20, b"\0") + b"TERM001" + b"\1" + b"B12345"
    pdu = read(sim.encode(replace(older, number=0x0100, body=registration, edition=sim.Edition.Y2019)))
    assert (pdu.fields["terminal_id"], pdu.fields["edition"]) == ("TERM001", 2013)
    assert pdu.flaws == ("the body has the form of 2013, the header that of 2019",)


def test_a_batch_as_another_public_codec_writes_it() -> None:
    # makeclan/xtream-codec, debug-ui/src/utils/codec-utils.ts, BuiltinMessage0704.
    pdu = read(
        bytes.fromhex(
            "7e0704403f01000000000139123443290000000200001c000000010000000101d907f2073d336c029a002100592410292139"
            "03001c000000010000000101d907f3073d336d03090043005a241029213903f87e"
        )
    )
    assert (pdu.fields["total"], pdu.fields["batch_type_name"], pdu.flaws) == (2, "normal batch", ())
    shown = [
        (
            one["alarm_flag"],
            one["latitude"],
            one["longitude"],
            one["altitude"],
            one["speed"],
            one["direction"],
            one["time"],
        )
        for one in pdu.fields["locations"]
    ]
    assert shown == [
        (1, 31000562, 121451372, 666, 33, 89, "2024-10-29T21:39:03"),
        (1, 31000563, 121451373, 777, 67, 90, "2024-10-29T21:39:03"),
    ]


def test_a_location_as_another_public_codec_writes_it() -> None:
    # The same file, BuiltinMessage0200.
    pdu = read(
        bytes.fromhex(
            "7e02004026010000000001391234432900000000006f0000001601dc9a0707456246007b00420003250129223344020200640104"
            "0000000c417e"
        )
    )
    assert (pdu.fields["alarm_flag"], pdu.fields["status_flag"], pdu.flaws) == (111, 22, ())
    assert [(one["name"], one["value"]) for one in pdu.fields["items"]] == [("oil", 100), ("mileage", 12)]
