"""The frames of ISO-TP (ISO 15765-2:2016): how each looks on a wire, classical or CAN FD, and what it says.

Law: values only, both ways; a frame that the standard says to ignore reads as nothing. Time and state are elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from busgate.model import BIT_RATE_SWITCH, EXTENDED, FD_FORMAT
from busgate_sim.encoder import Sent
from busgate_sim.world import MILLISECOND

CLASSICAL = 8
SHORT_LENGTH = 4095
"""The longest payload that a first frame's twelve bits announce; a longer one takes 32 bits (9.6.3)."""

PADDING = 0xAA
_FD_LENGTHS = (8, 12, 16, 20, 24, 32, 48, 64)
_MICROSECONDS_100 = 100_000


class Flow(IntEnum):
    """FlowStatus of a flow control (9.6.5.2)."""

    CONTINUE = 0
    WAIT = 1
    OVERFLOW = 2


@dataclass(frozen=True, slots=True)
class Address:
    """Which frames of a wire belong to one conversation, as one end sees it (10.3); identifiers as canid_t.

    `says_byte` and `hears_byte` are the target addresses that begin the data with extended addressing (10.3.4).
    `to_all` is the identifier of functional requests: those that a tester sends, those that an ECU hears.
    """

    says: int
    hears: int
    to_all: int | None = None
    says_byte: int | None = None
    hears_byte: int | None = None
    to_all_byte: int | None = None

    @property
    def reversed(self) -> Address:
        """The same conversation from its other end."""
        return Address(self.hears, self.says, self.to_all, self.hears_byte, self.says_byte, self.to_all_byte)


def normal_fixed(own: int, other: int, *, to_all: int | None = None, priority: int = 6) -> Address:
    """29-bit normal fixed addressing (10.3.3): DA for one receiver, DB with the functional address `to_all`."""
    head = EXTENDED | priority << 26
    everyone = None if to_all is None else head | 0xDB << 16 | to_all << 8 | other
    return Address(head | 0xDA << 16 | other << 8 | own, head | 0xDA << 16 | own << 8 | other, everyone)


@dataclass(frozen=True, slots=True)
class Single:
    """A whole payload in one frame (9.6.2)."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class First:
    """The beginning of a payload of `length` bytes (9.6.3); `width` is the data length that the sender uses."""

    length: int
    data: bytes
    width: int


@dataclass(frozen=True, slots=True)
class Consecutive:
    """A further piece (9.6.4), numbered modulo 16."""

    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class FlowControl:
    """What the receiver allows (9.6.5): frames until the next flow control (0: all), STmin as its raw byte."""

    flow: int
    block: int
    separation: int


Said = Single | First | Consecutive | FlowControl


def read(data: bytes) -> Said | None:
    """What a frame says, without its address byte; None for what the standard ignores."""
    if not data:
        return None
    match data[0] >> 4:
        case 0:
            return _single(data)
        case 1:
            return _first(data)
        case 2:
            return Consecutive(data[0] & 0x0F, data[1:])
        case 3 if len(data) >= 3:
            return FlowControl(data[0] & 0x0F, data[1], data[2])
        case _:
            return None


def _single(data: bytes) -> Single | None:
    length = data[0] & 0x0F
    if length:
        short = len(data) <= CLASSICAL and length < len(data)
        return Single(data[1 : 1 + length]) if short else None
    if len(data) > CLASSICAL and data[1] and data[1] <= len(data) - 2:
        return Single(data[2 : 2 + data[1]])
    return None


def _first(data: bytes) -> First | None:
    if len(data) < CLASSICAL - 1:
        return None
    length = (data[0] & 0x0F) << 8 | data[1]
    if length:
        # What fits a single frame is not segmented; with an address byte one byte less fits (9.6.3.1, FF_DLmin).
        return First(length, data[2:], len(data)) if length >= len(data) - (len(data) > CLASSICAL) else None
    length = int.from_bytes(data[2:6], "big")
    return First(length, data[6:], len(data)) if length > SHORT_LENGTH else None


def single_most(width: int, *, prefixed: bool) -> int:
    """The longest payload of a single frame; `width` is the sender's longest data, `prefixed` its address byte."""
    return width - prefixed - (1 if width == CLASSICAL else 2)


def single(payload: bytes, width: int, *, prefixed: bool) -> bytes:
    """A single frame's data; short payloads take the short form also on a CAN FD wire."""
    if len(payload) <= single_most(CLASSICAL, prefixed=prefixed):
        return bytes([len(payload)]) + payload
    if len(payload) > single_most(width, prefixed=prefixed):
        raise ValueError(f"{len(payload)} bytes do not fit into a single frame")
    return bytes([0, len(payload)]) + payload


def first(payload: bytes, width: int, *, prefixed: bool) -> tuple[bytes, int]:
    """A first frame's data, and how much of the payload it carries."""
    length = len(payload)
    head = (0x1000 | length).to_bytes(2, "big") if length <= SHORT_LENGTH else b"\x10\x00" + length.to_bytes(4, "big")
    carries = width - prefixed - len(head)
    return head + payload[:carries], carries


def separation_ns(raw: int) -> int:
    """STmin in nanoseconds (9.6.5.4); a reserved value means the longest, 127 ms."""
    if raw <= 0x7F:
        return raw * MILLISECOND
    return (raw - 0xF0) * _MICROSECONDS_100 if 0xF1 <= raw <= 0xF9 else 0x7F * MILLISECOND


def framed(can_id: int, prefix: int | None, data: bytes, *, fd: bool, padding: int | None) -> Sent:
    """A frame for the wire, padded: to eight bytes (None: not at all), on CAN FD to the next length there is."""
    data = data if prefix is None else bytes([prefix]) + data
    if len(data) > CLASSICAL:
        data = data.ljust(next(length for length in _FD_LENGTHS if length >= len(data)), bytes([padding or 0]))
    elif padding is not None:
        data = data.ljust(CLASSICAL, bytes([padding]))
    return Sent(can_id, data, FD_FORMAT | BIT_RATE_SWITCH if fd else 0)
