from __future__ import annotations

import struct

import pytest
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import (
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.ipsec import AH
from scapy.layers.l2 import ARP, GRE, LLC, SNAP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Dot3, Ether, Loopback
from scapy.layers.ppp import HDLC, PPP, PPPoE
from scapy.packet import Packet as Layer

from busgate.decode import ip
from busgate.decode.datagram import Datagram, Held, Unread
from busgate.decode.fragments import DIFFER, DISAGREE, Fragments
from busgate.decode.ip import Reader
from support.traffic import BUS, CLOUD, ETHERNET, RAW, captured, cut, ether, gtp, read_one, tcp, udp

SECOND = 1_000_000_000
HELLO = Datagram(0, "udp", BUS, 5000, CLOUD, 6000, b"hello")


@pytest.mark.parametrize(
    ("link_type", "layer", "tunnel"),
    [
        (1, ether(udp()), ""),
        (1, Ether() / Dot1Q(vlan=7) / udp(), "vlan 7"),
        (1, Ether() / Dot1AD(vlan=9) / Dot1Q(vlan=7) / udp(), "s-vlan 9 / vlan 7"),
        (1, Dot3() / LLC() / SNAP() / udp(), ""),
        (1, Ether() / PPPoE(sessionid=3) / PPP() / udp(), "pppoe session 3"),
        (101, udp(), ""),
        (12, udp(), ""),
        (14, udp(), ""),
        (228, udp(), ""),
        (113, CookedLinux() / udp(), ""),
        (113, CookedLinux(proto=0x8100) / bytes.fromhex("00070800") / udp(), "vlan 7"),
        (113, CookedLinux(proto=0) / udp(), ""),
        (276, CookedLinuxV2() / udp(), ""),
        (9, PPP() / udp(), ""),
        (9, HDLC() / PPP() / udp(), ""),
        (9, b"\x21" + bytes(udp()), ""),
        (9, b"\xff\x03\x21" + bytes(udp()), ""),
        (50, HDLC() / PPP() / udp(), ""),
        (50, b"\x0f\x00\x08\x00" + bytes(udp()), ""),
        (51, PPPoE(sessionid=3) / PPP() / udp(), "pppoe session 3"),
        (166, b"\x01\x03\x00\x21" + bytes(udp()), ""),
        (204, b"\x00\xff\x03\x00\x21" + bytes(udp()), ""),
        (0, Loopback(type=2) / udp(), ""),
        (0, b"\0\0\0\x02" + bytes(udp()), ""),
        (108, b"\0\0\0\x02" + bytes(udp()), ""),
    ],
)
def test_every_link_type_is_unwrapped(link_type: int, layer: Layer, tunnel: str) -> None:
    assert read_one(captured(layer, link_type)) == HELLO._replace(tunnel=tunnel)


@pytest.mark.parametrize("link_type", [101, 229])
@pytest.mark.parametrize("family", [b"", b"\x1e\0\0\0"])
def test_ipv6_on_raw_and_loopback_links(link_type: int, family: bytes) -> None:
    packet = bytes(IPv6(src="2001:db8:0::7", dst="2001:db8::9") / UDP(sport=5000, dport=6000) / b"hello")
    datagram = read_one(captured(family + packet, 0 if family else link_type))
    assert datagram == HELLO._replace(src="2001:db8::7", dst="2001:db8::9")


@pytest.mark.parametrize(
    ("link_type", "data", "protocol"),
    [
        (1, bytes(Ether() / ARP()), "arp"),
        (1, bytes(Ether() / Dot1Q(vlan=1) / ARP()), "arp"),
        (1, bytes(Dot3() / LLC(dsap=0x42, ssap=0x42, ctrl=3) / b"stp"), "llc"),
        (1, bytes(Ether(type=0x8100) / (b"\0\1\x81\0" * 6)), "vlan"),
        (1, bytes(Ether(type=0x1234)), "ethertype 1234"),
        (9, b"\xc0\x21\x01\x01\0\x04", "ppp lcp"),
        (51, b"\x11\x09\0\0\0\0\0\0", "pppoe"),
        (0, b"\x63\0\0\0rest", "loopback"),
        (101, b"\x70" * 40, "ip"),
        (147, b"anything", "link"),
    ],
)
def test_what_is_no_ip_is_named(link_type: int, data: bytes, protocol: str) -> None:
    step = Reader().read(captured(data, link_type))
    assert isinstance(step, Unread)
    assert step.protocol == protocol
    assert step.reason


def test_a_tcp_segment_has_its_header_fields() -> None:
    segment = tcp(b"abc", flags="PA", seq=0xFFFFFFFE, ack=5, window=77, options=[("MSS", 1400), ("Timestamp", (1, 2))])
    assert read_one(captured(ether(segment))) == Datagram(
        0, "tcp", BUS, 50000, CLOUD, 8808, b"abc", 0x18, 0xFFFFFFFE, 5, 77
    )


def test_ethernet_padding_is_no_payload() -> None:
    assert read_one(captured(bytes(ether(udp(b"x"))).ljust(60, b"\xee"))).payload == b"x"
    assert read_one(captured(bytes(ether(tcp(b"", flags="A"))).ljust(60, b"\xee"))).payload == b""


def test_options_of_ipv4_are_skipped() -> None:
    packet = IP(src=BUS, dst=CLOUD, options=[IPOption_NOP()] * 8) / UDP(sport=5000, dport=6000) / b"hello"
    assert read_one(captured(packet, RAW)) == HELLO


def test_icmp_and_other_protocols_are_whole_units() -> None:
    echo = bytes(ICMP(type=8, id=1, seq=2) / b"ping")
    assert read_one(captured(IP(src=BUS, dst=CLOUD) / echo, RAW))[1:7] == ("ip-0", BUS, 0, CLOUD, 0, echo)
    assert read_one(captured(IP(src=BUS, dst=CLOUD, proto=1) / echo, RAW)).transport == "icmp"
    assert read_one(captured(IP(src=BUS, dst=CLOUD, proto=50) / b"12345678", RAW)).transport == "esp"


def test_extension_headers_of_ipv6_are_skipped() -> None:
    layer = IPv6(src="2001:db8::7", dst="2001:db8::9") / IPv6ExtHdrHopByHop() / IPv6ExtHdrRouting()
    layer = (
        layer / IPv6ExtHdrDestOpt() / AH(nh=17, payloadlen=4, icv=bytes(12)) / UDP(sport=5000, dport=6000) / b"hello"
    )
    assert read_one(captured(layer, RAW)).payload == b"hello"
    atomic = IPv6(src="2001:db8::7", dst="2001:db8::9") / IPv6ExtHdrFragment() / UDP(sport=5000, dport=6000) / b"hello"
    assert read_one(captured(atomic, RAW)).payload == b"hello"


def test_too_many_extension_headers_are_refused() -> None:
    layer = IPv6(src="2001:db8::7", dst="2001:db8::9", nh=60)
    chain = b"".join(bytes([60, 0]) + bytes(6) for _ in range(ip.MOST_HEADERS + 1))
    step = Reader().read(captured(bytes(layer / chain), RAW))
    assert isinstance(step, Unread)
    assert "extension headers" in step.reason
    assert (step.src, step.dst) == ("2001:db8::7", "2001:db8::9")


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (0, 0, 1, 1, 2, 3)])
@pytest.mark.parametrize("version", [4, 6])
def test_fragments_are_joined_in_any_order(order: tuple[int, ...], version: int) -> None:
    payload = bytes(range(256)) * 4
    if version == 4:
        pieces = cut(udp(payload, id=77), 264)
    else:
        whole = IPv6(src="2001:db8::7", dst="2001:db8::9") / IPv6ExtHdrFragment() / UDP(sport=5000, dport=6000)
        pieces = cut(whole / payload, 330)
    assert len(pieces) == 4
    reader = Reader()
    steps = [reader.read(captured(pieces[number], RAW)) for number in order]
    assert all(isinstance(step, Held) for step in steps[:-1])
    last = steps[-1]
    assert isinstance(last, Datagram)
    assert (last.sport, last.dport, last.payload, last.flaws) == (5000, 6000, payload, ())
    assert reader.next_deadline() is None


