"""JT/T 808 and 905 frames and bodies against public test suites, both ways, and what their authors say of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from busgate_sim.cloud.jt808 import Edition, Message, checksum, decode, encode, escape, unescape
from busgate_sim.cloud.jt808_bodies import Body, Raw, message_of, read_body
from busgate_sim.cloud.jt808_commands import (
    MAXIMUM_SPEED,
    AskSomeParameters,
    Parameters,
    SetParameters,
    TaxiControl,
    TerminalControl,
    Text,
    ThroughDown,
    Upgrade,
    VehicleControl,
)
from busgate_sim.cloud.jt808_location import MILEAGE, Location, Status, stamp
from busgate_sim.cloud.jt808_session import Registration
from busgate_sim.cloud.octets import Refused

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "cloud_jt808.json").read_text(encoding="utf-8"))

NOT_BY_THE_STANDARD = {
    "JT808_0x0104Test.cs:105": "the source's first writing counted 15 octets for 13; its next row corrects it",
    "JT808_0x0104Test.cs:162": "a captured answer that announces nine parameters and is cut in the sixth",
    "JT808_0x8104Test.cs:41": "the source reads a head only; five octets follow a body of none",
    "Demo13.cs:66": "the source adds two octets of its own to the general answer",
    "JT808_0x0200Test.cs:323": "an authentication of the 2013 form under a header of 2019, its length field wrong",
}
"""Bodies that we refuse, by where they are published, with the reason."""


SAID_OF_ANOTHER = {
    ("JT808_0x0200_0x2B_Test.cs:26", "Direction"): "of a vendor's additional item",
    ("JT808_0x8104Test.cs:41", "TerminalPhoneNo"): "of the frame that the same test makes afterwards",
}
"""Assertions that a source makes beside a frame and of something else."""


def place(row: dict[str, Any]) -> str:
    return str(row["source"]).rpartition("/")[2]


def message(row: dict[str, Any]) -> Message:
    """The row's frame; the standard of 2011 has the shorter registration, and the header does not tell."""
    older = Edition.Y2011 if place(row) == "JT808_0x0100Test.cs:180" else Edition.Y2013
    found = decode(bytes.fromhex(row["hex"]), older)
    assert isinstance(found, Message), found
    return found


def body_of(row: dict[str, Any]) -> Body | Refused:
    if "hex" in row:
        return read_body(message(row))
    edition = Edition.Y2019 if row["version"] == "2019" else Edition.Y2013
    return read_body(Message(int(row["msg_id"], 16), "0", 0, bytes.fromhex(row["body"]), edition))


@pytest.mark.parametrize("row", VECTORS["frames"] + VECTORS["taxi_frames"], ids=place)
def test_the_header_of_every_published_frame_reads_as_published_and_is_written_back(row: dict[str, Any]) -> None:
    found, header = message(row), row["header"]
    assert found.number == int(header["msg_id"], 16)
    assert found.phone == header["phone"]
    assert found.serial == header["serial"]
    assert (found.part, found.parts) == (header.get("pkt_no", 0), header.get("pkt_total", 0))
    assert ("checksum" not in found.flaws) == row.get("checksum_ok", True)
    assert ("length" not in found.flaws) == row.get("length_ok", True)
    if not found.flaws:
        assert encode(found) == bytes.fromhex(row["hex"])


@pytest.mark.parametrize("row", VECTORS["frames"] + VECTORS["bodies"], ids=place)
def test_every_published_body_is_read_and_written_back(row: dict[str, Any]) -> None:
    found = body_of(row)
    if place(row) in NOT_BY_THE_STANDARD:
        assert isinstance(found, Refused), f"{NOT_BY_THE_STANDARD[place(row)]}, and yet it was read"
        return
    assert not isinstance(found, Refused), found
    edition = Edition.Y2019 if row["version"] == "2019" else Edition.Y2013
    edition = Edition.Y2011 if place(row) == "JT808_0x0100Test.cs:180" else edition
    octets = message(row).body if "hex" in row else bytes.fromhex(row["body"])
    assert found.write(edition) == octets


