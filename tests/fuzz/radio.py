"""A gateway that hears packets and short messages: connections, datagrams and packets of any link type.

The input is a byte of circumstances and then units, parted by `MARK`. The first byte of a unit says what it is, see
`_unit`; TCP segments are numbered on here, so that what they say reaches a decoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from busgate.decode.link import LINK_TYPES
from busgate.decode.recognise import MOST
from busgate.gateway import Gateway
from busgate.judge.policy import load_policy
from busgate.model import Event, Mode, Outcome, Packet, Side, Sms, Unit
from busgate.record.entry import MAX_ENTRY, decode, encode, told
from busgate.report.alert import next_step, sentence, why
from fuzz import (
    dns_messages,
    doip,
    gb32960,
    http_messages,
    ip_packets,
    jt808,
    mqtt_packets,
    shell_streams,
    short_messages,
    tls_records,
)
from support.gate import generic

MARK = b"\xfe\xfd"
POLICY = load_policy(
    """
policy: fuzzed
version: 1
network:
  endpoints:
    - {id: platform, addresses: 203.0.113.0/28, ports: any, speaks: any, down: {bytes: 2 kB, per: 1 s}}
    - {id: updates, hosts: ["*.example", "*.example.com"], ports: [80, 443], speaks: any}
    - {id: names, addresses: [9.9.9.9], ports: 53, transport: udp, speaks: dns}
  resolvers: [9.9.9.9]
  hold: {downloads: 1 kB}
  answer: refuse
allow:
  - {id: control, cloud: {protocol: jt808, codes: ["0x8100-0x8105"]}, hold: true}
  - {id: some, cloud: {protocol: gb32960, codes: [0x80, 0x82]}}
