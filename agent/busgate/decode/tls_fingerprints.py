"""Fingerprints of a TLS client and server: JA4 and JA3 of a ClientHello, JA3S of a ServerHello.

Law: the published algorithms to the letter, over what the hello holds and nothing else. JA4: FoxIO's technical details
of JA4 (BSD 3-Clause). JA3, JA3S: Salesforce's description (BSD 3-Clause). GREASE values (RFC 8701) count nowhere.
JA4S and the rest of that family have another licence and are not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import md5, sha256
from typing import NamedTuple

_VERSIONS = {
    0x0304: "13",
    0x0303: "12",
    0x0302: "11",
    0x0301: "10",
    0x0300: "s3",
    0x0200: "s2",
    0x0100: "s1",
}
_SERVER_NAME, _ALPN = 0x0000, 0x0010
_NOTHING = "0" * 12
_MOST = 99


class Offer(NamedTuple):
    """What a ClientHello offers, as far as fingerprints use it; lists in the order of the hello, GREASE included."""

    legacy_version: int
    ciphers: Sequence[int]
    extensions: Sequence[int]
    versions: Sequence[int] | None
    """supported_versions, None without that extension."""
    alpn: bytes | None
    """The first protocol of ALPN, None without one."""
    signature_algorithms: Sequence[int]
    groups: Sequence[int]
    point_formats: Sequence[int]


def grease(value: int) -> bool:
    """RFC 8701, 2: both octets the same and ending in A."""
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF


def ja4(offer: Offer) -> tuple[str, str]:
    """JA4 and JA4_r, which is the same with its lists instead of their hashes."""
    ciphers = sorted(_kept(offer.ciphers))
    extensions = sorted(x for x in _kept(offer.extensions) if x not in {_SERVER_NAME, _ALPN})
    algorithms = _kept(offer.signature_algorithms)
    suites, last = _listed(ciphers), _listed(extensions)
    if algorithms:
        last += f"_{_listed(algorithms)}"
    head = _head(offer)
    return f"{head}_{_short(suites)}_{_short(last)}", f"{head}_{suites}_{last}"


def ja3(offer: Offer) -> tuple[str, str]:
    """JA3 and the text it is the hash of."""
    lists = (offer.ciphers, offer.extensions, offer.groups, offer.point_formats)
    return _ja3(
        offer.legacy_version, *(_kept(values) if values is not offer.point_formats else values for values in lists)
    )


def ja3s(version: int, cipher: int, extensions: Sequence[int]) -> tuple[str, str]:
    """JA3S and the text it is the hash of."""
    return _ja3(version, (cipher,), extensions)


def _head(offer: Offer) -> str:
    versions = _kept(offer.versions or ())
    version = _VERSIONS.get(max(versions) if versions else offer.legacy_version, "00")
    named = "d" if _SERVER_NAME in offer.extensions else "i"
    ciphers, extensions = (min(len(_kept(x)), _MOST) for x in (offer.ciphers, offer.extensions))
    return f"t{version}{named}{ciphers:02}{extensions:02}{_ends(offer.alpn)}"


def _ends(alpn: bytes | None) -> str:
    """First and last character; where one is no letter or digit, those of the hexadecimal form."""
    if not alpn:
        return "00"
    plain = all(octet < 0x80 and chr(octet).isalnum() for octet in (alpn[0], alpn[-1]))
    text = alpn.decode("latin-1") if plain else alpn.hex()
    return text[0] + text[-1]


def _kept(values: Iterable[int]) -> list[int]:
    return [value for value in values if not grease(value)]


def _listed(values: Iterable[int]) -> str:
    return ",".join(f"{value:04x}" for value in values)


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12] if text else _NOTHING


def _ja3(version: int, *lists: Iterable[int]) -> tuple[str, str]:
    text = ",".join([str(version), *("-".join(map(str, values)) for values in lists)])
    return md5(text.encode(), usedforsecurity=False).hexdigest(), text
