"""The handshake messages of TLS that are sent in the clear, and alerts, to what they say.

Law: any bytes give a `Pdu`, never an exception; a message that ends too early is read as far as it goes and says so.
Clauses of RFC 8446 (TLS 1.3) and RFC 5246 (TLS 1.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from busgate.decode import tls_certificates
from busgate.decode.net_reader import Reader, Short
from busgate.decode.tls_certificates import Certificate
from busgate.decode.tls_fingerprints import Offer, grease, ja3, ja3s, ja4
from busgate.decode.tls_names import ALERTS, MESSAGES, VERSIONS
from busgate.model import Direction, Pdu

_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""RFC 8446, 4.1.3: a ServerHello with this random is a HelloRetryRequest."""

_SERVER_NAME, _GROUPS, _FORMATS, _ALGORITHMS, _ALPN, _VERSIONS_EXTENSION = 0, 10, 11, 13, 16, 43
_ENCRYPTED_HELLO = 0xFE0D


@dataclass(frozen=True, slots=True)
class ClientHello:
    """4.1.2. Numbers of suites, extensions and the like are four hexadecimal digits, in the order of the hello."""

    legacy_version: str = ""
    versions: tuple[str, ...] = ()
    """What is offered, by name: supported_versions, else the legacy one. GREASE is left out."""
    server_name: str | None = None
    alpn: tuple[str, ...] = ()
    cipher_suites: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    supported_groups: tuple[str, ...] = ()
    signature_algorithms: tuple[str, ...] = ()
    session_id: str = ""
    encrypted_client_hello: bool = False
    """An encrypted hello is inside: `server_name` is then only the outer one."""
    ja3: str = ""
    ja3_text: str = ""
    ja4: str = ""
    ja4_r: str = ""


@dataclass(frozen=True, slots=True)
class ServerHello:
    """4.1.3, with what was chosen."""

    legacy_version: str = ""
    version: str = ""
    """The one chosen: that of supported_versions, else the legacy one."""
    cipher_suite: str = ""
    alpn: str | None = None
    extensions: tuple[str, ...] = ()
    session_id: str = ""
    retry: bool = False
    """It is a HelloRetryRequest (4.1.4)."""
    ja3s: str = ""
    ja3s_text: str = ""


@dataclass(frozen=True, slots=True)
class CertificateChain:
    """RFC 5246, 7.4.2; the sender's own certificate is the first."""

    certificates: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Handshake:
    """A message of which only kind and size are told."""

    size: int = 0
    """Bytes behind the message's four octets of head."""


@dataclass(frozen=True, slots=True)
class Alert:
    """6."""

    level: str = ""
    description: str = ""


def read(message: bytes, direction: Direction = Direction.UNKNOWN) -> Pdu:
    """Read one handshake message, its head of four octets included."""
    kind = message[0] if message else -1
    flaws: list[str] = []
    row: dict[str, Any] = {}
    try:
        reader = Reader(message, 1)
        size = reader.number(3, "the message length")
        if size != reader.left:
            flaws.append(f"the message says {size} bytes, {reader.left} follow")
        body = _READERS.get(kind, _plain)(row, reader, flaws)
    except Short as short:
        flaws.append(str(short))
        body = None
    body = body or _CLASSES.get(kind, Handshake)(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})
    name = MESSAGES.get(kind, f"handshake message {kind}")
    return Pdu("tls", name, kind if kind >= 0 else None, direction, row, body, tuple(flaws))


def alert(payload: bytes, direction: Direction = Direction.UNKNOWN) -> Pdu:
    """Read an alert in the clear (6)."""
    level = {1: "warning", 2: "fatal"}.get(payload[0], str(payload[0])) if payload else ""
    code = payload[1] if len(payload) > 1 else None
    said = "" if code is None else ALERTS.get(code, str(code))
    flaws = () if len(payload) == 2 else (f"an alert has 2 bytes, this one {len(payload)}",)
    row = {"level": level, "description": said}
    return Pdu("tls", "alert", code, direction, row, Alert(level, said), flaws)


def _client(row: dict[str, Any], reader: Reader, flaws: list[str]) -> None:
    """4.1.2."""
    version = reader.number(2, "the version")
    row["legacy_version"] = _version(version)
    reader.take(32, "the random")
    row["session_id"] = reader.block(1, "the session identifier").hex()
    ciphers = _numbers(reader.block(2, "the cipher suites"))
    row["cipher_suites"] = _hex(ciphers)
    reader.block(1, "the compression methods")
    found = _extensions(row, reader, flaws)
    versions = _inner(found, _VERSIONS_EXTENSION, 1, flaws)
    row["versions"] = [_version(x) for x in (version,) if versions is None] or [
        _version(x) for x in versions or () if not grease(x)
    ]
    name = _server_name(found.get(_SERVER_NAME), flaws)
    row["server_name"] = name
    protocols = _protocols(found.get(_ALPN), flaws)
    row["alpn"] = [protocol.decode("utf-8", "backslashreplace") for protocol in protocols]
    groups, algorithms = (_inner(found, x, 2, flaws) or [] for x in (_GROUPS, _ALGORITHMS))
    row["supported_groups"], row["signature_algorithms"] = _hex(groups), _hex(algorithms)
    row["encrypted_client_hello"] = _ENCRYPTED_HELLO in found
    formats = list(found.get(_FORMATS, b"")[1:])
    order = [int(x, 16) for x in row["extensions"]]
    first = protocols[0] if protocols else None
    offer = Offer(version, ciphers, order, versions, first, algorithms, groups, formats)
    row["ja3"], row["ja3_text"] = ja3(offer)
    row["ja4"], row["ja4_r"] = ja4(offer)


