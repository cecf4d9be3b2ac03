"""A conversation that nobody recognises: its bytes pass as they come, and a prompt among its text is told."""

import pytest

from busgate.decode.conversation import OPAQUE, UNKNOWN, Conversation
from busgate.decode.recognise import MOST, recognise
from busgate.model import Direction, Span
from support.antenna import jt808

DOWN = Direction.DOWN
PROMPT = b"root@tbox:~# "


def opaque() -> Conversation:
    """A conversation that was given up."""
    conversation = Conversation()
    conversation.feed(DOWN, b"\x01")
    conversation.give_up()
    assert conversation.speaks == UNKNOWN
    return conversation


@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_prompt_is_told_whatever_comes_behind_it_in_the_same_piece(size: int) -> None:
    conversation, stream = Conversation(), b"~~\r\n" + PROMPT + b"\0\1\2" + PROMPT
    conversation.feed(DOWN, b"~")
    conversation.give_up()
    said = [each for at in range(0, len(stream), size) for each in conversation.feed(DOWN, stream[at : at + size])]
    assert b"".join(each.span.raw for each in said) == stream
    assert [each.span.pdu.name for each in said if each.span.pdu is not None] == ["shell prompt"]
    assert {each.span.reason for each in said if each.span.pdu is None} == {OPAQUE}


def test_single_octets_are_not_looked_at_together_for_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(client: bytes, server: bytes, ports: tuple[int, ...]) -> str:
        asked.append(len(client) + len(server))
        return recognise(client, server, ports)

    monkeypatch.setattr("busgate.decode.conversation.recognise", counted)
    conversation = Conversation(from_start=False)
    conversation.feed(Direction.UP, b":" * (MOST - 1))
    for _ in range(MOST):
        conversation.feed(DOWN, b":")
        assert conversation.held(DOWN) < MOST
    assert conversation.speaks == UNKNOWN
    assert len(asked) < MOST / 8
    assert asked[-1] == 2 * MOST - 1


def test_a_message_in_a_few_pieces_is_read_at_its_last_octet() -> None:
    conversation, frame = Conversation(from_start=False), bytes.fromhex("7e810500010138001380000001644a7e")
    conversation.feed(DOWN, bytes(1000))
    assert not conversation.feed(DOWN, frame[:-1])
    (_, said) = conversation.feed(DOWN, frame[-1:])
    assert said.span.pdu is not None
    assert said.span.raw == frame


def test_what_is_no_text_is_one_piece() -> None:
    conversation = opaque()
    assert [each.span for each in conversation.feed(DOWN, b"\0" + PROMPT)] == [Span(b"\0" + PROMPT, None, OPAQUE)]
    assert conversation.feed(DOWN, b"") == []


def test_what_the_tbox_said_of_itself_is_known_behind_a_hole() -> None:
    conversation = Conversation()
    conversation.feed(Direction.UP, jt808(0x0002, edition=2019))
    conversation.lost(DOWN)
    conversation.lost(Direction.UP)
    doubts = []
    for edition in (2013, 2019):
        (said,) = conversation.feed(DOWN, jt808(0x8105, b"\x04", edition=edition))
        assert said.span.pdu is not None
        doubts.append("doubt" in said.span.pdu.fields)
    assert doubts == [True, False]
