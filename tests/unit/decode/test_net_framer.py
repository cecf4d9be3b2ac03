"""The cutting of streams that several decoders share, on a protocol made for it: a mark, a length, that many octets."""

import pytest

from busgate.decode.net_framer import MORE, NONE, STRETCH, Framer
from busgate.decode.net_reader import Reader, Short
from busgate.model import Direction, Pdu, Span
from support.streams import check_law, fed


class Marked(Framer):
    """Units of "M", a length of one octet, and the octets."""

    def _measure(self, buffer: bytearray, at: int, *, closing: bool) -> int:
        del closing
        if buffer[at] != ord("M"):
            return NONE
        return 2 + buffer[at + 1] if len(buffer) > at + 1 else MORE

    def _unit(self, raw: bytes) -> list[Span]:
        return [Span(raw, Pdu("marked", "unit", None, Direction.UNKNOWN, {"size": raw[1]}))]


def raws(spans: list[Span]) -> list[tuple[bytes, bool]]:
    return [(span.raw, span.pdu is not None) for span in spans]


def test_units_are_given_when_they_are_whole() -> None:
    framer = Marked()
    assert framer.feed(b"M\x02a") == []
    assert framer.held == 3
    assert raws(framer.feed(b"bM")) == [(b"M\x02ab", True)]
    assert framer.close() == [Span(b"M", None, Marked.CUT)]


def test_bytes_between_units_are_given_in_stretches_of_one_size() -> None:
    junk = bytes(STRETCH * 2 + 5)
    spans = fed(Marked(), junk + b"M\0")
    assert raws(spans) == [(bytes(STRETCH), False), (bytes(STRETCH), False), (bytes(5), False), (b"M\0", True)]
    assert raws(fed(Marked(), *(bytes([octet]) for octet in junk + b"M\0"))) == raws(spans)


def test_a_mark_in_junk_that_never_becomes_a_unit_does_not_hide_one_that_does() -> None:
    assert raws(fed(Marked(), b"xM\xffM\1a")) == [(b"xM\xff", False), (b"M\1a", True)]


def test_the_law_holds() -> None:
    spans = check_law(Marked, b"xxM\1a" * 20 + b"M\x05ab", range(0, 200, 7), STRETCH + 257)
    assert len([span for span in spans if span.pdu is not None]) == 20


def test_a_reader_says_what_it_lacks() -> None:
    reader = Reader(b"\0\1\2")
    assert reader.number(2, "a number") == 1
    with pytest.raises(Short, match="ends within a text: 2 bytes due, 0 there"):
        reader.block(1, "a text")
