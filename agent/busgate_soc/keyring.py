"""Which key may speak for which device.

Law: a key that the operator gave is trusted; one that came with the log is only remembered, and everything that rests
on it says so. A device's key does not change behind the operator's back, and no two devices share one: an identity is
made at first start, so a shared key is a copied card.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from busgate.trust.keys import is_test_key
from busgate.trust.note import KeyType, Signature, TrustError, Verifier


class Basis(StrEnum):
    """Why a key is believed."""

    GIVEN = "given"
    CAME_WITH_LOG = "came with the log"
    TEST = "published test key"


class Trusted(NamedTuple):
    """The key of a log, under that log's origin, and why it is believed."""

    key: Verifier
    basis: Basis


class Untrusted(NamedTuple):
    """Why no key speaks for this log."""

    reason: str


class Unknown(NamedTuple):
    """The key would be in the log's first entry, which is not here yet."""


class Keyring:
    """The keys the operator gave (none: the first that a device's log brings is remembered)."""

    def __init__(self, given: Iterable[Verifier], remembered: Mapping[str, bytes]) -> None:
        """`remembered` are the public keys, by device, that came with logs seen before."""
        self._given = tuple(given)
        self._remembered = dict(remembered)
        self._used: dict[bytes, str] = {}

    def key_for(
        self, device: str, origin: str, signatures: Iterable[Signature], opening: Mapping[str, object] | None
    ) -> Trusted | Untrusted | Unknown:
        """The key that may sign the log `origin` of `device`; `opening` is the log's first entry, once it is here."""
        if self._given:
            return self._given_key(device, origin, tuple(signatures))
        if opening is None:
            return Unknown()
        return self._brought_key(device, origin, opening)

    def used(self, device: str, trusted: Trusted) -> str:
        """Remember that a key's signature held for a device; "" or the other device that has the same key."""
        public = trusted.key.public
        if trusted.basis is Basis.CAME_WITH_LOG:
            self._remembered.setdefault(device, public)
        if is_test_key(trusted.key):
            return ""
        owner = self._used.setdefault(public, device)
        return "" if owner == device else owner

    def _given_key(self, device: str, origin: str, signatures: tuple[Signature, ...]) -> Trusted | Untrusted:
        for key in self._given:
            named = key.named(origin)
            if _fits(key, device) and any((s.name, s.key_id) == (origin, named.key_id) for s in signatures):
                return Trusted(named, Basis.TEST if is_test_key(key) else Basis.GIVEN)
        return Untrusted("its checkpoint is not signed by a key that was given for this device")

    def _brought_key(self, device: str, origin: str, opening: Mapping[str, object]) -> Trusted | Untrusted:
        text = opening.get("key")
        try:
            key = Verifier.from_text(text if isinstance(text, str) else "")
        except TrustError:
            return Untrusted("its first record names no key")
        if key.name != origin or key.kind is not KeyType.ED25519:
            return Untrusted("the key in its first record belongs to another log")
        if self._remembered.get(device, key.public) != key.public:
            return Untrusted("its key is not the one that this device had before")
        return Trusted(key, Basis.TEST if is_test_key(key) else Basis.CAME_WITH_LOG)


def _fits(key: Verifier, device: str) -> bool:
    """Whether a given key may be this device's: one named after a log (`…/log/<device>/…`) is that device's only."""
    _, log, rest = key.name.partition("/log/")
    return not log or rest.partition("/")[0] == device
