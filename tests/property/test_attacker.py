"""An attacker on the T-box side against ECUs that believe more than the standard asks them to.

Whatever the attacker sends, and however an ECU puts together what crosses the gate, it never holds a request that the
policy does not allow.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.gateway import Gateway
from busgate.judge.policy import load_policy
from busgate.model import EXTENDED, Frame, Mode, Side
from support.believing import BELIEFS, IDS, POLICY, REQUEST, REQUESTS, allowed, believed
from support.gate import demo_ebus

FLOW_CONTROL = Frame(0, Side.VEHICLE, EXTENDED | 0x18DA4AF3, bytes.fromhex("3000000000000000"))


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
