"""JT/T 905: what the taxi's centre commands, and what the unit says of it."""

import pytest

from busgate.decode.jt808_frame import checksum
from busgate.decode.jt808_stream import Framer
from busgate.decode.jt905 import read905
from busgate.decode.jt905_bodies import TaxiVehicleControl
from busgate.model import Direction, Pdu

ISU = "108000000316"


def frame(number: int, body: bytes) -> bytes:
    plain = number.to_bytes(2) + len(body).to_bytes(2) + bytes.fromhex(ISU) + b"\0\1" + body
    plain += bytes([checksum(plain)])
    return b"\x7e" + plain.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"


def read(number: int, body: bytes) -> Pdu:
    pdu = read905(frame(number, body))
    assert pdu is not None
    return pdu


@pytest.mark.parametrize(
    ("item", "command", "meaning"),
    [
        (0, 1, "cut oil"),
        (0, 0, "restore oil"),
        (1, 1, "cut circuit"),
        (2, 0, "unlock doors"),
        (3, 1, "lock vehicle"),
        (4, 1, ""),
    ],
)
def test_vehicle_control_says_what_and_how(item: int, command: int, meaning: str) -> None:
    pdu = read(0x8500, bytes([item, command]))
    assert pdu.body == TaxiVehicleControl(item, command, meaning)
    assert (pdu.protocol, pdu.name, pdu.direction) == ("jt905", "vehicle control", Direction.DOWN)
    assert (pdu.fields["isu"], pdu.fields["phone"], pdu.fields["serial"]) == (ISU, ISU, 1)


def test_parameters_have_no_count_and_word_numbers() -> None:
    pdu = read(0x8103, bytes.fromhex("0055 04 0000003c 0010 03 616263 0099 01 07".replace(" ", "")))
    assert [(one["name"], one["value"]) for one in pdu.fields["parameters"]] == [
        ("maximum_speed", 60),
        ("main_server_apn", "abc"),
        ("reserved", "07"),
    ]


def test_an_upgrade_says_from_where() -> None:
    pdu = read(0x8105, b"\1\0\x0a\1\x12\1apn\0user\0pass\0fw.example\0" + (5600).to_bytes(2))
    shown = {name: pdu.fields[name] for name in ("command_word_name", "server_address", "server_port", "apn")}
    assert shown == {
        "command_word_name": "wireless upgrade",
        "server_address": "fw.example",
        "server_port": 5600,
        "apn": "apn",
    }


def test_the_answer_to_a_control_is_a_location_with_its_status() -> None:
    location = bytes.fromhex("00000000 00000c01 00ba2d06 01750205 0078 78 211015211010".replace(" ", ""))
    pdu = read(0x0500, b"\0\1" + location)
    shown = pdu.fields["location"]
    assert shown["status"] == ["not positioned", "oil cut", "circuit cut"]
    assert (shown["direction"], shown["direction_deg"]) == (120, 240.0)
    assert shown["latitude_deg"] == pytest.approx(0xBA2D06 / 600_000)


def test_a_ride_has_what_the_taximeter_recorded() -> None:
    # The record of JT905_0x0B05_Test.cs:76, whose test asserts 8 yuan, 0.1 km, 56.7 km without a passenger.
    record = (
        b"AA3333"
        + bytes(16)
        + b"42108319880906011X\0"
        + bytes.fromhex("23072619411941000001056700000000000000800000000c00")
    )
    pdu = read(0x0B05, bytes(65) + record)
    ride = pdu.fields["ride"]
    assert (ride["license_plate"], ride["begin_time"], ride["end_time"]) == ("AA3333", "2307261941", "1941")
    assert (ride["amount"], ride["mileage"], ride["empty_drive"], ride["section"]) == ("000080", "000001", "0567", 12)
    assert read(0x0B05, bytes(65) + b"\1\3").fields["taximeter_data"] == "0103"


def test_a_body_longer_than_808_can_say() -> None:
    pdu = read(0x0806, bytes(2000))
    assert (pdu.fields["body_length"], pdu.flaws) == (2000, ())


def test_a_number_that_905_does_not_have_is_read_as_808() -> None:
    assert read(0x8601, b"\1\0\0\0\5").fields["ids"] == [5]


def test_a_stream_of_taxi_frames() -> None:
    data = frame(0x8500, b"\0\1") + frame(0x0806, bytes(3000))
    spans = Framer(taxi=True).feed(data)
    assert [span.pdu.name for span in spans if span.pdu] == ["vehicle control", "audio upload"]
    assert all(span.pdu is not None and span.pdu.protocol == "jt905" for span in spans)


@pytest.mark.parametrize("raw", [b"", b"\x7e\x7e", b"\x7e" + bytes(12) + b"\x7e"])
def test_bytes_without_room_for_a_header_are_none(raw: bytes) -> None:
    assert read905(raw) is None
