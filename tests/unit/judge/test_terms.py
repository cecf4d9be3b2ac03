from __future__ import annotations

from collections.abc import Callable

import pytest

from busgate.judge.terms import (
    DAY,
    EVERYTHING,
    MINUTE,
    NOTHING,
    SECOND,
    Listed,
    as_text,
    check,
    duration,
    fault_at,
    hexadecimal,
    identity,
    in_utc,
    in_words,
    integers,
    listed,
    number,
    one_or_more,
    time_of_day,
    timestamp,
    utc_offset,
    words,
)

MS = SECOND // 1000


def fault_of(read: Callable[..., object], *written: object, **limits: int) -> str:
    with pytest.raises(ValueError, match=r".") as told:
        read(*written, **limits)
    return str(told.value)


@pytest.mark.parametrize(
    ("written", "nanoseconds"),
    [
        ("500 ms", 500 * MS),
        ("500ms", 500 * MS),
        ("0.001 ms", 1000),
        ("10 s", 10 * SECOND),
        ("1.5 s", 1500 * MS),
        ("1.05 s", 1050 * MS),
        ("0.125 s", 125 * MS),
        ("1 min", MINUTE),
        ("2 h", 120 * MINUTE),
        ("999999999 h", 999_999_999 * 3600 * SECOND),
    ],
)
def test_a_duration_has_its_unit(written: str, nanoseconds: int) -> None:
    assert duration(written) == nanoseconds


@pytest.mark.parametrize(
    "written",
    [10, 1.5, None, True, "", "10", "s", "10 sec", "-1 s", "1e3 s", "1,5 s", "1.0005 s", "1  s", "10 S", "1 s "],
)
def test_what_is_no_duration_is_told_how_to_write_one(written: object) -> None:
    expected = f"{written!r} is not a duration; write it with its unit: 500 ms, 10 s, 1 min or 2 h"
    assert fault_of(duration, written) == expected


@pytest.mark.parametrize("written", ["0 s", "0.000 h", "0 ms"])
def test_no_time_at_all_is_no_duration(written: str) -> None:
    with pytest.raises(ValueError, match=r"^a duration must be longer than nothing$"):
        duration(written)


@pytest.mark.parametrize(
    ("nanoseconds", "written"),
    [
        (7200 * SECOND, "2 h"),
        (90 * MINUTE, "90 min"),
        (MINUTE, "1 min"),
        (90 * SECOND, "90 s"),
        (SECOND, "1 s"),
        (1500 * MS, "1500 ms"),
        (1000, "0.001 ms"),
    ],
)
def test_a_duration_is_told_in_the_largest_unit_that_divides_it(nanoseconds: int, written: str) -> None:
    assert in_words(nanoseconds) == written
    assert duration(written) == nanoseconds


@pytest.mark.parametrize(
    ("written", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01z", SECOND),
        ("1970-01-02t00:00:00Z", DAY),
        ("2026-11-23T08:00:00Z", 1_795_420_800 * SECOND),
        ("2026-11-23T08:00:00.5Z", 1_795_420_800 * SECOND + SECOND // 2),
        ("2026-11-23T08:00:00.000000001Z", 1_795_420_800 * SECOND + 1),
        ("2026-11-23T09:00:00+01:00", 1_795_420_800 * SECOND),
        ("2026-11-23T02:30:00-05:30", 1_795_420_800 * SECOND),
        ("1970-01-01T00:00:00+14:00", -14 * 60 * MINUTE),
    ],
)
def test_a_timestamp_is_rfc_3339(written: str, nanoseconds: int) -> None:
    assert timestamp(written) == nanoseconds


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-23",
        "2026-11-23 08:00:00Z",
        "2026-11-23T08:00Z",
        "2026-11-23T08:00:00",
        "2026-11-23T08:00:00.Z",
        "2026-11-23T08:00:00.1234567890Z",
        "2026-11-23T08:00:60Z",
        "2026-02-30T08:00:00Z",
        "2026-13-01T08:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T08:00:00+24:00",
        "1969-12-31T23:59:59Z",
        "3000-01-01T00:00:00Z",
        "٢٠٢٦-11-23T08:00:00Z",
        20261123,
        None,
    ],
)
def test_what_is_no_timestamp_is_told_how_to_write_one(written: object) -> None:
    assert fault_of(timestamp, written) == f"{written!r} is not a date and time; write it like 2026-11-23T08:00:00Z"