Say = Callable[[Any], object]

ASSERTED: dict[str, dict[str, Say]] = {
    "0x0001": {"ReplyMsgId": lambda b: b.to, "ReplyMsgNum": lambda b: b.serial},
    "0x8001": {"AckMsgId": lambda b: b.to, "MsgNum": lambda b: b.serial},
    "0x0100": {
        "AreaID": lambda b: b.province,
        "CityOrCountyId": lambda b: b.city,
        "MakerId": lambda b: b.maker.lstrip("0"),
        "TerminalModel": lambda b: b.model.lstrip("0"),
        "TerminalId": lambda b: b.terminal.lstrip("0"),
        "PlateColor": lambda b: b.plate_colour,
        "PlateNo": lambda b: b.plate,
    },
    "0x8100": {"Code": lambda b: b.code, "AckMsgNum": lambda b: b.serial},
    "0x0102": {
        "Code": lambda b: b.code,
        "CodeLength": lambda b: len(b.code),
        "IMEI": lambda b: b.imei,
        "SoftwareVersion": lambda b: b.software,
    },
    "0x0104": {"AnswerParamsCount": lambda b: len(b.parameters), "MsgNum": lambda b: b.serial},
    "0x8500": {
        "ControlFlag": lambda b: b.flags,
        "ControlTypeCount": lambda b: len(b.controls),
        "ControlTypeId": lambda b: b.controls[0][0],
        "ControlTypeParameter": lambda b: b.controls[0][1],
    },
    "0x8106": {"ParameterCount": lambda b: len(b.numbers)},
    "0x8105": {"CommandWord": lambda b: b.word},
    "0x8108": {"MakerId": lambda b: b.maker, "VersionNum": lambda b: b.version},
    "0x8300": {"TextInfo": lambda b: b.text, "TextFlag": lambda b: b.flags, "TextType": lambda b: b.kind},
    "0x8900": {"PassthroughType": lambda b: b.kind},
    "0x0900": {"PassthroughType": lambda b: b.kind, "PassthroughContent": lambda b: b.data.decode()},
    "0x0200": {
        "AlarmFlag": lambda b: b.alarm,
        "StatusFlag": lambda b: b.status,
        "Lat": lambda b: signed(b.latitude_udeg),
        "Lng": lambda b: signed(b.longitude_udeg),
        "Altitude": lambda b: b.altitude_m,
        "Speed": lambda b: b.speed_01kmh,
        "Direction": lambda b: b.direction_deg,
        "GPSTime": lambda b: b.when.strftime("%Y-%m-%d %H:%M:%S"),
    },
}
ASSERTED["0x0500"] = {
    name: lambda b, say=say: say(b.location) for name, say in ASSERTED["0x0200"].items()
} | {"MsgNum": lambda b: b.serial}  # fmt: skip


def signed(number: int) -> int:
    """One source writes south and west as two's complement; the standard has status bits for them."""
    return number - (1 << 32) if number >> 31 else number


HEADER: dict[str, Say] = {
    "MsgId": lambda m: m.number,
    "MsgNum": lambda m: m.serial,
    "TerminalPhoneNo": lambda m: m.phone.lstrip("0"),
    "DataLength": lambda m: len(m.body),
}


def asserted() -> list[tuple[str, dict[str, Any], str, object]]:
    """What the sources assert that is not of a vendor's own octets: where, of what, by which name, which value."""
    found = []
    for row in VECTORS["frames"] + VECTORS["bodies"]:
        number = row["header"]["msg_id"] if "hex" in row else row["msg_id"]
        known = set(HEADER) if "hex" in row else set()
        known |= set() if place(row) in NOT_BY_THE_STANDARD else set(ASSERTED.get(number, {}))
        for name, value in row.get("asserted", {}).items():
            if name in known and (place(row), name) not in SAID_OF_ANOTHER:
                found.append((number, row, name, value))
    return found