"""
)
_MODES = (Mode.OBSERVE, Mode.MONITOR, Mode.ENFORCE, Mode.LOCAL)
_TYPES = sorted(LINK_TYPES)
_NEAR, _FAR = ("10.0.0.5", 40001), ("203.0.113.9", 0)
_PORTS = (808, 80, 443, 1883, 53, 13400, 23, 5000)
_SAME = (("198.51.100.1", 5000), ("203.0.113.200", 5000))
"""Nothing tells which of these two is the T-box."""
_SYN, _ACK, _FIN, _RST = 0x02, 0x10, 0x01, 0x04
_HOUR = 3600 * 10**9


def _written(*units: bytes, first: int = 2) -> bytes:
    return bytes([first]) + MARK.join(units)


def _tcp(port: int, data: bytes, *, down: bool = False) -> bytes:
    return bytes([port << 3 | down << 2]) + data


def _talk(port: int, *said: bytes) -> list[bytes]:
    return [_tcp(port, b"", down=False), *(_tcp(port, each, down=bool(place % 2)) for place, each in enumerate(said))]


_SEEDS: tuple[tuple[int, tuple[bytes, ...]], ...] = (
    (0, (jt808.SEEDS[3], jt808.SEEDS[0])),
    (0, (gb32960.SEEDS[0], gb32960.SEEDS[9], gb32960.SEEDS[6], gb32960.SEEDS[7])),
    (1, (http_messages.SEEDS[0], http_messages.SEEDS[1])),
    (2, (tls_records.SEEDS[0], tls_records.SEEDS[2])),
    (3, (mqtt_packets.SEEDS[0], mqtt_packets.SEEDS[4], mqtt_packets.SEEDS[2], mqtt_packets.SEEDS[2])),
    (4, (dns_messages.SEEDS[3], dns_messages.SEEDS[3])),
    (5, (doip.SEEDS[3], doip.SEEDS[10])),
    (6, (shell_streams.SEEDS[1], shell_streams.SEEDS[1])),
    (7, (jt808.SEEDS[3], jt808.SEEDS[4])),
)
SEEDS: tuple[bytes, ...] = (
    *(_written(*_talk(port, *said), first=place) for place, (port, said) in enumerate(_SEEDS)),
    *(
        _written(*_talk(0), _tcp(0, seed, down=True), first=place % 32)
        for place, seed in enumerate((*jt808.SEEDS[::2], *gb32960.SEEDS[::2]))
    ),
    _written(*_talk(7, bytes(1400), bytes(1400))[1:] * 3, first=128),
    *(_written(b"\x02" + seed) for seed in short_messages.SEEDS),
    _written(b"\x02" + short_messages.SEEDS[0], b"\x06" + b"7e8105" + b"00", b"\x0a" + jt808.SEEDS[0], b"\x0e\0"),
    _written(*(bytes([0x25]) + seed for seed in dns_messages.SEEDS)),
    _written(*(bytes([0x2D]) + seed for seed in doip.SEEDS[:4])),
    _written(*(b"\x03" + seed for seed in ip_packets.SEEDS)),
)


def check(data: bytes) -> None:
    """No packet, short message or order of them raises; each event can be told; same units, same outcomes."""
    first = data[0] if data else 0
    outcomes = _heard(data)
    if first & 0x40:
        assert _heard(data) == outcomes
    check_told([event for events in outcomes for event in events])


def check_told(events: list[Event]) -> None:
    """Each event becomes an entry that fits, and sentences that a terminal can show."""
    for place, event in enumerate(events):
        raw = encode(told(event), seq=place, boot="b", bn=1, mono=event.at, wall_ns=None, wq="none", policy=None)
        assert len(raw) <= MAX_ENTRY
        entry = decode(raw)
        for said in (sentence(entry, "en"), sentence(entry, "nl"), f"{why(entry)} {next_step(entry)}"):
            assert said
            assert said.isprintable()


def gate(first: int) -> Gateway:
    """A gateway in the circumstances that a byte gives: its mode, a policy or none, its addresses known or not."""
    gateway = Gateway(generic().profile, generic().database, wall_offset=None if first & 4 else 1_700_000_000 * 10**9)
    gateway.set_mode(_MODES[first & 3], 0, by="test", reason="")
    if not first & 8:
        gateway.adopt(POLICY, 0, signed=False)
    if first & 16:
        gateway.tbox_addresses = ("10.0.0.0/8",)
    return gateway


def _heard(data: bytes) -> list[tuple[Event, ...]]:
    first = data[0] if data else 0
    gateway = gate(first)
    gateway.air.in_line = bool(first & 32)
    outcomes, last, numbers = list[tuple[Event, ...]](), 0, dict[object, int]()
    for place, raw in enumerate(data[1:].split(MARK)):
        last += _HOUR if raw[:1] >= b"\xc0" else place * 10**6
        for unit in _units(raw, last, numbers, same=bool(first & 128)):
            outcome = gateway.receive(unit)
            assert isinstance(outcome, Outcome)
            assert not outcome.forward
            outcomes.append(outcome.events)
        _check_held(gateway, len(data))
    outcomes.append(gateway.finish(last))
    assert gateway._radio is None or not gateway._radio._talks
    return outcomes


def _check_held(gateway: Gateway, size: int) -> None:
    """What is not recognised yet is held up to `MOST` bytes and a piece."""
    for talking in () if gateway._radio is None else gateway._radio._talks.values():
        held = sum(len(piece) for _, piece in talking.conversation._first)
        assert held < 2 * MOST or size < MOST


def _units(raw: bytes, at: int, numbers: dict[object, int], *, same: bool) -> Iterator[Unit]:
    """Of the first byte, bits 0-1 say what it is: TCP, UDP, a short message, a packet as it is."""
    head, data = raw[0] if raw else 0, raw[1:]
    down, kind = bool(head & 4), head >> 3 & 7
    near, far = _SAME if same and kind == 7 else (_NEAR, (_FAR[0], _PORTS[kind]))
    source, target = (far, near) if down else (near, far)
    match head & 3:
        case 0:
            yield Packet(at, Side.TAP, 101, _segment(source, target, data, head, numbers))
        case 1:
            udp = source[1].to_bytes(2) + target[1].to_bytes(2) + (8 + len(data)).to_bytes(2) + bytes(2)
            yield Packet(at, Side.TAP, 101, _ip(17, source[0], target[0], udp + data))
        case 2:
            text = data.decode("utf-8", "replace") if kind & 1 else ""
            pdu, octets = (b"" if kind & 3 else data), (data if kind & 2 else b"")
            yield Sms(at, Side.TAP, "+31600000001", pdu, text, octets, outgoing=down)
        case _:
            for packet in data[1:].split(b"\xff\xff\xff"):
                yield Packet(at, Side.TAP, _TYPES[int.from_bytes(data[:1]) % len(_TYPES)], packet)


def _segment(
    source: tuple[str, int], target: tuple[str, int], data: bytes, head: int, numbers: dict[object, int]
) -> bytes:
    """The next segment of its connection; bits 6-7 of its head make it a FIN, a RST, or leave a hole before it."""
    special = head >> 6
    empty = not data and not special and (source, target) not in numbers
    flags = (_SYN if empty else _ACK) | (0, _FIN, _RST, 0)[special]
    seq = numbers.get((source, target), 1000) + (len(data) // 2 + 1 if special == 3 else 0)
    ack = numbers.get((target, source), 1000)
    numbers[source, target] = seq + len(data) + (flags & (_SYN | _FIN) != 0)
    tcp = source[1].to_bytes(2) + target[1].to_bytes(2) + seq.to_bytes(4) + ack.to_bytes(4)
    return _ip(6, source[0], target[0], tcp + bytes([0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]) + data)


def _ip(protocol: int, source: str, target: str, data: bytes) -> bytes:
    head = b"\x45\0" + (20 + len(data)).to_bytes(2) + bytes(4) + bytes([64, protocol, 0, 0])
    return head + ip_address(source).packed + ip_address(target).packed + data
