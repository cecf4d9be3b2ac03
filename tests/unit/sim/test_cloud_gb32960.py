"""GB/T 32960.3 packets against public test suites, both ways, and what an independent decoder reads from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from busgate_sim.cloud.gb32960 import (
    Command,
    Edition,
    Encryption,
    Packet,
    Packets,
    Response,
    clock,
    decode,
    encode,
    moment,
)
from busgate_sim.cloud.gb32960_bodies import Body, Raw, packet_of, read_body
from busgate_sim.cloud.gb32960_commands import (
    UPGRADE,
    VENDOR_LOCK,
    WARN,
    Control,
    Query,
    Settings,
    upgrade_argument,
    upgrade_fields,
)
from busgate_sim.cloud.gb32960_fields import ABNORMAL
from busgate_sim.cloud.gb32960_report import ALARMS, Group, Report
from busgate_sim.cloud.gb32960_session import Answer, Login, Logout, Nothing, PlatformLogin
from busgate_sim.cloud.octets import Refused

ROWS = json.loads((Path(__file__).parents[2] / "vectors" / "cloud_gb32960.json").read_text(encoding="utf-8"))["packets"]
VIN = "SYNTHETICBUS00421"
NOW = clock(1_772_404_800 * 1_000_000_000)

NOT_BY_THE_STANDARD = {
    "JTNE_0x02_Package_DeviceTest.cs:179": "a report marked as an answer, and without its time",
    "JTNE_0x02_Package_PlatformTest.cs:130": "a report marked as an answer, and without its time",
    "NELogoutUpStreamTest.cs:80": "a vehicle's logout sent with the command of a platform's login",
    "NEPlatformLogoutUpStreamTest.cs:20": "a platform's login sent with the command of its logout",
}
"""Bodies that we refuse, by where they are published, with the reason."""

PEER_DIFFERS = {
    ("cells", "current_a", "2016"): "the decoder takes 2025's bias of 3000 A; with 2016's of 1000 A the current is the"
    " vehicle's own (row data_2016: 5.1 A in both)",
    ("vehicle", "insulation_kohm", "2016"): "the decoder reads all ones as 65535 kOhm, the standard as invalid",
}


def place(row: dict[str, Any]) -> str:
    return str(row["source"]).rpartition("/")[2]


def packet(row: dict[str, Any]) -> Packet:
    found = decode(bytes.fromhex(row["hex"]))
    assert isinstance(found, Packet), found
    return found


@pytest.mark.parametrize("row", ROWS, ids=place)
def test_every_published_packet_reads_as_published_and_is_written_back(row: dict[str, Any]) -> None:
    found, header = packet(row), row["header"]
    assert found.intact
    assert found.edition.name == f"Y{row['version']}"
    said = (found.command, found.response, found.encryption)
    assert said == tuple(int(header[name], 16) for name in ("command", "response", "encrypt"))
    assert found.vin == header["vin"].rstrip("\0")
    assert len(found.data) == header["data_len"]
    assert encode(found) == bytes.fromhex(row["hex"])


@pytest.mark.parametrize("row", ROWS, ids=place)
def test_every_published_body_is_read_and_written_back(row: dict[str, Any]) -> None:
    found, body = packet(row), read_body(packet(row))
    if place(row) in NOT_BY_THE_STANDARD:
        assert isinstance(body, Refused), f"{NOT_BY_THE_STANDARD[place(row)]}, and yet it was read"
        return
    assert not isinstance(body, Refused), body
    assert body.write(found.edition) == found.data
    assert isinstance(body, Raw) == (found.command in {0x09, 0x0A} or found.encryption != Encryption.NONE)
    assert not isinstance(body, Report) or bool(body.rest) == ("before signature" in row.get("name", ""))


NAMES = {
    "whole_vehicle": "vehicle", "emotor": "motors", "engine": "engine", "gnss": "position", "pack_extrema": "extremes",
    "warnings": "alarms", "cell_volts": "cells", "probe_temps": "temperatures",
}  # fmt: skip

# Of the same name in several kinds of data, the kind is put before it.
FIELDS = {
    "vehicle_speed": "speed_kmh", "mileage_total": "odometer_km", "voltage_total": "voltage_v",
    "current_total": "current_a", "soc": "soc_percent", "insulation_resistance": "insulation_kohm",
    "accelerator_padel": "accelerator_percent", "brake_padel": "brake_percent", "emotor.index": "motor",
    "ctrl_temp": "controller_degc", "speed": "speed_rpm", "torque": "torque_nm", "temp": "temperature_degc",
    "ctrl_volt": "controller_v", "ctrl_curr": "controller_a", "engine_torque": "speed_rpm",
    "fuel_consumption": "fuel_l_100km", "gnss_lng": "longitude_deg", "gnss_lat": "latitude_deg",
    "max_volt_pack_index": "highest_pack", "max_volt_cell_index": "highest_cell", "max_cell_volt": "highest_v",
    "min_volt_pack_index": "lowest_pack", "min_volt_cell_index": "lowest_cell", "min_cell_volt": "lowest_v",
    "max_temp_pack_index": "hottest_pack", "max_temp_cell_index": "hottest_probe", "max_cell_temp": "hottest_degc",
    "min_temp_pack_index": "coldest_pack", "min_temp_cell_index": "coldest_probe", "min_cell_temp": "coldest_degc",
    "max_warning_level": "level", "cell_volts.index": "pack", "probe_temps.index": "pack", "volt": "voltage_v",
    "curr": "current_a", "cell_total": "cells", "cell_start_index": "first_cell", "cell_volts": "cells_v",
    "probe_temps": "temperatures_degc",
}  # fmt: skip


def said_by_peer(text: object) -> object:
    """The decoder's "12.2 km/h", "65535 invalid", "254 abnormal", or a list of such."""
    if isinstance(text, list):
        return tuple(said_by_peer(one) for one in text)
    if isinstance(text, int):
        return {0xFF: None, 0xFE: ABNORMAL, 0xFFFF: None}.get(text, text)
    number, _, unit = str(text).partition(" ")
    return {"invalid": None, "abnormal": ABNORMAL}.get(unit, pytest.approx(float(number)))


