"""The durable store of one log: its entries, its signed checkpoints, and how far others have taken it.

Law: what `append` returns from has reached the disk (SQLite in WAL mode, `synchronous=FULL`). One process, one
connection: an exclusive lock on a file in the folder sees to the first; SQLite before 3.51.3 can corrupt a WAL that two
connections reset, so nothing else opens the store while it is written. Entries are only ever added.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from busgate.model import BusgateError

MEMORY = ":memory:"
FORMAT = 1
"""The version of the tables (PRAGMA user_version)."""
APPLICATION = 0x42474C31
"""`BGL1`, what PRAGMA application_id says of our files."""

LOCK_FILE = "lock"

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (idx INTEGER PRIMARY KEY, raw BLOB NOT NULL, leaf BLOB NOT NULL);
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note BLOB NOT NULL);
CREATE TABLE cursor (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


class StoreError(BusgateError):
    """The store cannot be used as asked; what was in it before still is."""


class DamagedStoreError(StoreError):
    """The store's file is there and cannot be read as a log: damaged, cut short, or not ours."""


class FolderLock:
    """The exclusive right to write in a folder, held until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Raises StoreError when the folder cannot be written or another process holds it."""
        path = folder / LOCK_FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            raise StoreError(f"{folder} is a file. Next: name a folder for the log") from None
        except OSError as fault:
            raise StoreError(
                f"{folder} cannot hold a log: {fault.strerror}. Next: choose a folder that you can write"
            ) from None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise StoreError(
                f"another busgate is writing the log in {folder}. Next: stop it first, or use another folder"
            ) from None

    def release(self) -> None:
        """Let others write; safe to call twice."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class Store:
    """One log's tables. Use `Store.open`; not to be shared between threads."""

    def __init__(self, connection: sqlite3.Connection, name: str, lock: FolderLock | None) -> None:
        self.name = name
        self._connection = connection
        self._lock = lock
        self._size = 0

    @classmethod
    def open(cls, path: Path | str, *, locked: bool = False) -> Store:
        """Open the store in the file `path` (`:memory:` keeps it in memory), making it when it is not there.

        `locked` says that the caller holds the folder's lock already. Raises StoreError; DamagedStoreError when a
        file is there that is not a readable log.
        """
        lock = None if locked or path == MEMORY else FolderLock(Path(path).parent)
        connection: sqlite3.Connection | None = None
        try:
            connection = _connected(path)
            store = cls(connection, str(path), lock)
            with store._faults():
                store._prepare()
        except StoreError:
            if connection is not None:  # a connection that is left to the collector keeps its locks until then
                connection.close()
            if lock is not None:
                lock.release()
            raise
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Fold the WAL into the file and let go of both; safe to call twice."""
        try:
            self._connection.close()
        finally:
            if self._lock is not None:
                self._lock.release()

    # ------------------------------------------------------------ entries

    @property
    def size(self) -> int:
        """How many entries are in it."""
        return self._size

    def append(self, batch: Sequence[tuple[bytes, bytes]]) -> int:
        """Add entries, each its bytes and its leaf hash, in one durable transaction; the index of the first."""
        first = self._size
        with self._faults(), self._transaction():
            self._connection.executemany(
                "INSERT INTO entry (idx, raw, leaf) VALUES (?, ?, ?)",
                ((first + offset, raw, leaf) for offset, (raw, leaf) in enumerate(batch)),
            )
        self._size += len(batch)
        return first

    def entries(self, first: int = 0, count: int | None = None) -> list[bytes]:
        """The bytes of up to `count` entries from `first` on (all of them when None)."""
        with self._faults():
            return [row[0] for row in self._rows("raw", first, count)]

    def leaf_hashes(self, first: int = 0, count: int | None = None) -> list[bytes]:
        """The leaf hashes of up to `count` entries from `first` on."""
        with self._faults():
            return [row[0] for row in self._rows("leaf", first, count)]

    def _rows(self, column: str, first: int, count: int | None) -> sqlite3.Cursor:
        query = {
            "raw": "SELECT raw FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?",
            "leaf": "SELECT leaf FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?",
        }[column]
        return self._connection.execute(query, (first, -1 if count is None else count))

    # ------------------------------------------------------------ checkpoints

    def save_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint, durably; a newer note of the same size (with cosignatures) replaces it."""
        with self._faults(), self._transaction():
            self._connection.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", (size, note.encode()))

    def latest_checkpoint(self) -> tuple[int, str] | None:
        """The size and note of the largest checkpoint."""
        with self._faults():
            row = self._connection.execute("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
            return None if row is None else (row[0], bytes(row[1]).decode(errors="replace"))

    def checkpoints(self) -> list[tuple[int, str]]:
        """All checkpoints, the smallest first."""
        with self._faults():
            rows = self._connection.execute("SELECT size, note FROM checkpoint ORDER BY size").fetchall()
            return [(size, bytes(note).decode(errors="replace")) for size, note in rows]

    # ------------------------------------------------------------ small values

    def meta(self, name: str) -> str | None:
        """A fact about the log, such as its origin."""
        with self._faults():
            row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
            return None if row is None else str(row[0])

    def set_meta(self, values: Mapping[str, str]) -> None:
        """Write facts about the log, durably and together."""
        with self._faults(), self._transaction():
            self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", tuple(values.items()))

    def cursor(self, name: str) -> int:
        """How far the reader `name` has come; 0 at first."""
        with self._faults():
            row = self._connection.execute("SELECT value FROM cursor WHERE name = ?", (name,)).fetchone()
            return 0 if row is None else int(row[0])

    def set_cursor(self, name: str, value: int) -> None:
        """Remember, durably, how far the reader `name` has come."""
        with self._faults(), self._transaction():
            self._connection.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (name, value))

    # ------------------------------------------------------------ underneath

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA locking_mode=EXCLUSIVE")  # with it SQLite itself refuses a second connection
        application, version = run("PRAGMA application_id").fetchone()[0], run("PRAGMA user_version").fetchone()[0]
        if application == 0 and run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            self._make()
        elif (application, version) != (APPLICATION, FORMAT):
            raise DamagedStoreError(f"{self.name} is not a log of this version of busgate")
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=FULL")
        last = run("SELECT max(idx) FROM entry").fetchone()[0]
        self._size = 0 if last is None else last + 1

    def _make(self) -> None:
        with self._transaction():
            for statement in _TABLES.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id={APPLICATION}")
            self._connection.execute(f"PRAGMA user_version={FORMAT}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as fault:
            raise _explained(fault, self.name) from None


def _connected(path: Path | str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path, isolation_level=None, timeout=0)
    except sqlite3.Error as fault:
        raise _explained(fault, str(path)) from None


def _explained(fault: sqlite3.Error, name: str) -> StoreError:
    """What an error of SQLite means to its reader, and what to do next."""
    code = getattr(fault, "sqlite_errorcode", 0) & 0xFF  # the low byte; the rest says where in SQLite
    match code:
        case sqlite3.SQLITE_FULL:
            return StoreError(f"the disk that holds {name} is full: nothing was written. Next: free some space")
        case sqlite3.SQLITE_IOERR:
            return StoreError(f"the disk that holds {name} failed ({fault}). Next: check its space and its health")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreError(f"{name} cannot be written ({fault}). Next: check that it and its folder are yours")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(f"another program has {name} open. Next: close it; one process writes a log")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_FORMAT:
            return DamagedStoreError(
                f"{name} is damaged or not a log ({fault}). Next: busgate verify names what is lost"
            )
        case _:
            return StoreError(f"{name} cannot be used ({fault})")
