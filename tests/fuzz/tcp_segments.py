"""TCP segments of three connections in an order, and with numbers, that nobody's stack would send."""

from __future__ import annotations

from busgate.decode.connection import Limits
from busgate.decode.datagram import Datagram
from busgate.decode.stream import Streams
from busgate.decode.stream_events import Closed, Opened, StreamEvent

_LIMITS = Limits(max_flows=2, flow_bytes=64, total_bytes=256)
_SYN = bytes.fromhex("00 02 0000 0000 00")
_SYN_ACK = bytes.fromhex("01 12 0000 0001 00")
SEEDS: tuple[bytes, ...] = (
    _SYN + _SYN_ACK + bytes.fromhex("00 10 0001 0001 04") + b"kill" + bytes.fromhex("00 10 0001 0001 04") + b"lock",
    _SYN + _SYN_ACK + bytes.fromhex("00 10 0009 0001 02") + b"ab" + bytes.fromhex("01 10 0001 000b 00"),
    _SYN + _SYN_ACK + bytes.fromhex("00 11 0001 0001 01 78 01 11 0001 0003 00"),
    _SYN + bytes.fromhex("01 14 0000 0001 00"),
    bytes.fromhex("00 10 fffe 0000 04 61616161 00 10 0002 0000 01 62"),
)


def check(data: bytes) -> None:
    """No order of segments raises; memory stays bounded; a connection's events lie between Opened and Closed."""
    streams, events, now, position = Streams(_LIMITS), list[StreamEvent](), 0, 0
    while position + 7 <= len(data):
        way, flags, seq, ack, size = (
            data[position],
            data[position + 1],
            int.from_bytes(data[position + 2 : position + 4]),
            int.from_bytes(data[position + 4 : position + 6]),
            data[position + 6] & 0x1F,
        )
        payload = data[position + 7 : position + 7 + size]
        position += 7 + size
        now += (way >> 4) ** 8
        near, far = ("10.0.0.2", 50000 + (way >> 1 & 1)), ("203.0.113.9", 8808)
        ends = (*far, *near) if way & 1 else (*near, *far)
        # Numbers on both sides of the wrap, and far away.
        seq, ack = (seq << (16 if way & 4 else 0)) - 8 & 0xFFFFFFFF, (ack << (16 if way & 8 else 0)) - 8 & 0xFFFFFFFF
        events += streams.receive(Datagram(now, "tcp", *ends, payload, flags, seq, ack))
        events += streams.tick(now)
        assert 0 <= streams.held <= 256
    events += streams.close(now)
    assert streams.held == 0
    _check_order(events)


def _check_order(events: list[StreamEvent]) -> None:
    state: dict[int, str] = {}
    for event in events:
        number = event.stream.number
        assert state.get(number) == (None if isinstance(event, Opened) else "open")
        state[number] = "closed" if isinstance(event, Closed) else "open"
    assert set(state.values()) <= {"closed"}
