"""A gate that listens to the T-box's other side: packets and short messages made by hand, and what it said of them.

Packets are raw IPv4 without checksums. Frames of JT/T 808 and packets of GB/T 32960 are built here from the standard's
own words, so that nothing under test builds what it is tested with.
"""

from __future__ import annotations

import struct
from functools import reduce
from operator import xor

from busgate.gateway import Gateway
from busgate.judge.policy import load_policy
from busgate.model import Alert, Event, Mode, Packet, RemoteFunction, Side, Sms
from busgate.profile import Profile
from busgate.service import load
from support.gate import demo_ebus

RAW_IP = 101
SECOND = 1_000_000_000
TBOX, CLOUD = "100.64.0.2", "203.0.113.10"
PORT = 6808
FIRST = "net.new-"
ACK, PSH, SYN = 0x10, 0x08, 0x02


def jt808(code: int, body: bytes = b"", *, edition: int = 2013, serial: int = 1, **how: int) -> bytes:
    """A frame; `encryption`, `part`, `parts` as the header has them, `spoiled` spoils its checksum."""
    parts, newest = how.get("parts", 0), edition == 2019
    attributes = len(body) | how.get("encryption", 0) << 10 | (0x2000 if parts else 0) | (0x4000 if newest else 0)
    plain = struct.pack(">HH", code, attributes)
    plain += (b"\x01" + bytes.fromhex("00000000013800000001")) if newest else bytes.fromhex("013800000001")
    plain += struct.pack(">H", serial) + (struct.pack(">HH", parts, how["part"]) if parts else b"") + body
    plain += bytes([reduce(xor, plain) ^ how.get("spoiled", 0)])
    return b"\x7e" + plain.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"


def jt905(code: int, body: bytes = b"") -> bytes:
    """A frame of a taxi's unit, whose header is that of JT/T 808-2011 with an ISU number."""
    plain = struct.pack(">HH", code, len(body)) + bytes.fromhex("101234567890") + b"\x00\x01" + body
    return b"\x7e" + (plain + bytes([reduce(xor, plain)])).replace(b"\x7d", b"\x7d\x01") + b"\x7e"


def variant_e7(code: int, body: bytes) -> bytes:
    """The same in the form of one family of devices: delimiter e7 and seven octets of terminal number."""
    plain = struct.pack(">HH", code, len(body)) + bytes.fromhex("00013800000001") + b"\x00\x01" + body
    plain += bytes([reduce(xor, plain)])
    for octets, escaped in ((b"\xe6", b"\xe6\x01"), (b"\xe7", b"\xe6\x02"), (b"\x3e", b"\x3e\x01")):
        plain = plain.replace(octets, escaped)
    return b"\xe7" + plain + b"\xe7"


def gb32960(
    command: int, data: bytes = b"", *, response: int = 0xFE, start: bytes = b"##", encryption: int = 1
) -> bytes:
    """A packet."""
    head = bytes([command, response]) + b"LTEST000000000001" + bytes([encryption]) + len(data).to_bytes(2)
    return start + head + data + bytes([reduce(xor, head + data)])


GB_TIME = bytes([26, 11, 25, 12, 0, 0])


def control(number: int, parameter: bytes = b"", **how: int) -> bytes:
    """A control of GB/T 32960."""
    return gb32960(0x82, GB_TIME + bytes([number]) + parameter, response=how.get("response", 0xFE))


