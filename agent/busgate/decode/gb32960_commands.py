"""How a platform asks, sets and controls a terminal: 80, 81 and 82 of GB/T 32960.3, annex B.

Law: values of parameters have no lengths, so that from the first parameter without a known one the rest is `unparsed`
and a flaw. Both widths of parameters 02 and 03 are tried (2016: two bytes; 2025, by a public gateway: one), that of the
packet's edition first; the one that leaves nothing over is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from busgate.decode.gb32960_names import Y2016
from busgate.decode.gb32960_values import Fields, Layout, label, missing, run, shown, time

NUMBER = "number"
TEXT = "text"
ANSWER = "yes or no"


class Parameter(NamedTuple):
    """A parameter of annex B: its name with its unit, how long its value is, and how it is shown."""

    name: str
    size: int
    form: str = NUMBER


PARAMETERS: Mapping[int, Parameter] = {
    0x01: Parameter("local_storage_period_ms", 2),
    0x02: Parameter("report_period_s", 2),
    0x03: Parameter("alarm_report_period_ms", 2),
    0x04: Parameter("server_domain_length", 1),
    0x05: Parameter("server_domain", 0, TEXT),
    0x06: Parameter("server_port", 2),
    0x07: Parameter("hardware_version", 5, TEXT),
    0x08: Parameter("firmware_version", 5, TEXT),
    0x09: Parameter("heartbeat_period_s", 1),
    0x0A: Parameter("terminal_response_timeout_s", 2),
    0x0B: Parameter("platform_response_timeout_s", 2),
    0x0C: Parameter("login_retry_interval_min", 1),
    0x0D: Parameter("public_domain_length", 1),
    0x0E: Parameter("public_domain", 0, TEXT),
    0x0F: Parameter("public_port", 2),
    0x10: Parameter("sampling", 1, ANSWER),
}

_NARROW = {0x02: 1, 0x03: 1}
_LENGTH_IN = {0x05: 0x04, 0x0E: 0x0D}
_YES_OR_NO = {1: "yes", 2: "no"}

UPGRADE = 0x01
WARNING = 0x06
CONTROLS: Mapping[int, str] = {
    UPGRADE: "remote upgrade",
    0x02: "power off",
    0x03: "reset",
    0x04: "factory reset",
    0x05: "disconnect",
    WARNING: "warning",
    0x07: "open sampling link",
}
"""Annex B; 80 to FE are the user's: one public platform locks vehicles with 90 91 and unlocks them with 90 90."""

UPGRADE_FIELDS = (
    "apn", "username", "password", "address", "port", "maker_code", "hardware_version", "firmware_version", "url",
    "timeout_min",
)  # fmt: skip
_SIZED_UPGRADE = re.compile(
    rb"([^;]*);([^;]*);([^;]*);(.{6});(.{2});(.{4});(.{5});(.{5});([^;]*);(.{2})", re.DOTALL
)  # fmt: skip


_UPGRADE_NUMBERS = frozenset({"port", "timeout_min"})
_PRINTABLE = re.compile(rb"[ -~]*")


@dataclass(frozen=True, slots=True)
class ParameterQuery:
    """Command 80: the parameters that the terminal is asked for, as "0x01"."""

    time: str | None = None
    count: int | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameters:
    """Command 81, and the answer to 80: each parameter's `id`, `name` and `value`, None where unreadable."""

    time: str | None = None
    count: int | None = None
    parameters: tuple[Mapping[str, Any], ...] = ()
    unparsed: str = ""


@dataclass(frozen=True, slots=True)
class TerminalControl:
    """Command 82: one control with its parameter, hexadecimal; `details` is that of an upgrade or a warning."""

    time: str | None = None
    control_id: int | None = None
    control_name: str = ""
    parameter: str = ""
    details: Mapping[str, Any] | None = None


Command = ParameterQuery | Parameters | TerminalControl

_TIME: Layout = (time("time"),)


def read_query(fields: Fields) -> ParameterQuery:
    """Command 80."""
    count = fields.number(1, "count") if run(_TIME, fields) else None
    ids = b"" if count is None else fields.take(min(count, fields.left), "ids") or b""
    if count is not None:
        fields.values |= {"count": count, "ids": [f"0x{one:02X}" for one in ids]}
        if len(ids) != count:
            fields.flaws.append(f"{count} parameters are asked for, {len(ids)} are named")
    return ParameterQuery(fields.values.get("time"), count, tuple(fields.values.get("ids", ())))


