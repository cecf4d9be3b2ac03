"""IP read from captured packets: link layer, fragments and tunnels taken off, to what TCP and UDP carry.

Law: sans-IO, and no bytes raise: hostile ones become `Unread` with a reason, or a `Datagram` with flaws. Nothing is
read beyond the length that IP announces; what the capture does not hold of it is told (`lacks`). Nesting, extension
headers and everything kept back are bounded. Checksums are not verified unless asked for: where the capturing machine
leaves them to its network card, those it sends are wrong in every capture.
RFC 791, 8200, 768, 9293, 4302.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from busgate.decode import link, tunnel
from busgate.decode.datagram import Addresses, Datagram, Held, Step, Unread
from busgate.decode.fragments import Fragments, Whole
from busgate.decode.link import ETHERNET, IPV4, IPV6
from busgate.model import Packet

MOST_NESTED = 4
"""Tunnels within one another that are followed; a packet in more stays wrapped."""

MOST_HEADERS = 16
"""Extension headers of one IPv6 packet that are followed."""

_TCP, _UDP, _FRAGMENT, _GRE, _AUTHENTICATION = 6, 17, 44, 47, 51
_NAMES = {
    1: "icmp",
    2: "igmp",
    6: "tcp",
    17: "udp",
    46: "rsvp",
    47: "gre",
    50: "esp",
    58: "icmp6",
    59: "none",
    89: "ospf",
    132: "sctp",
}
_EXTENSIONS = frozenset({0, 43, 44, 51, 60, 135, 139, 140})  # with those of mobility, HIP and shim6
_NESTED = {4: IPV4, 41: IPV6}
_TUNNEL_PORTS = frozenset({tunnel.GTP_U, tunnel.GSMTAP})

_IP4 = struct.Struct(">BxHHHxB2x4s4s")
_IP4_PORTS = struct.Struct(">BxHHHxB2x8sHH")
_IP6 = struct.Struct(">IHBx16s16s")
_TCP_REST = struct.Struct(">IIBBH")
_MF_AND_OFFSET = 0x3FFF
_new = tuple.__new__  # Datagram(...) takes twice as long, and there is one for every packet


class _Head(NamedTuple):
    """What is known of a packet once its IP header is read; `src` and `dst` are packed, `source` and `target` texts."""

    at: int
    src: bytes
    dst: bytes
    source: str
    target: str
    lacks: int
    tunnel: str
    depth: int
    flaws: tuple[str, ...] = ()

    def unread(self, protocol: str, reason: str, data: bytes) -> Unread:
        return Unread(self.at, protocol, reason, data, self.source, self.target)


class Reader:
    """Reads packets one by one; give it a capture's packets in their order.

    `checksums` verifies those of IPv4, TCP and UDP and tells wrong ones as flaws.
    """

    def __init__(self, *, checksums: bool = False, fragments: Fragments | None = None) -> None:
        self._addresses = Addresses()
        self._pairs = self._addresses.pairs
        self._fragments = fragments or Fragments()
        self._checksums = checksums

    def read(self, packet: Packet) -> Step:
        """What one packet carries."""
        at, _, link_type, data, _ = packet
        if link_type == ETHERNET and data[12:14] == b"\x08\0":
            return self._ip4(at, data, 14, "", 0)
        return self.unwrap(at, link_type, data)

    def unwrap(self, at: int, link_type: int, data: bytes) -> Step:
        """As `read`, for whoever has a packet's parts and no need of the packet."""
        if link_type == ETHERNET and data[12:14] == b"\x08\0":
            return self._ip4(at, data, 14, "", 0)
        network, start, tagged, protocol, reason = link.carried(link_type, data)
        if network:
            return (self._ip4 if network == IPV4 else self._ip6)(at, data, start, tagged, 0)
        return Unread(at, protocol, reason, data[start:])

    def tick(self, now: int) -> list[Unread]:
        """The datagrams whose fragments did not all come by `now`."""
        return [
            Unread(now, "fragments", lost.reason, lost.data, *self._ends(lost.key))
            for lost in self._fragments.tick(now)
        ]

    def next_deadline(self) -> int | None:
        """When `tick` has something to do; None while nothing waits."""
        return self._fragments.next_deadline()

    def _ip4(self, at: int, data: bytes, start: int, wrapped: str, depth: int) -> Step:
        room = len(data) - start
        if room < 28:
            return self._odd_ip4(at, data, start, wrapped, depth)
        first, total, _, split, protocol, both, sport, dport = _IP4_PORTS.unpack_from(data, start)
        if first != 0x45 or split & _MF_AND_OFFSET or not 28 <= total <= room or self._checksums:
            return self._odd_ip4(at, data, start, wrapped, depth)
        # The warm path: IPv4 without options, whole, and long enough for the header of UDP.
        source, target = self._pairs.get(both) or self._addresses.pair(both)
        end = start + total
        if protocol == _TCP and total >= 40:
            seq, ack, offset, flags, window = _TCP_REST.unpack_from(data, start + 24)
            begin = start + 20 + (offset >> 4 << 2)
            if offset >= 0x50 and begin <= end:
                return _new(
                    Datagram,
                    (at, "tcp", source, sport, target, dport, data[begin:end], flags, seq, ack, window, wrapped, (), 0),
                )
        elif protocol == _UDP and dport not in _TUNNEL_PORTS and data[start + 24] << 8 | data[start + 25] == total - 20:
            return _new(
                Datagram, (at, "udp", source, sport, target, dport, data[start + 28 : end], 0, 0, 0, 0, wrapped, (), 0)
            )
        head = _Head(at, both[:4], both[4:], source, target, 0, wrapped, depth)
        return self._transport(head, protocol, data[start + 20 : end])

    def _odd_ip4(self, at: int, data: bytes, start: int, wrapped: str, depth: int) -> Step:
        """Whatever the warm path does not take: options, fragments, cut captures, lies."""
        room = len(data) - start
        if room < 20:
            return Unread(at, "ipv4", "the IPv4 header is cut", data[start:])
        first, total, number, split, protocol, src, dst = _IP4.unpack_from(data, start)
        size = (first & 0x0F) * 4
        if first >> 4 != 4 or size < 20:
            return Unread(at, "ipv4", "the version or header length is not one of IPv4", data[start:])
        total = total or room  # segmentation left to the network card: the length is not filled in yet
        source, target = self._addresses.text(src), self._addresses.text(dst)
        head = _Head(at, src, dst, source, target, max(0, total - room), wrapped, depth)
        if size > room or total < size:
            reason = "the IPv4 header is cut" if size > room else "the total length is shorter than the header"
            return head.unread("ipv4", reason, data[start:])
        if self._checksums and int.from_bytes(data[start : start + size]) % 0xFFFF:
            head = head._replace(flaws=("the IPv4 header checksum is wrong",))
        payload = data[start + size : start + total]
        if split & _MF_AND_OFFSET:
            key = (src, dst, protocol, number)
            whole = self._piece(head, key, (split & 0x1FFF) * 8, payload, more=bool(split & 0x2000))
            if not isinstance(whole, Whole):
                return whole
            payload, head = whole.data, head._replace(flaws=head.flaws + whole.flaws)
        return self._transport(head, protocol, payload)

    def _ip6(self, at: int, data: bytes, start: int, wrapped: str, depth: int) -> Step:
        room = len(data) - start - 40
        if room < 0:
            return Unread(at, "ipv6", "the IPv6 header is cut", data[start:])
        first, length, protocol, src, dst = _IP6.unpack_from(data, start)
        if first >> 28 != 6:
            return Unread(at, "ipv6", "the version is not 6", data[start:])
        length = length or room  # a jumbogram, or left to the network card
        source, target = self._addresses.text(src), self._addresses.text(dst)
        head = _Head(at, src, dst, source, target, max(0, length - room), wrapped, depth)
        return self._extended(head, protocol, data[start + 40 : start + 40 + length])

    def _extended(self, head: _Head, protocol: int, rest: bytes) -> Step:
        """RFC 8200, 4: headers between that of IPv6 and the transport's."""
        for _ in range(MOST_HEADERS):
            if protocol not in _EXTENSIONS:
                return self._transport(head, protocol, rest)
            size = 8 if protocol == _FRAGMENT or len(rest) < 2 else rest[1] * 8 + 8
            if protocol == _AUTHENTICATION and len(rest) >= 2:
                size = rest[1] * 4 + 8
            if len(rest) < size:
                return head.unread("ipv6", "an extension header is cut", rest)
            split = rest[2] << 8 | rest[3] if protocol == _FRAGMENT else 0
            if split & 0xFFF9:  # else an atomic fragment (RFC 6946), which is whole
                key = (head.src, head.dst, None, rest[4:8])
                whole = self._piece(head, key, split & 0xFFF8, rest[8:], more=bool(split & 1))
                if not isinstance(whole, Whole):
                    return whole
                protocol, rest, head = rest[0], whole.data, head._replace(flaws=head.flaws + whole.flaws)
            else:
                protocol, rest = rest[0], rest[size:]
        return head.unread("ipv6", f"more than {MOST_HEADERS} extension headers", rest)

    def _piece(
        self, head: _Head, key: tuple[object, ...], offset: int, payload: bytes, *, more: bool
    ) -> Whole | Held | Unread:
        if head.lacks:
            return head.unread("fragments", f"the capture lacks {head.lacks} bytes of a fragment", payload)
        whole = self._fragments.add(head.at, key, offset, payload, more=more)
        if whole is None:
            return Held(head.at, head.source, head.target)
        return head.unread("fragments", whole, payload) if isinstance(whole, str) else whole

    def _transport(self, head: _Head, protocol: int, unit: bytes) -> Step:
        """What lies behind the IP header: `unit`, of which the capture does not hold the last `head.lacks` bytes."""
        if protocol in {_TCP, _UDP}:
            if self._checksums and not head.lacks and not _sums_up(head, protocol, unit):
                head = head._replace(flaws=(*head.flaws, f"the {_NAMES[protocol].upper()} checksum is wrong"))
            if protocol == _TCP:
                return _tcp(head, unit)
            step = _udp(head, unit)
            if isinstance(step, Datagram) and step.dport in _TUNNEL_PORTS:
                inner = (tunnel.gtp_u if step.dport == tunnel.GTP_U else tunnel.gsmtap)(step.payload)
                return self._unwrapped(step, inner, head.depth) if inner else step
            return step
        outer = _datagram(head, _NAMES.get(protocol, f"ip-{protocol}"), (0, 0), unit)
        if protocol in _NESTED:
            return self._unwrapped(outer, tunnel.Inner(_NESTED[protocol], 0, "ip-in-ip"), head.depth)
        carried = tunnel.gre(unit) if protocol == _GRE else None
        return self._unwrapped(outer, carried, head.depth) if carried else outer

    def _unwrapped(self, outer: Datagram, inner: tunnel.Inner, depth: int) -> Step:
        """What a tunnel carries; the outer one with a flaw where that cannot be read: it reached its port."""
        if depth >= MOST_NESTED:
            return outer._replace(flaws=(*outer.flaws, f"more than {MOST_NESTED} tunnels within one another"))
        path = f"{inner.name} {outer.src} > {outer.dst}"
        wrapped = f"{outer.tunnel} / {path}" if outer.tunnel else path
        if not inner.network:
            return outer._replace(transport="gsmtap", payload=outer.payload[inner.start :], tunnel=wrapped)
        read = self._ip4 if inner.network == IPV4 else self._ip6
        step = read(outer.at, outer.payload, inner.start, wrapped, depth + 1)
        if isinstance(step, Unread):
            return outer._replace(flaws=(*outer.flaws, f"{inner.name}: {step.reason}"))
        if isinstance(step, Datagram) and outer.flaws:
            return step._replace(flaws=outer.flaws + step.flaws)
        return step

    def _ends(self, key: object) -> tuple[str, str]:
        """The addresses of a fragment's key."""
        if isinstance(key, tuple) and isinstance(key[0], bytes) and isinstance(key[1], bytes):
            return self._addresses.text(key[0]), self._addresses.text(key[1])
        return "", ""


