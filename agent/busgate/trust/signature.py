r"""Keys that sign notes, and the signature lines that they make (c2sp.org/signed-note, c2sp.org/tlog-cosignature).

Law: a key is a name and a public key together, told apart by its key id. What is read here has one spelling only:
base64 in its canonical form, key ids in lower case. No error ever quotes a private key.

    public key     name+hex(key id)+base64(type || public key)
    private key    PRIVATE+KEY+name+hex(key id)+base64(type || seed)
    signature      — name base64(key id || signature)                  (an em dash and a space)
    cosignature    the same, its signature being u64 time || Ed25519 over "cosignature/v1\ntime T\n" and the text
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, assert_never

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from busgate.model import BusgateError

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
"""What neither a text nor a name may hold: every ASCII control character but the newline."""

_DASH = "— "
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_PRIVATE = "PRIVATE+KEY+"
_COSIGNATURE = "cosignature/v1\n"
_LATEST_TIME = 2**63 - 1  # tlog-cosignature, Format


class TrustError(BusgateError):
    """A key, a text or a signature that cannot be trusted, or cannot be signed."""


class KeyType(IntEnum):
    """Signature types (signed-note, Signature types)."""

    ED25519 = 0x01
    ECDSA = 0x02
    COSIGNATURE = 0x04


class Signature(NamedTuple):
    """A signature line as it stands in a note; that it stands there proves nothing. `data` follows the key id."""

    name: str
    key_id: bytes
    data: bytes

    @property
    def line(self) -> str:
        """The line with its newline."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.data).decode()}\n"

    @classmethod
    def from_line(cls, line: str) -> Signature | None:
        """Read a line without its newline, or None when it is not a signature."""
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        blob = unbase64(encoded)
        if not line.startswith(_DASH) or not _is_name(name) or blob is None or len(blob) < 5:
            return None
        return cls(name, blob[:4], blob[4:])


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and the name it signs under: 32 bytes (Ed25519), or a DER SubjectPublicKeyInfo (P-256)."""

    name: str
    kind: KeyType
    public: bytes
    key_id: bytes = field(init=False)
    _key: Ed25519PublicKey | EllipticCurvePublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _is_name(self.name) or CONTROL.search(self.name) or not _is_unicode(self.name):
            raise TrustError(f"{self.name!r} cannot name a key: use a domain and a path, with no space and no '+'")
        object.__setattr__(self, "_key", _load_public(self.kind, self.public))
        object.__setattr__(self, "key_id", _key_id(self.name, self.kind, self.public))

    @classmethod
    def from_text(cls, vkey: str) -> Verifier:
        """Read a public key as it is handed out; raises TrustError."""
        name, key_id, raw = _read_key(vkey, "public key")
        try:
            kind = KeyType(raw[0])
        except ValueError:
            raise TrustError(f"key {name} is of type 0x{raw[0]:02x}; this version knows 0x01, 0x02 and 0x04") from None
        verifier = cls(name, kind, raw[1:])
        if verifier.key_id != key_id:
            raise TrustError(f"key {name} does not match its own key id: it was altered or cut. Next: fetch it again")
        return verifier

    @property
    def text(self) -> str:
        """The key as it is handed out."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def named(self, name: str) -> Verifier:
        """The same key under another name (a device key signs each of its logs under that log's origin)."""
        return Verifier(name, self.kind, self.public)

    def accepts(self, text: str, data: bytes) -> bool:
        """Whether `data`, what follows the key id in a line, is this key's signature over `text`."""
        message, signature = text.encode(), data
        if self.kind is KeyType.COSIGNATURE:
            time = cosignature_time(data)
            if time is None:
                return False
            message, signature = _cosigned(text, time), data[8:]
        try:
            match self._key:
                case Ed25519PublicKey():
                    self._key.verify(signature, message)
                case EllipticCurvePublicKey():
                    self._key.verify(signature, message, ECDSA(SHA256()))
                case _:
                    assert_never(self._key)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """An Ed25519 private key that signs notes under `name` (type 0x01)."""

    name: str
    key: Ed25519PrivateKey = field(repr=False, compare=False)
    verifier: Verifier = field(init=False)

    def __post_init__(self) -> None:
        public = self.key.public_key().public_bytes_raw()
        object.__setattr__(self, "verifier", Verifier(self.name, KeyType.ED25519, public))

    @classmethod
    def from_text(cls, skey: str) -> Signer:
        """Read a private key in the form that `private_text` writes; raises TrustError."""
        return cls(*_read_private(skey, KeyType.ED25519))

    @property
    def private_text(self) -> str:
        """The private key in one line. Secret: for the owner's file and nothing else."""
        return _private_text(self.verifier, self.key)

    def named(self, name: str) -> Signer:
        """The same key under another name."""
        return Signer(name, self.key)

    def line(self, text: str) -> str:
        """The signature line over `text`; raises TrustError when a note cannot hold it."""
        check_text(text)
        if text.startswith(_COSIGNATURE):
            # Signed here it would pass for a witness's cosignature by the same key.
            raise TrustError("this text is a cosignature's message, which a signer of notes never signs")
        return Signature(self.name, self.verifier.key_id, self.key.sign(text.encode())).line


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's Ed25519 private key, whose signature says when it saw a checkpoint (type 0x04)."""

    name: str
    key: Ed25519PrivateKey = field(repr=False, compare=False)
    verifier: Verifier = field(init=False)

    def __post_init__(self) -> None:
        public = self.key.public_key().public_bytes_raw()
        object.__setattr__(self, "verifier", Verifier(self.name, KeyType.COSIGNATURE, public))

    @classmethod
    def from_text(cls, skey: str) -> Cosigner:
        """Read a private key of type 0x04; raises TrustError."""
        return cls(*_read_private(skey, KeyType.COSIGNATURE))

    @property
    def private_text(self) -> str:
        """The private key in one line. Secret."""
        return _private_text(self.verifier, self.key)

    def line(self, text: str, time: int) -> str:
        """The cosignature line over a checkpoint's text, at `time` in POSIX seconds."""
        check_text(text)
        if not 0 <= time <= _LATEST_TIME:
            raise TrustError(f"{time} is not a time in POSIX seconds")
        data = time.to_bytes(8, "big") + self.key.sign(_cosigned(text, time))
        return Signature(self.name, self.verifier.key_id, data).line


