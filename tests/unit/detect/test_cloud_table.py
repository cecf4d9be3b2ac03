"""Every form over the air by which a drive is known to be cut, and what is none: through the whole gate, as captured.

The forms are those of public platform code and of the standards; each is sent as the platform would send it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from busgate.decode import gb32960 as decode_gb
from busgate.decode import jt808 as decode_808
from busgate.decode import jt905 as decode_905
from busgate.detect.cloud import CloudDetector
from busgate.detect.rules import RULES
from busgate.detect.wanted import Wanted
from busgate.model import Act, Direction, Pdu, Severity, Subsystem
from support.antenna import Antenna, control, gb32960, jt808, jt905, variant_e7
from support.detected import PROFILE
from support.gate import demo_ebus

VECTORS = Path(__file__).parents[2] / "vectors"
TIME = bytes.fromhex("261125120000")
AUTHENTICATED = jt808(0x0102, b"token")
LOGIN = gb32960(0x01, bytes(6) + b"\0\x01" + b"8" * 20 + b"\0\0")

CUTS = {
    "808 terminal control 0x64": jt808(0x8105, b"\x64"),
    "808 terminal control 0xF0": jt808(0x8105, b"\xf0"),
    "808-2019 terminal control 0x64": jt808(0x8105, b"\x64", edition=2019),
    "808 terminal control 0x64 with parameters": jt808(0x8105, b"\x64;1;2"),
    "808 vendor message 0xA006": jt808(0xA006, b"\x01" + TIME),
    "808 vendor message 0xA006 without a time": jt808(0xA006, b"\x01"),
    "808 vendor message 0xA006 with nothing": jt808(0xA006),
    "905 oil, read as 808": jt905(0x8500, b"\x00\x01"),
    "905 circuit, read as 808": jt905(0x8500, b"\x01\x01"),
    "905 vehicle lock, read as 808": jt905(0x8500, b"\x03\x01"),
    "808 text DYD": jt808(0x8300, b"\x01DYD#"),
    "808-2019 text RELAY": jt808(0x8300, b"\x01\x01RELAY,1#", edition=2019),
    "808 text in Chinese": jt808(0x8300, b"\x01" + "断油断电".encode("gbk")),
    "808 text behind a sentence": jt808(0x8300, b"\x01Dear driver, please take care: STOP#"),
    "808 with a wrong checksum": jt808(0x8105, b"\x64", spoiled=0xFF),
    "808 in its E7 form": variant_e7(0x8105, b"\x64"),
}
RESTORES = {
    "808 terminal control 0x65": jt808(0x8105, b"\x65"),
    "808 terminal control 0xF1": jt808(0x8105, b"\xf1"),
    "808 vendor message 0xA006": jt808(0xA006, b"\x00" + TIME),
    "905 oil": jt905(0x8500, b"\x00\x00"),
    "808 text HFYD": jt808(0x8300, b"\x01HFYD#"),
    "808 text in Chinese": jt808(0x8300, b"\x01" + "恢复油路".encode("gbk")),
}


def first_of(frame: bytes) -> bytes:
    """What the T-box says first, with the header that it is spoken to with."""
    if frame.startswith(b"##"):
        return LOGIN
    if frame[5:6] == b"\x10":
        return jt905(0x0002)
    return jt808(0x0102, b"token", edition=2019 if frame[3] & 0x40 else 2013)


def told(frame: bytes, first: bytes = b"") -> Antenna:
    return Antenna().connect().up(first or first_of(frame)).down(frame)


def drive(antenna: Antenna) -> list[tuple[Act, Severity]]:
    found = antenna.of("cloud.") + antenna.of("sms.")
    return [(alert.act, alert.severity) for alert in found if alert.subsystem is Subsystem.DRIVE]


@pytest.mark.parametrize("form", CUTS)
def test_a_cut_of_the_drive_is_found_over_tcp(form: str) -> None:
    assert drive(told(CUTS[form])) == [(Act.STOP, Severity.CRITICAL)]


@pytest.mark.parametrize("form", RESTORES)
def test_what_gives_the_drive_back_is_found_too(form: str) -> None:
    assert drive(told(RESTORES[form])) == [(Act.ENABLE, Severity.CRITICAL)]


@pytest.mark.parametrize("form", CUTS)
def test_a_cut_is_found_however_its_bytes_are_spread_over_segments(form: str) -> None:
    frame = CUTS[form]
    each = [frame[at : at + 1] for at in range(len(frame))]
    assert drive(Antenna().connect().up(AUTHENTICATED).down(*each)) == [(Act.STOP, Severity.CRITICAL)]


@pytest.mark.parametrize("form", CUTS)
def test_a_cut_is_found_in_a_datagram(form: str) -> None:
    antenna = Antenna().udp(AUTHENTICATED, up=True).udp(CUTS[form])
    assert drive(antenna) == [(Act.STOP, Severity.CRITICAL)]


@pytest.mark.parametrize("form", CUTS)
@pytest.mark.parametrize("written", ["data", "hexadecimal"])
def test_a_cut_is_found_in_a_short_message(form: str, written: str) -> None:
    frame = CUTS[form]
    antenna = Antenna().sms(data=frame) if written == "data" else Antenna().sms(f"cmd {frame.hex().upper()}")
    assert drive(antenna) == [(Act.STOP, Severity.CRITICAL)]
    assert [alert.rule for alert in antenna.of("sms.") if alert.subsystem is Subsystem.DRIVE] == ["sms.command"]


@pytest.mark.parametrize("text", ["DYD#", "stop123456", "RELAY,1#", "断油断电", "cut oil", "STOP#", "immobilizer on"])
def test_a_cut_is_found_in_the_text_of_a_short_message(text: str) -> None:
    assert drive(Antenna().sms(text)) == [(Act.STOP, Severity.CRITICAL)]


def test_a_text_command_is_found_where_it_is_sent_as_octets() -> None:
    assert drive(Antenna().sms(data=b"DYD#")) == [(Act.STOP, Severity.CRITICAL)]


@pytest.mark.parametrize("start", [b"##", b"$$"])
@pytest.mark.parametrize(
    ("parameter", "act"), [(b"\x91", Act.STOP), (b"\x90", Act.ENABLE), (b"\x91\x00\x01", Act.STOP)]
)
def test_the_public_platforms_lock_is_found(start: bytes, parameter: bytes, act: Act) -> None:
    packet = start + control(0x90, parameter)[2:]
    assert drive(told(packet, LOGIN)) == [(act, Severity.CRITICAL)]


@pytest.mark.parametrize("response", [0x01, 0x02, 0x00, 0xFE])
def test_a_lock_that_calls_itself_an_answer_is_a_lock(response: int) -> None:
    assert drive(told(control(0x90, b"\x91", response=response), LOGIN)) == [(Act.STOP, Severity.CRITICAL)]


@pytest.mark.parametrize("encryption", [0x00, 0x06, 0xFE])
def test_a_lock_whose_encryption_is_none_is_read(encryption: int) -> None:
    packet = gb32960(0x82, bytes(6) + b"\x90\x91", encryption=encryption)
    assert drive(told(packet, LOGIN)) == [(Act.STOP, Severity.CRITICAL)]


def test_a_text_command_in_parts_is_told_of_the_whole_and_its_parts_are_doubt() -> None:
    parts = [jt808(0x8300, body, serial=at, part=at, parts=2) for at, body in ((1, b"\x01DY"), (2, b"D#"))]
    antenna = Antenna().connect().up(AUTHENTICATED).down(*parts)
    assert drive(antenna) == [(Act.STOP, Severity.CRITICAL)]
    assert [alert.name for alert in antenna.of("cloud.unknown")] == ["part of text message"]


def test_parts_are_put_together_over_datagrams_too() -> None:
    parts = [jt808(0x8105, body, serial=at, part=at, parts=2) for at, body in ((1, b"\x64"), (2, b";"))]
    antenna = Antenna().udp(AUTHENTICATED, up=True).udp(parts[1]).udp(parts[0])
    assert drive(antenna) == [(Act.STOP, Severity.CRITICAL)]


@pytest.mark.parametrize("frame", [jt808(0x8105, b"\x64", encryption=1), jt808(0x8500, b"\x01", encryption=4)])
def test_what_only_others_can_read_is_unknown(frame: bytes) -> None:
    (alert,) = told(frame).of("cloud.")
    assert (alert.rule, alert.subsystem) == ("cloud.unknown", Subsystem.UNKNOWN)
    assert alert.name.startswith("encrypted message 0x8")


@pytest.mark.parametrize("encryption", [2, 3, 4, 5])
def test_an_encrypted_command_of_32960_is_unknown(encryption: int) -> None:
    (alert,) = told(gb32960(0x82, bytes(16), encryption=encryption), LOGIN).of("cloud.")
    assert (alert.rule, alert.name) == ("cloud.unknown", "encrypted command 0x82")


# Both readings of 0x8500: bit 0 locks until 2013, and id 1 opens with 1 in 2019, with a count or without.
DOORS = {
    "flag, lock": (jt808(0x8500, b"\x01"), Act.SET, "lock"),
    "flag, unlock": (jt808(0x8500, b"\x00"), Act.UNLOCK, "unlock"),
    "2019, counted, lock": (jt808(0x8500, bytes.fromhex("0001000100"), edition=2019), Act.SET, "lock"),
    "2019, counted, open": (jt808(0x8500, bytes.fromhex("0001000101"), edition=2019), Act.UNLOCK, "open"),
    "2019, no count, lock": (jt808(0x8500, bytes.fromhex("000100"), edition=2019), Act.SET, "lock"),
    "2019, no count, open": (jt808(0x8500, bytes.fromhex("000101"), edition=2019), Act.UNLOCK, "open"),
    "taxi, unlock": (jt905(0x8500, b"\x02\x00"), Act.UNLOCK, None),
    "taxi, lock": (jt905(0x8500, b"\x02\x01"), Act.SET, None),
}


@pytest.mark.parametrize("form", DOORS)
def test_doors_in_every_reading(form: str) -> None:
    frame, act, said = DOORS[form]
    (alert,) = told(frame).of("cloud.")
    assert (alert.rule, alert.subsystem, alert.act) == ("cloud.command", Subsystem.DOORS, act)
    if said is not None:
        assert alert.arguments["doors"].value == said


VENDORS = {
    "0x8500 control of a vendor": jt808(0x8500, bytes.fromhex("0001f00101"), edition=2019),
    "0x8500 control of a vendor without a count": jt808(0x8500, bytes.fromhex("f00101"), edition=2019),
    "0x8500 control that is reserved": jt808(0x8500, bytes.fromhex("0001000701"), edition=2019),
    "0x8500 flag with reserved bits": jt808(0x8500, b"\x80"),
    "0x8500 with nothing": jt808(0x8500),
    "0x8500 of no form": jt808(0x8500, bytes(7)),
    "0x8103 parameter of a vendor": jt808(0x8103, bytes.fromhex("010000f0010164")),
    "0x8103 parameter that no table has": jt808(0x8103, bytes.fromhex("01000000cc0101")),
    "0x8103 cut short": jt808(0x8103, bytes.fromhex("02000000550432")),
    "0x8105 word of a vendor": jt808(0x8105, b"\x99"),
    "0x8105 with nothing": jt808(0x8105),
    "0x8900 of a user": jt808(0x8900, b"\xf2BMS:22F190"),
    "0x8900 to a serial port": jt808(0x8900, b"\x41AT"),
    "0x8F10": jt808(0x8F10, b"\x01"),
    "0xF123": jt808(0xF123, b"\x01"),
    "0x8300 that nobody explains": jt808(0x8300, b"\x01SZCS,1#"),
    "0x8300 in JSON": jt808(0x8300, b'\x01{"k":1}'),
    "905 item that nobody has": jt905(0x8500, b"\x09\x01"),
}
VENDORS_32960 = {
    "82 control of a user": control(0xA0, b"\x32"),
    "82 lock with another argument": control(0x90, b"\x55"),
    "82 with nothing": gb32960(0x82, bytes(6)),
    "82 cut short": gb32960(0x82, b"\x1a"),
    "81 parameter of a user": gb32960(0x81, bytes(6) + b"\x01\x80\x01"),
    "81 that cannot be read": gb32960(0x81, b"\x1a\x0b"),
    "83, reserved": gb32960(0x83, b"\x01"),
    "C0, of a platform": gb32960(0xC0, b"\x01"),
    "C0 that calls itself an answer": gb32960(0xC0, b"\x01", response=1),
}


@pytest.mark.parametrize("form", [*VENDORS, *VENDORS_32960])
def test_a_vendors_or_an_unknown_form_alerts_as_what_may_reach_anything(form: str) -> None:
    frame, first = (VENDORS[form], AUTHENTICATED) if form in VENDORS else (VENDORS_32960[form], LOGIN)
    alerts = told(frame, first).of("cloud.")
    assert any(alert.subsystem is Subsystem.UNKNOWN and alert.severity >= Severity.HIGH for alert in alerts), alerts


def test_a_message_that_holds_several_things_is_told_once_for_each() -> None:
    body = bytes.fromhex("03000000130431302e300000005504000000320000f0110200a0")
    alerts = told(jt808(0x8103, body)).of("cloud.")
    assert [(alert.rule, alert.subsystem) for alert in alerts] == [
        ("cloud.settings", Subsystem.TELEMATICS),
        ("cloud.command", Subsystem.DRIVE),
        ("cloud.unknown", Subsystem.UNKNOWN),
    ]
    assert (alerts[1].name, alerts[1].act) == ("set parameter: maximum speed", Act.LIMIT)
    assert alerts[1].arguments["value"].value == 50


# ---------------------------------------------------------------- what is none

QUIET = {
    "general response": jt808(0x8001, b"\x00\x01\x02\x00\x00"),
    "general response to a control": jt808(0x8001, b"\x00\x01\x05\x00\x00"),
    "registration response": jt808(0x8100, b"\x00\x01\x00token"),
    "server time": jt808(0x8004, TIME),
    "media response": jt808(0x8800, b"\x00\x00\x00\x01\x00"),
    "parts again": jt808(0x8003, b"\x00\x01\x01\x00\x02"),
    "query parameters": jt808(0x8104),
    "query position": jt808(0x8201),
    "query attributes": jt808(0x8107),
    "check link": jt808(0x8204),
    "collect recorder data": jt808(0x8700, bytes.fromhex("00aa75000000df")[:1]),
    "event setting": jt808(0x8301, b"\x00"),
    "prose": jt808(0x8300, b"\x04Please stop at the next shelter, engine stays on"),
    "prose in Chinese": jt808(0x8300, b"\x04" + "请注意前方道路施工请绕行谢谢配合".encode("gbk")),
    "an ordinary call back": jt808(0x8400, b"\x00+31201234567"),
}


@pytest.mark.parametrize("what", QUIET)
def test_ordinary_service_of_a_listed_platform_is_no_alert(what: str) -> None:
    policy = """
