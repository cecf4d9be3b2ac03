from __future__ import annotations

import pytest

from busgate.decode.connection import Limits
from busgate.decode.datagram import ACK, FIN, RST, SYN, Datagram
from busgate.decode.reassembly import MOST_PIECES, REACH, TAIL
from busgate.decode.stream import Streams
from busgate.decode.stream_events import Closed, Conflict, Data, Gap, Opened, StreamEvent
from busgate.model import Endpoint
from support.traffic import BUS, CLOUD

SECOND = 1_000_000_000
TBOX, PLATFORM = Endpoint(BUS, 50000), Endpoint(CLOUD, 8808)
A, B = 1000, 5000
"""Initial sequence numbers of the bus and of the cloud."""


def segment(
    data: bytes = b"",
    seq: int = 0,
    ack: int | None = None,
    *,
    flags: int = 0,
    down: bool = False,
    at: int = 0,
    lacks: int = 0,
) -> Datagram:
    ends = (CLOUD, 8808, BUS, 50000) if down else (BUS, 50000, CLOUD, 8808)
    flags |= 0 if ack is None else ACK
    return Datagram(at, "tcp", *ends, data, flags, seq % 2**32, (ack or 0) % 2**32, lacks=lacks)


def play(streams: Streams, *segments: Datagram) -> list[StreamEvent]:
    return [event for one in segments for event in streams.receive(one)]


def told(events: list[StreamEvent]) -> list[object]:
    """Events without their times and streams: data as bytes, `up` marked by a leading >, and the rest by its words."""
    shown: list[object] = []
    for event in events:
        match event:
            case Opened(_, _, how):
                shown.append(how)
            case Data(_, _, forward, data):
                shown.append((">" if forward else "<", data))
            case Gap(_, _, forward, size):
                shown.append((">" if forward else "<", size))
            case Conflict(_, _, forward, offset, kept, refused):
                shown.append((">" if forward else "<", offset, kept, refused))
            case Closed(_, _, how):
                shown.append(how)
    return shown


def handshake(first: int = A, second: int = B, at: int = 0) -> list[Datagram]:
    return [
        segment(seq=first, flags=SYN, at=at),
        segment(seq=second, ack=first + 1, flags=SYN, down=True, at=at),
        segment(seq=first + 1, ack=second + 1, at=at),
    ]


@pytest.fixture
def streams() -> Streams:
    opened = Streams()
    play(opened, *handshake())
    return opened


def test_a_whole_connection() -> None:
    streams = Streams()
    events = play(
        streams,
        *handshake(),
        segment(b"hello", A + 1, B + 1),
        segment(b"", B + 1, A + 6, down=True),
        segment(b"welcome", B + 1, A + 6, down=True),
        segment(b"", A + 6, B + 8, flags=FIN),
        segment(b"", B + 8, A + 7, flags=FIN, down=True),
        segment(b"", A + 7, B + 9),
    )
    assert told(events) == ["syn", (">", b"hello"), ("<", b"welcome"), "fin"]
    assert events[0].stream == (1, TBOX, PLATFORM)
    assert streams.held == 0


def test_what_is_no_tcp_says_nothing() -> None:
    assert Streams().receive(Datagram(0, "udp", BUS, 1, CLOUD, 2, b"x")) == []


def test_segments_out_of_order_wait_for_each_other(streams: Streams) -> None:
    events = play(streams, segment(b"cc", A + 5, B + 1), segment(b"bb", A + 3, B + 1))
    assert events == []
    assert streams.held == 4
    (data,) = play(streams, segment(b"aa", A + 1, B + 1, at=7))
    assert isinstance(data, Data)
    assert (data.at, data.forward, data.data) == (7, True, b"aabbcc")


