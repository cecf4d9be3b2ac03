"""Frames of JT/T 808 and 905 out of one direction of a stream.

Law: the spans, joined, are the bytes fed, in order, however they were cut; at most `MOST_HELD` bytes are held back; no
bytes raise. What stands between two delimiters is a frame, also if its checksum or length is wrong. Around that:

- Two delimiters in a row end one frame and begin the next; a delimiter with nothing before it is no frame.
- Some senders let one delimiter end a frame and begin the next. Bytes after a frame up to the next delimiter are read
  as such a frame if its checksum or its length is right; their span has no opening delimiter, and the flaw says so.
- An `e7` (see `jt808_frame`) begins a frame only if a right one stands between it and the next `e7`, and no right `7e`
  frame before that; so an `e7` that is noise delays what follows it for as long as its frame could be, at most. Both
  delimiters are looked for throughout: no frame can blind us to frames of the other kind.
- A run of more than `MOST_FRAME` bytes without a delimiter is no frame.
"""

from __future__ import annotations

from dataclasses import replace

from busgate.decode import jt808, jt905
from busgate.decode.jt808_frame import ALTERNATIVE, DELIMITER, MOST_BODY, Frame, parse_content
from busgate.model import Pdu, Span

MOST_FRAME = 4096
"""More than any frame has between its delimiters: 1023 octets of body and 22 around it, each escaped."""

MOST_HELD = MOST_FRAME + 1

_BEGINNINGS = (DELIMITER, ALTERNATIVE)

_LEAST = 13
"""Octets between the delimiters of the shortest frame: a header and the checksum."""

_MOST_AROUND = 22
"""Octets of a frame beside its body: the header of 2019, split, and the checksum."""

_SHARED = "the opening delimiter is the one that ends the frame before"


class Framer:
    """One direction of a stream in, its frames out. `edition` as in `jt808.read`; `taxi` makes it read JT/T 905."""

    def __init__(self, edition: int | None = None, *, taxi: bool = False) -> None:
        self._edition = edition
        self._taxi = taxi
        self._buffer = bytearray()
        # The delimiter that ended the last span, if that was a frame: it may begin the next one as well.
        self._ended_with: int | None = None

    @property
    def held(self) -> int:
        """Bytes kept back, `MOST_HELD` at most."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Span]:
        """The spans that these bytes finish."""
        found: list[Span] = []
        # In pieces, so that what is held is bounded while a chunk is worked through, too.
        for at in range(0, len(data), MOST_FRAME):
            self._buffer += data[at : at + MOST_FRAME]
            found += self._take()
        return found

    def close(self) -> list[Span]:
        """What is left, as no frame: the stream ended within it."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        if not rest:
            return []
        return [Span(rest, None, "the stream ended within a frame" if rest[0] in _BEGINNINGS else "outside a frame")]

    def _take(self) -> list[Span]:
        buffer, at = bytes(self._buffer), 0
        found: list[Span] = []
        while at < len(buffer) and (step := self._next(buffer, at)) is not None:
            span, at = step
            found.append(span)
        self._buffer[:] = buffer[at:]
        return found

    def _next(self, buffer: bytes, at: int) -> tuple[Span, int] | None:
        """The next span and where it ends; None until more bytes decide."""
        delimiter = buffer[at]
        if delimiter not in _BEGINNINGS:
            return self._between(buffer, at)
        end = buffer.find(delimiter, at + 1, at + 1 + MOST_FRAME + 1)
        if delimiter == ALTERNATIVE and self._is_noise(buffer, at, end):
            return self._lost(buffer, at, at + 1, "outside a frame")
        if end == at + 1:
            return self._lost(buffer, at, end, "a delimiter alone")
        if end > at:
            return self._frame(buffer, at, end + 1, self._parse(buffer[at + 1 : end], delimiter))
        if len(buffer) - at <= MOST_FRAME + 1:
            return None
        return self._lost(buffer, at, at + 1, "no delimiter ends this frame")

    def _is_noise(self, buffer: bytes, at: int, end: int) -> bool:
        """Whether this e7 begins no frame, as far as one can see; `end` is where the next one is, or -1."""
        until = len(buffer) if end < 0 else end
        if end < 0 and until - at > _longest(buffer[at + 1 : at + 9]):
            return True
        begin = buffer.find(DELIMITER, at, until)
        while begin >= 0 and (close := buffer.find(DELIMITER, begin + 1, until)) >= 0:
            if close - begin > _LEAST and _right(self._parse(buffer[begin + 1 : close], DELIMITER)):
                return True
            begin = close
        return end > at + 1 and not _right(self._parse(buffer[at + 1 : end], ALTERNATIVE))

    def _between(self, buffer: bytes, at: int) -> tuple[Span, int] | None:
        """Bytes where a delimiter should be: a frame that shares its opening delimiter, or none."""
        until = at + MOST_FRAME
        if self._ended_with is not None:
            end = buffer.find(self._ended_with, at, until)
            if end < 0 and len(buffer) < until:
                return None
            frame = self._parse(buffer[at:end], self._ended_with) if end >= 0 else None
            if frame is not None and (_right(frame) or frame.body_length == len(frame.body)):
                return self._frame(buffer, at, end + 1, replace(frame, flaws=(*frame.flaws, _SHARED)))
        places = [place for one in _BEGINNINGS if (place := buffer.find(one, at, until)) >= 0]
        if not places and len(buffer) < until:
            return None
        return self._lost(buffer, at, min(places, default=until), "outside a frame")

    def _frame(self, buffer: bytes, at: int, end: int, frame: Frame | None) -> tuple[Span, int]:
        self._ended_with = buffer[end - 1]
        raw = buffer[at:end]
        if frame is None:
            return Span(raw, None, f"{len(raw)} bytes have no room for a header"), end
        return Span(raw, self._pdu(frame)), end

    def _parse(self, content: bytes, delimiter: int) -> Frame | None:
        return parse_content(content, delimiter, taxi=self._taxi)

    def _pdu(self, frame: Frame) -> Pdu:
        return jt905.pdu_of(frame) if self._taxi else jt808.pdu_of(frame, self._edition)

    def _lost(self, buffer: bytes, at: int, end: int, reason: str) -> tuple[Span, int]:
        self._ended_with = None
        return Span(buffer[at:end], None, reason), end


def _right(frame: Frame | None) -> bool:
    """Whether nothing is wrong with a frame itself."""
    return frame is not None and not frame.flaws


def _longest(header: bytes) -> int:
    """How many bytes a frame with this beginning can have, both delimiters and all escapes counted."""
    plain = header.replace(b"\xe6\x01", b"\xe6").replace(b"\xe6\x02", b"\xe7")
    plain = plain.replace(b"\x3e\x01", b"\x3e").replace(b"\x3e\x02", b"\x3d")
    if len(plain) < 4:
        return MOST_FRAME + 2
    return 2 + 2 * (_MOST_AROUND + (int.from_bytes(plain[2:4]) & MOST_BODY))
