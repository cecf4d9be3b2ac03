"""The real-time report: which kinds of data it has in 2016 and in 2025, and their fields (GB/T 32960.3, 7.2).

Law: kinds are read until one is unknown or broken; from there on all is kept in `rest`, because kinds have no
lengths. Not known here, since no source we trust gives them: fuel cells (0x03), and 2025's stack and capacitor data
(0x30 and up); a battery-electric bus has none of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from busgate_sim.cloud.gb32960 import Edition
from busgate_sim.cloud.gb32960_fields import Block, Field, Layout, Number, Numbers, Row
from busgate_sim.cloud.octets import ContradictionError, Octets

DRIVING = 0x20
BRAKING = 0x10
PARKED = 0x0F
DRIVE = 0x0E
REVERSE = 0x0D
"""The gear octet: 0 neutral and the last three in its low four bits, with driving and braking force above them."""

NOT_LOCATED = 0x01
SOUTH = 0x02
WEST = 0x04
"""Bits of a position's state."""

ALARMS = (
    "temperature difference", "battery temperature high", "pack voltage high", "pack voltage low", "charge low",
    "cell voltage high", "cell voltage low", "charge high", "charge jumps", "packs do not match",
    "cells inconsistent", "insulation", "DC/DC temperature", "brakes", "DC/DC state", "motor controller temperature",
    "high-voltage interlock", "motor temperature", "pack overcharged", "motor speed high", "motor current high",
    "capacitor temperature", "capacitor pressure", "thermal event", "hydrogen leak", "hydrogen pressure",
    "hydrogen temperature", "stack temperature",
)  # fmt: skip
"""The alarm word's bits from bit 0; those from "motor speed high" on are of 2025."""

_CUSTOM = range(0x80, 0xFF)
_SIGNATURE = 0xFF


def _vehicle(current_bias: int) -> tuple[Field, ...]:
    return (
        Number("state"),
        Number("charging"),
        Number("drive_mode"),
        Number("speed_kmh", 2, 10),
        Number("odometer_km", 4, 10),
        Number("voltage_v", 2, 10),
        Number("current_a", 2, 10, current_bias),
        Number("soc_percent"),
        Number("dcdc"),
        Number("gear"),
        Number("insulation_kohm", 2),
    )


def _motor(speed_bias: int, torque: Number) -> tuple[Field, ...]:
    head = (Number("motor"), Number("state"), Number("controller_degc", bias=40))
    return (*head, Number("speed_rpm", 2, bias=speed_bias), torque, Number("temperature_degc", bias=40))


_PLACE = (Number("longitude_deg", 4, 1_000_000), Number("latitude_deg", 4, 1_000_000))
_FAULTS: tuple[Field, ...] = (
    Number("level"),
    # All its bits together would be "invalid", as the standard has it for every number.
    Number("alarms", 4),
    *(Numbers(name, 1, Number("code", 4)) for name in ("battery", "motor", "engine", "other")),
)
_CELL = Number("voltage_v", 2, 1000)
_PROBES = (Number("pack"), Numbers("temperatures_degc", 2, Number("temperature_degc", bias=40)))
_PACK_VOLTAGE = (Number("pack"), Number("voltage_v", 2, 10))

_OF_2016 = (
    Layout(0x01, "vehicle", (*_vehicle(10_000), Number("accelerator_percent"), Number("brake_percent"))),
    Layout(
        0x02,
        "motors",
        (
            *_motor(20_000, Number("torque_nm", 2, 10, 20_000)),
            Number("controller_v", 2, 10),
            Number("controller_a", 2, 10, 10_000),
        ),
        repeated=True,
    ),
    Layout(0x04, "engine", (Number("state"), Number("speed_rpm", 2), Number("fuel_l_100km", 2, 100))),
    Layout(0x05, "position", (Number("state"), *_PLACE)),
    Layout(
        0x06,
        "extremes",
        (
            *(Number("highest_pack"), Number("highest_cell"), Number("highest_v", 2, 1000)),
            *(Number("lowest_pack"), Number("lowest_cell"), Number("lowest_v", 2, 1000)),
            *(Number("hottest_pack"), Number("hottest_probe"), Number("hottest_degc", bias=40)),
            *(Number("coldest_pack"), Number("coldest_probe"), Number("coldest_degc", bias=40)),
        ),
    ),
    Layout(0x07, "alarms", _FAULTS),
    Layout(
        0x08,
        "cells",
        (
            *_PACK_VOLTAGE,
            Number("current_a", 2, 10, 10_000),
            Number("cells", 2),
            Number("first_cell", 2),
            Numbers("cells_v", 1, _CELL),
        ),
        repeated=True,
    ),
    Layout(0x09, "temperatures", _PROBES, repeated=True),
    *(Layout(number, "custom", (Block("data"),)) for number in _CUSTOM),
)

_OF_2025 = (
    Layout(0x01, "vehicle", _vehicle(30_000)),
    Layout(0x02, "motors", _motor(32_000, Number("torque_nm", 4, 10, 200_000)), repeated=True),
    Layout(0x04, "engine", (Number("speed_rpm", 2),)),
    Layout(0x05, "position", (Number("state"), Number("coordinates"), *_PLACE)),
    Layout(0x06, "alarms", (*_FAULTS, Numbers("levels", 1, Number("alarm_and_level", 2)))),
    Layout(0x07, "cells", (*_PACK_VOLTAGE, Number("current_a", 2, 10, 30_000), Numbers("cells_v", 2, _CELL)), True),
    Layout(0x08, "temperatures", _PROBES, repeated=True),
    *(Layout(number, "custom", (Block("data"),)) for number in _CUSTOM),
    Layout(_SIGNATURE, "signature", (Number("algorithm"), Block("r"), Block("s"))),
)

LAYOUTS = {
    Edition.Y2016: {layout.number: layout for layout in _OF_2016},
    Edition.Y2025: {layout.number: layout for layout in _OF_2025},
}
_BY_NAME = {
    edition: {layout.name: layout for layout in layouts.values() if layout.name != "custom"}
    for edition, layouts in LAYOUTS.items()
}


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of data: the rows by its name; `number` is for kinds that share a name."""

    name: str
    rows: tuple[Row, ...]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Commands 02 and 03: what the vehicle was like at a time (six octets, see `clock`)."""

    time: bytes
    groups: tuple[Group, ...]
    rest: bytes = b""

    def row(self, name: str) -> Row:
        """The first row of a kind of data, empty without it."""
        return next((group.rows[0] for group in self.groups if group.name == name and group.rows), {})

    def write(self, edition: Edition) -> bytes:
        """The data's octets.

        Raises:
            ValueError: a group that the edition does not have, or whose rows do not fit.
        """
        written = bytearray(self.time)
        for group in self.groups:
            known = LAYOUTS[edition].get(group.number) or _BY_NAME[edition].get(group.name)
            if known is None:
                raise ValueError(f"{edition.name[1:]} has no data called {group.name}")
            written += known.write(group.rows)
        return bytes(written) + self.rest

    @classmethod
    def read(cls, octets: Octets, edition: Edition) -> Self:
        """The data from its octets."""
        time, content, groups, read = octets.take(6), octets.rest(), list[Group](), 0
        inside = Octets(content)
        while inside.left and (layout := LAYOUTS[edition].get(inside.number(1))) is not None:
            try:
                groups.append(Group(layout.name, layout.read(inside), layout.number))
            except ContradictionError:
                break
            read = len(content) - inside.left
        return cls(time, tuple(groups), content[read:])
