"""A certificate that the simulated platform makes for itself, and who trusts it.

Law: for simulation only: the key is made anew at each start, and trusted by whoever is handed the certificate.
"""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_VALID = timedelta(days=30)


class SelfMade(NamedTuple):
    """Certificate and key as PEM."""

    certificate: bytes
    key: bytes


def self_made(host: str = "localhost") -> SelfMade:
    """A certificate for this host name or address, signed by its own key, valid for 30 days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName([_alternative(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return SelfMade(certificate.public_bytes(pem), private)


def serves(own: SelfMade) -> ssl.SSLContext:
    """The context of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The ssl module takes keys from files only; TemporaryDirectory is its owner's alone.
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "own.pem"
        both.write_bytes(own.certificate + own.key)
        context.load_cert_chain(both)
    return context


def trusts(certificate: bytes) -> ssl.SSLContext:
    """The context of a client that trusts this certificate (PEM) and nothing else."""
    return ssl.create_default_context(cadata=certificate.decode("ascii"))


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
