"""What every reader of recordings hands over, and what it notes about the recording while it reads.

Law: a record is what the file says, in exact integers; sides and the order of time are given to it in `trace`.
"""

from __future__ import annotations

import math

from busgate.model import EXTENDED, FD_FORMAT

Record = tuple[int, str, int, bytes, int]
"""Time in ns, channel, SocketCAN canid_t, data, canfd_frame.flags: a plain tuple, since traces hold millions.

A remote frame carries no data; the length it asks for is kept as that many zero bytes, so that it can go out as it
came in. A captured packet that is no CAN frame has flags `PACKET`, and its LINKTYPE_ number in place of the canid_t.
"""

PACKET = -1

CLASSICAL_MOST = 8
FD_LENGTHS = frozenset((*range(9), 12, 16, 20, 24, 32, 48, 64))
"""The data lengths that a CAN FD frame can have (ISO 11898-1:2015, 10.4.2.4, table 5)."""

_STANDARD_MOST = 0x7FF
_EXTENDED_MOST = 0x1FFF_FFFF

# Beyond this many seconds a double no longer tells nanoseconds apart: a float timestamp means microseconds.
_FLOAT_TELLS_NS = 1 << 22


class Notes:
    """What a reader noticed: `skipped` records that say nothing readable, the first of them, and warnings."""

    def __init__(self) -> None:
        self.skipped = 0
        self.first_skipped: int | None = None
        self.warnings: list[str] = []

    def skip(self, number: int) -> None:
        """Count one unreadable record; `number` is its line or record number in the file, from 1."""
        self.skipped += 1
        if self.first_skipped is None:
            self.first_skipped = number

    def warn(self, text: str) -> None:
        """Note something the reader of the report must know."""
        if text not in self.warnings:
            self.warnings.append(text)


def canid(identifier: int, *, extended: bool) -> int | None:
    """The canid_t of an identifier; None when it does not fit its format."""
    if identifier < 0 or identifier > (_EXTENDED_MOST if extended else _STANDARD_MOST):
        return None
    return identifier | EXTENDED if extended else identifier


def fits(length: int, flags: int) -> bool:
    """Whether a frame of this format can carry `length` bytes."""
    return length in FD_LENGTHS if flags & FD_FORMAT else length <= CLASSICAL_MOST


def nanoseconds(seconds: float) -> int | None:
    """A float timestamp as an integer that keeps the order of the floats; None when it is no time at all."""
    if not math.isfinite(seconds):
        return None
    if abs(seconds) < _FLOAT_TELLS_NS:
        return round(seconds * 1e9)
    return round(seconds * 1e6) * 1000


def decimal_nanoseconds(whole: str, fraction: str) -> int:
    """The digits before and after the decimal point of a time in seconds, exactly (beyond ns: cut off)."""
    return int(whole) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
