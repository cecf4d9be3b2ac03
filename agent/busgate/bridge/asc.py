"""ASC text (Vector's CAN log, as CANoe, CANalyzer and python-can write it) to records, exact to the nanosecond.

Law: a line is read whole or not at all. Channels are counted from 0 here, as everywhere in this room: the file's
channel 1 is `0`. Where the header says that timestamps are relative, each counts from the line before it.
The file's date has no time zone and is not used: times begin at 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from busgate.bridge.lines import ordinary
from busgate.bridge.records import Notes, Record, canid, decimal_nanoseconds, fits
from busgate.model import BIT_RATE_SWITCH, ERROR, ERROR_STATE, FD_FORMAT, REMOTE

_MOST_REMEMBERED = 1 << 16

_Said = tuple[str, int, bytes, int]
"""Channel, canid_t, data and flags: a record without its time."""

_EVENT = re.compile(r"^[ \t]*(\d{1,11})\.(\d{1,9})[ \t]+(\S[^\n]*)$", re.MULTILINE | re.ASCII)
_BASE = re.compile(r"base\s+(?P<base>hex|dec)(?:\s+timestamps\s+(?P<times>absolute|relative))?", re.IGNORECASE)
_HEADER = re.compile(r"(?:date\s+\w+\s+\w+\s+\d|base\s+(?:hex|dec)\b|(?:no\s+)?internal events logged)", re.IGNORECASE)
_CLASSICAL = re.compile(
    r"(?P<channel>\d{1,3})\s+(?P<id>[0-9A-Fa-f]{1,10}x?)\s+(?:Tx|Rx|TxRq)\s+(?P<kind>[dr])\b(?P<rest>.*)", re.ASCII
)
_FD = re.compile(
    r"CANFD\s+(?P<channel>\d{1,3})\s+(?:Tx|Rx|TxRq)\s+(?P<id>[0-9A-Fa-f]{1,10}x?)\s+(?P<rest>.*)",
    re.ASCII | re.IGNORECASE,
)
_ERROR = re.compile(r"(?:CANFD\s+)?(?P<channel>\d{1,3})\s+(?:(?:Tx|Rx)\s+)?ErrorFrame", re.ASCII | re.IGNORECASE)
# "brs esi dlc length", with or without the message's name before them.
_FD_FIELDS = re.compile(
    r"(?:\S*[^\d\s]\S*\s+)?(?P<brs>[01])\s+(?P<esi>[01])\s+(?P<dlc>[0-9A-Fa-f]{1,2})\s+(?P<length>\d{1,2})\b(?P<rest>.*)",
    re.ASCII,
)

# The flags column of a CANFD line: what the frame was on the wire.
_FLAG_REMOTE = 0x10
_FLAG_FD = 0x1000
_FLAGS_AFTER_DATA = 2

_HEXADECIMAL = 16
_DECIMAL = 10
_CLASSICAL_MOST = 8


def looks_so(lines: Iterable[str]) -> bool:
    """Whether any of these lines is one that only ASC logs have."""
    for line in lines:
        event = _EVENT.fullmatch(line.rstrip())
        if _HEADER.match(line.strip()) or (event and _said(event[3], _HEXADECIMAL)):
            return True
    return False


def read(stream: BinaryIO, notes: Notes, cut: Callable[[], bool]) -> Iterator[Record]:
    """Every frame of a log, in its order; lines of frames that cannot be read are skipped and noted.

    Other events (statistics, markers, other buses) are not frames and not noted. `cut` as in `lines.ordinary`.
    """
    remembered: dict[str, _Said | None] = {}
    base, relative, now = _HEXADECIMAL, False, 0
    for number, found in ordinary(stream, _EVENT, notes, cut):
        if isinstance(found, str):
            if said := _BASE.match(found.strip()):
                base = _DECIMAL if said["base"].lower() == "dec" else _HEXADECIMAL
                relative = (said["times"] or "").lower() == "relative"
                remembered.clear()
            continue
        for index, (whole, fraction, text) in enumerate(found):
            at = decimal_nanoseconds(whole, fraction)
            now = now + at if relative else at
            try:
                frame = remembered[text]
            except KeyError:
                if len(remembered) >= _MOST_REMEMBERED:
                    remembered.clear()
                frame = remembered[text] = _said(text.rstrip(), base)
            if frame is not None:
                channel, can_id, data, flags = frame
                yield now, channel, can_id, data, flags
            elif _is_frame(text):
                notes.skip(number + index)


def _is_frame(text: str) -> bool:
    """Whether an event claims to be a frame on CAN, readable or not."""
    head = text.split(None, 3)
    if head[0].upper() == "CANFD":
        return True
    if not head[0].isdecimal() or len(head) == 1:
        return False
    return head[1].lower() == "errorframe" or (len(head) > 2 and head[2] in {"Tx", "Rx", "TxRq"})


def _said(text: str, base: int) -> _Said | None:
    if match := _CLASSICAL.fullmatch(text):
        return _classical(match, base)
    if match := _ERROR.match(text):
        return _channel(match), ERROR, b"", 0
    if match := _FD.fullmatch(text):
        return _flexible(match, base)
    return None


def _channel(match: re.Match[str]) -> str:
    return str(max(0, int(match["channel"]) - 1))


def _identifier(text: str, base: int) -> int | None:
    try:
        return canid(int(text.rstrip("x"), base), extended=text.endswith("x"))
    except ValueError:
        return None


def _bytes(words: list[str], length: int, base: int) -> bytes | None:
    if len(words) < length:
        return None
    try:
        return bytes(int(word, base) for word in words[:length])
    except ValueError:
        return None


def _classical(match: re.Match[str], base: int) -> _Said | None:
    can_id = _identifier(match["id"], base)
    words = match["rest"].split()
    if can_id is None:
        return None
    code = _bytes(words, 1, base)
    # A data length code above 8 still means 8 bytes in a classical frame (ISO 11898-1:2015, 10.4.2.4).
    length = min(code[0], _CLASSICAL_MOST) if code else None
    if match["kind"] == "r":
        return _channel(match), can_id | REMOTE, bytes(length or 0), 0
    if length is None:
        return None
    data = _bytes(words[1:], length, base)
    return None if data is None else (_channel(match), can_id, data, 0)


def _flexible(match: re.Match[str], base: int) -> _Said | None:
    can_id = _identifier(match["id"], base)
    fields = _FD_FIELDS.fullmatch(match["rest"])
    if can_id is None or fields is None:
        return None
    length = int(fields["length"])
    words = fields["rest"].split()
    data = _bytes(words, length, base)
    if data is None:
        return None
    wire = _wire_flags(words[length:])
    flags = 0
    if wire & _FLAG_FD:
        flags = FD_FORMAT | (fields["brs"] == "1") * BIT_RATE_SWITCH | (fields["esi"] == "1") * ERROR_STATE
    if wire & _FLAG_REMOTE:
        return _channel(match), can_id | REMOTE, b"", 0
    return (_channel(match), can_id, data, flags) if fits(length, flags) else None


def _wire_flags(words: list[str]) -> int:
    """The flags column; a line that ends before it is what its name says, CAN FD."""
    if len(words) <= _FLAGS_AFTER_DATA:
        return _FLAG_FD
    try:
        return int(words[_FLAGS_AFTER_DATA], _HEXADECIMAL)
    except ValueError:
        return _FLAG_FD
