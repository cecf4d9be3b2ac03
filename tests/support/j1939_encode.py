"""J1939 transport sessions written from the standard, for tests only: it shares no code with the decoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Sent(NamedTuple):
    """One frame on the wire: its 29-bit identifier and data."""

    can_id: int
    data: bytes


def _id(group: int, sa: int, da: int, priority: int = 7) -> int:
    return priority << 26 | group << 8 | da << 8 | sa


def _packets(payload: bytes) -> list[bytes]:
    return [payload[start : start + 7].ljust(7, b"\xff") for start in range(0, len(payload), 7)]


def bam(pgn: int, sa: int, payload: bytes) -> list[Sent]:
    """A broadcast: announcement, then every packet."""
    packets = _packets(payload)
    head = bytes([32, *len(payload).to_bytes(2, "little"), len(packets), 0xFF, *pgn.to_bytes(3, "little")])
    data = [Sent(_id(0xEB00, sa, 0xFF), bytes([number]) + packet) for number, packet in enumerate(packets, 1)]
    return [Sent(_id(0xEC00, sa, 0xFF), head), *data]


def rts(pgn: int, sa: int, da: int, payload: bytes, window: int = 16) -> list[Sent]:
    """A session with a receiver, both directions: RTS, CTS, `window` packets, CTS, ..., end of message."""
    packets = _packets(payload)
    group = pgn.to_bytes(3, "little")
    size = len(payload).to_bytes(2, "little")
    frames = [Sent(_id(0xEC00, sa, da), bytes([16, *size, len(packets), 0xFF, *group]))]
    for first in range(1, len(packets) + 1, window):
        count = min(window, len(packets) - first + 1)
        frames.append(Sent(_id(0xEC00, da, sa), bytes([17, count, first, 0xFF, 0xFF, *group])))
        frames += [
            Sent(_id(0xEB00, sa, da), bytes([number]) + packets[number - 1]) for number in range(first, first + count)
        ]
    return [*frames, Sent(_id(0xEC00, da, sa), bytes([19, *size, len(packets), 0xFF, *group]))]


def etp(pgn: int, sa: int, da: int, payload: bytes, window: int = 255) -> Iterator[Sent]:
    """An extended session with a receiver, both directions: RTS, then CTS, DPO and packets until all is sent."""
    packets = _packets(payload)
    group = pgn.to_bytes(3, "little")
    size = len(payload).to_bytes(4, "little")
    yield Sent(_id(0xC800, sa, da), bytes([20, *size, *group]))
    for first in range(1, len(packets) + 1, window):
        count = min(window, len(packets) - first + 1)
        yield Sent(_id(0xC800, da, sa), bytes([21, count, *first.to_bytes(3, "little"), *group]))
        yield Sent(_id(0xC800, sa, da), bytes([22, count, *(first - 1).to_bytes(3, "little"), *group]))
        for sequence in range(1, count + 1):
            yield Sent(_id(0xC700, sa, da), bytes([sequence]) + packets[first + sequence - 2])
    yield Sent(_id(0xC800, da, sa), bytes([23, *size, *group]))
