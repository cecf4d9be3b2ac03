"""Names and record data of DNS: where a name points back, what an answer holds.

Law: any bytes end in bounded time. A compression pointer must go to an earlier place than the name it stands in began
and than the pointer before it, so that no loop is possible, and a name has at most 64 of them; a name has at most 255
octets (RFC 1035, 3.1, 4.1.4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from busgate.decode.dns_names import type_name
from busgate.decode.net_reader import Reader, Short

_MOST_OCTETS = 255
_MOST_POINTERS = 64
_PARAMETERS: Mapping[int, str] = {
    0: "mandatory",
    1: "alpn",
    2: "no_default_alpn",
    3: "port",
    4: "ipv4hint",
    5: "ech",
    6: "ipv6hint",
}
"""RFC 9460, 14.3.2."""


def name(reader: Reader) -> str:
    """The name at the reader's place without its last dot ("." is the root); odd octets as RFC 1035, 5.1 has them."""
    labels: list[str] = []
    octets, pointers = 1, 0
    inside, lowest = reader, reader.at
    while size := inside.number(1, "a name"):
        if size >= 0xC0:
            place = (size & 0x3F) << 8 | inside.number(1, "a name's pointer")
            if place >= lowest:
                raise Short(f"a name's pointer goes forward, to {place}")
            pointers += 1
            if pointers > _MOST_POINTERS:
                raise Short(f"a name has more than {_MOST_POINTERS} pointers")
            lowest = place
            inside = Reader(reader.data, place)
            continue
        if size > 0x3F:
            raise Short(f"a label begins with {size:#04x}, which is reserved")
        label = inside.take(size, "a label")
        octets += size + 1
        if octets > _MOST_OCTETS:
            raise Short(f"a name has more than {_MOST_OCTETS} octets")
        labels.append(_label(label))
    return ".".join(labels) or "."


def data(kind: int, reader: Reader, size: int) -> dict[str, Any]:
    """Read `size` octets of record data of a type; what is not known stays hexadecimal under `data`."""
    end = reader.at + size
    raw = Reader(reader.data, reader.at).take(size, f"the data of a {type_name(kind)} record")
    inner = Reader(reader.data, reader.at, end)
    reader.at = end
    read = _READERS.get(kind)
    if read is None:
        return {"data": raw.hex()}
    try:
        row = read(inner)
    except Short as short:
        return {"data": raw.hex(), "flaw": str(short)}
    if inner.left:
        row["flaw"] = f"{inner.left} bytes follow the record's last field"
    return row


def _label(label: bytes) -> str:
    return "".join(
        f"\\{octet:03}" if not 0x20 < octet < 0x7F else f"\\{chr(octet)}" if octet in b".\\" else chr(octet)
        for octet in label
    )


def _a(reader: Reader) -> dict[str, Any]:
    return {"address": str(IPv4Address(reader.take(4, "an IPv4 address")))}


def _aaaa(reader: Reader) -> dict[str, Any]:
    return {"address": str(IPv6Address(reader.take(16, "an IPv6 address")))}


def _target(reader: Reader) -> dict[str, Any]:
    return {"target": name(reader)}


def _mx(reader: Reader) -> dict[str, Any]:
    return {"preference": reader.number(2, "a preference"), "target": name(reader)}


def _srv(reader: Reader) -> dict[str, Any]:
    """RFC 2782."""
    priority, weight, port = (reader.number(2, f"a {what}") for what in ("priority", "weight", "port"))
    return {"priority": priority, "weight": weight, "port": port, "target": name(reader)}


def _txt(reader: Reader) -> dict[str, Any]:
    texts: list[str] = []
    while reader.left:
        texts.append(reader.block(1, "a text").decode("utf-8", "backslashreplace"))
    return {"texts": texts}


def _soa(reader: Reader) -> dict[str, Any]:
    """RFC 1035, 3.3.13."""
    row: dict[str, Any] = {"mname": name(reader), "rname": name(reader)}
    return row | {what: reader.number(4, what) for what in ("serial", "refresh", "retry", "expire", "minimum")}


def _caa(reader: Reader) -> dict[str, Any]:
    """RFC 8659, 4.1."""
    flags = reader.number(1, "the flags")
    tag = reader.block(1, "the tag").decode("ascii", "backslashreplace")
    return {"flags": flags, "tag": tag, "value": reader.rest().decode("utf-8", "backslashreplace")}


def _svcb(reader: Reader) -> dict[str, Any]:
    """RFC 9460, 2.2."""
    row: dict[str, Any] = {"priority": reader.number(2, "a priority"), "target": name(reader), "parameters": {}}
    while reader.left:
        key = reader.number(2, "a parameter's key")
        value = reader.block(2, "a parameter's value")
        row["parameters"][_PARAMETERS.get(key, f"key{key}")] = _parameter(key, value)
    return row


def _parameter(key: int, value: bytes) -> Any:
    reader = Reader(value)
    if key == 1:
        found: list[str] = []
        while reader.left:
            found.append(reader.block(1, "a protocol").decode("utf-8", "backslashreplace"))
        return found
    if key == 3 and len(value) == 2:
        return int.from_bytes(value)
    if key == 4 and not len(value) % 4:
        return [str(IPv4Address(value[at : at + 4])) for at in range(0, len(value), 4)]
    if key == 6 and not len(value) % 16:
        return [str(IPv6Address(value[at : at + 16])) for at in range(0, len(value), 16)]
    return value.hex()


_READERS: Mapping[int, Callable[[Reader], dict[str, Any]]] = {
    1: _a,
    2: _target,
    5: _target,
    6: _soa,
    12: _target,
    15: _mx,
    16: _txt,
    28: _aaaa,
    33: _srv,
    39: _target,
    64: _svcb,
    65: _svcb,
    99: _txt,
    257: _caa,
}
