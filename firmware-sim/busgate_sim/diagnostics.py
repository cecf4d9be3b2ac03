"""Diagnostics between T-box and battery: requests, answers and the flow control between them.

Law: both ends behave as ISO 15765-2 and ISO 14229-1 ask of them; what ought to be stopped is stopped by others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from busgate_sim.encoder import Sent, group
from busgate_sim.script import Script
from busgate_sim.segments import consecutive, first, flow_control, single

TBOX, BMS = 0x4A, 0xF3
REQUEST = group(6, 0xDA00, TBOX, BMS)
ANSWER = group(6, 0xDA00, BMS, TBOX)

_SINGLE_MOST = 7
_FRAME_S = 0.0015
_THINKS_S = 0.012


class Expected(NamedTuple):
    """The verdicts that the frames of one exchange ought to get: its request, what continues it, its flow control."""

    request: str
    rest: str
    flow: str = "answers_vehicle"


ALLOWED = Expected("allowed", "continues_allowed")
FORBIDDEN = Expected("not_allowlisted", "continues_blocked")
UNSEEN = Expected("signal_unknown", "continues_blocked")


def exchange(script: Script, at: float, step: tuple[bytes, bytes], story: str, expected: Expected) -> float:
    """One request and its answer; returns when it is over, in seconds."""
    request, answer = step
    at = _ask(script, at, request, story, expected) + _THINKS_S
    if not answer:
        return at
    if len(answer) <= _SINGLE_MOST:
        script.answers(at, Sent(ANSWER, single(answer)))
        return at + _FRAME_S
    script.answers(at, Sent(ANSWER, first(answer)))
    at += _FRAME_S
    script.says(at, Sent(REQUEST, flow_control()), story, expected.flow)
    for data in consecutive(answer):
        at += _FRAME_S
        script.answers(at, Sent(ANSWER, data))
    return at + _FRAME_S


def _ask(script: Script, at: float, request: bytes, story: str, expected: Expected) -> float:
    if len(request) <= _SINGLE_MOST:
        script.says(at, Sent(REQUEST, single(request)), story, expected.request)
        return at
    script.says(at, Sent(REQUEST, first(request)), story, expected.request)
    at += _FRAME_S
    script.answers(at, Sent(ANSWER, flow_control()))
    for data in consecutive(request):
        at += _FRAME_S
        script.says(at, Sent(REQUEST, data), story, expected.rest)
    return at


def read(identifiers: Mapping[int, bytes]) -> tuple[bytes, bytes]:
    """ReadDataByIdentifier (ISO 14229-1:2013, 10.2): the request for some identifiers, and their answer."""
    request, answer = bytearray([0x22]), bytearray([0x62])
    for did, value in identifiers.items():
        request += did.to_bytes(2, "big")
        answer += did.to_bytes(2, "big") + value
    return bytes(request), bytes(answer)


def reprogramming(image: bytes) -> list[tuple[bytes, bytes]]:
    """A whole reprogramming (ISO 14229-1:2013, 14 and annex G): requests and the answers of an ECU that obeys."""
    size = len(image).to_bytes(4, "big")
    steps = [
        (b"\x10\x02", b"\x50\x02\x00\x32\x01\xf4"),
        (b"\x27\x01", b"\x67\x01\x5a\x17\xc3\x08"),
        (b"\x27\x02\x9e\x41\x77\xd2", b"\x67\x02"),
        (b"\x31\x01\xff\x00", b"\x71\x01\xff\x00\x00"),
        (b"\x34\x00\x44\x00\x08\x00\x00" + size, b"\x74\x20\x00\x42"),
    ]
    blocks = [image[start : start + 64] for start in range(0, len(image), 64)]
    steps += [(bytes([0x36, number]) + block, bytes([0x76, number])) for number, block in enumerate(blocks, 1)]
    return [*steps, (b"\x37", b"\x77"), (b"\x11\x01", b"\x51\x01")]
