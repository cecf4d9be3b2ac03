"""The T-box's connections as a packet capture: raw IPv4, as its modem's interface carries it.

Law: the same segments give the same bytes, but for an encrypted connection's, whose keys are new each time. Addresses
are of documentation and shared ranges (RFC 5737, RFC 6598).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from busgate_sim.air import Flow, Segment
from busgate_sim.cloud.tunnel import Tunnel
from busgate_sim.world import SECOND

PLATFORM_HOST = "platform.synthetic-bus.example"
TBOX = "100.64.0.2"
HANDSHAKE = 3
"""Packets before the first of a connection that carries anything."""

_FIRST = 1000
_MICROSECOND = 1000


class Ends(NamedTuple):
    """The ports and the far address of one connection; `dials` is whether the T-box opened it."""

    own: int
    far: str
    port: int
    dials: bool = True


FLOWS = {
    Flow.PLATFORM: Ends(40_808, "203.0.113.10", 6808),
    Flow.UPDATES: Ends(40_880, "203.0.113.20", 80),
    Flow.MAINTENANCE: Ends(22, "198.51.100.77", 51_022, dials=False),
}


def write(segments: Iterable[Segment], started: int, path: Path, *, opaque: bool = False) -> list[int]:
    """Write a pcapng file (link type 228, times in microseconds); each segment's packet, counted from 1.

    `opaque` carries the platform's connection in TLS.
    """
    from scapy.utils import PcapNgWriter

    writer = PcapNgWriter(str(path))
    capture = _Capture(writer, started)
    streams: dict[Flow, _Stream] = {}
    numbers = []
    try:
        for segment in segments:
            stream = streams.get(segment.flow)
            if stream is None:
                tunnel = Tunnel(PLATFORM_HOST) if opaque and segment.flow is Flow.PLATFORM else None
                stream = streams[segment.flow] = _Stream(capture, FLOWS[segment.flow], tunnel, segment.at)
            numbers.append(stream.carry(segment))
    finally:
        writer.close()
    return numbers


class _Capture:
    """The file and how many packets are in it."""

    def __init__(self, writer: Any, started: int) -> None:
        self._writer = writer
        self._started = started
        self.packets = 0

    def put(self, packet: Any, at: int) -> int:
        packet.time = self._started + at // _MICROSECOND / (SECOND / _MICROSECOND)
        self._writer.write(packet)
        self.packets += 1
        return self.packets


class _Stream:
    """One TCP connection in a capture."""

    def __init__(self, capture: _Capture, ends: Ends, tunnel: Tunnel | None, at: int) -> None:
        self._capture = capture
        self._ends = ends
        self._tunnel = tunnel
        self._sent = {True: _FIRST, False: _FIRST}
        first = ends.dials
        for up, flags in ((first, "S"), (not first, "SA"), (first, "A")):
            self._put(at, up, flags, b"")
        for up, data in self._flights():
            self._put(at, up, "PA", data)

    def carry(self, segment: Segment) -> int:
        data = segment.data if self._tunnel is None else self._tunnel.carried(segment.up, segment.data)
        return self._put(segment.at, segment.up, "PA", data)

    def _flights(self) -> Iterator[tuple[bool, bytes]]:
        return iter(()) if self._tunnel is None else self._tunnel.handshake()

    def _put(self, at: int, up: bool, flags: str, data: bytes) -> int:
        from scapy.layers.inet import IP, TCP

        own, far = (TBOX, self._ends.own), (self._ends.far, self._ends.port)
        (source, sport), (target, dport) = (own, far) if up else (far, own)
        ack = self._sent[not up] if "A" in flags else 0
        header = TCP(sport=sport, dport=dport, flags=flags, seq=self._sent[up], ack=ack)
        packet = IP(src=source, dst=target, id=self._capture.packets % 65_536) / header / data
        self._sent[up] += len(data) + ("S" in flags)
        return self._capture.put(packet, at)
