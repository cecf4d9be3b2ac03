"""Whom the T-box may talk to over the air, in the operator's words: endpoints, countries, volumes, what waits.

Law: as everywhere in a policy, what is not written is not allowed. A policy without `network` says nothing of whom the
T-box may reach; what commands the vehicle needs a rule with `cloud` either way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Literal

from pydantic import PlainValidator, WithJsonSchema, field_validator, model_validator

from busgate.judge.limits import Window
from busgate.judge.terms import (
    Duration,
    Id,
    Listed,
    Name,
    Prose,
    Written,
    as_text,
    check,
    fault_at,
    listed,
    one_or_more,
)

IpNetwork = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

EU = "EU"
"""All member states of the European Union; which those are, the table of countries says."""

_HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_VOLUME = re.compile(r"([0-9]{1,9}) ?(B|kB|MB|GB)")
_SIZES = {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


def _items(written: object) -> list[object]:
    items = list(written) if isinstance(written, list) else [written]
    if not items:
        raise ValueError("an empty list selects nothing; list what is meant")
    return items


def _hosts(written: object) -> tuple[str, ...]:
    found = []
    for item in _items(written):
        name = item.rstrip(".").lower() if isinstance(item, str) else ""
        if not name or len(name) > 253 or _HOST.fullmatch(name) is None:
            raise ValueError(f"{item!r} is no host name; write platform.example.com, or *.example.com for all below it")
        found.append(name)
    return tuple(found)


def _networks(written: object) -> tuple[IpNetwork, ...]:
    found = []
    for item in _items(written):
        try:
            found.append(ip_network(item if isinstance(item, str) else ""))
        except ValueError:
            raise ValueError(f"{item!r} is no address or network; write 203.0.113.10 or 203.0.113.0/24") from None
    return tuple(found)


def _addresses(written: object) -> tuple[Address, ...]:
    found = []
    for item in _items(written):
        try:
            found.append(ip_address(item if isinstance(item, str) else ""))
        except ValueError:
            raise ValueError(f"{item!r} is no address; write 9.9.9.9") from None
    return tuple(found)


def _countries(written: object) -> tuple[str, ...]:
    items = _items(written)
    for item in items:
        if not isinstance(item, str) or _COUNTRY.fullmatch(item) is None:
            raise ValueError(f"{item!r} is no country; write its two letters (ISO 3166-1), such as NL, or EU")
    return tuple(str(item) for item in items)


def _digests(written: object) -> tuple[str, ...]:
    found = []
    for item in _items(written):
        text = item.replace(":", "").lower() if isinstance(item, str) else ""
        if _DIGEST.fullmatch(text) is None:
            raise ValueError(f"{item!r} is no SHA-256; write its 64 hexadecimal digits")
        found.append(text)
    return tuple(found)


def volume(written: object) -> int:
    """Bytes of "500 kB", "1 MB" or "2 GB" (powers of ten)."""
    match = _VOLUME.fullmatch(written) if isinstance(written, str) else None
    if match is None or match[1].strip("0") == "":
        raise ValueError(f"{written!r} is no amount of data; write it with its unit: 500 kB, 10 MB or 1 GB")
    return int(match[1]) * _SIZES[match[2]]


_TEXTS = WithJsonSchema(one_or_more({"type": "string"}))
Hosts = Annotated[tuple[str, ...], PlainValidator(_hosts), _TEXTS]
Networks = Annotated[tuple[IpNetwork, ...], PlainValidator(_networks), _TEXTS]
Resolvers = Annotated[tuple[Address, ...], PlainValidator(_addresses), _TEXTS]
Countries = Annotated[tuple[str, ...], PlainValidator(_countries), _TEXTS]
Digests = Annotated[tuple[str, ...], PlainValidator(_digests), _TEXTS]
Volume = Annotated[int, PlainValidator(volume), as_text("500 kB", "10 MB")]
Ports = Annotated[
    Listed,
    PlainValidator(partial(listed, most=0xFFFF)),
    WithJsonSchema(one_or_more({"type": ["integer", "string"], "examples": [443, "8000-8100", "any"]})),
]


class Volumes(Written):
    """At most so many bytes towards the T-box in any stretch of time `per`."""

    bytes: Volume
    per: Duration


class Remote(Written):
    """One party that the T-box may open connections to. Nobody outside may open one to it."""

    id: Id
    why: Prose = ""
    hosts: Hosts = ()
    """Names, with the addresses that DNS answers gave them. In TLS the name asked for must be one of them."""
    addresses: Networks = ()
    ports: Ports
    transport: Literal["tcp", "udp"] = "tcp"
    speaks: Name
    """The protocol, such as jt808, gb32960, mqtt, http, tls, or `any`. What is opaque to busgate has to be named."""
    certificates: Digests = ()
    """SHA-256 of certificates that its chain may begin with, where TLS shows them (up to TLS 1.2)."""
    down: Volumes | None = None
    window: Window | None = None
    grant: Name | None = None
    dead: Literal["open", "closed"] = "closed"
    """What happens to its connections while no agent is there to judge them; open keeps telemetry flowing."""

    @model_validator(mode="after")
    def _complete(self) -> Remote:
        check(self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        if not self.hosts and not self.addresses:
            yield "say whom: hosts, addresses, or both"
        if self.dead == "open" and self.grant is not None:
            yield "what needs a grant cannot stay open while nobody looks at grants: leave `dead: open` out"
        if self.certificates and self.speaks not in {"tls", "any"}:
            yield "certificates are shown in TLS only: write speaks: tls"


class Hold(Written):
    """What waits for the operator, besides rules with `hold: true`."""

    downloads: Volume | None = None
    """Downloads larger than this, from where it is known that they are: no later than the first byte beyond it."""


class NetworkSection(Written):
    """The T-box's other side."""

    endpoints: tuple[Remote, ...]
    resolvers: Resolvers = ()
    """DNS servers it may ask; their answers say which addresses the names of endpoints have."""
    time: Hosts = ()
    """NTP servers, by name or address."""
    countries: Countries = ()
    """Where endpoints must be by the operator's table of countries; what the table does not know is not there."""
    hold: Hold | None = None
    answer: Literal["refuse", "silence"] = "silence"
    """Whether a message that is cut out is answered with the standard's refusal in the T-box's place."""

    @field_validator("endpoints")
    @classmethod
    def _ids_once(cls, remotes: tuple[Remote, ...]) -> tuple[Remote, ...]:
        first: dict[str, int] = {}
        for place, remote in enumerate(remotes):
            if first.setdefault(remote.id, place) != place:
                raise fault_at((place, "id"), f"another endpoint is called {remote.id} already")
        return remotes


def names(patterns: tuple[str, ...], host: str) -> bool:
    """Whether a host name is one of the patterns; `*.` stands for one label or more."""
    host = host.rstrip(".").lower()
    return any(host.endswith(each[1:]) if each.startswith("*.") else host == each for each in patterns) and host != ""