REPORTS = [row for row in ROWS if "data_list" in row.get("peer", {})]


@pytest.mark.parametrize("row", REPORTS, ids=place)
def test_an_independent_decoder_reads_the_same_report(row: dict[str, Any]) -> None:
    report = read_body(packet(row))
    assert isinstance(report, Report)
    when = moment(report.time)
    assert when is not None
    assert when.strftime("%Y-%m-%dT%H:%M:%S") == row["peer"]["timestamp"]
    groups = [group for group in report.groups if group.name != "signature"]
    for group, peer in zip(groups, row["peer"]["data_list"], strict=False):
        if isinstance(peer["data_type"], int):
            assert group.number == peer["data_type"]
            assert group.rows[0]["data"] == bytes.fromhex(peer["data_content"])
            continue
        assert group.name == NAMES[peer["data_type"]]
        content = peer["data_content"]
        for mine, theirs in zip(group.rows, content if isinstance(content, list) else [content], strict=True):
            compare(row["version"], peer["data_type"], mine, theirs)


def compare(version: str, kind: str, mine: Any, theirs: dict[str, Any]) -> None:
    for name, said in theirs.items():
        field = FIELDS.get(f"{kind}.{name}") or FIELDS.get(name)
        if field is not None and (NAMES[kind], field, version) not in PEER_DIFFERS:
            assert mine[field] == said_by_peer(said), name
    if kind == "warnings":
        flags = theirs["general_warnings"].values()
        assert mine["alarms"] == sum(flag << bit for bit, flag in enumerate(flags))
        assert [f"{code:08x}" for code in mine["other"]] == theirs["other_failures"]


