"""The MQTT control packets as classes, one for each type that says something, under the names of the standard.

Law: facts of one packet only; a field that the packet did not have, or that its bytes ended before, is None or empty.
Clauses are those of MQTT Version 5.0 (OASIS, 2019). A password, a will's payload and authentication data are secrets or
may be: of them only presence or size is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Properties = Mapping[str, Any]
"""2.2.2 by name: numbers, texts, bytes in hexadecimal; `user_property` a list of [name, value], see mqtt_names."""


@dataclass(frozen=True, slots=True)
class Connect:
    """A client asks for a session (3.1)."""

    protocol_name: str = ""
    protocol_level: int = 0
    """3.1.2.2: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0."""
    clean_start: bool = False
    keep_alive: int = 0
    """Seconds, 0 is off (3.1.2.10)."""
    client_id: str = ""
    user_name: str | None = None
    password_present: bool = False
    will_topic: str | None = None
    will_qos: int | None = None
    will_retain: bool | None = None
    will_payload_size: int | None = None
    will_properties: Properties = field(default_factory=dict)
    properties: Properties = field(default_factory=dict)
    bridge: bool = False
    """Bit 7 of the level, by which some brokers say that they are one."""


@dataclass(frozen=True, slots=True)
class Connack:
    """The server's answer (3.2)."""

    session_present: bool = False
    reason_code: int | None = None
    reason: str = ""
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Publish:
    """An application message (3.3). `topic` is the resolved one where the packet has an alias instead (3.3.2.3.4)."""

    topic: str | None = None
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int | None = None
    topic_alias: int | None = None
    properties: Properties = field(default_factory=dict)
    payload_size: int | None = None
    payload_sha256: str | None = None
    """None while not all of the payload has been seen."""
    payload: str = ""
    """The payload's first 64 bytes in hexadecimal."""
    data: bytes = b""
    """The payload itself, as far as this unit holds it; not among the fields."""


@dataclass(frozen=True, slots=True)
class PublishEnd:
    """The end of a message that was too long to hold whole: what its payload was."""

    topic: str | None = None
    payload_size: int = 0
    payload_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """PUBACK, PUBREC, PUBREL, PUBCOMP (3.4-3.7), DISCONNECT (3.14) and AUTH (3.15)."""

    packet_id: int | None = None
    reason_code: int | None = None
    reason: str = ""
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE (3.8) and UNSUBSCRIBE (3.10): the filters, and of a subscription its options as well."""

    packet_id: int | None = None
    topics: tuple[str, ...] = ()
    options: tuple[Mapping[str, Any], ...] = ()
    """`qos`, and with MQTT 5 `no_local`, `retain_as_published`, `retain_handling` (3.8.3.1)."""
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suback:
    """SUBACK (3.9) and UNSUBACK (3.11): one code for each filter."""

    packet_id: int | None = None
    reason_codes: tuple[int, ...] = ()
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ping:
    """PINGREQ and PINGRESP (3.12, 3.13)."""
