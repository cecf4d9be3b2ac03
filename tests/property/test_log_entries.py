"""Entries: the fast path writes what the reference does, and any event becomes one."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.model import Argument, GrantChange, Loss, Party, PolicyRefused, Traffic
from busgate.record.canonical import plain, to_bytes
from busgate.record.entry import MAX_ENTRY, RESERVED, decode
from support.logs import alert, entry

anything = st.text(max_size=30)
words = anything | st.text(st.characters(max_codepoint=0xFFFF), max_size=20) | st.sampled_from(["\ud800", "\U0010ffff"])
numbers = st.integers() | st.floats() | st.integers(-(2**70), 2**70)
values = st.recursive(
    st.none() | st.booleans() | numbers | anything,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(anything, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.dictionaries(anything, values, max_size=6))
def test_the_fast_path_writes_what_the_reference_writes(value: dict[str, Any]) -> None:
    made = plain(value)
    assert to_bytes(made) == rfc8785.dumps(made)


@given(st.dictionaries(words, st.floats(), max_size=3))
def test_every_float_and_every_key_are_written_as_the_reference_does(value: dict[str, float]) -> None:
    made = plain(value)
    # Lone surrogates are no text: the reference refuses them, and an entry must be written all the same.
    if not any("\ud800" <= letter <= "\udfff" for key in made for letter in key):
        assert to_bytes(made) == rfc8785.dumps(made)
    assert json.loads(to_bytes(made)) is not None


arguments = st.dictionaries(words, st.builds(Argument, numbers | words, words), max_size=4)
parties = st.builds(Party, words, st.none() | st.integers())
events = st.one_of(
    st.builds(
        alert,
        st.integers(),
        name=words,
        detail=words,
        source=parties,
        target=parties,
        arguments=arguments,
        state=st.dictionaries(words, numbers | words, max_size=4),
    ),
    st.builds(PolicyRefused, st.integers(), words),
    st.builds(Loss, st.integers(), st.dictionaries(words, st.integers(), max_size=4)),
    st.builds(Traffic, st.integers(), *[st.dictionaries(words, st.integers(), max_size=3)] * 3),
    st.builds(
        GrantChange, st.integers(), words, words, words, st.lists(words, max_size=4).map(tuple), st.integers(), words
    ),
)


def _as_javascript(digits: str) -> int | float:
    """A large float is written without exponent or point, and read by others as the float that it is."""
    number = int(digits)
    return number if abs(number) < 2**53 else float(digits)


@settings(max_examples=200)
@given(events, st.integers(0, 2**53 - 1), st.none() | st.integers())
def test_every_event_becomes_one_canonical_entry(event: Any, seq: int, wall_ns: int | None) -> None:
    raw = entry(event, seq=seq, wall_ns=wall_ns)
    read = decode(raw)
    assert read["seq"] == seq
    assert rfc8785.dumps(json.loads(raw, parse_int=_as_javascript)) == raw
    assert entry(event, seq=seq, wall_ns=wall_ns) == raw
    assert {field.name for field in fields(event)} | RESERVED == read.keys() | {"truncated"}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 3000), st.sampled_from(["x", "\x01", "é", "🚌", '"']))
def test_no_entry_is_ever_too_long(many: int, long: int, letter: str) -> None:
    event = alert(
        arguments={f"{number}{letter * 5}": Argument(letter * 20) for number in range(many)},
        state={f"{number}": letter * 10 for number in range(many)},
        detail=letter * long * 10,
        name=letter * long,
        source=Party(letter * long * 5, 1),
    )
    raw = entry(event)
    assert len(raw) <= MAX_ENTRY
    read = decode(raw)
    assert read.get("truncated", False) == (
        (many > 0 and not read["arguments"]) or read["detail"] != letter * long * 10
    )
