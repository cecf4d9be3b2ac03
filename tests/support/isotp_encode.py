"""A sender of ISO 15765-2 frames for tests, written apart from the decoder it feeds."""

from collections.abc import Iterator

FD_LENGTHS = (8, 12, 16, 20, 24, 32, 48, 64)


def encode(payload: bytes, *, prefix: bytes = b"", width: int = 8, padding: int | None = 0x55) -> list[bytes]:
    """The frames that carry `payload`, `width` bytes each at most; `prefix` is the address byte, if there is one."""
    room = width - len(prefix)
    if payload and len(payload) <= 7 - len(prefix):
        return [_padded(prefix + bytes([len(payload)]) + payload, 8, padding)]
    if width > 8 and len(payload) <= room - 2:
        return [_padded(prefix + bytes([0, len(payload)]) + payload, width, padding)]
    return list(_segmented(payload, prefix, room, width, padding))


def _segmented(payload: bytes, prefix: bytes, room: int, width: int, padding: int | None) -> Iterator[bytes]:
    size = len(payload)
    header = (0x1000 | size).to_bytes(2) if size <= 4095 else b"\x10\x00" + size.to_bytes(4)
    first = room - len(header)
    yield prefix + header + payload[:first]
    for number, start in enumerate(range(first, size, room - 1), start=1):
        chunk = payload[start : start + room - 1]
        yield _padded(prefix + bytes([0x20 | number % 16]) + chunk, width, padding)


def _padded(frame: bytes, width: int, padding: int | None) -> bytes:
    """Classical frames are padded if there is a padding; CAN FD ones up to the next length that exists."""
    if len(frame) <= 8:
        return frame if padding is None else frame.ljust(8, bytes([padding]))
    length = next(each for each in FD_LENGTHS if each >= len(frame) and each <= width)
    return frame.ljust(length, bytes([padding or 0]))