def test_retransmissions_say_nothing_twice(streams: Streams) -> None:
    events = play(
        streams,
        segment(b"abcd", A + 1, B + 1),
        segment(b"abcd", A + 1, B + 1),
        segment(b"cdef", A + 3, B + 1),
        segment(b"ij", A + 9, B + 1),
        segment(b"ij", A + 9, B + 1),
        segment(b"efghij", A + 5, B + 1),
    )
    assert told(events) == [(">", b"abcd"), (">", b"ef"), (">", b"ghij")]


def test_a_copy_that_differs_is_told_and_the_first_wins(streams: Streams) -> None:
    events = play(
        streams,
        segment(b"lock", B + 1, A + 1, down=True),
        segment(b"kill", B + 1, A + 1, down=True),
        segment(b"fuse", B + 9, A + 1, down=True),
        segment(b"door", B + 9, A + 1, down=True),
        segment(b"it. no.", B + 5, A + 1, down=True),
    )
    assert told(events) == [
        ("<", b"lock"),
        ("<", 0, b"lock", b"kill"),
        ("<", 8, b"fuse", b"door"),
        ("<", 8, b"fus", b"no."),
        ("<", b"it. fuse"),
    ]


def test_sequence_numbers_wrap() -> None:
    streams = Streams()
    first = 2**32 - 3
    events = play(streams, *handshake(first), *(segment(b"xy", first + 1 + n, B + 1) for n in (4, 0, 2)))
    assert told(events) == ["syn", (">", b"xy"), (">", b"xyxy")]


def test_data_with_the_syn_is_data() -> None:
    streams = Streams()
    events = play(
        streams,
        segment(b"fast", A, flags=SYN),
        segment(seq=B, ack=A + 5, flags=SYN, down=True),
        segment(b"er", A + 5, B + 1),
    )
    assert told(events) == ["syn", (">", b"fast"), (">", b"er")]


def test_bytes_that_the_receiver_has_and_we_do_not_are_a_gap_after_the_grace(streams: Streams) -> None:
    grace = Limits().grace_ns
    assert play(streams, segment(b"later", A + 101, B + 1, at=SECOND)) == []
    assert play(streams, segment(b"", B + 1, A + 106, down=True, at=SECOND)) == []
    assert streams.next_deadline() == SECOND + grace
    assert streams.tick(SECOND + grace - 1) == []
    assert told(streams.tick(SECOND + grace)) == [(">", 100), (">", b"later")]
    assert told(play(streams, segment(b"!", A + 106, B + 1, at=2 * SECOND))) == [(">", b"!")]


def test_an_answer_that_overtakes_its_bytes_is_no_gap(streams: Streams) -> None:
    assert play(streams, segment(b"", B + 1, A + 6, down=True, at=0)) == []
    assert told(play(streams, segment(b"hello", A + 1, B + 1, at=100_000_000))) == [(">", b"hello")]
    assert streams.tick(10 * SECOND) == []


def test_time_alone_ends_a_connection_whose_last_bytes_were_lost(streams: Streams) -> None:
    play(
        streams,
        segment(b"", B + 1, A + 11, flags=FIN, down=True),
        segment(b"89", A + 9, B + 2, flags=FIN),
    )
    assert told(streams.tick(SECOND)) == [(">", 8), (">", b"89"), "fin"]
    assert streams.held == 0


def test_a_lost_end_is_a_gap_too(streams: Streams) -> None:
    play(streams, segment(b"", B + 1, A + 11, down=True))
    assert told(streams.tick(SECOND)) == [(">", 10)]


def test_bytes_that_the_receiver_lacks_as_well_are_waited_for(streams: Streams) -> None:
    play(streams, segment(b"", B + 1, A + 1, down=True), segment(b"cc", A + 3, B + 1))
    assert streams.tick(60 * SECOND) == []
    assert told(play(streams, segment(b"aa", A + 1, B + 1, at=61 * SECOND))) == [(">", b"aacc")]


