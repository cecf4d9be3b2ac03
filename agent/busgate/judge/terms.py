"""The words a policy is written in: numbers, lists of numbers, durations, dates and times of day.

Law: each is read in one way only, and what cannot be read is an error that shows how to write it. An empty list is an
error everywhere: it selects nothing, and a reader may take it for everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from typing import Annotated, Any, NamedTuple

from pydantic import ConfigDict, PlainValidator, StringConstraints, ValidationError, WithJsonSchema, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from busgate.document import Path, Strict

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE

_UNITS: dict[str, int] = {"ms": SECOND // 1000, "s": SECOND, "min": MINUTE, "h": 60 * MINUTE}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))? ?(ms|s|min|h)")
_TIMESTAMP = re.compile(
    r"((?:19[7-9]|2[0-9]{2})[0-9]-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-][0-9]{2}:[0-9]{2}))"
)
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_OFFSET = re.compile(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NUMBER = r"(0[xX][0-9A-Fa-f]{1,8}|0|[1-9][0-9]{0,9})"
_RANGE = re.compile(rf"{_NUMBER}(?: ?- ?{_NUMBER})?")


class Written(Strict):
    """The base of what a policy writes: its own field names only, and no field without a value.

    A field that is left empty would read as "not limited" to us and as "nothing" to its writer.
    """

    model_config = ConfigDict(populate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _nothing_empty(cls, written: Any) -> Any:
        if isinstance(written, dict):
            for field, value in written.items():
                if value is None:
                    raise fault_at((field,), "it has no value; give it one or leave it out")
        return written


def fault_at(path: Path, message: str) -> ValidationError:
    """A fault inside a document's value, at a path of fields and places, so that it is told with its own line."""
    fault = PydanticCustomError("policy", "{message}", {"message": message})
    return ValidationError.from_exception_data("policy", [InitErrorDetails(type=fault, loc=path, input=None)])


class Listed(NamedTuple):
    """What a policy lists: ranges of numbers, both ends included, or "any"."""

    ranges: tuple[tuple[int, int], ...]
    everything: bool = False

    def allows(self, number: int) -> bool:
        """Whether the number is listed."""
        return self.everything or any(low <= number <= high for low, high in self.ranges)


EVERYTHING = Listed((), everything=True)
NOTHING = Listed(())


def check(faults: Iterator[str]) -> None:
    """Raise the first fault there is, as a validator does."""
    for fault in faults:
        raise ValueError(fault)


def duration(written: object) -> int:
    """Nanoseconds of "500 ms", "1.5 s", "10 min" or "2 h"; more than nothing."""
    match = _DURATION.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError(f"{written!r} is not a duration; write it with its unit: 500 ms, 10 s, 1 min or 2 h")
    thousandths = int(match[1] + (match[2] or "").ljust(3, "0"))
    nanoseconds = thousandths * _UNITS[match[3]] // 1000
    if nanoseconds == 0:
        raise ValueError("a duration must be longer than nothing")
    return nanoseconds


def in_words(nanoseconds: int) -> str:
    """A duration as a policy writes it, in the largest unit that divides it."""
    for unit in ("h", "min", "s"):
        if nanoseconds % _UNITS[unit] == 0:
            return f"{nanoseconds // _UNITS[unit]} {unit}"
    return f"{nanoseconds / _UNITS['ms']:g} ms"


def timestamp(written: object) -> int:
    """Nanoseconds since 1970 of an RFC 3339 date and time, such as 2026-11-23T08:00:00Z."""
    match = _TIMESTAMP.fullmatch(written) if isinstance(written, str) else None
    moment = None if match is None else _calendar(f"{match[1]}T{match[2]}{match[4] or '+00:00'}")
    if match is None or moment is None:
        raise ValueError(f"{written!r} is not a date and time; write it like 2026-11-23T08:00:00Z")
    return (moment - _EPOCH) // timedelta(seconds=1) * SECOND + int((match[3] or "").ljust(9, "0"))


def _calendar(written: str) -> datetime | None:
    """The moment, unless the calendar has no such day or the day no such time."""
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None


def in_utc(nanoseconds: int) -> str:
    """A timestamp as RFC 3339 writes it in UTC, to the second: 2026-11-23T08:00:00Z."""
    return f"{_EPOCH + timedelta(seconds=nanoseconds // SECOND):%Y-%m-%dT%H:%M:%S}Z"


def time_of_day(written: object) -> int:
    """Nanoseconds since midnight of "22:00"; "24:00" is the midnight that ends the day."""
    match = _TIME_OF_DAY.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError(f'{written!r} is not a time of day; write it in quotes: "22:00"')
    return DAY if match[0] == "24:00" else int(match[1]) * 60 * MINUTE + int(match[2]) * MINUTE


def utc_offset(written: object) -> int:
    """Nanoseconds east of UTC of "+01:00"."""
    match = _OFFSET.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError(f'{written!r} is not an offset from UTC; write it in quotes: "+01:00"')
    offset = int(match[2]) * 60 * MINUTE + int(match[3]) * MINUTE
    return -offset if match[1] == "-" else offset


