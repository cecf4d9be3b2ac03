"""What the bytes of a commanding parameter group say: the act and its arguments.

Law: only fields whose place and scale are certain are read, each with its SPN; for the rest the bytes are shown as
they are. Values that mean "not available" or "error" are left out (J1939-71, 5.1.4). Any bytes are taken; a field
that the payload is too short for is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from busgate.detect.j1939_commands import COMMANDS, Known
from busgate.model import Act, Argument

MOST_HEX_BYTES = 64
"""How much of an unread payload an argument shows; its length says how much there was."""


class Field(NamedTuple):
    """One field, little endian: `start` counts bits from bit 1 of byte 1 as 0, `size` is in bits.

    Its value is raw * scale + offset in `unit`, or the label of the raw value.
    """

    name: str
    start: int
    size: int
    scale: float = 1
    offset: float = 0
    unit: str = ""
    labels: Mapping[int, str] | None = None
    highest: int | None = None
    """The highest raw value that says something; None for the usual rule."""

    def raw(self, data: bytes) -> int | None:
        """The bits as they are; None if the payload is too short."""
        end = self.start + self.size
        if len(data) * 8 < end:
            return None
        whole = int.from_bytes(data[self.start // 8 : (end + 7) // 8], "little")
        return whole >> self.start % 8 & (1 << self.size) - 1

    def read(self, data: bytes) -> Argument | None:
        """The value for people; None if it is not there."""
        raw = self.raw(data)
        if raw is None:
            return None
        if self.labels is not None and raw in self.labels:
            return Argument(self.labels[raw])
        if raw > self._highest():
            return None
        plain = self.scale == 1 and not self.offset
        return Argument(raw if plain else round(raw * self.scale + self.offset, 6), self.unit)

    def _highest(self) -> int:
        # J1939-71, 5.1.4, tables 1 and 2: whole bytes are valid up to 0xFA.., smaller fields unless all bits are set.
        if self.highest is not None:
            return self.highest
        return (0xFB << self.size - 8) - 1 if self.size >= 8 else (1 << self.size) - 2


_CONNECT = {0: "disconnect", 1: "connect"}
_ON = {0: "off", 1: "on"}
_BROADCAST = {0: "stop", 1: "start"}

# J1939-71, PGN 0: SPN 695, 696, 897, 898, 518. All four modes are valid, so none means "not available".
_TSC1_MODE = Field(
    "override_control_mode",
    0,
    2,
    labels={0: "override disabled", 1: "speed control", 2: "torque control", 3: "speed/torque limit"},
)
_TSC1 = (
    _TSC1_MODE,
    Field("override_priority", 4, 2, labels={0: "highest", 1: "high", 2: "medium", 3: "low"}),
    Field("requested_speed", 8, 16, 0.125, 0, "rpm"),
    Field("requested_torque", 24, 8, 1, -125, "%"),
)

# J1939-71, PGN 1024: SPN 2920, 2914, 2916, 2915, 4099.
_XBR = (
    Field("external_acceleration_demand", 0, 16, 1 / 2048, -15.687, "m/s2"),
    Field("xbr_ebi_mode", 16, 2),
    Field("xbr_priority", 18, 2, labels={0: "highest", 1: "high", 2: "medium", 3: "low"}),
    Field(
        "xbr_control_mode",
        20,
        2,
        labels={0: "override disabled", 1: "addition mode", 2: "maximum mode"},
    ),
    Field("xbr_urgency", 24, 8, 0.4, 0, "%"),
)

# J1939 Digital Annex, PGN 6912: SPN 8124 (power down) and its neighbours, two bits each.
_HV_CONNECT = Field("hv_bus_connect", 0, 2, labels=_CONNECT)
_HV_POWER_DOWN = Field("power_down", 2, 2, labels=_ON)
_HVESSC1 = (
    _HV_CONNECT,
    _HV_POWER_DOWN,
    Field("active_isolation_test", 4, 2, labels=_ON),
    Field("passive_isolation_test", 6, 2, labels=_ON),
    Field("cell_balancing", 8, 2, labels=_ON),
    Field("internal_charger_enable", 10, 2, labels=_ON),
    Field("operational_consent", 12, 2, labels=_ON),
)

# J1939-71, PGN 57344: SPN 986 and 1691.
_CM1 = (
    Field("requested_fan_speed", 0, 8, 0.4, 0, "%"),
    Field("cab_temperature_command", 8, 16, 0.03125, -273, "degC"),
)

# J1939-73, 5.7.7: SPN 1224 and the tested component.
_DM7 = (Field("test_identifier", 0, 8),)

# J1939-73, 5.7.13: SPN 1237-1240 and the suspend signal; 11b is "take no action".
_DM13 = (
    Field("current_data_link", 6, 2, labels=_BROADCAST),
    Field("j1939_network_1", 0, 2, labels=_BROADCAST),
    Field("suspend_signal", 24, 4),
    Field("suspend_duration", 32, 16, 1, 0, "s"),
)

# J1939-73, 5.7.14: command in bits 2-4 of byte 2, pointer in bytes 3-5.
_DM14_COMMAND = Field(
    "command",
    9,
    3,
    labels={
        0: "erase",
        1: "read",
        2: "write",
        3: "status request",
        4: "operation completed",
        5: "operation failed",
        6: "boot load",
        7: "EDCP generation",
    },
)

# J1939-73, 5.7.22: the control byte.
_DM22 = (
    Field(
        "control",
        0,
        8,
        labels={
            1: "clear previously active",
            2: "cleared previously active",
            3: "refused previously active",
            17: "clear active",
            18: "cleared active",
            19: "refused active",
        },
    ),
)

# J1939-71, PGN 56832: SPN 988, 989 and 1584.
_RESET = (
    Field("trip_group_1", 0, 2, labels=_ON),
    Field("trip_group_2", 2, 2, labels=_ON),
    Field("service_component", 8, 8),
)

# J1939-81, Commanded Address: bytes 1-8 are the NAME that is meant, byte 9 the address it shall take.
_COMMANDED_ADDRESS = (Field("new_address", 64, 8, highest=0xFE),)

_FIELDS: Mapping[int, tuple[Field, ...]] = {
    0x0000: _TSC1,
    0x0400: _XBR,
    0x1B00: _HVESSC1,
    0xE000: _CM1,
    0xE300: _DM7,
    0xDF00: _DM13,
    0xD900: (_DM14_COMMAND,),
    0xC300: _DM22,
    0xDE00: _RESET,
    0xFED8: _COMMANDED_ADDRESS,
}


def _tsc1(data: bytes) -> Act | None:
    return Act.LIMIT if _TSC1_MODE.raw(data) == 3 else None


def _hvessc1(data: bytes) -> Act | None:
    """Powering down outweighs connecting: whichever of two contradicting bits is heeded, the worse is told."""
    connect, down = _HV_CONNECT.raw(data), _HV_POWER_DOWN.raw(data)
    if down == 1 or connect == 0:
        return Act.STOP
    return Act.ENABLE if connect == 1 else None


def _dm14(data: bytes) -> Act | None:
    match _DM14_COMMAND.raw(data):
        case 0:
            return Act.CLEAR
        case 1 | 3:
            return Act.READ
        case 4 | 5:
            return Act.SEND
        case 6:
            return Act.FLASH
        case _:
            return None


_ACTS: Mapping[int, Callable[[bytes], Act | None]] = {0x0000: _tsc1, 0x1B00: _hvessc1, 0xD900: _dm14}


def act_of(pgn: int, known: Known, data: bytes) -> Act:
    """The act as far as the bytes tell; else the table's."""
    by_bytes = _ACTS.get(pgn)
    return (by_bytes(data) if by_bytes else None) or known.act


def arguments_of(pgn: int, data: bytes, length: int) -> dict[str, Argument]:
    """The arguments of a group that no DBC reads: its certain fields, or its bytes."""
    fields = _FIELDS.get(pgn)
    if fields is None:
        return hex_arguments(data, length)
    read = ((field.name, field.read(data)) for field in fields)
    return {name: argument for name, argument in read if argument is not None}


def hex_arguments(data: bytes, length: int) -> dict[str, Argument]:
    """The bytes as they are, cut where they get long, and how many there are or will be."""
    arguments = {"data": Argument(data[:MOST_HEX_BYTES].hex())} if data else {}
    if length > MOST_HEX_BYTES or length > len(data):
        arguments["length"] = Argument(length, "bytes")
    return arguments


def requested_group(data: bytes) -> int | None:
    """The group a request asks for (J1939-21, 5.4.2); None if the payload is too short to say."""
    return int.from_bytes(data[:3], "little") & 0x3FFFF if len(data) >= 3 else None


def group_name(pgn: int) -> str:
    """The acronym of a commanding group, else its number."""
    known = COMMANDS.get(pgn)
    return known.acronym if known else f"PGN 0x{pgn:04X}"
