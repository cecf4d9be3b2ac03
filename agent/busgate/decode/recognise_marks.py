"""The marks of each protocol at the start of a stream, and of some in its middle.

Law: a check says True or False of bytes once and for all, or None while more bytes may tell; nothing raises. Only
marks are looked at here: whether a unit is sound is its decoder's matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import reduce
from operator import xor

from busgate.decode import adb, dns
from busgate.decode.http_heads import METHODS
from busgate.decode.mqtt_names import FLAGS
from busgate.decode.mqtt_packets import V3, read
from busgate.decode.mqtt_properties import V5, remaining_length
from busgate.decode.net_framer import MORE, NONE
from busgate.decode.tls_names import MESSAGES

_START_LINES = (b"HTTP/1.", b"PRI * HTTP/2.0", *(method + b" " for method in METHODS))
_DOIP_VERSIONS = frozenset({1, 2, 3, 4, 0xFF})
_DOIP_TYPES = frozenset({*range(9), *range(0x4001, 0x4005), *range(0x8001, 0x8004)})
_DOIP_MOST = 1 << 20
_COMMANDS = frozenset({*range(1, 0x0C), *range(0x80, 0x83), *range(0xC0, 0xFF)})
_RESPONSES = frozenset({1, 2, 3, 4, 0xFE})
_ENCRYPTIONS = frozenset({1, 2, 3, 4, 5, 0xFE, 0xFF})
_VIN = re.compile(rb"[0-9A-Za-z]{17}|[\x00-\x7f]{0,17}\x00*|\xff{17}")
_RECORD_MOST = (1 << 14) + 2048
_HEAD_808, _BODY_808 = 13, 1023
_MQTT_STRONG = frozenset({1, 2, 3, 8})
_MQTT_MOST, _MQTT_MESSAGE = 1 << 10, 1 << 16
_NO_TOPIC = re.compile(rb"[\x00-\x1f+#\x7f]")
_SHORTEST_TOPIC = 2


def tls(data: bytes) -> bool | None:
    """A record head (RFC 8446, 5.1) and in it what a record of its kind has."""
    if not _like_record(data):
        return False
    if len(data) < 6:
        return None
    length = int.from_bytes(data[3:5])
    sizes = {20: length == 1, 21: length == 2 or length > 16, 22: length >= 4 and (data[5] in MESSAGES or length > 31)}
    return sizes.get(data[0], length > 16) and length <= _RECORD_MOST


def http(data: bytes) -> bool | None:
    """A start line of HTTP/1 (RFC 9112, 2.1) or the preface of HTTP/2."""
    for start in _START_LINES:
        if data.startswith(start):
            if start.startswith((b"HTTP", b"PRI")):
                return True
            return data[len(start)] > 0x20 if len(data) > len(start) else None
    return None if any(start.startswith(data) for start in _START_LINES) else False


def ssh(data: bytes) -> bool | None:
    """RFC 4253, 4.2."""
    return True if data.startswith(b"SSH-") else None if b"SSH-".startswith(data) else False


def telnet(data: bytes) -> bool | None:
    """A negotiation (RFC 854)."""
    if data[0] != 0xFF or (len(data) > 1 and not 0xFA <= data[1] <= 0xFE):
        return False
    if len(data) < 3:
        return None
    return data[2] < 50 or data[2] == 0xFF


def doip(data: bytes) -> bool | None:
    """ISO 13400-2, 6.2: a version, its inverse, a payload type and a length."""
    if data[0] not in _DOIP_VERSIONS or (len(data) > 1 and data[1] != data[0] ^ 0xFF):
        return False
    if len(data) < 8:
        return None
    return int.from_bytes(data[2:4]) in _DOIP_TYPES and int.from_bytes(data[4:8]) <= _DOIP_MOST


def gb32960(data: bytes) -> bool | None:
    """GB/T 32960.3, 6.2: the head of 24 octets."""
    if data[0] not in b"#$" or (len(data) > 1 and data[1] != data[0]):
        return False
    if len(data) < 24:
        return None
    known = data[2] in _COMMANDS and data[3] in _RESPONSES and data[21] in _ENCRYPTIONS
    return known and _VIN.fullmatch(data[4:21]) is not None


def jt808(data: bytes) -> bool | None:
    """JT/T 808, 4.4: a head with a telephone number in BCD, or a whole frame whose length or checksum is right.

    The variant whose delimiter is E7 is told by a whole frame only.
    """
    mark = data[0]
    if mark not in {0x7E, 0xE7}:
        return False
    start = 2 if data[1:2] == data[:1] else 1
    end = data.find(mark, start)
    frame = _unescaped(data[start : len(data) if end < 0 else end], mark)
    if mark == 0x7E and len(frame) >= _HEAD_808 and _head_808(frame):
        return True
    if end < 0:
        return None if len(data) < 2 * (_BODY_808 + 32) else False
    return len(frame) >= _HEAD_808 and (_length_808(frame) or not reduce(xor, frame))


def mqtt(data: bytes) -> bool | None:
    """A CONNECT, or packets without a flaw: one that says much, or two."""
    if data[0] == 0x10:
        return _mqtt_connect(data)
    at = weight = 0
    while at < len(data):
        size = _mqtt_packet(data, at)
        if size <= 0:
            return None if size == MORE else False
        weight += 2 if data[at] >> 4 in _MQTT_STRONG else 1
        if weight > 1:
            return True
        at += size
    return None


def dns_tcp(data: bytes) -> bool | None:
    """A message behind its length (RFC 1035, 4.2.2), with one question and without a flaw."""
    head = data[: 2 + dns.HEADER]
    size = 2 + int.from_bytes(head[:2])
    if len(head) > 1 and size < 2 + dns.HEADER + 5:
        return False
    flags = int.from_bytes(head[4:6].ljust(2, b"\0"))
    if flags >> 11 & 15 > 6 or flags & 0x40 or not b"\0\1".startswith(head[6:8]) or any(head[8::2]):
        return False
    if len(head) < 2 + dns.HEADER:
        return None
    if len(data) < size:
        return None
    pdu = dns.read(data[2:size])
    return pdu is not None and not pdu.flaws


def bridge(data: bytes) -> bool | None:
    """An adb packet's head."""
    size = adb.packet_size(data)
    return None if size == MORE else size != NONE


