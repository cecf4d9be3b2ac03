"""Bodies as tables: each field of a body class says how it is cut from the octets and how it is shown.

Law: a body is read in the order of its fields, as far as its octets go. If they end early, the fields before that are
shown, `extra` has the octets of the field that was cut, and there is no body object; octets after the last field are
`extra` as well. Either is a flaw, never an exception. A field that its edition or another field rules out is None.

What is shown: a number as transmitted, under the standard's name; beside it, where the standard scales it, the value
under a name that ends in its unit (`speed_kmh`); where it stands for something, `NAME_name`; where its bits do, a list
of the set bits' names. Times are `YYYY-MM-DDThh:mm:ss` of GMT+8, as sent. Bytes are lower-case hexadecimal.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from busgate.decode import jt808_octets
from busgate.decode.jt808_octets import Octets, ShortError

Seen = Mapping[str, Any]
"""The fields of this body that were read so far."""

Cut = Callable[[Octets, Seen], tuple[Any, Any]]
"""How a field is read: its value, and the JSON value that shows it."""

ALL_BITS = 64


class Step(NamedTuple):
    """One field: how it is read, when it is there, and what is shown beside it."""

    cut: Cut
    names: Mapping[int, str] | None = None
    bits: tuple[str, Mapping[int, str]] | None = None
    scaled: tuple[str, float] | None = None
    since: int = 0
    until: int = 9999
    when: Callable[[Seen], bool] | None = None
    optional: bool = False

    def absent(self, octets: Octets, seen: Seen) -> bool:
        """Whether this field is not in this body."""
        if not self.since <= octets.edition <= self.until or (self.optional and not octets.left):
            return True
        return self.when is not None and not self.when(seen)

    def explain(self, name: str, value: Any, shown: dict[str, Any]) -> None:
        """Show what a number means, beside it."""
        if self.names is not None:
            shown[f"{name}_name"] = self.names.get(value) or f"reserved ({value})"
        if self.bits is not None:
            key, names = self.bits
            shown[key] = [text for bit, text in names.items() if value >> bit & 1]
        if self.scaled is not None:
            key, divisor = self.scaled
            shown[key] = value / divisor


class Reading(NamedTuple):
    """A body as far as it could be read; `body` is None if it ended early."""

    body: object | None
    fields: dict[str, Any]
    flaws: tuple[str, ...] = ()


def read_body(kind: type, data: bytes, edition: int) -> Reading:
    """Read a whole body as a `kind`."""
    octets = Octets(data, edition)
    shown: dict[str, Any] = {}
    flaws = octets.flaws
    body = None
    try:
        body = fill(kind, octets, shown)
    except ShortError:
        flaws.append(f"the body has {len(data)} bytes and ends early")
    if octets.left:
        shown["extra"] = octets.data[octets.at :].hex()
        if body is not None:
            flaws.append(f"{octets.left} bytes follow the body")
    return Reading(body, shown, tuple(flaws))


def fits(kind: type, data: bytes, edition: int) -> bool:
    """Whether the octets are a `kind` exactly."""
    return not read_body(kind, data, edition).flaws


def fill(kind: type, octets: Octets, shown: dict[str, Any]) -> Any:
    """A `kind` from the next octets; `shown` fills as reading goes on, also if ShortError ends it."""
    seen: dict[str, Any] = {}
    for name, step in _steps(kind):
        if step.absent(octets, seen):
            seen[name] = None
            continue
        before = octets.at
        try:
            value, showing = step.cut(octets, seen)
        except ShortError as short:
            if short.shown is not None:
                shown[name] = short.shown
            else:
                octets.at = before
            raise
        seen[name] = value
        shown[name] = showing
        step.explain(name, value, shown)
    return kind(**seen)


@cache
def _steps(kind: type) -> tuple[tuple[str, Step], ...]:
    return tuple((field.name, field.metadata["step"]) for field in dataclasses.fields(kind))


def of(cut: Cut, **how: Any) -> Any:
    """A field that `cut` reads; `how` are the other attributes of its `Step`."""
    return dataclasses.field(default=None, metadata={"step": Step(cut, **how)})


def number(width: int | Mapping[int, int], *, signed: bool = False, **how: Any) -> Any:
    """A number of `width` octets, by edition where the editions differ."""

    def cut(octets: Octets, _seen: Seen) -> tuple[int, int | str]:
        size = width if isinstance(width, int) else width[octets.edition]
        value = int.from_bytes(octets.take(size), signed=signed)
        return value, jt808_octets.exact(value)

    return of(cut, **how)


def byte(**how: Any) -> Any:
    """BYTE."""
    return number(1, **how)


def word(**how: Any) -> Any:
    """WORD."""
    return number(2, **how)


def dword(**how: Any) -> Any:
    """DWORD."""
    return number(4, **how)


def _shown_as(show: Callable[[bytes], str], width: int | Mapping[int, int]) -> Cut:
    def cut(octets: Octets, _seen: Seen) -> tuple[str, str]:
        value = show(octets.take(width if isinstance(width, int) else width[octets.edition]))
        return value, value

    return cut


def text(width: int | Mapping[int, int], **how: Any) -> Any:
    """STRING or BYTE[] text in a field of `width` octets, by edition where the editions differ."""
    return of(_shown_as(jt808_octets.fixed_text, width), **how)


def time(**how: Any) -> Any:
    """BCD[6] time."""
    return of(_shown_as(jt808_octets.time, 6), **how)


def minute(**how: Any) -> Any:
    """BCD[6] time to the minute, with all digits of the year."""
    return of(_shown_as(jt808_octets.minute, 6), **how)


def date(width: int = 4, **how: Any) -> Any:
    """BCD[4] or BCD[3] date."""
    return of(_shown_as(jt808_octets.date, width), **how)


def digits(width: int, **how: Any) -> Any:
    """BCD of `width` octets, as the digits sent."""
    return of(_shown_as(bytes.hex, width), **how)


def raw(width: int | str, **how: Any) -> Any:
    """BYTE[] that is no text: so many octets, or as many as the field of that name says."""

    def cut(octets: Octets, seen: Seen) -> tuple[bytes, str]:
        value = octets.take(width if isinstance(width, int) else seen[width])
        return value, value.hex()

    return of(cut, **how)


def rest(**how: Any) -> Any:
    """All octets that are left, as they are."""

    def cut(octets: Octets, _seen: Seen) -> tuple[bytes, str]:
        value = octets.rest()
        return value, value.hex()

    return of(cut, **how)


def rest_text(**how: Any) -> Any:
    """Text up to the end of the body."""

    def cut(octets: Octets, _seen: Seen) -> tuple[str, str]:
        value = jt808_octets.text(octets.rest())
        return value, value

    return of(cut, **how)


def counted_text(width: int = 1, **how: Any) -> Any:
    """Text after its length, which is a number of `width` octets."""

    def cut(octets: Octets, _seen: Seen) -> tuple[str, str]:
        value = jt808_octets.text(octets.take(octets.number(width)))
        return value, value

    return of(cut, **how)


def ended_text(**how: Any) -> Any:
    """Text up to and without its zero octet, or up to the end of the body."""

    def cut(octets: Octets, _seen: Seen) -> tuple[str, str]:
        end = octets.data.find(0, octets.at)
        value = jt808_octets.text(octets.rest() if end < 0 else octets.take(end + 1 - octets.at))
        return value, value

    return of(cut, **how)


def one(kind: type, **how: Any) -> Any:
    """A structure in place."""

    def cut(octets: Octets, _seen: Seen) -> tuple[Any, Any]:
        shown: dict[str, Any] = {}
        try:
            return fill(kind, octets, shown), shown
        except ShortError as short:
            raise ShortError(shown) from short

    return of(cut, **how)


def many(kind: type | int, count: str | int | None = None, **how: Any) -> Any:
    """Structures, or numbers of so many octets: `count` of them (or as that field says), or up to the body's end."""

    def cut(octets: Octets, seen: Seen) -> tuple[Any, Any]:
        values: list[Any] = []
        shown: list[Any] = []
        total = seen[count] if isinstance(count, str) else count
        while octets.left if total is None else len(values) < total:
            if isinstance(kind, int):
                if octets.left < kind:
                    raise ShortError(shown)
                values.append(octets.number(kind))
                shown.append(values[-1])
                continue
            item: dict[str, Any] = {}
            shown.append(item)
            try:
                values.append(fill(kind, octets, item))
            except ShortError as short:
                raise ShortError(shown) from short
        return tuple(values), shown

    return of(cut, **how)
