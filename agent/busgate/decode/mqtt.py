"""An MQTT connection watched from the middle of the wire: control packets of both directions, with what they refer to.

Law: that of every framer (the spans joined are the bytes; how they were cut does not matter; nothing raises). Held back
are at most `LONGEST` bytes and one stretch of junk: a longer PUBLISH is given in pieces, of which the first is read and
the last tells the payload's hash. The version is known from the CONNECT; where that was not seen it is guessed from
what the packets can mean, and every packet read so says `version_guessed`. Topic aliases (MQTT 5.0, 3.3.2.3.4) hold per
direction and connection: one CONNECT or CONNACK begins a new one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256

from busgate.decode import mqtt_bodies as bodies
from busgate.decode.mqtt_names import FLAGS, VERSIONS
from busgate.decode.mqtt_packets import V3, read
from busgate.decode.mqtt_properties import V5, remaining_length
from busgate.decode.net_framer import MORE, NONE, Framer
from busgate.model import Direction, Pdu, Span

LONGEST = 1 << 20
"""A packet up to this long is one span."""

PIECE = 1 << 16
"""A longer PUBLISH is given in pieces of this size."""

_GUESSED_MOST, _GUESSED_HEAD = 1 << 16, 1 << 10
_MOST_ALIASES = 1024
_CONNECT = 0x10
_MARKS = tuple(mark for mark in range(256) if mark >> 4 and FLAGS.get(mark >> 4, mark & 15) == mark & 15)
_NO_REST = frozenset({12, 13})


class Session:
    """What both directions of one connection share: the protocol version, and whether it is only guessed.

    `version` is the protocol level (3, 4, 5). Without a CONNECT it is what most of the packets that can be only one of
    MQTT 5 and 3.1.1 were; MQTT 5 while there was none, since a packet of 3.1.1 seldom reads as one of MQTT 5.
    `read_as` is the version by which the last packet was read.
    """

    def __init__(self) -> None:
        self.version = V5
        self.guessed = True
        self.read_as = V5
        self._votes = 0

    def read(self, raw: bytes, whole: int | None = None) -> Pdu:
        """Read a packet as what this connection speaks."""
        if raw[0] >> 4 == 1:
            pdu = read(raw)
            level = int(pdu.fields.get("protocol_level", 0))
            if level in VERSIONS:
                self.version, self.guessed = level, False
            self.read_as = self.version
            return pdu
        if not self.guessed:
            self.read_as = self.version
            return read(raw, self.version, whole=whole)
        five, three = read(raw, V5, whole=whole), read(raw, V3, whole=whole)
        clear = len(three.flaws) - len(five.flaws)
        if clear or five.fields.get("properties"):
            self._votes += 1 if clear >= 0 else -1
            self.version = V5 if self._votes >= 0 else V3
        self.read_as = self.version if not clear else V5 if clear > 0 else V3
        return five if self.read_as == V5 else three

    def believes(self, raw: bytes, whole: int | None) -> bool:
        """Whether these bytes are a flawless packet of what this connection may speak."""
        versions = (V5, V3) if self.guessed else (self.version,)
        return any(not read(raw, version, whole=whole).flaws for version in versions)


class Packets(Framer):
    """The packets of one direction of a connection. Both directions share a `Session`."""

    UNKNOWN = "no control packet starts here"
    CUT = "the stream ends within a control packet"
    START = re.compile(b"[" + b"".join(re.escape(bytes([mark])) for mark in _MARKS) + b"]")

    def __init__(self, session: Session | None = None, direction: Direction = Direction.UNKNOWN) -> None:
        super().__init__()
        self.session = Session() if session is None else session
        self._direction = direction
        self._aliases: dict[int, str] = {}
        self._left = 0
        self._long = (sha256(), bodies.PublishEnd())

    def _measure(self, buffer: bytearray, at: int, *, closing: bool) -> int:
        del closing
        if self._left:
            return min(self._left, PIECE)
        kind = buffer[at] >> 4
        if not kind or (not self.synced and FLAGS.get(kind, 0) != buffer[at] & (0x0F if kind != 3 else 0)):
            return NONE
        length = remaining_length(buffer, at + 1)
        if length is None:
            return MORE
        size = 1 + length[1] + length[0]
        if not length[1] or (size > LONGEST and kind != 3) or (kind in _NO_REST and length[0]):
            return NONE
        if not self.synced:
            return self._supposed(buffer, at, size)
        return size if size <= LONGEST else PIECE

    def _supposed(self, buffer: bytearray, at: int, size: int) -> int:
        """A packet where none was before: only one that is flawless is believed, and no very long one."""
        message = buffer[at] >> 4 == 3
        if size > (_GUESSED_MOST if message else _GUESSED_HEAD):
            return NONE
        if at + size > len(buffer):
            return size
        # Of a message only its head is tried, or long junk would be hashed again for each of its bytes.
        raw = bytes(buffer[at : at + min(size, _GUESSED_HEAD)])
        if buffer[at] == _CONNECT:
            return size if b"MQ" in raw[:9] else NONE
        return size if self.session.believes(raw, size if size > len(raw) else None) else NONE

    def _unit(self, raw: bytes) -> list[Span]:
        if self._left:
            return [self._piece(raw)]
        length = remaining_length(raw)
        whole = len(raw) if length is None else 1 + length[1] + length[0]
        pdu = self.session.read(raw, whole if whole > len(raw) else None)
        pdu = self._known(pdu)
        if whole > len(raw):
            body = pdu.body
            if isinstance(body, bodies.Publish):
                self._long = (sha256(body.data), bodies.PublishEnd(body.topic, body.payload_size or 0))
            self._left = whole - len(raw)
        return [Span(raw, pdu)]

    def _piece(self, raw: bytes) -> Span:
        """More of the payload of a long PUBLISH; its last piece says what it was."""
        digest, end = self._long
        digest.update(raw)
        self._left -= len(raw)
        if self._left:
            return Span(raw, None, "payload")
        end = replace(end, payload_sha256=digest.hexdigest())
        row = {"topic": end.topic, "payload_size": end.payload_size, "payload_sha256": end.payload_sha256}
        return Span(raw, Pdu("mqtt", "PUBLISH payload", None, self._direction, row, end))

    def _known(self, pdu: Pdu) -> Pdu:
        """The packet with what the connection knows of it: version, direction, the topic behind an alias."""
        if pdu.code in {1, 2}:
            self._aliases.clear()
        body, flaws = pdu.body, pdu.flaws
        row = dict(pdu.fields)
        if isinstance(body, bodies.Publish) and body.topic_alias is not None:
            topic, flaw = self._resolved(body.topic, body.topic_alias)
            body, row["topic"] = replace(body, topic=topic), topic
            flaws = (*flaws, flaw) if flaw else flaws
        row["version"] = VERSIONS[self.session.read_as]
        if self.session.guessed:
            row["version_guessed"] = True
        direction = pdu.direction if self._direction is Direction.UNKNOWN else self._direction
        return replace(pdu, fields=row, body=body, flaws=flaws, direction=direction)

    def _resolved(self, topic: str | None, alias: int) -> tuple[str | None, str]:
        if not alias:
            return topic, "the topic alias is 0"
        if topic is not None:
            if alias in self._aliases or len(self._aliases) < _MOST_ALIASES:
                self._aliases[alias] = topic
            return topic, ""
        known = self._aliases.get(alias)
        return known, "" if known is not None else f"what topic alias {alias} stands for was not seen"


class Conversation:
    """Both directions of one MQTT connection: `client` takes what the client (the T-box) sends, `server` the rest."""

    def __init__(self, client: Direction = Direction.UP) -> None:
        session = Session()
        other = {Direction.UP: Direction.DOWN, Direction.DOWN: Direction.UP}.get(client, Direction.UNKNOWN)
        self.session = session
        self.client = Packets(session, client)
        self.server = Packets(session, other)
