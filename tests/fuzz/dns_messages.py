"""DNS and NTP: any bytes are read or are none; DNS over TCP gives its bytes back however they were cut."""

from __future__ import annotations

import json

from busgate.decode import dns, ntp
from support.streams import check_law

_QUERY = bytes.fromhex("0001010000010000000000000161076578616d706c650000010001")
_ANSWER = bytes.fromhex(
    "000181800001000200000001"
    "0161076578616d706c650000010001"
    "c00c000500010000003c00040162c00e"
    "c0270001000100000005"
    "0004c0000201"
    "00002904d0000080000000"
)
_HTTPS = bytes.fromhex(
    "0001818000010001000000000161076578616d706c650000410001c00c00410001000000050012000100000100030268320003000201bb"
)
SEEDS: tuple[bytes, ...] = (
    _QUERY,
    _ANSWER,
    _HTTPS,
    len(_QUERY).to_bytes(2) + _QUERY + len(_ANSWER).to_bytes(2) + _ANSWER,
    bytes.fromhex("000100000001000000000000c00c00010001"),
    bytes([0x24, 1, 6, 0xE9]) + bytes(8) + b"GPS\0" + bytes(range(32)),
)


def check(data: bytes) -> None:
    """Nothing raises and nothing loops; over TCP the spans joined are the bytes and cutting does not matter."""
    check_law(dns.Stream, data, range(0, len(data), 3), (1 << 16) + 1024 + 2)
    message, packet = dns.read(data), ntp.read(data)
    assert (message is None) == (len(data) < dns.HEADER)
    for found in (message, packet):
        assert found is None or json.loads(json.dumps(found.fields)) == found.fields
    assert packet is None or packet.protocol == "ntp"
