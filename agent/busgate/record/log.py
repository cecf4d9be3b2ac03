"""The signed log: events in; durable entries, a Merkle tree over them and signed checkpoints out.

Law: commit durably, then sign, then keep the checkpoint; nothing is signed that could still be lost. Entries wait for
a flush at most 250 ms of the caller's timeline or until they are 100; what is urgent waits for nothing. Order is by
index, never by time. The same events, times, key and boot give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from busgate.record.checkpoint import Checkpoint, Proof, Submission
from busgate.record.entry import Boot, LogOpen, Quality, Record, Told, encode, told
from busgate.record.incarnation import CHECKPOINT_FILE, KEY_FILE, Open, resume
from busgate.record.merkle import EMPTY_ROOT, leaf_hash
from busgate.record.store import FolderLock, StoreError
from busgate.trust.keys import TEST, is_test_key
from busgate.trust.note import Signer, Verifier, sign

POLICY_APPLIED = "policy.apply"
BATCH_NS = 250_000_000
BATCH_ENTRIES = 100


class Log:
    """One device's log, open for writing. Use `Log.open`; not to be shared between threads.

    `wall_offset` (ns to add to the timeline for UNIX time, None when unknown) and `wq` may be set at any time.
    """

    def __init__(self, opened: Open, signer: Signer, boot: str, lock: FolderLock | None) -> None:
        self.origin = signer.name
        self.boot_number = opened.boots + 1
        self.wall_offset: int | None = None
        self.wq: Quality = "none"
        self._store, self._tree, self._folder = opened.store, opened.tree, opened.folder
        self._signer, self._boot, self._lock = signer, boot, lock
        self._head = Checkpoint(self.origin, 0, EMPTY_ROOT)
        self._note = opened.note
        self._pending: list[tuple[bytes, bytes]] = []
        self._deadline: int | None = None
        self._policy: tuple[int, str] | None = None
        self._closed = False

    @classmethod
    def open(  # noqa: PLR0913 - where, whose, which device, which boot, and the clocks
        cls,
        folder: Path | None,
        signer: Signer,
        *,
        device: str,
        boot: str,
        now: int,
        origin_base: str | None = None,
        wall_offset: int | None = None,
        wq: Quality = "none",
        software: str = "",
    ) -> Log:
        """Continue the log in `folder`, or begin one (None: in memory only); it says so in its first entries.

        The origin is `<origin_base>/log/<device>/<incarnation>`; `origin_base` is the operator's domain, by default
        the key's name up to its first slash. `boot` is the boot's UUID, `now` the caller's timeline in ns. Raises
        StoreError when the folder cannot be used, TrustError when the names cannot name a log.
        """
        lock = None if folder is None else FolderLock(folder)
        try:
            stem = _stem(signer, origin_base, device)
            opened = resume(folder, signer.verifier, stem)
            origin = opened.origin or f"{stem}/{opened.number}-{boot[:8]}"
            log = cls(opened, signer.named(origin), boot, lock)
            log.wall_offset, log.wq = wall_offset, wq
            log._begin(opened, device, software, now)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return log

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # ------------------------------------------------------------ writing

    def record(self, event: Record, now: int, *, urgent: bool = False) -> int:
        """Write one event at `now`; its index. It is durable when the flush that follows returns: at once if `urgent`.

        Raises StoreError when a flush fails; the entry waits for the next one.
        """
        return self.write(told(event), now, urgent=urgent)

    def write(self, event: Told, now: int, *, urgent: bool = False) -> int:
        """Write what another process has told of an event; as `record`."""
        if event.type == POLICY_APPLIED:
            self._policy = (event.fields["version"], event.fields["sha256"])
        index = self._tree.size + len(self._pending)
        raw = encode(
            event,
            seq=index,
            boot=self._boot,
            bn=self.boot_number,
            mono=now,
            wall_ns=None if self.wall_offset is None else now + self.wall_offset,
            wq="none" if self.wall_offset is None else self.wq,
            policy=self._policy,
        )
        self._pending.append((raw, leaf_hash(raw)))
        if self._deadline is None:
            self._deadline = now + BATCH_NS
        if urgent or len(self._pending) >= BATCH_ENTRIES:
            self.flush(now)
        return index

    def next_deadline(self) -> int | None:
        """When entries that wait must be flushed, or None when none wait."""
        return self._deadline

    def due(self, now: int) -> bool:
        """Whether `flush` should be called at `now`."""
        return self._deadline is not None and now >= self._deadline

    def flush(self, now: int) -> None:
        """Make what waits durable and sign it. Raises StoreError; then all of it still waits, for 250 ms more."""
        if self._deadline is not None:
            self._deadline = now + BATCH_NS
        if self._pending:
            self._store.append(self._pending)
            for _, leaf in self._pending:
                self._tree.append(leaf)
            self._pending.clear()
        if self._tree.size > self._head.size:
            self._sign()
        self._deadline = None

    def close(self) -> None:
        """Flush, and let go of the files; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self.flush(0)
        finally:
            self._store.close()
            if self._lock is not None:
                self._lock.release()

    # ------------------------------------------------------------ reading

    @property
    def size(self) -> int:
        """How many entries are durable and signed; `root` and `checkpoint` speak of these."""
        return self._head.size

    @property
    def root(self) -> bytes:
        """The root over the first `size` entries (32 bytes)."""
        return self._head.root

    @property
    def checkpoint(self) -> str:
        """The signed note of `size` and `root`."""
        return self._note

    @property
    def incarnation(self) -> str:
        """The last part of the origin."""
        return self.origin.rpartition("/")[2]

    @property
    def verifier(self) -> Verifier:
        """The key that its checkpoints verify with."""
        return self._signer.verifier

    def entries(self, first: int, count: int) -> list[bytes]:
        """The bytes of up to `count` signed entries from `first` on."""
        return self._store.entries(first, max(0, min(count, self.size - first)))

    def proof(self, index: int) -> Proof:
        """The proof that entry `index` is in the log, with the newest checkpoint. Raises ProofError."""
        return Proof(index, self._tree.inclusion(index, self.size), self._note)

    def submission(self, old: int) -> Submission:
        """What a witness that knows the log at size `old` needs to cosign the newest checkpoint. Raises ProofError."""
        return Submission(old, self._tree.consistency(old, self.size), self._note)

    def cursor(self, name: str) -> int:
        """How far the reader `name` has come; 0 at first."""
        return self._store.cursor(name)

    def set_cursor(self, name: str, value: int) -> None:
        """Remember, durably, how far the reader `name` has come."""
        self._store.set_cursor(name, value)

    # ------------------------------------------------------------ underneath

    def _begin(self, opened: Open, device: str, software: str, now: int) -> None:
        self._store.set_meta(
            {"origin": self.origin, "vkey": self.verifier.text, "boots": str(self.boot_number), "device": device}
        )
        self._put(KEY_FILE, self.verifier.text + "\n")
        if not opened.origin:
            self.record(LogOpen(now, self.origin, self.verifier.text, opened.reason, opened.prev), now)
        self.record(Boot(now, device, software), now, urgent=True)

    def _sign(self) -> None:
        head = Checkpoint(self.origin, self._tree.size, self._tree.root())
        note = sign(head.text, [self._signer])
        self._store.save_checkpoint(head.size, note)
        self._head, self._note = head, note
        self._put(CHECKPOINT_FILE, note)

    def _put(self, name: str, text: str) -> None:
        """Replace a file as a whole. It copies what the store has, so it needs no waiting for the disk."""
        if self._folder is None:
            return
        path = self._folder / name
        fresh = path.with_name(f"{name}.new")
        try:
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(path)
        except OSError as fault:
            raise StoreError(f"{path} cannot be written: {fault.strerror}. Next: check the disk's space") from None


def _stem(signer: Signer, origin_base: str | None, device: str) -> str:
    """The origin without its incarnation. What the test key signs says so in its origin."""
    stem = f"{origin_base or signer.name.partition('/')[0]}/log/{device}"
    return f"{TEST}/{stem}" if is_test_key(signer.verifier) and not stem.startswith(f"{TEST}/") else stem
