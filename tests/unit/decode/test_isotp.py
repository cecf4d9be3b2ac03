"""ISO-TP frames and what the watcher makes of each, clause by clause of ISO 15765-2:2016."""

from collections.abc import Callable

import pytest

from busgate.decode.isotp import (
    CONTINUE,
    OVERFLOW,
    WAIT,
    Broken,
    Complete,
    Consecutive,
    First,
    FlowControl,
    Single,
    Step,
    Watcher,
)
from support import ecu_trace
from support.isotp_encode import encode

SECOND = 1_000_000_000


def frame(text: str) -> bytes:
    return bytes.fromhex(text)


def steps(watcher: Watcher, *frames: bytes, key: str = "ecu", at: int = 0) -> list[Step]:
    return [watcher.receive(at, key, data) for data in frames]


def test_the_recorded_reflash_gives_the_published_payloads() -> None:
    watcher = Watcher()
    got = []
    for identifier, data in ecu_trace.frames():
        step = watcher.receive(0, identifier, data)
        assert not isinstance(step, Broken), step
        if isinstance(step, Single | Complete):
            got.append((identifier, step.payload))
    assert got == ecu_trace.payloads()


@pytest.mark.parametrize(
    ("data", "address_bytes", "payload"),
    [
        ("021003", 0, "1003"),  # no padding at all
        ("0210035555555555", 0, "1003"),
        ("02100300", 0, "1003"),  # padded, but not to eight
        ("0711223344556677", 0, "11223344556677"),
        ("f1021003", 1, "1003"),
        ("f106112233445566", 1, "112233445566"),
    ],
)
def test_a_single_frame_is_its_payload(data: str, address_bytes: int, payload: str) -> None:
    assert Watcher().receive(0, 1, frame(data), address_bytes=address_bytes) == Single(frame(payload))


@pytest.mark.parametrize(
    ("data", "address_bytes", "reason"),
    [
        ("", 0, "no protocol control byte"),
        ("f1", 1, "no protocol control byte"),
        ("00", 0, "length 0"),
        ("0011223344556677", 0, "length 0"),
        ("0811223344556677", 0, "says 8 bytes and has 7"),
        ("f107112233445566", 1, "says 7 bytes and has 6"),
        ("0310", 0, "says 3 bytes and has 1"),
        ("4011223344556677", 0, "type 4 is reserved"),
        ("ffffffffffffffff", 0, "type 15 is reserved"),
        ("3000", 0, "flow control frame is too short"),
        ("330000", 0, "flow status 3 is reserved"),
        ("10081122334455", 0, "at least 8 bytes, this one 7"),
        ("1007112233445566", 0, "7 bytes, which fit a single frame"),
        ("f110061122334455", 1, "6 bytes, which fit a single frame"),
        ("1000000000201122", 0, "escaped first frame length 32 fits the short form"),
        ("100000000fff1122", 0, "escaped first frame length 4095 fits the short form"),
        ("1000ffffffff1122", 0, "4294967295 bytes; at most 1048576 are followed"),
        ("2111223344556677", 0, "no transfer is open"),
    ],
)
def test_what_breaks_a_rule_is_named(data: str, address_bytes: int, reason: str) -> None:
    step = Watcher().receive(0, 1, frame(data), address_bytes=address_bytes)
    assert isinstance(step, Broken)
    assert reason in step.reason
    assert not step.ended


@pytest.mark.parametrize(
    ("data", "address_bytes", "expected"),
    [
        ("000a00112233445566778899aaaa", 0, Single(frame("00112233445566778899"))),
        ("00080011223344556677aaaa", 0, Single(frame("0011223344556677"))),
        ("f1000711223344556677aaaa", 1, Single(frame("11223344556677"))),
        ("f10006112233445566aaaaaa", 1, "the escaped single frame length 6 fits the short form"),
        ("000700112233445566aaaaaa", 0, "the escaped single frame length 7 fits the short form"),
        ("07001122334455667788aaaa", 0, "a single frame of more than 8 bytes must use the escaped length"),
        ("000b00112233445566778899", 0, "the single frame says 11 bytes and has 10"),
        ("021003", 0, Single(frame("1003"))),
        ("100a112233445566778899aa", 0, "the first frame says 10 bytes, which fit a single frame"),
        ("100b112233445566778899aa", 0, First(11, frame("112233445566778899aa"))),
        ("f1100a112233445566778899", 1, First(10, frame("112233445566778899"))),
    ],
)
def test_can_fd_frames_use_the_escaped_lengths(data: str, address_bytes: int, expected: Step | str) -> None:
    step = Watcher().receive(0, 1, frame(data), address_bytes=address_bytes, fd=True)
    assert (step.reason if isinstance(step, Broken) else step) == expected


def test_a_classical_frame_of_more_than_eight_bytes_is_broken() -> None:
    assert Watcher().receive(0, 1, bytes(9)) == Broken("a classical frame cannot have 9 bytes")