def pieces_of(*parts: tuple[int, bytes, bool]) -> list[bytes]:
    return [
        bytes(IP(src=BUS, dst=CLOUD, proto=17, id=5, frag=offset // 8, flags="MF" if more else 0) / data)
        for offset, data, more in parts
    ]


def test_overlapping_fragments_that_differ_are_told_and_the_first_wins() -> None:
    unit = bytes(UDP(sport=5000, dport=6000, len=32, chksum=0)) + b"A" * 24
    reader = Reader()
    for piece in pieces_of((0, unit[:24], True), (16, b"B" * 8, True)):
        assert isinstance(reader.read(captured(piece, RAW)), Held)
    last = read_one(captured(pieces_of((24, unit[24:], False))[0], RAW), reader)
    assert last.payload == b"A" * 24
    assert last.flaws == (DIFFER,)


def test_fragments_that_disagree_about_the_end_are_told() -> None:
    unit = bytes(UDP(sport=5000, dport=6000, len=24, chksum=0)) + b"A" * 16
    reader = Reader()
    for piece in pieces_of((16, unit[16:], False), (24, b"beyond!!", True), (0, unit[:8], True)):
        assert isinstance(reader.read(captured(piece, RAW)), Held)
    last = read_one(captured(pieces_of((8, unit[8:16], True))[0], RAW), reader)
    assert (last.payload, last.flaws) == (b"A" * 16, (DISAGREE,))


@pytest.mark.parametrize("piece", [(65528, b"12345678", True), (8, b"odd", True), (8, b"", True)])
def test_fragments_that_no_receiver_takes_are_refused(piece: tuple[int, bytes, bool]) -> None:
    step = Reader().read(captured(pieces_of(piece)[0], RAW))
    assert isinstance(step, Unread)
    assert step.reason.startswith("a fragment")


def test_fragments_that_stay_alone_time_out_by_the_time_of_packets() -> None:
    reader = Reader()
    first, second = cut(udp(b"A" * 100, id=1), 64)
    assert isinstance(reader.read(captured(first, RAW, at=5 * SECOND)), Held)
    assert reader.next_deadline() == 35 * SECOND
    assert reader.tick(35 * SECOND - 1) == []
    (lost,) = reader.tick(35 * SECOND)
    assert (lost.src, lost.dst, lost.protocol) == (BUS, CLOUD, "fragments")
    assert lost.data == bytes(first)[20:]
    assert isinstance(reader.read(captured(second, RAW, at=36 * SECOND)), Held)


def test_a_fragment_after_the_time_begins_anew_without_a_tick() -> None:
    reader = Reader()
    first, second = cut(udp(b"A" * 100, id=1), 64)
    reader.read(captured(first, RAW))
    assert isinstance(reader.read(captured(second, RAW, at=31 * SECOND)), Held)
    assert [lost.reason for lost in reader.tick(31 * SECOND)] == ["its fragments did not all come in time"]


def test_a_flood_of_fragments_is_bounded() -> None:
    fragments = Fragments(most=50, most_bytes=200_000)
    reader = Reader(fragments=fragments)
    for number in range(500):
        reader.read(captured(IP(src=BUS, dst=CLOUD, proto=17, id=number, frag=1000, flags="MF") / bytes(64), RAW))
        assert fragments.held <= 200_000 + 2 * 65536
    assert 0 < len(reader.tick(0)) <= 50


GTP_INNER = bytes(udp())


@pytest.mark.parametrize(
    "message",
    [
        gtp(GTP_INNER),
        gtp(GTP_INNER, flags=0x32, options=b"\0\1\0\0"),
        gtp(GTP_INNER, flags=0x34, options=b"\0\0\0\x85\x01\x10\x01\xc0\x02\0\0\0\0\0\0\0"),
        bytes(GTP_U_Header(teid=0x2A) / GTPPDUSessionContainer(type=1, QFI=1) / udp()),
    ],
)
def test_gtp_u_is_unwrapped(message: bytes) -> None:
    outer = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=2152, dport=2152) / message
    assert read_one(captured(ether(outer))) == HELLO._replace(tunnel="gtp-u teid 0000002a 10.0.0.1 > 10.0.0.2")


@pytest.mark.parametrize(
    "message",
    [
        bytes.fromhex("32010004000000000001 0000".replace(" ", "")),  # echo request
        gtp(b"\x00no ip"),
        gtp(b""),
        b"\x30",
        gtp(GTP_INNER, flags=0x34, options=b"\0\0\0\x85\x00\x10\x01\xc0"),
        gtp(GTP_INNER, flags=0x34, options=b"\0\0\0\x85\xff\x10\x01\xc0"),
    ],
)
def test_what_is_no_g_pdu_stays_a_datagram(message: bytes) -> None:
    datagram = read_one(captured(IP(src=BUS, dst=CLOUD) / UDP(sport=9, dport=2152) / message, RAW))
    assert (datagram.transport, datagram.dport, datagram.payload, datagram.tunnel) == ("udp", 2152, message, "")


def test_an_unreadable_packet_in_a_tunnel_leaves_the_outer_one_with_a_flaw() -> None:
    message = gtp(b"\x45\0\0")
    datagram = read_one(captured(IP(src=BUS, dst=CLOUD) / UDP(sport=9, dport=2152) / message, RAW))
    assert datagram.payload == message
    assert datagram.flaws == ("gtp-u teid 0000002a: the IPv4 header is cut",)


def test_nesting_is_bounded() -> None:
    inner = bytes(udp())
    for _ in range(ip.MOST_NESTED + 2):
        inner = bytes(IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=2152, dport=2152) / gtp(inner))
    datagram = read_one(captured(inner, RAW))
    assert datagram.dport == 2152
    assert datagram.tunnel.count("gtp-u") == ip.MOST_NESTED
    assert datagram.flaws == (f"more than {ip.MOST_NESTED} tunnels within one another",)


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (IP(src="10.0.0.1", dst="10.0.0.2") / udp(), "ip-in-ip"),
        (IP(src="10.0.0.1", dst="10.0.0.2") / GRE() / udp(), "gre"),
        (IP(src="10.0.0.1", dst="10.0.0.2") / GRE(key_present=1, key=7, seqnum_present=1) / udp(), "gre"),
    ],
)
def test_ip_in_ip_and_gre(layer: Layer, name: str) -> None:
    assert read_one(captured(layer, RAW)) == HELLO._replace(tunnel=f"{name} 10.0.0.1 > 10.0.0.2")


