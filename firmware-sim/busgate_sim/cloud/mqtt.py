"""MQTT 3.1.1 as far as a vehicle and its platform speak it here (OASIS standard of 2014): control packets, QoS 0 and 1.

Law: packets in, packets out, whatever pieces the bytes come in; what is malformed is refused and ends the reading.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from busgate_sim.cloud.octets import Refused

_LONGEST = 1 << 20


class Kind(IntEnum):
    """Control packet types (2.2.1)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class Packet(NamedTuple):
    """One control packet: its type, the flags of its first octet, and what follows the length."""

    kind: int
    flags: int
    rest: bytes


class Packets:
    """The packets of one direction of a connection."""

    def __init__(self) -> None:
        """Nothing has come."""
        self._came = bytearray()

    def feed(self, data: bytes) -> list[Packet | Refused]:
        """Take some bytes; the packets that they complete."""
        self._came += data
        found: list[Packet | Refused] = []
        while (taken := _take(bytes(self._came))) is not None:
            if isinstance(taken, Refused):
                self._came.clear()
                return [*found, taken]
            packet, length = taken
            del self._came[:length]
            found.append(packet)
        return found


def _take(came: bytes) -> tuple[Packet, int] | Refused | None:
    """The first packet and how long it is (2.2.3: the remaining length, seven bits an octet, four octets at most)."""
    length = 0
    for place, octet in enumerate(came[1:5]):
        length |= (octet & 0x7F) << 7 * place
        if not octet & 0x80:
            ends = 2 + place + length
            if length > _LONGEST:
                return Refused(f"a packet of {length} octets")
            whole = Packet(came[0] >> 4, came[0] & 0x0F, came[2 + place : ends])
            return (whole, ends) if len(came) >= ends else None
    return Refused("a remaining length of more than four octets") if len(came) >= 5 else None


def packet(kind: Kind, rest: bytes = b"", flags: int = 0) -> bytes:
    """A control packet's octets."""
    length, left = bytearray(), len(rest)
    while True:
        left, octet = divmod(left, 128)[0], left % 128
        length.append(octet | (0x80 if left else 0))
        if not left:
            return bytes([kind << 4 | flags]) + bytes(length) + rest


def connect(client: str, user: str, password: str, keepalive: int = 60) -> bytes:
    """CONNECT with a clean session (3.1)."""
    head = _text("MQTT") + bytes([4, 0xC2]) + keepalive.to_bytes(2)
    return packet(Kind.CONNECT, head + _text(client) + _text(user) + _text(password))


def publish(topic: str, payload: bytes, number: int | None = None) -> bytes:
    """PUBLISH (3.3); with a packet number it asks for an acknowledgement (QoS 1)."""
    numbered = b"" if number is None else number.to_bytes(2)
    return packet(Kind.PUBLISH, _text(topic) + numbered + payload, 0 if number is None else 2)


def subscribe(topic: str, number: int) -> bytes:
    """SUBSCRIBE to one filter with QoS 1 (3.8)."""
    return packet(Kind.SUBSCRIBE, number.to_bytes(2) + _text(topic) + b"\x01", 2)


def texts(rest: bytes, count: int) -> tuple[list[str], bytes] | Refused:
    """The first texts of a packet (1.5.3), and what follows them."""
    found: list[str] = []
    for _ in range(count):
        length = int.from_bytes(rest[:2])
        if len(rest) < 2 + length:
            return Refused("a text that goes on after its packet")
        try:
            found.append(rest[2 : 2 + length].decode("utf-8"))
        except UnicodeDecodeError:
            return Refused("a text that is no UTF-8")
        rest = rest[2 + length :]
    return found, rest


def published(came: Packet) -> tuple[str, int | None, bytes] | Refused:
    """Topic, packet number (None with QoS 0) and payload of a PUBLISH."""
    split = texts(came.rest, 1)
    if isinstance(split, Refused):
        return split
    (topic,), rest = split
    if not came.flags >> 1 & 3:
        return topic, None, rest
    return (topic, int.from_bytes(rest[:2]), rest[2:]) if len(rest) >= 2 else Refused("no packet number")


def _text(text: str) -> bytes:
    octets = text.encode("utf-8")
    return len(octets).to_bytes(2) + octets
