from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from busgate.record.store import MEMORY, DamagedStoreError, FolderLock, Store, StoreError

PROCESS = Path(__file__).parents[2] / "support" / "store_process.py"
BATCH = [(b"one", b"1" * 32), (b"two", b"2" * 32), (b"three", b"3" * 32)]


def test_what_was_appended_is_there_in_order(tmp_path: Path) -> None:
    with Store.open(tmp_path / "log.sqlite") as store:
        assert store.append(BATCH) == 0
        assert store.append(BATCH[:1]) == 3
        assert store.size == 4
        assert store.entries() == [b"one", b"two", b"three", b"one"]
        assert store.entries(1, 2) == [b"two", b"three"]
        assert store.entries(3) == [b"one"]
        assert store.entries(4, 5) == []
        assert store.leaf_hashes(1, 1) == [b"2" * 32]
        assert store.leaf_hashes() == [b"1" * 32, b"2" * 32, b"3" * 32, b"1" * 32]


def test_a_store_keeps_what_it_has_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with Store.open(path) as store:
        store.append(BATCH)
        store.save_checkpoint(3, "note — three\n")
        store.set_meta({"origin": "a", "device": "b"})
        store.set_cursor("soc", 2)
    with Store.open(path) as store:
        assert store.size == 3
        assert store.latest_checkpoint() == (3, "note — three\n")
        assert (store.meta("origin"), store.meta("device"), store.meta("none")) == ("a", "b", None)
        assert (store.cursor("soc"), store.cursor("none")) == (2, 0)
    assert {item.name for item in tmp_path.iterdir()} == {"log.sqlite", "lock"}


def test_checkpoints_come_by_size_and_a_newer_note_replaces() -> None:
    with Store.open(MEMORY) as store:
        assert store.latest_checkpoint() is None
        for size, note in ((10, "ten"), (2, "two"), (10, "ten, cosigned")):
            store.save_checkpoint(size, note)
        assert store.checkpoints() == [(2, "two"), (10, "ten, cosigned")]
        assert store.latest_checkpoint() == (10, "ten, cosigned")


def test_values_are_replaced() -> None:
    with Store.open(MEMORY) as store:
        for value in (1, 2):
            store.set_cursor("soc", value)
            store.set_meta({"origin": str(value)})
        assert (store.cursor("soc"), store.meta("origin")) == (2, "2")


def test_what_is_appended_is_on_the_disk_and_not_only_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    store = Store.open(path)
    store.append(BATCH)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("log.sqlite", "log.sqlite-wal"):
        (copy / name).write_bytes((tmp_path / name).read_bytes())
    store.close()
    with Store.open(copy / "log.sqlite") as found:
        assert found.entries() == [b"one", b"two", b"three"]


def test_the_store_is_written_through_to_the_disk(tmp_path: Path) -> None:
    with Store.open(tmp_path / "log.sqlite") as store:
        pragma = store._connection.execute
        assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
        assert pragma("PRAGMA synchronous").fetchone() == (2,)


def test_only_one_process_writes_a_folder(tmp_path: Path) -> None:
    with Store.open(tmp_path / "log.sqlite"), pytest.raises(StoreError, match=r"another busgate is writing.*Next"):
        Store.open(tmp_path / "log.sqlite")
    Store.open(tmp_path / "log.sqlite").close()


def _elsewhere(what: str, path: Path) -> str:
    """What a process of its own says of the store; it ends with the call, whatever threads run here."""
    ran = subprocess.run(
        [sys.executable, str(PROCESS), what, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    return ran.stdout.strip()


def test_another_process_is_kept_out_and_let_in_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with Store.open(path):
        assert "another busgate is writing" in _elsewhere("try", path)
    assert _elsewhere("try", path) == "opened"


def test_no_other_program_gets_into_a_store_that_is_open(tmp_path: Path) -> None:
    with Store.open(tmp_path / "log.sqlite") as store:
        store.append(BATCH)
        code = "import sqlite3,sys; sqlite3.connect(sys.argv[1], timeout=0).execute('SELECT * FROM entry')"
        ran = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "log.sqlite")], capture_output=True, check=False
        )
        assert b"locked" in ran.stderr