def gsmtap2(kind: int, payload: bytes, *, sub: int = 0, arfcn: int = 514) -> bytes:
    return struct.pack(">BBBBHbbIBBBB", 2, 4, kind, 0, arfcn, -60, 0, 1234, sub, 0, 0, 0) + payload


def gsmtap3(kind: int, payload: bytes, *, sub: int = 0, metadata: bytes = b"") -> bytes:
    return struct.pack(">BBHHH", 3, 0, 2 + len(metadata) // 4, kind, sub) + metadata + payload


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (gsmtap2(1, b"lapdm", sub=8), "gsmtap um sdcch8"),
        (gsmtap2(1, b"lapdm", sub=0x88, arfcn=0x4000), "gsmtap um sdcch8 acch uplink"),
        (gsmtap2(4, b"lapdm"), "gsmtap sim"),
        (gsmtap2(18, b"lapdm", sub=1), "gsmtap nas-eps 1"),
        (gsmtap2(99, b"lapdm"), "gsmtap type 99"),
        (gsmtap3(0x0200, b"lapdm", sub=0x0106), "gsmtap um sdcch acch"),
        (gsmtap3(0x0404, b"lapdm", metadata=bytes(8)), "gsmtap nas-eps"),
        (gsmtap3(0x0777, b"lapdm"), "gsmtap type 0777"),
    ],
)
def test_gsmtap_payloads_are_named(message: bytes, name: str) -> None:
    datagram = read_one(captured(IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=7, dport=4729) / message, RAW))
    assert datagram == Datagram(
        0, "gsmtap", "10.0.0.1", 7, "10.0.0.2", 4729, b"lapdm", tunnel=f"{name} 10.0.0.1 > 10.0.0.2"
    )