CHECKS: Mapping[str, Callable[[bytes], bool | None]] = {
    "ssh": ssh,
    "adb": bridge,
    "http": http,
    "tls": tls,
    "doip": doip,
    "telnet": telnet,
    "gb32960": gb32960,
    "jt808": jt808,
    "mqtt": mqtt,
    "dns-tcp": dns_tcp,
}
"""By name, in the order in which they are asked."""


def _like_record(data: bytes) -> bool:
    return 20 <= data[0] <= 23 and data[1:2] in {b"", b"\3"} and (len(data) < 3 or data[2] <= 4)


def _unescaped(frame: bytes, mark: int) -> bytes:
    """4.4.2; a last octet that begins an escape is left out."""
    pairs = ((b"\x7d\x02", b"\x7e"), (b"\x7d\x01", b"\x7d"))
    if mark == 0xE7:
        pairs = ((b"\xe6\x02", b"\xe7"), (b"\xe6\x01", b"\xe6"))
    frame = frame[:-1] if frame.endswith(pairs[0][0][:1]) else frame
    for escaped, octet in pairs:
        frame = frame.replace(escaped, octet)
    return frame


def _head_808(frame: bytes) -> bool:
    """4.4.3: attributes and a BCD number, of 6 octets or, behind a version, of 10."""
    attributes = int.from_bytes(frame[2:4])
    start, size = (5, 10) if attributes & 0x4000 else (4, 6)
    number = frame[start : start + size]
    digits = len(number) == size and all(octet >> 4 <= 9 and octet & 15 <= 9 for octet in number)
    return digits and not attributes & 0x8000 and (start == 4 or frame[4] <= 9)


def _length_808(frame: bytes) -> bool:
    attributes = int.from_bytes(frame[2:4])
    head = 17 if attributes & 0x4000 else 12
    return len(frame) == head + (4 if attributes & 0x2000 else 0) + (attributes & 0x3FF) + 1


def _mqtt_connect(data: bytes) -> bool | None:
    """MQTT 5.0, 3.1."""
    length = remaining_length(data)
    if length is None:
        return None
    name = data[1 + length[1] : 9 + length[1]]
    known = (b"\0\4MQTT", b"\0\6MQIsdp")
    if any(name.startswith(start) for start in known):
        return length[1] > 0
    return None if any(start.startswith(name) for start in known) else False


def _mqtt_packet(data: bytes, at: int) -> int:
    """How long the flawless packet at `at` is, MORE while that is not known, NONE where there is none."""
    kind, flags = data[at] >> 4, data[at] & 15
    if not kind or (kind != 3 and flags != FLAGS[kind]) or flags & 6 == 6:
        return NONE
    length = remaining_length(data, at + 1)
    if length is None:
        return MORE
    if not length[1] or length[0] > (_MQTT_MESSAGE if kind == 3 else _MQTT_MOST):
        return NONE
    size = 1 + sum(length)
    raw = data[at : at + min(size, _MQTT_MOST)]
    topic = raw[3 + length[1] :][: int.from_bytes(raw[1 + length[1] : 3 + length[1]])] if kind == 3 else b"any"
    if len(raw) < min(size, _MQTT_MOST):
        return NONE if _NO_TOPIC.search(topic) else MORE
    if len(topic) < _SHORTEST_TOPIC or _NO_TOPIC.search(topic):
        return NONE
    whole = size if size > len(raw) else None
    return NONE if all(read(raw, version, whole=whole).flaws for version in (V3, V5)) else size


def _tls_within(data: bytes) -> int:
    """Two record heads, the second where the first says."""
    ends: list[int] = []
    for found in re.finditer(rb"[\x14-\x17]\x03[\x00-\x04]", data):
        at = found.start()
        length = int.from_bytes(data[at + 3 : at + 5])
        end = at + 8 + length
        if 0 < length <= _RECORD_MOST and end <= len(data) and _like_record(data[at + 5 + length : end]):
            ends.append(end)
    return min(ends, default=0)


def _jt808_within(data: bytes) -> int:
    """A whole frame with a right length and a right checksum."""
    start = data.find(b"\x7e")
    while start >= 0 and (end := data.find(b"\x7e", start + 1)) >= 0:
        frame = _unescaped(data[start + 1 : end], 0x7E)
        if len(frame) >= _HEAD_808 and _length_808(frame) and not reduce(xor, frame):
            return end + 1
        start = end
    return 0


def _gb32960_within(data: bytes) -> int:
    """A whole packet with a right checksum."""
    ends: list[int] = []
    for found in re.finditer(rb"(?=##|\$\$)", data):
        at = found.start()
        end = at + 25 + int.from_bytes(data[at + 22 : at + 24])
        if end <= len(data) and gb32960(data[at : at + 24]) and not reduce(xor, data[at + 2 : end]):
            ends.append(end)
    return min(ends, default=0)


MIDDLES: Mapping[str, Callable[[bytes], int]] = {
    "jt808": _jt808_within,
    "gb32960": _gb32960_within,
    "tls": _tls_within,
}
"""What can be found in a stream that was picked up within a unit: where the first that is whole ends, 0 for none."""
