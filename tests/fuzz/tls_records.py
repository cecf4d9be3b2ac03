"""TLS: any bytes are given back in order, and the messages are the same however they were cut."""

from __future__ import annotations

from busgate.decode.tls import LONGEST, Records
from busgate.decode.tls_hellos import read
from busgate.decode.tls_names import MESSAGES
from support.streams import check_law

_HELLO = bytes.fromhex(
    "16030100a4010000a00301543dd2dd48f517ca9a93b1e599f019fdece704a23e86c1dcac588427abbaddf200005cc014c00a003900380088"
    "0087c00fc00500350084c012c00800160013c00dc003000ac013c00900330032009a009900450044c00ec004002f009600410007c011c007"
    "c00cc002000500040015001200090014001100080006000300ff0100001b000b000403000102000a000600040018001700230000000f0001"
    "01"
)
_SERVER = bytes.fromhex(
    "160303003d020000390303543dd328b38b445686739d58fab733fa23838f575e0e5ad9a1b9baace6cc3b4100c02f000011ff01000100000b"
    "00040300010200230000"
)
_CERTIFICATE = bytes.fromhex("160303000e0b00000a000007000004308201")
SEEDS: tuple[bytes, ...] = (
    _HELLO,
    _HELLO[:3] + b"\0\x32" + _HELLO[5:55] + _HELLO[:3] + b"\0\x72" + _HELLO[55:],
    _SERVER + _CERTIFICATE + bytes.fromhex("140303000101") + b"\x17\x03\x03\x00\x20" + bytes(32),
    bytes.fromhex("15030300020228"),
    bytes(7) + (b"\x17\x03\x03\x00\x20" + bytes(32)) * 2,
)


def check(data: bytes) -> None:
    """The spans joined are the bytes, cutting does not matter, a run of handshake at most is held, nothing raises."""
    check_law(Records, data, range(0, len(data), 3), LONGEST + (1 << 15))
    for kind in MESSAGES:
        assert read(bytes([kind]) + data).protocol == "tls"
