"""What the T-box and the world say to each other: protocol units, and the conversations they belong to.

A unit's `fields` are JSON values (numbers, texts, lists, objects; bytes as lower-case hexadecimal) under the names that
its standard gives them, in snake_case. `body` is the same as a documented class of the decoder's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class Direction(StrEnum):
    """Which way bytes travel, seen from the T-box."""

    DOWN = "down"
    """Towards the T-box: commands come this way."""
    UP = "up"
    UNKNOWN = "unknown"


class Endpoint(NamedTuple):
    """One end of a conversation: an IP address as text with its port, or a telephone number with port 0."""

    address: str
    port: int = 0

    def __str__(self) -> str:
        """As people write it: `192.0.2.7:443`, `[2001:db8::7]:443`, `+31600000001`."""
        if not self.port:
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Flow(NamedTuple):
    """One conversation: `transport` is "tcp", "udp" or "sms"."""

    transport: str
    tbox: Endpoint
    remote: Endpoint


@dataclass(frozen=True, slots=True)
class Pdu:
    """One protocol unit as its decoder reads it.

    `protocol` is the decoder's name ("jt808"), `name` what the standard calls the message ("terminal control"), `code`
    its number there (0x8105) or None. `direction` is what the unit itself says, UNKNOWN where it cannot tell.
    `flaws` is what is wrong with it although it was read ("checksum is 12, should be 5a").
    """

    protocol: str
    name: str
    code: int | None
    direction: Direction
    fields: Mapping[str, Any] = field(default_factory=dict)
    body: object | None = None
    flaws: tuple[str, ...] = ()


class Span(NamedTuple):
    """Consecutive bytes of one direction of a stream: one unit, or bytes that are none (`pdu` None, and why).

    Law of every framer: the spans it gives, joined, are the bytes it was fed, in order, however they were cut.
    """

    raw: bytes
    pdu: Pdu | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CloudMessage:
    """A protocol unit in its conversation.

    `host` is the remote end's name where DNS, SNI or a header said it, `country` where its address is registered, and
    `endpoint` the id under which the policy lists it; each is empty where nothing says so.
    """

    at: int
    direction: Direction
    flow: Flow
    pdu: Pdu
    data: bytes
    host: str = ""
    country: str = ""
    endpoint: str = ""
