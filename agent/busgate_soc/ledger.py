"""One device's log as the SOC knows it: entries as they come in, and the signed head that proves them.

Law: what a signed head has proven never changes here. Entries beyond it are hearsay: kept, told nobody as true, and
thrown away when the next head does not lead to them. Two heads signed by one key that cannot both be true end the log's
credit for good, with both as evidence. Bundles may come twice, late, or in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from busgate.model import BusgateError
from busgate.record.checkpoint import Checkpoint, Submission, open_checkpoint, read_checkpoint, read_submission
from busgate.record.entry import EntryError, decode
from busgate.record.merkle import HASH_SIZE, Tree, leaf_hash, verify_consistency
from busgate.report.bundle import Bundle
from busgate.trust.note import Signature, TrustError, Unverified, parse_note
from busgate_soc.keyring import Trusted, Unknown, Untrusted

MAX_AHEAD: Final = 8192
"""Entries kept that came before the ones below them; more are asked for again."""
_MAX_CLAIMS: Final = 8

Keys = Callable[[str, Sequence[Signature], Mapping[str, object] | None], Trusted | Untrusted | Unknown]
"""The key that may sign a log: `keys(origin, signatures, first entry if it is here)`."""


class Head(NamedTuple):
    """A signed head that the entries below it led to."""

    size: int
    root: bytes
    note: str


class Proven(NamedTuple):
    """A signed head holds: `records` from index `first` on are now as good as its key."""

    head: Head
    text: str
    first: int
    records: tuple[bytes, ...]
    trusted: Trusted


class Incomplete(NamedTuple):
    """A head that speaks of entries which are not here; it waits for them."""

    size: int


class Behind(NamedTuple):
    """An older head than the one that is proven, and consistent with it."""

    size: int


class Refused(NamedTuple):
    """A head that counts for nothing: no checkpoint, another log's, or by no key that is trusted."""

    reason: str


class Mismatch(NamedTuple):
    """A signed head that the entries here do not lead to. `diverges` when its own proof does not lead back to ours."""

    size: int
    diverges: bool


class Contradiction(NamedTuple):
    """Two heads signed by the log's key that cannot both be true; `proven` is what the newer one still proved."""

    size: int
    ours: str
    theirs: str
    proven: Proven | None = None


Outcome = Proven | Incomplete | Behind | Refused | Mismatch | Contradiction


class _Waiting(NamedTuple):
    """A head that waits for entries; `signed` once its signature was checked."""

    size: int
    body: bytes
    signed: bool


