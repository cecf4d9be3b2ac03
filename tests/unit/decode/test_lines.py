"""Lines in, objects out: each protocol with the published vectors, and what happens to lines that are none."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest

from busgate.decode.dbc import Database
from busgate.decode.lines import MOST_CHANNELS, Addressing, LineDecoder, Protocol
from busgate.decode.rows import Row
from busgate.model import BusgateError
from support import ecu_trace
from support.isotp_encode import encode
from support.j1939_encode import Sent, bam, etp, rts

VECTORS = Path(__file__).parents[2] / "vectors"
J1939_ROWS: list[dict[str, Any]] = json.loads((VECTORS / "j1939.json").read_text())["vectors"]
UDS_ROWS: list[dict[str, Any]] = json.loads((VECTORS / "uds.json").read_text())["vectors"]
NOTED = "Electrified Accessory Motor Command PGN 32000 (data filler by us)"


def one(protocol: Protocol, *lines: str, **options: Any) -> Row:
    """The object of the last line."""
    return rows(protocol, *lines, **options)[-1]


def rows(protocol: Protocol, *lines: str, **options: Any) -> list[Row]:
    decoder = LineDecoder(protocol, **options)
    return [row for line in lines if (row := decoder.decode(line)) is not None]


def text(sent: Sent) -> str:
    return f"{sent.can_id:08X}#{sent.data.hex()}"


def database(*names: str) -> Database:
    return Database.load({name: (VECTORS / "dbc" / name).read_text(encoding="utf-8") for name in names})


# ---------------------------------------------------------------- J1939


def test_the_public_j1939_rows_come_out_as_their_publishers_say() -> None:
    found = rows(Protocol.J1939, *(f"{row['can_id']}#{row['data']}" for row in J1939_ROWS))
    for row, expected in zip(found, J1939_ROWS, strict=True):
        says = {key: value for key, value in expected["expected"].items() if key != "da_known"}
        if says["name"] == NOTED:
            says["name"] = expected["expected"]["da_known"]
        assert {key: row[key] for key in says} == says
        assert (row["can_id"], row["data"]) == (expected["can_id"], expected["data"])
        assert "malformed" not in row
    assert [row["payload"] for row in found if "payload" in row] == ["0102030405060701020304050607010203040506"] * 4


def test_a_command_shows_its_class_and_a_tell_tale_none() -> None:
    command = one(Protocol.J1939, "0C1BFE82#0000000000000000")
    assert (command["name"], command["class"], command["kind"]) == ("HVESSC1", "bms-hv-contactor", "standard")
    tells = one(Protocol.J1939, "0CF00400#FF7D7D0000FFFFFF")
    assert (tells["name"], tells["class"], tells["da"]) == ("EEC1", None, 255)
    nobody = one(Protocol.J1939, "18F75E89#FF3628282B2C00A3")
    assert (nobody["name"], nobody["label"], nobody["class"], nobody["kind"]) == (None, None, None, "unknown")


def test_an_announcement_names_the_group_that_is_to_come() -> None:
    row = one(Protocol.J1939, text(rts(0x1B00, 0x4A, 0x0B, bytes(20))[0]))
    assert row["transport"] == {
        "step": "RTS",
        "target_pgn": 0x1B00,
        "target_pgn_hex": "0x1B00",
        "target_name": "HVESSC1",
        "target_label": "High Voltage Energy Storage System Control 1",
        "target_kind": "standard",
        "target_class": "bms-hv-contactor",
        "length": 20,
        "packets": 3,
        "broadcast": False,
        "extended": False,
        "interrupted": None,
        "irregular": [],
    }


def test_every_step_of_a_session_is_shown_and_the_last_packet_has_the_payload() -> None:
    payload = bytes(range(20))
    found = rows(Protocol.J1939, *map(text, rts(0xFEEC, 1, 2, payload)))
    assert [row["transport"]["step"] for row in found] == ["RTS", "CTS", "DT", "DT", "DT", "ACK"]
    assert [row["transport"].get("packet") for row in found[2:5]] == [1, 2, 3]
    assert [row for row in found if "payload" in row] == [found[4]]
    last = found[4]
    assert (last["payload"], last["payload_pgn"], last["payload_name"]) == (payload.hex(), 0xFEEC, "VI")
    assert (last["payload_length"], last["payload_truncated"]) == (20, False)
    assert found[1]["transport"] | {"packets": 3, "first": 1, "open": True} == found[1]["transport"]


def test_an_extended_session_shows_its_offsets() -> None:
    found = rows(Protocol.J1939, *map(text, etp(0xD700, 1, 2, bytes(1800), window=200)))
    offsets = [row["transport"] for row in found if row["transport"]["step"] == "DPO"]
    assert [(step["packets"], step["first"], step["open"]) for step in offsets] == [(200, 1, True), (58, 201, True)]
    assert [row["payload"] for row in found if "payload" in row] == [bytes(1800).hex()]


def test_an_abort_and_what_broke_are_shown() -> None:
    head, *_ = rts(0x1B00, 1, 2, bytes(20))
    found = rows(Protocol.J1939, text(head), "1CEC0102#FF03FFFFFF001B00", "1CEB0201#0100000000000000", "1CEC0201#00")
    assert found[1]["transport"] | {"step": "ABORT", "reason": 3, "open": True} == found[1]["transport"]
    assert (found[2]["malformed"], found[2]["line"]) == ("no session is open for this packet", 3)
    assert (found[2]["name"], found[2]["transport"]["sequence"]) == ("TP.DT", 1)
    assert found[3]["malformed"] == "the control frame has fewer than eight bytes"
    assert one(Protocol.J1939, "1CEB0201#")["transport"]["sequence"] is None


def test_an_odd_announcement_says_what_is_odd_and_what_it_interrupts() -> None:
    row = one(Protocol.J1939, "1CEC0B4A#10140003FF00EF00", "1CEC0B4A#10080002FF4A1B00")
    assert row["transport"]["interrupted"] == "0xEF00"
    assert row["transport"]["irregular"] == [
        "the length needs no session of this protocol",
        "stray bits in the group number",
    ]


def test_sessions_of_two_channels_do_not_mix() -> None:
    frames = bam(0xFEEC, 1, bytes(range(20)))
    both = [f"(1.0) {channel} {text(sent)}" for sent in frames for channel in ("can0", "can1")]
    found = rows(Protocol.J1939, *both)
    assert [row["payload"] for row in found if "payload" in row] == [bytes(range(20)).hex()] * 2
    assert not any("malformed" in row for row in found)


def test_more_channels_than_are_followed_forget_the_first_heard() -> None:
    head, *packets = (text(sent) for sent in bam(0xFEEC, 1, bytes(20)))
    many = [f"c{number} {head}" for number in range(MOST_CHANNELS + 1)]
    found = rows(Protocol.J1939, *many, f"c0 {packets[0]}", f"c{MOST_CHANNELS} {packets[0]}")
    assert "malformed" in found[-2]
    assert found[-1]["transport"]["packet"] == 1


def test_time_between_lines_counts_where_lines_have_it() -> None:
    head, one_, *_ = (text(sent) for sent in bam(0xFEEC, 1, bytes(20)))
    late = one(Protocol.J1939, f"(1.0) can0 {head}", f"(1.8) can0 {one_}")
    assert late["malformed"] == "the session fell silent"
    in_time = one(Protocol.J1939, f"(1.0) can0 {head}", f"(1.7) can0 {one_}")
    assert "malformed" not in in_time


def test_a_j1939_payload_is_what_the_option_says() -> None:
    assert one(Protocol.J1939, "0102")["malformed"].endswith("name it with --pgn")
    row = one(Protocol.J1939, "0102", pgn=0xEF23)
    assert (row["can_id"], row["sa"], row["data"], row["name"]) == (None, None, "0102", "PropA")


def test_the_page_of_another_standard_is_marked() -> None:
    assert one(Protocol.J1939, "1BDA10F1#00")["kind"] == "iso15765-3"


# ---------------------------------------------------------------- ISO-TP and UDS


def test_the_recorded_reflash_reassembles_as_its_publisher_did() -> None:
    lines = (VECTORS / "ecu_trace.candump").read_text(encoding="ascii").splitlines()
    found = rows(Protocol.ISOTP, *lines)
    assert len(found) == len(lines)
    assert [
        (int(row["can_id"], 16), bytes.fromhex(row["hex"])) for row in found if "hex" in row
    ] == ecu_trace.payloads()
    assert not any("malformed" in row for row in found)


def test_the_recorded_reflash_reads_as_uds_on_the_lines_that_complete_a_payload() -> None:
    lines = (VECTORS / "ecu_trace.candump").read_text(encoding="ascii").splitlines()
    found = rows(Protocol.UDS, *lines)
    read = [row for row in found if "sid" in row]
    assert [row["hex"] for row in read] == [payload.hex() for _, payload in ecu_trace.payloads()]
    assert {"0x31", "0x34", "0x36", "0x37"} <= {row["sid"] for row in read if row["kind"] == "request"}
    assert all(row["frame"] in ("single", "consecutive") for row in read)


@pytest.mark.parametrize("row", UDS_ROWS, ids=lambda row: row["source"].rpartition("/")[2])
def test_the_public_uds_rows_come_out_as_their_publishers_say(row: dict[str, Any]) -> None:
    found = one(Protocol.UDS, row["hex"])
    assert found["hex"] == row["hex"]
    assert ("malformed" in found) == (row["service"] is None)
    if row["service"] is not None:
        keys = ("sid", "kind", "service", "alters_state")
        assert [found[key] for key in keys] == [row[key] for key in keys]


def test_uds_numbers_are_written_as_the_standard_writes_them() -> None:
    read = one(Protocol.UDS, "22 F1 90")
    assert (read["dids"], read["subfunction"], read["routine"], read["nrc"]) == (["0xF190"], None, None, None)
    routine = one(Protocol.UDS, "31 01 02 03")
    assert (routine["routine"], routine["subfunction"], routine["alters_state"]) == ("0x0203", "0x01", True)
    quiet = one(Protocol.UDS, "3E 80")
    assert (quiet["subfunction"], quiet["suppressed"]) == ("0x00", True)
    refused = one(Protocol.UDS, "7F 22 31")
    assert (refused["kind"], refused["nrc"], refused["service"]) == ("negative", "0x31", "ReadDID")
    assert refused["nrc_name"]


def test_each_isotp_frame_shows_its_fields() -> None:
    payload = bytes(range(20))
    first, second, third = (f"7E0#{data.hex()}" for data in encode(payload))
    found = rows(Protocol.ISOTP, first, "7E8#3008F1", second, third)
    assert found[0] | {"frame": "first", "length": 20, "head": payload[:6].hex()} == found[0]
    flow = {"frame": "flow_control", "status": "continue", "block_size": 8, "separation_ns": 100_000}
    assert found[1] | flow == found[1]
    assert found[2] | {"frame": "consecutive", "number": 1} == found[2]
    assert "payload" not in found[2]
    assert found[3] | {"frame": "consecutive", "length": 20, "payload": payload.hex(), "hex": payload.hex()} == found[3]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("18DA10F1#0322F190", {"addressing": "normal-fixed", "functional": False, "source": 0xF1, "target": 0x10}),
        ("18DBFFF1#023E80", {"addressing": "normal-fixed", "functional": True, "source": 0xF1, "target": 0xFF}),
        ("18CE10F1#550322F190", {"addressing": "mixed", "functional": False, "source": 0xF1, "extension": 0x55}),
        ("18CDFFF1#55023E80", {"addressing": "mixed", "functional": True, "target": 0xFF, "extension": 0x55}),
        ("7E0#023E80", {"addressing": "normal"}),
    ],
)
def test_addresses_are_read_where_the_identifier_has_them(line: str, expected: dict[str, object]) -> None:
    row = one(Protocol.ISOTP, line)
    assert {key: row[key] for key in expected} == expected
    assert row["payload"] in ("22f190", "3e80")


def test_an_address_byte_is_skipped_where_the_options_or_the_profile_say_so() -> None:
    for addressing in (Addressing(1), Addressing(0, frozenset({0x6F1}))):
        row = one(Protocol.ISOTP, "6F1#120322F190", addressing=addressing)
        assert (row["addressing"], row["target"], row["payload"]) == ("extended", 0x12, "22f190")
    other = one(Protocol.ISOTP, "6F2#0322F190", addressing=Addressing(0, frozenset({0x6F1})))
    assert other["addressing"] == "normal"


def test_two_links_that_share_an_identifier_but_not_an_address_byte_do_not_mix() -> None:
    lines = [
        f"6F1#{data.hex()}"
        for pair in zip(encode(bytes(12), prefix=b"\x12"), encode(bytes(range(12)), prefix=b"\x40"), strict=True)
        for data in pair
    ]
    found = rows(Protocol.ISOTP, *lines, addressing=Addressing(1))
    assert [row["payload"] for row in found if "payload" in row] == [bytes(12).hex(), bytes(range(12)).hex()]


def test_a_receiver_that_asks_to_wait_keeps_a_29_bit_transfer_open() -> None:
    first, second, third = (f"18DA10F1#{data.hex()}" for data in encode(bytes(20)))
    waits = [f"({at}) can0 18DAF110#310000" for at in (0.9, 1.8)]
    on = "(2.7) can0 18DAF110#300000"
    found = rows(Protocol.ISOTP, f"(0.0) can0 {first}", *waits, on, f"(2.71) can0 {second}", f"(2.72) can0 {third}")
    assert found[-1]["payload"] == bytes(20).hex()
    alone = rows(Protocol.ISOTP, f"(0.0) can0 {first}", f"(2.71) can0 {second}")
    assert "malformed" in alone[-1]


def test_a_lost_frame_is_malformed_and_the_next_payload_is_whole() -> None:
    first, _, third = (f"7E0#{data.hex()}" for data in encode(bytes(20)))
    found = rows(Protocol.ISOTP, first, third, "7E0#023E80")
    assert "malformed" in found[1]
    assert found[1]["partial"] == bytes(6).hex()
    assert found[2]["payload"] == "3e80"


def test_a_single_frame_that_ends_a_transfer_shows_what_it_ended() -> None:
    row = one(Protocol.ISOTP, f"7E0#{encode(bytes(20))[0].hex()}", "7E0#023E80")
    assert row["interrupted"] == bytes(6).hex()


def test_a_long_can_fd_frame_is_one_payload() -> None:
    (data,) = encode(b"\x2e\xf1\x90" + bytes(17), width=64)
    row = one(Protocol.UDS, f"7E0##1{data.hex()}")
    assert (row["frame"], row["length"], row["service"]) == ("single", 20, "WriteDID")


def test_a_bare_isotp_frame_needs_no_identifier() -> None:
    row = one(Protocol.ISOTP, "03 22 F1 90")
    assert (row["can_id"], row["payload"]) == (None, "22f190")


# ---------------------------------------------------------------- DBC


def test_a_frame_decodes_by_its_group_whoever_sends_it() -> None:
    row = one(Protocol.DBC, "0CF00433#00000A8025FFFFFF", database=database("j1939.dbc"))
    assert row["message"] == "EEC1"
    assert row["signals"]["EngineSpeed"] == 0x2580 * 0.125
    assert row["units"] == {"ActualTorque": "%", "EngineSpeed": "rpm"}


def test_a_label_comes_as_text() -> None:
    row = one(Protocol.DBC, "0C00000B#03", "0C00000B#0300000000000000", database=database("j1939.dbc"))
    assert row["signals"]["OverrideControlMode"] == "limit"


def test_what_no_message_fits_is_malformed() -> None:
    found = rows(Protocol.DBC, "456#00", "123#00", "0011", database=database("j1939.dbc"))
    assert found[0]["malformed"] == "no message of the DBC has this identifier"
    assert found[1]["message"] == "Standard"
    assert found[1]["malformed"]
    assert found[2]["malformed"].endswith("name it with --message")


def test_a_payload_decodes_as_the_named_message_or_group() -> None:
    by_name = one(Protocol.DBC, "00000A8025FFFFFF", database=database("j1939.dbc"), message="EEC1")
    by_group = one(Protocol.DBC, "00000A8025FFFFFF", database=database("j1939.dbc"), pgn=0xF004)
    assert by_name == by_group
    assert by_name["message"] == "EEC1"


def test_a_float_that_is_no_number_becomes_null() -> None:
    data = struct.pack("<ff", math.nan, -math.inf)
    row = one(Protocol.DBC, f"020#{data.hex()}", database=database("floats.dbc"))
    assert row["signals"] == {"First": None, "Second": None}
    json.dumps(row, allow_nan=False)


def test_a_can_fd_message_decodes() -> None:
    row = one(Protocol.DBC, "060##1" + "02" + "00" * 63, database=database("fd.dbc"))
    assert (row["message"], row["signals"]["Index"]) == ("CellVoltages", 2)


def test_a_message_that_does_not_exist_is_the_callers_mistake_and_the_next_step_is_named() -> None:
    with pytest.raises(BusgateError, match=r"no message 'EEC2' in the DBC. Next: name one such as EEC1"):
        LineDecoder(Protocol.DBC, database=database("j1939.dbc"), message="EEC2")
    with pytest.raises(BusgateError, match="--dbc FILE"):
        LineDecoder(Protocol.DBC, message="EEC2")


# ---------------------------------------------------------------- every protocol


@pytest.mark.parametrize("protocol", Protocol)
def test_lines_that_say_nothing_give_nothing_but_count(protocol: Protocol) -> None:
    decoder = LineDecoder(protocol)
    assert [decoder.decode(line) for line in ("", "  \t", "# 22F190")] == [None, None, None]
    row = decoder.decode("zz\n")
    assert row == {"malformed": "this is neither a candump line nor a payload in hexadecimal", "line": 4}


@pytest.mark.parametrize("protocol", Protocol)
def test_frames_without_data_of_their_own_are_malformed(protocol: Protocol) -> None:
    remote, error = rows(protocol, "123#R4", "can0  20000004   [8]  00 00 00 00 00 00 00 00   ERRORFRAME")
    assert (remote["can_id"], remote["malformed"]) == ("123", "a remote frame asks for data and has none")
    assert (error["can_id"], error["malformed"]) == ("20000004", "an error frame")


def test_an_11_bit_identifier_is_not_j1939() -> None:
    assert one(Protocol.J1939, "123#00")["malformed"] == "an 11-bit identifier is not J1939"