def number(written: object) -> int | float:
    """A number as it stands: whole numbers stay exact, true and false are none."""
    if isinstance(written, bool) or not isinstance(written, (int, float)) or not abs(written) < inf:
        raise ValueError(f"{written!r} is not a number")
    return written


def words(written: object) -> tuple[int | float | str, ...]:
    """One value or a list of them: numbers, or labels of a value table."""
    return tuple(item if isinstance(item, str) and item else number(item) for item in _several(written))


def labels(written: object) -> tuple[str, ...]:
    """One text or a list of them."""
    items = tuple(_several(written))
    for item in items:
        if not isinstance(item, str) or not item:
            raise ValueError(f"{item!r} is not a text")
    return items


def integers(written: object, *, least: int, most: int) -> tuple[int, ...]:
    """One whole number or a list of them, each within the limits."""
    return tuple(_integer(item, least, most) for item in _several(written))


def listed(written: object, *, most: int) -> Listed:
    """One number, a range in quotes ("0x0100-0x01FF"), a list of such, or "any"."""
    if written == "any":
        return EVERYTHING
    return Listed(tuple(_range(item, most) for item in _several(written)))


def identity(written: object) -> str:
    """A short name without spaces: letters, digits, dots, hyphens and underscores."""
    if not isinstance(written, str) or _ID.fullmatch(written) is None:
        raise ValueError(f"{written!r} is no id; use up to 64 letters, digits, dots, hyphens and underscores")
    return written


def _several(written: object) -> list[Any]:
    items = written if isinstance(written, list) else [written]
    if not items:
        raise ValueError("an empty list selects nothing; list what is meant")
    return items


def _integer(written: object, least: int, most: int) -> int:
    if isinstance(written, bool) or not isinstance(written, int) or not least <= written <= most:
        shown = hexadecimal(written) if type(written) is int and written >= 0 else repr(written)
        raise ValueError(f"{shown} is not a whole number from {hexadecimal(least)} to {hexadecimal(most)}")
    return written


def _range(written: object, most: int) -> tuple[int, int]:
    match = _RANGE.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        single = _integer(written, 0, most)
        return single, single
    low = _integer(int(match[1], 0), 0, most)
    high = _integer(int(match[2], 0), 0, most) if match[2] else low
    if high < low:
        raise ValueError(f"{written!r} runs backwards")
    return low, high


def hexadecimal(value: int) -> str:
    """An address or identifier as people write it: 0x4A, 0xFEE0."""
    return f"0x{value:02X}"


def one_or_more(item: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of one item, or of a list of them."""
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def as_text(*examples: str) -> WithJsonSchema:
    """The JSON Schema of what is written as text and read as something else."""
    return WithJsonSchema({"type": "string", "examples": list(examples)})


_INTEGERS = WithJsonSchema(one_or_more({"type": "integer", "minimum": 0}))
_LISTED = WithJsonSchema(one_or_more({"type": ["integer", "string"], "examples": [0xF190, "0x0100-0x01FF", "any"]}))

_PLAIN = r"^[^\x00-\x1F\x7F]*$"
Name = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=128, pattern=_PLAIN)]
Prose = Annotated[str, StringConstraints(strict=True, max_length=500, pattern=_PLAIN)]
Id = Annotated[str, PlainValidator(identity), as_text("preheat")]

Duration = Annotated[int, PlainValidator(duration), as_text("500 ms", "10 s", "1 min", "2 h")]
Timestamp = Annotated[int, PlainValidator(timestamp), as_text("2026-11-23T08:00:00Z")]
TimeOfDay = Annotated[int, PlainValidator(time_of_day), as_text("22:00")]
UtcOffset = Annotated[int, PlainValidator(utc_offset), as_text("+01:00")]
Number = Annotated[int | float, PlainValidator(number), WithJsonSchema({"type": "number"})]
Words = Annotated[
    tuple[int | float | str, ...],
    PlainValidator(words),
    WithJsonSchema(one_or_more({"type": ["number", "string"]})),
]
Addresses = Annotated[Listed, PlainValidator(partial(listed, most=0xFF)), _LISTED]
CanIds = Annotated[tuple[int, ...], PlainValidator(partial(integers, least=0, most=0x1FFF_FFFF)), _INTEGERS]
Groups = Annotated[tuple[int, ...], PlainValidator(partial(integers, least=0, most=0x3FFFF)), _INTEGERS]
Requested = Annotated[Listed, PlainValidator(partial(listed, most=0x3FFFF)), _LISTED]
Services = Annotated[tuple[int, ...], PlainValidator(partial(integers, least=0x01, most=0xFE)), _INTEGERS]
Subfunctions = Annotated[Listed, PlainValidator(partial(listed, most=0x7F)), _LISTED]
Codes = Annotated[Listed, PlainValidator(partial(listed, most=0xFFFF_FFFF)), _LISTED]
Labels = Annotated[
    tuple[str, ...],
    PlainValidator(labels),
    WithJsonSchema(one_or_more({"type": "string"})),
]
Identifiers = Annotated[Listed, PlainValidator(partial(listed, most=0xFFFF)), _LISTED]
