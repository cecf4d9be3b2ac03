"""What a message number means: the message's name, and how its body is read.

Law: a reader takes any bytes and answers with a `Reading`. Where the octets alone tell which edition or which maker's
reading of the standard they follow, the first layout that they fill exactly is taken, else the first of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from busgate.decode.jt808_layout import Reading, read_body

Reader = Callable[[bytes, int, bool], Reading]
"""Body, edition, and whether that edition is certain (else it is a guess that the octets may correct)."""


class Message(NamedTuple):
    """A message of the standard: its name, and the reader of its body."""

    name: str
    read: Reader


Table = Mapping[int, Message]
"""Messages by number."""


@dataclass(frozen=True, slots=True)
class Empty:
    """A message without a body."""


def as_kind(kind: type) -> Reader:
    """The body is a `kind`, whatever the edition."""

    def read(body: bytes, edition: int, _certain: bool) -> Reading:
        return read_body(kind, body, edition)

    return read


def first_fit(*kinds: type) -> Reader:
    """The body is the first of these that its octets fill exactly, else the first."""

    def read(body: bytes, edition: int, _certain: bool) -> Reading:
        first = read_body(kinds[0], body, edition)
        if not first.flaws:
            return first
        for kind in kinds[1:]:
            found = read_body(kind, body, edition)
            if not found.flaws:
                return found
        return first

    return read


def before_2019(older: type, newer: type) -> Reader:
    """The body is an `older` until 2013 and a `newer` in 2019."""

    def read(body: bytes, edition: int, _certain: bool) -> Reading:
        return read_body(newer if edition >= 2019 else older, body, edition)

    return read


def before_2013(older: type, newer: type, is_older: Callable[[bytes], bool]) -> Reader:
    """The body is an `older` in 2011 and a `newer` since; `is_older` tells where the edition is a guess."""

    def read(body: bytes, edition: int, certain: bool) -> Reading:
        if edition == 2011 or (edition == 2013 and not certain and is_older(body)):
            return read_body(older, body, 2011)
        return read_body(newer, body, edition)

    return read


def empty(name: str) -> Message:
    """A message without a body."""
    return Message(name, as_kind(Empty))


def plain(name: str, kind: type) -> Message:
    """A message with one kind of body."""
    return Message(name, as_kind(kind))
