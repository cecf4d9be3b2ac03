"""Link-layer headers taken off: from a captured packet to the network protocol in it and where that begins.

Law: no bytes raise; what cannot be unwrapped is told by a reason. Nothing is believed beyond the header: whether an
IPv4 packet really is one is for `ip` to see. Numbers: the tcpdump group's registry of LINKTYPE_ values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

ETHERNET, NULL, PPP, RAW, SLL, LOOP, SLL2 = 1, 0, 9, 101, 113, 108, 276
IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
"""EtherTypes (IEEE 802 numbers), which name the network protocol whatever the link."""

MOST_TAGS = 4
"""VLAN tags that are taken off; a packet with more is damage or an attack."""

_TAGS = {0x8100: "vlan", 0x88A8: "s-vlan", 0x9100: "s-vlan", 0x9200: "s-vlan"}
_PPPOE_DISCOVERY, _PPPOE_SESSION = 0x8863, 0x8864
_LENGTH_MOST = 0x05DC  # below 0x0600 the field is an IEEE 802.3 length; between, neither
_SNAP = b"\xaa\xaa\x03"
_NAMES = {
    ARP: "arp", 0x8035: "rarp", 0x888E: "eapol", 0x88CC: "lldp", 0x8847: "mpls", 0x8848: "mpls", 0x88E5: "macsec",
    0x8863: "pppoe discovery", 0x22F0: "avtp", 0x88F7: "ptp", 0x000C: "can", 0x000D: "can fd",
}  # fmt: skip
_PPP_NAMES = {
    0xC021: "lcp", 0xC023: "pap", 0xC223: "chap", 0x8021: "ipcp", 0x8057: "ipv6cp", 0x80FD: "ccp", 0x00FD: "compressed",
    0x002D: "vj compressed tcp", 0x002F: "vj uncompressed tcp",
}  # fmt: skip
_PPP_NETWORKS = {0x0021: IPV4, 0x0057: IPV6}
_FAMILIES = {2: IPV4, 10: IPV6, 23: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}  # AF_INET; AF_INET6 as each system numbers it


class Carried(NamedTuple):
    """What the link carries. `network` is an EtherType, 0 where the bytes do not say; then `reason` says what there is.

    `tunnel` describes tags and sessions that were taken off, as `Datagram.tunnel` has it.
    """

    network: int
    start: int
    tunnel: str = ""
    protocol: str = "link"
    reason: str = ""


def carried(link_type: int, data: bytes) -> Carried:
    """Unwrap one packet of a LINKTYPE_ number."""
    reader = _READERS.get(link_type)
    if reader is None:
        return Carried(0, 0, reason=f"link type {link_type} is not one that is unwrapped")
    return reader(data)


def _cut(protocol: str) -> Carried:
    return Carried(0, 0, protocol=protocol, reason=f"the {protocol} header is cut")


def _ethernet(data: bytes) -> Carried:
    return _typed(data, 12, "ethernet") if len(data) >= 14 else _cut("ethernet")


def _typed(data: bytes, at: int, protocol: str) -> Carried:
    """From the position of an EtherType on: tags, PPPoE, IEEE 802.2."""
    tunnel = ""
    for _ in range(MOST_TAGS + 1):
        if len(data) < at + 2:
            return _cut(protocol)
        kind = data[at] << 8 | data[at + 1]
        at += 2
        if kind not in _TAGS:
            return _after_type(data, kind, at, tunnel)
        if len(data) < at + 2:
            return _cut("vlan")
        tag = f"{_TAGS[kind]} {(data[at] << 8 | data[at + 1]) & 0x0FFF}"
        tunnel = f"{tunnel} / {tag}" if tunnel else tag
        at += 2
    return Carried(0, at, tunnel, "vlan", f"more than {MOST_TAGS} vlan tags")


def _after_type(data: bytes, kind: int, at: int, tunnel: str) -> Carried:
    if kind in {IPV4, IPV6}:
        return Carried(kind, at, tunnel)
    if kind == _PPPOE_SESSION:
        return _pppoe(data, at, tunnel)
    if kind <= _LENGTH_MOST:
        # IEEE 802.2 with SNAP (RFC 1042) can carry IP; other link services do not.
        if data[at : at + 3] == _SNAP and data[at + 3 : at + 6] == b"\0\0\0" and len(data) >= at + 8:
            inner = data[at + 6] << 8 | data[at + 7]
            return Carried(inner, at + 8, tunnel) if inner in {IPV4, IPV6} else _no_ip(inner, at + 8, tunnel)
        return Carried(0, at, tunnel, "llc", "an IEEE 802.2 frame is no IP")
    return _no_ip(kind, at, tunnel)


def _no_ip(kind: int, at: int, tunnel: str) -> Carried:
    name = _NAMES.get(kind, f"ethertype {kind:04x}")
    return Carried(0, at, tunnel, name, f"{name} is no IP")


def _pppoe(data: bytes, at: int, tunnel: str) -> Carried:
    """RFC 2516: version and type, code, session, length; then PPP without address and control."""
    if len(data) < at + 8:
        return _cut("pppoe")
    if data[at] != 0x11 or data[at + 1]:
        return Carried(0, at, tunnel, "pppoe", "the pppoe header is none of a session")
    session = f"pppoe session {data[at + 2] << 8 | data[at + 3]}"
    return _ppp_at(data, at + 6, f"{tunnel} / {session}" if tunnel else session)


def _ppp(data: bytes) -> Carried:
    """RFC 1661 and 1662, with or without address and control; Cisco's HDLC where its address says so."""
    if data[:2] == b"\xff\x03":
        return _ppp_at(data, 2, "")
    if data[:2] in {b"\x0f\0", b"\x8f\0"}:
        return _typed(data, 2, "cisco hdlc")
    return _ppp_at(data, 0, "")


