"""DNS messages of scapy and dpkt, and the odd ones that nobody's resolver sends."""

from typing import Any

import dpkt
import pytest
from scapy.layers import dns as scapy

from busgate.decode.dns import MOST_RECORDS, Message, Stream, read
from busgate.model import Direction, Pdu, Span
from support.streams import fed, units

HEADER = "000181800001000100000000"
QUESTION = "0161076578616d706c650000010001"


def pdu(raw: bytes) -> Pdu:
    found = read(raw)
    assert found is not None
    return found


def message(*records: Any, question: str = "a.example", kind: str = "A") -> bytes:
    return bytes(scapy.DNS(id=7, qr=1, ra=1, qd=[scapy.DNSQR(qname=question, qtype=kind)], an=list(records)))


def answers(*records: Any) -> list[dict[str, Any]]:
    found = pdu(message(*records))
    assert not found.flaws
    return [
        {name: value for name, value in row.items() if name not in {"name", "class"}} for row in found.fields["answers"]
    ]


def test_a_query_is_read() -> None:
    found = pdu(bytes(scapy.DNS(id=0x1234, rd=1, qd=scapy.DNSQR(qname="ota.maker.example", qtype="AAAA"))))
    assert (found.name, found.direction, found.flaws) == ("query", Direction.UP, ())
    assert found.fields["questions"] == [{"name": "ota.maker.example", "type": "AAAA", "class": "IN"}]
    assert isinstance(found.body, Message)
    assert (found.body.id, found.body.recursion_desired, found.body.response) == (0x1234, True, False)


def test_answers_are_read_by_type() -> None:
    rr = scapy.DNSRR
    assert answers(
        rr(rrname="a.example", type="CNAME", rdata="b.example", ttl=60),
        rr(rrname="b.example", type="A", rdata="192.0.2.1", ttl=5),
        rr(rrname="b.example", type="AAAA", rdata="2001:db8::1", ttl=5),
        rr(rrname="b.example", type="TXT", rdata=[b"one", b"two"], ttl=1),
        rr(rrname="b.example", type="PTR", rdata="c.example", ttl=1),
        scapy.DNSRRSRV(rrname="_mqtt._tcp.example", priority=1, weight=2, port=8883, target="m.example", ttl=9),
        scapy.DNSRRMX(rrname="example", preference=10, exchange="mail.example", ttl=9),
    ) == [
        {"type": "CNAME", "ttl": 60, "target": "b.example"},
        {"type": "A", "ttl": 5, "address": "192.0.2.1"},
        {"type": "AAAA", "ttl": 5, "address": "2001:db8::1"},
        {"type": "TXT", "ttl": 1, "texts": ["one", "two"]},
        {"type": "PTR", "ttl": 1, "target": "c.example"},
        {"type": "SRV", "ttl": 9, "priority": 1, "weight": 2, "port": 8883, "target": "m.example"},
        {"type": "MX", "ttl": 9, "preference": 10, "target": "mail.example"},
    ]


def test_an_https_record_says_its_parameters() -> None:
    data = bytes.fromhex("000100000100030268320003000201bb00040004c0000201ff0000010a")
    found = pdu(bytes.fromhex(HEADER + QUESTION + "c00c0041000100000005") + len(data).to_bytes(2) + data)
    assert not found.flaws
    assert found.fields["answers"] == [
        {
            "name": "a.example",
            "type": "HTTPS",
            "class": "IN",
            "ttl": 5,
            "priority": 1,
            "target": ".",
            "parameters": {"alpn": ["h2"], "port": 443, "ipv4hint": ["192.0.2.1"], "key65280": "0a"},
        }
    ]


def test_what_dpkt_packs_is_what_is_read() -> None:
    made = dpkt.dns.DNS(id=9, op=0x8183, qd=[dpkt.dns.DNS.Q(name="x.example", type=33)])
    found = pdu(bytes(made))
    assert (found.fields["rcode"], found.fields["questions"][0]["type"]) == ("NXDOMAIN", "SRV")


