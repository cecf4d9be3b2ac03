"""MQTT packets of clients that do not know us, and what the decoder makes of them."""

import socket
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions
from scapy.contrib import mqtt as scapy

from busgate.decode.mqtt import LONGEST, PIECE, Conversation, Packets
from busgate.decode.mqtt_bodies import Connect, Publish
from busgate.decode.mqtt_packets import read
from busgate.model import Direction, Pdu, Span
from busgate_sim.cloud import mqtt as peer
from support.streams import fed, units

CONNECT_5 = bytes.fromhex("101000044d5154540502003c000003746178")


def paho_sends(version: int, *acts: Callable[[Any], Any], setup: Callable[[Any], Any] | None = None) -> list[bytes]:
    """What paho's client writes for each act, after its CONNECT."""
    client: Any = Client(CallbackAPIVersion.VERSION2, client_id="tbox-7", protocol=MQTTProtocolVersion(version))
    if setup:
        setup(client)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client._sock = theirs
        sent = []
        for act in (lambda client: client._send_connect(60), *acts):
            act(client)
            sent.append(ours.recv(1 << 16))
        client._sock = None
    return sent


def one(raw: bytes, framer: Packets | None = None) -> Pdu:
    (span,) = (framer or Packets()).feed(raw)
    assert span.raw == raw
    assert span.pdu is not None
    return span.pdu


def properties(kind: int, **values: Any) -> Any:
    made: Any = Properties(kind)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(made, name, value)
    return made


def credentials(client: Any) -> None:
    client.username_pw_set("fleet", "secret")
    client.will_set("will/tbox-7", b"gone", 1, retain=True)


def test_a_connect_of_paho_is_read_and_its_password_is_not_shown() -> None:
    (raw,) = paho_sends(4, setup=credentials)
    pdu = one(raw)
    assert pdu.name == "CONNECT"
    assert pdu.direction is Direction.UP
    assert not pdu.flaws
    assert pdu.body == Connect(
        protocol_name="MQTT",
        protocol_level=4,
        clean_start=True,
        keep_alive=60,
        client_id="tbox-7",
        user_name="fleet",
        password_present=True,
        will_topic="will/tbox-7",
        will_qos=1,
        will_retain=True,
        will_payload_size=4,
    )
    assert pdu.fields["version"] == "3.1.1"
    assert "secret" not in str(pdu)
    assert b"secret".hex() not in str(pdu)


def test_mqtt_3_1_has_its_old_name() -> None:
    (raw,) = paho_sends(3)
    pdu = one(raw)
    assert (pdu.fields["protocol_name"], pdu.fields["version"], pdu.flaws) == ("MQIsdp", "3.1", ())


def test_connect_and_will_properties_of_mqtt_5() -> None:
    def setup(client: Any) -> None:
        credentials(client)
        client._connect_properties = properties(
            PacketTypes.CONNECT,
            SessionExpiryInterval=9,
            UserProperty=("a", "b"),
            AuthenticationData=b"token",
            AuthenticationMethod="x",
        )
        client._will_properties = properties(PacketTypes.WILLMESSAGE, WillDelayInterval=5)

    (raw,) = paho_sends(5, setup=setup)
    pdu = one(raw)
    assert not pdu.flaws
    assert pdu.fields["version"] == "5.0"
    assert pdu.fields["properties"] == {
        "session_expiry_interval": 9,
        "user_property": [["a", "b"]],
        "authentication_method": "x",
        "authentication_data": {"size": 5},
    }
    assert pdu.fields["will_properties"] == {"will_delay_interval": 5}


