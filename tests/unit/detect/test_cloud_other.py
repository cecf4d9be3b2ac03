from __future__ import annotations

import gzip

import pytest

from busgate.decode import doip, http, mqtt, sms
from busgate.decode.http_bodies import SHORT
from busgate.detect import cloud_other
from busgate.detect.cloud_other import LARGE_DOWNLOAD
from busgate.detect.wanted import Wanted
from busgate.model import Act, Direction, Pdu, Side, Sms, Subsystem
from busgate_sim.cloud import mqtt as mqtt_peer
from busgate_sim.cloud.sms import deliver
from support.streams import fed, units

SERVED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n"


def downloaded(path: str, answer: bytes) -> list[Pdu]:
    """What the server says to one request, as the decoder gives it: head, then the body's summary."""
    talk = http.Conversation()
    talk.client.feed(f"GET {path} HTTP/1.1\r\nHost: u.example\r\n\r\n".encode())
    return units(fed(talk.server, answer))


def only(pdu: Pdu, reader: object = cloud_other.of_http) -> Wanted:
    (found,) = reader(pdu)  # type: ignore[operator]
    assert isinstance(found, Wanted)
    return found


@pytest.mark.parametrize("path", ["/fw/tbox.bin", "/a.swu?sig=1", "/ota/7", "/firmware", "/x/upgrade", "/vcu.s19"])
def test_a_download_called_like_software_is_an_update_from_head_to_end(path: str) -> None:
    head, end = downloaded(path, SERVED % (5, b"") + b"12345")
    for pdu in (head, end):
        assert only(pdu)[:4] == ("download of software", Subsystem.TELEMATICS, Act.FLASH, "cloud.update")
    assert only(head).arguments["url"].value == f"http://u.example{path}"
    assert only(end).arguments["received"].value == 5
    assert len(str(only(end).arguments["sha256"].value)) == 64


@pytest.mark.parametrize(
    "header",
    [b"Content-Type: application/octet-stream\r\n", b'Content-Disposition: attachment; filename="t.bin"\r\n'],
)  # fmt: skip
def test_a_download_is_an_update_by_its_kind_or_the_name_it_is_given(header: bytes) -> None:
    head, *_ = downloaded("/x", SERVED % (3, header) + b"abc")
    assert only(head).act is Act.FLASH


def test_a_large_download_is_an_update_whatever_it_is_called() -> None:
    head, *_ = downloaded("/map.json", SERVED % (LARGE_DOWNLOAD, b"Content-Type: text/html\r\n"))
    assert only(head).act is Act.FLASH


def test_a_body_larger_than_it_was_announced_to_be_is_judged_by_what_came() -> None:
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body += b"%x\r\n" % LARGE_DOWNLOAD + bytes(LARGE_DOWNLOAD) + b"\r\n0\r\n\r\n"
    head, end = downloaded("/x", body)
    assert only(head).name == "HTTP response"
    assert only(end).act is Act.FLASH


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/a.bin", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        ("/a.bin", b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        ("/news", SERVED % (2, b"Content-Type: application/json\r\n") + b"{}"),
        ("/pic.png", SERVED % (2, b"Content-Type: image/png\r\n") + b"ab"),
    ],
)
def test_other_answers_are_service(path: str, answer: bytes) -> None:
    assert {only(pdu).rule for pdu in downloaded(path, answer)} == {"cloud.service"}


def answered(body: bytes, header: bytes = b"", path: str = "/state") -> Wanted:
    """What the end of a body asks for."""
    *_, end = downloaded(path, SERVED % (len(body), header) + body)
    return only(end)


@pytest.mark.parametrize(
    "body",
    [
        b'{"cmd":"cut_oil"}',
        b'{"id":7,"data":{"command" : "cutOil"}}',
        b'{"\\u0063md":"cut\\u005foil"}',
        b"id=7&cmd=cut_oil",
        b"<order><cmd>cut_oil</cmd></order>",
        b"DYD#",
        b"cut_oil",
        '{"cmd":"断油"}'.encode(),
        '{"cmd":"cut_oil"}'.encode("utf-16"),
    ],
)
@pytest.mark.parametrize("header", [b"", b"Content-Type: application/json\r\n", b"Content-Type: image/png\r\n"])
def test_an_order_in_an_answer_is_read_whatever_the_answer_is_called(body: bytes, header: bytes) -> None:
    found = answered(body, header)
    assert (found.subsystem, found.act, found.rule) == (Subsystem.DRIVE, Act.STOP, "cloud.command")
    assert found.arguments["url"].value == "http://u.example/state"


