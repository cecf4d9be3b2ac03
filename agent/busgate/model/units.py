"""What crosses the gate: frames, packets and short messages, and on which side they were first seen."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

# SocketCAN's canid_t (linux/can.h): the identifier's low 29 bits, and three flags above it.
EXTENDED = 0x8000_0000
REMOTE = 0x4000_0000
ERROR = 0x2000_0000
IDENTIFIER = 0x1FFF_FFFF

# canfd_frame.flags (linux/can.h).
BIT_RATE_SWITCH = 0x01
ERROR_STATE = 0x02
FD_FORMAT = 0x04

GLOBAL_ADDRESS = 0xFF
"""J1939-21's destination address that means every node."""


class Side(StrEnum):
    """Which wire a unit was first seen on."""

    TBOX = "tbox"
    VEHICLE = "vehicle"
    TAP = "tap"
    """One shared wire, only watched: the gateway attributes each frame by its source address."""


class Provenance(StrEnum):
    """How sure it is who sent a frame: by the port it came in on, or by what its identifier claims."""

    PHYSICAL = "physical"
    CLAIMED = "claimed"


class Mode(StrEnum):
    """What the gate does with its verdicts."""

    OBSERVE = "observe"
    MONITOR = "monitor"
    ENFORCE = "enforce"
    LOCAL = "local"
    """The local human has cut the T-box off: none of its frames cross; telemetry to it goes on."""


class Frame(NamedTuple):
    """One CAN or CAN FD frame as a port saw it.

    `can_id` is encoded as SocketCAN's canid_t (29-bit identifiers carry `EXTENDED`), `flags` as canfd_frame.flags;
    a classical frame has flags 0. `data` is 0-8 bytes (classical) or 0-64 (FD).
    """

    at: int
    side: Side
    can_id: int
    data: bytes
    flags: int = 0

    @property
    def identifier(self) -> int:
        """The 11- or 29-bit identifier without its flags."""
        return self.can_id & IDENTIFIER

    @property
    def extended(self) -> bool:
        """Whether the identifier has 29 bits."""
        return bool(self.can_id & EXTENDED)

    @property
    def fd(self) -> bool:
        """Whether this is a CAN FD frame."""
        return bool(self.flags & FD_FORMAT)


class Packet(NamedTuple):
    """One captured link-layer packet; `link_type` is the LINKTYPE_ number of the capture file.

    `outgoing` is whether the machine that listened sent it itself; a recording does not say so.
    """

    at: int
    side: Side
    link_type: int
    data: bytes
    outgoing: bool = False


class Sms(NamedTuple):
    """One short message on the T-box's SIM, as its modem hands it over.

    `number` is the other end's, as written; `pdu` the TS 23.040 transfer unit where the modem gives it (else empty),
    `text` and `data` its content where the modem has read it already.
    """

    at: int
    side: Side
    number: str
    pdu: bytes = b""
    text: str = ""
    data: bytes = b""
    outgoing: bool = False


Value = int | float | str
"""A decoded signal: a number in its physical unit, or the label of its value table."""

Unit = Frame | Packet | Sms


class Malformed(NamedTuple):
    """Foreign bytes that do not follow their protocol; a value, judged by policy like any other."""

    at: int
    side: Side
    can_id: int
    protocol: str
    reason: str