@pytest.mark.parametrize(("number", "row", "name", "value"), asserted())
def test_the_sources_assertions_hold(number: str, row: dict[str, Any], name: str, value: object) -> None:
    says = list[object]()
    if "hex" in row and name in HEADER:
        says.append(HEADER[name](message(row)))
    if name in ASSERTED.get(number, {}) and place(row) not in NOT_BY_THE_STANDARD:
        # A source's MsgNum may be the header's as well as the answered message's.
        says.append(ASSERTED[number][name](body_of(row)))
    assert value in says


def test_enough_assertions_are_compared() -> None:
    assert len(asserted()) > 150


PEER: dict[str, dict[str, Say]] = {
    "0x8001": {
        "responseSerialNo": lambda b: b.serial,
        "responseMessageId": lambda b: b.to,
        "resultCode": lambda b: b.result,
    },
    "0x0100": {
        "provinceId": lambda b: b.province,
        "cityId": lambda b: b.city,
        "makerId": lambda b: b.maker,
        "deviceModel": lambda b: b.model,
        "deviceId": lambda b: b.terminal,
        "plateColor": lambda b: b.plate_colour,
        "plateNo": lambda b: b.plate,
    },
    "0x8100": {
        "responseSerialNo": lambda b: b.serial,
        "resultCode": lambda b: b.result,
        "token": lambda b: b.code,
    },
    "0x0102": {"token": lambda b: b.code, "imei": lambda b: b.imei, "softwareVersion": lambda b: b.software},
    "0x0104": {"responseSerialNo": lambda b: b.serial},
    "0x0108": {"type": lambda b: b.kind, "result": lambda b: b.result},
    "0x8105": {"command": lambda b: b.word, "parameter": lambda b: ";".join(b.parameters)},
    "0x8106": {"id": lambda b: list(b.numbers)},
    "0x8108": {
        "type": lambda b: b.kind,
        "makerId": lambda b: b.maker,
        "version": lambda b: b.version,
        "packet": lambda b: list(b.package),
    },
    "0x8300": {"sign": lambda b: b.flags, "content": lambda b: b.text},
    "0x8500": {"type": lambda b: b.controls[0][0] if b.controls else b.flags},
    "0x0200": {
        "warnBit": lambda b: b.alarm,
        "statusBit": lambda b: b.status,
        "latitude": lambda b: b.latitude_udeg,
        "longitude": lambda b: b.longitude_udeg,
        "altitude": lambda b: b.altitude_m,
        "speed": lambda b: b.speed_01kmh,
        "direction": lambda b: b.direction_deg,
        "deviceTime": lambda b: b.when.strftime("%Y-%m-%dT%H:%M:%S"),
    },
}


@pytest.mark.parametrize("row", [row for row in VECTORS["frames"] if row.get("peer")], ids=place)
def test_an_independent_decoder_reads_the_same(row: dict[str, Any]) -> None:
    peer, number = row["peer"], row["header"]["msg_id"]
    found, inside = message(row), body_of(row)
    assert (found.number, found.serial, found.phone) == (peer["messageId"], peer["serialNo"], peer["clientId"])
    for name, say in PEER.get(number, {}).items():
        if name in peer:
            assert say(inside) == peer[name], name


def test_the_drive_cut_commands_have_the_published_bytes() -> None:
    lock = message_of(TaxiControl(0, 0), "108000000316", 0, Edition.Y2013)
    assert encode(lock).hex() == "7e8500000210800000031600000000027e"
    both = message_of(VehicleControl(controls=((0x0001, 0), (0xF001, 1))), "1", 0)
    assert both.body.hex() == "0002000100f00101"
    cut = message_of(TerminalControl(0x64), "018000032600", 1, Edition.Y2013)
    assert cut.body == b"\x64"


def test_the_speed_limit_is_four_octets_of_parameter_0x55() -> None:
    limit = message_of(SetParameters(((MAXIMUM_SPEED, (40).to_bytes(4)),)), "1", 0)
    assert limit.body.hex() == "01000000550400000028"


