"""JT/T 808 of the simulated cloud: nothing is lost on the way, however the stream is cut and whatever comes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from busgate_sim.cloud.jt808 import Edition, Message, decode, encode
from busgate_sim.cloud.jt808_bodies import BODIES, read_body
from busgate_sim.cloud.jt808_stream import Frames, Parts, split
from busgate_sim.cloud.octets import Refused

OCTETS = st.binary(max_size=60) | st.lists(st.sampled_from([0x7D, 0x7E, 1, 2])).map(bytes)
NUMBERS = st.sampled_from(sorted(BODIES)) | st.integers(0, 0xFFFF)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    edition = draw(st.sampled_from([Edition.Y2013, Edition.Y2019]))
    parts = draw(st.integers(0, 3))
    return Message(
        number=draw(NUMBERS),
        phone=draw(st.binary(min_size=6, max_size=6)).hex().zfill(20 if edition is Edition.Y2019 else 12),
        serial=draw(st.integers(0, 0xFFFF)),
        body=draw(OCTETS),
        edition=edition,
        encryption=draw(st.integers(0, 7)),
        part=draw(st.integers(1, parts)) if parts else 0,
        parts=parts,
        revision=draw(st.integers(0, 255)) if edition is Edition.Y2019 else 1,
    )


@given(messages())
def test_a_message_is_what_it_was_sent_as(message: Message) -> None:
    assert decode(encode(message)) == message


def chunks(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:end] for start, end in pairwise(places)]


@given(st.lists(messages().map(encode) | OCTETS, max_size=5).map(b"".join), st.lists(st.integers(0, 2000), max_size=8))
def test_how_the_stream_is_cut_does_not_matter(stream: bytes, cuts: list[int]) -> None:
    whole, cut = Frames(), Frames()
    assert [found for chunk in chunks(stream, cuts) for found in cut.feed(chunk)] == whole.feed(stream)


@given(NUMBERS, st.binary(max_size=80), st.sampled_from(Edition), st.booleans())
def test_any_octets_are_a_body_that_is_written_back_or_refused(
    number: int, data: bytes, edition: Edition, taxi: bool
) -> None:
    body = read_body(Message(number, "1", 0, data, edition), taxi=taxi)
    if isinstance(body, Refused):
        assert body.reason
        return
    assert body.write(edition) == data


@given(st.binary(max_size=100))
def test_any_octets_are_a_frame_or_refused(data: bytes) -> None:
    assert isinstance(decode(data), Message | Refused)


@given(st.binary(max_size=300), st.integers(1, 40), st.randoms())
def test_a_split_message_is_whole_again(body: bytes, most: int, chance: object) -> None:
    message, together = Message(0x8108, "0" * 20, 7, body), Parts()
    parts = split(message, most)
    chance.shuffle(parts)  # type: ignore[attr-defined]
    done = [whole for part in parts if (whole := together.take(part)) is not None]
    assert [whole.body for whole in done] == [body]