def test_an_order_that_is_packed_is_read_too() -> None:
    packed = b"Content-Encoding: gzip\r\n"
    assert answered(gzip.compress(b'{"cmd":"cut_oil"}'), packed).subsystem is Subsystem.DRIVE
    assert answered(b"\x1f\x8bspoilt", packed).rule == "cloud.service"


def test_what_nobody_can_explain_under_the_name_of_an_order_is_unknown() -> None:
    assert {answered(body).rule for body in (b'{"cmd":33285}', b'{"cmd":["x"]}', b"cmd=7")} == {"cloud.unknown"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"code":0,"msg":"ok"}', b"OK", b"SUCCESS", b"true", b'{"next_stop":"Kade"}', b'{"interval":30}',
        b'{"action":null}', b"<html><body>hello</body></html>", b"\xff\xd8\xff", b'{"cmd":"cut_oil"}' + bytes(SHORT),
    ],
)  # fmt: skip
def test_an_answer_that_orders_nothing_or_is_long_is_service(body: bytes) -> None:
    assert answered(body).rule == "cloud.service"


def test_an_answer_from_where_orders_are_fetched_is_read_as_one() -> None:
    assert answered(b'{"todo":"cut_oil"}').rule == "cloud.service"
    assert answered(b'{"todo":"cut_oil"}', path="/bus/7/commands").subsystem is Subsystem.DRIVE


