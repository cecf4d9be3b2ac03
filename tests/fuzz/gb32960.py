"""GB/T 32960 packets and streams: what holds whatever the bytes."""

from __future__ import annotations

import json
from pathlib import Path

from busgate.decode.gb32960 import MOST_HELD, STRETCH, Framer, read
from busgate.decode.gb32960 import check as exclusive_or
from busgate.model import Span

_VIN = b"SYNTHETICBUS00421"


def _packet(command: int, data: bytes, start: bytes = b"##", response: int = 0xFE) -> bytes:
    checked = bytes([command, response]) + _VIN + b"\x01" + len(data).to_bytes(2) + data
    return start + checked + bytes([exclusive_or(checked)])


_TIME = bytes.fromhex("190a1b140202")
_SEEDS = (
    _packet(0x01, _TIME + b"\0\1" + b"8" * 20 + b"\x01\x04ABCD"),
    _packet(0x01, _TIME + b"\0\1" + b"8" * 20 + b"\x01\x01" + b"C" * 24, b"$$"),
    _packet(0x02, _TIME + bytes.fromhex("01" + "00" * 20 + "0201" + "11" * 12 + "0401ffffffff" + "800001aa")),
    _packet(0x02, _TIME + bytes.fromhex("01" + "00" * 18 + "30010102020202020202020200024142ff010001aa0001bb"), b"$$"),
    _packet(0x09, _TIME + b"C" * 16 + b"\0\2kk" + _VIN + b"\x01\0\1r\0\1s", b"$$"),
    _packet(0x0B, b"\x05\0\2kk" + _TIME + _TIME, b"$$"),
    _packet(0x80, _TIME + b"\x02\x01\x90"),
    _packet(0x81, _TIME + bytes.fromhex("040200 0a 0403 05613a62 90f1".replace(" ", ""))),
    _packet(0x82, _TIME + b"\x90\x91"),
    _packet(0x82, _TIME + b"\x01a;b;c;\0\0\x0a\0\0\1;\0P;ACME;H1.01;F2.02;http://x;\0\x05"),
    _packet(0x82, _TIME, response=1),
)
_VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "cloud_gb32960.json").read_text(encoding="utf-8"))
SEEDS: tuple[bytes, ...] = (
    *_SEEDS,
    b"junk##" + b"".join(_SEEDS[:4]),
    _SEEDS[8][:-1] + b"\0" + _SEEDS[6],
    _SEEDS[8][:22] + _SEEDS[8],
    *(bytes.fromhex(row["hex"]) for row in _VECTORS["packets"]),
)


def spans(data: bytes, size: int) -> list[Span]:
    """The spans of a stream that comes in pieces of `size` bytes; what is held never passes its bound."""
    framer, found = Framer(), list[Span]()
    for at in range(0, len(data), size):
        found += framer.feed(data[at : at + size])
        assert framer.held <= MOST_HELD + STRETCH
    found += framer.close()
    assert framer.held == 0
    return found


def check(data: bytes) -> None:
    """Spans joined are the stream and do not depend on its pieces; every unit reads again as itself; nothing raises."""
    whole = spans(data, max(len(data), 1))
    assert b"".join(span.raw for span in whole) == data
    assert all(span.raw and (span.pdu is not None or span.reason) for span in whole)
    sizes = (1, 1 + len(data) // 3) if len(data) < 4000 else (977,)
    for size in sizes:
        assert spans(data, size) == whole
    for span in whole:
        if span.pdu is not None:
            assert read(span.raw) == span.pdu
            json.dumps(span.pdu.fields)
    found = read(data)
    if found is not None:
        json.dumps(found.fields)
        assert found.fields["data_hex"] == data[24 : 24 + found.fields["data_len"]].hex()