def test_the_decoders_two_mistakes_are_still_there() -> None:
    own = [row for row in REPORTS if row.get("name") == "data_2016"]
    report = read_body(packet(own[0]))
    assert isinstance(report, Report)
    assert report.row("cells")["current_a"] == report.row("vehicle")["current_a"] == 5.1
    assert own[0]["peer"]["data_list"][-3]["data_content"][0]["curr"] == "-1994.9 V"


@pytest.mark.parametrize("row", [row for row in ROWS if "session_id" in row.get("peer", {})], ids=place)
def test_an_independent_decoder_reads_the_same_logins(row: dict[str, Any]) -> None:
    body, peer = read_body(packet(row)), row["peer"]
    assert isinstance(body, Login | Logout | PlatformLogin)
    assert body.serial == peer["session_id"]
    if isinstance(body, PlatformLogin):
        assert (body.user, body.password) == (peer["username"], peer["password"])
    if isinstance(body, Login):
        assert body.iccid == peer["iccid"]
        assert list(body.packs) == peer.get("pack_per_bms", [])
        codes = peer.get("pack_sn") or [code for bms in peer["pack_sn_list"] for code in bms]
        assert list(body.codes) == codes


def test_the_vendors_lock_has_the_published_bytes() -> None:
    time = bytes.fromhex("110c1209161e")
    lock = packet_of(Command.CONTROL, Control(time, VENDOR_LOCK, b"\x91"), "LGHC4V1D3HE202652")
    assert encode(lock).hex() == "232382fe4c47484334563144334845323032363532010008110c1209161e909152"
    query = packet_of(Command.QUERY, Query(time, (VENDOR_LOCK,)), "LGHC4V1D3HE202652")
    assert encode(query).hex() == "232380fe4c47484334563144334845323032363532010008110c1209161e0190c0"


def test_the_upgrade_text_is_read_with_widths_and_without() -> None:
    argument = upgrade_argument("ftp://update.invalid/ab", firmware="04.18", timeout_min=0x3B)
    fields = upgrade_fields(argument)
    assert not isinstance(fields, Refused)
    assert (fields["url"], fields["firmware"]) == (b"ftp://update.invalid/ab", b"04.18")
    assert fields["timeout"] == b"\x00;"
    published = upgrade_fields(bytes.fromhex("3b78797a3b31313b3132333b3b3b3b3b3b"))
    assert not isinstance(published, Refused)
    assert (published["user"], published["password"], published["address"]) == (b"xyz", b"11", b"123")
    assert isinstance(upgrade_fields(b"a;b"), Refused)
    with pytest.raises(ValueError, match="may have no ;"):
        upgrade_argument("http://a;b")


def test_after_an_unknown_parameter_the_rest_is_not_read() -> None:
    data = NOW + bytes.fromhex("04 02000a 0403 05613a62 90f1")
    found = read_body(Packet(Command.SET, VIN, data))
    assert found == Settings(NOW, 4, ((2, b"\x00\x0a"), (4, b"\x03"), (5, b"a:b")), b"\x90\xf1")
    name_without_length = read_body(Packet(Command.SET, VIN, NOW + b"\x01\x05abc"))
    assert name_without_length == Settings(NOW, 1, (), b"\x05abc")
    too_long = read_body(Packet(Command.SET, VIN, NOW + bytes.fromhex("0102000aff")))
    assert isinstance(too_long, Refused)


@pytest.mark.parametrize("edition", list(Edition))
@pytest.mark.parametrize(
    ("command", "body"),
    [
        (Command.LOGOUT, Logout(NOW, 7)),
        (Command.HEARTBEAT, Nothing()),
        (Command.CLOCK, Nothing()),
        (Command.CONTROL, Control(NOW, WARN, b"\x02")),
        (Command.CONTROL, Control(NOW, UPGRADE, upgrade_argument("https://update.invalid/x"))),
        (Command.REISSUE, Report(NOW, (Group("custom", ({"data": b"\x01"},), 0x83),))),
    ],
)
def test_bodies_survive_both_editions(edition: Edition, command: Command, body: Body) -> None:
    back = decode(encode(packet_of(command, body, VIN, edition)))
    assert isinstance(back, Packet)
    assert read_body(back) == body


