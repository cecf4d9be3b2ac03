"""Canonical JSON (RFC 8785): the same value gives the same bytes, whoever writes it.

Law: `plain` takes any value of the model and leaves only what JSON holds; `to_bytes` writes it and never fails. The
fast path is Python's own encoder, taken only where it writes what RFC 8785 asks for; a property test compares both.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import rfc8785

from busgate.model import Argument, Party, Severity

_SAFE = 2**53 - 1  # RFC 8785, 3.2.2.3: beyond it an IEEE 754 reader rounds

_encoded = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode

# Where Python's JSON and RFC 8785 differ: exponents and large whole floats (3.2.2.3), and the order of keys beyond
# U+D7FF (3.2.3). Lone surrogates are no text at all. A false hit, inside a string, only costs time.
_EXPONENT = re.compile("e[-+][0-9]{2,3}[],}]")
_LARGE = re.compile("[0-9]{16}[.]0[],}]")
_HIGH = re.compile("[\ud800-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def plain(value: object) -> Any:
    """What JSON can hold of a value: numbers, text, lists and tables."""
    convert = _CONVERT.get(type(value))
    return convert(value) if convert is not None else _by_nature(value)


def _by_nature(value: object) -> Any:
    """A value of a type that is not in the table: foreign libraries give subclasses of numbers and text."""
    match value:
        case str():
            return str(value)
        case int():
            return _whole(value)
        case float():
            return _real(float(value))
        case Mapping():
            return _mapping(value)
        case Iterable():
            return _list(value)
        case _:
            return str(value)


def _same(value: Any) -> Any:
    return value


def _whole(value: int) -> int | str:
    return int(value) if -_SAFE <= value <= _SAFE else str(int(value))


def _real(value: float) -> float | int | str:
    if value.is_integer() and -_SAFE <= value <= _SAFE:
        return int(value)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    """Keys are words, or numbers such as a UDS service, which are written as two hexadecimal digits or more."""
    return {f"{key:02X}" if isinstance(key, int) else str(key): plain(item) for key, item in value.items()}


def _list(value: Iterable[Any]) -> list[Any]:
    return [plain(item) for item in value]


_CONVERT: Mapping[type, Callable[[Any], Any]] = {
    type(None): _same,
    bool: _same,
    str: _same,
    int: _whole,
    float: _real,
    bytes: bytes.hex,
    Severity: lambda value: value.name.lower(),
    Party: lambda value: {"name": value.name, "address": plain(value.address)},
    Argument: lambda value: {"value": plain(value.value), "unit": value.unit},
    dict: _mapping,
    tuple: _list,
}


def to_bytes(entry: dict[str, Any]) -> bytes:
    """The canonical JSON of what `plain` made, in UTF-8."""
    text = _encoded(entry)
    return rfc8785.dumps(_mended(entry)) if _differs(text) else text.encode()


def _differs(text: str) -> bool:
    return bool(
        _EXPONENT.search(text)
        or (".0" in text and _LARGE.search(text))
        or (not text.isascii() and _HIGH.search(text))
    )  # fmt: skip


def _mended(value: Any) -> Any:
    """The value with lone surrogates, which UTF-8 cannot write, replaced by U+FFFD."""
    match value:
        case str():
            return _SURROGATE.sub("\ufffd", value)
        case dict():
            return {_mended(key): _mended(item) for key, item in value.items()}
        case list():
            return [_mended(item) for item in value]
        case _:
            return value
