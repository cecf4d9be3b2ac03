"""Text recordings by the block: the runs of ordinary lines at the speed of one regular expression, the rest one by one.

Law: every line of the file comes out exactly once, in its order, as what the pattern found in it or as itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from busgate.bridge.records import Notes

BLOCK = 1 << 18
LONGEST_LINE = 4096
"""A line that has not ended by then belongs to no recording; it is not looked at."""

Found = tuple[str, ...]


def ordinary(
    stream: BinaryIO, pattern: re.Pattern[str], notes: Notes, cut: Callable[[], bool]
) -> Iterator[tuple[int, list[Found] | str]]:
    """Runs of consecutive lines that `pattern` (anchored to the line, with groups) matches, and the lines between.

    Each comes with the number of its first line, from 1. `cut` tells at the end whether the file is known to be cut: a
    last line without its line end is then left out.
    """
    number = 1
    for block in _blocks(stream, notes, cut):
        lines = block.count("\n") + (not block.endswith("\n"))
        found = pattern.findall(block)
        if len(found) == lines:
            yield number, found
        else:
            yield from _mixed(block, pattern, number)
        number += lines


def _mixed(block: str, pattern: re.Pattern[str], number: int) -> Iterator[tuple[int, list[Found] | str]]:
    for line in block.removesuffix("\n").split("\n"):
        match = pattern.fullmatch(line) if len(line) <= LONGEST_LINE else None
        if match is not None:
            yield number, [match.groups()]
        elif len(line) > LONGEST_LINE:
            yield number, line[:LONGEST_LINE]
        elif line and not line.isspace():
            yield number, line
        number += 1


def _blocks(stream: BinaryIO, notes: Notes, cut: Callable[[], bool]) -> Iterator[str]:
    """Blocks that end with a whole line."""
    rest = b""
    while chunk := stream.read(BLOCK):
        head, end, tail = chunk.rpartition(b"\n")
        if end:
            yield (rest + head + end).decode("utf-8", "replace")
            rest = tail
        elif len(rest) <= LONGEST_LINE:
            rest += chunk
    if rest and not cut():
        notes.warn("the last line has no line end: the recording may have been cut there")
        yield rest.decode("utf-8", "replace")
