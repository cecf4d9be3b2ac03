"""X.509 certificates as a TLS server shows them: whose, from whom, for which names, how long.

Law: any bytes give a `Certificate`; its SHA-256 is that of the bytes as sent, whatever they are. What cannot be read is
a flaw and leaves its field empty. Nothing is verified here: a chain that is told is not a chain that is trusted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

MOST = 16
"""Certificates of one chain that are read."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate (RFC 5280). Names as RFC 4514 text, times in UTC as ISO 8601."""

    sha256: str
    subject: str = ""
    issuer: str = ""
    serial_number: str = ""
    """Hexadecimal."""
    not_before: str = ""
    not_after: str = ""
    subject_alternative_names: tuple[str, ...] = ()
    """DNS names as they are, others with their kind before them ("ip:192.0.2.1")."""


def read(der: bytes) -> tuple[Certificate, tuple[str, ...]]:
    """Read one certificate; the second value is what is wrong with it."""
    from cryptography import x509

    digest = sha256(der).hexdigest()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = x509.load_der_x509_certificate(der)
    except Exception as error:  # noqa: BLE001 - foreign bytes in a foreign library: whatever it raises is a flaw of theirs
        return Certificate(digest), (f"the certificate cannot be read: {_said(error)}",)
    flaws: list[str] = []
    return Certificate(
        digest,
        _tried(found.subject.rfc4514_string, "subject", flaws),
        _tried(found.issuer.rfc4514_string, "issuer", flaws),
        _tried(lambda: f"{found.serial_number:x}", "serial number", flaws),
        _tried(lambda: f"{found.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}", "start of validity", flaws),
        _tried(lambda: f"{found.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}", "end of validity", flaws),
        _names(found, flaws),
    ), tuple(flaws)


def row(certificate: Certificate) -> dict[str, Any]:
    """The certificate as fields."""
    told = asdict(certificate)
    told["subject_alternative_names"] = list(certificate.subject_alternative_names)
    return told


def _names(found: Any, flaws: list[str]) -> tuple[str, ...]:
    """RFC 5280, 4.2.1.6."""
    from cryptography import x509

    def names() -> str:
        try:
            extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            return ""
        return "\n".join(_name(name) for name in extension.value)

    return tuple(filter(None, _tried(names, "alternative names", flaws).split("\n")))


def _name(name: Any) -> str:
    from cryptography import x509

    if isinstance(name, x509.DNSName):
        return name.value
    if isinstance(name, x509.IPAddress):
        return f"ip:{name.value}"
    if isinstance(name, x509.RFC822Name):
        return f"email:{name.value}"
    if isinstance(name, x509.UniformResourceIdentifier):
        return f"uri:{name.value}"
    return f"other:{type(name).__name__}"


def _tried(value: Callable[[], str], what: str, flaws: list[str]) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return value()
    except Exception as error:  # noqa: BLE001 - fields are parsed when they are asked for
        flaws.append(f"the certificate's {what} cannot be read: {_said(error)}")
        return ""


def _said(error: Exception) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