def _datagram(head: _Head, transport: str, ports: tuple[int, int], payload: bytes) -> Datagram:
    return Datagram(
        head.at, transport, head.source, ports[0], head.target, ports[1], payload,
        tunnel=head.tunnel, flaws=head.flaws, lacks=head.lacks,
    )  # fmt: skip


def _tcp(head: _Head, unit: bytes) -> Datagram | Unread:
    """RFC 9293, 3.1."""
    if len(unit) < 20:
        return head.unread("tcp", "the TCP header is cut", unit)
    seq, ack, offset, flags, window = _TCP_REST.unpack_from(unit, 4)
    begin = offset >> 4 << 2
    if begin < 20 or begin > len(unit):
        reason = "the TCP data offset is shorter than the header" if begin < 20 else "the TCP options are cut"
        return head.unread("tcp", reason, unit)
    ports = unit[0] << 8 | unit[1], unit[2] << 8 | unit[3]
    return _datagram(head, "tcp", ports, unit[begin:])._replace(flags=flags, seq=seq, ack=ack, window=window)


def _udp(head: _Head, unit: bytes) -> Datagram | Unread:
    """RFC 768; a length of 0 is a jumbogram's (RFC 2675) or was left to the network card."""
    if len(unit) < 8:
        return head.unread("udp", "the UDP header is cut", unit)
    announced = len(unit) + head.lacks
    length = unit[4] << 8 | unit[5] or announced
    if length < 8:
        return head.unread("udp", "the UDP length is shorter than the header", unit)
    if length > announced:
        head = head._replace(flaws=(*head.flaws, f"the UDP length is {length}, the packet has {announced}"))
        length = announced
    head = head._replace(lacks=max(0, length - len(unit)))
    return _datagram(head, "udp", (unit[0] << 8 | unit[1], unit[2] << 8 | unit[3]), unit[8:length])


def _sums_up(head: _Head, protocol: int, unit: bytes) -> bool:
    """RFC 1071 over the pseudo-header and the unit: the one's complement sum of all 16-bit words is 0xffff."""
    if protocol == _UDP and len(unit) >= 8:
        if len(head.src) == 4 and unit[6:8] == b"\0\0":  # the sender computed none
            return True
        length = unit[4] << 8 | unit[5]
        unit = unit[:length] if 8 <= length <= len(unit) else unit
    pseudo = head.src + head.dst + len(unit).to_bytes(4) + protocol.to_bytes(4)
    return int.from_bytes(pseudo + unit + bytes(len(unit) & 1)) % 0xFFFF == 0
