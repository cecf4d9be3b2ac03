"""One direction of a telnet connection (RFC 854): commands and negotiations as units, text passing by.

Law: that of `banners`: the spans joined are the bytes; neighbouring text counts as one span. Held back are at most one
command's bytes, of a subnegotiation `LONGEST`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from busgate.decode.banners import Shell
from busgate.model import Direction, Pdu, Span

LONGEST = 1024

_IAC, _SB, _SE = 255, 250, 240
_VERBS: Mapping[int, str] = {251: "WILL", 252: "WONT", 253: "DO", 254: "DONT"}
_COMMANDS: Mapping[int, str] = {
    236: "EOF",
    237: "SUSP",
    238: "ABORT",
    239: "EOR",
    240: "SE",
    241: "NOP",
    242: "DM",
    243: "BRK",
    244: "IP",
    245: "AO",
    246: "AYT",
    247: "EC",
    248: "EL",
    249: "GA",
}
_OPTIONS: Mapping[int, str] = {
    0: "binary transmission",
    1: "echo",
    3: "suppress go ahead",
    5: "status",
    6: "timing mark",
    24: "terminal type",
    31: "window size",
    32: "terminal speed",
    33: "remote flow control",
    34: "linemode",
    35: "X display location",
    36: "environment",
    37: "authentication",
    38: "encryption",
    39: "new environment",
}
"""The IANA registry of telnet options."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command (RFC 854): `option` and `data` where it has them; `data` is a subnegotiation's, in hexadecimal."""

    command: str
    option: str = ""
    data: str = ""


class Telnet:
    """One direction; prompts in its text are named as `banners.Shell` names them."""

    def __init__(self, direction: Direction = Direction.UNKNOWN) -> None:
        self._direction = direction
        self._text = Shell(direction, protocol="telnet")
        self._buffer = bytearray()

    @property
    def held(self) -> int:
        """Bytes fed and not given back yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Span]:
        """Take the next bytes of this direction."""
        self._buffer += data
        buffer, spans, at = self._buffer, list[Span](), 0
        while at < len(buffer):
            place = buffer.find(_IAC, at)
            end = len(buffer) if place < 0 else place
            if end > at:
                spans += self._text.feed(bytes(buffer[at:end]))
                at = end
                continue
            size = self._size(at)
            if not size:
                break
            spans.append(self._command(bytes(buffer[at : at + size])))
            at += size
        del buffer[:at]
        return spans

    def close(self) -> list[Span]:
        """This direction has ended; what was held back."""
        raw = bytes(self._buffer)
        self._buffer.clear()
        return [Span(raw, None, "the stream ends within a command")] if raw else []

    def _size(self, at: int) -> int:
        """How long the command at `at` is, 0 while that is not known."""
        buffer = self._buffer
        if len(buffer) - at < 2:
            return 0
        verb = buffer[at + 1]
        if verb in _VERBS:
            return 3 if len(buffer) - at >= 3 else 0
        if verb != _SB:
            return 2
        place = at + 2
        while place + 1 < min(len(buffer), at + LONGEST):
            if buffer[place] == _IAC:
                if buffer[place + 1] != _IAC:
                    # Anything but a doubled IAC ends it; SE should.
                    return place + 2 - at if buffer[place + 1] == _SE else place - at
                place += 1
            place += 1
        return LONGEST if len(buffer) - at >= LONGEST else 0

    def _command(self, raw: bytes) -> Span:
        verb = raw[1]
        if verb == _IAC:
            return Span(raw, None, "escaped data")
        body, flaws = Command(_COMMANDS.get(verb, _VERBS.get(verb, str(verb)))), ()
        if verb in _VERBS:
            body = Command(_VERBS[verb], _option(raw[2]))
        elif verb == _SB:
            ends = raw[-2:] == bytes([_IAC, _SE])
            data = raw[3:-2] if ends else raw[3:]
            body = Command("SB", _option(raw[2]) if len(raw) > 2 else "", data.hex())
            return self._told(raw, body, verb, () if ends else ("the subnegotiation has no end",))
        return self._told(raw, body, verb, flaws)

    def _told(self, raw: bytes, body: Command, verb: int, flaws: tuple[str, ...]) -> Span:
        row = {name: value for name, value in (("option", body.option), ("data", body.data)) if value}
        name = "negotiation" if body.option else "command"
        return Span(raw, Pdu("telnet", name, verb, self._direction, {"command": body.command} | row, body, flaws))


def _option(number: int) -> str:
    return _OPTIONS.get(number, str(number))
