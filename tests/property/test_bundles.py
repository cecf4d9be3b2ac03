"""Bundles come back as they went, and no bytes raise."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from busgate.report import bundle
from busgate.report.bundle import MAX_INDEX, Bundle, NotABundle
from busgate.report.messages import read_early_copy, read_state

ENTRIES = st.lists(st.binary(max_size=300), min_size=1, max_size=40)


@given(first=st.integers(0, MAX_INDEX - 40), entries=ENTRIES)
def test_a_bundle_comes_back_as_it_went(first: int, entries: list[bytes]) -> None:
    assert bundle.decode(bundle.encode(first, entries)) == Bundle(first, tuple(entries))


@given(payload=st.binary(max_size=200), codec=st.sampled_from([0, 1, 9]), count=st.integers(0, 300))
def test_no_bytes_raise(payload: bytes, codec: int, count: int) -> None:
    shaped = b"BGE1\x01" + bytes([codec]) + count.to_bytes(2, "big") + bytes(8) + payload
    for foreign in (payload, shaped):
        assert isinstance(bundle.decode(foreign), (Bundle, NotABundle))
        read_state(foreign)
        read_early_copy(foreign)


@given(entries=ENTRIES, cut=st.integers(1, 60))
def test_a_bundle_cut_short_is_never_read_as_a_shorter_one(entries: list[bytes], cut: int) -> None:
    assert isinstance(bundle.decode(bundle.encode(0, entries)[:-cut]), NotABundle)
