"""Bytes of one unit read from left to right, by numbers, runs and length-prefixed blocks, most significant octet first.

Law: what is not there is never made up: a read past the end raises `Short`, which the one function that owns the unit
turns into a flaw; so whatever was read before it stays read.
"""

from __future__ import annotations


class Short(Exception):  # noqa: N818 - a place in the bytes, not an error of the program; no decoder lets it out
    """The bytes end within what was to be read; the message says within what."""


class Reader:
    """A place in some bytes. `at` is the next octet's index, `left` how many are not read yet."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else min(end, len(data))

    @property
    def left(self) -> int:
        """Octets that are not read yet."""
        return self.end - self.at

    def take(self, size: int, what: str) -> bytes:
        """The next `size` octets. Raises Short, naming `what` they were to be."""
        if size > self.end - self.at:
            raise Short(f"ends within {what}: {size} bytes due, {self.end - self.at} there")
        start = self.at
        self.at = start + size
        return self.data[start : self.at]

    def number(self, size: int, what: str) -> int:
        """The next `size` octets as an unsigned number."""
        return int.from_bytes(self.take(size, what))

    def block(self, width: int, what: str) -> bytes:
        """A run of octets behind its length, which takes `width` octets."""
        return self.take(self.number(width, f"the length of {what}"), what)

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left, "the rest")
