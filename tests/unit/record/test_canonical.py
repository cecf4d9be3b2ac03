from __future__ import annotations

import json
import math
from collections import OrderedDict
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
import rfc8785

from busgate.model import Argument, Party, Severity, Subsystem
from busgate.record.canonical import plain, to_bytes
from support.logs import VECTORS


@pytest.mark.parametrize("vector", VECTORS["jcs"])
def test_the_public_vectors_of_rfc_8785_come_out(vector: dict[str, str]) -> None:
    assert to_bytes(plain(json.loads(vector["input"]))).decode() == vector["output"]


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        (True, True),
        (None, None),
        (12, 12),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (12.0, 12),
        (-0.0, 0),
        (12.5, 12.5),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (b"\x00\xff", "00ff"),
        (Severity.CRITICAL, "critical"),
        (Subsystem.HIGH_VOLTAGE, "high-voltage"),
        (Party("VCU", 0x27), {"name": "VCU", "address": 39}),
        (Party("", None), {"name": "", "address": None}),
        (Argument(12.5, "km/h"), {"value": 12.5, "unit": "km/h"}),
        (("a", 1), ["a", 1]),
        ({"a": (1.0,)}, {"a": [1]}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        ({0x22: 1, 0x7: 2, 0x1FF: 3}, {"22": 1, "07": 2, "1FF": 3}),
        (frozenset({1}), [1]),
        (1j, "1j"),
    ],
)
def test_values_of_the_model_become_plain(value: object, becomes: Any) -> None:
    found = plain(value)
    assert found == becomes
    assert type(found) is type(becomes) or isinstance(found, str)


class Odd(float):
    """A number of a foreign library."""


class Worded(StrEnum):
    """Text of a foreign library."""

    WORD = "word"


class Counted(int):
    """A count of a foreign library."""


def test_subclasses_that_foreign_libraries_give_become_their_nature() -> None:
    assert [plain(value) for value in (Odd(2.0), Odd("nan"), Worded.WORD, Counted(7), Counted(2**60))] == [
        2, "NaN", "word", 7, str(2**60)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [1e-5, 1e-4, 1.5e-7, 5e-324, 1e15, 2.0**53, 2.0**53 + 2, 1e16, 123456789012345680000.0, 1e21, 1e300, -1e-9],
)
def test_awkward_numbers_are_written_as_rfc_8785_asks(value: float) -> None:
    entry = plain({"a": value, "b": [value]})
    assert to_bytes(entry) == rfc8785.dumps(entry)
    assert float(json.loads(to_bytes(entry))["a"]) == value


def test_keys_beyond_the_basic_plane_are_ordered_by_utf16() -> None:
    assert to_bytes({"\ufb33": 1, "\U0001f602": 2}).decode() == '{"\U0001f602":2,"\ufb33":1}'


def test_half_a_character_is_replaced_and_never_an_error() -> None:
    assert to_bytes({"a\ud800": ["\udfff", "x"]}).decode() == '{"a\ufffd":["\ufffd","x"]}'


def test_a_number_in_a_text_stays_text() -> None:
    entry = {"a": "[1e-05]", "b": "1234567890123456.0]", "c": "3e-04}"}
    assert to_bytes(entry) == rfc8785.dumps(entry) == b'{"a":"[1e-05]","b":"1234567890123456.0]","c":"3e-04}"}'
