"""Conversations: both directions of one TCP connection in any order and any pieces, with ends, holes and impatience.

The input is a byte of circumstances and then steps, parted by `MARK`. The first byte of a step says what it is: see
`steps`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from busgate.decode.conversation import FREE, READERS, UNKNOWN, Conversation, Said
from busgate.decode.recognise import MOST
from busgate.model import Direction, Span
from fuzz import dns_messages, doip, gb32960, http_messages, jt808, mqtt_packets, shell_streams, tls_records
from support.streams import joined

MARK = b"\xfe\xfd"
UP, DOWN = Direction.UP, Direction.DOWN
PORTS = (0, 22, 23, 53, 80, 443, 1883, 13400)
_LONGEST = (1 << 20) + (1 << 17)
"""No decoder holds more of a direction than its longest unit and what it looks ahead."""


class Step(NamedTuple):
    """One thing that happens: "feed", "lost", "close" or "give up"."""

    what: str
    direction: Direction
    data: bytes = b""


def written(*said: tuple[Direction, bytes], first: int = 0, size: int = 0) -> bytes:
    """A dialogue as an input, each saying in pieces of `size` bytes (0: whole)."""
    heads = (bytes([(way is DOWN) | size << 4]) + data for way, data in said)
    return bytes([first]) + MARK.join(heads)


def steps(data: bytes) -> Iterator[Step]:
    """Of a step's first byte, bit 0 is the direction, bits 1-3 say 7 for what is no saying, the rest the cut."""
    ended = set[Direction]()
    for step in data[1:].split(MARK):
        head = step[0] if step else 0
        way, act, size = (DOWN if head & 1 else UP), head >> 1 & 7, head >> 4 or len(step) or 1
        if way in ended:
            continue
        if act < 7:
            yield from (Step("feed", way, step[at : at + size]) for at in range(1, len(step), size))
        else:
            what = ("lost", "close", "give up", "feed")[head >> 4 & 3]
            ended |= {way} if what == "close" else set()
            yield Step(what, way)
    yield from (Step("close", way) for way in (UP, DOWN) if way not in ended)


def begun(data: bytes) -> Conversation:
    """The conversation that the first byte describes: bit 0 who opened it, bit 1 whether late, bits 2-4 the port."""
    first = data[0] if data else 0
    return Conversation(DOWN if first & 1 else UP, (PORTS[first >> 2 & 7],), from_start=not first & 2)


_OTHERS = (dns_messages, doip, gb32960, http_messages, jt808, mqtt_packets, shell_streams, tls_records)
SEEDS: tuple[bytes, ...] = (
    *(
        written((DOWN if place % 3 else UP, seed), size=place % 4)
        for module in _OTHERS
        for place, seed in enumerate(module.SEEDS)
    ),
    *(
        written((UP, near), (DOWN, far), (UP, near), (DOWN, far), first=place << 2, size=place * 3 % 16)
        for place, module in enumerate(_OTHERS)
        for near, far in [module.SEEDS[:2]]
    ),
    written((UP, http_messages.SEEDS[0]), (DOWN, http_messages.SEEDS[1]), (DOWN, http_messages.SEEDS[2])),
    written((UP, b""), (DOWN, shell_streams.SEEDS[0]), (UP, shell_streams.SEEDS[0]), first=1),
    written((UP, mqtt_packets.SEEDS[0][:9]), first=2) + MARK + b"\x0e" + MARK + b"\0" + mqtt_packets.SEEDS[2],
    written((DOWN, gb32960.SEEDS[0])) + MARK + b"\x2e" + MARK + b"\1more",
)


def check(data: bytes) -> None:
    """Of each direction the spans joined are its bytes; held is little, and nothing over a hole; nothing raises.

    What is spoken is decided once, or anew (`late`) where nobody read it. Where finer pieces decide the same at once (a
    beginning that is no language may be given up before something is recognised behind it), the spans are the same too.
    """
    together, apart = begun(data), begun(data)
    whole = _told(together, steps(data))
    finer = 1 if len(data) < 600 else 7
    pieces = (
        Step("feed", step.direction, step.data[at : at + finer]) if step.data else step
        for step in steps(data)
        for at in range(0, len(step.data) or 1, finer)
    )
    cut = _told(apart, pieces)
    for way in (UP, DOWN):
        decided = together.speaks == apart.speaks and not (together.late or apart.late)
        assert not decided or joined(whole[way]) == joined(cut[way])


def _told(conversation: Conversation, happens: Iterator[Step]) -> dict[Direction, list[Span]]:
    fed, given, told = {UP: bytearray(), DOWN: bytearray()}, {UP: 0, DOWN: 0}, {UP: list[Span](), DOWN: list[Span]()}
    for step in happens:
        spoken = conversation.speaks
        fed[step.direction] += step.data
        for way, span in _taken(conversation, step):
            assert span.raw
            assert span.reason or span.pdu is not None
            assert span.raw == fed[way][given[way] : given[way] + len(span.raw)]
            given[way] += len(span.raw)
            told[way].append(span)
        for way in (UP, DOWN):
            assert conversation.held(way) == len(fed[way]) - given[way]
            assert conversation.held(way) < (_LONGEST if conversation.speaks else MOST)
        assert step.what not in {"lost", "close"} or not conversation.held(step.direction)
        assert conversation.speaks == spoken or not spoken or (spoken in FREE and conversation.late)
    assert conversation.speaks in {*READERS, UNKNOWN}
    for span in (*told[UP], *told[DOWN]):
        if span.pdu is not None:
            assert json.loads(json.dumps(span.pdu.fields)) == span.pdu.fields
    return told


def _taken(conversation: Conversation, step: Step) -> list[Said]:
    match step.what:
        case "feed":
            return conversation.feed(step.direction, step.data)
        case "lost":
            return conversation.lost(step.direction)
        case "close":
            return conversation.close(step.direction)
    return conversation.give_up()
