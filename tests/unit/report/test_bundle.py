"""Bundles: the bytes of the table, and every way they can be wrong."""

from __future__ import annotations

import zlib

import pytest

from busgate.report import bundle
from busgate.report.bundle import Bundle, BundleError, NotABundle

RAW = bytes.fromhex("42474531 01 00 0002 0000000000000007 0002 6162 0001 63".replace(" ", ""))


def header(codec: int, count: int, first: int = 0, version: int = 1) -> bytes:
    return b"BGE1" + bytes([version, codec]) + count.to_bytes(2, "big") + first.to_bytes(8, "big")


def test_a_raw_bundle_has_these_bytes() -> None:
    assert bundle.encode(7, [b"ab", b"c"]) == RAW
    assert bundle.decode(RAW) == Bundle(7, (b"ab", b"c"))
    assert Bundle(7, (b"ab", b"c")).end == 9


def test_what_deflates_well_is_deflated() -> None:
    payload = bundle.encode(0, [b"x" * 5000])
    assert payload[5] == bundle.ZLIB
    assert len(payload) < 100
    assert bundle.decode(payload) == Bundle(0, (b"x" * 5000,))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "shorter"),
        (RAW[:15], "shorter"),
        (b"XGE1" + RAW[4:], "does not begin"),
        (header(0, 1, version=2) + b"\0\1a", "does not begin"),
        (header(0, 0), "out of range"),
        (header(0, 257), "out of range"),
        (header(0, 1, 2**63 - 1) + b"\0\1a", "out of range"),
        (header(2, 1) + b"\0\1a", "codec 2"),
        (RAW + b"!", "1 bytes follow the last entry"),
        (RAW[:-1], "entry 1 ends early"),
        (RAW[:-3], "says 2 entries and holds 1"),
        (header(0, 1) + bytes(bundle.MAX_BODY + 1), "longer than"),
        (header(1, 1) + b"no zlib", "not zlib"),
        (header(1, 1) + zlib.compress(b"\0\1a")[:-1], "ends early"),
        (header(1, 1) + zlib.compress(b"\0\1a") + b"!", "bytes follow its zlib"),
        (header(1, 1) + zlib.compress(bytes(bundle.MAX_BODY + 1)), "inflates beyond"),
        (header(1, 1) + zlib.compress(bytes(1 << 26)), "inflates beyond"),
    ],
)
def test_bytes_that_are_no_bundle_say_why(payload: bytes, reason: str) -> None:
    found = bundle.decode(payload)
    assert isinstance(found, NotABundle)
    assert reason in found.reason


def test_as_many_entries_fit_as_there_is_room() -> None:
    assert bundle.fitting([b"1234"] * 3, room=12) == 2
    assert bundle.fitting([b"1234"] * 3, room=18) == 3
    assert bundle.fitting([b""] * 300) == 256
    assert bundle.fitting([]) == 0
    assert bundle.fitting([bytes(bundle.MAX_ENTRY)] * 20) == 15


@pytest.mark.parametrize(
    ("first", "entries"),
    [(0, []), (0, [b"a"] * 257), (0, [bytes(65536)]), (-1, [b"a"]), (2**63 - 1, [b"a"]), (0, [bytes(65535)] * 17)],
)
def test_what_cannot_be_a_bundle_is_the_callers_mistake(first: int, entries: list[bytes]) -> None:
    with pytest.raises(BundleError):
        bundle.encode(first, entries)
