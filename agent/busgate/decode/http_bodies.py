"""The body of one HTTP/1 message passing by: hashed and counted, never held; a short text is also read.

Law: bytes are taken from the front of a buffer and given as spans, joined the same bytes. A body not finished keeps
back its last byte where that may turn out to be the very last, since the summary needs a byte to stand on; at the end
of a chunk it keeps nothing, so that what a server sends bit by bit arrives bit by bit. Of a stream of events (or of
lines) the byte that ends an event is a unit of its own, with the event. Clauses of RFC 9112.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from hashlib import sha256

from busgate.decode.http_heads import Body
from busgate.model import Pdu, Span

PASSING = frozenset({"body", "chunk", "empty line"})
"""Why a span of a sound conversation has no unit: it is a piece of a body, or of what frames it, or nothing at all."""

SHORT = 8192
"""Bytes; content up to this long is given with the unit that ends it."""

_LONGEST_LINE = 4096
_LONGEST_TRAILERS = 1 << 14
_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")

_EVENTS = re.compile(r"\s*text/event-stream", re.IGNORECASE)
_LINES = re.compile(
    r"\s*application/(?:[\w.+-]*ndjson|jsonl|x-jsonlines|json-seq|stream\+json|x-json-stream)", re.IGNORECASE
)
_EVENT_ENDS = (b"\n\n", b"\n\r", b"\r\r")
"""An empty line; of CR LF the CR is enough for a reader to act."""

Summary = Callable[[int, str, bool | None, tuple[str, ...], bytes], Pdu]
"""Makes the unit that ends a body: received, SHA-256, whether complete (None: an event within it), flaws, content."""


class _State(Enum):
    SIZE = "size"
    DATA = "data"
    END = "end"
    TRAILERS = "trailers"
    DONE = "done"
    BROKEN = "broken"


class Passing:
    """One body: of `length` bytes, in chunks, or (neither) until the stream ends."""

    def __init__(self, summary: Summary, *, length: int | None = None, chunked: bool = False, kind: str = "") -> None:
        """`kind` is the content's type: of a stream of events each is given as soon as it has come."""
        self._summary = summary
        self._by_lines = _LINES.match(kind) is not None
        self._parted = self._by_lines or _EVENTS.match(kind) is not None
        self._content = bytearray()
        self._tail = b"\0\0"
        self._chunked = chunked
        self._left = length
        self._digest = sha256()
        self._received = 0
        self._state = _State.SIZE if chunked else _State.DATA
        self.broken = False

    @property
    def done(self) -> bool:
        """Whether the body has ended, well or badly (`broken`)."""
        return self._state in {_State.DONE, _State.BROKEN}

    @property
    def open_ended(self) -> bool:
        """Whether only the end of the stream ends this body."""
        return self._left is None and not self._chunked

    def take(self, buffer: bytearray) -> list[Span]:
        """Take what of the buffer's front belongs to this body."""
        spans: list[Span] = []
        while buffer and not self.done:
            step = {_State.SIZE: self._size, _State.DATA: self._data, _State.END: self._line}.get(
                self._state, self._trailers
            )
            found = step(buffer)
            spans += found
            if not found:
                break
        return spans

    def close(self, buffer: bytearray) -> list[Span]:
        """The stream has ended; the byte held back carries the summary, if one was."""
        if self.done or not buffer:
            return []
        if self._state is _State.DATA:
            self._count(buffer)
        return [Span(self._cut(buffer, len(buffer)), self.summary(complete=self.open_ended))]

    def summary(self, *, complete: bool, flaw: str = "") -> Pdu:
        """What has passed until now."""
        flaws = (flaw,) if flaw else () if complete else ("the stream ended within the body",)
        return self._summary(self._received, self._digest.hexdigest(), complete, flaws, self._short())

    def _short(self) -> bytes:
        return bytes(self._content) if len(self._content) <= SHORT else b""

    def _count(self, data: bytes | bytearray) -> None:
        self._digest.update(data)
        self._received += len(data)
        self._content += data[: SHORT + 1 - len(self._content)]

    def _passed(self, raw: bytes) -> list[Span]:
        """Bytes of the content as spans: with an event's end, where it is a stream of events, as a unit."""
        if not self._parted:
            self._count(raw)
            return [Span(raw, None, "body")] if raw else []
        spans, start = list[Span](), 0
        read, self._tail = self._tail + raw, (self._tail + raw)[-2:]
        for found in re.finditer(rb"[\r\n]", raw):
            place = found.start()
            if not (read.endswith(_EVENT_ENDS, place, place + 3) or (self._by_lines and raw[place] == 0x0A)):
                continue
            self._count(raw[start : place + 1])
            spans += [Span(raw[start:place], None, "body")] if place > start else []
            unit = self._summary(self._received, "", None, (), self._short())
            self._content.clear()
            spans.append(Span(raw[place : place + 1], unit))
            start = place + 1
        self._count(raw[start:])
        return spans + ([Span(raw[start:], None, "body")] if start < len(raw) else [])

    @staticmethod
    def _cut(buffer: bytearray, size: int) -> bytes:
        raw = bytes(buffer[:size])
        del buffer[:size]
        return raw

    def _data(self, buffer: bytearray) -> list[Span]:
        finishes = self._left is not None and len(buffer) >= self._left
        ends = self._chunked if finishes else self._parted and buffer[-1] in b"\r\n"
        keeps = 0 if ends else 1
        size = (self._left or 0) if finishes else len(buffer)
        raw = self._cut(buffer, size - keeps)
        spans = self._passed(raw)
        if self._left is not None:
            self._left -= len(raw)
        if finishes and self._chunked:
            self._state = _State.END
        elif finishes:
            last = self._cut(buffer, 1)
            self._count(last)
            self._state = _State.DONE
            spans.append(Span(last, self.summary(complete=True)))
        return spans

    def _size(self, buffer: bytearray) -> list[Span]:
        """7.1: a chunk's size in hexadecimal, perhaps with extensions; 0 is the last."""
        end = buffer.find(b"\n", 0, _LONGEST_LINE)
        if end < 0:
            return [] if len(buffer) < _LONGEST_LINE else self._break(buffer, _LONGEST_LINE)
        found = _SIZE.fullmatch(buffer, 0, end + 1)
        if found is None:
            return self._break(buffer, end + 1)
        size = int(found[1], 16)
        if not size:
            self._state = _State.TRAILERS
            return self._trailers(buffer)
        self._left, self._state = size, _State.DATA
        return [Span(self._cut(buffer, end + 1), None, "chunk")]

    def _line(self, buffer: bytearray) -> list[Span]:
        """The line end behind a chunk."""
        size = 1 if buffer[0] == 0x0A else 2
        if len(buffer) < size and buffer[0] == 0x0D:
            return []
        if buffer[size - 1 : size] != b"\n" or (size == 2 and buffer[0] != 0x0D):
            return self._break(buffer, 1)
        self._state = _State.SIZE
        return [Span(self._cut(buffer, size), None, "chunk")]

    def _trailers(self, buffer: bytearray) -> list[Span]:
        """7.1.2: the last chunk with the trailers behind it, up to an empty line, is one unit and ends the body."""
        found = re.search(rb"\n\r?\n", buffer[:_LONGEST_TRAILERS])
        if found is not None:
            self._state = _State.DONE
            return [Span(self._cut(buffer, found.end()), self.summary(complete=True))]
        return [] if len(buffer) < _LONGEST_TRAILERS else self._break(buffer, _LONGEST_TRAILERS)

    def _break(self, buffer: bytearray, size: int) -> list[Span]:
        self._state, self.broken = _State.BROKEN, True
        raw = self._cut(buffer, size)
        return [Span(raw, self.summary(complete=False, flaw="the chunks are broken here"))]


def told(body: Body) -> dict[str, object]:
    """What of a body is told: what was not said is left out."""
    row: dict[str, object] = {
        "method": body.method,
        "url": body.url,
        "status": body.status,
        "content_type": body.content_type,
        "content_encoding": body.content_encoding,
        "content_length": body.content_length,
        "content_range": body.content_range,
    }
    row = {name: value for name, value in row.items() if value not in {None, ""}}
    return row | {"received": body.received, "sha256": body.sha256, "complete": body.complete}
