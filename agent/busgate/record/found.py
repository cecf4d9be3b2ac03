"""A log as it is found in its folder.

Law: reading leaves no trace. A store is opened as immutable; one with a write-ahead log beside it, which a running or
a killed device leaves, is copied first and read as the copy. Nothing here is checked; record.verify does that.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from busgate.model import BusgateError
from busgate.record.incarnation import CHECKPOINT_FILE, KEY_FILE, STORE_FILE, folders
from busgate.record.store import APPLICATION
from busgate.trust.note import MAX_NOTE

_MAGIC = b"SQLite format 3\0"


_DAMAGE = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises over a damaged file; the second where its own message quotes bytes that are no text."""


class EvidenceError(BusgateError):
    """What was given is not a log, or cannot be read any further."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it is stored: where, its bytes, and what is said to be their leaf hash."""

    index: int
    raw: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """A log as it was found, unchecked. `checkpoints` are the size each is filed under (None: nowhere) and its note.

    `rows` gives the records by index; it raises EvidenceError where they cannot be read any further.
    """

    name: str
    vkey: str | None
    checkpoints: tuple[tuple[int | None, str], ...]
    rows: Callable[[], Iterator[Row]]

    def entry(self, index: int) -> bytes | None:
        """The bytes of record `index`, or None when there is none."""
        return next((row.raw for row in self.rows() if row.index == index), None)


@contextmanager
def open_folder(path: Path) -> Iterator[tuple[Evidence, ...]]:
    """The logs in a folder, the oldest incarnation first. Raises EvidenceError when there is none."""
    found = folders(path)
    if not found:
        raise EvidenceError(f"{path} holds no log ({STORE_FILE}). Next: name the folder that was given to --out")
    with TemporaryDirectory(prefix="busgate-") as scratch:
        logs = [_folder(folder, Path(scratch) / str(number)) for number, folder in enumerate(found)]
        try:
            yield tuple(evidence for evidence, _ in logs)
        finally:
            for _, connection in logs:
                if connection is not None:
                    connection.close()


def _folder(folder: Path, scratch: Path) -> tuple[Evidence, sqlite3.Connection | None]:
    store = folder / STORE_FILE
    beside = _text(folder / CHECKPOINT_FILE)
    fault = _not_ours(store)
    if fault and beside is None:
        raise EvidenceError(f"{store} {fault}: this is not a log. Next: name the folder that was given to --out")
    connection = None if fault else _connected(store, scratch)
    # An empty file is one that the power cut; the store has what it would say.
    loose = ((None, beside),) if beside else ()
    filed = _filed(connection) if connection is not None else ()
    vkey = _text(folder / KEY_FILE) or (_vkey(connection) if connection is not None else None)

    def rows() -> Iterator[Row]:
        if connection is None:
            raise EvidenceError(f"{STORE_FILE} {fault}")
        yield from _rows(connection)

    return Evidence(str(folder), vkey, filed + loose, rows), connection


def _not_ours(store: Path) -> str:
    """Why the file cannot be a store of ours, or "". The header of SQLite's file format, 1.3."""
    try:
        with store.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return "is gone"
    except OSError as fault:
        raise EvidenceError(f"{store} cannot be read: {fault.strerror}. Next: check its permissions") from None
    if not header:
        return "is empty"
    if not header.startswith(_MAGIC):
        return "is not an SQLite file"
    if header[68:72] != APPLICATION.to_bytes(4, "big"):
        return "is not marked as one of busgate's"
    return ""


def _connected(store: Path, scratch: Path) -> sqlite3.Connection:
    wal = store.with_name(f"{store.name}-wal")
    try:
        if wal.exists() and wal.stat().st_size:
            connection = sqlite3.connect(_copy(store, wal, scratch))
        else:
            connection = sqlite3.connect(f"file:{quote(str(store))}?mode=ro&immutable=1", uri=True)
    except (OSError, sqlite3.Error) as fault:
        raise EvidenceError(f"{store} cannot be read ({fault}). Next: check its permissions") from None
    connection.text_factory = bytes
    return connection


def _copy(store: Path, wal: Path, scratch: Path) -> Path:
    """A still copy of a store that may be in use: its file changes only when the WAL is folded in and begun anew."""
    scratch.mkdir(exist_ok=True)
    for _ in range(5):
        before = _state(store, wal)
        shutil.copyfile(store, scratch / store.name)
        shutil.copyfile(wal, scratch / wal.name)
        if _state(store, wal) == before:
            return scratch / store.name
    raise EvidenceError(f"{store} is being written too fast to be read. Next: stop the gate, then try again")


def _state(store: Path, wal: Path) -> tuple[int, int, bytes]:
    status = store.stat()
    with wal.open("rb") as file:
        return status.st_mtime_ns, status.st_size, file.read(32)  # 32: the WAL's header with its salts


def _vkey(connection: sqlite3.Connection) -> str | None:
    try:
        row = connection.execute("SELECT value FROM meta WHERE name = 'vkey'").fetchone()
    except _DAMAGE:  # damaged; the rows will say where
        return None
    return None if row is None else _bytes(row[0]).decode(errors="replace")


def _filed(connection: sqlite3.Connection) -> tuple[tuple[int | None, str], ...]:
    try:
        rows = connection.execute("SELECT size, note FROM checkpoint ORDER BY size").fetchall()
    except _DAMAGE as fault:
        # A note that cannot verify: damage to the signed part of a log is a finding, not an absence.
        return ((None, f"(unreadable: {fault})"),)
    return tuple((size, _bytes(note).decode(errors="replace")) for size, note in rows)


def _rows(connection: sqlite3.Connection) -> Iterator[Row]:
    try:
        for index, raw, leaf in connection.execute("SELECT idx, raw, leaf FROM entry ORDER BY idx"):
            yield Row(index, _bytes(raw), _bytes(leaf))
    except _DAMAGE as fault:
        raise EvidenceError(f"{STORE_FILE}: {fault}") from None


def _bytes(value: object) -> bytes:
    """A column's value as bytes; another type than a blob is a foreign hand's and will not verify."""
    return value if isinstance(value, bytes) else str(value).encode()


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE + 1).decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise EvidenceError(f"{path} cannot be read: {fault.strerror}. Next: check its permissions") from None
