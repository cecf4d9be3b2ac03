"""Long payloads cut into frames as their senders do: ISO-TP for diagnostics, J1939's broadcast transport for groups.

Law: written for the simulator alone, from the standards, so that it shares no mistake with the decoders it tests.
"""

from __future__ import annotations

from collections.abc import Iterator

_PADDING = 0xAA


def single(payload: bytes) -> bytes:
    """A single frame (ISO 15765-2:2016, 9.6.2); up to seven bytes."""
    return _padded(bytes([len(payload)]) + payload)


def first(payload: bytes, length: int | None = None) -> bytes:
    """A first frame (9.6.3); `length` makes it announce another length than the payload has."""
    announced = len(payload) if length is None else length
    return (0x1000 | announced).to_bytes(2, "big") + payload[:6]


def flow_control(block_size: int = 0, separation_ms: int = 1) -> bytes:
    """A flow control that lets the sender continue (9.6.5)."""
    return _padded(bytes([0x30, block_size, separation_ms]))


def consecutive(payload: bytes) -> Iterator[bytes]:
    """The consecutive frames that follow `first` (9.6.4): numbered from 1, after 15 from 0."""
    for index, start in enumerate(range(6, len(payload), 7), 1):
        yield _padded(bytes([0x20 | index % 16]) + payload[start : start + 7])


def broadcast(pgn: int, payload: bytes) -> Iterator[tuple[int, bytes]]:
    """The announcement and the packets of a broadcast (SAE J1939-21, 5.10.3), each with its own group: (PGN, data)."""
    packets = -(-len(payload) // 7)
    head = bytes([0x20]) + len(payload).to_bytes(2, "little") + bytes([packets, 0xFF])
    yield 0xEC00, head + pgn.to_bytes(3, "little")
    for number in range(packets):
        yield 0xEB00, bytes([number + 1]) + payload[7 * number : 7 * number + 7].ljust(7, b"\xff")


def _padded(data: bytes) -> bytes:
    return data.ljust(8, bytes([_PADDING]))
