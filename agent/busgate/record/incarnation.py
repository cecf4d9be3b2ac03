"""Which log in a folder is the one to write on, and whether it is still what the device signed.

Law: one origin never has two histories. A log is continued only if its entries still lead to the root that was last
signed, by the same key, for the same device. Otherwise it is left exactly as it is, as evidence, and the next
incarnation begins beside it, naming the one before and why.

    DIR/log.sqlite, device.vkey, checkpoint      the first incarnation
    DIR/incarnation-2/...                        the second, and so on
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from busgate.model import BusgateError
from busgate.record.checkpoint import open_checkpoint
from busgate.record.merkle import Tree, leaf_hash
from busgate.record.store import MEMORY, DamagedStoreError, Store, StoreError
from busgate.trust.note import Verifier, parse_note

STORE_FILE = "log.sqlite"
KEY_FILE = "device.vkey"
CHECKPOINT_FILE = "checkpoint"

_NEXT = "incarnation-"
_STEP = 1000


class Open(NamedTuple):
    """A store to write on: at `tree.size` entries, `origin` and `note` empty when it is new.

    `number` counts incarnations; `boots` how often the device started before. A new one says what it follows and why.
    """

    store: Store
    tree: Tree
    folder: Path | None
    number: int
    origin: str
    note: str
    boots: int
    prev: dict[str, str] | None
    reason: str


def folders(base: Path) -> list[Path]:
    """The folders of the incarnations in `base`, the oldest first; one whose store is gone still counts."""
    numbered = sorted(
        (int(path.name.removeprefix(_NEXT)), path)
        for path in base.glob(f"{_NEXT}*")
        if path.name.removeprefix(_NEXT).isdecimal() and _holds_log(path)
    )
    return ([base] if _holds_log(base) else []) + [path for _, path in numbered]


def resume(base: Path | None, key: Verifier, stem: str) -> Open:
    """Open the newest log in `base` if it can be continued, else begin the next; the caller holds the folder's lock.

    `key` is the device's, `stem` its origin without the incarnation. Raises StoreError when the disk does not let us.
    """
    if base is None:
        return _begin(None, 1, 0, None, "there was none")
    known = folders(base)
    if not known:
        return _begin(base, 1, 0, None, "there was none")
    last = known[-1]
    number = 1 if last == base else int(last.name.removeprefix(_NEXT))
    boots, prev = 0, _left_behind(last)
    try:
        store = _existing(last)
    except DamagedStoreError as fault:
        reason = _told(fault, last)
    else:
        try:
            return _continued(store, last, number, key, stem)
        except BusgateError as fault:
            reason, boots, prev = _told(fault, last), _boots(store), _prev(store) or prev
            store.close()
    return _begin(base / f"{_NEXT}{number + 1}", number + 1, boots, prev, reason)


def _holds_log(folder: Path) -> bool:
    return (folder / STORE_FILE).exists() or (folder / CHECKPOINT_FILE).exists()


def _existing(folder: Path) -> Store:
    if not (folder / STORE_FILE).exists():
        raise DamagedStoreError(f"{folder / STORE_FILE} is gone")
    return Store.open(folder / STORE_FILE, locked=True)


def _told(fault: BusgateError, folder: Path) -> str:
    """What is wrong, without the advice and without the machine's own paths: it goes into the log."""
    return str(fault).partition(". Next:")[0].replace(f"{folder}/", "")


def _begin(folder: Path | None, number: int, boots: int, prev: dict[str, str] | None, reason: str) -> Open:
    if folder is None:
        store = Store.open(MEMORY)
    else:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise StoreError(f"{folder} cannot be made: {fault.strerror}. Next: check the disk") from None
        store = Store.open(folder / STORE_FILE, locked=True)
    return Open(store, Tree(store.leaf_hashes), folder, number, "", "", boots, prev, reason)


def _continued(store: Store, folder: Path, number: int, key: Verifier, stem: str) -> Open:
    """The log opened for more entries; raises BusgateError saying why it cannot be continued."""
    latest, origin = store.latest_checkpoint(), store.meta("origin")
    if store.size == 0 and latest is None and _left_behind(folder) is None:
        # It was made, and the power went before its first entry.
        return Open(store, Tree(store.leaf_hashes), folder, number, "", "", 0, None, "there was none")
    if origin is None or latest is None:
        raise DamagedStoreError("nothing in it says that it was ever signed")
    if origin.rpartition("/")[0] != stem:
        raise DamagedStoreError(f"it is the log {origin}, not of {stem}")
    signed = open_checkpoint(latest[1], key.named(origin)).checkpoint
    tree = Tree(store.leaf_hashes)
    for leaf in _checked_leaves(store):
        tree.append(leaf)
    if tree.size < signed.size or tree.size != store.size:
        raise DamagedStoreError(f"it has {tree.size} entries, and {max(signed.size, store.size)} were written")
    if tree.root(signed.size) != signed.root:
        raise DamagedStoreError(f"its entries are not those that were signed at size {signed.size}")
    return Open(store, tree, folder, number, origin, latest[1], _boots(store), None, "")


def _checked_leaves(store: Store) -> Iterator[bytes]:
    """The leaf hashes, each checked against its entry's bytes."""
    first = 0
    while raws := store.entries(first, _STEP):
        for offset, (raw, leaf) in enumerate(zip(raws, store.leaf_hashes(first, _STEP), strict=True)):
            if leaf_hash(raw) != leaf:
                raise DamagedStoreError(f"entry {first + offset} is not what its hash says")
            yield leaf
        first += _STEP


def _boots(store: Store) -> int:
    try:
        return int(store.meta("boots") or 0)
    except (BusgateError, ValueError):  # a damaged store; the count starts over in the next incarnation
        return 0


def _prev(store: Store) -> dict[str, str] | None:
    try:
        latest = store.latest_checkpoint()
    except BusgateError:  # damaged; what lies beside the store says the same
        return None
    return None if latest is None else _named(latest[1])


def _left_behind(folder: Path) -> dict[str, str] | None:
    """What the checkpoint file beside a damaged store says."""
    try:
        return _named((folder / CHECKPOINT_FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeError):
        return None


def _named(note: str) -> dict[str, str] | None:
    try:
        return {"origin": parse_note(note).text.partition("\n")[0], "checkpoint": note}
    except BusgateError:
        return None
