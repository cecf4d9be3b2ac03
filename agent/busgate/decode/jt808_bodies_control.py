"""Commands to the vehicle: 0x8500 in all its readings, and vendors' cuts (JT/T 808, clause 8).

Law: the standard's two editions mean different things by 0x8500, and the newer one contradicts itself on whether a
count precedes the controls. So all readings that the octets fit are in `readings`; the fields themselves are those of
the edition's own reading, or of the first that fits if its own does not.

Flag byte (2011, 2013): bit 0 is 0 to unlock the doors and 1 to lock. Controls (2019): id 1 is the doors, where 0 locks
and 1 opens; F001-FFFF are a vendor's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from busgate.decode.jt808_layout import Reading, byte, time
from busgate.decode.jt808_message import Message, Table, plain
from busgate.decode.jt808_octets import exact

DOOR = 0x0001
FIRST_VENDOR_CONTROL = 0xF001


@dataclass(frozen=True, slots=True)
class VehicleControlFlag:
    """0x8500 of 2011 and 2013: `doors` is "lock" or "unlock"."""

    control_flag: int
    doors: str


@dataclass(frozen=True, slots=True)
class Control:
    """One control: its id, name ("doors", "vendor", "reserved"), parameter octets, what is meant or ""."""

    control_id: int
    name: str
    parameter: bytes
    meaning: str


@dataclass(frozen=True, slots=True)
class VehicleControl:
    """0x8500 of 2019: `count` is how many octets the count of controls has: 2, 1, or 0 without a count."""

    count: int
    controls: tuple[Control, ...]


def _flag(body: bytes) -> VehicleControlFlag | None:
    return VehicleControlFlag(body[0], "lock" if body[0] & 1 else "unlock") if len(body) == 1 else None


def _control(octets: bytes) -> Control:
    number, parameter = int.from_bytes(octets[:2]), octets[2:]
    if number == DOOR:
        return Control(number, "doors", parameter, {b"\0": "lock", b"\1": "open"}.get(parameter, ""))
    return Control(number, "vendor" if number >= FIRST_VENDOR_CONTROL else "reserved", parameter, "")


def _controls(body: bytes, count: int) -> VehicleControl | None:
    """Controls of equal length after a count of so many octets; without one, of three octets each."""
    total = int.from_bytes(body[:count]) if count else len(body) // 3
    items = body[count:]
    if not total or len(items) % total or len(items) // total < 3 or (not count and len(items) % 3):
        return None
    size = len(items) // total
    return VehicleControl(count, tuple(_control(items[at : at + size]) for at in range(0, len(items), size)))


def _unlikely(found: VehicleControl) -> tuple[bool, bool]:
    """Sorts readings: those with ids and values of the standard first, then those whose parameters are one octet."""
    known = all(control.meaning or control.control_id >= FIRST_VENDOR_CONTROL for control in found.controls)
    return not known, any(len(control.parameter) != 1 for control in found.controls)


def _show_flag(flag: VehicleControlFlag) -> dict[str, Any]:
    return {"form": "flag (2011, 2013)", "control_flag": flag.control_flag, "doors": flag.doors}


_FORMS = {2: "counted controls (2019)", 1: "controls after a one-byte count", 0: "controls without count (2019)"}


def _show_controls(found: VehicleControl) -> dict[str, Any]:
    shown: dict[str, Any] = {"form": _FORMS[found.count]}
    if found.count:
        shown["control_total"] = len(found.controls)
    shown["controls"] = [
        {
            "control_id": control.control_id,
            "name": control.name,
            "parameter": exact(int.from_bytes(control.parameter)),
            "parameter_hex": control.parameter.hex(),
            "meaning": control.meaning,
        }
        for control in found.controls
    ]
    return shown


def _vehicle_control(body: bytes, edition: int, _certain: bool) -> Reading:
    flag = _flag(body)
    controls = [found for count in (2, 0, 1) if (found := _controls(body, count)) is not None]
    controls.sort(key=_unlikely)
    bodies: list[VehicleControlFlag | VehicleControl] = [*([flag] if flag else []), *controls]
    if edition >= 2019:
        bodies.sort(key=lambda found: isinstance(found, VehicleControlFlag))
    readings = [
        _show_flag(found) if isinstance(found, VehicleControlFlag) else _show_controls(found) for found in bodies
    ]
    if not bodies:
        return Reading(None, {"readings": []}, (f"a vehicle control of {len(body)} bytes has no form of the standard",))
    flaws: tuple[str, ...] = ()
    if isinstance(bodies[0], VehicleControlFlag) != (edition < 2019):
        flaws = (f"the vehicle control has the form of another edition: {readings[0]['form']}",)
    return Reading(bodies[0], {**readings[0], "readings": readings}, flaws)


@dataclass(frozen=True, slots=True)
class OilControl:
    """0xA006 of one vendor family: 1 cuts oil and circuit, 0 restores; and the time of the command."""

    command: int = byte(names={0: "restore oil and circuit", 1: "cut oil and circuit"})
    time: str | None = time(optional=True)


CONTROLS: Table = {
    0x8500: Message("vehicle control", _vehicle_control),
    0xA006: plain("vendor oil control", OilControl),
}