def read_parameters(fields: Fields, version: str) -> Parameters:
    """Command 81, or an answer to command 80."""
    count = fields.number(1, "count") if run(_TIME, fields) else None
    if count is None:
        return Parameters(fields.values.get("time"))
    content = fields.rest()
    widths = ({}, _NARROW) if version == Y2016 else (_NARROW, {})
    readings = [_parameters(content, count, narrow) for narrow in widths]
    found, rest, flaw = next((reading for reading in readings if not reading[2]), readings[0])
    fields.values |= {"count": count, "parameters": found}
    if rest:
        fields.values["unparsed"] = rest.hex()
    if flaw:
        fields.flaws.append(flaw)
    return Parameters(fields.values["time"], count, tuple(found), rest.hex())


def _parameters(content: bytes, count: int, narrow: Mapping[int, int]) -> tuple[list[dict[str, Any]], bytes, str]:
    """Parameters with these widths, the bytes behind the last one that could be read, and what is wrong."""
    fields, found, raw = Fields(content), list[dict[str, Any]](), dict[int, bytes]()
    for place in range(count):
        number = fields.number(1, "id")
        if number is None:
            return found, b"", f"{count} parameters are announced, {place} are here"
        known = PARAMETERS.get(number)
        length = raw.get(_LENGTH_IN.get(number, 0))
        size = length[0] if length else None if known is None else narrow.get(number, known.size)
        entry: dict[str, Any] = {
            "id": f"0x{number:02X}",
            "name": known.name if known else "user defined",
            "value": None,
        }
        found.append(entry)
        if known is None or size is None or (number in _LENGTH_IN and length is None):
            return found, fields.rest(), f"parameter 0x{number:02X} has no known length"
        taken = fields.take(size, known.name)
        if taken is None:
            return found, fields.rest(), fields.fault
        raw[number] = taken
        entry["value"] = _value(known, taken)
    rest = fields.rest()
    return found, rest, f"{len(rest)} bytes follow the last parameter" if rest else ""


def _value(parameter: Parameter, taken: bytes) -> int | str:
    if parameter.form == TEXT:
        return shown(taken)
    if parameter.form == ANSWER:
        return label(taken[0], _YES_OR_NO)
    wire = int.from_bytes(taken)
    return missing(wire, len(taken)) or wire


def read_control(fields: Fields) -> TerminalControl:
    """Command 82."""
    control = fields.number(1, "control_id") if run(_TIME, fields) else None
    if control is None:
        return TerminalControl(fields.values.get("time"))
    argument = fields.rest()
    name = CONTROLS.get(control) or ("user defined" if 0x80 <= control <= 0xFE else "reserved")
    fields.values |= {"control_id": f"0x{control:02X}", "control_name": name, "parameter": argument.hex()}
    details = _details(fields, control, argument)
    if details is not None:
        fields.values[name.replace(" ", "_")] = details
    return TerminalControl(fields.values["time"], control, name, argument.hex(), details)


def _details(fields: Fields, control: int, argument: bytes) -> dict[str, Any] | None:
    """What the parameter of a control means."""
    if control == UPGRADE:
        details = _upgrade(argument)
        if details is None:
            fields.flaws.append(f"an upgrade has {len(UPGRADE_FIELDS)} fields, not {argument.count(b';') + 1}")
        return details
    if control == WARNING and argument:
        return {"level": missing(argument[0], 1) or argument[0], "text": shown(argument[1:])}
    if control == WARNING:
        fields.flaws.append("the warning has no level")
    elif control in CONTROLS and argument:
        fields.flaws.append(f"control 0x{control:02X} has no parameter, {len(argument)} bytes follow")
    return None


def _upgrade(argument: bytes) -> dict[str, Any] | None:
    """Fields between semicolons: with the standard's widths, which may hold semicolons themselves, or else as texts."""
    sized = _SIZED_UPGRADE.fullmatch(argument)
    if sized is not None:
        return {name: _upgrade_value(name, taken) for name, taken in zip(UPGRADE_FIELDS, sized.groups(), strict=True)}
    parts = argument.split(b";")
    if len(parts) != len(UPGRADE_FIELDS):
        return None
    # A field that was left out, or all of them written as texts: bytes that are text are taken for that.
    return {
        name: shown(taken) if _PRINTABLE.fullmatch(taken) else _upgrade_value(name, taken)
        for name, taken in zip(UPGRADE_FIELDS, parts, strict=True)
    }


def _upgrade_value(name: str, taken: bytes) -> int | str:
    """A field in the standard's form: numbers of two bytes, an address of six (IPv4 in the last four behind zeros)."""
    if name in _UPGRADE_NUMBERS and len(taken) == 2:
        return int.from_bytes(taken)
    if name == "address" and len(taken) == 6:
        return ".".join(map(str, taken[2:])) if taken[:2] == bytes(2) else taken.hex()
    return shown(taken)
