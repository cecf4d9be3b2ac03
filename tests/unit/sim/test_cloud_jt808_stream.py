"""Frames out of a stream, and split messages put together."""

from __future__ import annotations

from busgate_sim.cloud.jt808 import Message, encode
from busgate_sim.cloud.jt808_stream import Frames, Parts, split
from busgate_sim.cloud.octets import Refused

BEAT = Message(0x0002, "00000000018000032600", 1)


def test_frames_may_share_a_delimiter() -> None:
    one, other = encode(BEAT), encode(Message(0x0002, BEAT.phone, 2))
    assert [found.serial for found in Frames().feed(one + other[1:]) if isinstance(found, Message)] == [1, 2]


def test_octets_before_the_first_delimiter_are_refused_once() -> None:
    assert Frames().feed(b"\x00\x01" + encode(BEAT)) == [Refused("frame: 2 octets before the first delimiter"), BEAT]


def test_a_stream_without_delimiters_is_refused_once_and_not_kept() -> None:
    frames = Frames()
    found = [said for _ in range(100) for said in frames.feed(bytes(1000))]
    assert len(found) == 1
    assert frames.feed(b"\x7e" + encode(BEAT)) == [BEAT]


def test_a_long_message_travels_in_parts_that_may_arrive_in_any_order() -> None:
    long = Message(0x8108, BEAT.phone, 0xFFFF, bytes(range(256)) * 9)
    parts = split(long)
    assert [(part.part, part.parts, part.serial) for part in parts] == [(1, 3, 0xFFFF), (2, 3, 0), (3, 3, 1)]
    together = Parts()
    waiting = [together.take(part) for part in (parts[1], parts[0], BEAT, parts[2])]
    assert waiting[:3] == [None, None, BEAT]
    assert waiting[3] is not None
    assert waiting[3].body == long.body


def test_parts_that_never_complete_are_forgotten() -> None:
    together = Parts()
    for number in range(20):
        assert together.take(Message(number, BEAT.phone, 0, b"a", part=1, parts=2)) is None
    assert together.take(Message(0, BEAT.phone, 1, b"b", part=2, parts=2)) is None
    done = together.take(Message(19, BEAT.phone, 1, b"b", part=2, parts=2, flaws=("checksum",)))
    assert done is not None
    assert (done.body, done.flaws) == (b"ab", ("checksum",))
