"""An attacker on the T-box side against ECUs that believe more than the standard asks them to.

Whatever the attacker sends, and however an ECU puts together what crosses the gate, it never holds a request that the
policy does not allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.gateway import Gateway
from busgate.judge.policy import load_policy
from busgate.model import EXTENDED, Frame, Mode, Side
from support.gate import demo_ebus

POLICY = """
policy: attacked
version: 1
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
FLOW_CONTROL = Frame(0, Side.VEHICLE, EXTENDED | 0x18DA4AF3, bytes.fromhex("3000000000000000"))

REQUESTS = [
    b"\x22\xf1\x90", b"\x22\xf1\x90\xf1\x89", b"\x3e\x00", b"\x22\xf1\x90\xf1\x89\xf1\x90\xf1\x89",
    b"\x22\xf1\x90\xf1\x89\xf1\x90\x02\x00", b"\x11\x01", b"\x10\x02", b"\x2e\xf1\x90AAAAAAAAAAAA",
    b"\x31\x01\xff\x00", b"\x34\x00\x44\x00\x00\x00\x00\x00\x00\x10\x00", b"\x3e\x00\x11\x01\x11\x01\x11\x01\x11\x01",
    b"\x22\x02\x00", b"\x14\xff\xff\xff", b"\x27\x01",
]  # fmt: skip


@st.composite
def segments(draw: st.DrawFn) -> list[bytes]:
    """One request as frames, some of which lie about their length, their number or their type."""
    payload = draw(st.sampled_from(REQUESTS))
    length = draw(st.sampled_from([len(payload)] * 4 + [0, 5, 7, 8, 20, 4095]))
    if draw(st.booleans()) and len(payload) <= 7:
        frames = [bytes([length & 0x0F]) + payload]
    else:
        rest = [payload[at : at + 7] for at in range(6, len(payload), 7)] or [draw(st.binary(max_size=7))]
        frames = [(0x1000 | length & 0xFFF).to_bytes(2, "big") + payload[:6]]
        frames += [bytes([0x20 | number % 16]) + data for number, data in enumerate(rest, 1)]
    padding = draw(st.sampled_from([b"", b"\x00", b"\xaa"]))
    return [(data.ljust(8, padding) if padding else data)[:8] for data in frames]


@st.composite
def attacks(draw: st.DrawFn) -> list[Frame]:
    """Several requests on several identifiers, their frames shuffled together, repeated, dropped and delayed."""
    queues = [[(draw(st.sampled_from(IDS)), data) for data in draw(segments())] for _ in range(draw(st.integers(1, 5)))]
    if draw(st.booleans()):  # one identifier for a whole request, as an honest sender has
        queues = [[(queue[0][0], data) for _, data in queue] for queue in queues]
    at, sent = 10**9, []
    while queues:
        queue = draw(st.sampled_from(queues))
        can_id, data = queue.pop(0)
        queues = [each for each in queues if each]
        at += draw(st.sampled_from([10**6, 10**6, 10**6, 2 * 10**9]))
        sent += [Frame(at, Side.TBOX, can_id, data)] * draw(st.sampled_from([1, 1, 1, 1, 0, 2]))
        if draw(st.booleans()):
            sent.append(FLOW_CONTROL._replace(at=at))
    return sent


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
            if payload := frame.data[1 : 1 + (frame.data[0] & 0x0F)]:
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


@settings(max_examples=400, deadline=None)
@given(attacks())
def test_no_ecu_ends_up_with_a_request_that_the_policy_does_not_allow(traffic: list[Frame]) -> None:
    gate = Gateway(demo_ebus().profile, demo_ebus().database, mode=Mode.ENFORCE)
    gate.adopt(load_policy(POLICY), 0, signed=False)
    crossed = [frame for frame in traffic if gate.receive(frame).forward and frame.side is Side.TBOX]
    for belief in BELIEFS:
        for can_id, request in believed(crossed, belief):
            assert allowed(can_id, request), (belief, hex(can_id), request.hex(), [f.data.hex() for f in crossed])


def test_the_attacker_succeeds_where_nothing_stands_in_the_way() -> None:
    frames = [Frame(0, Side.TBOX, REQUEST, b"\x10\x08\x2e\xf1\x90AAA"), Frame(1, Side.TBOX, REQUEST, b"\x21AA")]
    assert [request for _, request in believed(frames, BELIEFS[0])] == [b"\x2e\xf1\x90AAAAA"]
    assert not allowed(REQUEST, b"\x2e\xf1\x90AAAAA")