def _ppp_directed(data: bytes) -> Carried:
    """LINKTYPE_PPP_PPPD and _WITH_DIR: a byte of direction before PPP, in the first in place of the address."""
    if data[1:3] == b"\xff\x03":
        return _ppp_at(data, 3, "")
    return _ppp_at(data, 2 if data[1:2] == b"\x03" else 1, "")


def _ppp_at(data: bytes, at: int, tunnel: str) -> Carried:
    """The protocol field; one byte where it was compressed (RFC 1661, 6.5): the last byte of the field is odd."""
    if len(data) < at + 2:
        return _cut("ppp")
    protocol = data[at]
    at += 1
    if not protocol & 1:
        protocol = protocol << 8 | data[at]
        at += 1
    network = _PPP_NETWORKS.get(protocol)
    if network is None:
        name = f"ppp {_PPP_NAMES.get(protocol, f'protocol {protocol:04x}')}"
        return Carried(0, at, tunnel, name, f"{name} is no IP")
    return Carried(network, at, tunnel)


def _raw(data: bytes) -> Carried:
    version = data[0] >> 4 if data else 0
    if version == 4:
        return Carried(IPV4, 0)
    if version == 6:
        return Carried(IPV6, 0)
    return Carried(0, 0, protocol="ip", reason=f"IP version {version} is none that is read" if data else "no bytes")


def _family(data: bytes) -> Carried:
    """LINKTYPE_NULL and _LOOP: an address family in whichever byte order the capturing machine had."""
    if len(data) < 4:
        return _cut("loopback")
    family = int.from_bytes(data[:4], "little")
    family = min(family, int.from_bytes(data[:4], "big"))
    network = _FAMILIES.get(family)
    return Carried(network, 4) if network else Carried(0, 4, "", "loopback", f"address family {family} is no IP")


def _sll(data: bytes) -> Carried:
    return _cooked(data, 14) if len(data) >= 16 else _cut("sll")


def _sll2(data: bytes) -> Carried:
    """The protocol comes first in version 2, and the packet after 20 bytes."""
    if len(data) < 20:
        return _cut("sll2")
    kind = data[0] << 8 | data[1]
    return _typed_cooked(data, kind, 20)


def _cooked(data: bytes, at: int) -> Carried:
    return _typed_cooked(data, data[at] << 8 | data[at + 1], at + 2)


def _typed_cooked(data: bytes, kind: int, at: int) -> Carried:
    """Behind a cooked header: tags may follow; a modem that names no protocol carries bare IP."""
    if kind in _TAGS:
        if len(data) < at + 4:
            return _cut("vlan")
        inner = _typed(data, at + 2, "vlan")
        tag = f"{_TAGS[kind]} {(data[at] << 8 | data[at + 1]) & 0x0FFF}"
        return inner._replace(tunnel=f"{tag} / {inner.tunnel}" if inner.tunnel else tag)
    if kind:
        return _after_type(data, kind, at, "")
    raw = _raw(data[at : at + 1])
    return raw._replace(start=at)


_READERS: dict[int, Callable[[bytes], Carried]] = {
    NULL: _family,
    LOOP: _family,
    ETHERNET: _ethernet,
    PPP: _ppp,
    50: _ppp,
    51: lambda data: _pppoe(data, 0, ""),
    166: _ppp_directed,
    204: _ppp_directed,
    SLL: _sll,
    SLL2: _sll2,
    **dict.fromkeys((12, 14, RAW, 228, 229), _raw),
}
LINK_TYPES = frozenset(_READERS)
"""The LINKTYPE_ numbers that are unwrapped."""
