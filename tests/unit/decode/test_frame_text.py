"""Every shape of line, and what is wrong with those that are none."""

from __future__ import annotations

import pytest

from busgate.decode.frame_text import FrameLine, PayloadLine, Unreadable, read_line
from busgate.model import BIT_RATE_SWITCH, ERROR, ERROR_STATE, EXTENDED, FD_FORMAT, REMOTE

E29 = 0x18FEF100 | EXTENDED
FD = FD_FORMAT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # candump -L, with and without the direction that newer versions append
        ("(1.200000) can0 123#AABB", FrameLine(1_200_000_000, "can0", 0x123, b"\xaa\xbb")),
        ("(1436509052.249713) vcan0 18FEF100#00 R", FrameLine(1_436_509_052_249_713_000, "vcan0", E29, b"\0")),
        ("(0.5) can1 123#AABB T", FrameLine(500_000_000, "can1", 0x123, b"\xaa\xbb")),
        ("(0) can1 123#", FrameLine(0, "can1", 0x123, b"")),
        # candump on the screen, plain and with -t a, -t A, -x, -a
        ("can0  123   [2]  AA BB", FrameLine(None, "can0", 0x123, b"\xaa\xbb")),
        ("  can0  123   [0]", FrameLine(None, "can0", 0x123, b"")),
        (" (0.000100)  can0  18FEF100   [1]  00", FrameLine(100_000, "can0", E29, b"\0")),
        (" (1970-01-01 00:00:01.000002)  can0  123   [1]  00", FrameLine(1_000_002_000, "can0", 0x123, b"\0")),
        (" can0  RX - -  123   [2]  AA BB", FrameLine(None, "can0", 0x123, b"\xaa\xbb")),
        (" can0  TX B E  123   [08]  00 11 22 33 44 55 66 77",
         FrameLine(None, "can0", 0x123, bytes.fromhex("0011223344556677"), FD | BIT_RATE_SWITCH | ERROR_STATE)),
        (" can0  123   [2]  41 42         'AB'", FrameLine(None, "can0", 0x123, b"AB")),
        (" can0  123   [12]  " + "00 " * 12, FrameLine(None, "can0", 0x123, bytes(12), FD)),
        (" can0  123   [4]  remote request", FrameLine(None, "can0", 0x123 | REMOTE, bytes(4))),
        (" can0  20000080   [8]  00 00 00 00 00 00 00 00   ERRORFRAME",
         FrameLine(None, "can0", 0x80 | ERROR, bytes(8))),
        # cansend
        ("123#aabb", FrameLine(None, "", 0x123, b"\xaa\xbb")),
        ("7#", FrameLine(None, "", 0x007, b"")),
        ("00000123#00", FrameLine(None, "", 0x123 | EXTENDED, b"\0")),
        ("123#11.22.33", FrameLine(None, "", 0x123, b"\x11\x22\x33")),
        ("123#1122334455667788_E", FrameLine(None, "", 0x123, bytes.fromhex("1122334455667788"))),
        ("123#R", FrameLine(None, "", 0x123 | REMOTE, b"")),
        ("18FEF100#R8", FrameLine(None, "", E29 | REMOTE, bytes(8))),
        ("123##0AABB", FrameLine(None, "", 0x123, b"\xaa\xbb", FD)),
        ("123##1" + "00" * 64, FrameLine(None, "", 0x123, bytes(64), FD | BIT_RATE_SWITCH)),
        ("(1.0) can0 123##3", FrameLine(1_000_000_000, "can0", 0x123, b"", FD | BIT_RATE_SWITCH | ERROR_STATE)),
        # payloads
        ("22F190", PayloadLine(b"\x22\xf1\x90")),
        (" 22 f1 90 \n", PayloadLine(b"\x22\xf1\x90")),
        ("0x22 0XF1 0x90", PayloadLine(b"\x22\xf1\x90")),
        ("0x22F190", PayloadLine(b"\x22\xf1\x90")),
        # nothing said
        ("", None),
        ("   \t\r\n", None),
        ("# 123#AABB", None),
        ("#", None),
    ],
)  # fmt: skip
def test_a_line_is_read_in_the_shape_it_has(text: str, expected: FrameLine | PayloadLine | None) -> None:
    assert read_line(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("123#AAB", "half a byte"),
        ("22 F1 9", "half a byte"),
        ("123#112233445566778899", "at most 8 bytes"),
        ("can0  123   [9]  00 11 22 33 44 55 66 77 88", "at most 8 bytes"),
        ("123##1" + "00" * 9, "no CAN FD frame has 9 bytes"),
        ("123##1" + "00" * 65, "no CAN FD frame has 65 bytes"),
        ("800#00", "0x800 is no CAN identifier"),
        ("40000000#00", "0x40000000 is no CAN identifier"),
        ("123456789#00", "no candump line"),
        ("can0 123#ZZ", "no candump line"),
        ("can0 123 # AA", "no candump line"),
        ("123##", "no candump line"),
        ("(x) can0 123#AA", "the time is neither"),
        ("(1.2.3) can0 123#AA", "the time is neither"),
        ("can0  123   [3]  AA BB", "says 3 bytes and has 2"),
        ("can0  123   [2  AA BB", "no candump line"),
        ("hello", "neither a candump line nor a payload"),
        ("0x", "neither a candump line nor a payload"),
        ("1_0", "neither a candump line nor a payload"),
        ("\u0661\u0662", "neither a candump line nor a payload"),
    ],
)
def test_what_is_no_line_says_why(text: str, says: str) -> None:
    line = read_line(text)
    assert isinstance(line, Unreadable)
    assert says in line.reason