def test_publish_subscribe_and_the_rest_of_mqtt_5() -> None:
    aliased = properties(PacketTypes.PUBLISH, TopicAlias=3, ContentType="json", CorrelationData=b"\1\2")
    sent = paho_sends(
        5,
        lambda client: client._send_publish(7, b"x/y", b"hi", 1, False, False, None, aliased),
        lambda client: client._send_publish(
            8, b"", b"again", 2, True, True, None, properties(PacketTypes.PUBLISH, TopicAlias=3)
        ),
        lambda client: client._send_subscribe(False, [("a/#", SubscribeOptions(1, noLocal=True, retainHandling=2))]),
        lambda client: client._send_unsubscribe(False, ["a/#"]),
        lambda client: client._send_puback(9),
        lambda client: client._send_pingreq(),
        lambda client: client._send_disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message")),
    )
    spans = fed(Packets(), b"".join(sent))
    assert [span.raw for span in spans] == sent
    _, first, again, subscribe, unsubscribe, puback, ping, disconnect = units(spans)
    assert first.fields["properties"] == {"topic_alias": 3, "content_type": "json", "correlation_data": "0102"}
    assert first.fields["payload"] == b"hi".hex()
    assert first.fields["payload_sha256"] == sha256(b"hi").hexdigest()
    assert isinstance(again.body, Publish)
    assert (again.body.topic, again.body.qos, again.body.retain, again.body.dup) == ("x/y", 2, True, True)
    assert (again.body.packet_id, again.body.data, again.fields["topic"]) == (8, b"again", "x/y")
    assert subscribe.fields["topics"] == ["a/#"]
    assert subscribe.fields["options"] == [
        {"qos": 1, "no_local": True, "retain_as_published": False, "retain_handling": 2}
    ]
    assert unsubscribe.fields["topics"] == ["a/#"]
    assert (puback.name, puback.fields["packet_id"], puback.fields["reason_code"]) == ("PUBACK", 9, 0)
    assert ping.name == "PINGREQ"
    assert (disconnect.fields["reason_code"], disconnect.fields["reason"]) == (4, "disconnect with will message")
    assert not any(pdu.flaws for pdu in units(spans))


def test_packets_of_scapy_are_read() -> None:
    sent = [
        bytes(scapy.MQTT() / scapy.MQTTConnect(protoname="MQTT", protolevel=4, klive=30, clientId="bus")),
        bytes(scapy.MQTT(QOS=1) / scapy.MQTTPublish(topic="bus/7", msgid=3, value=b"lock")),
        bytes(scapy.MQTT(QOS=1) / scapy.MQTTSubscribe(msgid=4, topics=[scapy.MQTTTopicQOS(topic="bus/#", QOS=1)])),
    ]
    spans = fed(Packets(), b"".join(sent))
    connect, publish, subscribe = units(spans)
    assert (connect.fields["client_id"], connect.fields["keep_alive"]) == ("bus", 30)
    assert (publish.fields["topic"], publish.fields["packet_id"], publish.fields["payload"]) == (
        "bus/7",
        3,
        b"lock".hex(),
    )
    assert (subscribe.fields["topics"], subscribe.fields["options"]) == (["bus/#"], [{"qos": 1}])


def test_a_broken_property_does_not_hide_the_payload() -> None:
    pdu = read(bytes.fromhex("300d0003612f620423000126") + b"lock"[:3], 5)
    assert pdu.fields["properties"] == {"topic_alias": 1}
    assert pdu.fields["payload"] == b"loc".hex()
    assert pdu.flaws == ("ends within the length of user_property: 2 bytes due, 0 there",)


def test_both_directions_share_the_version() -> None:
    conversation = Conversation()
    conversation.client.feed(peer.connect("tbox-1", "u", "p"))
    (granted,) = units(conversation.server.feed(bytes.fromhex("20020105")))
    assert granted.fields == {
        "session_present": True,
        "reason_code": 5,
        "reason": "not authorized",
        "properties": {},
        "version": "3.1.1",
    }
    assert granted.direction is Direction.DOWN
    (order,) = units(conversation.server.feed(peer.publish("orders/1", b"\x00\x01", 4)))
    assert (order.fields["topic"], order.fields["payload"], order.direction) == ("orders/1", "0001", Direction.DOWN)


@pytest.mark.parametrize(
    ("raw", "version"),
    [
        (bytes.fromhex("2003000000"), "5.0"),
        (bytes.fromhex("20020000"), "3.1.1"),
        (peer.publish("a/b", b'{"x": 1}'), "3.1.1"),
        (bytes.fromhex("300b0003612f6203230001") + b"{}", "5.0"),
        (bytes.fromhex("900400010001"), "5.0"),
        (bytes.fromhex("9003000101"), "3.1.1"),
        (bytes.fromhex("400400010000"), "5.0"),
    ],
)
def test_without_a_connect_the_version_is_guessed_and_said_to_be(raw: bytes, version: str) -> None:
    pdu = one(raw)
    assert (pdu.fields["version"], pdu.fields["version_guessed"]) == (version, True)


def test_one_odd_packet_does_not_spoil_the_guess() -> None:
    five = bytes.fromhex("300b0003612f6203230001") + b"{}"
    framer = Packets()
    spans = fed(framer, five * 3, bytes.fromhex("30060003612f62ff"), five)
    assert [pdu.fields["version"] for pdu in units(spans)] == ["5.0", "5.0", "5.0", "3.1.1", "5.0"]


