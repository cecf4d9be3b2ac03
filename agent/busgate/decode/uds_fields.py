"""How the parameters of a UDS payload are cut from its bytes: small steps, which uds_services strings into layouts.

Law: a step takes only what is there. Bytes that a longer payload has but does not show yet end the reading quietly;
bytes that the payload will never have are a fault in words. No step raises, whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from busgate.model import Value

MOST_EXACT = (1 << 53) - 1
"""The largest number that every reader of JSON keeps exactly (RFC 8785, 3.2.2.3); larger ones become hexadecimal."""

MOST_SHOWN = 64  # bytes of a free-form record; the payload itself has all of them


class Fields:
    """A payload while it is read: what was found so far, and the place of the next byte.

    `length` is how long the payload will be in the end, None if nobody announced it. `fault` is "" or what is wrong.
    """

    __slots__ = ("at", "data", "dids", "fault", "length", "routine", "subfunction", "suppressed", "values")

    def __init__(self, data: bytes, length: int | None, at: int) -> None:
        self.data = data
        self.length = length
        self.at = at
        self.values: dict[str, Value] = {}
        self.dids: list[int] = []
        self.routine: int | None = None
        self.subfunction: int | None = None
        self.suppressed = False
        self.fault = ""

    def lacks(self, size: int) -> bool:
        """Whether the payload will never have `size` bytes more; that is a fault."""
        end = self.at + size
        if self.length is None or end <= self.length:
            return False
        self.fault = f"has {self.length} bytes and needs at least {end}"
        return True

    def take(self, size: int) -> bytes | None:
        """The next `size` bytes; None when they are not visible, with a fault when they never will be."""
        end = self.at + size
        if self.lacks(size) or end > len(self.data):
            return None
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, size: int) -> int | None:
        """The next `size` bytes as a big-endian number (ISO 14229-1:2020, 8.1); None as in `take`."""
        taken = self.take(size)
        return None if taken is None else int.from_bytes(taken)

    def skip(self) -> None:
        """Leave all that follows, seen or unseen."""
        self.at = len(self.data) if self.length is None else self.length

    @property
    def ended(self) -> bool:
        """Whether the payload has no byte left, seen or unseen."""
        return self.length is not None and self.at >= self.length


Step = Callable[[Fields], bool]
"""One parameter: reads it and answers whether the reading goes on."""

Layout = tuple[Step, ...]


def run(layout: Layout, fields: Fields) -> bool:
    """Read a layout as far as it goes; True when every step found its bytes."""
    return all(step(fields) for step in layout)


def label(number: int, names: Mapping[int, str], digits: int = 2) -> str:
    """The standard's name for a value, or the value in hexadecimal."""
    return names.get(number) or f"0x{number:0{digits}X}"


def exact(found: int) -> Value:
    """A number as a value that every reader of JSON keeps."""
    return found if found <= MOST_EXACT else f"0x{found:X}"


def number(name: str, size: int = 1) -> Step:
    """A number that means itself."""

    def step(fields: Fields) -> bool:
        found = fields.number(size)
        if found is None:
            return False
        fields.values[name] = exact(found)
        return True

    return step


def choice(name: str, names: Mapping[int, str], size: int = 1, mask: int | None = None) -> Step:
    """A number that stands for something; `mask` keeps the bits that say what."""

    def step(fields: Fields) -> bool:
        found = fields.number(size)
        if found is None:
            return False
        fields.values[name] = label(found if mask is None else found & mask, names, 2 * size)
        return True

    return step


def subfunction(name: str, names: Mapping[int, str], mask: int = 0x7F) -> Step:
    """The sub-function; its highest bit asks for no positive answer (ISO 14229-1:2020, 9.2)."""

    def step(fields: Fields) -> bool:
        found = fields.number(1)
        if found is None:
            return False
        fields.subfunction = found & 0x7F
        fields.suppressed = bool(found & 0x80)
        fields.values[name] = label(found & mask, names)
        return True

    return step


def did(names: Mapping[int, str]) -> Step:
    """One data identifier (annex C.1)."""

    def step(fields: Fields) -> bool:
        found = fields.number(2)
        if found is None:
            return False
        _add_did(fields, found, names)
        return True

    return step


def dids(names: Mapping[int, str], size: int = 2, base: int = 0) -> Step:
    """Data identifiers up to the end of the payload, one at least; periodic ones have one byte above `base`."""

    def step(fields: Fields) -> bool:
        while True:
            found = fields.number(size)
            if found is None:
                return False
            _add_did(fields, base + found, names)
            if fields.ended:
                return True

    return step


def _add_did(fields: Fields, found: int, names: Mapping[int, str]) -> None:
    fields.dids.append(found)
    text = f"0x{found:04X} {names.get(found, '')}".rstrip()
    before = fields.values.get("data_identifier")
    fields.values["data_identifier"] = text if before is None else f"{before}, {text}"


def routine(names: Mapping[int, str]) -> Step:
    """A routine identifier (annex F.1)."""

    def step(fields: Fields) -> bool:
        found = fields.number(2)
        if found is None:
            return False
        fields.routine = found
        fields.values["routine"] = f"0x{found:04X} {names.get(found, '')}".rstrip()
        return True

    return step


def rest(name: str, least: int = 0) -> Step:
    """Whatever follows, in hexadecimal, `least` bytes at least; "…" where more of it exists than is shown."""

    def step(fields: Fields) -> bool:
        start = fields.at
        if fields.take(least) is None and fields.fault:
            return False
        seen = fields.data[start : start + MOST_SHOWN]
        more = fields.length is None or fields.length - start > len(seen)
        if seen or more:
            fields.values[name] = seen.hex() + ("…" if more else "")
        fields.skip()
        return True

    return step


def count(name: str) -> Step:
    """How many bytes follow, seen or unseen, without showing them."""

    def step(fields: Fields) -> bool:
        if fields.length is not None:
            fields.values[name] = fields.length - fields.at
        fields.skip()
        return True

    return step


def optional(*layout: Step) -> Step:
    """Parameters that may be left out together."""

    def step(fields: Fields) -> bool:
        return fields.ended or run(layout, fields)

    return step


def by_subfunction(layouts: Mapping[int, Layout], otherwise: Layout = ()) -> Step:
    """Parameters that depend on the sub-function read before them."""

    def step(fields: Fields) -> bool:
        return run(layouts.get(-1 if fields.subfunction is None else fields.subfunction, otherwise), fields)

    return step
