"""How the values of a report stand on the wire: numbers with divisor and bias, lists, octets (GB/T 32960.3, 6.2).

Law: each field reads and writes the same octets. All ones means "invalid" and is None; all ones less one means
"abnormal" and is `ABNORMAL`, and so is written what does not fit, which is what the standard has that word for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from busgate_sim.cloud.octets import Octets, counted

ABNORMAL: Literal["abnormal"] = "abnormal"

Scalar = int | float | Literal["abnormal"] | None
Value = Scalar | bytes | tuple[Scalar, ...]
Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Number:
    """A number of `width` octets; its value is (wire - bias) / divisor, in the unit that the name ends with."""

    name: str
    width: int = 1
    divisor: int = 1
    bias: int = 0

    def read(self, octets: Octets) -> Scalar:
        """The value from its octets."""
        wire, most = octets.number(self.width), (1 << 8 * self.width) - 1
        if wire >= most - 1:
            return None if wire == most else ABNORMAL
        return wire - self.bias if self.divisor == 1 else (wire - self.bias) / self.divisor

    def write(self, value: object) -> bytes:
        """The value's octets."""
        most = (1 << 8 * self.width) - 1
        if value is None:
            return most.to_bytes(self.width)
        if isinstance(value, int | float):
            wire = round(value * self.divisor) + self.bias
            if 0 <= wire < most - 1:
                return wire.to_bytes(self.width)
        return (most - 1).to_bytes(self.width)


@dataclass(frozen=True, slots=True)
class Numbers:
    """As many numbers as their count, of `width` octets, says."""

    name: str
    width: int
    each: Number

    def read(self, octets: Octets) -> tuple[Scalar, ...]:
        """The values from their octets."""
        return tuple(self.each.read(octets) for _ in range(octets.number(self.width)))

    def write(self, values: object) -> bytes:
        """The values' octets.

        Raises:
            ValueError: they are no sequence, or too many for the count.
        """
        if not isinstance(values, Sequence) or len(values) >= 1 << 8 * self.width:
            raise ValueError(f"{self.name} needs a list of less than {1 << 8 * self.width} values")
        return len(values).to_bytes(self.width) + b"".join(self.each.write(value) for value in values)


@dataclass(frozen=True, slots=True)
class Block:
    """Octets after their length in two octets."""

    name: str

    def read(self, octets: Octets) -> bytes:
        """The octets."""
        return octets.take(octets.number(2))

    def write(self, value: object) -> bytes:
        """The octets after their length.

        Raises:
            ValueError: they are none, or too many.
        """
        if not isinstance(value, bytes):
            raise ValueError(f"{self.name} needs octets")  # noqa: TRY004 - one error for values that do not fit
        return counted(value, 2)


Field = Number | Numbers | Block


@dataclass(frozen=True, slots=True)
class Layout:
    """A kind of data: its number, its name, its fields; `repeated` ones come with a count octet before the rows."""

    number: int
    name: str
    fields: tuple[Field, ...]
    repeated: bool = False

    def read(self, octets: Octets) -> tuple[Row, ...]:
        """The rows from their octets, the number already read."""
        count = octets.number(1) if self.repeated else 1
        return tuple({field.name: field.read(octets) for field in self.fields} for _ in range(count))

    def write(self, rows: Sequence[Row]) -> bytes:
        """Number and rows; a value that a row does not have is written as invalid.

        Raises:
            ValueError: too many rows, or a list that is missing.
        """
        if len(rows) > 0xFF or (not self.repeated and len(rows) != 1):
            raise ValueError(f"{self.name}: {len(rows)} rows")
        head = bytes([self.number, len(rows)] if self.repeated else [self.number])
        return head + b"".join(field.write(row.get(field.name)) for row in rows for field in self.fields)
