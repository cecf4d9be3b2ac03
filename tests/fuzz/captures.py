"""Capture files: pcap and pcapng of either byte order, damaged and cut."""

from __future__ import annotations

import io
import struct

from busgate.bridge import capture, pcapng
from busgate.bridge.records import PACKET, Notes
from busgate.model import Frame, Packet, Side, Sms, Unit

_UNITS: tuple[Unit, ...] = (
    Frame(1, Side.TBOX, 0x123, b"\x01\x02"),
    Packet(2, Side.TBOX, 101, b"\x45\0\0"),
    Sms(3, Side.TBOX, "+31600000001", text="lock"),
)
_OURS = pcapng.section() + b"".join(
    pcapng.interface(pcapng.source(unit)) + pcapng.packet(number, unit.at, unit) for number, unit in enumerate(_UNITS)
)
_PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1) + struct.pack("<IIII", 1, 2, 3, 3) + b"abc"
_BIG = struct.pack(">IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 227) + struct.pack(">IIIIIBB2x", 1, 2, 8, 8, 0x123, 0, 0)
SEEDS: tuple[bytes, ...] = (_OURS, _PCAP, _BIG, _PCAP * 3, _OURS[:-9])


class _Drops(io.BytesIO):
    """Gives as little as a slow pipe does."""

    def read1(self, _size: int | None = -1, /) -> bytes:
        return self.read(3)


def check(data: bytes) -> None:
    """No capture raises; what is read does not depend on how the bytes came; no more is handed out than was there."""
    if data[:4] not in {b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"}:
        data = b"\x0a\x0d\x0d\x0a" + data[4:]
    whole, drops = Notes(), Notes()
    records = list(capture.read(io.BytesIO(data), whole))
    assert records == list(capture.read(_Drops(data), drops))
    assert (whole.skipped, whole.warnings) == (drops.skipped, drops.warnings)
    assert sum(len(payload) for _, _, _, payload, flags in records if flags == PACKET) <= len(data)
    for at, _, link_type, payload, flags in records:
        if flags == PACKET:
            pcapng.short_message(Packet(at, Side.TAP, link_type, payload))
    for kind, start, end in pcapng.blocks(data):
        assert end <= len(data)
        if kind == pcapng.PACKET:
            pcapng.packet_time(data, start)
