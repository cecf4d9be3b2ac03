"""The first bytes of streams, and which decoder is to read them."""

import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from busgate.decode.recognise import recognise
from busgate_sim.cloud import mqtt
from support.tls_handshake import handshake

_CNXN = 0x4E584E43
ADB = b"".join(word.to_bytes(4, "little") for word in (_CNXN, 0x01000000, 4096, 0, 0, _CNXN ^ 0xFFFFFFFF))
DNS = bytes.fromhex("001b0001010000010000000000000161076578616d706c650000010001")
VECTORS = Path(__file__).parents[2] / "vectors"


def frames(name: str) -> list[bytes]:
    """Every whole frame in a file of vectors."""

    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for inner in value.values() for text in texts(inner)]
        if isinstance(value, list):
            return [text for inner in value for text in texts(inner)]
        return [value] if isinstance(value, str) else []

    found = []
    for text in texts(json.loads((VECTORS / name).read_text())):
        try:
            found.append(bytes.fromhex(text))
        except ValueError:
            continue
    return found


def test_every_published_frame_of_the_platforms_is_known() -> None:
    frames_808 = [x for x in frames("cloud_jt808.json") if x[:1] == x[-1:] == b"\x7e" and len(x) > 14]
    packets = [x for x in frames("cloud_gb32960.json") if x[:2] in {b"##", b"$$"} and len(x) > 24]
    assert len(frames_808) > 250
    assert len(packets) > 50
    assert {recognise(b"", x) for x in frames_808} == {"jt808"}
    assert {recognise(x, b"") for x in packets} == {"gb32960"}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (mqtt.connect("tbox", "u", "p"), "mqtt"),
        (bytes.fromhex("101000064d5149736470030200"), "mqtt"),
        (bytes.fromhex("20020000"), "mqtt"),
        (bytes.fromhex("2003000000"), "mqtt"),
        (mqtt.publish("tbox/1", b"{}"), "mqtt"),
        (bytes.fromhex("c000c000"), "mqtt"),
        (b"GET /fw HTTP/1.1\r\n", "http"),
        (b"HTTP/1.1 200 OK\r\n", "http"),
        (b"PRI * HTTP/2.0\r\n", "http"),
        (b"CONNECT a:443 HTTP/1.1\r\n", "http"),
        (bytes.fromhex("160301020001"), "tls"),
        (bytes.fromhex("15030300020228"), "tls"),
        (bytes.fromhex("1703030020") + bytes(32), "tls"),
        (bytes.fromhex("02fd000500000007"), "doip"),
        (bytes.fromhex("03fc800100000005"), "doip"),
        (bytes.fromhex("ff00000100000000"), "doip"),
        (b"SSH-2.0-OpenSSH_9\r\n", "ssh"),
        (bytes.fromhex("fffd18"), "telnet"),
        (ADB, "adb"),
        (DNS, "dns-tcp"),
        (b"\r\nWelcome\r\ntbox login: ", "shell"),
        (b"\r\n\r\n/ # ", "shell"),
        (b"tail of one\x7e" + bytes.fromhex("7e0002000001234567890100077f7e"), ""),
        (b"hello, is anybody there?\r\n", ""),
        (bytes(64), ""),
        (b"", ""),
        (b"## a heading\n\nand text that goes on for a while\n", ""),
    ],
)
def test_first_bytes_tell(data: bytes, name: str) -> None:
    assert recognise(data, b"") == name
    assert recognise(b"", data) == name


def test_streams_picked_up_in_the_middle_are_known_by_whole_units() -> None:
    frame = bytes.fromhex("7e000200000123456789010007")
    check = 0
    for octet in frame[1:]:
        check ^= octet
    whole = frame + bytes([check]) + b"\x7e"
    assert recognise(b"tail\x7e" + whole, b"") == "jt808"
    record = b"\x17\x03\x03\x00\x20" + bytes(32)
    assert recognise(record[7:] + record * 2, b"") == "tls"


def test_ports_alone_tell_nothing() -> None:
    assert recognise(bytes(64), bytes(64), (443, 1883, 80, 5555, 23)) == ""


def test_what_is_said_of_some_bytes_is_said_of_them_with_more_behind() -> None:
    for up in (
        handshake(ssl.TLSVersion.TLSv1_3)[0],
        mqtt.connect("a", "b", "c"),
        b"\r\nx\r\nlogin: ",
        b"POST /x HTTP/1.1\r\n",
    ):
        answers = [recognise(up[:end], b"") for end in range(len(up) + 1)]
        assert set(answers) <= {"", answers[-1]}
        assert answers == sorted(answers)
        assert answers[-1] != ""
