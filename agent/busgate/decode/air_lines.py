"""Lines of hexadecimal in, one JSON object a unit out: the protocols of the T-box's other side, for others to check.

Law: every line that says something gives at least one object, in order, whatever the line says; what cannot be decoded
has `malformed` with its reason. A line is a whole unit, or several behind each other; bytes that are none are told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from busgate.decode import adb, dns, doip, gb32960, http, jt808, jt808_stream, mqtt, ntp, sms, telnet, tls
from busgate.decode.banners import Ssh
from busgate.decode.conversation import Framer
from busgate.decode.jt808_parts import Reassembler
from busgate.model import BusgateError, Direction, Pdu, Span

Row = dict[str, Any]

_HEXADECIMAL = re.compile(r"(?:0[xX])?([0-9A-Fa-f \t:,_-]+)")
_BETWEEN = re.compile(r"[ \t:,_-]")
LONGEST_LINE = 4 << 20


class AirProtocol(StrEnum):
    """What the lines are read as."""

    JT808 = "jt808"
    JT905 = "jt905"
    GB32960 = "gb32960"
    DOIP = "doip"
    MQTT = "mqtt"
    HTTP = "http"
    TLS = "tls"
    DNS = "dns"
    NTP = "ntp"
    SMS = "sms"
    SSH = "ssh"
    TELNET = "telnet"
    ADB = "adb"


class Options(NamedTuple):
    """How lines are read.

    `edition` of JT/T 808 is 2011, 2013, 2019, or None as the header tells. With `joined`, lines are consecutive pieces
    of one direction of a stream, cut anywhere; otherwise each is whole.
    """

    edition: int | None = None
    direction: Direction = Direction.UNKNOWN
    joined: bool = False


class AirDecoder:
    """Decodes lines as one protocol. For streams (MQTT, HTTP, TLS) lines of one session follow each other."""

    def __init__(self, protocol: AirProtocol, options: Options | None = None) -> None:
        """Nothing has been read yet."""
        self._protocol = protocol
        self._options = options or Options()
        self._parts = Reassembler(edition=self._options.edition)
        self._session = mqtt.Session()
        self._stream = self._framer() if self._options.joined else None
        self._line = 0

    def decode(self, text: str) -> list[Row]:
        """The objects of one line; none for a blank one or a comment."""
        self._line += 1
        stripped = text.strip()
        if not stripped or stripped.startswith("#"):
            return []
        found = _HEXADECIMAL.fullmatch(stripped) if len(stripped) <= LONGEST_LINE else None
        digits = "" if found is None else _BETWEEN.sub("", found[1])
        if not digits or len(digits) % 2:
            return [{"malformed": "a line has to be bytes in hexadecimal", "line": self._line}]
        rows = [row for span in self._spans(bytes.fromhex(digits)) for row in self._rows(span)]
        for row in rows:
            if "malformed" in row:
                row["line"] = self._line
        return rows

    def finish(self) -> list[Row]:
        """The end of joined lines: what is still held back."""
        return [] if self._stream is None else [row for span in self._stream.close() for row in self._rows(span)]

    def _spans(self, data: bytes) -> Iterable[Span]:
        if self._stream is not None:
            return self._stream.feed(data)
        one = _WHOLE.get(self._protocol)
        if one is not None:
            return one(data, self._options)
        if self._protocol is AirProtocol.DOIP:
            return doip.read_datagram(data)
        framer = self._framer()
        return [*framer.feed(data), *framer.close()]

    def _framer(self) -> Framer:
        direction = self._options.direction
        framers: Mapping[AirProtocol, Callable[[], Framer]] = {
            AirProtocol.JT808: lambda: jt808_stream.Framer(self._options.edition),
            AirProtocol.JT905: lambda: jt808_stream.Framer(taxi=True),
            AirProtocol.GB32960: gb32960.Framer,
            AirProtocol.DOIP: doip.Framer,
            AirProtocol.MQTT: lambda: mqtt.Packets(self._session, direction),
            AirProtocol.HTTP: lambda: _http(direction),
            AirProtocol.TLS: lambda: tls.Records(direction),
            AirProtocol.DNS: dns.Stream,
            AirProtocol.SSH: lambda: Ssh(direction),
            AirProtocol.TELNET: lambda: telnet.Telnet(direction),
            AirProtocol.ADB: lambda: adb.Packets(direction),
        }
        make = framers.get(self._protocol)
        if make is None:
            raise BusgateError(f"{self._protocol} comes in datagrams, one a line. Next: leave --stream out")
        return make()

    def _rows(self, span: Span) -> Iterator[Row]:
        if span.pdu is None:
            yield {"malformed": span.reason, "data": span.raw.hex()}
            return
        yield row_of(span.pdu, span.raw)
        whole = self._parts.take(span.pdu) if self._protocol is AirProtocol.JT808 else None
        if whole is not None:
            yield row_of(whole, b"")


def row_of(pdu: Pdu, raw: bytes) -> Row:
    """A unit as one flat object: `protocol`, `message` and `code`, then its fields under the standard's names."""
    row: Row = {"protocol": pdu.protocol, "message": pdu.name}
    if pdu.code is not None:
        row["code"] = f"0x{pdu.code:04X}"
    row["direction"] = pdu.direction.value
    row |= {name: value for name, value in pdu.fields.items() if name not in row}
    if pdu.flaws:
        row["flaws"] = list(pdu.flaws)
    if raw:
        row["raw"] = raw.hex()
    return row


def _http(direction: Direction) -> Framer:
    talk = http.Conversation()
    return talk.client if direction is Direction.UP else talk.server if direction is Direction.DOWN else _EitherWay()


class _EitherWay:
    """HTTP whose direction nobody said: what begins with a status line answers, all else asks."""

    def __init__(self) -> None:
        self._framer: Framer | None = None

    @property
    def held(self) -> int:
        return 0 if self._framer is None else self._framer.held

    def feed(self, data: bytes) -> list[Span]:
        if self._framer is None:
            talk = http.Conversation()
            self._framer = talk.server if data.startswith(b"HTTP/") else talk.client
        return self._framer.feed(data)

    def close(self) -> list[Span]:
        return [] if self._framer is None else self._framer.close()


def _frame(data: bytes, options: Options) -> list[Span]:
    """A frame of JT/T 808, also without delimiters around it."""
    pdu = jt808.read(data, options.edition)
    if pdu is not None and data.count(data[:1]) == 2:
        return [Span(data, pdu)]
    framer = jt808_stream.Framer(options.edition)
    return [*framer.feed(data), *framer.close()]


def _of(read: Callable[[bytes], Pdu | None], what: str) -> Callable[[bytes, Options], list[Span]]:
    def spans(data: bytes, _options: Options) -> list[Span]:
        pdu = read(data)
        return [Span(data, pdu, "" if pdu is not None else f"this is no {what}")]

    return spans


def _short(data: bytes, options: Options) -> list[Span]:
    read = sms.read(data, options.direction)
    return [Span(data, read) if isinstance(read, Pdu) else Span(data, None, read.reason)]


_WHOLE: Mapping[AirProtocol, Callable[[bytes, Options], list[Span]]] = {
    AirProtocol.JT808: _frame,
    AirProtocol.DNS: _of(dns.read, "DNS message"),
    AirProtocol.NTP: _of(ntp.read, "NTP packet"),
    AirProtocol.SMS: _short,
}
