"""What a player plays: a recording cut, renamed, disturbed and filled up, on invented cues."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from busgate.bridge.cues import SECOND, Cue, Faults, Flood, capped, cut, injected, renamed, with_faults
from busgate.bridge.records import PACKET
from busgate.model import ERROR, EXTENDED, REMOTE


def cue(at: float, channel: str = "can0", can_id: int = 0x123, data: bytes = b"\x01") -> Cue:
    return Cue(round(at * SECOND), channel, can_id, data)


def test_a_cut_begins_at_its_own_zero_and_holds_a_clock_that_steps_back() -> None:
    left: Counter[str] = Counter()
    records = [(1000 + round(at * SECOND), "can0", 0x100 + number, b"", 0) for number, at in enumerate((0, 1, 3, 2, 9))]
    assert [(each.at / SECOND, each.can_id) for each in cut(records, SECOND, 9 * SECOND, left)] == [
        (0, 0x101),
        (2, 0x102),
        (2, 0x103),
    ]
    assert not left


def test_what_is_no_frame_to_send_is_counted() -> None:
    left: Counter[str] = Counter()
    records = [(0, "eth0", 1, b"", PACKET), (1, "can0", ERROR | 4, bytes(8), 0), (2, "can0", 0x1, b"", 0)]
    assert [each.can_id for each in cut(records, 0, None, left)] == [1]
    assert left == {"packets": 1, "error frames": 1}


def test_an_identifier_keeps_its_flags_and_an_address_is_replaced_at_both_ends() -> None:
    cues = [
        cue(0, can_id=0x123 | REMOTE),
        cue(0, can_id=0x18EAFF4A | EXTENDED),
        cue(0, can_id=0x18DA4AF3 | EXTENDED),
        cue(0, can_id=0x18FE4A4A | EXTENDED),  # PDU2: 4A is part of the group, not an address
    ]
    got = renamed(cues, {0x123: 0x18FF0001 | EXTENDED}, {0x4A: 0x4B})
    assert [each.can_id for each in got] == [
        0x18FF0001 | EXTENDED | REMOTE,
        0x18EAFF4B | EXTENDED,
        0x18DA4BF3 | EXTENDED,
        0x18FE4A4B | EXTENDED,
    ]


def test_injected_cues_come_after_those_of_the_same_time() -> None:
    got = injected([cue(0), cue(1), cue(2)], [cue(2, can_id=7), cue(1, can_id=8)])
    assert [each.can_id for each in got] == [0x123, 0x123, 8, 0x123, 7]


def test_no_silence_is_longer_than_the_cap() -> None:
    assert [each.at / SECOND for each in capped([cue(0.5), cue(1), cue(11), cue(11.2)], SECOND)] == [0.5, 1, 2, 2.2]


def test_a_clock_set_forwards_is_a_silence_and_one_set_back_a_burst() -> None:
    done: Counter[str] = Counter()
    cues = [cue(each) for each in (0, 1, 2, 3, 4)]
    steps = Faults(steps=((3 * SECOND, -2 * SECOND), (1 * SECOND, 10 * SECOND)))
    assert [each.at / SECOND for each in with_faults(cues, steps, Random(1), done)] == [0, 11, 12, 12, 12]
    assert done == {"clock steps": 2}


def test_a_flood_is_its_own_frames_between_the_others() -> None:
    done: Counter[str] = Counter()
    flood = Flood(SECOND, "can1", 0, b"", 0, rate=100, lasts=SECOND // 10)
    got = list(with_faults([cue(0), cue(1.05), cue(2)], Faults(floods=(flood,)), Random(1), done))
    assert done == {"flooded": 10}
    assert [each.channel for each in got].index("can0", 1) == 6
    assert [each.at for each in got] == sorted(each.at for each in got)


def test_swapping_is_within_a_channel() -> None:
    done: Counter[str] = Counter()
    cues = [cue(0, "a", 1), cue(1, "b", 2), cue(2, "a", 3), cue(3, "b", 4), cue(4, "a", 5)]
    got = list(with_faults(cues, Faults(reorder=1), Random(1), done))
    assert [each.can_id for each in got if each.channel == "a"] == [3, 1, 5]
    assert [each.can_id for each in got if each.channel == "b"] == [4, 2]
    assert done == {"reordered": 2}


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abc")), max_size=60),
    st.tuples(*[st.floats(0, 1)] * 3),
    st.lists(st.tuples(st.integers(0, 60 * SECOND), st.integers(-SECOND, SECOND)), max_size=3),
    st.integers(0, 99),
)
def test_faults_take_and_give_what_they_count_and_time_never_falls(
    gaps: list[tuple[int, str]], chances: tuple[float, float, float], steps: list[tuple[int, int]], seed: int
) -> None:
    at, cues = 0, []
    for number, (gap, channel) in enumerate(gaps):
        at += gap * SECOND // 4
        cues.append(Cue(at, channel, number, b""))
    faults = Faults(*chances, steps=tuple(steps))
    done: Counter[str] = Counter()
    got = list(with_faults(cues, faults, Random(seed), done))
    assert len(got) == len(cues) - done["dropped"] + done["duplicated"]
    assert {each.can_id for each in got} <= {each.can_id for each in cues}
    assert all(early.at <= late.at for early, late in pairwise(got))
    assert got == list(with_faults(cues, faults, Random(seed), Counter()))  # the same seed, the same faults
