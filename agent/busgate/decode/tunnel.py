"""What a mobile network wraps IP in: GTP-U and GSMTAP over UDP, SNDCP on the Gb interface, GRE and IP in IP.

Law: one level is taken off at a time, by arithmetic on bytes that are there; what does not look like the tunnel stays
the UDP datagram it is. Sources: 3GPP TS 29.281 (GTP-U), TS 44.064 (LLC), TS 44.065 (SNDCP), RFC 2784 and 2890 (GRE),
osmocom's gsmtap.h (version 2) and gsmtapv3.h.
"""

from __future__ import annotations

from typing import NamedTuple

from busgate.decode.link import IPV4, IPV6

GTP_U, GSMTAP = 2152, 4729
"""UDP ports."""


class Inner(NamedTuple):
    """What a tunnel carries: `network` (an EtherType; 0 is no IP) from `start` on, and how people would call it."""

    network: int
    start: int
    name: str


def gtp_u(data: bytes) -> Inner | None:
    """A G-PDU's packet (TS 29.281, 5.1); None for signalling and for what is no GTP-U."""
    if len(data) < 8 or data[0] & 0xF0 != 0x30 or data[1] != 0xFF:  # version 1, GTP rather than GTP'; message 255
        return None
    start = 8
    if data[0] & 0x07:  # extension, sequence number or N-PDU number: then all three fields are there
        if len(data) < 12:
            return None
        following = data[11] if data[0] & 0x04 else 0
        start = 12
        while following:  # 5.2.1: length in units of 4 bytes, content, type of the next
            if len(data) <= start or not data[start]:
                return None
            start += 4 * data[start]
            if len(data) < start:
                return None
            following = data[start - 1]
    network = _network(data, start)
    return Inner(network, start, f"gtp-u teid {data[4:8].hex()}") if network else None


def gsmtap(data: bytes) -> Inner | None:
    """The header of GSMTAP versions 2 and 3; IP where the type is one that carries it, else the payload named."""
    if len(data) >= 16 and data[0] == 2 and data[1] >= 4:
        start = 4 * data[1]
        kind = _TYPES.get(data[2], f"type {data[2]}")
        sub = data[12]
        way = " uplink" if data[4] & 0x40 else ""
        return _gsmtap_payload(data, start, kind, _sub_2(kind, sub) + way)
    if len(data) >= 8 and data[0] == 3 and (data[2] or data[3] >= 2):
        start = 4 * (data[2] << 8 | data[3])
        number, sub = data[4] << 8 | data[5], data[6] << 8 | data[7]
        kind = _TYPES_3.get(number, f"type {number:04x}")
        return _gsmtap_payload(data, start, kind, _sub_3(kind, sub))
    return None


def may_bear_sms(name: str) -> bool:
    """Whether a GSMTAP payload, by the name that `gsmtap` gave it, is of a kind that short messages travel in."""
    return any(name.startswith(kind) for kind in _SMS_BEARERS)


def gre(data: bytes) -> Inner | None:
    """RFC 2784 and 2890: checksum, key and sequence number are there as the flags say."""
    if len(data) < 4:
        return None
    flags, version = data[0], data[1] & 0x07
    network = data[2] << 8 | data[3]
    start = 4 + 4 * ((flags >> 7 & 1) + (flags >> 5 & 1) + (flags >> 4 & 1))
    if version or flags & 0x40 or network not in {IPV4, IPV6} or start > len(data):
        return None
    return Inner(network, start, "gre")


def _network(data: bytes, start: int) -> int:
    """IP told by its version, where the tunnel itself does not name what it carries."""
    version = data[start] >> 4 if start < len(data) else 0
    return IPV4 if version == 4 else IPV6 if version == 6 else 0


def _gsmtap_payload(data: bytes, start: int, kind: str, sub: str) -> Inner | None:
    if start > len(data):
        return None
    name = f"gsmtap {kind}{sub}"
    if kind == "gb-llc":
        return _llc(data, start, name)
    if kind == "gb-sndcp":
        return _sndcp(data, start, name)
    return Inner(0, start, name)