def test_where_the_receiver_is_not_heard_patience_decides() -> None:
    streams = Streams()
    patience = Limits().patience_ns
    play(streams, segment(b"aa", 100), segment(b"cc", 110, at=SECOND), segment(b"dd", 112, at=2 * SECOND))
    assert streams.tick(SECOND + patience - 1) == []
    assert told(streams.tick(SECOND + patience)) == [(">", 8), (">", b"ccdd")]


def test_bytes_that_come_after_they_were_given_up_are_told(streams: Streams) -> None:
    play(streams, segment(b"", B + 1, A + 5, down=True))
    assert told(streams.tick(SECOND)) == [(">", 4)]
    assert told(play(streams, segment(b"late", A + 1, B + 1))) == [(">", 0, b"", b"late")]


def test_mid_stream_the_lower_port_is_the_server() -> None:
    down = play(Streams(), segment(b"x", 77, 88, down=True))
    assert told(down) == ["mid-stream", ("<", b"x")]
    assert down[0].stream[1:] == (TBOX, PLATFORM)


def test_an_answer_to_a_syn_that_was_missed_tells_who_opened() -> None:
    streams = Streams()
    events = play(streams, segment(seq=B, ack=A + 1, flags=SYN, down=True), segment(b"aa", A + 1, B + 1))
    assert told(events) == ["syn", (">", b"aa")]
    assert events[0].stream.initiator == TBOX


def test_keep_alives_are_no_bytes(streams: Streams) -> None:
    events = play(
        streams,
        segment(b"abc", A + 1, B + 1),
        segment(b"", A + 3, B + 1),
        segment(b"\0", A + 3, B + 1),
        segment(b"", B + 1, A + 4, down=True),
        segment(b"d", A + 4, B + 1),
    )
    assert told(events) == [(">", b"abc"), (">", b"d")]


def test_a_half_closed_connection_goes_on(streams: Streams) -> None:
    events = play(
        streams,
        segment(b"last", A + 1, B + 1, flags=FIN),
        segment(b"more", B + 1, A + 6, down=True),
        segment(b"", B + 5, A + 6, flags=FIN, down=True),
    )
    assert told(events) == [(">", b"last"), ("<", b"more"), "fin"]


def test_a_fin_waits_for_the_bytes_before_it(streams: Streams) -> None:
    events = play(
        streams,
        segment(b"", B + 1, A + 1, flags=FIN, down=True),
        segment(b"cd", A + 3, B + 2, flags=FIN),
        segment(b"ab", A + 1, B + 2),
    )
    assert told(events) == [(">", b"abcd"), "fin"]


def test_what_repeats_the_end_opens_nothing(streams: Streams) -> None:
    end = [segment(b"bye", A + 1, B + 1, flags=FIN), segment(b"", B + 1, A + 5, flags=FIN, down=True)]
    assert told(play(streams, *end, *end, segment(b"", A + 5, B + 2), segment(seq=A + 5, flags=RST))) == [
        (">", b"bye"),
        "fin",
    ]


def test_bytes_after_the_end_are_a_new_life(streams: Streams) -> None:
    end = [segment(b"bye", A + 1, B + 1, flags=FIN), segment(b"", B + 1, A + 5, flags=FIN, down=True)]
    events = play(streams, *end, segment(b"boo", B + 2, A + 5, down=True))
    assert told(events)[2:] == ["mid-stream", ("<", b"boo")]
    assert events[2].stream.number == 2


def test_bytes_beyond_a_fin_take_it_back(streams: Streams) -> None:
    events = play(
        streams,
        segment(b"", A + 1, B + 1, flags=FIN),
        segment(b"still here", A + 1, B + 1),
        segment(b"", B + 1, A + 11, flags=FIN, down=True),
    )
    assert told(events) == [(">", b"still here")]


@pytest.mark.parametrize("seq", [A + 3, A + 100])
def test_a_reset_in_the_window_ends_it(streams: Streams, seq: int) -> None:
    events = play(streams, segment(b"ab", A + 1, B + 1), segment(seq=seq, flags=RST))
    assert told(events) == [(">", b"ab"), "rst"]