def test_a_first_frame_shows_its_head_and_frames_follow_until_it_is_complete() -> None:
    payload = bytes(range(20))
    assert steps(Watcher(), *encode(payload)) == [First(20, payload[:6]), Consecutive(1), Complete(payload)]


def test_the_escaped_first_frame_announces_more_than_4095_bytes() -> None:
    payload = bytes(4096)
    got = steps(Watcher(), *encode(payload))
    assert got[0] == First(4096, bytes(2))
    assert got[-2:] == [Consecutive(584), Complete(payload)]


def test_the_frame_count_does_not_wrap_where_the_sequence_number_does() -> None:
    got = steps(Watcher(), *encode(bytes(200)))
    assert [step.number for step in got if isinstance(step, Consecutive)] == list(range(1, 28))


def test_the_last_frame_may_be_short_or_padded() -> None:
    payload = bytes(range(14))
    for padding in (None, 0x00, 0xAA, 0xFF):
        assert steps(Watcher(), *encode(payload, padding=padding))[-1] == Complete(payload)


def test_extended_addresses_take_one_byte_of_every_frame() -> None:
    watcher, payload = Watcher(), bytes(range(30))
    got = [watcher.receive(0, 1, data, address_bytes=1) for data in encode(payload, prefix=b"\xf1")]
    assert got[0] == First(30, payload[:5])
    assert got[-1] == Complete(payload)


def test_can_fd_transfers_keep_the_length_of_their_first_frame() -> None:
    payload = bytes(range(250))
    for width in (12, 16, 20, 24, 32, 48, 64):
        watcher = Watcher()
        got = [watcher.receive(0, 1, data, fd=True) for data in encode(payload, width=width)]
        assert got[-1] == Complete(payload)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda frames: [*frames[:2], *frames[3:]], "sequence number 2 was due, 3 came"),
        (lambda frames: [*frames[:2], *frames[1:]], "frame 1 came twice or out of order"),
        (lambda frames: [frames[0], frames[2], frames[1], *frames[3:]], "sequence number 1 was due, 2 came"),
        (lambda frames: [frames[0], frames[1][:5], *frames[2:]], "frame 1 has 4 bytes of payload where 7 were due"),
        (lambda frames: [*frames[:3], frames[3][:2]], "frame 3 has 1 bytes of payload where 3 were due"),
    ],
)
def test_lost_doubled_swapped_or_short_frames_break_the_transfer(
    change: Callable[[list[bytes]], list[bytes]], reason: str
) -> None:
    watcher = Watcher()
    frames = encode(bytes(range(23)))
    broken = [step for step in steps(watcher, *change(frames)) if isinstance(step, Broken)]
    assert broken[0].reason == reason
    assert broken[0].ended
    assert bytes(range(23)).startswith(broken[0].partial)
    assert all(step.reason == "no transfer is open for this consecutive frame" for step in broken[1:])
    assert steps(watcher, *frames)[-1] == Complete(bytes(range(23)))


def test_a_consecutive_frame_longer_than_its_first_frame_breaks_the_transfer() -> None:
    watcher = Watcher()
    watcher.receive(0, 1, frame("1014000102030405"), fd=True)
    step = watcher.receive(0, 1, b"\x21" + bytes(11), fd=True)
    assert step == Broken("frame 1 is longer than its first frame", bytes(range(6)), ended=True)


def test_short_frames_with_an_address_byte_are_measured_without_it() -> None:
    watcher = Watcher()
    watcher.receive(0, 1, frame("f110140001020304"), address_bytes=1)
    step = watcher.receive(0, 1, frame("f1210506070809"), address_bytes=1)
    assert step == Broken("frame 1 has 5 bytes of payload where 6 were due", bytes(range(5)), ended=True)


def test_escaped_lengths_are_read_behind_an_address_byte_and_in_can_fd_frames() -> None:
    step = Watcher().receive(0, 1, frame("f110000001000011"), address_bytes=1)
    assert step == First(0x10000, b"\x11")
    step = Watcher().receive(0, 1, frame("100000001000") + bytes(10), fd=True)
    assert step == First(0x1000, bytes(10))


def test_an_orphan_shows_what_it_carried() -> None:
    assert steps(Watcher(), frame("21aabb")) == [
        Broken("no transfer is open for this consecutive frame", frame("aabb"), ended=False)
    ]


def test_whether_a_transfer_is_open_can_be_asked() -> None:
    watcher = Watcher()
    first, last = encode(bytes(13))
    assert not watcher.is_open("ecu")
    watcher.receive(0, "ecu", first)
    assert watcher.is_open("ecu")
    watcher.receive(0, "ecu", last)
    assert not watcher.is_open("ecu")


def test_a_new_single_or_first_frame_interrupts_what_was_open() -> None:
    watcher = Watcher()
    opened = frame("1014000102030405")
    assert steps(watcher, opened, frame("0210030000000000")) == [
        First(20, bytes(range(6))),
        Single(frame("1003"), interrupted=bytes(range(6))),
    ]
    assert steps(watcher, opened, opened) == [
        First(20, bytes(range(6))),
        First(20, bytes(range(6)), interrupted=bytes(range(6))),
    ]


