"""One DBC signal: where its bits lie, and what its raw value means.

Law: exactly cantools' arithmetic, type for type; the compiled decoders (`dbc_compile`) write this arithmetic out.
A signal is seen through its window: the smallest run of whole bytes that holds it, read as one integer in the
signal's own byte order. There the raw value is `window >> shift`, `bits` wide.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from busgate.model import BusgateError, Value

Order = Literal["little", "big"]
Number = int | float

_FLOATS: Mapping[int, struct.Struct] = {16: struct.Struct(">e"), 32: struct.Struct(">f"), 64: struct.Struct(">d")}


class DbcError(BusgateError):
    """A DBC file that cannot be used, or a name that it does not have: `file:line: what is wrong`."""


class Undecodable(NamedTuple):
    """What decoding gives where the bytes do not fit their message; a value, because foreign bytes never raise."""

    reason: str


@dataclass(frozen=True, slots=True)
class Signal:
    """Where a signal lies in its message and what it means.

    `first` and `last` are the bytes of its window. `parent` is the multiplexer it depends on, if any, and `ids` the
    multiplexer numbers under which it is present. `selects` marks a multiplexer. Scale and offset are integers
    where cantools keeps integers, so that the kind of number that comes out is the same.
    """

    name: str
    unit: str
    first: int
    last: int
    shift: int
    bits: int
    order: Order
    signed: bool
    floating: bool
    scale: Number
    offset: Number
    labels: dict[int, str]
    parent: str | None
    ids: frozenset[int]
    selects: bool

    @property
    def identity(self) -> bool:
        """Whether the physical number is the raw one, untouched."""
        return self.scale == 1 and self.offset == 0

    def bare(self) -> Signal:
        """The same bits with nothing made of them: the raw number."""
        return replace(self, scale=1, offset=0, labels={})

    def unlabelled(self) -> Signal:
        """The same signal as a number in its physical unit, whatever its value table says."""
        return replace(self, labels={})

    def raw(self, window: int) -> Number:
        """The raw value in a window read as one integer."""
        bits = window >> self.shift & (1 << self.bits) - 1
        if self.floating:
            (number,) = _FLOATS[self.bits].unpack(bits.to_bytes(self.bits // 8, "big"))
            return float(number)
        if self.signed:
            sign = 1 << self.bits - 1
            return (bits ^ sign) - sign
        return bits

    def number(self, raw: Number) -> Number:
        """The physical number of a raw value."""
        return raw if self.identity else raw * self.scale + self.offset

    def value(self, raw: int) -> Value:
        """The label of an integer raw value, or its physical number where the value table has none."""
        label = self.labels.get(raw)
        return self.number(raw) if label is None else label

    def multiplexer_number(self, raw: Number) -> int | None:
        """Which number a multiplexer selects with: of its physical value, or of the label that value has.

        Where two raw values share a label both select the later one. None for what is not a finite number.
        """
        if not math.isfinite(raw):
            return None
        label = self.labels.get(int(raw))
        if label is not None:
            return next(key for key, other in reversed(self.labels.items()) if other == label)
        number = self.number(raw)
        return int(number) if math.isfinite(number) else None

    def fault(self) -> str | None:
        """Why no payload could ever be decoded by this signal, where cantools only finds out with the payload."""
        if self.first < 0:
            return f"signal {self.name} starts before the first bit"
        if self.floating and self.bits not in _FLOATS:
            return f"signal {self.name} is a float of {self.bits} bits; a float has 16, 32 or 64"
        try:
            extremes: tuple[Number, ...] = (1.0,) if self.floating else (self.raw(0), -1, 1 << self.bits)
            for raw in extremes:
                self.number(raw)
        except OverflowError:
            return f"signal {self.name} has values beyond what a number can hold"
        return None


def window(start: int, bits: int, order: Order) -> tuple[int, int, int]:
    """First byte, last byte and shift of a signal, from its DBC start bit and length.

    A little-endian (Intel) signal starts at its least significant bit, a big-endian (Motorola) one at its most
    significant; either is numbered as `8 * byte + bit`, bit 0 being the byte's least significant.
    """
    if order == "little":
        return start // 8, (start + bits - 1) // 8, start % 8
    begin = 8 * (start // 8) + 7 - start % 8
    end = begin + bits
    last = (end - 1) // 8
    return begin // 8, last, 8 * (last + 1) - end
