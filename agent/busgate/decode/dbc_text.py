"""DBC text to messages, by cantools' own parser and its strict rules.

Law: what cantools refuses is refused here, and so is what it takes but could never decode. Every fault is one line,
`file:line: what is wrong`, whatever the parser tripped over; nothing is logged.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from busgate.decode.dbc_signal import DbcError, Order, Signal, window
from busgate.decode.slim import without_mdf
from busgate.model import EXTENDED

if TYPE_CHECKING:
    from cantools.database.can.message import Message as CantoolsMessage
    from cantools.database.can.signal import Signal as CantoolsSignal

LONGEST_MESSAGE = 4095
"""Bytes: what classical ISO-TP can carry, more than J1939-21's 1785."""

WIDEST_RANGE = 65_536
"""Multiplexer numbers in one range of SG_MUL_VAL_: cantools lays each of them out."""

DEEPEST_MULTIPLEXING = 32
"""How many multiplexers may select one another in turn."""

_OBJECT = re.compile(r"^[ \t]*(?:BO_[ \t]+(?P<id>\d+)[ \t]+(?P<message>\w+)|SG_[ \t]+(?P<signal>\w+))", re.MULTILINE)
_LENGTH = re.compile(r"^[ \t]*BO_\s+\d+\s+\w+\s*:\s*(\d+)", re.MULTILINE)
_PLACE = re.compile(r"^[ \t]*SG_\s+\w+(?:\s+\w+)?\s*:\s*(\d+)\s*\|\s*(\d+)", re.MULTILINE)
_RANGES = re.compile(r"^[ \t]*SG_MUL_VAL_[^;\"]*", re.MULTILINE)
_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")
_UNUSED = re.compile(r"^ *((?:SIG_VALTYPE_|VAL_) \d+ \w+)", re.MULTILINE)

_Lines = dict[tuple[float, str | None], int]


@dataclass(frozen=True, slots=True)
class MessageLayout:
    """One message as its file describes it; `can_id` is a canid_t, `place` where it stands: `file:line`."""

    place: str
    name: str
    can_id: int
    length: int
    signals: tuple[Signal, ...]
    senders: tuple[str, ...]


def read_messages(name: str, text: str) -> Iterator[MessageLayout]:
    """The messages of one DBC text; `name` is what faults call it (its file name)."""
    with without_mdf():
        from cantools.database.can.formats.dbc import load_string

    _check_sizes(name, text)
    try:
        messages = load_string(text, strict=True).messages
    except Exception as fault:  # noqa: BLE001 - the parser raises whatever it trips over
        raise DbcError(_described(name, text, fault)) from None
    lines = _message_lines(text)
    for message in messages:
        yield _layout(name, lines, message)


def _layout(name: str, lines: _Lines, message: CantoolsMessage) -> MessageLayout:
    can_id = message.frame_id | (EXTENDED if message.is_extended_frame else 0)
    # Its written name may be shorter than its real one; then its id alone decides.
    line = lines.get((can_id, message.name)) or lines.get((can_id, None))
    place = f"{name}:{line}" if line else name
    signals = tuple(_signal(signal) for signal in message.signals)
    if fault := next(_faults(message.length, signals), None):
        raise DbcError(f"{place}: message {message.name}: {fault}")
    return MessageLayout(place, message.name, can_id, message.length, signals, tuple(message.senders))


def _message_lines(text: str) -> _Lines:
    """The line of each message, by canid_t and written name, and the first of each canid_t by that alone."""
    lines: _Lines = {}
    line, counted = 1, 0
    for found in _OBJECT.finditer(text):
        if found["id"]:
            line += text.count("\n", counted, found.start())
            counted = found.start()
            can_id = _number(found["id"])
            lines.setdefault((can_id, found["message"]), line)
            lines.setdefault((can_id, None), line)
    return lines


def _signal(signal: CantoolsSignal) -> Signal:
    order: Order = "little" if signal.byte_order == "little_endian" else "big"
    first, last, shift = window(signal.start, signal.length, order)
    # cantools' rule: integers stay integers where scale and offset are whole (1.0 counts as whole).
    scale, offset = signal.scale, signal.offset
    if not signal.is_float and _whole(scale) and _whole(offset):
        scale, offset = int(scale), int(offset)
    return Signal(
        signal.name,
        signal.unit or "",
        first,
        last,
        shift,
        signal.length,
        order,
        signal.is_signed,
        signal.is_float,
        scale,
        offset,
        {number: str(label) for number, label in (signal.choices or {}).items()},
        signal.multiplexer_signal,
        frozenset(signal.multiplexer_ids or ()),
        signal.is_multiplexer,
    )


