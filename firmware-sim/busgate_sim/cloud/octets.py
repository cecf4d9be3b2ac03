"""Octets read in order, and what is said of those that do not follow their protocol.

Law: foreign bytes give a value or `Refused`, never an exception beyond this package. Readers raise
`ContradictionError` inside, and `reading` turns it into a value. What was read is written back as the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

Read = TypeVar("Read")

_GBK = "gbk"
# Octets that are no GBK text survive a round trip as lone surrogates.
_LOSSLESS = "surrogateescape"


class Refused(NamedTuple):
    """Bytes that are not what they should be, and why."""

    reason: str


class ContradictionError(ValueError):
    """Inside this package: octets that end early or contradict themselves."""


class Octets:
    """A cursor over received octets, big endian throughout."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        """Begin before the first octet."""
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many octets were not read yet."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` octets."""
        if count > self.left:
            raise ContradictionError(f"{count} octets announced, {self.left} left")
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def number(self, width: int) -> int:
        """An unsigned number of `width` octets."""
        return int.from_bytes(self.take(width))

    def text(self, width: int) -> str:
        """A GBK text in a field of `width` octets; the zeros that fill it up are taken off."""
        return self.take(width).rstrip(b"\0").decode(_GBK, _LOSSLESS)

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def ended(self) -> None:
        """Refuse octets after the end of what was described."""
        if self.left:
            raise ContradictionError(f"{self.left} octets too many")


def reading(read: Callable[[Octets], Read], data: bytes, what: str) -> Read | Refused:
    """All of `data` read as one thing, or why it cannot be."""
    octets = Octets(data)
    try:
        found = read(octets)
        octets.ended()
    except ContradictionError as short:
        return Refused(f"{what}: {short}")
    return found


def free_text(data: bytes) -> str:
    """GBK text that ends where its bytes end."""
    return data.decode(_GBK, _LOSSLESS)


def free_bytes(text: str) -> bytes:
    """The GBK bytes of a text.

    Raises:
        ValueError: the text has a character that GBK does not have.
    """
    return text.encode(_GBK, _LOSSLESS)


def fixed(text: str, width: int) -> bytes:
    """The text in a field of `width` octets, filled up with zeros.

    Raises:
        ValueError: it does not fit.
    """
    data = free_bytes(text)
    if len(data) > width:
        raise ValueError(f"{text!r} needs {len(data)} octets, the field has {width}")
    return data.ljust(width, b"\0")


def counted(data: bytes, width: int = 1) -> bytes:
    """The data after its length in `width` octets.

    Raises:
        ValueError: it is longer than the length can say.
    """
    if len(data) >= 1 << 8 * width:
        raise ValueError(f"{len(data)} octets do not fit a length of {width} octets")
    return len(data).to_bytes(width) + data
