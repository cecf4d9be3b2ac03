"""However a stream is cut, shuffled, doubled and lost, it comes out in order, or as a gap of that size."""

from __future__ import annotations

import struct
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.decode.connection import Limits
from busgate.decode.datagram import ACK, FIN, SYN, Datagram, Held, Unread
from busgate.decode.ip import Reader
from busgate.decode.link import LINK_TYPES
from busgate.decode.stream import Streams
from busgate.decode.stream_events import Closed, Conflict, Data, Gap, Opened, StreamEvent
from busgate.model import Packet, Side
from support.traffic import BUS, CLOUD, RAW, captured, udp

UP, DOWN = (BUS, 50000, CLOUD, 8808), (CLOUD, 8808, BUS, 50000)
SEQUENCE = st.one_of(st.integers(0, 2**32 - 1), st.integers(2**32 - 50, 2**32 - 1))


def segment(data: bytes, seq: int, flags: int = ACK, ack: int = 0, *, up: bool = True, at: int = 0) -> Datagram:
    return Datagram(at, "tcp", *(UP if up else DOWN), data, flags, seq % 2**32, ack % 2**32)


def joined(events: list[StreamEvent], *, forward: bool) -> bytes:
    """The stream of one direction, its gaps as zero bytes."""
    return b"".join(
        event.data if isinstance(event, Data) else bytes(event.size)
        for event in events
        if isinstance(event, Data | Gap) and event.forward == forward
    )


@st.composite
def cuts(draw: st.DrawFn, stream: bytes) -> list[tuple[int, bytes]]:
    """Segments that cover a stream at least once, with copies and overlaps, in any order."""
    points = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    edges = [0, *points, len(stream)]
    pieces = [(a, stream[a:b]) for a, b in pairwise(edges) if b > a]
    for start in draw(st.lists(st.integers(0, len(stream)), max_size=6)):
        size = draw(st.integers(1, 40))
        pieces.append((start, stream[start : start + size]))
    return draw(st.permutations([piece for piece in pieces if piece[1]]))


@settings(deadline=None)
@given(st.data(), st.binary(min_size=1, max_size=300), SEQUENCE)
def test_any_order_of_segments_gives_the_stream(data: st.DataObject, stream: bytes, first: int) -> None:
    streams = Streams()
    events = streams.receive(segment(b"", first - 1, SYN))
    events += streams.receive(segment(b"", 4999, SYN | ACK, first, up=False))
    for start, piece in data.draw(cuts(stream)):
        events += streams.receive(segment(piece, first + start, ack=5000))
    events += streams.receive(segment(b"", first + len(stream), FIN | ACK, 5000))
    events += streams.receive(segment(b"", 5000, FIN | ACK, first + len(stream) + 1, up=False))
    assert joined(events, forward=True) == stream
    assert not any(isinstance(event, Gap | Conflict) for event in events)
    assert isinstance(events[-1], Closed)
    assert streams.held == 0


@settings(deadline=None)
@given(st.data(), st.binary(min_size=1, max_size=300), SEQUENCE)
def test_lost_segments_are_gaps_of_their_size(data: st.DataObject, stream: bytes, first: int) -> None:
    """The receiver acknowledges all; whatever was drawn passed here."""
    streams = Streams()
    events = streams.receive(segment(b"", first - 1, SYN))
    events += streams.receive(segment(b"", 4999, SYN | ACK, first, up=False))
    pieces = data.draw(cuts(stream))
    passed = [piece for piece in pieces if data.draw(st.booleans())]
    seen = bytearray(len(stream))
    for start, piece in passed:
        events += streams.receive(segment(piece, first + start, ack=5000))
        seen[start : start + len(piece)] = piece
    events += streams.receive(segment(b"", 5000, ACK, first + len(stream), up=False))
    events += streams.tick(10**9) + streams.close(2 * 10**9)
    assert joined(events, forward=True) == bytes(seen)
    assert not any(isinstance(event, Conflict) for event in events)


