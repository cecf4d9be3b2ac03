"""NTP and SNTP packets: who tells the time to whom, from what source, and by how much a clock would be moved.

Law: any datagram gives a `Pdu` or None (shorter than a header), never an exception. Times are Unix nanoseconds in UTC;
the 32 bits of seconds that NTP sends begin anew in 2036, and those without their first bit set count from there
(RFC 4330, 3). Clauses of RFC 5905.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from typing import Any

from busgate.model import Direction, Pdu

HEADER = 48
MODES: Mapping[int, str] = {
    0: "reserved",
    1: "symmetric active",
    2: "symmetric passive",
    3: "client",
    4: "server",
    5: "broadcast",
    6: "control",
    7: "private",
}
"""7.3, figure 10."""

_NS = 1_000_000_000
_TO_UNIX = 2_208_988_800
_ERA = 1 << 32


@dataclass(frozen=True, slots=True)
class Packet:
    """7.3. Times are Unix nanoseconds, None where the field is zero."""

    leap_indicator: int
    version: int
    mode: str
    stratum: int
    poll: int
    """Log2 seconds."""
    precision: int
    """Log2 seconds."""
    root_delay: float
    """Seconds."""
    root_dispersion: float
    """Seconds."""
    reference_id: str
    """Stratum 0 and 1: four letters (of a kiss code or a clock); else the upstream's IPv4 address or hash as one."""
    reference_time: int | None
    origin_time: int | None
    receive_time: int | None
    transmit_time: int | None
    extra: int
    """Bytes behind the header: extension fields and the message authentication code."""


def read(raw: bytes) -> Pdu | None:
    """Read one datagram; None where it is shorter than a header of its mode."""
    if len(raw) < HEADER:
        return _control(raw) if len(raw) >= 12 and raw[0] & 7 in {6, 7} else None
    mode = raw[0] & 7
    if mode in {6, 7}:
        return _control(raw)
    stratum = raw[1]
    packet = Packet(
        raw[0] >> 6,
        raw[0] >> 3 & 7,
        MODES[mode],
        stratum,
        int.from_bytes(raw[2:3], signed=True),
        int.from_bytes(raw[3:4], signed=True),
        int.from_bytes(raw[4:8]) / 65536,
        int.from_bytes(raw[8:12]) / 65536,
        _reference(raw[12:16], stratum),
        _time(raw[16:24]),
        _time(raw[24:32]),
        _time(raw[32:40]),
        _time(raw[40:48]),
        len(raw) - HEADER,
    )
    flaws = []
    if not 1 <= packet.version <= 4:
        flaws.append(f"version {packet.version} is not in use")
    if stratum > 16:
        flaws.append(f"stratum {stratum} is reserved")
    if mode == 0:
        flaws.append("mode 0 is reserved")
    row = asdict(packet) | _hints(packet)
    direction = {3: Direction.UP, 4: Direction.DOWN, 5: Direction.DOWN}.get(mode, Direction.UNKNOWN)
    return Pdu("ntp", MODES[mode], mode, direction, row, packet, tuple(flaws))


def offset_ns(packet: Packet, arrived: int) -> int | None:
    """By how much a client that gets this answer at `arrived` (its own Unix ns) would move its clock (8, theta)."""
    if packet.mode != "server" or packet.origin_time is None:
        return None
    if packet.receive_time is None or packet.transmit_time is None:
        return None
    return ((packet.receive_time - packet.origin_time) + (packet.transmit_time - arrived)) // 2


def _hints(packet: Packet) -> dict[str, Any]:
    """What an answer alone tells of the two clocks: how far the server's was ahead when it got the request."""
    if packet.mode != "server" or packet.origin_time is None or packet.receive_time is None:
        return {}
    return {"receive_minus_origin_s": (packet.receive_time - packet.origin_time) / _NS}


def _control(raw: bytes) -> Pdu:
    """Modes 6 and 7 (RFC 9327): requests to the daemon itself, which a T-box has no business with."""
    mode = raw[0] & 7
    row: dict[str, Any] = {"version": raw[0] >> 3 & 7, "mode": MODES[mode], "extra": len(raw)}
    row |= {"opcode": raw[1] & 0x1F, "response": bool(raw[1] & 0x80)} if mode == 6 else {"request_code": raw[3]}
    return Pdu("ntp", MODES[mode], mode, Direction.UNKNOWN, row)


def _reference(octets: bytes, stratum: int) -> str:
    """7.3, Reference ID."""
    if stratum <= 1:
        return octets.rstrip(b"\0").decode("ascii", "backslashreplace")
    return str(IPv4Address(octets))


def _time(octets: bytes) -> int | None:
    """6, figure 3: seconds since 1900 and a fraction of 32 bits."""
    if not any(octets):
        return None
    seconds, fraction = int.from_bytes(octets[:4]), int.from_bytes(octets[4:])
    if not seconds >> 31:
        seconds += _ERA
    return (seconds - _TO_UNIX) * _NS + (fraction * _NS + (1 << 31) >> 32)