policy: p
version: 1
allow: []
network:
  endpoints: [{id: platform, addresses: 203.0.113.10, ports: 6808, speaks: jt808}]
"""
    antenna = Antenna(policy).connect().up(AUTHENTICATED).down(QUIET[what])
    assert antenna.alerts == []
    assert [each.direction for each in antenna.functions] == ["up", "down"]


DEMO = {
    "remote stop, 2019": (jt808(0x8500, bytes.fromhex("0001f00101"), edition=2019), Subsystem.DRIVE, Act.STOP),
    "release, 2019": (jt808(0x8500, bytes.fromhex("0001f00100"), edition=2019), Subsystem.DRIVE, Act.ENABLE),
    "torque limit": (jt808(0x8103, bytes.fromhex("010000f0100132")), Subsystem.DRIVE, Act.LIMIT),
    "charge limit": (jt808(0x8103, bytes.fromhex("010000f011020064")), Subsystem.CHARGING, Act.LIMIT),
    "preheat": (jt808(0x8900, b"\xf1\x3d\x14"), Subsystem.HVAC, Act.ENABLE),
    "diagnostic tunnel": (jt808(0x8900, b"\xf2BMS:22F190"), Subsystem.UNKNOWN, Act.SET),
    "torque limit, 32960": (control(0xA0, b"\x32"), Subsystem.DRIVE, Act.LIMIT),
    "speed limit, 32960": (control(0xA1, b"\x1e"), Subsystem.DRIVE, Act.LIMIT),
    "charge limit, 32960": (control(0xA2, b"\x00\x64"), Subsystem.CHARGING, Act.LIMIT),
    "unlock, 32960": (control(0xA3, b"\x01"), Subsystem.DOORS, Act.UNLOCK),
    "lock, 32960": (control(0xA3, b"\x00"), Subsystem.DOORS, Act.SET),
    "preheat, 32960": (control(0xA4, b"\x3d\x14"), Subsystem.HVAC, Act.ENABLE),
}


@pytest.mark.parametrize("order", DEMO)
def test_the_demo_profile_knows_its_vendors_own_forms(order: str) -> None:
    frame, subsystem, act = DEMO[order]
    (alert,) = Antenna(profile=demo_ebus().profile).connect().up(first_of(frame)).down(frame).of("cloud.")
    assert (alert.subsystem, alert.act) == (subsystem, act)
    assert alert.rule != "cloud.unknown"


def detected(pdu: Pdu) -> tuple[Wanted, ...]:
    return CloudDetector(PROFILE).wanted(pdu)


def vectors() -> list[Pdu]:
    """All frames of other people's test suites that go down."""
    found: list[Pdu | None] = []
    for name in ("jt808", "cloud_jt808"):
        rows = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))["frames"]
        found += [decode_808.read(bytes.fromhex(row["hex"])) for row in rows]
    rows = json.loads((VECTORS / "jt905.json").read_text(encoding="utf-8"))["frames"]
    found += [decode_905.read905(bytes.fromhex(row["hex"])) for row in rows]
    rows = json.loads((VECTORS / "cloud_gb32960.json").read_text(encoding="utf-8"))["packets"]
    found += [decode_gb.read(bytes.fromhex(row["hex"])) for row in rows]
    return [pdu for pdu in found if pdu is not None and pdu.direction is Direction.DOWN]


