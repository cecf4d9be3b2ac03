"""The simulated MQTT: its octets against the standard's, a library of others, and hostile bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.mqtt import MQTT, MQTTConnect, MQTTPublish, MQTTSubscribe

from busgate_sim.cloud import mqtt
from busgate_sim.cloud.mqtt import Kind, Packet, Packets
from busgate_sim.cloud.octets import Refused
from busgate_sim.cloud.orders import order
from busgate_sim.cloud.platform import Platform
from busgate_sim.cloud.speaks_mqtt import topic
from busgate_sim.tbox_firmware.cloud_command import UNKNOWN
from busgate_sim.tbox_firmware.speech import Standing
from busgate_sim.tbox_firmware.speech_mqtt import IdentityMqtt, SpeechMqtt

VIN = "SYNTHETICBUS00421"


def test_a_library_of_others_reads_our_packets() -> None:
    connect = MQTT(mqtt.connect("me", "user", "secret", 60))
    assert (connect.type, connect[MQTTConnect].protolevel, connect[MQTTConnect].klive) == (1, 4, 60)
    assert (connect[MQTTConnect].clientId, connect[MQTTConnect].username) == (b"me", b"user")
    said = MQTT(mqtt.publish("a/b", b"hello", 7))
    assert (said.QOS, said[MQTTPublish].topic, said[MQTTPublish].msgid, said[MQTTPublish].value) == (
        1, b"a/b", 7, b"hello",
    )  # fmt: skip
    asked = MQTT(mqtt.subscribe("a/#", 3))
    assert asked[MQTTSubscribe].topics[0].topic == b"a/#"


@pytest.mark.parametrize(("length", "octets"), [(0, "00"), (127, "7f"), (128, "8001"), (16_384, "808001")])
def test_the_remaining_length_is_the_standards(length: int, octets: str) -> None:
    # The examples of table 2.4.
    assert mqtt.packet(Kind.PUBLISH, bytes(length))[1 : 1 + len(octets) // 2].hex() == octets


@given(st.lists(st.tuples(st.text(max_size=10), st.binary(max_size=300)), max_size=5), st.integers(1, 50))
def test_packets_come_back_from_any_pieces(said: list[tuple[str, bytes]], size: int) -> None:
    data = b"".join(mqtt.publish(name, payload, 9) for name, payload in said)
    packets = Packets()
    found = [each for at in range(0, len(data), size) for each in packets.feed(data[at : at + size])]
    assert [mqtt.published(each) for each in found if isinstance(each, Packet)] == [(n, 9, p) for n, p in said]


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_raise_at_either_end(pieces: list[bytes]) -> None:
    platform = Platform(None)
    line = platform.line()
    line.receive(mqtt.connect(VIN, VIN, "x"), 0)
    speech = SpeechMqtt(IdentityMqtt(VIN))
    speech.begin(0)
    for piece in pieces:
        line.receive(piece, 0)
        speech.heard(piece, 0, {})
    assert set(platform.book.vehicles) >= {VIN}
    assert line.vehicle is None or line.vehicle.protocol == "MQTT 3.1.1"


def test_a_vehicle_logs_in_reports_obeys_and_answers() -> None:
    platform, speech = Platform(None), SpeechMqtt(IdentityMqtt(VIN))
    line = platform.line()
    back = speech.heard(line.receive(speech.begin(0), 0), 0, {}).back
    assert speech.standing is Standing.DONE
    assert line.receive(back, 0) == mqtt.packet(Kind.SUBACK, b"\x00\x01\x01")
    line.receive(speech.report({"speed_kmh": 12.5, "cells_v": (3.7, 3.6)}, 5_000_000), 0)
    assert line.receive(speech.heartbeat(), 0) == mqtt.packet(Kind.PINGRESP)
    sent = platform.order(VIN, order("torque-limit", {"percent": 20.0}), 0)
    assert not isinstance(sent, Refused)
    heard = speech.heard(sent.data, 0, {})
    assert [(each.kind, dict(each.arguments)) for each in heard.commands] == [("drive.limit", {"torque": 20.0})]
    line.receive(heard.back, 0)
    vehicle = platform.book.vehicles[VIN]
    assert (vehicle.reports, vehicle.told[0].outcome, vehicle.protocol) == (1, "done", "MQTT 3.1.1")
    line.receive(speech.sign_off(0), 0)
    assert not vehicle.online


def test_who_may_not_log_in_is_told_so_and_strange_orders_are_unknown() -> None:
    platform, speech = Platform({"SOMEBODYELSE00000"}), SpeechMqtt(IdentityMqtt(VIN))
    speech.heard(platform.line().receive(speech.begin(0), 0), 0, {})
    assert speech.standing is Standing.FAILED
    for payload in (b"", b"[]", json.dumps({"id": 1, "cmd": "FLY", "args": []}).encode(), b'{"id": "x"}'):
        heard = speech.heard(mqtt.publish(topic(VIN, "command"), payload), 0, {})
        assert [each.kind for each in heard.commands] == [UNKNOWN]
