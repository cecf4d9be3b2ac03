"""GB/T 32960 streams: partition, independence of pieces, bounds, and every packet found behind any junk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busgate.decode.gb32960 import Framer
from busgate_sim.cloud.gb32960 import Edition, Packet, encode
from fuzz.gb32960 import SEEDS, check, spans

# Bytes that mean something here, so that chance finds starts, counts and ends.
BYTES = st.lists(st.sampled_from([0x00, 0x01, 0x02, 0x05, 0x23, 0x24, 0x30, 0x80, 0x82, 0xFE, 0xFF]), max_size=120)
DATA = st.binary(max_size=120) | BYTES.map(bytes)
PACKETS = st.builds(
    Packet,
    command=st.integers(1, 254),
    vin=st.just("SYNTHETICBUS00421"),
    data=DATA,
    response=st.sampled_from([1, 2, 0xFE]),
    edition=st.sampled_from(Edition),
    encryption=st.sampled_from([1, 1, 3]),
).map(encode)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_invariant_holds_for_the_seeds_and_all_their_beginnings(seed: bytes) -> None:
    for end in range(len(seed) + 1):
        check(seed[:end])


@given(st.lists(PACKETS | DATA | st.sampled_from(SEEDS), max_size=5).map(b"".join))
def test_the_invariant_holds_for_mixtures(data: bytes) -> None:
    check(data)


@given(st.sampled_from(SEEDS), st.integers(0, 400), st.integers(0, 255))
def test_the_invariant_holds_for_one_wrong_byte(seed: bytes, place: int, byte: int) -> None:
    at = place % len(seed)
    check(seed[:at] + bytes([byte]) + seed[at + 1 :] + SEEDS[0])


@given(st.lists(PACKETS, min_size=1, max_size=5), st.integers(1, 60))
def test_packets_that_follow_each_other_are_found(packets: list[bytes], size: int) -> None:
    found = spans(b"".join(packets), size)
    assert [span.raw for span in found if span.pdu] == packets


@given(st.binary(max_size=60).filter(lambda junk: b"##" not in junk and b"$$" not in junk), PACKETS)
def test_a_packet_behind_junk_is_found(junk: bytes, packet: bytes) -> None:
    framer = Framer()
    # A last byte that is half of a start takes the packet's first, and leaves the second with the third.
    found = framer.feed(junk.rstrip(b"#$") + packet)
    assert found[-1].raw == packet
    assert found[-1].pdu is not None