def test_a_program_that_has_the_store_open_is_named_as_the_cause(tmp_path: Path) -> None:
    Store.open(tmp_path / "log.sqlite").close()
    intruder = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)
    intruder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"another program has .* open. Next"):
        Store.open(tmp_path / "log.sqlite")
    intruder.close()
    Store.open(tmp_path / "log.sqlite").close()


def test_a_folder_lock_is_let_go_once(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "deep" / "folder")
    with pytest.raises(StoreError):
        FolderLock(tmp_path / "deep" / "folder")
    lock.release()
    lock.release()
    FolderLock(tmp_path / "deep" / "folder").release()


def test_a_file_where_the_folder_should_be_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"is a file. Next: name a folder"):
        Store.open(tmp_path / "file" / "log.sqlite")


def test_a_folder_below_a_file_cannot_hold_a_log(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot hold a log.*Next"):
        Store.open(tmp_path / "file" / "deeper" / "log.sqlite")


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    # Root may write anywhere but here: no process can make a file in /proc.
    del tmp_path
    with pytest.raises(StoreError, match=r"cannot hold a log.*Next"):
        Store.open(Path("/proc/1/log.sqlite"))


def test_a_folder_where_the_store_should_be_says_so(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite").mkdir()
    with pytest.raises(StoreError, match="Next"):
        Store.open(tmp_path / "log.sqlite")
    FolderLock(tmp_path).release()


@pytest.mark.parametrize("content", [b"hello, this is no database at all, but a text of some length", b"\x00" * 5000])
def test_a_foreign_file_is_damaged_and_not_touched(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log.sqlite").write_bytes(content)
    with pytest.raises(DamagedStoreError, match="Next"):
        Store.open(tmp_path / "log.sqlite")
    assert (tmp_path / "log.sqlite").read_bytes() == content
    FolderLock(tmp_path).release()


def test_the_database_of_another_program_is_not_taken(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "log.sqlite")
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    with pytest.raises(DamagedStoreError, match="not a log of this version"):
        Store.open(tmp_path / "log.sqlite")


def test_a_store_of_a_later_format_is_not_taken(tmp_path: Path) -> None:
    Store.open(tmp_path / "log.sqlite").close()
    other = sqlite3.connect(tmp_path / "log.sqlite")
    other.execute("PRAGMA user_version=2")
    other.close()
    with pytest.raises(DamagedStoreError, match="not a log of this version"):
        Store.open(tmp_path / "log.sqlite")


def test_a_store_that_was_cut_short_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with Store.open(path) as store:
        store.append([(os.urandom(4000), bytes(32))] * 50)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(DamagedStoreError), Store.open(path) as store:
        store.entries()


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path / "log.sqlite") as store:
        store.append(BATCH)
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(StoreError, match=r"is full: nothing was written. Next"):
            store.append([(bytes(9000), bytes(32))])
        with pytest.raises(StoreError, match="is full"):
            store.save_checkpoint(3, "x" * 9000)
        assert store.entries() == [b"one", b"two", b"three"]
        store._connection.execute("PRAGMA max_page_count=1000000")
        assert store.append([(b"four", bytes(32))]) == 3


def test_a_disk_that_refuses_is_said_and_used_again_once_it_takes(tmp_path: Path) -> None:
    said = _elsewhere("fill", tmp_path / "log.sqlite")
    assert "disk" in said
    assert "Next" in said
    assert said.endswith(" 3 4")


def test_a_batch_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    with Store.open(tmp_path / "log.sqlite") as store:
        with pytest.raises(StoreError):
            store.append([*BATCH, (b"five", None)])  # type: ignore[list-item] # a column that must not be null
        assert (store.size, store.entries()) == (0, [])
        store.append(BATCH)
        assert store.size == 3


def test_a_closed_store_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "log.sqlite")
    store.close()
    store.close()
    with pytest.raises(StoreError, match="cannot be used"):
        store.append(BATCH)