class Ledger:
    """The log of one (device, incarnation)."""

    def __init__(self, device: str, incarnation: str) -> None:
        """Nothing is known of it."""
        self.device = device
        self.incarnation = incarnation
        self.head: Head | None = None
        self.opening: Mapping[str, Any] | None = None
        self.contradiction: Contradiction | None = None
        self._leaves = bytearray()
        self._tree = Tree(self._leaf_hashes)
        self._fresh: list[bytes] = []
        self._ahead: dict[int, bytes] = {}
        self._claims: list[tuple[Checkpoint, str]] = []
        self._waiting: _Waiting | None = None

    @property
    def size(self) -> int:
        """How many entries are here without a gap, proven or not."""
        return self._tree.size

    @property
    def proven(self) -> int:
        """How many entries a signed head has proven."""
        return 0 if self.head is None else self.head.size

    @property
    def wanted(self) -> int:
        """The size that this log must have, by all that was heard of it so far."""
        waiting = 0 if self._waiting is None else self._waiting.size
        return max(self.size, waiting, max(self._ahead, default=-1) + 1)

    def restore(self, records: Sequence[bytes], head: Head) -> bool:
        """Go on from what was proven before; False when the records do not lead to the head any more."""
        for record in records:
            self._append(record)
        self._fresh.clear()
        if self._tree.size != head.size or self._tree.root() != head.root:
            return False
        self.head = head
        return True

    # ------------------------------------------------------------ entries

    def take(self, bundle: Bundle) -> int | None:
        """Take entries in; the index of the first that differs from a *proven* one, or None when none does."""
        differs = None
        for index, record in enumerate(bundle.entries, bundle.first):
            if index < self.size:
                if differs is None and index < self.proven and leaf_hash(record) != self._leaf(index):
                    differs = index
            elif index == self.size:
                self._append(record)
            elif len(self._ahead) < MAX_AHEAD:
                self._ahead[index] = record
        while (following := self._ahead.pop(self.size, None)) is not None:
            self._append(following)
        self._ahead = {index: record for index, record in self._ahead.items() if index > self.size}
        return differs

    def forget_ahead(self) -> None:
        """Drop what came too early, when it fills all the room there is: it will be asked for in order."""
        if len(self._ahead) >= MAX_AHEAD:
            self._ahead.clear()

    # ------------------------------------------------------------ heads

    def offer(self, body: bytes, keys: Keys) -> Outcome:
        """Judge an add-checkpoint body by the entries that are here.

        The consistency with the head before is not taken from its proof but from the entries themselves, which is
        stronger; the proof is what tells records altered on the way from another history.
        """
        try:
            submission = read_submission(body.decode())
            unverified = parse_note(submission.note)
            claimed = read_checkpoint(unverified.text)
        except UnicodeDecodeError:
            return Refused("it is not text")
        except BusgateError as fault:
            return Refused(str(fault))
        trusted = self._key(claimed, unverified, keys)
        if isinstance(trusted, Untrusted):
            return Refused(trusted.reason)
        if isinstance(trusted, Unknown):
            self._wait(_Waiting(claimed.size, body, signed=False))
            return Incomplete(claimed.size)
        try:
            signed = open_checkpoint(submission.note, trusted.key)
        except (BusgateError, TrustError) as fault:
            return Refused(str(fault))
        return self._weigh(signed.checkpoint, submission, body, trusted)

    def retry(self, keys: Keys) -> Outcome | None:
        """Judge the head that waited for entries, once they are here."""
        waiting = self._waiting
        if waiting is None or (waiting.size > self.size and (waiting.signed or self.opening is None)):
            return None
        self._waiting = None
        return self.offer(waiting.body, keys)

    def _key(self, claimed: Checkpoint, unverified: Unverified, keys: Keys) -> Trusted | Untrusted | Unknown:
        if not claimed.origin.endswith(f"/log/{self.device}/{self.incarnation}"):
            return Untrusted(f"it is a checkpoint of another log, {claimed.origin}")
        return keys(claimed.origin, unverified.signatures, self.opening)

    def _weigh(self, claimed: Checkpoint, submission: Submission, body: bytes, trusted: Trusted) -> Outcome:
        if self.contradiction is not None:
            return self.contradiction
        if claimed.size > self.size:
            self._wait(_Waiting(claimed.size, body, signed=True))
            return Incomplete(claimed.size)
        if self._tree.root(claimed.size) == claimed.root:
            return Behind(claimed.size) if claimed.size < self.proven else self._prove(claimed, submission, trusted)
        if claimed.size <= self.proven:
            return self._contradict(claimed.size, submission.note)
        return self._mismatch(claimed, submission)

    def _prove(self, claimed: Checkpoint, submission: Submission, trusted: Trusted) -> Outcome:
        first, count = self.proven, claimed.size - self.proven
        records = tuple(self._fresh[:count])
        self.head = Head(claimed.size, claimed.root, submission.note)
        del self._fresh[:count]
        proven = Proven(self.head, claimed.text, first, records, trusted)
        for claim, note in self._claims:
            if claim.size <= claimed.size and self._tree.root(claim.size) != claim.root:
                return self._contradict(claim.size, note)._replace(proven=proven)
        self._claims = [pair for pair in self._claims if pair[0].size > claimed.size]
        return proven

    def _mismatch(self, claimed: Checkpoint, submission: Submission) -> Mismatch:
        """What came since the proven head may be altered, or the head may be another history's: ask for it again."""
        if all(claim != claimed for claim, _ in self._claims):
            self._claims = [*self._claims, (claimed, submission.note)][-_MAX_CLAIMS:]
        ours = self._tree.root(self.proven)
        follows = submission.old == self.proven and verify_consistency(
            self.proven, ours, claimed.size, claimed.root, submission.hashes
        )
        diverges = 0 < self.proven == submission.old and not follows
        self._forget_unproven()
        return Mismatch(claimed.size, diverges)

    def _contradict(self, size: int, theirs: str) -> Contradiction:
        self.contradiction = Contradiction(size, "" if self.head is None else self.head.note, theirs)
        return self.contradiction

    def _wait(self, new: _Waiting) -> None:
        old = self._waiting
        if old is None or (new.signed, new.size) >= (old.signed, old.size):
            self._waiting = new

    # ------------------------------------------------------------ leaves

    def _append(self, record: bytes) -> None:
        if self.size == 0:
            self.opening = _opening(record)
        leaf = leaf_hash(record)
        self._leaves += leaf
        self._tree.append(leaf)
        self._fresh.append(record)

    def _forget_unproven(self) -> None:
        del self._leaves[self.proven * HASH_SIZE :]
        self._fresh.clear()
        self._ahead.clear()
        self._tree = Tree(self._leaf_hashes)
        if self.head is None:
            self.opening = None
        for index in range(self.proven):
            self._tree.append(self._leaf(index))

    def _leaf(self, index: int) -> bytes:
        return bytes(self._leaves[index * HASH_SIZE : (index + 1) * HASH_SIZE])

    def _leaf_hashes(self, first: int, count: int) -> list[bytes]:
        return [self._leaf(index) for index in range(first, first + count)]


def _opening(record: bytes) -> Mapping[str, Any]:
    try:
        return decode(record)
    except EntryError:
        return {}