SN_UNITDATA = b"\x65\x00\x00\x01"


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (gsmtap2(9, SN_UNITDATA + GTP_INNER), "gsmtap gb-sndcp nsapi 5"),
        (gsmtap2(8, b"\x03\xc0\x01" + SN_UNITDATA + GTP_INNER + b"fcs"), "gsmtap gb-llc user data nsapi 5"),
        (gsmtap3(0x0204, b"\x45\x00\x07" + GTP_INNER), "gsmtap gb-sndcp nsapi 5"),
    ],
)
def test_gsmtap_of_the_gb_interface_carries_ip(message: bytes, name: str) -> None:
    outer = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=7, dport=4729) / message
    assert read_one(captured(outer, RAW)) == HELLO._replace(tunnel=f"{name} 10.0.0.1 > 10.0.0.2")


@pytest.mark.parametrize(
    "message",
    [
        gsmtap2(8, b"\x03\xc0\x03" + SN_UNITDATA + GTP_INNER),  # ciphered
        gsmtap2(8, b"\x07\xc0\x01\x09\x01"),  # SAPI 7: a short message
        gsmtap2(9, b"\x75\x00\x00\x01" + GTP_INNER),  # more segments follow
        gsmtap2(9, b"\x65\x12\x00\x01" + GTP_INNER),  # compressed
        gsmtap2(9, b""),
    ],
)
def test_what_cannot_be_read_of_the_gb_interface_stays_whole(message: bytes) -> None:
    datagram = read_one(captured(IP(src=BUS, dst=CLOUD) / UDP(sport=7, dport=4729) / message, RAW))
    assert (datagram.transport, datagram.payload) == ("gsmtap", message[16:])


