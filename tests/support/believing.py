"""What an ECU may make of frames that a gate lets across: ways of putting them together, from strict to gullible.

Written without our decoders: an ECU does not ask them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from busgate.model import EXTENDED, Frame

POLICY = """
policy: attacked
version: 1
profile: demo-ebus
mode: enforce
allow:
  - {id: reads, uds: {target: BMS, services: [0x22], dids: [0xF190, 0xF189]}}
  - {id: alive, uds: {target: BMS, services: [0x3E], subfunctions: 0}}
  - {id: body, uds: {target: BODY, services: [0x22], dids: [0xF190]}}
"""
ALLOWED = {0xF190, 0xF189}

REQUEST, OTHER_PRIORITY, OTHER_SENDER = (EXTENDED | each for each in (0x18DAF34A, 0x0CDAF34A, 0x18DAF3F9))
MIXED, FUNCTIONAL = EXTENDED | 0x18CEF34A, EXTENDED | 0x18DBFF4A
BODY = 0x710
IDS = [REQUEST, REQUEST, REQUEST, OTHER_PRIORITY, OTHER_SENDER, MIXED, FUNCTIONAL, BODY]

REQUESTS = [
    b"\x22\xf1\x90", b"\x22\xf1\x90\xf1\x89", b"\x3e\x00", b"\x22\xf1\x90\xf1\x89\xf1\x90\xf1\x89",
    b"\x22\xf1\x90\xf1\x89\xf1\x90\x02\x00", b"\x11\x01", b"\x10\x02", b"\x2e\xf1\x90AAAAAAAAAAAA",
    b"\x31\x01\xff\x00", b"\x34\x00\x44\x00\x00\x00\x00\x00\x00\x10\x00", b"\x3e\x00\x11\x01\x11\x01\x11\x01\x11\x01",
    b"\x22\x02\x00", b"\x14\xff\xff\xff", b"\x27\x01",
]  # fmt: skip


class Belief(NamedTuple):
    """How an ECU puts frames together."""

    by_priority: bool
    """Whether frames of another priority are another transfer."""
    any_sender: bool
    """Whether frames of another sender go on with the same transfer."""
    numbers: str
    """What a wrong sequence number does: `ignored`, `skips` the frame, `aborts` the transfer."""
    single_ends: bool
    """Whether a single frame ends the transfer that is open."""


BELIEFS = [
    Belief(*each) for each in product((True, False), (True, False), ("ignored", "skips", "aborts"), (True, False))
]


def believed(frames: list[Frame], belief: Belief) -> Iterator[tuple[int, bytes]]:
    """The requests that an ECU ends up with, each with the identifier it began under."""
    transfers: dict[int, tuple[int, bytes, int, int]] = {}
    for frame in frames:
        key, kind = _link(frame.can_id, belief), frame.data[0] >> 4 if frame.data else -1
        if kind == 0:
            if belief.single_ends:
                transfers.pop(key, None)
            # ISO 15765-2:2016, 9.6.2.1: in a frame longer than 8 bytes the length is in the second one.
            escaped = len(frame.data) > 8 and not frame.data[0] & 0x0F
            payload = frame.data[2 : 2 + frame.data[1]] if escaped else frame.data[1 : 1 + (frame.data[0] & 0x0F)]
            if payload:
                yield frame.can_id, payload
        elif kind == 1 and len(frame.data) > 2:
            transfers[key] = frame.can_id, frame.data[2:], int.from_bytes(frame.data[:2], "big") & 0xFFF, 1
        elif kind == 2 and key in transfers:
            began, payload, length, number = transfers[key]
            if frame.data[0] & 0x0F != number % 16 and belief.numbers != "ignored":
                if belief.numbers == "aborts":
                    del transfers[key]
                continue
            payload += frame.data[1:]
            transfers[key] = began, payload, length, number + 1
            if len(payload) >= length:
                del transfers[key]
                yield began, payload[:length]


def _link(can_id: int, belief: Belief) -> int:
    if not can_id & EXTENDED:
        return can_id
    link = can_id if belief.by_priority else can_id & ~(7 << 26)
    return link & ~0xFF if belief.any_sender else link


def allowed(can_id: int, request: bytes) -> bool:
    if request == b"\x3e\x00":
        return can_id in {REQUEST, OTHER_PRIORITY}
    dids = {int.from_bytes(request[at : at + 2], "big") for at in range(1, len(request) - 1, 2)}
    return request[:1] == b"\x22" and dids <= (ALLOWED if can_id != BODY else {0xF190})
