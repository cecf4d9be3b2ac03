r"""Octets of a JT/T 808 or 905 message read in order: numbers big endian, texts GBK, times and numbers as BCD (4.2).

Law: nothing is made up. What ends early raises `ShortError` to `jt808_layout`, which makes it a flaw; digits that are
no BCD stay hexadecimal, bytes that are no GBK stay as `\x..` in the text.
"""

from __future__ import annotations

import re


class ShortError(Exception):
    """Inside these decoders: a body ends before what it announced. `shown` is what was read of the part it ends in."""

    def __init__(self, shown: object = None) -> None:
        super().__init__("the body ends early")
        self.shown = shown


class Octets:
    """A cursor over a body. `edition` is the year of the standard by which it is read; `flaws` what else is wrong."""

    __slots__ = ("at", "data", "edition", "flaws")

    def __init__(self, data: bytes, edition: int) -> None:
        self.data = data
        self.at = 0
        self.edition = edition
        self.flaws: list[str] = []

    @property
    def left(self) -> int:
        """How many octets were not read yet."""
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        """The next `count` octets, or ShortError."""
        end = self.at + count
        if end > len(self.data):
            raise ShortError
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, width: int) -> int:
        """The next `width` octets as an unsigned number."""
        return int.from_bytes(self.take(width))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)


_MOST_EXACT = (1 << 53) - 1


def exact(number: int) -> int | str:
    """A number as a JSON value that every reader keeps (RFC 8785, 3.2.2.3): larger ones become hexadecimal."""
    return number if number <= _MOST_EXACT else f"0x{number:X}"


def text(data: bytes) -> str:
    """GBK text (4.2; GB 18030 is its superset) without the zeros that end or fill it."""
    return data.strip(b"\0").decode("gb18030", "backslashreplace")


def fixed_text(data: bytes) -> str:
    """Text in a field of fixed width, without the zeros and spaces that fill it up."""
    return text(data.strip(b"\0 "))


_NOT_DIGITS = re.compile("[a-f]")


def time(data: bytes) -> str:
    """YY-MM-DD-hh-mm-ss in BCD[6], GMT+8, as `20YY-MM-DDThh:mm:ss`; digits are not checked against a calendar."""
    digits = data.hex()
    if len(digits) != 12 or _NOT_DIGITS.search(digits):
        return digits
    return f"20{digits[:2]}-{digits[2:4]}-{digits[4:6]}T{digits[6:8]}:{digits[8:10]}:{digits[10:]}"


def minute(data: bytes) -> str:
    """YYYYMMDDhhmm in BCD[6], as of taxis, as `YYYY-MM-DDThh:mm:00`."""
    digits = data.hex()
    if len(digits) != 12 or _NOT_DIGITS.search(digits):
        return digits
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}T{digits[8:10]}:{digits[10:]}:00"


def is_time(data: bytes) -> bool:
    """Whether these six octets can be a time: BCD with a month, a day and an hour that exist."""
    digits = data.hex()
    if len(digits) != 12 or _NOT_DIGITS.search(digits):
        return False
    return 1 <= int(digits[2:4]) <= 12 and 1 <= int(digits[4:6]) <= 31 and int(digits[6:8]) <= 23


def date(data: bytes) -> str:
    """YYYYMMDD in BCD[4], or YYMMDD in BCD[3], as `YYYY-MM-DD`."""
    digits = data.hex() if len(data) != 3 else "20" + data.hex()
    if len(digits) != 8 or _NOT_DIGITS.search(digits):
        return data.hex()
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