class Antenna:
    """One gate, a clock, and one TCP conversation of the T-box with its platform."""

    def __init__(
        self, policy: str | None = None, *, mode: Mode = Mode.MONITOR, profile: Profile | None = None,
        on: load.Vehicle | None = None, remote: str = CLOUD, port: int = PORT, wall: int | None = None,
    ) -> None:  # fmt: skip
        on = on or demo_ebus()
        # Nothing is known of this vendor's own forms, unless a profile is given.
        profile = profile or on.profile.model_copy(update={"cloud": ()})
        self.gateway = Gateway(profile, on.database, mode=mode, device="bus-1", wall_offset=wall)
        self.gateway.set_mode(mode, 0, by="test", reason="test")
        if policy is not None:
            self.gateway.adopt(load_policy(policy), 0, signed=False)
        self.at = SECOND
        self.events: list[Event] = []
        self.remote, self.port = remote, port
        self._up, self._down = 1000, 5000
        self._own = 40_000
        self.side = Side.TBOX
        self.lies = False
        """Whether the T-box itself sends what says to come from elsewhere."""

    def in_line(self) -> Antenna:
        """The gate stands between."""
        self.gateway.air.in_line = True
        self.gateway.tbox_addresses = (TBOX,)
        return self

    @property
    def alerts(self) -> list[Alert]:
        """All but that somebody is talked with for the first time: see `first`."""
        return [alert for alert in self._alerts if not alert.rule.startswith(FIRST)]

    @property
    def first(self) -> list[Alert]:
        """That somebody is talked with for the first time."""
        return [alert for alert in self._alerts if alert.rule.startswith(FIRST)]

    @property
    def _alerts(self) -> list[Alert]:
        return [event for event in self.events if isinstance(event, Alert)]

    @property
    def functions(self) -> list[RemoteFunction]:
        return [event for event in self.events if isinstance(event, RemoteFunction)]

    def of(self, prefix: str) -> list[Alert]:
        """The alerts of rules that begin so."""
        return [alert for alert in self.alerts if alert.rule.startswith(prefix)]

    def connect(self) -> Antenna:
        self._own += 1
        self._up, self._down = 1000, 5000
        self._tcp(SYN, up=True)
        self._up += 1
        self._tcp(SYN | ACK, up=False)
        self._down += 1
        self._tcp(ACK, up=True)
        return self

    def connect_from_outside(self, port: int) -> Antenna:
        """Somebody opens a connection to a port of the T-box."""
        self.port, self._own = 51_000, port
        self._tcp(SYN, up=False)
        self._down += 1
        self._tcp(SYN | ACK, up=True)
        self._up += 1
        return self._tcp(ACK, up=False)

    def elsewhere(self, remote: str, port: int) -> Antenna:
        """The next connection goes there."""
        self.remote, self.port = remote, port
        return self

    def down(self, *pieces: bytes) -> Antenna:
        """The platform says something, each piece in a segment of its own."""
        for piece in pieces:
            self._tcp(PSH | ACK, piece, up=False)
            self._down += len(piece)
        return self

    def up(self, *pieces: bytes) -> Antenna:
        for piece in pieces:
            self._tcp(PSH | ACK, piece, up=True)
            self._up += len(piece)
        return self

    def udp(self, payload: bytes, *, up: bool = False, remote: str = "", port: int = 0, own: int = 0) -> Antenna:
        far, near = (remote or self.remote, port or self.port), (TBOX, own or 40_900)
        source, target = (near, far) if up else (far, near)
        unit = struct.pack(">HHHH", source[1], target[1], 8 + len(payload), 0) + payload
        return self._packet(17, source[0], target[0], unit)

    def sms(
        self, text: str = "", data: bytes = b"", number: str = "+31600000001", *, outgoing: bool = False
    ) -> Antenna:
        return self._heard(Sms(self._next(), Side.TBOX, number, b"", text, data, outgoing))

    def finish(self) -> Antenna:
        self.events += self.gateway.finish(self.at)
        return self

    def wait(self, seconds: float) -> Antenna:
        self.at += round(seconds * SECOND)
        self.events += self.gateway.tick(self.at)
        return self

    def _tcp(self, flags: int, payload: bytes = b"", *, up: bool) -> Antenna:
        near, far = (TBOX, self._own), (self.remote, self.port)
        source, target = (near, far) if up else (far, near)
        seq, ack = (self._up, self._down) if up else (self._down, self._up)
        unit = struct.pack(">HHIIBBHHH", source[1], target[1], seq, ack, 0x50, flags, 65535, 0, 0) + payload
        return self._packet(6, source[0], target[0], unit)

    def _packet(self, protocol: int, source: str, target: str, unit: bytes) -> Antenna:
        addresses = b"".join(bytes(map(int, each.split("."))) for each in (source, target))
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(unit), 0, 0, 64, protocol, 0) + addresses
        return self._heard(Packet(self._next(), Side.TBOX, RAW_IP, head + unit, target == TBOX and not self.lies))

    def _heard(self, unit: Packet | Sms) -> Antenna:
        self.events += self.gateway.receive(unit).events
        return self

    def _next(self) -> int:
        self.at += 10_000_000
        return self.at
