"""A T-box in the wrong hands, as a script: thousands of commands, mutated, from a seed.

What it sends is meant to get past a gate: other priorities and senders, lengths that lie, segments out of order and
between each other's, flow control that nobody asked for, one request over two addressings, remote and CAN FD frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from busgate.model import BIT_RATE_SWITCH, EXTENDED, FD_FORMAT, REMOTE, Frame, Side
from support.believing import IDS, REQUESTS

# Commands by DBC message and J1939 group: drive, battery, charging, doors; TSC1, HVESSC1; asking to clear (DM11, DM3).
COMMANDS = (0x510, 0x511, 0x512, 0x514)
GROUPS = (0x0C00274A, 0x0C008A4A, 0x0C1BF34A, 0x18EAFF4A, 0x18EA274A, 0x18EF274A, 0x18FEF14A)
TRANSPORT = (0x18ECFF4A, 0x18EC274A, 0x18EBFF4A, 0x18EB274A)


def attack(seed: int, frames: int) -> Iterator[Frame]:
    """So many frames; each burst is one idea."""
    chance = Random(seed)
    ideas = (
        *(_honest,) * 4, *(_diagnostics,) * 3, *(_woven,) * 3, _commands, _groups, _transport, _flow_control, _odd,
        _functional,
    )  # fmt: skip
    sent = 0
    while sent < frames:
        for frame in chance.choice(ideas)(chance):
            yield frame
            sent += 1


def _of(can_id: int, data: bytes, flags: int = 0) -> Frame:
    return Frame(0, Side.TBOX, can_id, data, flags)


def _diagnostics(chance: Random) -> list[Frame]:
    """Several requests at once, their segments shuffled together."""
    queues = []
    for _ in range(chance.randint(1, 4)):
        own = chance.choice(IDS)
        mixes = chance.random() < 0.3
        queues.append([_of(chance.choice(IDS) if mixes else own, data) for data in _segments(chance)])
    sent: list[Frame] = []
    while queues:
        queue = chance.choice(queues)
        sent += [queue.pop(0)] * chance.choice((1, 1, 1, 1, 2))
        queues = [each for each in queues if each]
    return sent


def _honest(chance: Random) -> list[Frame]:
    """What the policy allows, as an honest T-box asks for it: cover for what comes between."""
    payload = chance.choice((b"\x22\xf1\x90", b"\x3e\x00", b"\x22\xf1\x90\xf1\x89"))
    data = (bytes([len(payload)]) + payload).ljust(8, b"\x00")
    return [_of(chance.choice(IDS[:1] * 4 + [EXTENDED | 0x0CDAF34A]), data)]


def _woven(chance: Random) -> list[Frame]:
    """A denied request that begins as an allowed one, or goes on inside or behind one."""
    denied = bytes(chance.choice(REQUESTS))
    first = b"\x10" + bytes([chance.choice((8, 9, 12, 20))]) + b"\x22\xf1\x90\xf1\x89\xf1"[: chance.choice((3, 5, 6))]
    goes_on = [bytes([0x20 | number]) + denied[:7].ljust(7, b"\x00") for number in (1, 2)]
    single = bytes([chance.choice((3, 5, len(denied) & 7))]) + b"\x22\xf1\x90" + denied
    frames = [_of(IDS[0], first.ljust(8, b"\x90")), *(_of(IDS[0], data) for data in goes_on)]
    return [*_honest(chance), *frames, _of(IDS[0], single[:8]), *_honest(chance)]


def _segments(chance: Random) -> list[bytes]:
    payload = bytearray(chance.choice(REQUESTS))
    if chance.random() < 0.4:
        payload[chance.randrange(len(payload))] ^= 1 << chance.randrange(8)
    if chance.random() < 0.3:
        payload += chance.randbytes(chance.randint(1, 30))
    length = chance.choice((len(payload),) * 5 + (0, 1, 5, 7, 8, 20, 4095))
    if len(payload) <= 7 and chance.random() < 0.6:
        frames = [bytes([length & 0x0F]) + payload]
    else:
        first = (0x1000 | length & 0xFFF).to_bytes(2, "big")
        if chance.random() < 0.1:  # ISO 15765-2:2016, 9.6.3.2: the escape to a 32-bit length
            first = b"\x10\x00" + length.to_bytes(4, "big")
        head = 8 - len(first)
        frames = [first + payload[:head]]
        number = chance.choice((1, 1, 1, 1, 0, 2))
        for at in range(head, len(payload), 7):
            frames.append(bytes([0x20 | number % 16]) + payload[at : at + 7])
            number += chance.choice((1, 1, 1, 1, 1, 0, 2))
    padding = chance.choice((b"", b"\x00", b"\xaa", b"\x55"))
    return [(bytes(data).ljust(8, padding) if padding else bytes(data))[:8] for data in frames]


def _commands(chance: Random) -> list[Frame]:
    can_id = chance.choice(COMMANDS)
    length = chance.choice((8, 8, 8, 8, 7, 4, 0))
    filler = chance.choice((chance.randbytes(8), b"\x00" * 8, b"\xff" * 8, bytes([chance.randrange(256)]) * 8))
    return [_of(can_id, filler[:length])] * chance.choice((1, 1, 2))


def _groups(chance: Random) -> list[Frame]:
    group = chance.choice(GROUPS) & ~(7 << 26) | chance.randrange(8) << 26
    if chance.random() < 0.3:
        group = group & ~0xFF | chance.choice((0x4A, 0x27, 0xF3, 0xF9, 0xFE, 0x00))
    return [_of(EXTENDED | group, chance.choice((b"\xd3\xfe\x00", b"\xcc\xfe\x00", chance.randbytes(8))))]


def _transport(chance: Random) -> list[Frame]:
    """J1939-21 sessions that announce one thing and carry another."""
    group = chance.choice((0x00FE12, 0x0000DA, 0x00EF00, 0x000000, 0x00FECA)).to_bytes(3, "little")
    size = chance.choice((9, 20, 1785, 0, 8))
    packets = chance.choice(((size + 6) // 7, 255, 1, 0)) & 0xFF
    control = chance.choice((0x20, 0x10, 0x11, 0x13, 0xFF))
    announce = bytes([control]) + size.to_bytes(2, "little") + bytes([packets, 0xFF]) + group
    connection, data = chance.choice(((TRANSPORT[0], TRANSPORT[2]), (TRANSPORT[1], TRANSPORT[3])))
    return [
        _of(EXTENDED | connection, announce),
        *(_of(EXTENDED | data, bytes([number]) + chance.randbytes(7)) for number in range(chance.randint(0, 4))),
    ]


def _flow_control(chance: Random) -> list[Frame]:
    status = bytes([0x30 | chance.choice((0, 1, 2, 5)), chance.randrange(256), chance.randrange(256)])
    return [_of(chance.choice(IDS), status.ljust(8, b"\x00"))]


def _odd(chance: Random) -> list[Frame]:
    """Remote frames, CAN FD frames, identifiers of control units."""
    can_id = chance.choice((*IDS, *COMMANDS, 0x110, 0x2A0, 0x3C0, EXTENDED | 0x18FEF127))
    if chance.random() < 0.4:
        return [_of(can_id | REMOTE, bytes(chance.randint(0, 8)))]
    flags = FD_FORMAT | chance.choice((0, BIT_RATE_SWITCH))
    length = chance.choice((8, 12, 16, 64))
    payload = bytes([0, length - 2]) + chance.choice(REQUESTS) if length > 8 else b"\x02" + chance.choice(REQUESTS)
    return [_of(can_id, payload[:length].ljust(length, b"\xaa"), flags)]


def _functional(chance: Random) -> list[Frame]:
    can_id = chance.choice((0x7DF, EXTENDED | 0x18DB334A, EXTENDED | 0x18DBFF4A, EXTENDED | 0x18DB33F1))
    payload = chance.choice(REQUESTS)[:7]
    return [_of(can_id, (bytes([len(payload)]) + payload).ljust(8, b"\x00"))]
