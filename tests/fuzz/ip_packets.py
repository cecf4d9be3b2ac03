"""Packets of every link type, as a captor would hand them over."""

from __future__ import annotations

from busgate.decode.datagram import Datagram, Held, Unread
from busgate.decode.ip import Reader
from busgate.decode.link import LINK_TYPES
from busgate.model import Packet, Side

_TYPES = sorted(LINK_TYPES)
_UDP = bytes.fromhex("4500002100010000401100000a400002cb71000913881770000d000068656c6c6f")
_GTP = (
    bytes.fromhex("4500004d00010000401100000a0000010a0000020868086800390000 34ff0029 0000002a 00000085 01100100") + _UDP
)
_GSMTAP = bytes.fromhex(
    "450000350001000040110000 0a0000010a000002 00071279 00210000 02040900 0202c400 000004d2 00000000"
)

SEEDS: tuple[bytes, ...] = (
    bytes([_TYPES.index(101)]) + _UDP,
    bytes([_TYPES.index(101)]) + _GTP,
    bytes([_TYPES.index(101)]) + _GSMTAP,
    bytes([_TYPES.index(1)]) + bytes(12) + bytes.fromhex("81000007 0800") + _UDP,
    bytes([_TYPES.index(9)]) + bytes.fromhex("ff030021") + _UDP,
    bytes([_TYPES.index(276)]) + bytes.fromhex("0800") + bytes(18) + _UDP,
    bytes([_TYPES.index(101)]) + _UDP[:6] + b"\x20\0" + _UDP[8:] + b"\xff" * 3,
)


def check(data: bytes) -> None:
    """No packet raises; each gives a datagram whose payload is bytes of it or of its fragments, or a reason."""
    reader = Reader(checksums=bool(data[:1] and data[0] & 0x80))
    kind = _TYPES[data[0] % len(_TYPES)] if data else 1
    # Several packets, told apart by three bytes 0xff, so that fragments meet.
    for number, raw in enumerate(data[1:].split(b"\xff\xff\xff")):
        step = reader.read(Packet(number, Side.TAP, kind, raw))
        assert isinstance(step, Datagram | Held | Unread)
        if isinstance(step, Unread):
            assert step.reason
        elif isinstance(step, Datagram):
            assert step.src
            assert step.dst
            assert len(step.payload) <= len(data)
    for lost in reader.tick(1 << 60):
        assert lost.reason
    assert reader.next_deadline() is None