def test_an_alias_that_was_not_seen_is_said_so_and_a_new_connection_forgets() -> None:
    told = bytes.fromhex("300b0003612f6203230001") + b"{}"
    alias = bytes.fromhex("3006000003230001")
    framer = Packets()
    spans = fed(framer, CONNECT_5, told, alias, CONNECT_5, alias)
    topics = [(pdu.fields["topic"], pdu.flaws) for pdu in units(spans) if pdu.name == "PUBLISH"]
    assert topics == [("a/b", ()), ("a/b", ()), (None, ("what topic alias 1 stands for was not seen",))]


@pytest.mark.parametrize(
    ("raw", "version", "flaw"),
    [
        ("3003000341", 4, "ends within the topic: 3 bytes due, 1 there"),
        ("30050003612b62", 4, "the topic has a wildcard"),
        ("36070003612f620001", 4, "quality of service 3 is reserved"),
        ("32070003612f620000", 4, "the packet identifier is 0"),
        ("38050003612f62", 4, "the duplicate flag is set with quality of service 0"),
        ("30020000", 4, "there is neither a topic nor a topic alias"),
        ("c100", 4, "the flags of the fixed header are 1, should be 0"),
        ("f000", 4, "packet type 15 is reserved"),
        ("300a0003612f6204230001", 5, "ends within the properties: 4 bytes due, 3 there"),
        ("300a0003612f62047f000100", 5, "property 0x7f is not in the standard; those behind it are not read"),
        ("300d0003612f620701010101230001", 5, "payload_format_indicator is there more than once"),
        ("2003000300", 5, "reason code 0x03 is not in the standard"),
        ("82020001", 4, "there is no topic filter"),
        ("300700036100620000", 4, "the topic has a null character"),
        ("300500036129ff", 4, "the topic is not UTF-8"),
        ("c00101", 4, "1 bytes follow the packet's last field"),
        ("10", 4, "the fixed header is not whole"),
        ("c005", 4, "the remaining length is 5, 0 bytes follow"),
    ],
)
def test_what_breaks_a_rule_is_named(raw: str, version: int, flaw: str) -> None:
    assert flaw in read(bytes.fromhex(raw), version).flaws


def test_a_message_too_long_to_hold_passes_in_pieces_and_its_hash_comes_last() -> None:
    payload = bytes(range(256)) * (LONGEST // 256) + b"tail"
    raw = peer.packet(peer.Kind.PUBLISH, b"\0\1t" + payload)
    spans = fed(Packets(), peer.connect("a", "b", "c"), raw, b"\xc0\x00")
    assert b"".join(span.raw for span in spans[1:-1]) == raw
    first, last = spans[1], spans[-2]
    assert first.pdu is not None
    assert last.pdu is not None
    assert (len(first.raw), first.pdu.fields["payload_size"], first.pdu.fields["payload_sha256"]) == (
        PIECE,
        len(payload),
        None,
    )
    assert {span[1:] for span in spans[2:-2]} == {(None, "payload")}
    assert last.pdu.fields == {
        "topic": "t",
        "payload_size": len(payload),
        "payload_sha256": sha256(payload).hexdigest(),
    }
    assert spans[-1].pdu is not None


def test_a_stream_picked_up_within_a_packet_is_read_from_the_next_one_on() -> None:
    whole = peer.publish("tbox/1/state", b'{"soc": 71}', 5)
    spans = fed(Packets(), whole[7:] + whole)
    assert spans == [Span(whole[7:], None, Packets.UNKNOWN), spans[-1]]
    assert spans[-1].raw == whole
    assert units(spans)[0].fields["topic"] == "tbox/1/state"


def test_a_stream_that_ends_within_a_packet_says_so() -> None:
    raw = peer.publish("a", b"b")
    assert fed(Packets(), b"\xc0\x00" + raw[:-1])[1:] == [Span(raw[:-1], None, Packets.CUT)]


def test_junk_can_be_given_before_its_stretch_is_full() -> None:
    framer = Packets()
    assert framer.feed(bytes(10)) == []
    assert framer.held == 10
    assert framer.release() == [Span(bytes(10), None, Packets.UNKNOWN)]
    assert framer.held == 0
    assert units(framer.feed(b"\xc0\x00"))
