"""What says that somebody can work on the T-box by hand: an SSH identification, a login or shell prompt in plain text.

Law: the spans joined are the bytes, and nothing raises. How the bytes were cut does not matter once neighbouring spans
without a unit and with one reason are joined: what people type is never held back. A prompt has no line end to wait
for; its unit stands on its last byte, and the bytes before it have passed as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from busgate.model import Direction, Pdu, Span

LONGEST_LINE = 255
"""RFC 4253, 4.2: the identification with its line end. As much of a line is looked at for a prompt."""

_IDENTIFICATION = re.compile(rb"SSH-([!-,.-~]{1,32})-([!-~]{0,200})(?: ([^\r\n]*))?\r?\n")
_MOST_LINES = 64

_ENDS = re.compile(rb":|[#$%>] ")
_LOGIN = re.compile(rb"(?i)(?:^|[^a-z])(login|user ?name|password|passcode|passphrase)(?: for [ -~]{1,64})? ?:$")
_WHERE = rb"\[[^\]\r\n]{1,64}\]|[\w.-]{1,32}@[\w.:~/ -]{1,64}|[\w.-]{0,32}:?[~/][\w.~/-]{0,64}|[A-Za-z][\w.-]{0,31}:?"
_SHELL = re.compile(rb"(?:" + _WHERE + rb")? ?[#$]\x20|[\w.-]{1,32}[@:][\w.:~/@-]{0,64}[%>]\x20")
_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Identification:
    """An SSH identification string (RFC 4253, 4.2)."""

    protocol_version: str
    software_version: str
    comments: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Somebody is asked for input. `kind` is "login", "password" or "shell"; `text` the line up to its end."""

    kind: str
    text: str


class Ssh:
    """One direction of an SSH connection: its identification, then bytes nobody reads. Holds one line at most."""

    def __init__(self, direction: Direction = Direction.UNKNOWN) -> None:
        self._direction = direction
        self._buffer = bytearray()
        self._lines = 0
        self._over = False

    @property
    def held(self) -> int:
        """Bytes fed and not given back yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Span]:
        """Take the next bytes of this direction."""
        self._buffer += data
        spans: list[Span] = []
        while self._buffer and not self._over:
            end = self._buffer.find(b"\n", 0, LONGEST_LINE)
            if end < 0 and len(self._buffer) < LONGEST_LINE:
                return spans
            spans.append(self._line(end + 1 or LONGEST_LINE))
        return [*spans, *self.close()]

    def close(self) -> list[Span]:
        """This direction has ended; what was held back."""
        raw = bytes(self._buffer)
        self._buffer.clear()
        return [Span(raw, None, "SSH packets" if self._over else "no SSH identification")] if raw else []

    def _line(self, size: int) -> Span:
        """A server may send other lines first."""
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._lines += 1
        found = _IDENTIFICATION.fullmatch(raw)
        self._over = found is not None or self._lines >= _MOST_LINES or not raw.endswith(b"\n")
        if found is None:
            return Span(raw, None, "no SSH identification")
        version, software, comments = ((part or b"").decode("utf-8", "backslashreplace") for part in found.groups())
        body = Identification(version, software, comments)
        row = {"protocol_version": version, "software_version": software}
        return Span(raw, Pdu("ssh", "identification", None, self._direction, row | {"comments": comments}, body))


class Shell:
    """One direction of a stream that may be a terminal: text passes at once, prompts are named. Holds nothing.

    `reason` is what the text is called. `protocol` names the decoder in the units ("telnet" where that carries it).
    """

    held = 0

    def __init__(
        self, direction: Direction = Direction.UNKNOWN, *, protocol: str = "shell", reason: str = "text"
    ) -> None:
        self._direction = direction
        self._protocol = protocol
        self._reason = reason
        self._line = b""

    def feed(self, data: bytes) -> list[Span]:
        """Take the next bytes of this direction."""
        known = len(self._line)
        text = self._line + data
        spans: list[Span] = []
        given = known
        for found in _ENDS.finditer(text):
            end = found.end()
            if end <= known:
                continue
            start = max(text.rfind(b"\n", 0, end), text.rfind(b"\r", 0, end)) + 1
            # A bare "# " begins a comment as well; where a terminal prints it, it stands behind CR LF.
            terminal = text[max(0, start - 2) : start] == b"\r\n"
            prompt = self._prompt(text[max(start, end - LONGEST_LINE) : end], terminal=terminal)
            if prompt is None:
                continue
            if end - 1 > given:
                spans.append(Span(text[given : end - 1], None, self._reason))
            row = {"kind": prompt.kind, "text": prompt.text}
            pdu = Pdu(self._protocol, f"{prompt.kind} prompt", None, self._direction, row, prompt)
            spans.append(Span(text[end - 1 : end], pdu))
            given = end
        if given < len(text):
            spans.append(Span(text[given:], None, self._reason))
        self._line = text[-LONGEST_LINE - 4 :]
        return spans

    @staticmethod
    def close() -> list[Span]:
        """This direction has ended; nothing was held back."""
        return []

    @staticmethod
    def _prompt(line: bytes, *, terminal: bool) -> Prompt | None:
        text = _ESCAPES.sub(b"", line)
        if text.endswith(b":"):
            # A word is at most 81 bytes before the end: 64 of whom it is asked, and what stands around.
            asked = _LOGIN.search(text, max(0, len(text) - 96))
            if asked is None:
                return None
            secret = asked[1].lower().startswith(b"pass")
            return Prompt("password" if secret else "login", _shown(text))
        if len(text) == 2 and not terminal:
            return None
        return Prompt("shell", _shown(text)) if _SHELL.fullmatch(text) else None


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")
