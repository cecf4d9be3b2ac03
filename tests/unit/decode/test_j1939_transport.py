"""Transport sessions as dialogues: what is sent, and what the watcher makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from busgate.decode.j1939 import split
from busgate.decode.j1939_control import Fault
from busgate.decode.j1939_session import KEPT, T1, T2, T3, T4
from busgate.decode.j1939_transport import (
    Announced,
    Broken,
    Complete,
    Data,
    Handshake,
    HandshakeKind,
    Irregular,
    Step,
    Watcher,
)
from support.j1939_encode import Sent, bam, etp, rts

VECTORS = Path(__file__).parents[2] / "vectors"
ROWS: list[dict[str, Any]] = json.loads((VECTORS / "j1939.json").read_text())["vectors"]
TRANSPORT = {0xEC00, 0xEB00}

MS = 1_000_000
PAYLOAD = bytes(range(1, 21))
VIN = 0xFEEC
A, B = 0x4A, 0x0B


def frame(line: str) -> Sent:
    can_id, _, data = line.partition("#")
    return Sent(int(can_id, 16), bytes.fromhex(data))


class Wire:
    """A watcher and a clock that stands still unless told."""

    def __init__(self, *, max_sessions: int = 256) -> None:
        self.watcher = Watcher(max_sessions=max_sessions)
        self.now = 0

    def __lshift__(self, sent: Sent | str) -> Step:
        sent = frame(sent) if isinstance(sent, str) else sent
        return self.watcher.receive(self.now, split(sent.can_id), sent.data)

    def all(self, frames: Iterable[Sent]) -> list[Step]:
        return [self << sent for sent in frames]

    def wait(self, ns: int) -> Wire:
        self.now += ns
        return self


def payloads(steps: Iterable[Step]) -> list[bytes]:
    return [step.payload for step in steps if isinstance(step, Complete)]


def test_a_broadcast_is_announced_then_followed_then_complete() -> None:
    announced, first, second, complete = Wire().all(bam(VIN, A, PAYLOAD))
    assert announced == Announced(VIN, A, 0xFF, 20, 3, broadcast=True, extended=False)
    assert (first, second) == (Data(VIN, A, 0xFF, 1), Data(VIN, A, 0xFF, 2))
    assert complete == Complete(VIN, A, 0xFF, PAYLOAD, 20, 3)


def test_a_session_with_a_receiver_shows_both_directions() -> None:
    steps = Wire().all(rts(0x1B00, A, B, PAYLOAD, window=2))
    assert steps == [
        Announced(0x1B00, A, B, 20, 3, broadcast=False, extended=False),
        Handshake(HandshakeKind.CTS, 0x1B00, B, A, from_originator=False, open=True),
        Data(0x1B00, A, B, 1),
        Data(0x1B00, A, B, 2),
        Handshake(HandshakeKind.CTS, 0x1B00, B, A, from_originator=False, open=True),
        Complete(0x1B00, A, B, PAYLOAD, 20, 3),
        Handshake(HandshakeKind.ACK, 0x1B00, B, A, from_originator=False, open=True),
    ]


def test_an_extended_session_is_announced_offset_and_complete() -> None:
    payload = bytes(i & 0xFF for i in range(2000))
    steps = Wire().all(etp(0xD700, A, B, payload, window=100))
    assert steps[0] == Announced(0xD700, A, B, 2000, 286, broadcast=False, extended=True)
    assert steps[2] == Handshake(HandshakeKind.DPO, 0xD700, A, B, from_originator=True, open=True)
    assert payloads(steps) == [payload]
    assert not any(isinstance(step, Broken) for step in steps)


def test_of_a_long_extended_session_the_beginning_is_kept() -> None:
    payload = bytes(i * 7 & 0xFF for i in range(KEPT + 5000))
    (complete,) = [step for step in Wire().all(etp(0xD700, A, B, payload)) if isinstance(step, Complete)]
    assert complete.truncated
    assert complete.length == len(payload)
    assert complete.payload == payload[:KEPT]


@pytest.mark.parametrize("test", sorted({row["test"] for row in ROWS if row["expected"]["pgn"] in TRANSPORT}))
def test_the_sessions_of_a_public_stack_assemble(test: str) -> None:
    rows = [row for row in ROWS if row["test"] == test and row["expected"]["pgn"] in TRANSPORT]
    steps = Wire().all(Sent(int(row["can_id"], 16), bytes.fromhex(row["data"])) for row in rows)
    assert payloads(steps) == [bytes([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6])]
    assert not any(isinstance(step, Broken) for step in steps)
    assert all(step.open for step in steps if isinstance(step, Handshake))


def test_the_public_rows_hold_four_sessions() -> None:
    rows = [row for row in ROWS if row["expected"]["pgn"] in TRANSPORT]
    assert [test for test, _ in groupby(row["test"] for row in rows)] == [
        "test_broadcast_receive_long",
        "test_peer_to_peer_receive_long",
        "test_peer_to_peer_send_long",
        "test_broadcast_send_long",
    ]


def test_a_broadcast_and_two_sessions_of_one_sender_do_not_disturb_each_other() -> None:
    sessions = [
        bam(VIN, A, PAYLOAD),
        rts(0x1B00, A, B, PAYLOAD[::-1]),
        rts(0x2600, A, 0x27, PAYLOAD * 2),
        rts(0xEF00, B, A, b"\x55" * 30),
    ]
    wire = Wire()
    steps: list[Step] = []
    while any(sessions):
        steps += [wire << session.pop(0) for session in sessions if session]
    assert sorted(payloads(steps)) == sorted([PAYLOAD, PAYLOAD[::-1], PAYLOAD * 2, b"\x55" * 30])
    assert not any(isinstance(step, Broken) for step in steps)


# ---------------------------------------------------------------- faults


def test_a_lost_packet_ends_a_broadcast() -> None:
    head, one, _, three = bam(VIN, A, PAYLOAD)
    wire = Wire()
    wire.all([head, one])
    assert wire << three == Broken(Fault.OUT_OF_ORDER, VIN, A, 0xFF, ended=True)
    assert wire << three == Broken(Fault.NO_SESSION, None, A, 0xFF)
    assert payloads(wire.all(bam(VIN, A, PAYLOAD))) == [PAYLOAD]


def test_a_packet_that_comes_twice_ends_a_broadcast() -> None:
    head, one, *_ = bam(VIN, A, PAYLOAD)
    wire = Wire()
    wire.all([head, one])
    assert wire << one == Broken(Fault.REPEATED, VIN, A, 0xFF, ended=True)


def test_after_a_lost_packet_only_the_receiver_starts_the_flow_again() -> None:
    head, clear, one, two, three, done = rts(0x1B00, A, B, PAYLOAD)
    wire = Wire()
    wire.all([head, clear, one])
    assert wire << three == Broken(Fault.OUT_OF_ORDER, 0x1B00, A, B)
    assert wire << two == Broken(Fault.OUT_OF_ORDER, 0x1B00, A, B)
    again = Sent(clear.can_id, bytes([17, 2, 2]) + clear.data[3:])
    assert payloads(wire.all([again, two, three, done])) == [PAYLOAD]


def test_a_receiver_may_ask_for_packets_again() -> None:
    head, clear, one, two, three, done = rts(0x1B00, A, B, PAYLOAD)
    back = Sent(clear.can_id, bytes([17, 1, 1]) + clear.data[3:])
    on = Sent(clear.can_id, bytes([17, 1, 3]) + clear.data[3:])
    wire = Wire()
    steps = wire.all([head, clear, one, two, back, one, on, three, done])
    assert payloads(steps) == [PAYLOAD]
    assert not any(isinstance(step, Broken) for step in steps)


def test_a_finished_transfer_sent_again_completes_again_only_if_it_changed() -> None:
    head, clear, one, two, three, _ = rts(0x1B00, A, B, PAYLOAD)
    other = Sent(two.can_id, b"\x02" + b"\xee" * 7)
    wire = Wire()
    assert payloads(wire.all([head, clear, one, two, three])) == [PAYLOAD]
    assert payloads(wire.all([clear, one, two, three])) == []
    changed = PAYLOAD[:7] + b"\xee" * 7 + PAYLOAD[14:]
    assert payloads(wire.all([clear, one, other, three])) == [changed]


def test_a_receiver_that_claims_more_than_passed_here_completes_nothing() -> None:
    head, clear, one, _, three, _ = rts(0x1B00, A, B, PAYLOAD)
    skip = Sent(clear.can_id, bytes([17, 1, 3]) + clear.data[3:])
    steps = Wire().all([head, clear, one, skip, three])
    assert steps[-1] == Broken(Fault.OUT_OF_ORDER, 0x1B00, A, B)


def test_a_second_announcement_replaces_the_first() -> None:
    first = rts(0x1B00, A, B, PAYLOAD)
    wire = Wire()
    wire.all(first[:3])
    steps = wire.all(rts(0x2600, A, B, PAYLOAD * 2))
    assert isinstance(steps[0], Announced)
    assert steps[0].interrupted == 0x1B00
    assert payloads(steps) == [PAYLOAD * 2]


def test_a_finished_session_is_not_interrupted_by_the_next() -> None:
    wire = Wire()
    *_, done = rts(0x1B00, A, B, PAYLOAD)
    wire.all(rts(0x1B00, A, B, PAYLOAD)[:-1])
    announced = wire << rts(0x1B00, A, B, PAYLOAD)[0]
    assert isinstance(announced, Announced)
    assert announced.interrupted is None
    assert wire << done == Handshake(HandshakeKind.ACK, 0x1B00, B, A, from_originator=False, open=True)


@pytest.mark.parametrize(
    ("line", "fault", "pgn"),
    [
        ("1CEC0B4A#10000000FF001B00", Fault.LENGTH, 0x1B00),
        ("1CEC0B4A#10FA06FFFF001B00", Fault.LENGTH, 0x1B00),
        ("1CEC0B4A#10140004FF001B00", Fault.COUNT, 0x1B00),
        ("1CECFF4A#20140002FFECFE00", Fault.COUNT, 0xFEEC),
        ("1CC80B4A#140000000000D700", Fault.LENGTH, 0xD700),
        ("1CC80B4A#14FAFFFF0700D700", Fault.LENGTH, 0xD700),
        ("1CEC0B4A#12140003FF001B00", Fault.CONTROL_UNKNOWN, None),
        ("1CC80B4A#10140003FF001B00", Fault.CONTROL_UNKNOWN, None),
        ("1CEC0B4A#10140003FF001B", Fault.CONTROL_SHORT, None),
        ("1CEC0B4A#", Fault.CONTROL_SHORT, None),
        ("1CEB0B4A#0102030405060708", Fault.NO_SESSION, None),
        ("1CEB0B4A#", Fault.NO_SESSION, None),
        ("1CC70B4A#0102030405060708", Fault.NO_SESSION, None),
        ("18F00400#0102030405060708", Fault.NOT_TRANSPORT, 0xF004),
    ],
)
def test_what_no_session_allows_is_broken(line: str, fault: Fault, pgn: int | None) -> None:
    step = Wire() << line
    assert isinstance(step, Broken)
    assert (step.reason, step.pgn) == (fault, pgn)


@pytest.mark.parametrize(
    ("line", "irregular"),
    [
        ("1CEC0B4A#10080002FF001B00", (Irregular.SHORT,)),
        ("1CEC0B4A#10010001FF001B00", (Irregular.SHORT,)),
        ("1CC80B4A#141400000000D700", (Irregular.SHORT,)),
        ("1CECFF4A#10140003FF001B00", (Irregular.RTS_TO_ALL,)),
        ("1CEC0B4A#20140003FF001B00", (Irregular.BAM_TO_ONE,)),
        ("1CEC0B4A#10140003FF4A1B00", (Irregular.STRAY_BITS,)),
        ("1CEC0B4A#10140003FF001BFC", (Irregular.STRAY_BITS,)),
        ("1CEC0B4A#10090002FF001B00", ()),
        ("1CEC0B4A#10F906FFFF001B00", ()),
        ("1CC80B4A#14F9FFFF0600D700", ()),
    ],
)
def test_an_odd_announcement_is_still_announced(line: str, irregular: tuple[Irregular, ...]) -> None:
    step = Wire() << line
    assert isinstance(step, Announced)
    assert step.irregular == irregular
    assert step.pgn in (0x1B00, 0xD700)


def test_a_packet_shorter_than_its_share_is_broken_and_a_short_last_one_is_not() -> None:
    head, one, two, three = bam(VIN, A, PAYLOAD)
    wire = Wire()
    assert payloads(wire.all([head, one, two, Sent(three.can_id, three.data[:7])])) == [PAYLOAD]
    wire.all([head, one])
    assert wire << Sent(two.can_id, two.data[:7]) == Broken(Fault.PACKET_SHORT, VIN, A, 0xFF, ended=True)


def test_an_extended_packet_before_its_offset_is_broken() -> None:
    head, clear, offset, one, *_ = etp(0xD700, A, B, bytes(2000))
    wire = Wire()
    wire.all([head, clear])
    assert wire << one == Broken(Fault.OUT_OF_ORDER, 0xD700, A, B)
    assert wire << offset == Handshake(HandshakeKind.DPO, 0xD700, A, B, from_originator=True, open=True)
    assert wire << one == Data(0xD700, A, B, 1)


def test_an_extended_sender_may_go_back_only_where_the_receiver_asked() -> None:
    payload = bytes(i & 0xFF for i in range(2000))
    frames = list(etp(0xD700, A, B, payload, window=10))
    head, clear, offset, *packets = frames[:13]
    wire = Wire()
    wire.all([head, clear, offset, *packets])
    assert wire << offset == Broken(Fault.OFFSET, 0xD700, A, B)
    steps = wire.all([clear, offset, *packets, *frames[13:]])
    assert payloads(steps) == [payload]


def test_more_extended_packets_than_offered_are_broken() -> None:
    _head, clear, _, *packets = etp(0xD700, A, B, bytes(2000))
    wire = Wire()
    wire.all([_head, clear])
    wire << Sent(_head.can_id, bytes([22, 1, 0, 0, 0, 0x00, 0xD7, 0x00]))
    assert wire << packets[0] == Data(0xD700, A, B, 1)
    assert wire << packets[1] == Broken(Fault.OUT_OF_ORDER, 0xD700, A, B)


# ---------------------------------------------------------------- who steers which session


def test_a_handshake_without_its_session_is_not_open() -> None:
    wire = Wire()
    assert wire << "1CEC4A0B#110301FFFF001B00" == Handshake(
        HandshakeKind.CTS, 0x1B00, B, A, from_originator=False, open=False
    )
    wire << rts(0x1B00, A, B, PAYLOAD)[0]
    wrong_group = wire << "1CEC4A0B#13140003FF002600"
    assert wrong_group == Handshake(HandshakeKind.ACK, 0x2600, B, A, from_originator=False, open=False)
    wrong_way = wire << "1CEC0B4A#110301FFFF001B00"
    assert wrong_way == Handshake(HandshakeKind.CTS, 0x1B00, A, B, from_originator=False, open=False)
    nobody = wire << "1CC80B4A#16030000000000D7"
    assert isinstance(nobody, Handshake)
    assert not nobody.open


@pytest.mark.parametrize(
    ("line", "originator"), [("1CEC0B4A#FF01FFFFFF001B00", True), ("1CEC4A0B#FF03FFFFFF001B00", False)]
)
def test_either_end_may_abort(line: str, originator: bool) -> None:
    head, clear, one, *_ = rts(0x1B00, A, B, PAYLOAD)
    wire = Wire()
    wire.all([head, clear])
    step = wire << line
    assert isinstance(step, Handshake)
    assert (step.kind, step.open, step.from_originator) == (HandshakeKind.ABORT, True, originator)
    assert wire << one == Broken(Fault.NO_SESSION, None, A, B)


def test_an_abort_of_another_group_ends_nothing() -> None:
    head, clear, one, *_ = rts(0x1B00, A, B, PAYLOAD)
    wire = Wire()
    wire.all([head, clear])
    step = wire << "1CEC0B4A#FF01FFFFFF002600"
    assert isinstance(step, Handshake)
    assert not step.open
    assert wire << one == Data(0x1B00, A, B, 1)


# ---------------------------------------------------------------- time and memory


def test_a_broadcast_packet_that_comes_too_late_ends_it() -> None:
    head, one, two, _ = bam(VIN, A, PAYLOAD)
    wire = Wire()
    wire << head
    assert wire.wait(T1 - 1) << one == Data(VIN, A, 0xFF, 1)
    assert wire.wait(T1) << two == Broken(Fault.SILENT, VIN, A, 0xFF, ended=True)


def test_each_pause_of_a_session_has_its_own_limit() -> None:
    head, clear, one, two, three, done = rts(0x1B00, A, B, PAYLOAD)
    hold = Sent(clear.can_id, bytes([17, 0, 0xFF]) + clear.data[3:])
    wire = Wire()
    wire << head
    pauses = [(T3, hold), (T4, hold), (T4, clear), (T2, one), (T1, two), (T1, three), (T3, done)]
    steps = [wire.wait(limit - 1) << sent for limit, sent in pauses]
    assert payloads(steps) == [PAYLOAD]
    assert all(step.open for step in steps if isinstance(step, Handshake))


@pytest.mark.parametrize(("after", "limit"), [(1, T3), (2, T2), (3, T1), (4, T1)])
def test_a_silent_session_ends_at_its_deadline_and_not_before(after: int, limit: int) -> None:
    wire = Wire()
    wire.all(rts(0x1B00, A, B, PAYLOAD)[:after])
    assert wire.watcher.next_deadline() == limit
    assert wire.watcher.tick(limit - 1) == ()
    assert wire.watcher.tick(limit) == (Broken(Fault.SILENT, 0x1B00, A, B, ended=True),)
    assert wire.watcher.next_deadline() is None


def test_a_finished_session_ends_without_a_word_when_its_end_is_not_acknowledged() -> None:
    wire = Wire()
    wire.all(rts(0x1B00, A, B, PAYLOAD)[:-1])
    assert wire.watcher.next_deadline() == T3
    assert wire.watcher.tick(T3) == ()
    assert wire.watcher.next_deadline() is None


def test_a_flood_of_announcements_drives_out_the_flooder() -> None:
    wire = Wire(max_sessions=4)
    honest = rts(0x1B00, B, A, PAYLOAD)
    wire << honest[0]
    for da in range(6):
        wire.wait(MS) << rts(0xEF00, A, da, PAYLOAD)[0]
    assert wire.watcher.next_deadline() == 4 * MS
    crowded = wire.watcher.tick(wire.now)
    assert crowded == tuple(Broken(Fault.CROWDED, 0xEF00, A, da, ended=True) for da in range(3))
    assert payloads(wire.all(honest[1:])) == [PAYLOAD]
