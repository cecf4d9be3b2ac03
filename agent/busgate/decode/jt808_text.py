"""JT/T 808 in short messages: whole frames in binary payloads or written in hexadecimal.

Law: a frame is found where its checksum and length are right, where its length is right and its number is one of the
standard, or where all that there is begins and ends with a delimiter. The text around it may be anything, and the bytes
may be written with spaces between them.
"""

from __future__ import annotations

import re

from busgate.decode import jt808
from busgate.decode.jt808_frame import ALTERNATIVE, DELIMITER, parse

MOST_TEXT = 1 << 16
"""Characters that are looked at; the longest short message in parts has fewer."""

_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2}[\s:,-]*){2,}")
_BETWEEN = re.compile(r"[\s:,-]+")


def in_bytes(data: bytes) -> list[bytes]:
    """The frames in a binary payload, delimiters included, in order."""
    found: list[bytes] = []
    at = 0
    data = data[:MOST_TEXT]
    while (begin := _first(data, at)) >= 0:
        end = data.find(data[begin], begin + 1)
        raw = data[begin : end + 1]
        if end > begin and _is_frame(raw, alone=begin == 0 and end == len(data) - 1):
            found.append(raw)
            at = end + 1
        else:
            at = begin + 1
    return found


def in_text(text: str) -> list[bytes]:
    """The frames in a text: written in hexadecimal, or as characters of one byte each (Latin-1)."""
    found: list[bytes] = []
    text = text[:MOST_TEXT]
    for run in _HEXADECIMAL.finditer(text):
        digits = _BETWEEN.sub("", run[0])
        found += in_bytes(bytes.fromhex(digits)) or in_bytes(bytes.fromhex(digits[1:-1]))
    if found:
        return found
    try:
        return in_bytes(text.encode("latin-1"))
    except UnicodeEncodeError:
        return []


def _first(data: bytes, at: int) -> int:
    places = [place for one in (DELIMITER, ALTERNATIVE) if (place := data.find(one, at)) >= 0]
    return min(places, default=-1)


def _is_frame(raw: bytes, *, alone: bool) -> bool:
    frame = parse(raw)
    if frame is None:
        return False
    known = frame.message_id in jt808.MESSAGES and frame.body_length == len(frame.body)
    return known or not frame.flaws or alone
