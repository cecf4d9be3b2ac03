"""Recordings of tcpdump and Wireshark, damaged anywhere: pcap and pcapng."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import cast

from busgate.bridge.capture import LATEST, LONGEST_BLOCK, read
from busgate.bridge.records import PACKET, Notes, Record, fits

_PIECES = (1, 3, 16, 20, 61)


class _Pipe:
    """A stream that gives what it has, and that is little."""

    def __init__(self, data: bytes, size: int) -> None:
        self._inner = BytesIO(data)
        self._size = size

    def read(self, size: int) -> bytes:
        return self._inner.read(size)

    def read1(self, size: int) -> bytes:
        return self._inner.read(min(size, self._size))


def _pcap(order: str, magic: int, link_type: int, *packets: bytes) -> bytes:
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
    return head + b"".join(
        struct.pack(f"{order}IIII", 1_700_000_000, place, len(packet), len(packet)) + packet
        for place, packet in enumerate(packets)
    )


def _block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + length + body + length


def _pcapng(order: str, link_type: int, *packets: bytes, options: bytes = b"") -> bytes:
    section = _block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    interface = _block(order, 1, struct.pack(f"{order}HHI", link_type, 0, 0) + options)
    heads = (
        struct.pack(f"{order}IIIII", 0, 0x5F5E1, place, len(each), len(each)) for place, each in enumerate(packets)
    )
    return (
        section + interface + b"".join(_block(order, 6, head + each) for head, each in zip(heads, packets, strict=True))
    )


_CAN = struct.pack(">IBBBB", 0x98FEF100, 8, 0, 0, 0) + bytes(range(8))
_FD = struct.pack(">IBBBB", 0x123, 12, 4, 0, 0) + bytes(64)
_REMOTE = struct.pack(">IBBBB", 0x40000123, 15, 0, 0, 0)
_IP = bytes.fromhex("4500002100010000401100000a400002cb71000913881770000d000068656c6c6f")
_OPTIONS = {
    order: struct.pack(f"{order}HH4s", 2, 4, b"can0")
    + struct.pack(f"{order}HHB3x", 9, 1, 9)
    + struct.pack(f"{order}HHq", 14, 8, 3600)
    + bytes(4)
    for order in "<>"
}
SEEDS: tuple[bytes, ...] = (
    _pcap("<", 0xA1B2C3D4, 227, _CAN, _FD, _REMOTE),
    _pcap(">", 0xA1B23C4D, 101, _IP, _IP),
    _pcap("<", 0xA1B2C3D4, 1, _IP, b""),
    _pcapng("<", 227, _CAN, _FD, options=_OPTIONS["<"]),
    _pcapng(">", 101, _IP, _IP, options=_OPTIONS[">"]),
    _pcapng("<", 101, _IP) + _block("<", 3, struct.pack("<I", len(_IP)) + _IP) + _pcapng(">", 227, _CAN),
    _pcapng("<", 227) + _block("<", 2, struct.pack("<HHIIII", 0, 0, 5, 6, 16, 16) + _CAN) + _block("<", 5, bytes(8)),
    _pcapng("<", 101, _IP)[:-9],
)


def check(data: bytes) -> None:
    """No capture raises; its records and notes are the same however the stream is cut; each has a possible time."""
    size = _PIECES[len(data) % len(_PIECES)]
    (records, notes), (cut, cut_notes) = _read(BytesIO(data)), _read(cast(BytesIO, _Pipe(data, size)))
    assert records == cut
    assert vars(notes) == vars(cut_notes)
    for at, channel, can_id, payload, flags in records:
        assert 0 <= at < LATEST
        assert channel.encode("utf-8", "replace").decode() == channel
        assert len(payload) <= LONGEST_BLOCK
        if flags == PACKET:
            assert payload in data
        else:
            assert can_id < 1 << 32
            assert fits(len(payload), flags)
    assert len(records) <= len(data) // 12


def _read(stream: BytesIO) -> tuple[list[Record], Notes]:
    notes = Notes()
    return list(read(stream, notes)), notes
