"""An HTTP/1 connection watched from the middle of the wire: heads as units, bodies as bytes passing by.

Law: the spans joined are the bytes, and nothing raises. How the bytes were cut does not matter once neighbouring spans
without a unit and with one reason are joined: bodies are not held. Held back are at most one head (64 KiB), or one
line of a body, or its last byte. Each response knows the request it answers, in order (RFC 9112, 9.3.2); a stream
picked up in the middle begins at the next start line. What is no longer HTTP/1 (an upgrade, a tunnel, HTTP/2 after its
preface) is opaque and says so.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import replace

from busgate.decode import http_heads as heads
from busgate.decode.http_bodies import Passing, told
from busgate.decode.http_heads import LONGEST_HEAD, LONGEST_LINE, METHODS, Body, Request, Response, first
from busgate.model import Direction, Pdu, Span

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""RFC 9113, 3.4."""

UNKNOWN = "no message starts here"

_MOST_PENDING = 256
_END = re.compile(rb"\n\r?\n")
_METHOD = b"(?:" + b"|".join(re.escape(method) for method in METHODS) + b")"
_REQUEST_LINE = re.compile(_METHOD + rb" [!-\xff]{1,8192} HTTP/1\.[0-9][ \t]*\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] [1-9][0-9]{2}[ \r\n]")
_PARTIAL_REQUEST = re.compile(_METHOD + rb" [!-\xff]{0,8192}(?: |$)[HTP/1.0-9 \t\r]{0,16}\Z")


class _Shared:
    """What both directions of a connection know: the requests not answered yet, and whether it still is HTTP/1."""

    def __init__(self) -> None:
        self.pending: deque[Request] = deque(maxlen=_MOST_PENDING)
        self.opaque = ""