def _llc(data: bytes, start: int, name: str) -> Inner:
    """TS 44.064, 6.2-6.4: address, control; unciphered UI frames of the user's SAPIs carry SNDCP, SAPI 7 an SMS."""
    if len(data) < start + 3:
        return Inner(0, start, name)
    sapi = data[start] & 0x0F
    name = f"{name} {_SAPIS.get(sapi, f'sapi {sapi}')}"
    ciphered = data[start + 2] & 0x02
    if data[start + 1] & 0xE0 != 0xC0 or sapi not in _USER_SAPIS or ciphered:
        return Inner(0, start, name + (" ciphered" if ciphered and data[start + 1] & 0xE0 == 0xC0 else ""))
    return _sndcp(data, start + 3, name)


def _sndcp(data: bytes, start: int, name: str) -> Inner:
    """TS 44.065, 7.1: the first and only segment of an N-PDU that is not compressed."""
    if len(data) < start + 4:
        return Inner(0, start, name)
    first, unacknowledged, more = data[start] & 0x40, data[start] & 0x20, data[start] & 0x10
    if not first or more or data[start + 1]:
        return Inner(0, start, name)
    inner = start + (4 if unacknowledged else 3)
    network = _network(data, inner)
    return Inner(network, inner if network else start, f"{name} nsapi {data[start] & 0x0F}")


def _sub_2(kind: str, sub: int) -> str:
    if kind == "um":
        associated = " acch" if sub & 0x80 else ""
        return f" {_CHANNELS.get(sub & 0x7F, f'channel {sub & 0x7F}')}{associated}"
    return f" {sub}" if sub else ""


def _sub_3(kind: str, sub: int) -> str:
    if kind == "um":
        associated = " acch" if sub & 0x0100 else ""
        return f" {_CHANNELS.get(sub & 0xFF, f'channel {sub & 0xFF}')}{associated}"
    return f" {sub}" if sub else ""


_TYPES = {
    1: "um", 2: "abis", 3: "um-burst", 4: "sim", 5: "tetra-i1", 6: "tetra-i1-burst", 7: "wimax-burst", 8: "gb-llc",
    9: "gb-sndcp", 10: "gmr1-um", 11: "umts-rlc-mac", 12: "umts-rrc", 13: "lte-rrc", 14: "lte-mac",
    15: "lte-mac-framed", 16: "osmocore-log", 17: "qc-diag", 18: "nas-eps", 19: "e1t1", 20: "gsm-rlp",
}  # fmt: skip
_TYPES_3 = {
    0x0000: "osmocore-log", 0x0001: "sim", 0x0002: "baseband-diag", 0x0004: "tetra-i1", 0x0005: "tetra-i1-burst",
    0x0006: "gmr1-um", 0x0007: "e1t1", 0x0008: "wimax-burst", 0x0009: "dect", 0x0010: "qcom-msm",
    0x0200: "um", 0x0201: "um-burst", 0x0202: "gb-rlcmac", 0x0203: "gb-llc", 0x0204: "gb-sndcp", 0x0205: "abis",
    0x0206: "gsm-rlp", 0x0300: "umts-mac", 0x0301: "umts-rlc", 0x0302: "umts-pdcp", 0x0303: "umts-rrc",
    0x0400: "lte-mac", 0x0401: "lte-rlc", 0x0402: "lte-pdcp", 0x0403: "lte-rrc", 0x0404: "nas-eps",
    0x0500: "nr-mac", 0x0501: "nr-rlc", 0x0502: "nr-pdcp", 0x0503: "nr-rrc", 0x0504: "nas-5gs",
}  # fmt: skip
_CHANNELS = {
    1: "bcch", 2: "ccch", 3: "rach", 4: "agch", 5: "pch", 6: "sdcch", 7: "sdcch4", 8: "sdcch8", 9: "facch-f",
    10: "facch-h", 11: "pacch", 12: "cbch52", 13: "pdch", 14: "ptcch", 15: "cbch51", 16: "voice-f", 17: "voice-h",
}  # fmt: skip
_SAPIS = {1: "gmm", 2: "tom2", 3: "user data", 5: "user data", 7: "sms", 8: "tom8", 9: "user data", 11: "user data"}
_USER_SAPIS = frozenset({3, 5, 9, 11})
_SMS_BEARERS = (
    "gsmtap um sdcch", "gsmtap um facch", "gsmtap abis", "gsmtap sim", "gsmtap gb-llc sms", "gsmtap nas-eps",
    "gsmtap nas-5gs", "gsmtap umts-rrc", "gsmtap lte-rrc", "gsmtap nr-rrc",
)  # fmt: skip