def _server(row: dict[str, Any], reader: Reader, flaws: list[str]) -> None:
    """4.1.3."""
    version = reader.number(2, "the version")
    row["legacy_version"] = row["version"] = _version(version)
    row["retry"] = reader.take(32, "the random") == _RETRY
    # Drafts of TLS 1.3 before the 22nd have neither a session identifier nor a compression method.
    draft = version >> 8 == 0x7F
    if not draft:
        row["session_id"] = reader.block(1, "the session identifier").hex()
    cipher = reader.number(2, "the cipher suite")
    row["cipher_suite"] = f"{cipher:04x}"
    if not draft:
        reader.take(1, "the compression method")
    found = _extensions(row, reader, flaws)
    chosen = found.get(_VERSIONS_EXTENSION, b"")
    if len(chosen) == 2:
        row["version"] = _version(int.from_bytes(chosen))
    protocols = _protocols(found.get(_ALPN), flaws)
    row["alpn"] = protocols[0].decode("utf-8", "backslashreplace") if protocols else None
    row["ja3s"], row["ja3s_text"] = ja3s(version, cipher, [int(x, 16) for x in row["extensions"]])


def _chain(row: dict[str, Any], reader: Reader, flaws: list[str]) -> CertificateChain:
    """RFC 5246, 7.4.2."""
    inner = Reader(reader.block(3, "the certificates"))
    certificates: list[Certificate] = []
    while inner.left and len(certificates) < tls_certificates.MOST:
        try:
            der = inner.block(3, "a certificate")
        except Short as short:
            flaws.append(str(short))
            break
        certificate, wrong = tls_certificates.read(der)
        certificates.append(certificate)
        flaws.extend(wrong)
    if inner.left and len(certificates) == tls_certificates.MOST:
        flaws.append(f"there are more than {tls_certificates.MOST} certificates; the rest is not read")
    row["certificates"] = [tls_certificates.row(certificate) for certificate in certificates]
    return CertificateChain(tuple(certificates))


def _plain(row: dict[str, Any], reader: Reader, _flaws: list[str]) -> None:
    row["size"] = reader.left


def _extensions(row: dict[str, Any], reader: Reader, flaws: list[str]) -> dict[int, bytes]:
    """4.2: the first extension of each number; all numbers in their order are in the row."""
    found: dict[int, bytes] = {}
    row["extensions"] = order = list[str]()
    if not reader.left:
        return found
    length = reader.number(2, "the length of the extensions")
    if length != reader.left:
        flaws.append(f"the extensions say {length} bytes, {reader.left} follow")
    inner = Reader(reader.data, reader.at, reader.at + min(length, reader.left))
    try:
        while inner.left:
            number = inner.number(2, "an extension's number")
            found.setdefault(number, inner.block(2, f"extension {number:04x}"))
            order.append(f"{number:04x}")
    except Short as short:
        flaws.append(str(short))
    return found


def _server_name(data: bytes | None, flaws: list[str]) -> str | None:
    """RFC 6066, 3: the host name; names of another kind are not in use."""
    if not data:
        return None
    try:
        names = Reader(Reader(data).block(2, "the server names"))
        while names.left:
            kind = names.number(1, "the kind of a server name")
            name = names.block(2, "a server name")
            if kind == 0:
                return name.decode("utf-8", "backslashreplace")
    except Short as short:
        flaws.append(str(short))
    return None


def _protocols(data: bytes | None, flaws: list[str]) -> list[bytes]:
    """RFC 7301, 3.1."""
    found: list[bytes] = []
    if data is None:
        return found
    try:
        names = Reader(Reader(data).block(2, "the protocols of ALPN"))
        while names.left:
            found.append(names.block(1, "a protocol of ALPN"))
    except Short as short:
        flaws.append(str(short))
    return found


def _inner(found: Mapping[int, bytes], extension: int, width: int, flaws: list[str]) -> list[int] | None:
    """The two-octet numbers of an extension, behind their length in `width` octets."""
    data = found.get(extension)
    if data is None:
        return None
    try:
        return _numbers(Reader(data).block(width, f"the list in extension {extension:04x}"))
    except Short as short:
        flaws.append(str(short))
        return _numbers(data[width:])


def _numbers(data: bytes) -> list[int]:
    return [data[at] << 8 | data[at + 1] for at in range(0, len(data) - 1, 2)]


def _hex(numbers: list[int]) -> list[str]:
    return [f"{number:04x}" for number in numbers]


def _version(number: int) -> str:
    return VERSIONS.get(number, f"{number:04x}")


_READERS: Mapping[int, Callable[[dict[str, Any], Reader, list[str]], object | None]] = {
    1: _client,
    2: _server,
    11: _chain,
}
_CLASSES: Mapping[int, Callable[..., object]] = {1: ClientHello, 2: ServerHello, 11: CertificateChain}