DOWN = vectors()
ORDINARY_808 = {
    0x8001, 0x8003, 0x8004, 0x8100, 0x8104, 0x8106, 0x8107, 0x8201, 0x8202, 0x8204, 0x8301, 0x8302, 0x8303, 0x8304,
    0x8608, 0x8702, 0x8800, 0x8802, 0x9003, 0x9105, 0x9205, 0x9212,
}  # fmt: skip
ORDINARY_905 = {0x8B00, 0x8B01, 0x8B09, 0x8B0A, 0x8B0B, 0x8B11, 0x8850}


def test_every_downlink_frame_of_other_peoples_suites_asks_for_something_with_a_rule() -> None:
    assert len(DOWN) == 342
    for pdu in DOWN:
        assert detected(pdu)
        assert {each.rule for each in detected(pdu)} <= RULES.keys()


def test_acknowledgements_queries_and_texts_of_other_peoples_suites_command_nothing() -> None:
    ordinary = [pdu for pdu in DOWN if pdu.protocol != "gb32960" and pdu.code in ORDINARY_808 | ORDINARY_905]
    assert len(ordinary) == 139
    commanding = [pdu for pdu in ordinary if {each.act for each in detected(pdu)} - {Act.SEND, Act.READ}]
    assert commanding == []
    texts = [pdu for pdu in DOWN if pdu.code == 0x8300]
    assert len(texts) == 13
    assert {each.name for pdu in texts for each in detected(pdu)} == {"text for the driver"}