def test_kinds_that_bear_short_messages_are_known() -> None:
    from busgate.decode.tunnel import gsmtap, may_bear_sms

    def bears(message: bytes) -> bool:
        inner = gsmtap(message)
        assert inner is not None
        return may_bear_sms(inner.name)

    assert bears(gsmtap2(1, b"", sub=8))
    assert bears(gsmtap2(4, b""))
    assert bears(gsmtap2(8, b"\x07\xc0\x01"))
    assert not bears(gsmtap2(1, b"", sub=1))
    assert not bears(gsmtap2(8, b"\x03\xc0\x01"))


@pytest.mark.parametrize("message", [b"", b"\x02\x04", gsmtap2(1, b"")[:15], gsmtap3(0x0200, b"")[:7], b"\x01" * 40])
def test_what_is_no_gsmtap_stays_a_datagram(message: bytes) -> None:
    datagram = read_one(captured(IP(src=BUS, dst=CLOUD) / UDP(sport=7, dport=4729) / message, RAW))
    assert (datagram.transport, datagram.payload) == ("udp", message)


def test_a_cut_capture_says_what_it_lacks() -> None:
    segment = bytes(ether(tcp(b"A" * 1000)))
    datagram = read_one(captured(segment[:500]))
    assert (len(datagram.payload), datagram.lacks) == (446, 554)
    datagram = read_one(captured(bytes(ether(udp(b"A" * 1000)))[:500]))
    assert (len(datagram.payload), datagram.lacks) == (458, 542)
    step = Reader().read(captured(bytes(ether(tcp(b"A")))[:50]))
    assert isinstance(step, Unread)


