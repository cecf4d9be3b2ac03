from __future__ import annotations

import io

import pytest

from busgate.bridge import candump
from busgate.bridge.lines import BLOCK
from busgate.bridge.records import Notes, Record
from busgate.model import BIT_RATE_SWITCH, ERROR, ERROR_STATE, EXTENDED, FD_FORMAT, REMOTE

ALL_FD_FLAGS = FD_FORMAT | BIT_RATE_SWITCH | ERROR_STATE
ONE_TO_EIGHT = bytes(range(1, 9))


def read(text: str, *, cut: bool = False) -> tuple[list[Record], Notes]:
    notes = Notes()
    return list(candump.read(io.BytesIO(text.encode()), notes, lambda: cut)), notes


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("(1768000000.000001) can0 123#0102", (1768000000000001000, "can0", 0x123, b"\x01\x02", 0)),
        ("(0.5) vcan0 000#", (500_000_000, "vcan0", 0, b"", 0)),
        ("(1.123456789) can0 7FF#ff", (1_123_456_789, "can0", 0x7FF, b"\xff", 0)),
        ("(1.000000) can0 00000123#", (10**9, "can0", 0x123 | EXTENDED, b"", 0)),
        ("(1.000000) can0 18FEF100#0011223344 R", (10**9, "can0", 0x98FEF100, bytes.fromhex("0011223344"), 0)),
        ("(1.000000) can0 123#R", (10**9, "can0", 0x123 | REMOTE, b"", 0)),
        ("(1.000000) can0 123#R8", (10**9, "can0", 0x123 | REMOTE, bytes(8), 0)),
        ("(1.000000) can0 123##0", (10**9, "can0", 0x123, b"", FD_FORMAT)),
        ("(1.000000) can0 123##3" + "ab" * 12, (10**9, "can0", 0x123, b"\xab" * 12, ALL_FD_FLAGS)),
        ("(1.000000) can0 123#1122334455667788_B", (10**9, "can0", 0x123, bytes.fromhex("1122334455667788"), 0)),
        ("(1.000000) can0 20000080#0000000000000000", (10**9, "can0", ERROR | 0x80, bytes(8), 0)),
        (" (1.000000)  can0  123   [2]  AA BB", (10**9, "can0", 0x123, b"\xaa\xbb", 0)),
        (" (1.000000)  can0  RX - -  18FEF100   [1]  AA   '.'", (10**9, "can0", 0x98FEF100, b"\xaa", 0)),
        (" (1.000000)  can0  123  [08]  01 02 03 04 05 06 07 08", (10**9, "can0", 0x123, ONE_TO_EIGHT, FD_FORMAT)),
        (" (1.000000)  can0  123   [3]  remote request", (10**9, "can0", 0x123 | REMOTE, bytes(3), 0)),
    ],
)  # fmt: skip
def test_every_form_of_a_line_is_read(line: str, record: Record) -> None:
    assert candump.parse(line) == record
    assert read(line + "\r\n")[0] == [record]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "(1.000000) can0 123",
        "(1.000000) can0 123#1",
        "(1.000000) can0 123#112233445566778899",
        "(1.000000) can0 FFF#",
        "(1.000000) can0 FFFFFFFF#",
        "(1.000000) can0 123#R9",
        "(1.000000) can0 123##0" + "00" * 9,
        "(1.000000) can0 123##1R",
        "(-1.000000) can0 123#",
        "(1_0.000000) can0 123#",
        "(1,000000) can0 123#",
        "(1.000000) 123#",
        "  can0  123   [2]  AA",
        " (1.000000)  can0  123   [3]  AA BB",
        "(\u0661.000000) can0 123#",
    ],
)
def test_what_is_no_line_is_none(line: str) -> None:
    assert candump.parse(line) is None


def test_unreadable_lines_are_counted_with_the_first_ones_number() -> None:
    records, notes = read("(1.000000) can0 001#\n\n# a comment\n(2.000000) can0 002#\nnoise\n(3.000000) can0 FFF#\n")
    assert [record[2] for record in records] == [1, 2]
    assert (notes.skipped, notes.first_skipped) == (3, 3)


def test_a_bad_line_among_ordinary_ones_has_its_own_number() -> None:
    lines = [f"({n}.000000) can0 {0x800 if n == 7 else n:03X}#" for n in range(12)]
    records, notes = read("\n".join(lines) + "\n")
    assert len(records) == 11
    assert notes.first_skipped == 8


def test_the_order_of_lines_is_kept_across_blocks() -> None:
    count = BLOCK // 20
    text = "".join(
        f"({n}.000000) can0 {n % 0x7FF:03X}#{n:08X}\n" if n % 1000 else f"({n}.5) can0 {n % 0x7FF:03X}#{n:08X}\n"
        for n in range(count)
    )
    records, notes = read(text)
    assert [int.from_bytes(record[3], "big") for record in records] == list(range(count))
    assert notes.skipped == 0


def test_a_last_line_without_its_end_is_kept_and_said_unless_the_file_is_known_to_be_cut() -> None:
    text = "(1.000000) can0 001#11\n(2.000000) can0 002#22"
    records, notes = read(text)
    assert len(records) == 2
    assert notes.warnings == ["the last line has no line end: the recording may have been cut there"]
    records, notes = read(text, cut=True)
    assert len(records) == 1


def test_an_endless_line_is_one_unreadable_line() -> None:
    records, notes = read("x" * (3 * BLOCK) + "\n(1.000000) can0 001#\n")
    assert len(records) == 1
    assert (notes.skipped, notes.first_skipped) == (1, 1)
