"""GB/T 32960.3 packets to bytes and back, 2016 (`##`) and 2025 (`$$`), and packets out of a stream (clause 6).

Law: any bytes are a `Packet` or `Refused`, and what a stream is read as does not depend on how it was cut. A packet
with a wrong check octet is still read and says so in `intact`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from functools import reduce
from operator import xor

from busgate_sim.cloud.octets import Octets, Refused, fixed

HEADER = 24
MOST_DATA = 65531
"""Octets of data by the standard's table 2."""

_VIN = 17
_BEIJING = timezone(timedelta(hours=8))


class Edition(IntEnum):
    """Which text of the standard a packet follows, by its first two octets."""

    Y2016 = 2016
    Y2025 = 2025


STARTS = {Edition.Y2016: b"##", Edition.Y2025: b"$$"}


class Command(IntEnum):
    """The command octet; 0xC0-0xFE are a platform's own."""

    LOGIN = 0x01
    REPORT = 0x02
    REISSUE = 0x03
    LOGOUT = 0x04
    PLATFORM_LOGIN = 0x05
    PLATFORM_LOGOUT = 0x06
    HEARTBEAT = 0x07
    CLOCK = 0x08
    ACTIVATION = 0x09
    ACTIVATION_ANSWER = 0x0A
    KEYS = 0x0B
    QUERY = 0x80
    SET = 0x81
    CONTROL = 0x82


class Response(IntEnum):
    """The response octet; `ASKED` marks what is not an answer."""

    DONE = 0x01
    FAILED = 0x02
    KNOWN_VIN = 0x03
    ASKED = 0xFE


class Encryption(IntEnum):
    """How the data is encrypted; SM2 and SM4 are of 2025."""

    NONE = 0x01
    RSA = 0x02
    AES128 = 0x03
    SM2 = 0x04
    SM4 = 0x05
    ABNORMAL = 0xFE
    INVALID = 0xFF


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; `command`, `response` and `encryption` may be numbers that the enumerations do not have."""

    command: int
    vin: str
    data: bytes = b""
    response: int = Response.ASKED
    edition: Edition = Edition.Y2016
    encryption: int = Encryption.NONE
    intact: bool = True


def encode(packet: Packet) -> bytes:
    """The packet's bytes.

    Raises:
        ValueError: VIN or data do not fit.
    """
    if len(packet.data) > MOST_DATA:
        raise ValueError(f"{len(packet.data)} octets of data, a packet carries {MOST_DATA}")
    head = bytes([packet.command, packet.response]) + fixed(packet.vin, _VIN) + bytes([packet.encryption])
    checked = head + len(packet.data).to_bytes(2) + packet.data
    return STARTS[packet.edition] + checked + bytes([check(checked)])


def decode(data: bytes) -> Packet | Refused:
    """The packet that these bytes are, from its start to its check octet."""
    edition = next((edition for edition, start in STARTS.items() if data[:2] == start), None)
    if edition is None:
        return Refused("packet: begins with neither ## nor $$")
    if len(data) < HEADER + 1 or len(data) != length_of(data):
        return Refused(f"packet: {len(data)} octets are not the length that its header says")
    octets = Octets(data[2:])
    command, response, vin, encryption = octets.number(1), octets.number(1), octets.text(_VIN), octets.number(1)
    content = octets.take(octets.number(2))
    return Packet(command, vin, content, response, edition, encryption, intact=check(data[2:-1]) == data[-1])


def length_of(head: bytes | bytearray) -> int:
    """How long a packet with this header (24 octets or more of it) is, in octets."""
    return HEADER + int.from_bytes(head[HEADER - 2 : HEADER]) + 1


def check(checked: bytes) -> int:
    """The exclusive or from the command octet to the data's end."""
    return reduce(xor, checked, 0)


def clock(at: int) -> bytes:
    """A time (ns since 1970) as six octets: year of the century to second, in GMT+8."""
    when = datetime.fromtimestamp(at // 1_000_000_000, _BEIJING)
    return bytes([when.year % 100, when.month, when.day, when.hour, when.minute, when.second])


def moment(time: bytes) -> datetime | None:
    """The time that six octets say, None if there is no such time."""
    try:
        year, month, day, hour, minute, second = time
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=_BEIJING)
    except ValueError:
        return None


class Packets:
    """Packets of one direction of a connection."""

    def __init__(self) -> None:
        """Nothing was received."""
        self._kept = bytearray()
        self._lost = 0

    def feed(self, data: bytes) -> list[Packet | Refused]:
        """All that has ended with this chunk; octets that belong to no packet are refused when the next one starts."""
        self._kept += data
        found: list[Packet | Refused] = []
        while self._starts():
            if len(self._kept) < HEADER or len(self._kept) < length_of(self._kept):
                break
            if self._lost:
                found.append(Refused(f"packet: {self._lost} octets before a start"))
                self._lost = 0
            size = length_of(self._kept)
            found.append(decode(bytes(self._kept[:size])))
            del self._kept[:size]
        return found

    def _starts(self) -> bool:
        """Drop what is before the next start; whether there is one."""
        places = [place for start in STARTS.values() if (place := self._kept.find(start)) >= 0]
        # The last octet may be the first half of a start.
        half = bytes(self._kept[-1:]) in {start[:1] for start in STARTS.values()}
        keep = min(places) if places else len(self._kept) - (1 if half else 0)
        self._lost += keep
        del self._kept[:keep]
        return bool(places)
