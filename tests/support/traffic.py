"""Traffic for tests, built by scapy, which does not know our reader."""

from __future__ import annotations

import struct
from typing import Any

from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6, fragment6
from scapy.layers.l2 import Ether
from scapy.packet import Packet as Layer

from busgate.decode.datagram import Datagram
from busgate.decode.ip import Reader
from busgate.model import Packet, Side

ETHERNET, RAW = 1, 101
CLOUD, BUS = "203.0.113.9", "10.64.0.2"


def captured(layer: Layer | bytes, link_type: int = ETHERNET, at: int = 0) -> Packet:
    return Packet(at, Side.TBOX, link_type, bytes(layer))


def udp(payload: bytes = b"hello", **ip: Any) -> Layer:
    return IP(src=BUS, dst=CLOUD, **ip) / UDP(sport=5000, dport=6000) / payload


def tcp(payload: bytes = b"hello", **fields: Any) -> Layer:
    return IP(src=BUS, dst=CLOUD) / TCP(**({"sport": 50000, "dport": 8808, "seq": 7, "ack": 9} | fields)) / payload


def ether(layer: Layer) -> Layer:
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / layer


def read_one(packet: Packet, reader: Reader | None = None) -> Datagram:
    step = (reader or Reader()).read(packet)
    assert isinstance(step, Datagram), step
    return step


def gtp(inner: bytes, teid: int = 0x2A, *, flags: int = 0x30, options: bytes = b"") -> bytes:
    return struct.pack(">BBHI", flags, 255, len(options) + len(inner), teid) + options + inner


def cut(layer: Layer, size: int) -> list[bytes]:
    """An IP packet in fragments of at most `size` bytes of payload (IPv4) or in all (IPv6)."""
    if isinstance(layer, IPv6):
        return [bytes(piece) for piece in fragment6(layer, size)]  # type: ignore[no-untyped-call]
    return [bytes(piece) for piece in fragment(layer, fragsize=size)]  # type: ignore[no-untyped-call]