@pytest.mark.parametrize("seq", [A, A + 3 + REACH])
def test_a_reset_out_of_the_window_is_nobodys(streams: Streams, seq: int) -> None:
    events = play(streams, segment(b"ab", A + 1, B + 1), segment(seq=seq, flags=RST), segment(b"cd", A + 3, B + 1))
    assert told(events) == [(">", b"ab"), (">", b"cd")]


def test_after_a_reset_that_ended_nothing_the_bytes_are_still_read(streams: Streams) -> None:
    events = play(streams, segment(seq=B + 1, flags=RST, down=True), segment(b"kill", B + 1, A + 1, down=True))
    assert told(events) == ["rst", "mid-stream", ("<", b"kill")]


def test_a_refused_connection() -> None:
    events = play(Streams(), segment(seq=A, flags=SYN), segment(seq=0, ack=A + 1, flags=RST, down=True))
    assert told(events) == ["syn", "refused"]


def test_a_syn_that_is_not_its_own_does_not_end_a_connection(streams: Streams) -> None:
    events = play(streams, segment(seq=99, flags=SYN), segment(b"ab", A + 1, B + 1))
    assert told(events) == [(">", b"ab")]


def test_a_syn_that_is_answered_begins_a_new_life(streams: Streams) -> None:
    events = play(streams, segment(b"ab", A + 1, B + 1), *handshake(70_000, 80_000), segment(b"new", 70_001, 80_001))
    assert told(events) == [(">", b"ab"), "reopened", "syn", (">", b"new")]


def test_ports_are_used_again_after_the_end(streams: Streams) -> None:
    events = play(streams, segment(seq=A + 1, flags=RST), *handshake(70_000, 80_000), segment(b"new", 70_001, 80_001))
    assert told(events) == ["rst", "syn", (">", b"new")]
    assert events[-1].stream.number == 2


def test_a_connection_far_elsewhere_is_a_new_life(streams: Streams) -> None:
    far = A + 2**31
    events = play(
        streams,
        segment(b"ab", A + 1, B + 1),
        segment(b"", B + 1, far, down=True),
        segment(b"new", far, B + 1),
        segment(b"er", far + 3, B + 1),
    )
    assert told(events) == [(">", b"ab"), "lost track", "mid-stream", (">", b"new"), (">", b"er")]


def test_a_stray_segment_far_elsewhere_is_not_believed(streams: Streams) -> None:
    events = play(
        streams,
        segment(b"ab", A + 1, B + 1),
        segment(b"", B + 1, A + 3, down=True),
        segment(b"stray", A + 3 + 2**31, B + 1),
        segment(b"stray", A + 3 + 2**30, B + 1),
        segment(b"cd", A + 3, B + 1),
    )
    assert told(events) == [(">", b"ab"), (">", b"cd")]


def test_an_answer_out_of_all_reach_is_not_believed(streams: Streams) -> None:
    events = play(streams, segment(b"", B + 1, A + 2 * REACH, down=True), segment(b"ab", A + 1, B + 1))
    assert told(events) == [(">", b"ab")]
    assert streams.tick(SECOND) == []


def test_what_the_capture_cut_off_is_a_gap(streams: Streams) -> None:
    events = play(
        streams,
        segment(b"abc", A + 1, B + 1, lacks=97),
        segment(b"", B + 1, A + 101, down=True),
        segment(b"def", A + 101, B + 1, flags=FIN),
    )
    assert told(events + streams.tick(SECOND)) == [(">", b"abc"), (">", 97), (">", b"def")]


def test_the_buffer_of_a_deaf_flow_is_bounded_and_the_hole_given_up() -> None:
    streams = Streams(Limits(flow_bytes=1000))
    play(streams, segment(b"a", 100))
    events: list[StreamEvent] = []
    for number in range(11):
        events += play(streams, segment(bytes(100), 200 + 100 * number))
    assert told(events) == [(">", 99), (">", bytes(1100))]


