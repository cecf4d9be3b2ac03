"""Frames out of a stream of octets, and long bodies out of their parts (JT/T 808, 4.4.1 and 4.4.3).

Law: what is read does not depend on how the stream was cut into chunks, and what is kept has an end: one unfinished
frame and a few unfinished messages.
"""

from __future__ import annotations

from dataclasses import replace

from busgate_sim.cloud.jt808 import DELIMITER, MOST_BODY, Edition, Message, decode
from busgate_sim.cloud.octets import Refused

_LONGEST = 2 * (MOST_BODY + 32)
"""More than any frame has between its delimiters, each octet escaped."""

_UNFINISHED = 8
"""Split messages that may be unfinished at the same time."""


class Frames:
    """Messages of one direction of a connection, in the order in which their frames end."""

    def __init__(self, older: Edition = Edition.Y2013) -> None:
        """`older` is what a frame without the version flag is taken for."""
        self._older = older
        self._begun = bytearray()
        self._delimited = False
        self._overlong = False

    def feed(self, data: bytes) -> list[Message | Refused]:
        """All that has ended with this chunk. What stands between two delimiters is a frame; nothing is no frame."""
        found: list[Message | Refused] = []
        *ended, begun = data.split(bytes([DELIMITER]))
        for piece in ended:
            self._grow(piece, found)
            found += self._end()
        self._grow(begun, found)
        return found

    def _grow(self, piece: bytes, found: list[Message | Refused]) -> None:
        self._begun += piece
        if len(self._begun) > _LONGEST:
            if not self._overlong:
                found.append(Refused(f"frame: more than {_LONGEST} octets without a delimiter"))
            self._overlong = True
            self._begun.clear()

    def _end(self) -> list[Message | Refused]:
        frame, known = bytes(self._begun), self._delimited and not self._overlong
        lost = bool(frame) and not self._delimited and not self._overlong
        self._begun.clear()
        self._delimited, self._overlong = True, False
        if lost:
            return [Refused(f"frame: {len(frame)} octets before the first delimiter")]
        return [decode(frame, self._older)] if frame and known else []


class Parts:
    """Puts split messages together; their parts may come in any order."""

    def __init__(self) -> None:
        """Nothing is unfinished."""
        self._unfinished: dict[tuple[str, int, int], dict[int, Message]] = {}

    def take(self, message: Message) -> Message | None:
        """The whole message if this part was the last one missing, else None; a whole message passes through."""
        if not message.parts:
            return message
        # Their serial numbers ought to be consecutive (4.4.3), but terminals are met that count otherwise.
        key = (message.phone, message.number, message.parts)
        parts = self._unfinished.setdefault(key, {})
        parts[message.part] = message
        if len(parts) < message.parts:
            while len(self._unfinished) > _UNFINISHED:
                self._unfinished.pop(next(iter(self._unfinished)))
            return None
        del self._unfinished[key]
        ordered = [parts[part] for part in sorted(parts)]
        flaws = tuple(sorted({flaw for part in ordered for flaw in part.flaws}))
        body = b"".join(part.body for part in ordered)
        return replace(ordered[-1], body=body, part=0, parts=0, flaws=flaws)


def split(message: Message, most: int = MOST_BODY) -> list[Message]:
    """The message in parts of at most `most` octets, itself if it fits; each part takes a serial number."""
    if len(message.body) <= most:
        return [message]
    pieces = [message.body[at : at + most] for at in range(0, len(message.body), most)]
    return [
        replace(message, body=piece, serial=(message.serial + place) & 0xFFFF, part=place + 1, parts=len(pieces))
        for place, piece in enumerate(pieces)
    ]
