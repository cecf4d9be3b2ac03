"""What JT/T 808 and JT/T 905 ask of the vehicle itself: 0x8500 in all its readings, and a vendor's cut.

Law: editions contradict each other on 0x8500, and taxis have a form of their own in frames that look the same; every
reading that the octets fit is told, and none is taken for sure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from busgate.detect.wanted import COMMAND, UNKNOWN, Wanted, arguments, number, several, unknown
from busgate.model import Act, Argument, Subsystem

Fields = Mapping[str, Any]
_DRIVE, _UNKNOWN = Subsystem.DRIVE, Subsystem.UNKNOWN
_DOORS_BIT = 0x01
_TAXI_OCTETS = 2


def vehicle_control(fields: Fields) -> Iterator[Wanted]:
    """0x8500 of JT/T 808."""
    readings = several(fields.get("readings"))
    doors = {str(each["doors"]) for each in readings if each.get("doors")}
    told = set()
    for each in readings:
        flag = number(each.get("control_flag"))
        if flag is not None and flag & ~_DOORS_BIT:
            said = {"control_flag": Argument(f"0x{flag:02X}")}
            yield unknown("vehicle control flag with reserved bits", said)
        for control in several(each.get("controls")):
            place = number(control.get("control_id"))
            if control.get("name") == "doors":
                doors.add(str(control.get("meaning") or "unclear"))
            elif place is not None and place not in told:
                told.add(place)
                said = {"control_id": Argument(f"0x{place:04X}")} | arguments(control, "parameter", "parameter_hex")
                yield unknown(f"vehicle control 0x{place:04X} of the vendor", said)
    if doors:
        opens = doors & {"open", "unlock"}
        said = {"doors": Argument(" or ".join(sorted(doors)))}
        act = Act.UNLOCK if opens == doors else Act.SET
        yield Wanted("vehicle control: doors", Subsystem.DOORS, act, COMMAND, said)
    if not readings:
        yield from _as_a_taxi_reads_it(fields)


def _as_a_taxi_reads_it(fields: Fields) -> Iterator[Wanted]:
    """A body of two octets has no form of JT/T 808, but is JT/T 905's, whose frames look the same."""
    body = str(fields.get("body_hex") or "")
    item, order = number(f"0x{body[:2]}"), number(f"0x{body[2:]}")
    if len(body) == 2 * _TAXI_OCTETS and item is not None and order is not None:
        yield from taxi_control({"control_item": item, "control_command": order})
    else:
        yield unknown("vehicle control of unknown form", arguments(fields, "body_hex"))


TAXI_ITEMS: Mapping[int, tuple[str, Subsystem]] = {
    0: ("oil", _DRIVE),
    1: ("circuit", _DRIVE),
    2: ("doors", Subsystem.DOORS),
    3: ("vehicle lock", _DRIVE),
}


def taxi_control(fields: Fields) -> Iterator[Wanted]:
    """0x8500 of JT/T 905: 1 cuts or locks, 0 restores or unlocks."""
    item, order = number(fields.get("control_item")), number(fields.get("control_command"))
    if item is None:
        return
    name, subsystem = TAXI_ITEMS.get(item, (f"item {item}", _UNKNOWN))
    cut, restored = (Act.SET, Act.UNLOCK) if subsystem is Subsystem.DOORS else (Act.STOP, Act.ENABLE)
    act = {0: restored, 1: cut}.get(-1 if order is None else order, Act.SET)
    said = arguments(fields, "control_item", "control_command", "meaning")
    rule = UNKNOWN if subsystem is _UNKNOWN else COMMAND
    yield Wanted(f"vehicle control: {name}", subsystem, act if rule == COMMAND else Act.SET, rule, said)


def oil_control(fields: Fields) -> Iterator[Wanted]:
    """0xA006 of one vendor family: 0 restores; whatever else it says is taken for a cut."""
    cuts = number(fields.get("command")) != 0
    name, act = ("cut drive", Act.STOP) if cuts else ("restore drive", Act.ENABLE)
    yield Wanted(
        f"vendor oil control: {name}", _DRIVE, act, COMMAND, arguments(fields, "command", "command_name", "time")
    )
