"""A decoded log entry read with care: it may come from another version, or from somebody who wants to confuse us.

Law: nothing here raises on any entry, and every text that comes out is printable. A field that is missing or of
another kind reads as "unknown", "" or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from busgate.model import Party
from busgate.report.words import Language, Words, printable

Entry = Mapping[str, object]
Member = TypeVar("Member", bound=StrEnum)

_MOST = 16
"""How many members of a list or mapping a sentence shows."""


def text(entry: Entry, key: str, otherwise: str = "") -> str:
    """A text or number as text."""
    value = entry.get(key)
    if isinstance(value, str) and value:
        return printable(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return printable(str(value))
    return otherwise


def whole(entry: Entry, key: str) -> int | None:
    """A whole number, also one written as text, as times are."""
    value = entry.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) < 20 and value.isascii() and value.isdigit():
        return int(value)
    return None


def part(entry: Entry, key: str) -> Entry:
    """A mapping inside the entry; empty where there is none."""
    value = entry.get(key)
    return value if isinstance(value, Mapping) else {}


def member(entry: Entry, key: str, kind: type[Member]) -> Member | None:
    """A member of one of the model's closed sets."""
    value = entry.get(key)
    return kind(value) if isinstance(value, str) and value in frozenset(kind) else None


def scalar(value: object, limit: int) -> str:
    """A plain value as text; lists and tables, which may be nested without end, show as `…`."""
    return printable(str(value), limit) if value is None or isinstance(value, (str, int, float)) else "…"


def listed(entry: Entry, key: str) -> str:
    """The members of a list, with commas."""
    value = entry.get(key)
    if not isinstance(value, (list, tuple)):
        return ""
    return ", ".join(scalar(item, 80) for item in value[:_MOST])


def counts(entry: Entry, key: str) -> str:
    """A mapping of names to numbers: `frames 12, packets 3`."""
    shown = list(part(entry, key).items())[:_MOST]
    return ", ".join(f"{scalar(name, 60)} {scalar(value, 20)}" for name, value in shown)


def party(entry: Entry, key: str, language: Language) -> str:
    """Who sends or receives: `VCU (0x27)`."""
    fields = part(entry, key)
    name, address = text(fields, "name"), whole(fields, "address")
    if not name and address is None:
        return _UNKNOWN.in_(language)
    return str(Party(name, address))


def arguments(entry: Entry, language: Language) -> str:
    """What a command asks for: `TorqueLimit 0 %, Mode stop`."""
    shown = []
    for name, argument in list(part(entry, "arguments").items())[:_MOST]:
        fields = argument if isinstance(argument, Mapping) else {"value": argument}
        words = (scalar(name, 60), _value(fields.get("value"), language), text(fields, "unit"))
        shown.append(" ".join(word for word in words if word))
    return ", ".join(shown)


def _value(value: object, language: Language) -> str:
    if isinstance(value, float):
        written = f"{value:g}"
        return written.replace(".", ",") if language == "nl" else written
    return scalar(value, 60)


_UNKNOWN = Words("somebody unknown", "een onbekende")
