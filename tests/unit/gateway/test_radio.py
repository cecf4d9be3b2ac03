"""A conversation that nothing tells the ends of: two public addresses, one port, its beginning not seen."""

from __future__ import annotations

from ipaddress import ip_address

from busgate.decode.recognise import MOST
from busgate.gateway import Gateway
from busgate.gateway.radio import Radio
from busgate.model import Event, Packet, RemoteFunction, Side
from support.gate import generic

ONE, OTHER = "198.51.100.1", "203.0.113.9"
CONTROL = bytes.fromhex("7e810500010138001380000001644a7e")


def segment(source: str, target: str, data: bytes, seq: int, ack: int) -> Packet:
    """A TCP segment of a connection on port 5000 at both ends (RFC 791, 9293)."""
    tcp = (5000).to_bytes(2) * 2 + seq.to_bytes(4) + ack.to_bytes(4) + b"\x50\x10\xff\xff" + bytes(4) + data
    head = b"\x45\0" + (20 + len(tcp)).to_bytes(2) + bytes(4) + b"\x40\x06\0\0"
    return Packet(seq, Side.TAP, 101, head + ip_address(source).packed + ip_address(target).packed + tcp)


def heard() -> tuple[Gateway, Radio]:
    gateway = Gateway(generic().profile, generic().database)
    gateway.receive(segment(ONE, OTHER, b"", 1, 1))
    assert gateway._radio is not None
    return gateway, gateway._radio


def test_of_what_nobody_recognises_only_the_beginning_is_kept() -> None:
    gateway, radio = heard()
    for place in range(100):
        gateway.receive(segment(ONE, OTHER, bytes(1000), 1 + 1000 * place, 1))
    (talking,) = radio._talks.values()
    assert sum(len(data) for _, data in talking.conversation._first) <= MOST


def test_what_both_ends_say_is_read_and_not_mixed_up() -> None:
    gateway, _ = heard()
    events: list[Event] = []
    for place, octet in enumerate(CONTROL):
        for source, target in ((ONE, OTHER), (OTHER, ONE)):
            ack = 1 + place + (source == OTHER)
            events += gateway.receive(segment(source, target, bytes([octet]), 1 + place, ack)).events
    assert gateway.traffic(0).network["jt808 unknown"] == 2
    assert [event.protocol for event in events if isinstance(event, RemoteFunction)] == ["jt808"]
