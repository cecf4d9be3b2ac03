"""Frames of JT/T 808 and 905 out of one direction of a stream.

Law: the spans, joined, are the bytes fed, in order, however they were cut; at most `MOST_HELD` bytes are held back; no
bytes raise. What stands between two delimiters is a frame, also if its checksum or length is wrong. Around that:

- Two delimiters in a row end one frame and begin the next; a delimiter with nothing before it is no frame.
- Some senders let one delimiter end a frame and begin the next. Bytes after a frame up to the next delimiter are read
  as such a frame if its checksum or its length is right; their span has no opening delimiter, and the flaw says so.
- An `e7` (see `jt808_frame`) begins a frame only if a right one stands between it and the next `e7`, and no right `7e`
  frame before that; so an `e7` that is noise delays what follows it for as long as its frame could be, at most.
- A frame within which one of the other kind ends is doubtful: which of the two the T-box reads nobody can know. So is
  one towards the T-box whose header has another form, or another terminal's number, than the T-box's own frames
  (`Terminal`); and, until the T-box has spoken, one with the version bit, which older T-boxes do not look at.
- A run of more than `MOST_FRAME` bytes without a delimiter is no frame.
"""

from __future__ import annotations

from dataclasses import replace

from busgate.decode import jt808, jt905
from busgate.decode.jt808_frame import ALTERNATIVE, DELIMITER, MOST_BODY, VERSION, Frame, parse_content
from busgate.model import Direction, Pdu, Span

MOST_FRAME = 4096
"""More than any frame has between its delimiters: 1023 octets of body and 22 around it, each escaped."""

MOST_HELD = MOST_FRAME + 1

_BEGINNINGS = (DELIMITER, ALTERNATIVE)

_LEAST = 13
"""Octets between the delimiters of the shortest frame: a header and the checksum."""

_MOST_AROUND = 22
"""Octets of a frame beside its body: the header of 2019, split, and the checksum."""

_SHARED = "the opening delimiter is the one that ends the frame before"


class Terminal:
    """What the T-box's own frames in a conversation say of it: the form of its header, and its number."""

    def __init__(self) -> None:
        self._known: tuple[bool, bool, int, str] | None = None

    def says(self, frame: Frame) -> None:
        """A frame of the T-box; only right ones count."""
        whole = all(flaw.startswith("the version bit") for flaw in frame.flaws)
        if whole and jt808.direction_of(frame.message_id) is Direction.UP:
            self._known = _form(frame)

    def doubt(self, frame: Frame) -> str:
        """Why the T-box may read a frame towards it otherwise, "" if it does not."""
        form = _form(frame)
        if self._known is None:
            return "the T-box has not said yet that it reads headers of 2019" if any(form[1:3]) else ""
        if form[:3] != self._known[:3]:
            return "the header has another form than the T-box's own"
        return "" if form == self._known else f"the T-box's number is {self._known[3]}"


def _form(frame: Frame) -> tuple[bool, bool, int, str]:
    return frame.alternative, frame.version is not None, frame.attributes & VERSION, frame.phone


class Framer:
    """One direction of a stream in, its frames out. `edition` as in `jt808.read`; `taxi` makes it read JT/T 905.

    With `terminal`, frames `up` tell of it, and all others are held against it.
    """

    def __init__(
        self,
        edition: int | None = None,
        *,
        taxi: bool = False,
        terminal: Terminal | None = None,
        up: bool = False,
    ) -> None:
        self._edition = edition
        self._taxi = taxi
        self.terminal = terminal
        self._up = up
        # Since the last delimiter of each kind that stood in a frame of the other: what may yet become a frame.
        self._within = {DELIMITER: b"", ALTERNATIVE: b""}
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
        return Span(raw, self._pdu(frame, self._doubt(frame, raw))), end

    def _doubt(self, frame: Frame, raw: bytes) -> str:
        nested = self._holds_another(raw, DELIMITER if frame.alternative else ALTERNATIVE)
        if nested:
            return "another frame ends within this one"
        if self.terminal is None:
            return ""
        if not self._up:
            return self.terminal.doubt(frame)
        self.terminal.says(frame)
        return ""

    def _holds_another(self, raw: bytes, delimiter: int) -> bool:
        """Whether a frame with this delimiter ends in one with the other; it may have begun in an earlier one."""
        before, mark = self._within[delimiter], bytes([delimiter])
        if mark not in raw:
            self._within[delimiter] = (before + raw)[: MOST_FRAME + 1] if before else b""
            return False
        *between, rest = (before + raw).split(mark)
        self._within[delimiter] = mark + rest
        return any(_LEAST <= len(each) <= MOST_FRAME and _may_be(each, delimiter) for each in between[1:])

    def _parse(self, content: bytes, delimiter: int) -> Frame | None:
        return parse_content(content, delimiter, taxi=self._taxi)

    def _pdu(self, frame: Frame, doubt: str) -> Pdu:
        pdu = jt905.pdu_of(frame) if self._taxi else jt808.pdu_of(frame, self._edition)
        return jt808.doubtful(pdu, doubt) if doubt else pdu

    def _lost(self, buffer: bytes, at: int, end: int, reason: str) -> tuple[Span, int]:
        self._ended_with = None
        return Span(buffer[at:end], None, reason), end


def _right(frame: Frame | None) -> bool:
    """Whether nothing is wrong with a frame itself."""
    return frame is not None and not frame.flaws


def _may_be(content: bytes, delimiter: int) -> bool:
    """Whether a T-box might take for a frame what stands within another.

    An `e7` has to be right, with a number of seven octets or of six, since texts hold that octet by accident. Of a `7e`
    either length or checksum do.
    """
    if delimiter == ALTERNATIVE:
        return any(_right(parse_content(content, form)) for form in _BEGINNINGS)
    frame = parse_content(content, delimiter)
    return frame is not None and (
        frame.body_length == len(frame.body) or not any(flaw.startswith("checksum") for flaw in frame.flaws)
    )


def _longest(header: bytes) -> int:
    """How many bytes a frame with this beginning can have, both delimiters and all escapes counted."""
    plain = header.replace(b"\xe6\x01", b"\xe6").replace(b"\xe6\x02", b"\xe7")
    plain = plain.replace(b"\x3e\x01", b"\x3e").replace(b"\x3e\x02", b"\x3d")
    if len(plain) < 4:
        return MOST_FRAME + 2
    return 2 + 2 * (_MOST_AROUND + (int.from_bytes(plain[2:4]) & MOST_BODY))