@pytest.mark.parametrize(
    ("packet", "protocol"),
    [
        (b"\x45\0\0\x14", "ipv4"),
        (bytes(IP(src=BUS, dst=CLOUD, ihl=4) / UDP() / b"12345678"), "ipv4"),
        (bytes(IP(src=BUS, dst=CLOUD, ihl=15) / UDP() / b"12345678"), "ipv4"),
        (bytes(IP(src=BUS, dst=CLOUD, len=19) / UDP() / b"12345678"), "ipv4"),
        (bytes(tcp(b"", dataofs=4)), "tcp"),
        (bytes(tcp(b"", dataofs=15)), "tcp"),
        (bytes(IP(src=BUS, dst=CLOUD, proto=6) / b"short"), "tcp"),
        (bytes(IP(src=BUS, dst=CLOUD, proto=17) / b"short"), "udp"),
        (bytes(IP(src=BUS, dst=CLOUD) / UDP(len=7) / b"x"), "udp"),
        (bytes(IPv6())[:39], "ipv6"),
        (bytes(IPv6(nh=0) / b"\x11\xff" / bytes(20)), "ipv6"),
        (bytes(IPv6(nh=44) / b"\x11\x00"), "ipv6"),
    ],
)
def test_lies_in_headers_have_a_reason(packet: bytes, protocol: str) -> None:
    step = Reader().read(captured(packet, RAW))
    assert isinstance(step, Unread), step
    assert step.protocol == protocol
    assert step.reason


def test_a_udp_length_beyond_the_packet_is_a_flaw() -> None:
    datagram = read_one(captured(IP(src=BUS, dst=CLOUD) / UDP(sport=5000, dport=6000, len=99) / b"hello", RAW))
    assert datagram == HELLO._replace(flaws=("the UDP length is 99, the packet has 13",))


def test_lengths_left_to_the_network_card_reach_to_the_end() -> None:
    assert (
        read_one(captured(IP(src=BUS, dst=CLOUD, len=0) / UDP(sport=5000, dport=6000, len=0) / b"hello", RAW)) == HELLO
    )


def test_checksums_are_verified_on_request_only() -> None:
    wrong = [
        IP(src=BUS, dst=CLOUD, chksum=1) / UDP(sport=5000, dport=6000) / b"hello",
        IP(src=BUS, dst=CLOUD) / UDP(sport=5000, dport=6000, chksum=1) / b"hello",
        IP(src=BUS, dst=CLOUD) / TCP(sport=5000, dport=6000, chksum=1) / b"hello",
    ]
    right = [udp(), tcp(), udp(b"odd"), IP(src=BUS, dst=CLOUD) / UDP(sport=5000, dport=6000, chksum=0) / b"hello"]
    right.append(IPv6(src="2001:db8::7", dst="2001:db8::9") / TCP() / b"hello")
    strict, lax = Reader(checksums=True), Reader()
    assert [read_one(captured(layer, RAW), strict).flaws for layer in wrong] == [
        ("the IPv4 header checksum is wrong",),
        ("the UDP checksum is wrong",),
        ("the TCP checksum is wrong",),
    ]
    assert not any(read_one(captured(layer, RAW), strict).flaws for layer in right)
    assert not any(read_one(captured(layer, RAW), lax).flaws for layer in wrong)


def test_forged_sources_take_no_memory() -> None:
    reader = Reader()
    packet = bytearray(bytes(udp()))
    for number in range(40_000):
        packet[12:16] = number.to_bytes(4)
        reader.read(captured(bytes(packet), RAW))
    assert len(reader._addresses._known) <= 1 << 14
    assert len(reader._pairs) <= 1 << 14
    assert read_one(captured(bytes(ether(udp())), ETHERNET), reader) == HELLO
