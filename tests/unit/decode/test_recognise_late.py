"""A command language that begins in a stream which passes unread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busgate.decode.conversation import OPAQUE, UNKNOWN, Conversation
from busgate.decode.recognise_late import MOST_UNIT, Lookout
from busgate.model import Direction
from support.antenna import control, gb32960, jt808, variant_e7
from support.streams import cut

DOWN, UP = Direction.DOWN, Direction.UP
UNITS = {
    "jt808": jt808(0x8105, b"\x64"),
    "2019": jt808(0x8105, b"\x64", edition=2019),
    "e7": variant_e7(0x8105, b"\x64"),
    "gb32960": control(0x90, b"\x91"),
    "login": gb32960(0x01, bytes(30)),
}


@given(st.sampled_from(list(UNITS)), st.binary(max_size=60), st.lists(st.integers(0, 200), max_size=8))
def test_a_right_unit_is_found_with_its_last_byte_however_it_is_cut(
    name: str, before: bytes, places: list[int]
) -> None:
    stream, lookout, fed, found = before + UNITS[name], Lookout(), 0, []
    for chunk in cut(stream, places):
        late = lookout.feed(chunk)
        if late is not None:
            found.append(late.gone + chunk[late.start : late.end])
            assert stream[: fed + late.end].endswith(found[-1])
            break
        fed += len(chunk)
    assert found


@pytest.mark.parametrize("mark", [b"\x7e", b"\xe7", b"##", UNITS["gb32960"][:22] + b"\xff\xff"])
def test_little_is_kept_of_what_may_be_a_unit(mark: bytes) -> None:
    lookout = Lookout()
    for chunk in (mark, *[bytes(100)] * 100):
        assert lookout.feed(chunk) is None
        assert all(len(watch.tail) <= MOST_UNIT for watch in lookout._watches)


def given_up(first: bytes) -> Conversation:
    conversation = Conversation()
    conversation.feed(DOWN, first)
    conversation.give_up()
    assert conversation.speaks == UNKNOWN
    return conversation


@pytest.mark.parametrize("name", ["jt808", "gb32960"])
def test_what_was_given_up_is_read_from_the_first_right_unit_on(name: str) -> None:
    unit, conversation = UNITS[name], given_up(b"\1")
    opaque, first, second = conversation.feed(DOWN, b"\2\3" + unit + unit)
    assert (opaque.span.raw, opaque.span.reason, conversation.speaks) == (b"\2\3", OPAQUE, name)
    assert first.span.raw == second.span.raw == unit
    assert not conversation.torn


def test_a_unit_whose_beginning_was_given_up_is_told_as_torn() -> None:
    unit = UNITS["jt808"]
    conversation = given_up(unit[:1])
    (said,) = conversation.feed(DOWN, unit[1:])
    assert conversation.torn
    assert said.span.pdu is not None
    assert (said.span.pdu.code, said.span.raw) == (0x8105, unit[1:])
    conversation.feed(DOWN, unit)
    assert not conversation.torn


def test_what_the_tbox_says_makes_what_is_under_way_towards_it_a_unit_too() -> None:
    unit = UNITS["jt808"]
    conversation = given_up(unit[:9])
    conversation.feed(DOWN, unit[9:-1])
    conversation.feed(UP, jt808(0x0002))
    assert (conversation.speaks, conversation.held(DOWN)) == ("jt808", 0)
    (said,) = conversation.feed(DOWN, unit[-1:])
    assert said.span.pdu is not None
    assert (said.span.pdu.code, said.span.raw, conversation.torn) == (0x8105, unit[-1:], True)


def test_a_taxi_is_read_as_what_was_agreed() -> None:
    conversation = given_up(b"\1")
    conversation.dialect = "jt905"
    conversation.feed(UP, jt808(0x0002))
    assert conversation.speaks == "jt905"
