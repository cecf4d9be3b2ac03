"""A TLS connection watched from the middle of the wire: its handshake as far as it is in the clear, then only sizes.

Law: that of every framer (the spans joined are the bytes; how they were cut does not matter; nothing raises). Each
handshake message is one span, with the heads of the records that carry it: a ClientHello in several records and
segments passes whole or not at all. Records that are encrypted are one span each, reason "encrypted". Held back are at
most `LONGEST` bytes of handshake and one record of 2^14 + 2048 bytes. Record layer: RFC 8446, 5.1; RFC 5246, 6.2.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

from busgate.decode import tls_hellos
from busgate.decode.net_framer import MORE, NONE, Framer
from busgate.decode.tls_names import MESSAGES, VERSIONS
from busgate.model import Direction, Pdu, Span

LONGEST = 1 << 17
"""A run of handshake records whose messages are not whole yet is held up to this many bytes."""

ENCRYPTED = "encrypted"

_HEAD = 5
_MOST = (1 << 14) + 2048
_CHANGE, _ALERT, _HANDSHAKE, _DATA, _HEARTBEAT = 20, 21, 22, 23, 24
_KINDS = frozenset({_CHANGE, _ALERT, _HANDSHAKE, _DATA, _HEARTBEAT})
_HELLOS = frozenset({1, 2})
_MAGIC = 3


class Records(Framer):
    """One direction of a TLS connection. `encrypted_bytes` counts what passed unread, record heads included."""

    UNKNOWN = "no record starts here"
    CUT = "the stream ends within a record"
    START = re.compile(rb"[\x14-\x18](?:\x03[\x00-\x04]|\x03?\Z)")

    def __init__(self, direction: Direction = Direction.UNKNOWN) -> None:
        super().__init__()
        self.encrypted_bytes = 0
        self._direction = direction
        self._changed = False
        self._walk = _Walk()

    def _measure(self, buffer: bytearray, at: int, *, closing: bool) -> int:
        size = _record(buffer, at)
        if size <= 0:
            return size
        if not (self.synced or (self.fresh and buffer[at] == _HANDSHAKE)):
            # Picked up in the middle: three octets may stand anywhere, so the next record must be there as well.
            proof = _proof(buffer, at + size, closing=closing)
            if proof <= 0:
                return proof
        if buffer[at] != _HANDSHAKE or len(buffer) < at + size or self._is_encrypted(buffer, at, size):
            return size
        if buffer[at + _HEAD] not in MESSAGES:
            # Encrypted, the change of ciphers not seen: there is no length in it to wait for.
            return size
        return self._run(buffer, at, closing=closing)

    def _run(self, buffer: bytearray, at: int, *, closing: bool) -> int:
        """Messages do not end where records do (5.1): as many handshake records as it takes for both to end."""
        walk = self._walk
        while True:
            size = _record(buffer, at + walk.offset)
            cut = size == MORE or at + walk.offset + size > len(buffer)
            if cut and not closing and size != NONE and (size == MORE or buffer[at + walk.offset] == _HANDSHAKE):
                return MORE
            if cut or size == NONE or buffer[at + walk.offset] != _HANDSHAKE:
                break
            walk.over(buffer, at, size)
            if walk.whole or walk.offset > LONGEST:
                break
        self._walk = _Walk()
        return walk.offset

    def _is_encrypted(self, buffer: bytes | bytearray, at: int, size: int) -> bool:
        """After ChangeCipherSpec only a hello is in the clear, the one after a HelloRetryRequest (RFC 8446, D.4)."""
        if not self._changed:
            return False
        hello = buffer[at + _HEAD : at + _HEAD + 5]
        length = int.from_bytes(hello[1:4])
        return not (
            size >= _HEAD + 5 and hello[0] in _HELLOS and hello[1] == 0 and hello[4] == 3 and length >= size - _HEAD - 4
        )

    def _unit(self, raw: bytes) -> list[Span]:
        kind = raw[0]
        if kind == _HANDSHAKE and not self._is_encrypted(raw, 0, _record(raw, 0)):
            return self._messages(raw)
        if kind == _CHANGE and len(raw) == _HEAD + 1:
            self._changed = True
            number = raw[1] << 8 | raw[2]
            row = {"version": VERSIONS.get(number, f"{number:04x}")}
            return [Span(raw, Pdu("tls", "change cipher spec", None, self._direction, row))]
        if kind == _ALERT and not self._changed and len(raw) == _HEAD + 2:
            return [Span(raw, tls_hellos.alert(raw[_HEAD:], self._direction))]
        self._changed = self._changed or kind == _DATA
        self.encrypted_bytes += len(raw)
        return [Span(raw, None, ENCRYPTED)]

    def _messages(self, raw: bytes) -> list[Span]:
        """A run of handshake records, one span for each message with the record heads before and within it."""
        plain, places = _joined(raw)
        spans: list[Span] = []
        done = given = 0
        while done < len(plain):
            end = min(done + 4 + int.from_bytes(plain[done + 1 : done + 4]), len(plain))
            until = len(raw) if end == len(plain) else places(end)
            spans.append(self._message(raw[given:until], plain[done:end]))
            done, given = end, until
        return spans

    def _message(self, raw: bytes, message: bytes) -> Span:
        if message[0] not in MESSAGES:
            return Span(raw, None, "no handshake message that is known")
        return Span(raw, tls_hellos.read(message, self._direction))

    def _rest(self, raw: bytes) -> Span:
        """Of a hello that was cut off, what is there still says where it goes."""
        if len(raw) > _HEAD + 4 and raw[0] == _HANDSHAKE and raw[_HEAD] in _HELLOS and not self._changed:
            pdu = tls_hellos.read(raw[_HEAD:], self._direction)
            return Span(raw, replace(pdu, flaws=(*pdu.flaws, self.CUT)))
        return super()._rest(raw)


class _Walk:
    """How far a run of handshake records has been looked through, and what its last message still needs."""

    __slots__ = ("_head", "_need", "offset")

    def __init__(self) -> None:
        self.offset = 0
        self._head = b""
        self._need = 0

    @property
    def whole(self) -> bool:
        """Whether the last message ends where the last record does."""
        return not self._need and not self._head

    def over(self, buffer: bytearray, at: int, size: int) -> None:
        """Look through one more record of `size` bytes."""
        place, end = at + self.offset + _HEAD, at + self.offset + size
        self.offset += size
        while place < end:
            if self._need:
                taken = min(self._need, end - place)
                self._need -= taken
                place += taken
                continue
            head = bytes(buffer[place : min(place + 4 - len(self._head), end)])
            place += len(head)
            self._head += head
            if len(self._head) == 4:
                self._need = int.from_bytes(self._head[1:])
                self._head = b""


def _record(buffer: bytes | bytearray, at: int) -> int:
    """How long the record at `at` is, MORE while its head is not whole, NONE where there is none (5.1)."""
    head = buffer[at : at + _HEAD]
    if (head and head[0] not in _KINDS) or (len(head) > 1 and head[1] != 3) or (len(head) > 2 and head[2] > 4):
        return NONE
    if len(head) < _HEAD:
        return MORE
    length = head[3] << 8 | head[4]
    return NONE if length > _MOST or (not length and head[0] != _DATA) else _HEAD + length


def _proof(buffer: bytearray, end: int, *, closing: bool) -> int:
    """Whether a record follows at `end`: 1, MORE or NONE; a head that is not whole may still turn out to be none."""
    following, after = _record(buffer, end), len(buffer) - end
    if following == MORE and closing:
        return 1 if not after or after >= _MAGIC else NONE
    return min(following, 1)


def _joined(raw: bytes) -> tuple[bytes, Callable[[int], int]]:
    """The content of some records without their heads; and where in the records a place of the content is."""
    parts: list[bytes] = []
    starts: list[int] = []
    at = plain = 0
    while at < len(raw):
        size = _HEAD + (raw[at + 3] << 8 | raw[at + 4])
        starts.append(plain)
        parts.append(raw[at + _HEAD : at + size])
        plain += size - _HEAD
        at += size
    return b"".join(parts), lambda end: end + _HEAD * bisect_left(starts, end)


class Conversation:
    """Both directions of one TLS connection: `client` takes what the client (the T-box) sends, `server` the rest."""

    def __init__(self, client: Direction = Direction.UP) -> None:
        other = {Direction.UP: Direction.DOWN, Direction.DOWN: Direction.UP}.get(client, Direction.UNKNOWN)
        self.client = Records(client)
        self.server = Records(other)