def test_a_wrong_checksum_is_said_and_the_command_read_all_the_same() -> None:
    frame = bytearray(encode(message_of(TerminalControl(0x64), "018000032600", 1, Edition.Y2013)))
    frame[-2] ^= 1
    found = decode(bytes(frame))
    assert isinstance(found, Message)
    assert found.flaws == ("checksum",)
    assert read_body(found) == TerminalControl(0x64)


def test_delimiters_and_escapes_in_the_content_are_escaped() -> None:
    assert escape(b"\x30\x7e\x08\x7d\x55") == bytes.fromhex("307d02087d0155")  # the example of 4.4.2
    assert unescape(bytes.fromhex("307d02087d0155")) == b"\x30\x7e\x08\x7d\x55"
    assert isinstance(unescape(b"\x7d\x03"), Refused)
    assert isinstance(unescape(b"\x7d"), Refused)
    assert checksum(b"\x01\x03") == 2


@pytest.mark.parametrize("frame", [b"", b"\x7e\x7e", b"\x7e\x00\x7e", b"\x7e\x00\x02\x00\x00\x7e"])
def test_frames_too_short_for_a_header_are_refused(frame: bytes) -> None:
    assert isinstance(decode(frame), Refused)


def test_what_does_not_fit_is_said_to_the_caller() -> None:
    with pytest.raises(ValueError, match="split it"):
        encode(Message(0x8900, "1", 0, bytes(1024)))
    with pytest.raises(ValueError, match="more than 12 digits"):
        encode(Message(0x0002, "1" * 13, 0, edition=Edition.Y2013))
    with pytest.raises(ValueError, match="field has 5"):
        message_of(Upgrade(0, "toolong", "1", b""), "1", 0)
    with pytest.raises(ValueError, match="0x8105"):
        message_of(TerminalControl(256), "1", 0)


def test_messages_without_a_use_here_and_encrypted_ones_stay_octets() -> None:
    assert read_body(Message(0x8600, "1", 0, b"\x01")) == Raw(0x8600, b"\x01")
    assert read_body(Message(0x8105, "1", 0, b"\x99", encryption=1)) == Raw(0x8105, b"\x99")


def test_both_forms_of_the_2019_vehicle_control_are_read() -> None:
    plain = read_body(Message(0x8500, "1", 0, bytes.fromhex("f00201")))
    assert plain == VehicleControl(controls=((0xF002, 1),), counted=False)
    assert isinstance(read_body(Message(0x8500, "1", 0, bytes.fromhex("0003000101"))), Refused)
    old = read_body(Message(0x8500, "1", 0, b"\x01", Edition.Y2011))
    assert old == VehicleControl(flags=1)


def test_where_and_when_a_location_is() -> None:
    status = Status.POSITIONED | Status.SOUTH
    location = Location(
        0, status, 33_900_000, 151_200_000, 20, 415, 90, "260302064000", ((MILEAGE, bytes(3) + b"\x0a"),)
    )
    assert location.position == (-33.9, 151.2)
    assert location.item(MILEAGE) == 10
    assert location.item(0x99) is None
    assert location.when is not None
    assert stamp(int(location.when.timestamp()) * 1_000_000_000) == location.time
    nonsense = read_body(message_of(Location(0, 0, 0, 0, 0, 0, 0, "ffffffffffff"), "1", 0))
    assert isinstance(nonsense, Location)
    assert nonsense.when is None


@pytest.mark.parametrize("edition", list(Edition))
@pytest.mark.parametrize(
    "body",
    [
        Registration(44, 300, "BUSGT", "TBX-7", "0000042", 0, "SYNTHETICBUS00421"),
        Text(1, "STOP#"),
        ThroughDown(0xF1, b"\x00\x7e\x7d"),
        AskSomeParameters((1, MAXIMUM_SPEED)),
        Parameters(7, ((MAXIMUM_SPEED, b"\x00\x00\x00\x28"),)),
    ],
)
def test_bodies_survive_every_edition(edition: Edition, body: Body) -> None:
    sent = encode(message_of(body, "013800138000", 3, edition))
    back = decode(sent, edition)
    assert isinstance(back, Message)
    assert read_body(back) == body
