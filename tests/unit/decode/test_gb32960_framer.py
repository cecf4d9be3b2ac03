"""Packets out of a stream of GB/T 32960: false starts, lengths that lie, wrong check bytes, and bytes of nobody."""

from __future__ import annotations

import pytest

from busgate.decode.gb32960 import HEADER, MOST_HELD, STRETCH, Framer, check
from busgate.model import Span

VIN = b"SYNTHETICBUS00421"
NOW = bytes.fromhex("190a1b140202")


def packet(
    data: bytes = b"", command: int = 0xC2, start: bytes = b"##", response: int = 0xFE, length: int | None = None
) -> bytes:
    size = len(data) if length is None else length
    checked = bytes([command, response]) + VIN + b"\x01" + size.to_bytes(2) + data
    return start + checked + bytes([check(checked)])


def wrong(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 0x55])


def spans(stream: bytes) -> list[Span]:
    """All spans of a stream; cut anywhere they are the same, and joined they are the stream."""
    whole = Framer()
    found = whole.feed(stream) + whole.close()
    for size in (1, 7, 23, 4099):
        cut = Framer()
        pieces = [cut.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
        assert [span for piece in pieces for span in piece] + cut.close() == found
        assert cut.held == 0
    assert b"".join(span.raw for span in found) == stream
    return found


def raws(stream: bytes) -> list[tuple[bytes, bool]]:
    return [(span.raw, span.pdu is not None) for span in spans(stream)]


HEARTBEAT = packet(command=0x07)
LOCK = packet(NOW + b"\x90\x91", 0x82)


def test_packets_of_both_editions_follow_each_other() -> None:
    later = packet(command=0x07, start=b"$$")
    assert raws(HEARTBEAT + later + LOCK) == [(HEARTBEAT, True), (later, True), (LOCK, True)]


def test_a_packet_is_given_as_soon_as_it_is_whole_and_not_before() -> None:
    framer = Framer()
    assert framer.feed(LOCK[:-1]) == []
    assert framer.held == len(LOCK) - 1
    (span,) = framer.feed(LOCK[-1:])
    assert (span.raw, framer.held) == (LOCK, 0)


def test_bytes_of_nobody_come_out_when_the_packet_behind_them_has_its_header() -> None:
    framer = Framer()
    assert framer.feed(b"GET / HTTP" + LOCK[: HEADER - 1]) == []
    assert framer.feed(LOCK[HEADER - 1 : HEADER]) == [Span(b"GET / HTTP", None, "no GB/T 32960 packet")]
    assert [span.raw for span in framer.feed(LOCK[HEADER:])] == [LOCK]


def test_many_bytes_of_nobody_do_not_pile_up() -> None:
    framer = Framer()
    found = framer.feed(b"x" * (3 * STRETCH + 5))
    assert [len(span.raw) for span in found] == [STRETCH] * 3
    assert framer.held == 5
    assert raws(b"#" * 5000) == [(b"#" * STRETCH, False), (b"#" * (5000 - STRETCH), False)]


@pytest.mark.parametrize("junk", [b"#", b"$", b"##", b"$$", b"###", b"#$#", b"##\x82\xfe", b"##\x82\x01" + bytes(40)])
def test_false_starts_before_a_packet_do_not_hide_it(junk: bytes) -> None:
    found = raws(junk + HEARTBEAT + LOCK)
    assert found[-2:] == [(HEARTBEAT, True), (LOCK, True)]


@pytest.mark.parametrize("inside", [b"##", b"$$", HEARTBEAT, b"##" * 30, HEARTBEAT[:-1]])
def test_starts_inside_a_packets_data_are_data(inside: bytes) -> None:
    outer = packet(b"\x01" + inside + b"\x02")
    assert raws(outer + HEARTBEAT) == [(outer, True), (HEARTBEAT, True)]


def test_a_stream_that_is_picked_up_in_the_middle_of_a_packet() -> None:
    report = packet(b"ab##\x02\x23\x23\xfe" + bytes(90), 0x02)
    for lost in range(1, len(report)):
        assert raws(report[lost:] + LOCK) == [(report[lost:], False), (LOCK, True)]


def test_a_wrong_check_byte_is_a_flaw_and_the_stream_goes_on() -> None:
    first, second, third = spans(HEARTBEAT + wrong(LOCK) + HEARTBEAT)
    assert (first.raw, second.raw, third.raw) == (HEARTBEAT, wrong(LOCK), HEARTBEAT)
    assert second.pdu is not None
    assert second.pdu.fields["control_id"] == "0x90"
    assert len(second.pdu.flaws) == 1


@pytest.mark.parametrize("inside", [b"##", b"$$\x02\x77" + bytes(30), wrong(HEARTBEAT), b"##\x82\x44" + VIN])
def test_what_only_looks_like_a_start_does_not_cut_a_packet_with_a_wrong_check_byte(inside: bytes) -> None:
    outer = wrong(packet(NOW + b"\x90\x91" + inside + b"\x02" * 30, 0x82))
    assert raws(outer + HEARTBEAT) == [(outer, True), (HEARTBEAT, True)]


@pytest.mark.parametrize("lie", [3, 10, len(HEARTBEAT) - 1, len(HEARTBEAT) + 1, 60])
def test_a_length_that_lies_costs_only_its_own_packet(lie: int) -> None:
    lying = packet(NOW + b"\x90\x91", 0x82, length=8 + lie)
    later = packet(bytes(200))
    found = spans(lying + HEARTBEAT + later + HEARTBEAT)
    assert [span.raw for span in found] == [lying, HEARTBEAT, later, HEARTBEAT]
    assert found[0].pdu is not None
    assert found[0].pdu.fields["control_id"] == "0x90"
    assert found[0].pdu.flaws


@pytest.mark.parametrize("left", range(4, HEADER))
def test_a_header_cut_short_by_the_next_packet_is_no_packet(left: int) -> None:
    assert raws(LOCK[:left] + LOCK + HEARTBEAT) == [(LOCK[:left], False), (LOCK, True), (HEARTBEAT, True)]


def test_a_length_that_ends_with_a_later_packet_makes_one_of_both() -> None:
    # A packet from its command to its check byte is zero under exclusive or: so is any number of them.
    lying = packet(NOW + b"\x90\x91", 0x82, length=8 + len(HEARTBEAT))
    lying = lying[:-1] + bytes([check(lying[2:-1])])
    both = lying + HEARTBEAT
    (span,) = spans(both)
    assert span.pdu is not None
    assert (span.pdu.fields["bcc_ok"], span.pdu.fields["parameter"][:2]) == (True, "91")


def test_a_length_that_says_too_little_leaves_the_rest_to_nobody() -> None:
    lying = packet(bytes(range(1, 50)), length=9)
    found = raws(lying + HEARTBEAT)
    assert found == [(lying[: HEADER + 10], True), (lying[HEADER + 10 :], False), (HEARTBEAT, True)]


def test_a_length_that_nothing_fills_up_ends_with_the_stream() -> None:
    lying = packet(NOW + b"\x90\x91", 0x82, length=65000)
    found = raws(lying + HEARTBEAT + LOCK + HEARTBEAT[:10])
    assert found[:3] == [(lying, True), (HEARTBEAT, True), (LOCK, True)]
    assert found[3:] == [(HEARTBEAT[:10], False)]


def test_an_odd_header_needs_a_right_check_byte_except_where_a_packet_is_due() -> None:
    odd = packet(NOW, response=0x44)
    assert raws(b"junk" + odd + HEARTBEAT) == [(b"junk", False), (odd, True), (HEARTBEAT, True)]
    assert raws(b"junk" + wrong(odd) + HEARTBEAT) == [(b"junk" + wrong(odd), False), (HEARTBEAT, True)]
    first, second, third = spans(wrong(odd) + wrong(odd) + HEARTBEAT)
    assert [span.raw for span in (first, second, third)] == [wrong(odd), wrong(odd), HEARTBEAT]
    assert second.pdu is not None
    assert second.pdu.flaws[0] == "response flag 0x44 is reserved"


def test_a_cut_packet_at_the_end_is_read_as_far_as_it_goes() -> None:
    (span,) = spans(LOCK[:-3])
    assert span.pdu is not None
    assert span.pdu.fields["command"] == "0x82"
    assert raws(LOCK[: HEADER - 1]) == [(LOCK[: HEADER - 1], False)]
    assert raws(b"") == []


def test_what_is_held_has_a_bound() -> None:
    framer = Framer()
    longest = packet(bytes(65533))
    stray = b"x" * (STRETCH - 1)
    framer.feed(stray + longest[:3] + longest[:-1])
    assert framer.held <= MOST_HELD + STRETCH
    most = 0
    for _ in range(40):
        framer.feed(packet(length=65533)[:-1] + bytes(9000))
        most = max(most, framer.held)
    assert most <= MOST_HELD + STRETCH
