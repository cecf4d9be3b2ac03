"""The 29-bit identifier read as SAE J1939-21 writes it: priority, parameter group, source and destination.

Law: every identifier splits; nothing here looks at data or keeps state.
"""

from __future__ import annotations

from typing import NamedTuple

from busgate.model import GLOBAL_ADDRESS

# J1939-21, 5.10: transport; ISO 11783-3: extended transport.
PGN_TP_CM = 0xEC00
PGN_TP_DT = 0xEB00
PGN_ETP_CM = 0xC800
PGN_ETP_DT = 0xC700

_PDU2 = 0xF0  # J1939-21, 5.2: from this PDU format on the next byte extends the group; below it is an address
_PAGE_ISO_15765_3 = 3  # J1939-21, 5.2: EDP = 1 and DP = 1; EDP = 1 and DP = 0 is reserved by SAE


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