def test_answers_have_a_time_or_nothing_and_a_query_has_values() -> None:
    done = Packet(Command.CONTROL, VIN, NOW, Response.DONE)
    assert read_body(done) == Answer(NOW)
    assert read_body(Packet(Command.HEARTBEAT, VIN, b"", Response.DONE)) == Answer()
    answered = Settings(NOW, 1, ((0x10, b"\x01"),))
    assert read_body(packet_of(Command.QUERY, answered, VIN, response=Response.DONE)) == answered


def test_what_a_number_cannot_say_is_abnormal_and_what_is_missing_invalid() -> None:
    row = {"speed_kmh": 9999.0, "soc_percent": 81, "current_a": -1000.0}
    sent = packet_of(Command.REPORT, Report(NOW, (Group("vehicle", (row,)),)), VIN)
    report = read_body(sent)
    assert isinstance(report, Report)
    back = report.row("vehicle")
    assert (back["speed_kmh"], back["soc_percent"], back["current_a"]) == (ABNORMAL, 81, -1000.0)
    assert back["voltage_v"] is None
    assert report.row("motors") == {}


def test_what_does_not_fit_is_said_to_the_caller() -> None:
    with pytest.raises(ValueError, match="2025 has no data called extremes"):
        packet_of(Command.REPORT, Report(NOW, (Group("extremes", ({},)),)), VIN, Edition.Y2025)
    with pytest.raises(ValueError, match="vehicle: 2 rows"):
        packet_of(Command.REPORT, Report(NOW, (Group("vehicle", ({}, {})),)), VIN)
    with pytest.raises(ValueError, match="needs a list"):
        packet_of(Command.REPORT, Report(NOW, (Group("cells", ({},)),)), VIN)
    with pytest.raises(ValueError, match="needs octets"):
        packet_of(Command.REPORT, Report(NOW, (Group("custom", ({},), 0x80),)), VIN)
    with pytest.raises(ValueError, match="field has 17"):
        encode(Packet(Command.HEARTBEAT, VIN + "0"))
    with pytest.raises(ValueError, match="a packet carries"):
        encode(Packet(Command.REPORT, VIN, bytes(65532)))


def test_a_broken_group_and_all_after_it_are_kept_as_they_are() -> None:
    data = NOW + bytes.fromhex("0403ffffffff") + b"\x01\x02"
    report = read_body(Packet(Command.REPORT, VIN, data))
    assert isinstance(report, Report)
    assert [group.name for group in report.groups] == ["engine"]
    assert report.rest == b"\x01\x02"


def test_a_wrong_check_octet_is_said_and_junk_is_refused() -> None:
    beat = Packet(Command.HEARTBEAT, VIN)
    good = encode(beat)
    bad = good[:-1] + bytes([good[-1] ^ 1])
    found = Packets().feed(b"\x00%" + bad + b"!" + good)
    assert found[0] == Refused("packet: 2 octets before a start")
    assert isinstance(found[1], Packet)
    assert not found[1].intact
    assert found[2:] == [Refused("packet: 1 octets before a start"), beat]
    assert isinstance(decode(b"%%" + good[2:]), Refused)
    assert isinstance(decode(good + b"\x00"), Refused)
    assert isinstance(decode(b"##"), Refused)


def test_times_are_in_gmt_8() -> None:
    assert NOW.hex() == "1a0302062800"
    when = moment(NOW)
    assert when is not None
    assert int(when.timestamp()) == 1_772_404_800
    assert moment(b"\xff" * 6) is None
    assert moment(b"") is None


def test_every_alarm_has_its_bit() -> None:
    assert len(ALARMS) == 28
    assert ALARMS[16] == "high-voltage interlock"
