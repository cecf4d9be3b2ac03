"""The parts that MQTT packets are made of: variable numbers, texts, and the properties of MQTT 5.

Law: bytes that end too early raise `Short`, which the packet's reader turns into a flaw; what else is wrong is added to
the flaws. Clauses of MQTT Version 5.0 (OASIS, 2019).
"""

from __future__ import annotations

from typing import Any

from busgate.decode.mqtt_names import PROPERTIES, REPEATED
from busgate.decode.net_reader import Reader, Short

V5 = 5
MOST = 256
"""Properties of one packet that are read."""

_WIDTHS = {"byte": 1, "two": 2, "four": 4}


def remaining_length(data: bytes | bytearray, at: int = 1) -> tuple[int, int] | None:
    """Value and octets of a variable byte integer (1.5.5); size 0 where four octets do not end it, None if cut."""
    value = 0
    for place in range(4):
        if at + place >= len(data):
            return None
        octet = data[at + place]
        value |= (octet & 0x7F) << 7 * place
        if not octet & 0x80:
            return value, place + 1
    return 0, 0


def text(reader: Reader, what: str, flaws: list[str]) -> str:
    """1.5.4, UTF-8 Encoded String."""
    octets = reader.block(2, what)
    if b"\0" in octets:
        flaws.append(f"{what} has a null character")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        flaws.append(f"{what} is not UTF-8")
        return octets.decode("utf-8", "backslashreplace")


def _variable(reader: Reader, what: str) -> int:
    found = remaining_length(reader.data[: reader.end], reader.at)
    if found is None or not found[1]:
        raise Short(f"ends within {what}")
    reader.take(found[1], what)
    return found[0]


def properties(reader: Reader, version: int, flaws: list[str]) -> dict[str, Any]:
    """2.2.2; MQTT 3 has none. Since their length is told, a broken one does not hide what follows them."""
    row: dict[str, Any] = {}
    if version < V5:
        return row
    length = _variable(reader, "the property length")
    inner = Reader(reader.data, reader.at, reader.at + length)
    reader.take(length, "the properties")
    try:
        for _ in range(MOST):
            if not inner.left or not _property(row, inner, flaws):
                return row
    except Short as short:
        flaws.append(str(short))
        return row
    if inner.left:
        flaws.append(f"there are more than {MOST} properties; the rest is not read")
    return row


def _property(row: dict[str, Any], reader: Reader, flaws: list[str]) -> bool:
    """Read one property; False where the rest cannot be read."""
    number = _variable(reader, "a property identifier")
    name, kind = PROPERTIES.get(number, ("", ""))
    if not name:
        flaws.append(f"property {number:#04x} is not in the standard; those behind it are not read")
        return False
    value = _value(reader, name, kind, flaws)
    if name in REPEATED:
        row.setdefault(name, []).append(value)
    elif name in row:
        flaws.append(f"{name} is there more than once")
    else:
        row[name] = value
    return True


def _value(reader: Reader, name: str, kind: str, flaws: list[str]) -> Any:
    if kind in _WIDTHS:
        return reader.number(_WIDTHS[kind], name)
    if kind == "variable":
        return _variable(reader, name)
    if kind == "text":
        return text(reader, name, flaws)
    if kind == "pair":
        return [text(reader, name, flaws), text(reader, name, flaws)]
    octets = reader.block(2, name)
    return {"size": len(octets)} if kind == "secret" else octets.hex()