@pytest.mark.parametrize(
    "event", [b'data: {"cmd":"cut_oil"}\n\n', b"event: command\r\ndata: cut_oil\r\n\r\n", b"id: 1\rdata: cut_oil\r\r"]
)
def test_each_event_of_a_stream_is_read_by_itself(event: bytes) -> None:
    pdus = downloaded("/s", b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: hello\n\n" + event)
    events = [only(pdu) for pdu in pdus if pdu.name == "event"]
    assert (events[0].name, events[1].subsystem) == ("HTTP event", Subsystem.DRIVE)


def test_what_is_only_asked_about_is_not_loaded() -> None:
    talk = http.Conversation()
    talk.client.feed(b"HEAD /fw.bin HTTP/1.1\r\nHost: u.example\r\n\r\n")
    (head,) = units(talk.server.feed(SERVED % (9_000_000, b"")))
    assert only(head).rule == "cloud.service"


def test_a_request_to_the_tbox_may_do_anything() -> None:
    (pdu,) = units(http.Conversation(client=Direction.DOWN).client.feed(b"POST /reboot HTTP/1.1\r\nHost: t\r\n\r\n"))
    found = only(pdu)
    assert (found.rule, found.subsystem, found.arguments["method"].value) == (
        "cloud.carried", Subsystem.UNKNOWN, "POST",
    )  # fmt: skip


def published(topic: str, payload: bytes) -> Wanted:
    (pdu,) = units(fed(mqtt.Conversation().server, mqtt_peer.publish(topic, payload)))
    return only(pdu, cloud_other.of_mqtt)


@pytest.mark.parametrize(
    ("topic", "payload", "subsystem", "act"),
    [
        ("bus/7/x", b'{"cmd":"engineStop"}', Subsystem.DRIVE, Act.STOP),
        ("bus/7/x", b"DYD#", Subsystem.DRIVE, Act.STOP),
        ("bus/7/cmd/lock_vehicle", b"\x01", Subsystem.DRIVE, Act.STOP),
        ("bus/7/command/preheat", b'{"t":21}', Subsystem.HVAC, Act.SET),
        ("bus/7/ota", b'{"u":"x"}', Subsystem.TELEMATICS, Act.FLASH),
        ("bus/7/news", b"\xf0\x01\x02", Subsystem.UNKNOWN, Act.SET),
        ("bus/7/cmd", b"\xff\xfe", Subsystem.UNKNOWN, Act.SET),
        ("bus/7/news", b'{"type":"remote"}', Subsystem.UNKNOWN, Act.SET),
    ],
)
def test_a_message_of_mqtt_is_read_in_words_or_unknown(
    topic: str, payload: bytes, subsystem: Subsystem, act: Act
) -> None:
    found = published(topic, payload)
    assert (found.subsystem, found.act) == (subsystem, act)
    assert found.arguments["topic"].value == topic
    assert found.arguments["payload_size"].value == len(payload)


def test_other_packets_of_mqtt_are_service() -> None:
    assert published("bus/7/cmd", b"").rule == "cloud.service"
    (pdu,) = units(fed(mqtt.Conversation().server, b"\x20\x02\x00\x00"))
    assert only(pdu, cloud_other.of_mqtt).rule == "cloud.service"


def dialled(payload_type: int, payload: bytes) -> Wanted:
    head = b"\x02\xfd" + payload_type.to_bytes(2) + len(payload).to_bytes(4)
    (pdu,) = units(fed(doip.Framer(), head + payload))
    return only(pdu, cloud_other.of_doip)


@pytest.mark.parametrize(
    ("user_data", "act", "rule"),
    [
        ("22f190", Act.READ, "cloud.read"),
        ("3e00", Act.READ, "cloud.read"),
        ("1003", Act.ENABLE, "cloud.carried"),
        ("2e0100ff", Act.WRITE, "cloud.carried"),
        ("2701", Act.UNLOCK, "cloud.carried"),
        ("3400440000", Act.FLASH, "cloud.carried"),
        ("1101", Act.RESET, "cloud.carried"),
        ("62f19041", Act.SEND, "cloud.service"),
        ("7f2231", Act.SEND, "cloud.service"),
        ("", Act.SET, "cloud.unknown"),
    ],
)
def test_a_diagnostic_message_is_what_its_service_does(user_data: str, act: Act, rule: str) -> None:
    found = dialled(0x8001, bytes.fromhex("0e80 1001" + user_data))
    assert (found.act, found.rule) == (act, rule)
    told = {name: argument.value for name, argument in found.arguments.items()}
    assert rule == "cloud.service" or told["target_address"] == "0x1001"
    assert rule == "cloud.service" or told["source_address"] == "0x0E80"


@pytest.mark.parametrize(
    ("payload_type", "payload", "rule"),
    [
        (0x0005, bytes.fromhex("0e800000000000"), "cloud.carried"),
        (0x0001, b"", "cloud.read"),
        (0x4003, b"", "cloud.read"),
        (0x0007, b"", "cloud.service"),
        (0x8002, bytes.fromhex("10010e8000"), "cloud.service"),
        (0xF123, b"\x01", "cloud.unknown"),
    ],
)
def test_other_messages_of_doip(payload_type: int, payload: bytes, rule: str) -> None:
    assert dialled(payload_type, payload).rule == rule


def texted(said: str | bytes) -> Wanted:
    read = sms.read(deliver("31600000001", said, 1_790_000_000), Direction.DOWN)
    assert isinstance(read, Pdu)
    return only(read, cloud_other.of_sms)


def test_a_short_message_tells_its_text_and_who_sent_it() -> None:
    found = texted("SZCS,1#")
    assert found.rule == "sms.command"
    assert found.arguments["address"].value == "+31600000001"
    assert found.arguments["text"].value == "SZCS,1#"


def test_a_short_message_of_octets_is_an_order_and_prose_is_told_too() -> None:
    assert texted(b"\x01\x02\x03")[:4] == ("binary short message", Subsystem.UNKNOWN, Act.SET, "sms.command")
    assert texted("Uw tegoed is bijna op, ga naar de site").rule == "sms.received"


def test_a_silent_message_and_one_for_the_sim_say_so() -> None:
    heard = sms.heard(Sms(0, Side.TBOX, "+31600000001", b"", "", b"\x01"))
    assert isinstance(heard, Pdu)
    silent = Pdu("sms", "deliver", 0, Direction.DOWN, {**heard.fields, "silent": True})
    assert only(silent, cloud_other.of_sms).name == "silent short message"
    for_sim = Pdu("sms", "deliver", 0, Direction.DOWN, {"sim_data_download": True, "text": "x"})
    assert only(for_sim, cloud_other.of_sms)[:3] == (
        "short message that programs the SIM",
        Subsystem.UNKNOWN,
        Act.WRITE,
    )
    report = Pdu("sms", "status report", 2, Direction.DOWN, {"kind": "status report"})
    assert only(report, cloud_other.of_sms).rule == "cloud.service"
