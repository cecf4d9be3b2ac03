from __future__ import annotations

import io

import pytest

from busgate.bridge import asc
from busgate.bridge.records import Notes, Record
from busgate.model import BIT_RATE_SWITCH, ERROR, ERROR_STATE, EXTENDED, FD_FORMAT, REMOTE

HEAD = "date Mon Jan 12 10:00:00.000 am 2026\nbase hex  timestamps absolute\nno internal events logged\n"


def read(text: str) -> tuple[list[Record], Notes]:
    notes = Notes()
    return list(asc.read(io.BytesIO(text.encode()), notes, lambda: False)), notes


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("   0.000100 1  123             Rx   d 2 AA 01", (100_000, "0", 0x123, b"\xaa\x01", 0)),
        ("   2.5 2  18FEF100x       Tx   d 0", (2_500_000_000, "1", 0x98FEF100, b"", 0)),
        (
            "   2.501000 1  C8              Tx   d 8 09 08 07 06 05 04 03 02  Length = 230000 BitCount = 118 ID = 200x",
            (2_501_000_000, "0", 0xC8, bytes.fromhex("0908070605040302"), 0),
        ),
        ("   1.0 1  123  Rx d f 01 02 03 04 05 06 07 08", (10**9, "0", 0x123, bytes(range(1, 9)), 0)),
        ("   1.0 1  123  Tx   r", (10**9, "0", 0x123 | REMOTE, b"", 0)),
        ("   1.0 1  123  Tx   r 4", (10**9, "0", 0x123 | REMOTE, bytes(4), 0)),
        ("   1.0 1  ErrorFrame", (10**9, "0", ERROR, b"", 0)),
        ("   1.0 CANFD 1 Rx ErrorFrame Not Acknowledge error", (10**9, "0", ERROR, b"", 0)),
        (
            "  30.005021 CANFD   2 Rx        300   Generic_Name_12  1 1 9 12 "
            + "01 " * 12
            + "102203  133   7000 e0006659 46500250 4b140250 20011736 2001040d",
            (30_005_021_000, "1", 0x300, b"\x01" * 12, FD_FORMAT | BIT_RATE_SWITCH | ERROR_STATE),
        ),
        (
            "  30.0 CANFD   1 Rx  1F300x  0 0 1 1 AB  0  0  0 0 0 0 0 0",
            (30_000_000_000, "0", 0x1F300 | EXTENDED, b"\xab", 0),
        ),
        ("  30.0 CANFD   1 Rx  300  0 0 2 2 AB CD", (30_000_000_000, "0", 0x300, b"\xab\xcd", FD_FORMAT)),
    ],
)
def test_every_kind_of_frame_is_read(line: str, record: Record) -> None:
    records, notes = read(HEAD + line + "\n")
    assert records == [record]
    assert notes.skipped == 0


def test_a_file_may_count_in_decimals() -> None:
    records, _ = read("base dec  timestamps absolute\n   1.0 1  200  Rx   d 2 10 255\n")
    assert records == [(10**9, "0", 200, b"\x0a\xff", 0)]


def test_relative_timestamps_count_from_the_line_before() -> None:
    records, _ = read(
        "base hex  timestamps relative\n   1.0 1  1  Rx   d 0\n   0.5 Statistic: D 0 R 0\n   0.25 1  2  Rx   d 0\n"
    )
    assert [record[0] for record in records] == [1_000_000_000, 1_750_000_000]


def test_other_events_are_no_frames_and_no_faults() -> None:
    records, notes = read(
        HEAD + "Begin Triggerblock Mon Jan 12 10:00:00 2026\n   0.000000 Start of measurement\n"
        "   1.0 1  Statistic: D 0 R 0 XD 0 XR 0 E 0 O 0 B 0.00%\n   1.1 J1939TP FEE3p 6 0 0 - Rx d 23 A0\n"
        "   1.2 LIN1 3C Tx 8 00\n   1.3 CAN 1 Status:chip status error active\nEnd TriggerBlock\n"
    )
    assert records == []
    assert notes.skipped == 0


@pytest.mark.parametrize(
    "line",
    [
        "   1.0 1  EngineData  Rx   d 1 AA",
        "   1.0 1  123  Rx   d 3 AA BB",
        "   1.0 1  FFF  Rx   d 0",
        "   1.0 1  123  Rx   d 1 1FF",
        "   1.0 CANFD 1 Rx 300 1 0 8",
        "   1.0 CANFD 1 Rx 300 1 0 9 12 00",
        "   1.0 CANFD 1 Rx 300 1 0 9 9 00 00 00 00 00 00 00 00 00",
    ],
)
def test_a_frame_that_cannot_be_read_is_skipped_with_its_number(line: str) -> None:
    records, notes = read(HEAD + line + "\n   2.0 1  1  Rx   d 0\n")
    assert len(records) == 1
    assert (notes.skipped, notes.first_skipped) == (1, 4)


def test_it_is_told_by_its_head_or_by_its_lines() -> None:
    assert asc.looks_so(["// version 8.1", "date Mon Jan 12 10:00:00.000 am 2026"])
    assert asc.looks_so(["   0.000100 1  123             Rx   d 2 AA 01"])
    assert not asc.looks_so(["(1.000000) can0 123#AA", "0.1 hello", "date of birth"])
