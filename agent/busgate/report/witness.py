"""What witnesses answer to a checkpoint: a cosignature that holds, a call for entries, or noise.

Law: only a cosignature by a key that the installer named, over a checkpoint that we offered, acknowledges anything.
`409 <size>` is signed by nobody: it can make us send again, never make us believe that something arrived.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from busgate.trust.note import KeyType, Signature, Verifier

CONFLICT: Final = "409"
"""HTTP's word for it: the submission does not begin where the witness stands (C2SP tlog-witness)."""

_REMEMBERED: Final = 32
_MAX_ANSWER: Final = 16_384
_CONFLICT: Final = re.compile(rf"{CONFLICT} (0|[1-9][0-9]{{0,17}})\n?")


class Cosigned(NamedTuple):
    """A witness signed our checkpoint of `size` entries; `line` is its signature line."""

    size: int
    witness: str
    line: str


class Refetch(NamedTuple):
    """Somebody stands at `size` and wants to go on from there."""

    size: int


class Noise(NamedTuple):
    """An answer that counts for nothing, and why."""

    reason: str


Answer = Cosigned | Refetch | Noise


def as_witness(key: Verifier) -> Verifier:
    """The same Ed25519 key as one that cosigns (type 0x04), which is what a key file made for a SOC means here."""
    return key if key.kind is not KeyType.ED25519 else Verifier(key.name, KeyType.COSIGNATURE, key.public)


class Witnesses:
    """The witnesses of one log; acknowledged is what `quorum` of them have cosigned."""

    def __init__(self, keys: Iterable[Verifier], quorum: int, cosigned: int) -> None:
        """`cosigned` is the size that was acknowledged when the device last knew."""
        self._keys = tuple(as_witness(key) for key in keys)
        self._quorum = quorum
        self._sizes = dict.fromkeys(self._keys, cosigned)
        self._offered: dict[int, str] = {}

    def __bool__(self) -> bool:
        """Whether there is anybody to wait for."""
        return bool(self._keys)

    @property
    def cosigned(self) -> int:
        """The size that a quorum has cosigned; 0 without witnesses."""
        sizes = sorted(self._sizes.values(), reverse=True)
        return sizes[self._quorum - 1] if len(sizes) >= self._quorum else 0

    def offered(self, size: int, text: str) -> None:
        """Remember a checkpoint's text (not its signatures), since an answer does not say which one it is about."""
        self._offered.pop(size, None)
        self._offered[size] = text
        while len(self._offered) > _REMEMBERED:
            del self._offered[next(iter(self._offered))]

    def answers(self, payload: bytes) -> tuple[Answer, ...]:
        """Read one answer, which may hold signature lines of several witnesses."""
        if len(payload) > _MAX_ANSWER:
            return (Noise(f"an answer of {len(payload)} bytes"),)
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            return (Noise("an answer that is not text"),)
        if conflict := _CONFLICT.fullmatch(text):
            return (Refetch(int(conflict[1])),)
        return tuple(self._read(line) for line in text.removesuffix("\n").split("\n"))

    def _read(self, line: str) -> Cosigned | Noise:
        signature = Signature.from_line(line)
        if signature is None:
            return Noise("a line that is no signature")
        key = next((k for k in self._keys if (k.name, k.key_id) == (signature.name, signature.key_id)), None)
        if key is None:
            return Noise(f"a cosignature by {signature.name}, which is no witness of this device")
        for size, text in reversed(self._offered.items()):
            if key.accepts(text, signature.data):
                self._sizes[key] = max(self._sizes[key], size)
                return Cosigned(size, key.name, signature.line)
        return Noise(f"a cosignature by {key.name} that fits no checkpoint of ours")