def _whole(number: float) -> bool:
    return isinstance(number, int) or number.is_integer()


def _faults(length: int, signals: tuple[Signal, ...]) -> Iterator[str]:
    """What cantools does not check: layouts that no payload fits, signals that no payload can show."""
    if length < 0:
        yield f"its length is {length} bytes"
    names = [signal.name for signal in signals]
    parents = {signal.name: signal.parent for signal in signals}
    selectors = {signal.name for signal in signals if signal.selects}
    for signal in signals:
        if names.count(signal.name) > 1:
            yield f"signal {signal.name} is defined twice"
        if fault := signal.fault():
            yield fault
        if signal.parent is not None and signal.parent not in selectors:
            yield f"signal {signal.name} is multiplexed by {signal.parent}, which is no multiplexer of this message"
        elif signal.parent is not None and not signal.ids:
            yield f"signal {signal.name} is multiplexed, but under no number"
        elif _depth(signal.name, parents) > DEEPEST_MULTIPLEXING:
            yield f"signal {signal.name} lies under itself, or under more than {DEEPEST_MULTIPLEXING} multiplexers"


def _depth(name: str, parents: Mapping[str, str | None]) -> int:
    """How many multiplexers a signal lies under; counting stops just above the deepest allowed."""
    depth = 0
    step = parents[name]
    while step is not None and depth <= DEEPEST_MULTIPLEXING:
        depth += 1
        step = parents.get(step)
    return depth


def _check_sizes(name: str, text: str) -> None:
    """Refuse numbers that would take hours or all memory to lay out, before the parser starts on them."""
    for found in _LENGTH.finditer(text):
        if _number(found[1]) > LONGEST_MESSAGE:
            raise DbcError(f"{name}:{_line(text, found.end())}: a message has at most {LONGEST_MESSAGE} bytes")
    for found in _PLACE.finditer(text):
        if max(_number(found[1]), _number(found[2])) > 8 * LONGEST_MESSAGE:
            raise DbcError(f"{name}:{_line(text, found.end())}: the signal lies beyond any message")
    for found in _RANGES.finditer(text):
        for low, high in _RANGE.findall(found[0]):
            if _number(high) - _number(low) >= WIDEST_RANGE:
                where = f"{name}:{_line(text, found.start())}"
                raise DbcError(f"{where}: the range {low}-{high} has more than {WIDEST_RANGE} multiplexer numbers")


def _number(digits: str) -> float:
    """A written number; one of more than 20 digits is as good as infinite here."""
    return int(digits) if len(digits) <= 20 else math.inf


def _described(name: str, text: str, fault: Exception) -> str:
    """One line for whatever the parser raised."""
    from cantools import Error

    offset = getattr(fault, "offset", None)
    if isinstance(offset, int):  # where the text stops being DBC; negative at its end
        line = _line(text, offset if offset >= 0 else len(text))
        written = "".join(text.splitlines()[line - 1 : line]).strip()
        return (
            f"{name}:{line}: this is not DBC: {written[:80]!r}" if written else f"{name}:{line}: DBC text ends too soon"
        )
    if isinstance(fault, KeyError) and fault.args:
        at = text.find(f'"{fault.args[0]}"')
        where = f"{name}:{_line(text, at)}" if at >= 0 else name
        return f"{where}: {fault.args[0]!r} is used but not defined"
    if unused := _UNUSED.search(str(fault)):
        entry = re.search(r"^[ \t]*" + r"\s+".join(unused[1].split()) + r"\b", text, re.MULTILINE)
        where = f"{name}:{_line(text, entry.end())}" if entry else name
        return f"{where}: {unused[1]} names a signal that no message has"
    what = " ".join(str(fault).split()) or type(fault).__name__
    if not isinstance(fault, Error | AssertionError):
        return f"{name}: a number or name in this file is not what DBC has there: {what}"
    mentioned = _mentioned(text, what)
    return f"{name}:{mentioned}: {what}" if mentioned else f"{name}: {what}"


def _mentioned(text: str, fault: str) -> int | None:
    """The line of the signal that a fault names, or of its message."""
    words = set(re.findall(r"\w+", fault))
    message: int | None = None
    inside = False
    for found in _OBJECT.finditer(text):
        if found["message"]:
            inside = found["message"] in words
            message = _line(text, found.start()) if inside and message is None else message
        elif inside and found["signal"] in words:
            return _line(text, found.start())
    return message


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
