"""Every identifier splits and says where it came from again; every group number has one kind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from busgate.decode.j1939 import PgnKind, canonical, pgn_kind, split


@given(st.integers(0, 0x1FFFFFFF))
def test_a_split_identifier_puts_together_again(can_id: int) -> None:
    priority, pgn, sa, da = split(can_id)
    whole = priority << 26 | pgn << 8 | sa
    assert (whole | da << 8 if pgn >> 8 & 0xFF < 0xF0 else whole) == can_id


@given(st.integers(0, 0xFFFFFF))
def test_every_number_has_a_kind_and_one_canonical_form(number: int) -> None:
    pgn = canonical(number)
    assert isinstance(pgn_kind(pgn), PgnKind)
    assert canonical(pgn) == pgn
    assert split(pgn << 8).pgn == pgn
