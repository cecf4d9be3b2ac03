"""Lines for `busgate decode`: each protocol, lines whole or joined, as hexadecimal or as anything else."""

from __future__ import annotations

import json

from busgate.decode.air_lines import AirDecoder, AirProtocol, Options
from busgate.model import BusgateError, Direction
from fuzz import dns_messages, doip, gb32960, http_messages, jt808, mqtt_packets, shell_streams, short_messages
from fuzz import tls_records as tls

MARK = b"\xfe\xfd"
_PROTOCOLS = tuple(AirProtocol)
_WHOLE_ONLY = {AirProtocol.NTP, AirProtocol.SMS}
_EDITIONS = (None, 2011, 2013, 2019)
_WAYS = (Direction.UNKNOWN, Direction.UP, Direction.DOWN)
_TEXT, _ODD = 0x80, 0x40


def _lines(protocol: AirProtocol, *lines: bytes, options: int = 0) -> bytes:
    """The first byte is the protocol, the second the options; lines are parted by `MARK`."""
    return bytes([_PROTOCOLS.index(protocol), options]) + MARK.join(lines)


_SOURCES = {
    AirProtocol.JT808: jt808.SEEDS,
    AirProtocol.JT905: jt808.SEEDS,
    AirProtocol.GB32960: gb32960.SEEDS,
    AirProtocol.DOIP: doip.SEEDS,
    AirProtocol.MQTT: mqtt_packets.SEEDS,
    AirProtocol.HTTP: http_messages.SEEDS,
    AirProtocol.TLS: tls.SEEDS,
    AirProtocol.DNS: dns_messages.SEEDS,
    AirProtocol.NTP: dns_messages.SEEDS[-1:],
    AirProtocol.SMS: short_messages.SEEDS,
    AirProtocol.SSH: shell_streams.SEEDS,
    AirProtocol.TELNET: shell_streams.SEEDS,
    AirProtocol.ADB: shell_streams.SEEDS,
}
SEEDS: tuple[bytes, ...] = (
    *(
        _lines(protocol, *seeds[at : at + 5], options=(place + at) % 24)
        for place, (protocol, seeds) in enumerate(_SOURCES.items())
        for at in range(0, len(seeds), 5)
    ),
    *(_lines(protocol, *seeds[:8], options=1) for protocol, seeds in _SOURCES.items()),
    _lines(AirProtocol.JT808, b"# a comment", b" 0x7E-02 00,7e ", b"7", b"7e zz", b"", options=_TEXT),
    _lines(AirProtocol.DNS, b"7e", options=_ODD),
)


def check(data: bytes) -> None:
    """Each line that says something gives rows that a JSON writer takes; the bytes they are of are those given."""
    protocol, options = (
        _PROTOCOLS[data[0] % len(_PROTOCOLS)] if data else _PROTOCOLS[0],
        data[1] if len(data) > 1 else 0,
    )
    joined = bool(options & 1)
    given = Options(_EDITIONS[options >> 1 & 3], _WAYS[(options >> 3) % 3], joined)
    try:
        decoder = AirDecoder(protocol, given)
    except BusgateError:
        assert joined
        assert protocol in _WHOLE_ONLY
        return
    bytes_in, bytes_out = "", ""
    for line in data[2:].split(MARK):
        octets = line.hex()[: -1 if options & _ODD else None]
        text = line.decode("utf-8", "replace") if options & _TEXT else octets
        rows = decoder.decode(text)
        sound = bool(line) and not options & (_TEXT | _ODD)
        bytes_in += text if sound else ""
        written = _written(rows)
        bytes_out += written if sound else ""
        assert joined or rows or not text.strip() or text.strip().startswith("#")
    bytes_out += _written(decoder.finish())
    assert bytes_out == bytes_in or options & (_TEXT | _ODD)


def _written(rows: list[dict[str, object]]) -> str:
    """The bytes that the rows are of; each can be written as the command does."""
    for row in rows:
        json.dumps(row, allow_nan=False, ensure_ascii=False).encode()
        assert row.get("malformed") != ""
    return "".join(str(row["data"] if "malformed" in row else row.get("raw", "")) for row in rows if _has_bytes(row))


def _has_bytes(row: dict[str, object]) -> bool:
    return "raw" in row or ("malformed" in row and "data" in row)