@pytest.mark.parametrize(
    "ignored", ["00", "1003112233445566", "4000000000000000", "300000", "3F0000", "1000000000011122"]
)
def test_frames_that_a_receiver_ignores_leave_the_open_transfer_alone(ignored: str) -> None:
    watcher, payload = Watcher(), bytes(range(13))
    first, last = encode(payload)
    assert steps(watcher, first, frame(ignored), last)[-1] == Complete(payload)


def test_an_overlong_first_frame_ends_what_was_open_and_shows_its_head() -> None:
    assert Watcher(max_length=100).receive(0, 1, frame("1064360102030405")) == First(100, frame("360102030405"))
    watcher = Watcher(max_length=100)
    assert steps(watcher, frame("1014000102030405"), frame("1065360102030405")) == [
        First(20, bytes(range(6))),
        Broken("the first frame says 101 bytes; at most 100 are followed", frame("360102030405"), ended=True),
    ]


@pytest.mark.parametrize(
    ("code", "nanoseconds"),
    [
        (0x00, 0),
        (0x01, 1_000_000),
        (0x7F, 127_000_000),
        (0x80, 127_000_000),
        (0xF0, 127_000_000),
        (0xF1, 100_000),
        (0xF9, 900_000),
        (0xFA, 127_000_000),
        (0xFF, 127_000_000),
    ],
)
def test_separation_times_are_read_by_the_table_of_stmin(code: int, nanoseconds: int) -> None:
    assert Watcher().receive(0, 1, bytes([0x30, 8, code])) == FlowControl(0, 8, nanoseconds)


def test_flow_control_says_continue_wait_or_overflow() -> None:
    statuses = [Watcher().receive(0, 1, bytes([0x30 | status, 0, 0])) for status in range(3)]
    assert statuses == [FlowControl(status, 0, 0) for status in (CONTINUE, WAIT, OVERFLOW)]
    assert (CONTINUE, WAIT, OVERFLOW) == (0, 1, 2)


def test_a_silent_transfer_times_out_once_and_its_late_frame_is_an_orphan() -> None:
    watcher = Watcher()
    frames = encode(bytes(range(20)))
    watcher.receive(0, "ecu", frames[0])
    watcher.receive(SECOND // 2, "ecu", frames[1])
    assert watcher.next_deadline() == SECOND * 3 // 2
    assert watcher.tick(SECOND * 3 // 2 - 1) == ()
    broken = Broken("frame 2 did not come within 1 s", bytes(range(13)), ended=True)
    assert watcher.tick(SECOND * 3 // 2) == (("ecu", broken),)
    assert watcher.tick(SECOND * 9) == ()
    assert watcher.next_deadline() is None
    late = watcher.receive(SECOND * 9, "ecu", frames[2])
    assert isinstance(late, Broken)
    assert not late.ended


def test_a_late_frame_breaks_its_transfer_even_if_nobody_ticked() -> None:
    watcher = Watcher(timeout_ns=10)
    frames = encode(bytes(range(20)))
    watcher.receive(0, "ecu", frames[0])
    late = watcher.receive(10, "ecu", frames[1])
    assert isinstance(late, Broken)
    assert late.ended
    assert watcher.tick(100) == ()


def test_a_receiver_that_asks_to_wait_defers_the_timeout() -> None:
    watcher = Watcher()
    frames = encode(bytes(range(13)))
    watcher.receive(0, "ecu", frames[0])
    watcher.defer(SECOND - 1, "ecu")
    watcher.defer(SECOND - 1, "nobody")
    assert watcher.tick(SECOND) == ()
    assert watcher.receive(SECOND, "ecu", frames[1]) == Complete(bytes(range(13)))


def test_the_longest_silent_transfer_gives_way_when_too_many_are_open() -> None:
    watcher = Watcher(max_transfers=2)
    frames = encode(bytes(range(20)))
    watcher.receive(1, "a", frames[0])
    watcher.receive(2, "b", frames[0])
    watcher.receive(3, "a", frames[1])
    watcher.receive(4, "c", frames[0])
    assert watcher.next_deadline() == 4
    reason = "too many transfers are open; this one was silent longest"
    assert watcher.tick(4) == (("b", Broken(reason, bytes(range(6)), ended=True)),)
    assert watcher.receive(5, "a", frames[2]) == Complete(bytes(range(20)))


def test_transfers_under_different_keys_do_not_disturb_each_other() -> None:
    watcher = Watcher()
    one, two = bytes(range(20)), bytes(range(100, 120))
    got = {}
    for first, second in zip(encode(one), encode(two), strict=True):
        got["one"] = watcher.receive(0, "one", first)
        got["two"] = watcher.receive(0, "two", second)
    assert got == {"one": Complete(one), "two": Complete(two)}
