"""The laws of the house, on traffic nobody wrote: random frames on both wires, in any order."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.bridge.memory import MemoryPort
from busgate.gateway import Gateway
from busgate.judge.policy import load_policy
from busgate.model import ERROR, EXTENDED, FD_FORMAT, REMOTE, Action, Frame, Mode, Outcome, Reason, Side
from busgate.record.log import Log
from busgate.service.live import STALE_NS, Line
from busgate.service.station import Station
from busgate.trust.keys import test_signer as published_signer
from support.gate import demo_ebus

ALLOWING = """
policy: laws
version: 1
allow:
  - {id: requests, pgn: 0xEA00, da: any, requested: any}
  - {id: reads, uds: {target: BMS, services: [0x22], dids: any}}
"""

# Half of the identifiers are of protocols that keep state, so that random frames meet open transfers.
_STATEFUL = [0x18DAF34A, 0x18DA4AF3, 0x18EC274A, 0x18EB274A, 0x18EC4A27, 0x18ECFF4A, 0x18EBFF4A, 0x18EA274A, 0x18DBFF4A]
IDS = st.one_of(
    st.integers(0, 0x7FF),
    st.sampled_from(_STATEFUL).map(lambda identifier: identifier | EXTENDED),
    st.integers(0, 0x1FFFFFFF).map(lambda identifier: identifier | EXTENDED),
    st.sampled_from([0x123 | REMOTE, 0x18DAF34A | EXTENDED | REMOTE, 0x20 | ERROR]),
)
_STARTS = [
    b"\x03\x22\xf1\x90",
    b"\x10\x0a\x22\xf1\x90\x00\x00\x00",
    b"\x21\x00",
    b"\x30\x00\x00",
    b"\x20\x0a\x00\x02\xff\x00\xea\x00",
]
CLASSIC = st.one_of(st.binary(max_size=8), st.sampled_from(_STARTS))


@st.composite
def frames(draw: st.DrawFn) -> list[Frame]:
    at, drawn = 10**9, []
    for _ in range(draw(st.integers(1, 60))):
        at += draw(st.integers(0, 300_000_000))
        fd = draw(st.booleans())
        data = draw(st.binary(max_size=64)) if fd else draw(CLASSIC)
        drawn.append(
            Frame(at, draw(st.sampled_from([Side.TBOX, Side.VEHICLE])), draw(IDS), data, FD_FORMAT if fd else 0)
        )
    return drawn


def gate(mode: Mode, policy: str | None = ALLOWING) -> Gateway:
    made = Gateway(demo_ebus().profile, demo_ebus().database, mode=mode)
    if policy is not None:
        made.adopt(load_policy(policy), 0, signed=False)
    return made


def run(gateway: Gateway, traffic: list[Frame]) -> list[Outcome]:
    return [gateway.receive(frame) for frame in traffic]


@settings(deadline=None)
@given(frames(), st.sampled_from(list(Mode)))
def test_law_1_every_frame_sent_was_received_on_the_other_wire_once_and_unchanged(
    traffic: list[Frame], mode: Mode
) -> None:
    port = MemoryPort(traffic)
    log = Log.open(None, published_signer("laws"), device="laws", boot="0" * 32, now=0, wall_offset=None, wq="none")
    waiting = iter(range(len(traffic)))
    Line(port, Station(gate(mode), log)).run(lambda: next(waiting, None) is not None)
    for out, came_in in ((Side.VEHICLE, Side.TBOX), (Side.TBOX, Side.VEHICLE)):
        received = [frame for frame in traffic if frame.side is came_in]
        sent = port.sent[out]
        assert Counter(sent) - Counter(received) == Counter()
        order = iter(received)
        assert all(frame in order for frame in sent)  # in the order received


@settings(deadline=None)
@given(frames())
def test_law_2_the_vehicle_fails_open_and_the_tbox_fails_closed(traffic: list[Frame]) -> None:
    for frame, outcome in zip(traffic, run(gate(Mode.ENFORCE, policy=None), traffic), strict=True):
        if frame.side is Side.VEHICLE:
            assert outcome.forward
            assert outcome.verdict.reason is Reason.VEHICLE_TO_TBOX
        else:
            # Without a policy the only thing that may cross is what an open transfer of the vehicle waits for.
            assert outcome.forward is (outcome.verdict.reason is Reason.ANSWERS_VEHICLE)


@settings(deadline=None)
@given(frames())
def test_what_crosses_in_enforce_mode_has_a_passing_verdict_with_a_reason(traffic: list[Frame]) -> None:
    for frame, outcome in zip(traffic, run(gate(Mode.ENFORCE), traffic), strict=True):
        assert outcome.forward is (outcome.verdict.action is Action.PASS)
        assert outcome.verdict.reason is not Reason.UNDECIDED
        assert not (outcome.forward and frame.side is Side.TBOX and frame.can_id & (REMOTE | ERROR))


@settings(deadline=None)
@given(frames())
def test_nothing_of_the_tbox_crosses_when_the_local_human_says_so(traffic: list[Frame]) -> None:
    for frame, outcome in zip(traffic, run(gate(Mode.LOCAL), traffic), strict=True):
        assert outcome.forward is (frame.side is Side.VEHICLE)


@settings(deadline=None)
@given(frames())
def test_the_same_traffic_has_the_same_outcomes(traffic: list[Frame]) -> None:
    assert run(gate(Mode.ENFORCE), traffic) == run(gate(Mode.ENFORCE), traffic)


@settings(deadline=None)
@given(frames())
def test_watching_changes_no_verdict(traffic: list[Frame]) -> None:
    enforced, watched = run(gate(Mode.ENFORCE), traffic), run(gate(Mode.MONITOR), traffic)
    assert [outcome.verdict for outcome in enforced] == [outcome.verdict for outcome in watched]
    assert all(outcome.forward for outcome in watched)


def test_law_6_a_frame_older_than_the_limit_is_dropped_and_counted() -> None:
    old = Frame(10**9, Side.VEHICLE, 0x123, b"\x01")
    port = MemoryPort([old], clock=10**9 + STALE_NS + 1)
    log = Log.open(None, published_signer("laws"), device="laws", boot="0" * 32, now=0, wall_offset=None, wq="none")
    waiting = iter([1])
    Line(port, Station(gate(Mode.MONITOR), log)).run(lambda: next(waiting, None) is not None)
    assert port.sent[Side.TBOX] == []
    assert any(b'"stale":1' in raw for raw in log.entries(0, log.size))
