"""The standard's own refusal, said to a platform in the T-box's place when its message was cut out.

Law: only what the standard has for this, and only in answer to a message that was read whole. Nothing here speaks to
the vehicle. JT/T 808-2013, 8.1 and -2019, 8.1: terminal general response 0x0001 with result 3, not supported;
GB/T 32960.3-2016, 6.3.2: the command sent back with response 02, an error, and the time of the command.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

from busgate.model import Pdu

_GENERAL_RESPONSE = 0x0001
_NOT_SUPPORTED = 3
_WITH_VERSION = 0x4000
_ERROR = 0x02
_HEADER = 24
_TIME = 6


def refusal(pdu: Pdu, raw: bytes) -> bytes:
    """The answer that refuses a message; empty where the standard has none."""
    if pdu.protocol in {"jt808", "jt905"}:
        return _of_808(raw)
    return _of_32960(raw) if pdu.protocol == "gb32960" else b""


def _of_808(raw: bytes) -> bytes:
    if len(raw) < 2 or raw[0] != 0x7E or raw[-1] != 0x7E:
        return b""
    plain = re.sub(rb"\x7d([\x01\x02])", lambda found: b"\x7d" if found[1] == b"\x01" else b"\x7e", raw[1:-1])
    if len(plain) < 13:
        return b""
    versioned = bool(int.from_bytes(plain[2:4]) & _WITH_VERSION)
    end = 15 if versioned else 10
    if len(plain) < end + 3:
        return b""
    number, phone, serial = plain[:2], plain[4:end], plain[end : end + 2]
    body = serial + number + bytes([_NOT_SUPPORTED])
    attributes = len(body) | (_WITH_VERSION if versioned else 0)
    said = _GENERAL_RESPONSE.to_bytes(2) + attributes.to_bytes(2) + phone + serial + body
    said += bytes([reduce(xor, said)])
    escaped = said.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")
    return b"\x7e" + escaped + b"\x7e"


def _of_32960(raw: bytes) -> bytes:
    if len(raw) <= _HEADER or raw[:2] not in {b"##", b"$$"}:
        return b""
    time = raw[_HEADER : _HEADER + _TIME] if len(raw) > _HEADER + _TIME else b""
    said = raw[2:3] + bytes([_ERROR]) + raw[4:22] + len(time).to_bytes(2) + time
    return raw[:2] + said + bytes([reduce(xor, said)])
