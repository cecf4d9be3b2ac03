"""TLS handshakes of OpenSSL, and what can be seen of them from the middle of the wire."""

import ssl
from hashlib import sha256

import pytest

from busgate.decode.tls import ENCRYPTED, Conversation, Records
from busgate.decode.tls_hellos import CertificateChain, ClientHello, ServerHello, alert, read
from busgate.model import Direction, Span
from support.streams import check_law, fed, joined, units
from support.tls_handshake import NAME, certificate, handshake, refragmented

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def names(spans: list[Span]) -> list[str]:
    return [span.reason if span.pdu is None else span.pdu.name for span in spans]


def test_a_handshake_of_tls_1_2_is_seen_up_to_the_change_of_ciphers() -> None:
    up, down = handshake(V12)
    conversation = Conversation()
    client, server = fed(conversation.client, up), fed(conversation.server, down)
    assert names(client)[:3] == ["ClientHello", "ClientKeyExchange", "change cipher spec"]
    assert set(names(client)[3:]) == {ENCRYPTED}
    assert names(server)[:4] == ["ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone"]
    assert names(server)[-1] == ENCRYPTED
    assert not any(pdu.flaws for pdu in units(client + server))
    assert conversation.client.encrypted_bytes == sum(len(span.raw) for span in client[3:])


def test_a_client_hello_says_where_it_goes_and_what_it_can() -> None:
    (pdu, *_) = units(fed(Conversation().client, handshake(V13)[0]))
    assert isinstance(pdu.body, ClientHello)
    assert pdu.direction is Direction.UP
    assert (pdu.body.server_name, pdu.body.alpn) == (NAME, ("mqtt", "h2"))
    assert pdu.body.versions[0] == "TLS 1.3"
    assert "1301" in pdu.body.cipher_suites
    assert pdu.body.ja4.startswith("t13d")
    assert pdu.body.ja4.split("_")[0].endswith("mt")
    assert pdu.fields["cipher_suites"] == list(pdu.body.cipher_suites)


def test_the_certificate_chain_of_tls_1_2_is_read() -> None:
    pdu = next(pdu for pdu in units(fed(Records(), handshake(V12)[1])) if pdu.name == "Certificate")
    der, _ = certificate()
    assert isinstance(pdu.body, CertificateChain)
    assert pdu.fields["certificates"] == [
        {
            "sha256": sha256(der).hexdigest(),
            "subject": f"O=Maker,CN={NAME}",
            "issuer": f"O=Maker,CN={NAME}",
            "serial_number": "abcdef",
            "not_before": "2026-01-01T00:00:00Z",
            "not_after": "2027-01-01T00:00:00Z",
            "subject_alternative_names": [NAME, "ip:192.0.2.1"],
        }
    ]


def test_after_the_server_hello_of_tls_1_3_only_sizes_are_left() -> None:
    server = fed(Records(), handshake(V13)[1])
    (hello, *_) = units(server)
    assert isinstance(hello.body, ServerHello)
    assert (hello.body.version, hello.body.legacy_version, hello.body.retry) == ("TLS 1.3", "TLS 1.2", False)
    assert hello.body.cipher_suite.startswith("13")
    assert set(names(server)[2:]) == {ENCRYPTED}


def test_the_second_hello_after_a_retry_is_seen_although_ciphers_were_changed() -> None:
    up, down = handshake(V13, retry=True)
    assert names(fed(Records(), up))[:3] == ["ClientHello", "change cipher spec", "ClientHello"]
    server = fed(Records(), down)
    assert names(server)[:3] == ["ServerHello", "change cipher spec", "ServerHello"]
    assert [pdu.fields["retry"] for pdu in units(server) if pdu.name == "ServerHello"] == [True, False]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 40, 400])
def test_messages_in_many_records_are_the_same_messages(size: int) -> None:
    for stream in (handshake(V13)[0], handshake(V13)[1], handshake(V12)[1]):
        small = refragmented(stream, size)
        spans = fed(Records(), *(bytes([octet]) for octet in small))
        assert b"".join(span.raw for span in spans) == small
        plain = [pdu for pdu in units(fed(Records(), stream)) if pdu.name != "NewSessionTicket"]
        assert [pdu for pdu in units(spans) if pdu.name in {x.name for x in plain}][: len(plain)] == plain


