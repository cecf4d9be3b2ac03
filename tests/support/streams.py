"""How a framer is fed and what its law is, for the tests of all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol

from busgate.model import Pdu, Span


class Framer(Protocol):
    """What every stream decoder is."""

    @property
    def held(self) -> int: ...
    def feed(self, data: bytes) -> list[Span]: ...
    def close(self) -> list[Span]: ...


def cut(stream: bytes, places: Sequence[int]) -> list[bytes]:
    """A stream in pieces, cut at these places (counted from the front, over and over)."""
    ends = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[start:end] for start, end in pairwise(ends)]


def fed(framer: Framer, *pieces: bytes) -> list[Span]:
    """All spans of a stream in these pieces."""
    return [span for piece in pieces for span in framer.feed(piece)] + framer.close()


def joined(spans: Sequence[Span]) -> list[Span]:
    """The spans with neighbours that are no unit, and for the same reason, as one."""
    found: list[Span] = []
    for span in spans:
        if found and span.pdu is None and found[-1].pdu is None and found[-1].reason == span.reason:
            found[-1] = Span(found[-1].raw + span.raw, None, span.reason)
        else:
            found.append(span)
    return found


def units(spans: Sequence[Span]) -> list[Pdu]:
    """The units only."""
    return [span.pdu for span in spans if span.pdu is not None]


def check_law(make: Callable[[], Framer], stream: bytes, places: Sequence[int], most: int) -> list[Span]:
    """The law of framers on this stream: partition, bounded holding, no matter how it is cut. The spans, joined."""
    whole = fed(make(), stream)
    assert b"".join(span.raw for span in whole) == stream
    assert all(span.raw for span in whole)
    framer = make()
    pieces: list[Span] = []
    for piece in cut(stream, places):
        pieces += framer.feed(piece)
        assert framer.held <= most
    pieces += framer.close()
    assert framer.held == 0
    assert joined(pieces) == joined(whole)
    assert all(span.pdu is not None or span.reason for span in whole)
    for pdu in units(whole):
        assert json.loads(json.dumps(pdu.fields)) == pdu.fields
    return joined(whole)
