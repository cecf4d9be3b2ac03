"""One line of text to a CAN frame or a payload: every shape that candump and people write.

Law: any text gives a `FrameLine`, a `PayloadLine`, an `Unreadable` with its reason, or None where nothing is said.
The shapes are those of can-utils: the log (`(1.5) can0 123#AABB`, CAN FD `##` and one digit of flags, remote `#R`),
the screen (`can0  123   [2]  AA BB`) and what cansend takes (`123#AABB`); a payload is hexadecimal digits alone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from busgate.model import BIT_RATE_SWITCH, ERROR, ERROR_STATE, EXTENDED, FD_FORMAT, IDENTIFIER, REMOTE

_FD_LENGTHS = frozenset({*range(9), 12, 16, 20, 24, 32, 48, 64})  # ISO 11898-1: what a CAN FD DLC can say
_STANDARD = 0x7FF
_KNOWN_FLAGS = BIT_RATE_SWITCH | ERROR_STATE

_TIME = r"(?:\((?P<time>[^()]*)\)\s+)?"
_COMPACT = re.compile(
    _TIME + r"(?:(?P<channel>[^\s#]+)\s+)?(?P<id>[0-9A-Fa-f]{1,8})#"
    r"(?:(?P<remote>[Rr][0-8]?)|(?:#(?P<flags>[0-9A-Fa-f]))?(?P<data>[0-9A-Fa-f.]*))(?:_[0-9A-Fa-f])?(?:\s+[RT])?"
)
_SCREEN = re.compile(
    _TIME + r"(?P<channel>[^\s#]+)\s+(?:(?:RX|TX)\s+(?P<fast>[-B])\s+(?P<passive>[-E])\s+)?(?P<id>[0-9A-Fa-f]{1,8})\s+"
    r"\[(?P<length>[0-9]{1,2})\](?P<said>.*)"
)
_BYTES = re.compile(r"(?:\s+[0-9A-Fa-f]{2})*")
_SECONDS = re.compile(r"\s*([0-9]{1,11})(?:\.([0-9]{1,9}))?\s*")
_WORD = re.compile(r"(?:0[xX])?([0-9A-Fa-f]+)")


class FrameLine(NamedTuple):
    """A frame: `at` in ns (None when the line has no time), `can_id` and `flags` as `model.Frame` has them."""

    at: int | None
    channel: str
    can_id: int
    data: bytes
    flags: int = 0


class PayloadLine(NamedTuple):
    """Bytes without an identifier."""

    payload: bytes


class Unreadable(NamedTuple):
    """Text that is neither, and why."""

    reason: str


Line = FrameLine | PayloadLine | Unreadable


def read_line(text: str) -> Line | None:
    """Read one line; None for a blank one or a comment (`#` first)."""
    text = text.strip()
    if not text or text.startswith("#"):
        return None
    if "#" in text:
        match = _COMPACT.fullmatch(text)
        return _compact(match) if match else Unreadable("this is no candump line: expected ID#DATA in hexadecimal")
    if "[" in text:
        match = _SCREEN.fullmatch(text)
        return _screen(match) if match else Unreadable("this is no candump line: expected CHANNEL ID [LENGTH] BYTES")
    return _payload(text)


def _payload(text: str) -> Line:
    digits = ""
    for word in text.split():
        match = _WORD.fullmatch(word)
        if match is None:
            return Unreadable("this is neither a candump line nor a payload in hexadecimal")
        digits += match[1]
    return PayloadLine(bytes.fromhex(digits)) if len(digits) % 2 == 0 else Unreadable("half a byte: a digit is missing")


def _compact(match: re.Match[str]) -> Line:
    if match["remote"]:
        return _frame(match, bytes(int(match["remote"][1:] or "0")), 0, REMOTE)
    digits = match["data"].replace(".", "")
    if len(digits) % 2:
        return Unreadable("half a byte: a digit is missing")
    flags = 0 if match["flags"] is None else int(match["flags"], 16) & _KNOWN_FLAGS | FD_FORMAT
    return _frame(match, bytes.fromhex(digits), flags, 0)


def _screen(match: re.Match[str]) -> Line:
    length = int(match["length"])
    if match["said"].strip() == "remote request":
        return _frame(match, bytes(length), 0, REMOTE)
    found = _BYTES.match(match["said"])
    data = bytes.fromhex(found[0]) if found else b""
    if len(data) < length:
        return Unreadable(f"the line says {length} bytes and has {len(data)}")
    # candump writes the length of a CAN FD frame with two digits.
    flags = FD_FORMAT if len(match["length"]) > 1 else 0
    if flags:
        flags |= BIT_RATE_SWITCH * (match["fast"] == "B") | ERROR_STATE * (match["passive"] == "E")
    return _frame(match, data[:length], flags, 0)


def _frame(match: re.Match[str], data: bytes, flags: int, kind: int) -> Line:
    at = _nanoseconds(match["time"])
    if isinstance(at, Unreadable):
        return at
    can_id = _can_id(match["id"])
    if can_id is None:
        return Unreadable(f"0x{match['id']} is no CAN identifier: 3 digits up to 7FF, or 8 up to 1FFFFFFF")
    if flags and len(data) not in _FD_LENGTHS:
        return Unreadable(f"no CAN FD frame has {len(data)} bytes")
    if not flags and len(data) > 8:
        return Unreadable(f"a classical frame has at most 8 bytes, this one {len(data)}")
    return FrameLine(at, match["channel"] or "", can_id | kind, data, flags)


def _can_id(digits: str) -> int | None:
    """As can-utils reads it: up to three digits are an 11-bit identifier, more a 29-bit one or an error frame."""
    value = int(digits, 16)
    if len(digits) <= 3:
        return value if value <= _STANDARD else None
    if value & ~IDENTIFIER == ERROR:
        return value
    return value | EXTENDED if value <= IDENTIFIER else None


def _nanoseconds(text: str | None) -> int | Unreadable | None:
    """Seconds with their fraction, or a date and time as `candump -t A` writes it."""
    if text is None:
        return None
    if match := _SECONDS.fullmatch(text):
        return int(match[1]) * 1_000_000_000 + int((match[2] or "").ljust(9, "0"))
    try:
        moment = datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
    except ValueError:
        return Unreadable("the time is neither seconds nor a date and time")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
