"""DBC message layouts to Python functions: one source text per function, written and compiled once, at load time.

Law: a compiled function never raises, whatever bytes it is given: what does not fit is an `Undecodable`, or None.
A multiplexer picks the function of its branch from a dictionary; a reader asks the multiplexers above each signal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from busgate.decode.dbc_fields import Fields, Namespace, Tables
from busgate.decode.dbc_signal import Number, Signal, Undecodable
from busgate.decode.dbc_text import MessageLayout
from busgate.model import Value

Decode = Callable[[bytes], dict[str, Value] | Undecodable]
Reader = Callable[[bytes], tuple[Number | None, ...]]

_LONGEST_DISPLAY = 15
"""CPython builds a longer dictionary display in pieces, which is slower than setting its items."""


def compile_decode(layout: MessageLayout, tables: Tables) -> tuple[Decode, str]:
    """The function that decodes a whole message, and its source."""
    namespace = Namespace(tables)
    writer = _Branches(layout, namespace)
    source = writer.source()
    namespace.run(source, layout.name)
    writer.link()
    decode: Decode = namespace.held["decode"]
    return decode, source


def compile_reader(layout: MessageLayout, signals: Sequence[Signal], tables: Tables) -> tuple[Reader, str]:
    """The function that reads only `signals` of a message, in their order, and its source."""
    namespace = Namespace(tables)
    by_name = {signal.name: signal for signal in layout.signals}
    above = {signal.name: _above(signal, by_name) for signal in signals}
    fields = Fields([*(mux for muxes in above.values() for mux, _ in muxes), *signals], namespace)
    parts = []
    for signal in signals:
        present = []
        for mux, ids in above[signal.name]:
            key, numbers = fields.selection(mux, ids)
            present.append(f"{key} in {namespace.name('present', frozenset(numbers))}")
        value = fields.value(signal)
        parts.append(f"{value} if {' and '.join(present)} else None" if present else value)
    lines = ["def read(data):"]
    if layout.length:
        nothing = namespace.name("nothing", (None,) * len(signals))
        lines += [f"    if len(data) < {layout.length}:", f"        return {nothing}"]
    lines += [f"    {line}" for line in fields.lines]
    lines += ["    return (", *(f"        {part}," for part in parts), "    )"]
    source = "\n".join(lines) + "\n"
    namespace.run(source, layout.name)
    read: Reader = namespace.held["read"]
    return read, source


def _above(signal: Signal, by_name: dict[str, Signal]) -> list[tuple[Signal, frozenset[int]]]:
    """The multiplexers a signal lies under, outermost first, with the numbers that select it."""
    muxes: list[tuple[Signal, frozenset[int]]] = []
    while signal.parent is not None:
        parent = by_name[signal.parent]
        muxes.insert(0, (parent, signal.ids))
        signal = parent
    return muxes


class _Branches:
    """The functions of a whole message: `decode`, and one for each set of signals that a multiplexer can select."""

    def __init__(self, layout: MessageLayout, namespace: Namespace) -> None:
        self._layout = layout
        self._namespace = namespace
        self._functions: list[str] = []
        self._branches: dict[tuple[str, ...], str] = {}
        self._choices: list[tuple[str, dict[int, str]]] = []
        self._under: dict[str | None, list[Signal]] = {}
        for signal in layout.signals:
            self._under.setdefault(signal.parent, []).append(signal)

    def source(self) -> str:
        """All functions, branches first."""
        length = self._layout.length
        lines = ["def decode(data):"]
        if length:
            lines += [
                f"    if len(data) < {length}:",
                f"        return {self._namespace.name('short', self._short)}(data)",
            ]
        signals = self._under.get(None, [])
        fields = Fields(signals, self._namespace)
        lines += [f"    {line}" for line in (*fields.lines, *self._guards(signals, fields))]
        if len(signals) <= _LONGEST_DISPLAY:
            lines += [
                "    values = {",
                *(f"        {signal.name!r}: {fields.value(signal)}," for signal in signals),
                "    }",
            ]
        else:
            lines += [
                "    values = {}",
                *(f"    values[{signal.name!r}] = {fields.value(signal)}" for signal in signals),
            ]
        lines += [*self._selections(signals, fields), "    return values"]
        return "\n".join([*self._functions, *lines]) + "\n"

    def link(self) -> None:
        """Fill the dictionaries that pick a branch, now that the branches are functions."""
        held = self._namespace.held
        for name, functions in self._choices:
            held[name].update({key: held[function] for key, function in functions.items()})

    def _branch(self, signals: Sequence[Signal]) -> str:
        """The function that adds these signals to `values`; its name."""
        names = tuple(signal.name for signal in signals)
        if names not in self._branches:
            self._branches[names] = function = f"branch_{len(self._branches)}"
            fields = Fields(signals, self._namespace)
            lines = [f"def {function}(data, values):"]
            lines += [f"    {line}" for line in (*fields.lines, *self._guards(signals, fields))]
            lines += [f"    values[{signal.name!r}] = {fields.value(signal)}" for signal in signals]
            lines += [*self._selections(signals, fields), "    return None", ""]
            self._functions.append("\n".join(lines))
        return self._branches[names]

    def _selections(self, signals: Sequence[Signal], fields: Fields) -> list[str]:
        """The lines that follow the multiplexers among `signals` into their branches."""
        lines = []
        for mux in signals:
            children = self._under.get(mux.name, [])
            # A labelled number selects too, if only nothing (cantools' rule).
            numbers = {number for child in children for number in child.ids} | set(mux.labels)
            if not mux.selects or not numbers:
                continue
            branches = {
                number: self._branch([child for child in children if number in child.ids]) for number in sorted(numbers)
            }
            key, meant = fields.selection(mux, numbers)
            pick = self._namespace.name("pick", {})
            self._choices.append((pick, {at: branches[number] for at, number in meant.items()}))
            refuse = self._namespace.name("refuse", _refusal(mux))
            lines.append(f"    fault = {pick}.get({key}, {refuse})(data, values)")
            lines += ["    if fault is not None:", "        return fault"]
        return lines

    def _guards(self, signals: Sequence[Signal], fields: Fields) -> list[str]:
        """Lines that refuse a float with a value table that is not a finite number: cantools cannot look it up."""
        lines = []
        for signal in signals:
            if signal.floating and signal.labels:
                refused = Undecodable(f"signal {signal.name} is not a finite number")
                lines.append(f"if not isfinite({fields.raw(signal)}):")
                lines.append(f"    return {self._namespace.name('refused', refused)}")
        return lines

    def _short(self, data: bytes) -> Undecodable:
        return Undecodable(f"{len(data)} bytes where {self._layout.name} has {self._layout.length}")


def _refusal(mux: Signal) -> Callable[[bytes, dict[str, Value]], Undecodable]:
    """What happens when a multiplexer selects nothing."""

    def refuse(data: bytes, _values: dict[str, Value]) -> Undecodable:
        raw = mux.raw(int.from_bytes(data[mux.first : mux.last + 1], mux.order))
        return Undecodable(f"multiplexer {mux.name} is {raw}, which selects nothing")

    return refuse
