"""The vendor's platform alone: what it believes, what it answers, and how it spells its orders."""

from __future__ import annotations

import pytest

from busgate_sim.cloud.gb32960 import Command, Packet, Packets, Response, clock
from busgate_sim.cloud.gb32960 import Edition as Edition32960
from busgate_sim.cloud.gb32960 import encode as encode_packet
from busgate_sim.cloud.gb32960_bodies import packet_of, read_body
from busgate_sim.cloud.gb32960_session import Answer, Login, Nothing
from busgate_sim.cloud.jt808 import Edition, Message, encode
from busgate_sim.cloud.jt808_bodies import Body, message_of
from busgate_sim.cloud.jt808_bodies import read_body as read_message
from busgate_sim.cloud.jt808_commands import ThroughUp, UpgradeResult
from busgate_sim.cloud.jt808_session import Authentication, Heartbeat, PlatformAnswer, Registration, RegistrationAnswer
from busgate_sim.cloud.jt808_stream import Frames
from busgate_sim.cloud.octets import Refused
from busgate_sim.cloud.orders import ORDERS, order, order_from_words
from busgate_sim.cloud.platform import Line, Platform
from busgate_sim.cloud.vendor import text_of
from busgate_sim.tbox_firmware.cloud_command import CloudCommand, understand_sms, understand_text
from support.cloud_bench import PHONE, START, VIN, Bench, name

WHO = Registration(44, 300, "SYNTH", "TBX-7", "42", 0, VIN)


def says(line: Line, *bodies: Body, phone: str = PHONE) -> list[Body | Refused]:
    """What the platform answers to these messages."""
    sent = b"".join(encode(message_of(body, phone, 5, Edition.Y2013)) for body in bodies)
    back = Frames().feed(line.receive(sent, START))
    return [read_message(found) for found in back if isinstance(found, Message)]


def test_who_registers_gets_the_code_that_authenticates() -> None:
    line = Platform().line()
    (answer,) = says(line, WHO)
    assert isinstance(answer, RegistrationAnswer)
    assert answer.code
    assert says(line, Authentication("guessed")) == [PlatformAnswer(5, 0x0102, 1)]
    assert line.vehicle is None
    assert says(line, Heartbeat()) == [PlatformAnswer(5, 0x0002, 1)]
    assert says(line, Authentication(answer.code), Heartbeat()) == [
        PlatformAnswer(5, 0x0102, 0),
        PlatformAnswer(5, 0x0002, 0),
    ]
    assert says(line, Heartbeat(), phone="018000032601") == [PlatformAnswer(5, 0x0002, 1)]


def test_what_the_platform_has_no_use_for_is_answered_as_unsupported() -> None:
    bench = Bench(Edition.Y2013)
    bench.run(1)
    assert bench.line is not None
    line = bench.line
    assert says(line, ThroughUp(0xF1, b"x"), UpgradeResult(0, 0)) == [
        PlatformAnswer(5, 0x0900, 0),
        PlatformAnswer(5, 0x0108, 0),
    ]
    unknown = Message(0x0704, PHONE, 6, b"\0", Edition.Y2013)
    broken = Message(0x0200, PHONE, 7, b"\0", Edition.Y2013)
    back = Frames().feed(line.receive(encode(unknown) + encode(broken), START))
    assert [read_message(found) for found in back if isinstance(found, Message)] == [
        PlatformAnswer(6, 0x0704, 3),
        PlatformAnswer(7, 0x0200, 2),
    ]


def test_flawed_frames_are_neither_believed_nor_answered() -> None:
    platform = Platform()
    line = platform.line()
    frame = bytearray(encode(message_of(WHO, PHONE, 1, Edition.Y2013)))
    frame[-2] ^= 1
    assert line.receive(bytes(frame), START) == b""
    packet = bytearray(encode_packet(Packet(Command.HEARTBEAT, VIN)))
    packet[-1] ^= 1
    other = platform.line()
    assert other.receive(b"\r\n", START) == b""
    assert other.receive(bytes(packet) + b"junk" + encode_packet(Packet(Command.HEARTBEAT, VIN)), START)
    assert platform.line().receive(b"GET / HTTP/1.1\r\n", START) == b""
    assert platform.book.refused == [
        f"0x0100 of {PHONE}: wrong checksum",
        f"0x07 of {VIN}: wrong check octet",
        "packet: 4 octets before a start",
        "a connection begins with 47: neither JT/T 808 nor GB/T 32960 nor MQTT",
    ]


def answers(line: Line, *packets: Packet) -> list[tuple[int, object]]:
    back = Packets().feed(line.receive(b"".join(map(encode_packet, packets)), START))
    return [(found.response, read_body(found)) for found in back if isinstance(found, Packet)]


