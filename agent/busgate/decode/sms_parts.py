"""Short messages in parts put together again (3GPP TS 23.040, 9.2.3.24.1).

Law: a message is whole when every part of one reference, total and sender has come within `lifetime_ns`; a part that
comes again replaces itself. At most `most` messages are open at a time, the one begun first gives way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from busgate.decode.sms import ShortMessage
from busgate.decode.sms_alphabets import UCS2
from busgate.model import Direction, Pdu

Key = tuple[Direction, str, int, int, int | None]


@dataclass(slots=True)
class _Open:
    at: int
    parts: dict[int, ShortMessage]


class Reassembler:
    """Gathers parts. `at` is Unix or monotonic ns, never running backwards."""

    def __init__(self, *, lifetime_ns: int = 86_400_000_000_000, most: int = 64) -> None:
        self._lifetime_ns = lifetime_ns
        self._most = most
        self._open: dict[Key, _Open] = {}

    @property
    def waiting(self) -> int:
        """Messages of which a part is missing."""
        return len(self._open)

    def add(self, at: int, pdu: Pdu) -> Pdu | None:
        """Take a message: itself if it has no parts, the whole if this was the part missing, else None."""
        body = pdu.body
        if not isinstance(body, ShortMessage) or body.reference is None or not body.total or not body.index:
            return pdu
        if body.total == 1:
            return pdu
        self._expire(at)
        key = (pdu.direction, body.address, body.reference, body.total, body.destination_port)
        if key not in self._open:
            if len(self._open) >= self._most:
                del self._open[next(iter(self._open))]
            self._open[key] = _Open(at, {})
        parts = self._open[key].parts
        parts[body.index] = body
        if len(parts) < body.total:
            return None
        del self._open[key]
        return _whole(pdu, [parts[index] for index in range(1, body.total + 1)])

    def _expire(self, now: int) -> None:
        for key in [key for key, found in self._open.items() if now - found.at >= self._lifetime_ns]:
            del self._open[key]


def _whole(last: Pdu, parts: list[ShortMessage]) -> Pdu:
    """One message of all parts: their text and octets in order, all else as the first has it."""
    texts = [part.text for part in parts]
    text = None if None in texts else "".join(part.text or "" for part in parts)
    data = b"".join(part.data for part in parts)
    if all(part.alphabet == UCS2 for part in parts):
        # A character of two units may stand on both sides of a cut.
        text = data.decode("utf-16-be", "backslashreplace")
    body = replace(parts[0], text=text, data=data, index=None)
    row = dict(last.fields) | {"address": body.address, "data": data.hex(), "parts": len(parts)}
    row.pop("index", None)
    if text is not None:
        row["text"] = text
    return replace(last, fields=row, body=body)