def cosignature_time(data: bytes) -> int | None:
    """The POSIX seconds of a cosignature's `data`, or None when it cannot be one (u64 time, 64 bytes Ed25519)."""
    if len(data) != 72:
        return None
    time = int.from_bytes(data[:8], "big")
    return time if time <= _LATEST_TIME else None


def check_text(text: str) -> None:
    """Raise TrustError, naming the line, unless a note can hold `text`."""
    if not text.endswith("\n"):
        raise TrustError("a text to be signed ends in a newline. Next: add one at its end")
    if found := CONTROL.search(text):
        raise TrustError(f"this text cannot be signed: {control_fault(text, found.start())}")
    if not _is_unicode(text):
        raise TrustError("this text cannot be signed: it holds half a character. Next: save it as UTF-8")


def control_fault(text: str, at: int) -> str:
    """What is wrong with the control character at `at`, and what to do."""
    line = text.count("\n", 0, at) + 1
    what = {"\t": "a tab. Next: use spaces", "\r": "a carriage return. Next: save it with Unix line ends"}
    return f"line {line} holds {what.get(text[at], f'the control character U+{ord(text[at]):04X}. Next: take it out')}"


def unbase64(text: str) -> bytes | None:
    """The bytes of `text` if it is their canonical base64 (RFC 4648, 4); every other spelling is None."""
    try:
        raw = base64.b64decode(text)
    except ValueError:
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def _is_name(name: str) -> bool:
    """Key names are not empty and hold no Unicode space and no plus (signed-note, Format)."""
    return bool(name) and "+" not in name and not any(c.isspace() for c in name)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


def _key_id(name: str, kind: KeyType, public: bytes) -> bytes:
    """The four bytes that tell keys of one name apart (signed-note, Signatures and Signature types)."""
    identity = public if kind is KeyType.ECDSA else name.encode() + b"\n" + bytes([kind]) + public
    return hashlib.sha256(identity).digest()[:4]


def _load_public(kind: KeyType, public: bytes) -> Ed25519PublicKey | EllipticCurvePublicKey:
    try:
        if kind is not KeyType.ECDSA:
            return Ed25519PublicKey.from_public_bytes(public)
        key = load_der_public_key(public)
    except (ValueError, UnsupportedAlgorithm):
        raise TrustError("these bytes are not a public key. Next: fetch the key again") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise TrustError("a key of type 0x02 must lie on the curve P-256")
    return key


def _read_key(text: str, what: str) -> tuple[str, bytes, bytes]:
    """Split `name+hex(key id)+base64`; the base64 may itself hold a plus."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = unbase64(encoded)
    if not _is_name(name) or not _KEY_ID.fullmatch(key_id) or not raw:
        raise TrustError(f"this is not a {what}: one reads 'name+01234567+base64' in a single line")
    return name, bytes.fromhex(key_id), raw


def _read_private(skey: str, kind: KeyType) -> tuple[str, Ed25519PrivateKey]:
    if not skey.startswith(_PRIVATE):
        raise TrustError("this is not a private key: one reads 'PRIVATE+KEY+name+01234567+base64' in a single line")
    name, key_id, raw = _read_key(skey.removeprefix(_PRIVATE), "private key")
    if raw[0] != kind or len(raw) != 33:
        raise TrustError(f"private key {name} is not an Ed25519 key of type 0x{kind:02x}")
    key = Ed25519PrivateKey.from_private_bytes(raw[1:])
    # The key id of a private key is its public key's.
    if key_id != _key_id(name, kind, key.public_key().public_bytes_raw()):
        raise TrustError(f"private key {name} does not match its own key id: it was altered or cut")
    return name, key


def _private_text(verifier: Verifier, key: Ed25519PrivateKey) -> str:
    seed = base64.b64encode(bytes([verifier.kind]) + key.private_bytes_raw()).decode()
    return f"{_PRIVATE}{verifier.name}+{verifier.key_id.hex()}+{seed}"


def _cosigned(text: str, time: int) -> bytes:
    """What a witness signs (tlog-cosignature, Ed25519 signed message)."""
    return f"{_COSIGNATURE}time {time}\n{text}".encode()
