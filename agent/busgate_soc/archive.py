"""What the SOC keeps between runs: proven records, heads, remembered keys, and who lost credit.

Law: only what a signed head has proven is kept, with that head in the same transaction: what is here is never hearsay.
It is kept before the head is cosigned, since a witness that forgets what it signed is none (C2SP tlog-witness).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from busgate.model import BusgateError
from busgate_soc.ledger import Contradiction, Head

_FILE: Final = "soc.sqlite"
_FORMAT: Final = 1
_TABLES: Final = """
CREATE TABLE log (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, incarnation TEXT NOT NULL, UNIQUE (device, incarnation)
);
CREATE TABLE record (log INTEGER, idx INTEGER, raw BLOB NOT NULL, PRIMARY KEY (log, idx)) WITHOUT ROWID;
CREATE TABLE head (log INTEGER PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL);
CREATE TABLE contradiction (log INTEGER PRIMARY KEY, size INTEGER NOT NULL, ours TEXT NOT NULL, theirs TEXT NOT NULL);
CREATE TABLE remembered (device TEXT PRIMARY KEY, public BLOB NOT NULL) WITHOUT ROWID;
"""


_DAMAGED: Final = "the SOC's state cannot be read ({}). Next: name another folder, and keep this one as evidence"


class ArchiveError(BusgateError):
    """The SOC's state folder cannot be used."""


class Kept(NamedTuple):
    """One log as it was kept."""

    device: str
    incarnation: str
    records: tuple[bytes, ...]
    head: Head | None
    contradiction: Contradiction | None


class Archive:
    """The state folder; None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        """Raises ArchiveError when the folder cannot be used, or another watch uses it."""
        self._connection: sqlite3.Connection | None = None
        if folder is None:
            return
        path = folder / _FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=0)
            self._prepare(self._connection)
        except OSError as fault:
            raise ArchiveError(
                f"{folder} cannot be used: {fault.strerror}. Next: name a folder you can write"
            ) from None
        except sqlite3.Error as fault:
            self.close()
            raise ArchiveError(
                f"{path} cannot be used ({fault}). Next: stop the other watch that uses it, or name another folder"
            ) from None

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def logs(self) -> list[Kept]:
        """Every log that was kept, the oldest first; raises ArchiveError when the file is damaged."""
        if self._connection is None:
            return []
        try:
            return list(_logs(self._connection))
        except sqlite3.Error as fault:
            raise ArchiveError(_DAMAGED.format(fault)) from None

    def remembered(self) -> dict[str, bytes]:
        """The public keys that came with logs, by device."""
        if self._connection is None:
            return {}
        try:
            return dict(self._connection.execute("SELECT device, public FROM remembered").fetchall())
        except sqlite3.Error as fault:
            raise ArchiveError(_DAMAGED.format(fault)) from None

    def keep(self, device: str, incarnation: str, first: int, records: tuple[bytes, ...], head: Head) -> None:
        """Keep a proven head and the records that it newly proves, durably, before anybody hears of it."""
        with self._transaction() as run:
            if run is None:
                return
            log = self._log(run, device, incarnation)
            rows = ((log, index, record) for index, record in enumerate(records, first))
            run.executemany("INSERT INTO record VALUES (?, ?, ?)", rows)
            run.execute("INSERT OR REPLACE INTO head VALUES (?, ?, ?, ?)", (log, *head))

    def keep_contradiction(self, device: str, incarnation: str, found: Contradiction) -> None:
        """Keep the evidence against a log."""
        with self._transaction() as run:
            if run is not None:
                row = (self._log(run, device, incarnation), found.size, found.ours, found.theirs)
                run.execute("INSERT OR IGNORE INTO contradiction VALUES (?, ?, ?, ?)", row)

    def remember(self, device: str, public: bytes) -> None:
        """Keep the key that came with a device's log."""
        with self._transaction() as run:
            if run is not None:
                run.execute("INSERT OR IGNORE INTO remembered VALUES (?, ?)", (device, public))

    @staticmethod
    def _log(run: sqlite3.Connection, device: str, incarnation: str) -> int:
        run.execute("INSERT OR IGNORE INTO log (device, incarnation) VALUES (?, ?)", (device, incarnation))
        row = run.execute("SELECT id FROM log WHERE device = ? AND incarnation = ?", (device, incarnation)).fetchone()
        return int(row[0])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection | None]:
        connection = self._connection
        if connection is None:
            yield None
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as fault:
            raise ArchiveError(f"the SOC's state cannot be written ({fault}). Next: check the disk's space") from None

    @staticmethod
    def _prepare(connection: sqlite3.Connection) -> None:
        run = connection.execute
        run("PRAGMA locking_mode=EXCLUSIVE")
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=FULL")
        run("BEGIN IMMEDIATE")
        version = run("PRAGMA user_version").fetchone()[0]
        if version == 0 and run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            for statement in filter(str.strip, _TABLES.split(";")):
                run(statement)
            run(f"PRAGMA user_version={_FORMAT}")
        elif version != _FORMAT:
            run("ROLLBACK")
            raise sqlite3.DatabaseError("it is not the state of this version")
        run("COMMIT")


def _logs(connection: sqlite3.Connection) -> Iterator[Kept]:
    run = connection.execute
    for log, device, incarnation in run("SELECT id, device, incarnation FROM log ORDER BY id").fetchall():
        records = tuple(row[0] for row in run("SELECT raw FROM record WHERE log = ? ORDER BY idx", (log,)))
        head = run("SELECT size, root, note FROM head WHERE log = ?", (log,)).fetchone()
        found = run("SELECT size, ours, theirs FROM contradiction WHERE log = ?", (log,)).fetchone()
        against = Contradiction(*found) if found else None
        yield Kept(device, incarnation, records, Head(*head) if head else None, against)