def test_the_buffer_of_a_heard_flow_is_bounded_and_later_bytes_wait_outside(streams: Streams) -> None:
    for number in range(MOST_PIECES + 100):
        assert play(streams, segment(b"z", A + 10 + 2 * number, B + 1)) == []
    assert streams.held == MOST_PIECES
    assert told(play(streams, segment(b"123456789", A + 1, B + 1))) == [(">", b"123456789z")]


def test_delivered_bytes_are_forgotten_but_for_the_tail(streams: Streams) -> None:
    for number in range(300):
        play(streams, segment(bytes(1000), A + 1 + 1000 * number, B + 1))
        assert streams.held <= 2 * TAIL + 1000
    old = play(streams, segment(b"x" * 10, A + 1, B + 1))
    assert old == [], "too old to be compared"
    (conflict,) = play(streams, segment(b"x" * 10, A + 299_900, B + 1))
    assert isinstance(conflict, Conflict)


def other(number: int, data: bytes = b"", *, flags: int = 0, at: int = 0) -> Datagram:
    return Datagram(at, "tcp", "192.0.2.1", 1024 + number, CLOUD, 443, data, flags, 1)


def test_many_connections_are_bounded_and_the_longest_silent_gives_way() -> None:
    streams = Streams(Limits(max_flows=3))
    play(streams, *(other(number, b"x") for number in range(3)), other(0, b"x"))
    events = play(streams, other(3, b"x"))
    assert told(events) == ["mid-stream", (">", b"x"), "evicted"]
    assert isinstance(events[-1], Closed)
    assert events[-1].stream.initiator.port == 1025


def test_a_flood_of_syns_does_not_push_out_a_connection() -> None:
    small = Streams(Limits(max_flows=4))
    play(small, *handshake())
    events = play(small, *(other(number, flags=SYN) for number in range(100)))
    assert {event.how for event in events if isinstance(event, Closed)} == {"no answer"}
    assert told(play(small, segment(b"still", A + 1, B + 1))) == [(">", b"still")]


def test_all_connections_together_are_bounded() -> None:
    streams = Streams(Limits(total_bytes=100_000))
    for number in range(50):
        play(streams, other(number, bytes(10_000)))
        assert streams.held <= 100_000


def test_silent_connections_end(streams: Streams) -> None:
    limits = Limits()
    play(streams, other(1, flags=SYN, at=SECOND))
    assert streams.next_deadline() == SECOND + limits.linger_ns
    assert told(streams.tick(SECOND + limits.linger_ns)) == ["no answer"]
    assert streams.next_deadline() == limits.idle_ns
    assert told(streams.tick(limits.idle_ns)) == ["idle"]
    assert streams.next_deadline() is None


def test_the_end_of_a_capture_tells_what_still_waits(streams: Streams) -> None:
    play(streams, segment(b"cc", A + 3, B + 1), other(1, flags=SYN))
    assert told(streams.close(9)) == [(">", 2), (">", b"cc"), "idle", "no answer"]
    assert streams.held == 0
    assert streams.next_deadline() is None


def test_a_connection_with_itself_does_no_harm() -> None:
    streams = Streams()
    land = Datagram(0, "tcp", BUS, 7, BUS, 7, b"x", SYN, 5)
    events = play(streams, land, land._replace(flags=ACK, seq=7, ack=7, payload=b"y")) + streams.close(1)
    assert told(events)[0] == "syn"
    assert told(events)[-1] == "idle"


def test_resets_and_answers_of_unseen_connections_open_nothing() -> None:
    assert play(Streams(), segment(seq=5, flags=RST), segment(seq=5, ack=6), segment(seq=5, ack=6, flags=FIN)) == []
