"""MQTT: any bytes, whole or octet by octet, are given back in order, and the units are the same."""

from __future__ import annotations

from busgate.decode.mqtt import LONGEST, Packets
from busgate.decode.mqtt_packets import V3, read
from busgate.decode.mqtt_properties import V5
from busgate_sim.cloud import mqtt
from support.streams import check_law

SEEDS: tuple[bytes, ...] = (
    mqtt.connect("tbox-1", "user", "secret"),
    bytes.fromhex("10380004 4d515454 05ee003c 0c110000 00092600 01610001 62000474 626f7805 18000000 05000677 696c6c2f")
    + bytes.fromhex("74000467 6f6e6500 01750002 7077"),
    mqtt.publish("tbox/1/state", b'{"soc": 71}', 5) + b"\xc0\x00",
    bytes.fromhex("32140003782f7900070a0300046a736f6e2300036869") + bytes.fromhex("3006000003230003"),
    bytes.fromhex("82090001000003612f2305900400010001e000"),
)


def check(data: bytes) -> None:
    """The spans joined are the bytes, cutting does not matter, holding is bounded, nothing raises."""
    check_law(Packets, data, range(0, len(data), 3), LONGEST + 1024)
    for version in (V3, V5):
        assert read(data, version).protocol == "mqtt"