def test_a_timestamp_is_told_in_utc_to_the_second() -> None:
    assert in_utc(timestamp("2026-11-23T09:00:00.999999999+01:00")) == "2026-11-23T08:00:00Z"
    assert in_utc(timestamp("2999-12-31T23:59:59-14:00")) == "3000-01-01T13:59:59Z"
    assert in_utc(-1) == "1969-12-31T23:59:59Z"


@pytest.mark.parametrize(
    ("written", "nanoseconds"),
    [
        ("00:00", 0),
        ("00:01", MINUTE),
        ("09:30", 570 * MINUTE),
        ("22:00", 1320 * MINUTE),
        ("23:59", 1439 * MINUTE),
        ("24:00", DAY),
    ],
)
def test_a_time_of_day_is_hours_and_minutes(written: str, nanoseconds: int) -> None:
    assert time_of_day(written) == nanoseconds


@pytest.mark.parametrize("written", [1320, "22", "22:60", "24:01", "25:00", "9:30", "22:00:00", "", None])
def test_what_is_no_time_of_day_is_told_how_to_write_one(written: object) -> None:
    assert fault_of(time_of_day, written) == f'{written!r} is not a time of day; write it in quotes: "22:00"'


@pytest.mark.parametrize(
    ("written", "minutes"),
    [("+00:00", 0), ("-00:00", 0), ("+01:00", 60), ("-03:30", -210), ("+14:59", 899), ("-14:00", -840)],
)
def test_an_offset_is_signed(written: str, minutes: int) -> None:
    assert utc_offset(written) == minutes * MINUTE


@pytest.mark.parametrize("written", [600, "01:00", "+1:00", "+15:00", "+01:60", "Z", "+01", None])
def test_what_is_no_offset_is_told_how_to_write_one(written: object) -> None:
    assert fault_of(utc_offset, written) == f'{written!r} is not an offset from UTC; write it in quotes: "+01:00"'


@pytest.mark.parametrize("written", [0, -5, 1.5, 2**64 + 1, 10**400])
def test_a_number_stays_as_it_is(written: float) -> None:
    assert number(written) is written


