"""The state and the early copy, there and back, and what is neither."""

from __future__ import annotations

import json

import pytest

from busgate.report.messages import EarlyCopy, State, early_copy, read_early_copy, read_state

STATE = State(3, 2, online=True, origin="o/log/b/1", incarnation="1", size=9)


def test_a_state_comes_back_as_it_went() -> None:
    assert read_state(STATE.payload) == STATE


def test_an_early_copy_carries_the_entrys_own_bytes() -> None:
    payload = early_copy("1-ab", 7, b'{"type":"alert"}')
    assert b'{"type":"alert"}' in payload
    assert read_early_copy(payload) == EarlyCopy("1-ab", 7, {"type": "alert"})


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"boot": -1}, {"boot": True}, {"boot": 2**60}, {"size": "9"}, {"online": 1}, {"origin": None}],
)
def test_a_state_with_a_field_of_another_kind_is_none(change: dict[str, object]) -> None:
    assert read_state(json.dumps(json.loads(STATE.payload) | change).encode()) is None


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"v":1}', b" " * 200_000])
def test_foreign_bytes_are_neither(payload: bytes) -> None:
    assert read_state(payload) is None
    assert read_early_copy(payload) is None
