"""DoIP streams: partition, independence of pieces, bounds, and every message of a client that does not know us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.automotive.doip import DoIP

from busgate.decode.doip import read
from fuzz.doip import SEEDS, check, spans

BYTES = st.lists(st.sampled_from([0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x40, 0x80, 0xFC, 0xFD, 0xFE, 0xFF]), max_size=80)
DATA = st.binary(max_size=80) | BYTES.map(bytes)
DIAGNOSTICS = st.builds(
    lambda source, target, data: bytes(DoIP(payload_type=0x8001, source_address=source, target_address=target) / data),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
    st.binary(min_size=1, max_size=40),
)
MESSAGES = DIAGNOSTICS | st.sampled_from(SEEDS[:14])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_invariant_holds_for_the_seeds_and_all_their_beginnings(seed: bytes) -> None:
    for end in range(len(seed) + 1):
        check(seed[:end])


@given(st.lists(MESSAGES | DATA | st.sampled_from(SEEDS), max_size=5).map(b"".join))
def test_the_invariant_holds_for_mixtures(data: bytes) -> None:
    check(data)


@given(st.sampled_from(SEEDS), st.integers(0, 400), st.integers(0, 255))
def test_the_invariant_holds_for_one_wrong_byte(seed: bytes, place: int, byte: int) -> None:
    at = place % len(seed)
    check(seed[:at] + bytes([byte]) + seed[at + 1 :] + SEEDS[10])


@given(st.lists(MESSAGES, min_size=1, max_size=6), st.integers(1, 40))
def test_messages_that_follow_each_other_are_found(messages: list[bytes], size: int) -> None:
    found = spans(b"".join(messages), size)
    assert [span.raw for span in found if span.pdu] == messages


@given(DIAGNOSTICS)
def test_a_diagnostic_message_carries_what_was_sent(raw: bytes) -> None:
    found = read(raw)
    assert found is not None
    theirs = DoIP(raw)
    assert int(found.fields["source_address"], 16) == theirs.source_address
    assert int(found.fields["target_address"], 16) == theirs.target_address
    assert found.fields["uds"] == raw[12:].hex()