@pytest.mark.parametrize("written", [True, False, "5", None, [], float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_told_so(written: object) -> None:
    assert fault_of(number, written) == f"{written!r} is not a number"


def test_words_are_labels_and_numbers_alone_or_listed() -> None:
    assert words("Off") == ("Off",)
    assert words(2.5) == (2.5,)
    assert words(["Off", 1, "on"]) == ("Off", 1, "on")


@pytest.mark.parametrize("written", [True, [True], "", ["a", ""], [None], [["a"]]])
def test_true_and_nothing_are_no_words(written: object) -> None:
    with pytest.raises(ValueError, match=r" is not a number$"):
        words(written)


def test_integers_come_alone_or_listed_within_their_limits() -> None:
    assert integers(5, least=5, most=9) == (5,)
    assert integers([9, 5], least=5, most=9) == (9, 5)


@pytest.mark.parametrize(
    ("written", "shown"),
    [(4, "0x04"), (10, "0x0A"), (True, "True"), ("6", "'6'"), (6.0, "6.0"), (None, "None"), ([6, 300], "0x12C")],
)
def test_what_is_no_such_integer_is_told_so(written: object, shown: str) -> None:
    assert fault_of(integers, written, least=5, most=9) == f"{shown} is not a whole number from 0x05 to 0x09"


@pytest.mark.parametrize(
    "read", [words, lambda written: integers(written, least=0, most=9), lambda written: listed(written, most=9)]
)
def test_an_empty_list_is_an_error(read: object) -> None:
    assert callable(read)
    with pytest.raises(ValueError, match=r"^an empty list selects nothing; list what is meant$"):
        read([])


@pytest.mark.parametrize(
    ("written", "ranges"),
    [
        (0, ((0, 0),)),
        (0x1FF, ((0x1FF, 0x1FF),)),
        ("0x10", ((16, 16),)),
        ("16", ((16, 16),)),
        ("0", ((0, 0),)),
        ("0x0100-0x01FF", ((0x100, 0x1FF),)),
        ("0x0100 - 0x01ff", ((0x100, 0x1FF),)),
        ("0X10-32", ((16, 32),)),
        ("7-7", ((7, 7),)),
        ([1, "3-4"], ((1, 1), (3, 4))),
    ],
)
def test_what_is_listed_are_numbers_and_ranges(written: object, ranges: tuple[tuple[int, int], ...]) -> None:
    assert listed(written, most=0x1FF) == Listed(ranges)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("0x20-0x10", "'0x20-0x10' runs backwards"),
        (0x200, "0x200 is not a whole number from 0x00 to 0x1FF"),
        ("0x200", "0x200 is not a whole number from 0x00 to 0x1FF"),
        ("0-0x200", "0x200 is not a whole number from 0x00 to 0x1FF"),
        ("0x200-0x300", "0x200 is not a whole number from 0x00 to 0x1FF"),
        (-1, "-1 is not a whole number from 0x00 to 0x1FF"),
        ("010", "'010' is not a whole number from 0x00 to 0x1FF"),
        ("all", "'all' is not a whole number from 0x00 to 0x1FF"),
        (["any"], "'any' is not a whole number from 0x00 to 0x1FF"),
        ("1-2-3", "'1-2-3' is not a whole number from 0x00 to 0x1FF"),
    ],
)
def test_what_cannot_be_listed_is_told(written: object, told: str) -> None:
    assert fault_of(listed, written, most=0x1FF) == told


def test_any_is_everything() -> None:
    assert listed("any", most=9) == EVERYTHING
    assert EVERYTHING.allows(0)
    assert EVERYTHING.allows(10**9)
    assert not NOTHING.allows(0)


def test_ranges_include_both_ends() -> None:
    some = Listed(((3, 5), (9, 9)))
    assert [number for number in range(12) if some.allows(number)] == [3, 4, 5, 9]


@pytest.mark.parametrize("written", ["a", "7", "g-2026-11-23_07.b", "x" * 64])
def test_an_id_is_a_short_name(written: str) -> None:
    assert identity(written) == written


@pytest.mark.parametrize("written", ["", "-a", ".a", "a b", "é", "a\n", "x" * 65, 7, None])
def test_what_is_no_id_is_told_so(written: object) -> None:
    assert (
        fault_of(identity, written)
        == f"{written!r} is no id; use up to 64 letters, digits, dots, hyphens and underscores"
    )


def test_the_first_fault_is_raised() -> None:
    check(iter(()))
    with pytest.raises(ValueError, match=r"^one$"):
        check(iter(("one", "two")))


def test_numbers_are_told_in_hexadecimal() -> None:
    assert [hexadecimal(value) for value in (0, 0x4A, 0xFEE0)] == ["0x00", "0x4A", "0xFEE0"]


def test_a_fault_has_its_place() -> None:
    fault = fault_at(("allow", 3, "id"), "it is {odd}")
    assert fault.title == "policy"
    assert fault.errors() == [
        {
            "type": "policy",
            "loc": ("allow", 3, "id"),
            "msg": "it is {odd}",
            "input": None,
            "ctx": {"message": "it is {odd}"},
        }
    ]


def test_the_schema_of_text_shows_how_to_write_it() -> None:
    assert as_text("10 s", "1 min").json_schema == {"type": "string", "examples": ["10 s", "1 min"]}


def test_a_schema_takes_one_or_a_list_that_is_not_empty() -> None:
    assert one_or_more({"type": "x"}) == {
        "anyOf": [{"type": "x"}, {"type": "array", "items": {"type": "x"}, "minItems": 1}]
    }
