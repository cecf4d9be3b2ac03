"""The report of GB/T 32960.3 (commands 02 and 03): its time, its kinds of data, and 2025's signature.

Law: kinds have no lengths, so that from the first one that is unknown or broken all is `unparsed` and a flaw. A kind
that is reserved is read by the length that those met in the field have, but only where all that follows can be read.
A signature is found even behind what cannot be read, because it ends where the data ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from busgate.decode.gb32960_info import CUSTOM, KINDS, RESERVED, SIGNATURE, Kind
from busgate.decode.gb32960_names import Y2025
from busgate.decode.gb32960_signals import ALGORITHMS
from busgate.decode.gb32960_values import Fields, run, time

SMALLEST_SIGNATURE = 6
"""Its mark, its algorithm, and two lengths."""


@dataclass(frozen=True, slots=True)
class Info:
    """One kind of data in a report: `kind` and `name` as in `gb32960_info.KINDS`, `values` as its layout has them."""

    kind: int
    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """Commands 02 (real time) and 03 (reissued), 7.2.

    `time` is when the data was collected (ISO 8601, GMT+8), None where the report has none. `signature` is 2025's
    (7.2.2): `algorithm`, and `r` and `s` in hexadecimal. `unparsed` is what no table describes, in hexadecimal.
    """

    time: str | None = None
    infos: tuple[Info, ...] = ()
    signature: Mapping[str, Any] | None = None
    unparsed: str = ""

    def fields(self) -> dict[str, Any]:
        """The report as JSON values; what is absent is left out."""
        found: dict[str, Any] = {} if self.time is None else {"time": self.time}
        found["infos"] = [{"type": f"0x{info.kind:02X}", "name": info.name, **info.values} for info in self.infos]
        if self.signature is not None:
            found["signature"] = self.signature
        return found | ({"unparsed": self.unparsed} if self.unparsed else {})


def read_report(data: bytes, version: str) -> tuple[Report, list[str]]:
    """A report, and what is wrong with it; one that begins with its first kind of data has lost its time."""
    report, flaws = _read(data, version, timed=True)
    if flaws and data and data[0] in KINDS[version] and data[0] not in CUSTOM:
        timeless, _ = _read(data, version, timed=False)
        if not timeless.unparsed:
            return timeless, ["the report has no time"]
    return report, flaws


def _read(data: bytes, version: str, *, timed: bool) -> tuple[Report, list[str]]:
    fields = Fields(data)
    if timed and not time("time")(fields):
        return Report(unparsed=data.hex()), [fields.fault]
    when = fields.values.get("time")
    infos, end, trouble = _infos(fields, version)
    flaws = [*fields.flaws, *_oddities(infos), *([trouble] if trouble else [])]
    signature = next((info.values for info in infos if info.kind == SIGNATURE), None)
    unparsed = data[end:]
    if signature is None and version == Y2025:
        signature, unparsed = _last_signature(unparsed)
    kept = tuple(info for info in infos if info.values is not signature)
    return Report(when, kept, signature, unparsed.hex()), flaws


def _infos(fields: Fields, version: str) -> tuple[list[Info], int, str]:
    """Kinds of data as far as they can be read, the place where that ends, and why it ends before the data."""
    infos, reserved = list[Info](), None
    while fields.left:
        start, number = fields.at, fields.data[fields.at]
        kind = _kind(number, version)
        fields.at += 1
        fields.values = {}
        if kind is None or not run(kind.layout, fields):
            why = f"data of kind 0x{number:02X} cannot be read: {fields.fault or 'it has no known length'}"
            if reserved is None:
                return infos, start, why
            position, start = reserved
            return infos[:position], start, f"data of kind 0x{fields.data[start]:02X} is reserved and cannot be read"
        if kind is RESERVED and reserved is None:
            reserved = len(infos), start
        infos.append(Info(number, kind.name, fields.values))
    return infos, fields.at, ""


def _kind(number: int, version: str) -> Kind | None:
    return KINDS[version].get(number) or (RESERVED if 0x00 < number < CUSTOM.start else None)


def _oddities(infos: list[Info]) -> list[str]:
    """What was read and is not as the standard has it."""
    flaws = [f"data of kind 0x{info.kind:02X} is reserved" for info in infos if info.name == RESERVED.name]
    signed = next((place for place, info in enumerate(infos) if info.kind == SIGNATURE), len(infos))
    return flaws + [f"data of kind 0x{info.kind:02X} follows the signature" for info in infos[signed + 1 :]]


def _last_signature(unparsed: bytes) -> tuple[Mapping[str, Any] | None, bytes]:
    """The signature that ends where the data ends, and what is before it."""
    place = unparsed.find(SIGNATURE)
    while 0 <= place <= len(unparsed) - SMALLEST_SIGNATURE:
        fields = Fields(unparsed, place + 1)
        if unparsed[place + 1] in ALGORITHMS and run(KINDS[Y2025][SIGNATURE].layout, fields) and not fields.left:
            return fields.values, unparsed[:place]
        place = unparsed.find(SIGNATURE, place + 1)
    return None, unparsed