SEGMENTS = st.lists(
    st.tuples(
        st.integers(0, 10**9),
        st.booleans(),
        st.binary(max_size=20),
        st.integers(0, 63),
        st.one_of(st.integers(990, 1040), SEQUENCE),
        st.one_of(st.integers(990, 1040), SEQUENCE),
        st.integers(0, 2),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(SEGMENTS)
def test_no_segments_raise_and_events_keep_their_order(segments: list[tuple]) -> None:
    limits = Limits(max_flows=2, flow_bytes=60, total_bytes=200)
    streams, now, events = Streams(limits), 0, list[StreamEvent]()
    for wait, up, data, flags, seq, ack, port in segments:
        now += wait
        one = segment(data, seq, flags, ack, up=up, at=now)
        events += streams.receive(one._replace(dport=one.dport + port) if up else one._replace(sport=one.sport + port))
        deadline = streams.next_deadline()
        if deadline is not None and deadline <= now:
            events += streams.tick(now)
        assert streams.held <= 200
    events += streams.close(now)
    assert streams.held == 0
    check_order(events)


def check_order(events: list[StreamEvent]) -> None:
    opened, closed = set[int](), set[int]()
    for event in events:
        number = event.stream.number
        assert number not in closed
        match event:
            case Opened():
                assert number not in opened
                opened.add(number)
            case Closed():
                closed.add(number)
            case Data():
                assert event.data
            case Gap():
                assert event.size > 0
            case Conflict():
                assert event.kept != event.refused
        assert number in opened
    assert opened == closed


def fragments_of(payload: bytes, units: list[int]) -> list[bytes]:
    """One UDP datagram cut after each of `units` (8 bytes each)."""
    whole = bytes(udp(payload))
    header, unit = whole[:20], whole[20:]
    edges = sorted({0, *(8 * u for u in units if 8 * u < len(unit)), len(unit)})
    pieces = []
    for a, b in pairwise(edges):
        head = bytearray(header)
        head[2:4] = (20 + b - a).to_bytes(2)
        head[6:8] = (a // 8 | (0x2000 if b < len(unit) else 0)).to_bytes(2)
        pieces.append(bytes(head) + unit[a:b])
    return pieces


@settings(deadline=None)
@given(st.data(), st.binary(min_size=9, max_size=400), st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_any_order_of_fragments_gives_the_datagram(data: st.DataObject, payload: bytes, units: list[int]) -> None:
    pieces = fragments_of(payload, units)
    shuffled = data.draw(st.permutations(pieces + data.draw(st.lists(st.sampled_from(pieces), max_size=3))))
    reader, whole = Reader(), list[Datagram]()
    for piece in shuffled:
        step = reader.read(captured(piece, RAW))
        if isinstance(step, Datagram):
            whole.append(step)
    assert whole
    assert all((step.payload, step.flaws) == (payload, ()) for step in whole)


@settings(deadline=None)
@given(st.sampled_from(sorted(LINK_TYPES)), st.binary(max_size=120))
def test_no_packet_raises(link_type: int, data: bytes) -> None:
    step = Reader().read(Packet(0, Side.TAP, link_type, data))
    assert isinstance(step, Datagram | Held | Unread)
    assert not isinstance(step, Unread) or step.reason


@settings(deadline=None)
@given(st.sampled_from(["ipv4", "ipv6"]), st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=120))
def test_no_packet_behind_a_right_header_raises(version: str, protocol: int, port: int, rest: bytes) -> None:
    """Most bytes at random end at the first header; these reach the transports and tunnels."""
    rest = struct.pack(">HHHH", 2152, port, len(rest) + 8, 0) + rest
    if version == "ipv4":
        data = struct.pack(">BBHIBBH8s", 0x45, 0, 20 + len(rest), 0, 64, protocol, 0, bytes(8)) + rest
    else:
        data = struct.pack(">IHBB32s", 0x60000000, len(rest), protocol, 64, bytes(32)) + rest
    for checksums in (False, True):
        step = Reader(checksums=checksums).read(Packet(0, Side.TAP, RAW, data))
        assert isinstance(step, Datagram | Held | Unread)
        if isinstance(step, Datagram):
            assert step.payload in data
