"""How generated code takes signals out of a payload: the lines that fetch bytes, and an expression for each signal.

Law: what stands in the file is data here: names, labels and numbers enter the source as constants only, and the code
reaches nothing but what its `Namespace` holds. No expression raises, whatever the bytes, once the length is checked.

How a signal is read, cheapest first: within one byte it is a table of the 256 answers; otherwise its window is a
field of one `struct` (`int.from_bytes` for odd widths), shifted and masked, `(x ^ sign) - sign` for two's
complement.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from busgate.decode.dbc_signal import Number, Order, Signal
from busgate.model import Value

Tables = dict[tuple[object, ...], tuple[Value, ...]]
"""Tables of answers that decoders share, by what they mean."""

_UNSIGNED = {2: "H", 4: "I", 8: "Q"}
_SIGNED = {2: "h", 4: "i", 8: "q"}
_FLOAT = {2: "e", 4: "f", 8: "d"}


class Namespace:
    """The constants that generated code refers to, each under a name of ours."""

    def __init__(self, tables: Tables) -> None:
        self.held: dict[str, Any] = {
            "__builtins__": {},
            "from_bytes": int.from_bytes,
            "int": int,
            "isfinite": math.isfinite,
            "len": len,
        }
        self._tables = tables

    def name(self, prefix: str, constant: object) -> str:
        """Hold a constant; the name to call it by."""
        name = f"{prefix}_{len(self.held)}"
        self.held[name] = constant
        return name

    def table(self, signal: Signal) -> str:
        """Hold the 256 answers of a signal within one byte; signals that mean the same share them."""
        # By text, because 1, 1.0 and True are one key but not one answer.
        key = (
            signal.shift,
            signal.bits,
            signal.signed,
            repr(signal.scale),
            repr(signal.offset),
            *signal.labels.items(),
        )
        if key not in self._tables:
            raws = [int(signal.raw(byte)) for byte in range(256)]
            answers = {raw: signal.value(raw) for raw in raws}
            self._tables[key] = tuple(answers[raw] for raw in raws)
        return self.name("table", self._tables[key])

    def run(self, source: str, message: str) -> None:
        """Define the functions of a source text."""
        code = compile(source, f"<dbc message {message!r}>", "exec")
        exec(code, self.held)  # noqa: S102 - the source is ours; what comes from the file is in it as constants only


class _Field(NamedTuple):
    """Some bytes of the message as one local variable; `typed` when `struct` gives the one signal in it as it is."""

    variable: str
    order: Order
    first: int
    last: int
    typed: str | None

    @property
    def size(self) -> int:
        return self.last - self.first + 1


class Fields:
    """How a set of signals is taken out of `data`: the lines that fetch wide windows, an expression for each signal."""

    def __init__(self, signals: Iterable[Signal], namespace: Namespace) -> None:
        self.lines: list[str] = []
        self._namespace = namespace
        self._fields: list[_Field] = []
        wide = {signal.name: signal for signal in signals if signal.first != signal.last}
        orders: tuple[Order, ...] = ("little", "big")
        for order in orders:
            fields = _fields(order, [signal for signal in wide.values() if signal.order == order])
            self._fields += fields
            self._unpack(order, [field for field in fields if field.size in _UNSIGNED])
            for field in fields:
                if field.size not in _UNSIGNED:
                    window = f"data[{field.first}:{field.last + 1}]"
                    self.lines.append(f'{field.variable} = from_bytes({window}, "{order}")')

    def _unpack(self, order: Order, fields: Sequence[_Field]) -> None:
        if not fields:
            return
        layout, at = "<" if order == "little" else ">", 0
        for field in fields:
            gap = f"{field.first - at}x" if field.first > at else ""
            layout += gap + (field.typed or _UNSIGNED[field.size])
            at = field.last + 1
        unpack = self._namespace.name("unpack", struct.Struct(layout).unpack_from)
        self.lines.append(f"({', '.join(field.variable for field in fields)},) = {unpack}(data)  # {layout}")

    def raw(self, signal: Signal) -> str:
        """The raw value of a signal, as an expression."""
        if signal.first == signal.last:
            return self.value(signal.bare())
        field = next(at for at in self._fields if at.order == signal.order and at.first <= signal.first <= at.last)
        if field.typed:
            return field.variable
        beside = signal.first - field.first if signal.order == "little" else field.last - signal.last
        shift = signal.shift + 8 * beside
        bits = f"{field.variable} >> {shift}" if shift else field.variable
        if shift + signal.bits < 8 * field.size:
            bits = f"{bits} & {(1 << signal.bits) - 1:#x}"
        if signal.floating:
            return f"{self._namespace.name('float', replace(signal, shift=0).raw)}({bits})"
        if signal.signed:
            sign = f"{1 << signal.bits - 1:#x}"
            return f"({bits} ^ {sign}) - {sign}" if bits == field.variable else f"(({bits}) ^ {sign}) - {sign}"
        return bits

    def value(self, signal: Signal) -> str:
        """What a signal means, as an expression: its label, or its number."""
        if signal.first == signal.last:
            byte = f"data[{signal.first}]"
            whole = signal.bits == 8 and signal.identity and not signal.signed and not signal.labels
            return byte if whole else f"{self._namespace.table(signal)}[{byte}]"
        raw = self.raw(signal)
        if not signal.labels:
            return _scaled(signal, raw)
        labels = self._namespace.name("labels", signal.labels)
        number = _scaled(signal, "raw")
        if signal.floating:
            return f"{labels}[int(raw)] if int(raw := {raw}) in {labels} else {number}"
        return f"{labels}[raw] if (raw := {raw}) in {labels} else {number}"

    def selection(self, mux: Signal, numbers: Iterable[int]) -> tuple[str, dict[int, int]]:
        """What to look a multiplexer up by, as an expression; and which of its keys stand for which of `numbers`."""
        wanted = frozenset(numbers)
        key = f"data[{mux.first}]"
        meant: dict[int, int | None]
        if mux.first == mux.last:
            meant = {byte: mux.multiplexer_number(mux.raw(byte)) for byte in range(256)}
        elif mux.identity and not mux.floating:
            key = self.raw(mux)
            meant = {raw: mux.multiplexer_number(raw) for raw in (*wanted, *mux.labels)}
        else:
            key = f"{self._namespace.name('number', mux.multiplexer_number)}({self.raw(mux)})"
            meant = {number: number for number in wanted}
        return key, {at: number for at, number in meant.items() if number is not None and number in wanted}


def _fields(order: Order, signals: Sequence[Signal]) -> list[_Field]:
    """Windows that share a byte become one field."""
    groups: list[tuple[int, list[Signal]]] = []
    for signal in sorted(signals, key=lambda signal: signal.first):
        if groups and signal.first <= groups[-1][0]:
            last, members = groups.pop()
            groups.append((max(last, signal.last), [*members, signal]))
        else:
            groups.append((signal.last, [signal]))
    return [_field(order, last, members) for last, members in groups]


def _field(order: Order, last: int, members: Sequence[Signal]) -> _Field:
    only = members[0]
    size = last - only.first + 1
    typed = None
    if len(members) == 1 and only.bits == 8 * size:
        typed = (_FLOAT if only.floating else _SIGNED if only.signed else _UNSIGNED).get(size)
    return _Field(f"{order}_{only.first}", order, only.first, last, typed)


def _scaled(signal: Signal, raw: str) -> str:
    """`raw * scale + offset`, without the steps that change nothing."""
    if signal.identity:
        return raw
    scale, offset = signal.scale, signal.offset
    factor = raw if raw.isidentifier() else f"({raw})"
    if scale != 1:
        factor = f"{factor} * {_literal(scale)}"
    # Adding 0 matters where the product may be -0.0, which integers times a positive scale never are.
    if offset == 0 and scale > 0 and not signal.floating:
        return factor
    return f"{factor} + {_literal(offset)}"


def _literal(number: Number) -> str:
    """A number as Python source; infinite ones too, which a file may hold as 1e999."""
    return repr(number) if math.isfinite(number) else repr(math.copysign(1, number)).replace("1.0", "1e999")