class Messages(ABC):
    """One direction of a connection: heads, bodies, and what lies between."""

    def __init__(self, shared: _Shared, direction: Direction) -> None:
        self._shared = shared
        self._direction = direction
        self._buffer = bytearray()
        self._body: Passing | None = None
        self._synced = True
        self._searched = 0
        self.unfinished: Pdu | None = None
        """After `close`: the summary of a body cut off where no byte was held back to carry it."""

    @property
    def held(self) -> int:
        """Bytes fed and not given back yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Span]:
        """Take the next bytes of this direction."""
        self._buffer += data
        return self._drain()

    def close(self) -> list[Span]:
        """This direction has ended; what was held back, and what a body without a length was."""
        spans = self._drain()
        if self._body is not None:
            found = self._body.close(self._buffer)
            spans += found
            if not found:
                self.unfinished = self._body.summary(complete=self._body.open_ended)
            self._body = None
        if self._buffer:
            reason = self._shared.opaque or ("the stream ends within a head" if self._synced else UNKNOWN)
            spans.append(self._cut(len(self._buffer), reason))
        return spans

    def _drain(self) -> list[Span]:
        spans: list[Span] = []
        while self._buffer:
            found = self._step()
            if not found:
                break
            spans += found
        return spans

    def _step(self) -> list[Span]:
        buffer = self._buffer
        if self._body is not None:
            found = self._body.take(buffer)
            if self._body.done:
                self._synced = not self._body.broken
                self._body = None
            return found
        if self._shared.opaque:
            return [self._cut(len(buffer), self._shared.opaque)]
        return self._between() if self._synced else self._search()

    def _cut(self, size: int, reason: str) -> Span:
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._searched = 0
        return Span(raw, None, reason)

    def _between(self) -> list[Span]:
        """Where a message should start: perhaps after empty lines (2.2)."""
        buffer = self._buffer
        if buffer[0] in b"\r\n":
            return [self._cut(1, "empty line")]
        plausible = self._starts(bytes(buffer[: LONGEST_LINE + 64]))
        if plausible is None:
            return []
        if plausible:
            end = self._end()
            if end and (head := self._head(bytes(buffer[:end]))) is not None:
                return [self._cut(end, "")._replace(pdu=head)]
            if not end:
                # Given up as a whole: to look again behind each octet of it would be slow.
                return [] if len(buffer) < LONGEST_HEAD else [self._cut(LONGEST_HEAD, UNKNOWN)]
        self._synced = False
        return [self._cut(1, UNKNOWN)]

    def _end(self) -> int:
        """How long the head at the front is, 0 while that is not known."""
        found = _END.search(self._buffer, self._searched, LONGEST_HEAD)
        self._searched = 0 if found else max(0, len(self._buffer) - 2)
        return found.end() if found else 0

    def _search(self) -> list[Span]:
        """Pick up in the middle: give bytes until a start line, or what may become one, is at the front."""
        window = bytes(self._buffer[: LONGEST_LINE + 64])
        place = self._next(window)
        if place:
            return [self._cut(place, UNKNOWN)]
        plausible = self._starts(window)
        if plausible:
            self._synced = True
            return self._between()
        return [] if plausible is None else [self._cut(1, UNKNOWN)]

    @abstractmethod
    def _starts(self, line: bytes) -> bool | None:
        """Whether a message starts here; None while the bytes do not tell."""

    @abstractmethod
    def _next(self, data: bytes) -> int:
        """Where in these bytes a start line is or may begin; their length if nowhere."""

    @abstractmethod
    def _head(self, raw: bytes) -> Pdu | None:
        """Read a whole head and get ready for what follows it."""

    def _passing(self, head: Request | Response, *, until_close: bool = False) -> None:
        """Expect a body as the head announces it (6.3)."""
        if not (until_close or head.chunked or head.content_length):
            return

        kind = first(head.headers, "content-type")

        def summary(received: int, digest: str, complete: bool | None, flaws: tuple[str, ...], data: bytes) -> Pdu:
            body = Body(
                head.method,
                head.url,
                head.status if isinstance(head, Response) else None,
                kind,
                first(head.headers, "content-encoding"),
                head.content_length,
                first(head.headers, "content-range"),
                received,
                digest,
                complete is True,
                data,
            )
            row = told(body)
            if complete is None:  # nothing is known of the whole yet
                row = {name: value for name, value in row.items() if name not in {"sha256", "complete"}}
            return Pdu("http", "body" if complete is not None else "event", None, self._direction, row, body, flaws)

        self._body = Passing(summary, length=head.content_length, chunked=head.chunked, kind=kind)


class Requests(Messages):
    """What the client sends."""

    def _starts(self, line: bytes) -> bool | None:
        if PREFACE.startswith(line[: len(PREFACE)]):
            return None if len(line) < len(PREFACE) else True
        if b"\n" in line:
            return heads.request(line[: line.index(b"\n") + 1]) is not None
        if len(line) > LONGEST_LINE + 32:
            return False
        return None if re.fullmatch(rb"[!-~]{1,32}|[!#-~]{1,32} [!-\xff]*(?: [HTP/0-9. \t]*\r?)?", line) else False

    def _next(self, data: bytes) -> int:
        for found in re.finditer(_METHOD + b" ", data):
            if _REQUEST_LINE.match(data, found.start()) or _PARTIAL_REQUEST.match(data, found.start()):
                return found.start()
        return len(data) - _partial(data, METHODS)

    def _end(self) -> int:
        return len(PREFACE) if self._buffer.startswith(PREFACE) else super()._end()

    def _head(self, raw: bytes) -> Pdu | None:
        if raw == PREFACE:
            return self._preface()
        found = heads.request(raw)
        if found is None:
            return None
        head, flaws = found
        self._shared.pending.append(head)
        self._passing(head)
        return Pdu("http", "request", None, self._direction, heads.row(head), head, tuple(dict.fromkeys(flaws)))

    def _preface(self) -> Pdu:
        self._shared.opaque = "HTTP/2"
        return Pdu("http", "HTTP/2 preface", None, self._direction, {"version": "2.0"})


class Responses(Messages):
    """What the server sends."""

    def _starts(self, line: bytes) -> bool | None:
        start = line[:13]
        if len(start) < 13 and b"\n" not in start:
            return None if _could_be_status(start) else False
        return _STATUS_LINE.match(start) is not None

    def _next(self, data: bytes) -> int:
        found = _STATUS_LINE.search(data)
        if found is not None:
            return found.start()
        tail = next((size for size in range(min(12, len(data)), 0, -1) if _could_be_status(data[-size:])), 0)
        return len(data) - tail

    def _head(self, raw: bytes) -> Pdu | None:
        found = heads.response(raw)
        if found is None:
            return None
        head, flaws = found
        pending = self._shared.pending
        if pending:
            asked = pending[0] if head.status < 200 and head.status != 101 else pending.popleft()
            head = replace(head, method=asked.method, url=asked.url)
        self._follow(head)
        return Pdu("http", "response", head.status, self._direction, heads.row(head), head, tuple(dict.fromkeys(flaws)))

    def _follow(self, head: Response) -> None:
        """6.3: what follows a response depends on its request, too."""
        if head.status == 101:
            self._shared.opaque = f"upgraded to {first(head.headers, 'upgrade') or 'another protocol'}"
        elif head.method == "CONNECT" and 200 <= head.status < 300:
            self._shared.opaque = "tunnel"
        elif heads.has_body(head):
            self._passing(head, until_close=head.content_length is None and not head.chunked)


def _could_be_status(start: bytes) -> bool:
    """Whether these fewer than 13 bytes may be the beginning of a status line."""
    form = b"HTTP/1.d ddd "
    return all(
        octet == due or (due == 0x64 and 0x30 <= octet <= 0x39) or (at == 12 and octet in b"\r\n")
        for at, (octet, due) in enumerate(zip(start, form, strict=False))
    )


def _partial(data: bytes, words: list[bytes]) -> int:
    """How many bytes at the end may be the beginning of a method."""
    most = max(map(len, words))
    return next(
        (size for size in range(min(most, len(data)), 0, -1) if any(w.startswith(data[-size:]) for w in words)), 0
    )


class Conversation:
    """Both directions of one HTTP/1 connection: `client` takes what the client (the T-box) sends, `server` the rest.

    Feed them in the order in which the bytes passed, so that a response finds its request.
    """

    def __init__(self, client: Direction = Direction.UP) -> None:
        shared = _Shared()
        other = {Direction.UP: Direction.DOWN, Direction.DOWN: Direction.UP}.get(client, Direction.UNKNOWN)
        self.client = Requests(shared, client)
        self.server = Responses(shared, other)
