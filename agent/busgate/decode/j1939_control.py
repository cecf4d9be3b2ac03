"""Connection management frames of the J1939 transport protocols, read field by field.

Law: eight bytes in, a `Control` or a `Fault` out; nothing here knows of sessions. Group numbers come out canonical, so
that one hidden behind stray bits is still the group it commands; `stray` says that it was written so.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from busgate.decode.j1939 import canonical

PACKET = 7
"""Payload bytes in one data transfer frame (J1939-21, 5.10.4); byte 0 is the sequence number."""


class Fault(StrEnum):
    """What can be wrong with a transport frame or session: a closed set, so that every cause has one name."""

    NOT_TRANSPORT = "not a frame of a transport protocol"
    CONTROL_SHORT = "the control frame has fewer than eight bytes"
    CONTROL_UNKNOWN = "the control byte is unknown"
    LENGTH = "the announced length is none that the protocol carries"
    COUNT = "the announced packet count does not fit the announced length"
    NO_SESSION = "no session is open for this packet"
    OUT_OF_ORDER = "the packet is not the next one"
    REPEATED = "the packet came before and nobody asked for it again"
    PACKET_SHORT = "the packet has fewer bytes than it must carry"
    OFFSET = "the packet offset is neither the next nor one that was asked for"
    SILENT = "the session fell silent"
    CROWDED = "too many sessions are open; this one of the busiest sender gave way"


class ControlKind(StrEnum):
    """What a connection management frame says, by its usual name."""

    RTS = "RTS"
    BAM = "BAM"
    CTS = "CTS"
    DPO = "DPO"
    ACK = "ACK"
    ABORT = "ABORT"


class Control(NamedTuple):
    """One connection management frame; which fields count depends on `kind`, the others are 0.

    `length` is in bytes (RTS, BAM, ACK), `packets` a count (RTS, BAM, CTS, DPO, ACK of the short protocol), `first` the
    absolute number of the packet asked for or offered first (CTS, DPO), `reason` the abort reason.
    """

    kind: ControlKind
    pgn: int
    stray: bool
    length: int = 0
    packets: int = 0
    first: int = 0
    reason: int = 0


# J1939-21, 5.10.3, and ISO 11783-3 (extended transport): the control byte, byte 0.
_TP = {
    16: ControlKind.RTS,
    17: ControlKind.CTS,
    19: ControlKind.ACK,
    32: ControlKind.BAM,
    255: ControlKind.ABORT,
}
_ETP = {
    20: ControlKind.RTS,
    21: ControlKind.CTS,
    22: ControlKind.DPO,
    23: ControlKind.ACK,
    255: ControlKind.ABORT,
}


def read_control(data: bytes, *, extended: bool) -> Control | Fault:
    """Read the data of a TP.CM frame, or of an ETP.CM frame when `extended`."""
    if len(data) < 8:
        return Fault.CONTROL_SHORT
    kind = (_ETP if extended else _TP).get(data[0])
    if kind is None:
        return Fault.CONTROL_UNKNOWN
    written = int.from_bytes(data[5:8], "little")
    control = Control(kind, canonical(written), canonical(written) != written)
    if kind is ControlKind.ABORT:
        return control._replace(reason=data[1])
    return _extended(control, data) if extended else _short(control, data)


def _short(control: Control, data: bytes) -> Control:
    """Bytes 1-4 of TP.CM: length and packets, or for CTS the packets granted and the number of the first."""
    if control.kind is ControlKind.CTS:
        return control._replace(packets=data[1], first=data[2])
    return control._replace(length=int.from_bytes(data[1:3], "little"), packets=data[3])


def _extended(control: Control, data: bytes) -> Control:
    """Bytes 1-4 of ETP.CM: a 32-bit length, or a packet count and a 24-bit packet number or offset."""
    number = int.from_bytes(data[2:5], "little")
    if control.kind is ControlKind.CTS:
        return control._replace(packets=data[1], first=number)
    if control.kind is ControlKind.DPO:
        return control._replace(packets=data[1], first=number + 1)
    length = int.from_bytes(data[1:5], "little")
    return control._replace(length=length, packets=-(-length // PACKET))