def test_all_else_of_other_peoples_suites_is_worth_an_alert() -> None:
    rest = [pdu for pdu in DOWN if pdu.code not in ORDINARY_808 | ORDINARY_905 | {0x8300, 0x8400}]
    quiet = {pdu.name for pdu in rest if not {each.act for each in detected(pdu)} - {Act.SEND, Act.READ}}
    assert quiet == {"vehicle login answer", "real-time report answer", "activation response", "parameter query"}


def test_the_drive_cuts_of_other_peoples_suites_are_those_that_their_authors_wrote() -> None:
    found = [each for pdu in DOWN for each in detected(pdu) if each.subsystem is Subsystem.DRIVE]
    names = [(each.name, each.act) for each in found]
    assert names == [
        ("vehicle control: oil", Act.ENABLE),
        ("control: lock vehicle", Act.STOP),
        ("control: release vehicle", Act.ENABLE),
    ]


def test_no_downlink_number_that_a_decoder_knows_is_unknown_to_the_detector() -> None:
    for protocol, table in (("jt808", decode_808.MESSAGES), ("jt905", decode_905.MESSAGES)):
        for code in table:
            if decode_808.direction_of(code) is Direction.DOWN:
                found = detected(
                    Pdu(protocol, decode_808.name_of(code, table), code, Direction.DOWN, {"text": "Hello"})
                )
                assert all(not each.name.startswith("message 0x") for each in found), hex(code)
