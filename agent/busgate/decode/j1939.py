"""The 29-bit identifier read as SAE J1939-21 writes it: priority, parameter group, source and destination.

Law: every identifier splits and every group number has a kind; nothing here looks at data or keeps state.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from busgate.decode.pgns import GROUPS, CommandClass
from busgate.model import GLOBAL_ADDRESS

# J1939-21, 5.10: transport; ISO 11783-3: extended transport.
PGN_TP_CM = 0xEC00
PGN_TP_DT = 0xEB00
PGN_ETP_CM = 0xC800
PGN_ETP_DT = 0xC700

_PDU2 = 0xF0  # J1939-21, 5.2: from this PDU format on the next byte extends the group; below it is an address
_PAGE_ISO_15765_3 = 3  # J1939-21, 5.2: EDP = 1 and DP = 1; EDP = 1 and DP = 0 is reserved by SAE


class PgnKind(StrEnum):
    """What a parameter group number is for: a closed set, every number has one."""

    STANDARD = "standard"
    """Named by SAE J1939 (or ISO 11783) and in our table."""
    PROPRIETARY = "proprietary"
    TRANSPORT = "transport"
    DIAGNOSTIC = "diagnostic"
    """J1939-73, and the groups that carry ISO 15765-2."""
    REQUEST = "request"
    """Asks for a group, or answers that request."""
    NETWORK = "network"
    """Addresses and NAMEs (J1939-81)."""
    NOT_J1939 = "iso15765-3"
    """Extended data page and data page both set: ISO 15765-3 lays the identifier out, not J1939."""
    UNKNOWN = "unknown"
    """Not in our table, or on the page that SAE reserves."""


class Identifier(NamedTuple):
    """A split identifier: `pgn` has 18 bits (EDP, DP, PF and, from PF 240 on, PS).

    `da` is `GLOBAL_ADDRESS` for groups without a destination (PDU2).
    """

    priority: int
    pgn: int
    sa: int
    da: int

    @property
    def j1939(self) -> bool:
        """False for the page of ISO 15765-3, where the other fields are laid out differently."""
        return self.pgn >> 16 != _PAGE_ISO_15765_3


def split(can_id: int) -> Identifier:
    """Split a 29-bit identifier (J1939-21, 5.2); flags above bit 28 are ignored."""
    priority = can_id >> 26 & 0x7
    sa = can_id & 0xFF
    pgn = can_id >> 8 & 0x3FFFF
    if pgn >> 8 & 0xFF < _PDU2:
        return Identifier(priority, pgn & 0x3FF00, sa, pgn & 0xFF)
    return Identifier(priority, pgn, sa, GLOBAL_ADDRESS)


def canonical(pgn: int) -> int:
    """A group number as a payload names it (up to 24 bits), cleaned of what is no part of it.

    J1939-21, 5.2: the low byte of a PDU1 number is zero. Receivers ignore what is there, so a sender could hide a
    commanding group behind it: every number that comes from a payload is looked up by its canonical form.
    """
    pgn &= 0x3FFFF
    return pgn & 0x3FF00 if pgn >> 8 & 0xFF < _PDU2 else pgn


_NETWORK = frozenset({0xEE00, 0xFED8, 0x9300})  # J1939-81: Address Claimed, Commanded Address, NAME Management
_REQUEST = frozenset({0xEA00, 0xC900, 0xCA00, 0xCC00, 0xE800})  # J1939-21, 5.4: requests and what answers them
_ISO_TP = frozenset({0xDA00, 0xDB00, 0xCD00, 0xCE00})
_DIAGNOSTIC = frozenset(pgn for pgn, group in GROUPS.items() if group.acronym.removeprefix("DM").isdigit())
_KINDS = {
    **dict.fromkeys(GROUPS, PgnKind.STANDARD),
    **dict.fromkeys(_DIAGNOSTIC | _ISO_TP, PgnKind.DIAGNOSTIC),
    **dict.fromkeys(
        (pgn for pgn, group in GROUPS.items() if group.command is CommandClass.TRANSPORT), PgnKind.TRANSPORT
    ),
    **dict.fromkeys(_NETWORK, PgnKind.NETWORK),
    **dict.fromkeys(_REQUEST, PgnKind.REQUEST),
    **dict.fromkeys((0xEF00, 0x1EF00), PgnKind.PROPRIETARY),
}


def pgn_kind(pgn: int) -> PgnKind:
    """What a group number is for; `pgn` in its canonical form, as `split` and `canonical` give it."""
    if pgn >> 16 == _PAGE_ISO_15765_3:
        return PgnKind.NOT_J1939
    if pgn >> 8 in (0xFF, 0x1FF):  # J1939-21, 5.4: Proprietary B is FF00-FFFF and 1FF00-1FFFF
        return PgnKind.PROPRIETARY
    return _KINDS.get(pgn, PgnKind.UNKNOWN)
