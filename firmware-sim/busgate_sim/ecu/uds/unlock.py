"""Security access (ISO 14229-1:2013, 9.4): a seed, a key, few attempts, then a delay.

Law: a key fits one seed, once; the algorithm is this simulator's own and keeps no secret.
"""

from __future__ import annotations

from random import Random
from zlib import crc32

from busgate_sim.ecu.uds.codes import Code, Refusal, demand
from busgate_sim.world import SECOND

LEVEL = 1
"""Odd sub-functions ask for a seed, the next even one brings the key; there is one level."""

MOST_ATTEMPTS = 3
DELAY_NS = 10 * SECOND


def key_for(ecu: str, seed: bytes) -> bytes:
    """The key that opens `ecu` for a seed of four bytes."""
    mixed = (int.from_bytes(seed) ^ crc32(ecu.encode())) * 2_654_435_761
    return (mixed & 0xFFFF_FFFF).to_bytes(4)


class Lock:
    """One ECU's lock."""

    def __init__(self, ecu: str, chance: Random) -> None:
        """Locked."""
        self.open = False
        self._ecu = ecu
        self._chance = chance
        self._seed: bytes | None = None
        self._wrong = 0
        self._until = 0

    def close(self) -> None:
        """Lock it, as each change of session does; wrong attempts stay counted."""
        self.open, self._seed = False, None

    def seed(self, now: int) -> bytes:
        """A new seed; all zero if it is open already (9.4.2.2)."""
        demand(now >= self._until, Code.DELAY_NOT_EXPIRED)
        if self.open:
            return bytes(4)
        self._seed = self._chance.randrange(1, 1 << 32).to_bytes(4)
        return self._seed

    def key(self, key: bytes, now: int) -> None:
        """Take a key.

        Raises:
            Refusal: no seed was asked for, or the key does not fit it.
        """
        demand(now >= self._until, Code.DELAY_NOT_EXPIRED)
        demand(self._seed is not None, Code.SEQUENCE_ERROR)
        seed, self._seed = self._seed or b"", None
        if key == key_for(self._ecu, seed):
            self.open, self._wrong = True, 0
            return
        self._wrong += 1
        if self._wrong < MOST_ATTEMPTS:
            raise Refusal(Code.INVALID_KEY)
        self._wrong, self._until = 0, now + DELAY_NS
        raise Refusal(Code.TOO_MANY_ATTEMPTS)
