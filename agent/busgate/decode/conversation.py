"""One TCP conversation read by whatever it turns out to speak: which decoder reads it, both directions of it.

Law: the spans of a direction, joined, are the bytes fed, in order. Until the language is known a bounded beginning is
held back; what nobody recognises is opaque, and passes as that, until a right unit of a command language stands in it
(`recognise_late`): from there on it is that. Bytes decide, ports only hint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from busgate.decode import adb, banners, dns, doip, gb32960, http, jt808_stream, mqtt, telnet, tls
from busgate.decode.recognise import MOST, recognise
from busgate.decode.recognise_late import Late, Lookout
from busgate.decode.recognise_marks import CHECKS
from busgate.model import Direction, Pdu, Span

OPAQUE = "not recognised"
UNKNOWN = "unknown"
"""What a conversation speaks that nobody recognises."""

ENCRYPTED = "encrypted"

_ASKED_FREELY, _ASK_EVERY = 64, 12
"""What has been looked at so often without being recognised is looked at again once so many bytes more have come:
whoever sends single octets must not have all of them looked at for each.
"""

_NO_TEXT = re.compile(rb"[^\x07-\x0d\x1b\x20-\x7e\x80-\xff]")


class Framer(Protocol):
    """One direction of a stream."""

    @property
    def held(self) -> int:
        """Bytes kept back."""
        ...

    def feed(self, data: bytes) -> list[Span]:
        """The next bytes."""
        ...

    def close(self) -> list[Span]:
        """What is left."""
        ...


class Pair(NamedTuple):
    """The framers of what the client and what the server sends; the client opened the conversation."""

    client: Framer
    server: Framer


class Said(NamedTuple):
    """A piece of a conversation, and which way it went."""

    direction: Direction
    span: Span


class _Opaque:
    """Bytes that nobody reads: they pass as they come. As long as they are text, a prompt among them is told."""

    held = 0

    def __init__(self) -> None:
        self._text: banners.Shell | None = banners.Shell()

    def feed(self, data: bytes) -> list[Span]:
        spans: list[Span] = []
        if self._text is not None:
            odd = _NO_TEXT.search(data)
            text = data if odd is None else data[: odd.start()]
            spans = [span if span.pdu is not None else span._replace(reason=OPAQUE) for span in self._text.feed(text)]
            self._text = self._text if odd is None else None
            data = data[len(text) :]
        return [*spans, Span(data, None, OPAQUE)] if data else spans

    def close(self) -> list[Span]:
        return []


def _both(make: Callable[[Direction], Framer]) -> Callable[[Direction], Pair]:
    return lambda client: Pair(make(client), make(other(client)))


def _jt808(*, taxi: bool) -> Callable[[Direction], Pair]:
    def make(client: Direction) -> Pair:
        terminal = jt808_stream.Terminal()
        ways = (client, other(client))
        return Pair(*(jt808_stream.Framer(taxi=taxi, terminal=terminal, up=way is Direction.UP) for way in ways))

    return make


def _mqtt(client: Direction) -> Pair:
    talk = mqtt.Conversation(client)
    return Pair(talk.client, talk.server)


def _http(client: Direction) -> Pair:
    talk = http.Conversation(client)
    return Pair(talk.client, talk.server)


def _tls(client: Direction) -> Pair:
    talk = tls.Conversation(client)
    return Pair(talk.client, talk.server)


READERS: Mapping[str, Callable[[Direction], Pair]] = {
    "jt808": _jt808(taxi=False),
    "jt905": _jt808(taxi=True),
    "gb32960": _both(lambda _: gb32960.Framer()),
    "doip": _both(lambda _: doip.Framer()),
    "mqtt": _mqtt,
    "http": _http,
    "tls": _tls,
    "dns-tcp": _both(lambda _: dns.Stream()),
    "ssh": _both(banners.Ssh),
    "telnet": _both(telnet.Telnet),
    "adb": _both(adb.Packets),
    "shell": _both(banners.Shell),
}

_ALIKE = {"jt905": "jt808"}

FREE = frozenset({UNKNOWN, "ssh", "telnet", "adb", "shell"})
"""Whose bytes are no messages: they pass or not with their conversation."""


def other(direction: Direction) -> Direction:
    """The opposite direction."""
    opposite = {Direction.UP: Direction.DOWN, Direction.DOWN: Direction.UP}
    return opposite.get(direction, Direction.UNKNOWN)


class Conversation:
    """Both directions of one TCP connection. `speaks` is "" until it is known."""

    def __init__(
        self, client: Direction = Direction.UP, ports: tuple[int, ...] = (), *, from_start: bool = True
    ) -> None:
        """`client` is the direction of what its opener sends; `from_start` is whether nothing was missed."""
        self.speaks = ""
        self.dialect = ""
        """What it is agreed to speak, where bytes cannot tell: JT/T 905 has the frames of JT/T 808."""
        self._ports = ports
        self._from_start = from_start
        self._client = client
        self._pair: Pair | None = None
        self._first: list[tuple[Direction, bytes]] = []
        self._came = dict.fromkeys(Direction, 0)
        self._asked = self._asks = 0
        self._lookouts: dict[Direction, Lookout] = {}
        self._gone = dict.fromkeys(Direction, 0)
        self.late = False
        """Whether it was read by nobody before it was recognised."""
        self.torn = False
        """Whether of a unit just told the beginning went on before, unread: cutting out the rest does not undo it."""

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        """The next bytes of one direction; what can be said of both by now."""
        self.torn = False
        if self._pair is not None:
            return self._read(direction, data)
        self._first.append((direction, data))
        self._came[direction] += len(data)
        came = sum(self._came.values())
        few = came - self._asked < _ASK_EVERY and self._came[direction] < MOST
        if few and self._asks >= _ASKED_FREELY:
            return []
        self._asked, self._asks = came, self._asks + 1
        found = self._recognised()
        return [] if found is None else self._begun(found)

    def close(self, direction: Direction) -> list[Said]:
        """A direction has ended."""
        self.torn = False
        told = self._begun(self._recognised(ended=True)) if self._pair is None else []
        return told + self._trimmed(direction, self._framer(direction).close())

    def give_up(self) -> list[Said]:
        """Whoever waits for the language has waited long enough: it is unknown, and what was held back passes."""
        self.torn = False
        return self._begun(self._recognised(ended=True)) if self._pair is None else []

    def lost(self, direction: Direction) -> list[Said]:
        """Bytes of a direction were lost: what was held back of it, and reading begins anew behind the hole."""
        self.torn = False
        if self._pair is None:
            return self._begun(self._recognised(ended=True))
        told = self._trimmed(direction, self._framer(direction).close())
        self._gone[direction] = 0
        fresh = _pair(self.speaks, self._client)
        for old, new in zip(self._pair, fresh, strict=True):
            if isinstance(old, jt808_stream.Framer) and isinstance(new, jt808_stream.Framer):
                new.terminal = old.terminal
        at_client = direction is self._client
        self._pair = Pair(fresh.client if at_client else self._pair.client,
                          self._pair.server if at_client else fresh.server)  # fmt: skip
        return told

    def held(self, direction: Direction) -> int:
        """Bytes of a direction that were fed and not given back yet."""
        if self._pair is None:
            return sum(len(data) for way, data in self._first if way is direction)
        return self._framer(direction).held - self._gone[direction]

    def _recognised(self, *, ended: bool = False) -> str | None:
        """What it is, UNKNOWN if that will stay so, None while more bytes may tell."""
        client, server = (
            b"".join(data for way, data in self._first if (way is self._client) is opens) for opens in (True, False)
        )
        found = recognise(client, server, self._ports)
        if found:
            return self.dialect if _ALIKE.get(self.dialect) == found else found
        ends = [data for data in (client, server) if data]
        begun = self._from_start and all(check(data) is False for data in ends for check in CHECKS.values())
        return UNKNOWN if ended or begun or any(len(data) >= MOST for data in ends) else None

    def _begun(self, speaks: str | None) -> list[Said]:
        self.speaks = speaks or UNKNOWN
        self._pair = _pair(self.speaks, self._client)
        first, self._first = self._first, []
        return [said for way, data in first for said in self._read(way, data)]

    def _read(self, direction: Direction, data: bytes) -> list[Said]:
        if self.speaks in FREE:
            late = self._lookouts.setdefault(direction, Lookout()).feed(data)
            if late is not None:
                return self._late(direction, data, late)
        return self._trimmed(direction, self._framer(direction).feed(data))

    def _late(self, direction: Direction, data: bytes, late: Late) -> list[Said]:
        """What was read by nobody turns out to be a language of commands."""
        free, lookouts = self._framer(direction), self._lookouts
        told = [Said(direction, span) for span in (*free.feed(data[: late.start]), *free.close())]
        told = [said._replace(span=said.span._replace(reason=OPAQUE)) for said in told if said.span.raw]
        back = other(direction)
        told += [Said(back, span._replace(reason=OPAQUE)) for span in self._framer(back).close()]
        self.speaks = self.dialect if _ALIKE.get(self.dialect) == late.name else late.name
        self.late = True
        self._pair, self._lookouts = _pair(self.speaks, self._client), {}
        begun = {direction: late.gone, back: lookouts[back].begun(late.name) if back in lookouts else b""}
        for way, gone in begun.items():
            self._gone[way] = len(gone)
            told += self._trimmed(way, self._framer(way).feed(gone))
        return told + self._trimmed(direction, self._framer(direction).feed(data[late.start :]))

    def _trimmed(self, direction: Direction, spans: list[Span]) -> list[Said]:
        """The spans without what of them went on before it was read."""
        told: list[Said] = []
        for span in spans:
            gone = min(self._gone[direction], len(span.raw))
            self._gone[direction] -= gone
            self.torn |= gone > 0
            if gone < len(span.raw) or span.pdu is not None:
                told.append(Said(direction, span._replace(raw=span.raw[gone:])))
        return told

    def _framer(self, direction: Direction) -> Framer:
        if self._pair is None:
            return _Opaque()
        return self._pair.client if direction is self._client else self._pair.server


def _pair(speaks: str, client: Direction) -> Pair:
    reader = READERS.get(speaks)
    return Pair(_Opaque(), _Opaque()) if reader is None else reader(client)


def facts_of(pdu: Pdu) -> dict[str, str]:
    """What a unit tells of the conversation itself: the name asked for, a certificate shown, a way to speak."""
    fields, facts = pdu.fields, dict[str, str]()
    if pdu.protocol == "tls":
        for fact, name in (("sni", "server_name"), ("ja4", "ja4")):
            if fields.get(name):
                facts[fact] = str(fields[name])
        chain = fields.get("certificates")
        if isinstance(chain, list) and chain and isinstance(chain[0], Mapping) and chain[0].get("sha256"):
            facts["certificate"] = str(chain[0]["sha256"])
    elif pdu.protocol == "shell":
        facts["speaks"] = "shell"
    return facts