def test_several_messages_in_one_record_are_a_span_each() -> None:
    hello, chain = (span for span in fed(Records(), handshake(V12)[1])[:2])
    content = hello.raw[5:] + chain.raw[5:]
    record = b"\x16\x03\x03" + len(content).to_bytes(2) + content
    spans = fed(Records(), record)
    assert names(spans) == ["ServerHello", "Certificate"]
    assert b"".join(span.raw for span in spans) == record
    assert [span.pdu for span in spans] == [hello.pdu, chain.pdu]


def test_a_hello_whose_end_never_came_still_says_where_it_goes() -> None:
    (hello, *_) = fed(Records(), handshake(V13)[0])
    (span,) = fed(Records(), hello.raw[:-3])
    assert span.pdu is not None
    assert span.pdu.fields["server_name"] == NAME
    assert Records.CUT in span.pdu.flaws


def test_a_stream_picked_up_within_encrypted_records_is_read_from_the_next_one_on() -> None:
    record = b"\x17\x03\x03\x00\x20" + bytes(range(32))
    spans = fed(Records(), record[9:] + record * 2)
    assert [(span.raw, span.reason) for span in spans] == [
        (record[9:], Records.UNKNOWN),
        (record, ENCRYPTED),
        (record, ENCRYPTED),
    ]


def test_picked_up_in_the_middle_half_a_head_behind_a_record_does_not_prove_it() -> None:
    # By its first four octets what follows is a record, by the fifth it is longer than a record can be.
    stream = b"\x11" + bytes.fromhex("140303000101") + bytes.fromhex("170303ffff00")
    for size in range(1, len(stream) + 1):
        spans = fed(Records(), *(stream[at : at + size] for at in range(0, len(stream), size)))
        assert joined(spans) == [Span(stream, None, Records.UNKNOWN)]


def test_an_alert_in_the_clear_is_named() -> None:
    (span,) = fed(Records(), bytes.fromhex("15030300020228"))  # synced by the end of the stream
    assert span.pdu is not None
    assert span.pdu.fields == {"level": "fatal", "description": "handshake failure"}
    assert alert(b"\x01").flaws == ("an alert has 2 bytes, this one 1",)


def test_a_certificate_that_is_none_is_a_flaw() -> None:
    der = b"\x30\x03\x02\x01"
    inner = len(der).to_bytes(3) + der
    pdu = read(b"\x0b" + (len(inner) + 3).to_bytes(3) + len(inner).to_bytes(3) + inner)
    assert pdu.flaws[0].startswith("the certificate cannot be read: ")
    assert pdu.fields["certificates"][0]["sha256"] == sha256(der).hexdigest()


def test_a_handshake_message_that_is_not_continued_is_told() -> None:
    (hello, *_) = fed(Records(), handshake(V13)[0])
    half = hello.raw[:3] + (100).to_bytes(2) + hello.raw[5:105]
    spans = fed(Records(), half + b"\x17\x03\x03\x00\x11" + bytes(17))
    assert spans[0].raw == half
    assert spans[0].pdu is not None
    assert spans[0].pdu.flaws
    assert names(spans)[1:] == [ENCRYPTED]


def test_an_encrypted_handshake_record_whose_change_of_ciphers_was_missed_is_not_waited_on() -> None:
    framer = Records()
    framer.feed(b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00")
    record = b"\x16\x03\x03\x00\x20" + b"\x99" * 32
    assert framer.feed(record) == [Span(record, None, "no handshake message that is known")]


def test_whether_a_record_follows_is_asked_of_the_same_bytes_however_they_come() -> None:
    # Found by fuzzing: behind the alert stands a record of length 0, which three octets do not tell.
    stream = b"x" + bytes.fromhex("150303000202281503030000")
    check_law(Records, stream, range(len(stream)), 1 << 15)