def test_a_vehicle_is_answered_by_whether_it_has_logged_in() -> None:
    line = Platform().line()
    beat, time = Packet(Command.HEARTBEAT, VIN), Packet(Command.CLOCK, VIN)
    login = packet_of(Command.LOGIN, Login(clock(START), 1, "8986"), VIN)
    assert answers(line, beat) == [(Response.FAILED, Answer())]
    assert answers(line, login, beat, time) == [
        (Response.DONE, Answer(clock(START))),
        (Response.DONE, Answer()),
        (Response.DONE, Answer(clock(START))),
    ]
    other = packet_of(Command.HEARTBEAT, Nothing(), "SOMEBODYELSE")
    cut = Packet(Command.REPORT, VIN, b"\x01\x02")
    query = Packet(Command.QUERY, VIN, clock(START) + b"\x00")
    assert [response for response, _ in answers(line, other, cut, query)] == [Response.FAILED] * 3


def test_a_vehicle_that_connects_anew_takes_its_orders_there() -> None:
    platform = Platform()
    lines = [platform.line(), platform.line()]
    login = encode_packet(packet_of(Command.LOGIN, Login(clock(START), 1, "8986"), VIN, Edition32960.Y2025))
    for line in lines:
        line.receive(login, START)
    platform.closed(lines[0])
    sent = platform.order(VIN, order("remote-stop"), START)
    assert not isinstance(sent, Refused)
    assert sent.line is lines[1]
    assert sent.data.startswith(b"$$\x82\xfe" + VIN.encode())


def test_a_connection_is_one_vehicles_at_a_time() -> None:
    platform = Platform()
    line = platform.line()
    for vin in (VIN, "SYNTHETICBUS00422"):
        line.receive(encode_packet(packet_of(Command.LOGIN, Login(clock(START), 1, "8986"), vin)), START)
    assert isinstance(platform.order(VIN, order("remote-stop"), START), Refused)
    assert not isinstance(platform.order("SYNTHETICBUS00422", order("remote-stop"), START), Refused)


def test_an_order_that_no_vehicle_can_be_told_is_refused() -> None:
    bench = Bench(Edition.Y2019)
    bench.run(1)
    refused = bench.platform.order(name(Edition.Y2019), order("text", {"text": "\U0001f68c"}), START)
    assert isinstance(refused, Refused)
    assert "gbk" in refused.reason


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "which order"),
        ("fly", "there is no order 'fly'"),
        ("speed-limit", "speed-limit needs kmh"),
        ("speed-limit 40", "write argument=value"),
        ("speed-limit kmh=fast", "has to be a number, not 'fast'"),
        ("speed-limit kmh=300", "from 0 to 250, not 300"),
        ("speed-limit kmh=nan", "from 0 to 250, not nan"),
        ("remote-stop now=1", "remote-stop has no now; it takes nothing"),
    ],
)
def test_a_wrong_order_says_what_is_wrong(words: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        order_from_words(words.split())


def test_what_is_usual_need_not_be_said() -> None:
    assert order_from_words(["preheat"]).arguments == {"degc": 21.0, "minutes": 20.0}
    assert order_from_words(["preheat", "degc=18.5"]).arguments["degc"] == 18.5


TEXTS = [
    ("remote-stop", "STOP#", "drive.stop"),
    ("release", "RUN#", "drive.release"),
    ("torque-limit percent=20", "TORQUE,20#", "drive.limit"),
    ("speed-limit kmh=40", "SPEED,40#", "drive.limit"),
    ("charge-limit amperes=32", "CHARGE,32#", "charge"),
    ("door-unlock", "UNLOCK#", "doors"),
    ("door-lock", "LOCK#", "doors"),
    ("preheat", "HEAT,21,20#", "climate"),
    ("update url=https://update.invalid/x version=1", "UPDATE,https://update.invalid/x,1#", "tbox.update"),
    ("reset", "RESET#", "tbox.reset"),
    ("diagnose target=BMS requests=22F190", "DIAG,BMS,22F190#", "diagnose"),
    ("text text=Hello", "Hello", "tbox.text"),
]


@pytest.mark.parametrize(("words", "text", "kind"), TEXTS)
def test_orders_travel_as_short_messages_too(words: str, text: str, kind: str) -> None:
    assert text_of(order_from_words(words.split())) == text
    found = understand_sms(text.encode())
    assert (found.kind, found.raw, found.message_id) == (kind, text.encode(), "sms")


def test_every_order_but_the_question_has_a_text() -> None:
    with pytest.raises(ValueError, match="cannot be sent as a text"):
        text_of(order("ask-settings"))
    with pytest.raises(ValueError, match="neither , nor #"):
        text_of(order("update", {"url": "http://a,b"}))
    assert {words.split()[0] for words, _, _ in TEXTS} == set(ORDERS) - {"ask-settings"}


@pytest.mark.parametrize("text", ["STOP", "STOP,1#", "SPEED,fast#", "SPEED,nan#", "SPEED#", "#", "", "UPDATE,x#"])
def test_what_is_no_text_command_is_only_shown(text: str) -> None:
    assert understand_text(text) == ("tbox.text", {"text": text})


def test_a_short_message_may_carry_a_frame() -> None:
    frame = encode(Message(0x8105, PHONE, 1, b"\x64", Edition.Y2013))
    assert understand_sms(frame) == CloudCommand("drive.stop", {}, frame, "sms")
    assert understand_sms(b"\x7e\x7e").kind == "tbox.unknown"
