"""DoIP messages, datagrams and streams: what holds whatever the bytes."""

from __future__ import annotations

import json
from pathlib import Path

from busgate.decode.doip import HEADER, MOST_PAYLOAD, STRETCH, Framer, read, read_datagram
from busgate.model import Span


def _message(kind: int, payload: bytes = b"", version: int = 2) -> bytes:
    return bytes([version, version ^ 0xFF]) + kind.to_bytes(2) + len(payload).to_bytes(4) + payload


_SEEDS = (
    _message(0x0000, b"\x01"),
    _message(0x0001, version=0xFF),
    _message(0x0002, b"\1\2\3\4\5\6"),
    _message(0x0003, b"SYNTHETICBUS00421"),
    _message(0x0004, b"SYNTHETICBUS00421\x40\x10\1\2\3\4\5\6\6\5\4\3\2\1\x10\x00"),
    _message(0x0005, b"\x0e\x80\0\0\0\0\0"),
    _message(0x0006, b"\x0e\x80\x40\x10\x10\0\0\0\0\0\0\0\0"),
    _message(0x0008, b"\x0e\x80"),
    _message(0x4002, b"\0\x10\x01\0\0\x10\0"),
    _message(0x4004, b"\x01"),
    _message(0x8001, b"\x0e\x80\x40\x10\x22\xf1\x90", 3),
    _message(0x8001, b"\x40\x10\x0e\x80\x7f\x22\x31"),
    _message(0x8003, b"\x40\x10\x0e\x80\x03\x22"),
    _message(0xF001, b"own"),
)
_VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "doip.json").read_text(encoding="utf-8"))["messages"]
SEEDS: tuple[bytes, ...] = (*_SEEDS, b"junk\x02\xfd\x80" + b"".join(_SEEDS), b"\x02\xfd\x80\x01\0\1\0\0" + _SEEDS[10])
SEEDS += tuple({row["payload_type"]: bytes.fromhex(row["hex"]) for row in _VECTORS}.values())


def spans(data: bytes, size: int) -> list[Span]:
    """The spans of a stream that comes in pieces of `size` bytes; what is held never passes its bound."""
    framer, found = Framer(), list[Span]()
    for at in range(0, len(data), size):
        found += framer.feed(data[at : at + size])
        assert framer.held <= HEADER + MOST_PAYLOAD + STRETCH
    found += framer.close()
    assert framer.held == 0
    return found


def check(data: bytes) -> None:
    """Spans joined are the stream and do not depend on its pieces; what is read is JSON; nothing raises."""
    whole = spans(data, max(len(data), 1))
    assert b"".join(span.raw for span in whole) == data
    assert all(span.raw and (span.pdu is not None or span.reason) for span in whole)
    assert read_datagram(data) == whole
    sizes = (1, 1 + len(data) // 3) if len(data) < 4000 else (977,)
    for size in sizes:
        assert spans(data, size) == whole
    for raw in (data, *(span.raw for span in whole if span.pdu)):
        found = read(raw)
        if found is not None:
            json.dumps(found.fields)
            assert found.fields["payload_len"] == int.from_bytes(raw[4:8])
    assert all(span.pdu == read(span.raw) for span in whole if span.pdu)
