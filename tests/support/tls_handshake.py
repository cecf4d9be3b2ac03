"""TLS handshakes of OpenSSL, whole, as bytes of both directions."""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "tsp.example"


@cache
def certificate() -> tuple[bytes, bytes]:
    """A self-signed certificate of the vendor's cloud (DER), and certificate with key (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, NAME), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Maker")]
    )
    names = x509.SubjectAlternativeName([x509.DNSName(NAME), x509.IPAddress(IPv4Address("192.0.2.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(0xABCDEF)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.DER), made.public_bytes(serialization.Encoding.PEM) + secret


@cache
def handshake(version: ssl.TLSVersion, *, retry: bool = False) -> tuple[bytes, bytes]:
    """What client and server sent: the handshake, then a little data. With `retry` the server asks for another key."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.maximum_version = version
    client.set_alpn_protocols(["mqtt", "h2"])
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_alpn_protocols(["mqtt"])
    with TemporaryDirectory() as folder:
        chain = Path(folder) / "chain.pem"
        chain.write_bytes(certificate()[1])
        server.load_cert_chain(chain)
    if retry:
        server.set_ecdh_curve("secp521r1")
    to_client, from_client, to_server, from_server = (ssl.MemoryBIO() for _ in range(4))
    ends = (
        client.wrap_bio(to_client, from_client, server_hostname=NAME),
        server.wrap_bio(to_server, from_server, server_side=True),
    )
    up, down = bytearray(), bytearray()
    for _ in range(8):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
            up += (sent := from_client.read())
            to_server.write(sent)
            down += (sent := from_server.read())
            to_client.write(sent)
    ends[0].write(b"telemetry" * 100)
    up += from_client.read()
    return bytes(up), bytes(down)


def refragmented(stream: bytes, size: int) -> bytes:
    """The same records with at most `size` bytes in those of handshake."""
    made = bytearray()
    at = 0
    while at < len(stream):
        end = at + 5 + int.from_bytes(stream[at + 3 : at + 5])
        step = size if stream[at] == 22 else 1 << 15
        for start in range(at + 5, end, step):
            part = stream[start : min(start + step, end)]
            made += stream[at : at + 3] + len(part).to_bytes(2) + part
        at = end
    return bytes(made)
