"""What the user data of a short message is written in: the coding scheme's octet, and 7 bit text with its escapes.

Law: any octet has a reading. Clauses of 3GPP TS 23.038.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

GSM7, EIGHT, UCS2 = "gsm7", "8bit", "ucs2"

ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""6.2.1, the default alphabet in its order."""

_ESCAPED: Mapping[str, str] = {
    "\n": "\f",
    "Λ": "^",
    "(": "{",
    ")": "}",
    "/": "\\",
    "<": "[",
    "=": "~",
    ">": "]",
    "¡": "|",
    "e": "€",
}
"""6.2.1.1, the default extension table, by the character that the same septet has in the default alphabet."""


class Coding(NamedTuple):
    """4, SMS Data Coding Scheme: `message_class` 0 is shown at once and not stored ("flash"), None is no class."""

    alphabet: str
    message_class: int | None
    compressed: bool = False


def coding(octet: int) -> Coding:
    """Read the data coding scheme; what is reserved counts as the default alphabet (4)."""
    group = octet >> 4
    alphabet = {0: GSM7, 1: EIGHT, 2: UCS2}.get(octet >> 2 & 3, GSM7)
    if group < 8:
        return Coding(alphabet, octet & 3 if octet & 0x10 else None, bool(octet & 0x20))
    if group == 0xF:
        return Coding(EIGHT if octet & 4 else GSM7, octet & 3)
    return Coding(UCS2 if group == 0xE else GSM7, None)


def text7(data: bytes, fill: int, count: int) -> str:
    """6.1.2.1: `count` septets, as far as they are there, behind `fill` bits that align them to a header."""
    packed = int.from_bytes(data, "little") >> fill
    there = max(0, (len(data) * 8 - fill) // 7)
    return _unescaped("".join(ALPHABET[packed >> 7 * at & 0x7F] for at in range(min(count, there))))


def _unescaped(text: str) -> str:
    parts = text.split("\x1b")
    return parts[0] + "".join(_ESCAPED.get(part[:1], part[:1] or " ") + part[1:] for part in parts[1:])