def test_edns_widens_the_response_code_and_is_told() -> None:
    found = pdu(bytes(scapy.DNS(qr=1, rcode=0, ar=scapy.DNSRROPT(rclass=1232, extrcode=1, z="D0"))))
    assert found.fields["rcode"] == "BADVERS"
    (option,) = found.fields["additionals"]
    assert (option["type"], option["udp_payload_size"], option["dnssec_ok"]) == ("OPT", 1232, True)


@pytest.mark.parametrize(
    ("record", "flaw"),
    [
        ("c01b00010001", "a name's pointer goes forward, to 27"),
        ("c0ff00010001", "a name's pointer goes forward, to 255"),
        ("8061", "a label begins with 0x80, which is reserved"),
        ("0561", "ends within a label: 5 bytes due, 1 there"),
        ("c0", "ends within a name's pointer: 1 bytes due, 0 there"),
        ("", "ends within a name: 1 bytes due, 0 there"),
        ("c00c0001000100000005000501020304", "ends within the data of a A record: 5 bytes due, 4 there"),
        ("c00c00010001000000050003010203", "a.example A: ends within an IPv4 address: 4 bytes due, 3 there"),
        ("c00c000100010000000500050102030405", "a.example A: 1 bytes follow the record's last field"),
        ("c00c0001000100000005000401020304ff", "1 bytes follow the last record"),
    ],
)
def test_what_breaks_a_rule_is_named(record: str, flaw: str) -> None:
    found = pdu(bytes.fromhex(HEADER + QUESTION + record))
    assert flaw in found.flaws
    assert found.fields["questions"] == [{"name": "a.example", "type": "A", "class": "IN"}]


def test_a_name_of_pointers_ends() -> None:
    chain = b"".join((0xC000 | max(12, 10 + 2 * step)).to_bytes(2) for step in range(1, 100))
    found = pdu(bytes.fromhex("000180000001000000000000") + b"\0" + b"\0" + chain + b"\0\1\0\1")
    assert found.flaws


def test_a_name_longer_than_255_octets_is_refused() -> None:
    label = b"\x3f" + b"a" * 63
    found = pdu(bytes.fromhex("000100000001000000000000") + label * 4 + b"\0\0\1\0\1")
    assert found.flaws == ("a name has more than 255 octets",)


def test_odd_octets_of_a_name_are_escaped() -> None:
    found = pdu(bytes.fromhex("000100000001000000000000") + b"\4a.\\\0\1\xff\0" + b"\0\1\0\1")
    assert found.fields["questions"][0]["name"] == "a\\.\\\\\\000.\\255"


def test_only_so_many_records_are_read() -> None:
    record = bytes.fromhex("c00c0001000100000005000401020304")
    count = MOST_RECORDS + 1
    raw = bytes.fromhex("000181800001" + f"{count:04x}" + "00000000" + QUESTION) + record * count
    found = pdu(raw)
    assert len(found.fields["answers"]) == MOST_RECORDS
    assert f"the header counts {count} entries; at most {MOST_RECORDS} of a kind are read" in found.flaws


def test_less_than_a_header_is_no_message() -> None:
    assert read(bytes(11)) is None


def test_over_tcp_each_message_has_its_length() -> None:
    raw = message(scapy.DNSRR(rrname="a.example", rdata="192.0.2.1"))
    framed = len(raw).to_bytes(2) + raw
    spans = fed(Stream(), framed * 2 + framed[:5])
    assert [span.raw for span in spans] == [framed, framed, framed[:5]]
    assert units(spans) == [pdu(raw)] * 2
    assert spans[2].reason == Stream.CUT


def test_over_tcp_a_stream_picked_up_in_the_middle_is_read_from_the_next_message_on() -> None:
    raw = message(scapy.DNSRR(rrname="a.example", rdata="192.0.2.1"))
    framed = len(raw).to_bytes(2) + raw
    spans = fed(Stream(), b"\xff" + framed[20:] + framed)
    assert spans[-1] == Span(framed, pdu(raw))
    assert {span.reason for span in spans[:-1]} == {Stream.UNKNOWN}
