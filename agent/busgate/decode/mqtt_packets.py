"""One MQTT control packet to what it says, for a protocol version that the caller knows or supposes.

Law: any bytes give a `Pdu`, never an exception; what is against the standard is a flaw. The clauses cited are those of
MQTT Version 5.0 (OASIS, 2019); 3.1.1 and 3.1 differ in having no properties and fewer reason codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from busgate.decode import mqtt_bodies as bodies
from busgate.decode.mqtt_names import FLAGS, REASONS, RETURN_CODES, TYPES
from busgate.decode.mqtt_properties import V5, properties, remaining_length, text
from busgate.decode.net_reader import Reader, Short
from busgate.model import Direction, Pdu

V3 = 4
SHOWN = 64
"""Bytes of a payload that are shown."""
MOST_TOPICS = 1024
"""Topic filters of one packet that are read."""

Row = dict[str, Any]
_GRANTED = frozenset({0, 1, 2, 0x80})
_TO_SERVER, _TO_CLIENT = frozenset({1, 8, 10, 12}), frozenset({2, 9, 11, 13})


def read(raw: bytes, version: int = V3, *, whole: int | None = None) -> Pdu:
    """Read a packet, fixed header included; `whole` is its real length where `raw` is only its beginning."""
    flaws: list[str] = []
    length = remaining_length(raw)
    if length is None or not length[1]:
        return Pdu("mqtt", "malformed", None, Direction.UNKNOWN, flaws=("the fixed header is not whole",))
    kind, flags = raw[0] >> 4, raw[0] & 0x0F
    if FLAGS.get(kind, flags) != flags:
        flaws.append(f"the flags of the fixed header are {flags}, should be {FLAGS[kind]}")
    if kind == 0 or (kind == 15 and version < V5):
        flaws.append(f"packet type {kind} is reserved")
    start = 1 + length[1]
    if whole is None and length[0] != len(raw) - start:
        flaws.append(f"the remaining length is {length[0]}, {len(raw) - start} bytes follow")
    row: Row = {}
    reader = Reader(raw, start, start + length[0])
    try:
        _READERS.get(kind, _nothing)(row, reader, version, flags, flaws)
        if reader.left:
            flaws.append(f"{reader.left} bytes follow the packet's last field")
    except Short as short:
        flaws.append(str(short))
    if whole is not None and "payload_size" in row:
        row["payload_size"] += whole - len(raw)
        row["payload_sha256"] = None
    body = _CLASSES.get(kind, bodies.Ping)(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})
    row.pop("data", None)
    direction = _direction(kind)
    return Pdu("mqtt", TYPES.get(kind, "reserved"), kind, direction, row, body, tuple(flaws))


def _direction(kind: int) -> Direction:
    """A T-box is a client: what only clients send goes up."""
    if kind in _TO_SERVER:
        return Direction.UP
    return Direction.DOWN if kind in _TO_CLIENT else Direction.UNKNOWN


def _connect(row: Row, reader: Reader, _version: int, _flags: int, flaws: list[str]) -> None:
    """3.1; the packet says its version itself."""
    row["protocol_name"] = text(reader, "the protocol name", flaws)
    level = reader.number(1, "the protocol level")
    row["protocol_level"] = level & 0x7F
    row["bridge"] = bool(level & 0x80)
    version = level & 0x7F
    if (row["protocol_name"], version) not in {("MQTT", 4), ("MQTT", 5), ("MQIsdp", 3)}:
        flaws.append(f"protocol {row['protocol_name']!r} level {version} is not in the standard")
    flags = reader.number(1, "the connect flags")
    if flags & 1:
        flaws.append("the reserved connect flag is set")
    row["clean_start"] = bool(flags & 2)
    row["password_present"] = bool(flags & 0x40)
    row["keep_alive"] = reader.number(2, "the keep alive")
    row["properties"] = properties(reader, version, flaws)
    row["client_id"] = text(reader, "the client identifier", flaws)
    if flags & 4:
        row["will_qos"], row["will_retain"] = flags >> 3 & 3, bool(flags & 0x20)
        row["will_properties"] = properties(reader, version, flaws)
        row["will_topic"] = text(reader, "the will topic", flaws)
        row["will_payload_size"] = len(reader.block(2, "the will payload"))
    elif flags & 0x38:
        flaws.append("the will's quality or retain flag is set without a will")
    if flags & 0x80:
        row["user_name"] = text(reader, "the user name", flaws)
    if flags & 0x40:
        reader.block(2, "the password")


def _connack(row: Row, reader: Reader, version: int, _flags: int, flaws: list[str]) -> None:
    flags = reader.number(1, "the acknowledge flags")
    row["session_present"] = bool(flags & 1)
    if flags > 1:
        flaws.append("a reserved acknowledge flag is set")
    code = reader.number(1, "the reason code")
    row["reason_code"] = code
    row["reason"] = _named(code, REASONS if version >= V5 else RETURN_CODES, flaws)
    row["properties"] = properties(reader, version, flaws)


def _named(code: int, names: Mapping[int, str], flaws: list[str]) -> str:
    if code not in names:
        flaws.append(f"reason code {code:#04x} is not in the standard")
    return names.get(code, "")


def _packet_id(row: Row, reader: Reader, flaws: list[str]) -> None:
    """2.2.1: not 0."""
    row["packet_id"] = reader.number(2, "the packet identifier")
    if not row["packet_id"]:
        flaws.append("the packet identifier is 0")


def _publish(row: Row, reader: Reader, version: int, flags: int, flaws: list[str]) -> None:
    """3.3."""
    qos = flags >> 1 & 3
    row |= {"qos": qos, "retain": bool(flags & 1), "dup": bool(flags & 8)}
    if qos == 3:
        flaws.append("quality of service 3 is reserved")
    if flags & 8 and not qos:
        flaws.append("the duplicate flag is set with quality of service 0")
    topic = text(reader, "the topic", flaws)
    row["topic"] = topic or None
    if "+" in topic or "#" in topic:
        flaws.append("the topic has a wildcard")
    if qos:
        _packet_id(row, reader, flaws)
    row["properties"] = properties(reader, version, flaws)
    row["topic_alias"] = row["properties"].get("topic_alias")
    if not topic and row["topic_alias"] is None:
        flaws.append("there is neither a topic nor a topic alias")
    payload = reader.take(min(reader.left, len(reader.data) - reader.at), "the payload")
    row |= {"payload_size": len(payload), "payload_sha256": sha256(payload).hexdigest()}
    row |= {"payload": payload[:SHOWN].hex(), "data": payload}


def _acknowledgement(row: Row, reader: Reader, version: int, _flags: int, flaws: list[str]) -> None:
    """3.4-3.7: with MQTT 5 the reason code may be left out, and then the properties."""
    _packet_id(row, reader, flaws)
    _reason(row, reader, version, flaws)


def _reason(row: Row, reader: Reader, version: int, flaws: list[str]) -> None:
    if version < V5:
        return
    code = reader.number(1, "the reason code") if reader.left else 0
    row |= {"reason_code": code, "reason": _named(code, REASONS, flaws)}
    if reader.left:
        row["properties"] = properties(reader, version, flaws)


def _leaving(row: Row, reader: Reader, version: int, _flags: int, flaws: list[str]) -> None:
    """DISCONNECT (3.14) and AUTH (3.15)."""
    _reason(row, reader, version, flaws)
    if row.get("reason_code") == 0 and reader.data[0] >> 4 == 14:
        row["reason"] = "normal disconnection"


def _subscribe(row: Row, reader: Reader, version: int, _flags: int, flaws: list[str]) -> None:
    subscribing = reader.data[0] >> 4 == 8
    _packet_id(row, reader, flaws)
    row["properties"] = properties(reader, version, flaws)
    row["topics"] = topics = list[str]()
    options = list[Mapping[str, Any]]()
    if subscribing:
        row["options"] = options
    while reader.left and len(topics) < MOST_TOPICS:
        topics.append(text(reader, "a topic filter", flaws))
        if subscribing:
            options.append(_options(reader.number(1, "the subscription options"), version))
    if not topics:
        flaws.append("there is no topic filter")


def _options(octet: int, version: int) -> Row:
    """3.8.3.1."""
    row: Row = {"qos": octet & 3}
    if version >= V5:
        row |= {
            "no_local": bool(octet & 4),
            "retain_as_published": bool(octet & 8),
            "retain_handling": octet >> 4 & 3,
        }
    return row


def _suback(row: Row, reader: Reader, version: int, _flags: int, flaws: list[str]) -> None:
    _packet_id(row, reader, flaws)
    row["properties"] = properties(reader, version, flaws)
    codes = row["reason_codes"] = list(reader.rest())
    known = REASONS if version >= V5 else _GRANTED if reader.data[0] >> 4 == 9 else ()
    if set(codes) - set(known):
        flaws.append("a reason code is not in the standard")


def _nothing(_row: Row, _reader: Reader, _version: int, _flags: int, _flaws: list[str]) -> None:
    """PINGREQ and PINGRESP have nothing behind their fixed header."""


_READERS: Mapping[int, Callable[[Row, Reader, int, int, list[str]], None]] = {
    1: _connect,
    2: _connack,
    3: _publish,
    **dict.fromkeys((4, 5, 6, 7), _acknowledgement),
    8: _subscribe,
    9: _suback,
    10: _subscribe,
    11: _suback,
    14: _leaving,
    15: _leaving,
}
_CLASSES: Mapping[int, Callable[..., object]] = {
    1: bodies.Connect,
    2: bodies.Connack,
    3: bodies.Publish,
    **dict.fromkeys((4, 5, 6, 7, 14, 15), bodies.Acknowledgement),
    8: bodies.Subscribe,
    9: bodies.Suback,
    10: bodies.Subscribe,
    11: bodies.Suback,
}
