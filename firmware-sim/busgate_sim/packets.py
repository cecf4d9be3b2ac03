"""The T-box's connection as a packet capture: raw IPv4, as its modem's interface carries it.

Law: the same segments give the same bytes. Addresses are of documentation and shared ranges (RFC 5737, RFC 6598).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from busgate_sim.online import Segment
from busgate_sim.world import SECOND

TBOX, CLOUD = ("100.64.0.2", 40_808), ("203.0.113.10", 6808)
HANDSHAKE = 3
"""Packets before the first that carries anything."""

_FIRST = 1000
_MICROSECOND = 1000


def write(segments: Iterable[Segment], started: int, path: Path, *, opaque: bool = False) -> int:
    """Write a pcapng file (link type 228, times in microseconds); how many packets.

    `opaque` hides the content as an encrypted connection does: TLS records of the same lengths, filled with zeros.
    """
    from scapy.layers.inet import IP, TCP
    from scapy.utils import PcapNgWriter

    sent = {True: _FIRST, False: _FIRST}
    packets = 0
    writer = PcapNgWriter(str(path))

    def put(at: int, up: bool, flags: str, data: bytes) -> None:
        nonlocal packets
        (source, sport), (target, dport) = (TBOX, CLOUD) if up else (CLOUD, TBOX)
        header = TCP(sport=sport, dport=dport, flags=flags, seq=sent[up], ack=sent[not up] if "A" in flags else 0)
        packet = IP(src=source, dst=target, id=packets % 65_536) / header / data
        packet.time = started + at // _MICROSECOND / (SECOND / _MICROSECOND)
        writer.write(packet)
        packets += 1
        sent[up] += len(data) + ("S" in flags)

    try:
        for number, segment in enumerate(segments):
            if not number:
                put(segment.at, True, "S", b"")
                put(segment.at, False, "SA", b"")
                put(segment.at, True, "A", b"")
            put(segment.at, segment.up, "PA", _hidden(segment.data) if opaque else segment.data)
    finally:
        writer.close()
    return packets


def _hidden(data: bytes) -> bytes:
    """A TLS 1.2 application-data record of this length and its overhead (RFC 5246, 6.2), saying nothing."""
    length = len(data) + 24
    return b"\x17\x03\x03" + length.to_bytes(2) + bytes(length)
