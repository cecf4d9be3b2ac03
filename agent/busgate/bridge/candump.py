"""candump text (can-utils, `candump -L` and `candump -ta`) to records, exact to the nanosecond.

Law: a line is read whole or not at all. Traces are large: of an ordinary line only time and data are new, what its
channel and identifier are is remembered; every other form takes the slow path, which knows all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from busgate.bridge.lines import ordinary
from busgate.bridge.records import CLASSICAL_MOST, Notes, Record, canid, decimal_nanoseconds, fits
from busgate.model import BIT_RATE_SWITCH, ERROR, ERROR_STATE, FD_FORMAT, IDENTIFIER, REMOTE

_MOST_REMEMBERED = 1 << 16

_Said = tuple[str, int, bytes, int]
"""Channel, canid_t, data and flags: a record without its time."""

# lib.c of can-utils, snprintf_canframe, "(seconds.microseconds) interface ID#DATA", cut at its time and its #.
_ORDINARY = re.compile(
    r"^\((\d{1,11}\.\d{6})\) ([!-~]{1,64} [0-9A-Fa-f]{1,8})#([!-~]{0,160})(?: [RT])?$", re.MULTILINE | re.ASCII
)
_TIME = r"\(\s*(?P<whole>\d{1,11})\.(?P<fraction>\d{1,12})\)\s+"
_LOG = re.compile(
    r"(?P<channel>\S{1,64})\s+(?P<id>[0-9A-Fa-f]{1,8})#(?:#(?P<flags>[0-9A-Fa-f]))?"
    r"(?:(?P<remote>[Rr][0-9A-Fa-f]?)|(?P<data>(?:[0-9A-Fa-f]{2}\.?)*))(?:_[0-9A-Fa-f])?(?:\s+[RTrt])?",
    re.ASCII,
)
# The same file, snprintf_long_canframe: "(seconds) interface ID [length] bytes", with RX or TX where asked for.
_SCREEN = re.compile(
    r"(?P<channel>\S{1,64})\s+(?:(?:RX|TX)\s+\S\s\S\s+)?(?P<id>[0-9A-Fa-f]{1,8})\s+"
    r"[\[{](?P<length>\d{1,2})[\]}](?P<rest>.*)",
    re.ASCII,
)
_LINE = re.compile(_TIME + r"(?P<said>\S.*)", re.ASCII)
_BYTES = re.compile(r"(?:\s+[0-9A-Fa-f]{2})*", re.ASCII)
_STANDARD_DIGITS = 3
_ERROR_DIGITS = 8
_KNOWN_FLAGS = BIT_RATE_SWITCH | ERROR_STATE


def read(stream: BinaryIO, notes: Notes, cut: Callable[[], bool]) -> Iterator[Record]:
    """Every frame of a log, in its order; unreadable lines are skipped and noted. `cut` as in `lines.ordinary`."""
    heads: dict[str, tuple[str, int]] = {}
    for number, found in ordinary(stream, _ORDINARY, notes, cut):
        if isinstance(found, str):
            record = parse(found)
            if record is None:
                notes.skip(number)
            else:
                yield record
            continue
        for index, (time, head, text) in enumerate(found):
            at = int(time.replace(".", "")) * 1000
            try:
                channel, can_id = heads[head]
                data = bytes.fromhex(text)
            except (KeyError, ValueError):
                said = _said(f"{head}#{text}")
                if said is None:
                    notes.skip(number + index)
                    continue
                _remember(heads, head, said)
                yield at, *said
                continue
            if len(data) <= CLASSICAL_MOST:
                yield at, channel, can_id, data, 0
            else:
                notes.skip(number + index)


def _remember(heads: dict[str, tuple[str, int]], head: str, said: _Said) -> None:
    """Keep what a channel and an identifier mean; the flags of remote frames are the line's own."""
    if len(heads) >= _MOST_REMEMBERED:
        heads.clear()
    heads[head] = said[0], said[1] & ~REMOTE


def parse(line: str) -> Record | None:
    """One line of candump text in any of its forms, or None when it is none."""
    match = _LINE.fullmatch(line.strip())
    said = _said(match["said"]) if match else None
    if match is None or said is None:
        return None
    return decimal_nanoseconds(match["whole"], match["fraction"]), *said


def _said(text: str) -> _Said | None:
    if match := _LOG.fullmatch(text):
        return _from_log(match)
    if match := _SCREEN.fullmatch(text):
        return _from_screen(match)
    return None


def _can_id(digits: str) -> int | None:
    """As can-utils reads it: three digits are an 11-bit identifier, eight a 29-bit one or an error frame."""
    value = int(digits, 16)
    if len(digits) == _ERROR_DIGITS and value & ~IDENTIFIER == ERROR:
        return value
    return canid(value, extended=len(digits) > _STANDARD_DIGITS)


def _from_log(match: re.Match[str]) -> _Said | None:
    can_id = _can_id(match["id"])
    flags = 0 if match["flags"] is None else int(match["flags"], 16) & _KNOWN_FLAGS | FD_FORMAT
    data = bytes.fromhex((match["data"] or "").replace(".", ""))
    if can_id is None or not fits(len(data), flags) or (flags and match["remote"]):
        return None
    if match["remote"]:
        length = int(match["remote"][1:] or "0", 16)
        return (match["channel"], can_id | REMOTE, bytes(length), 0) if fits(length, 0) else None
    return match["channel"], can_id, data, flags


def _from_screen(match: re.Match[str]) -> _Said | None:
    can_id, length, rest = _can_id(match["id"]), int(match["length"]), match["rest"]
    if can_id is None:
        return None
    if rest.strip().lower() == "remote request":
        return (match["channel"], can_id | REMOTE, bytes(length), 0) if fits(length, 0) else None
    # candump pads the length of a CAN FD frame to two digits: "[08]", "[64]"; a classical one is "[8]".
    flags = FD_FORMAT if len(match["length"]) > 1 else 0
    found = _BYTES.match(rest)
    data = bytes.fromhex(found[0]) if found else b""
    if not fits(length, flags) or len(data) < length:
        return None
    return match["channel"], can_id, data[:length], flags
