"""What a forger does to a log, and which record the check then names first."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from busgate.record.evidence import export
from busgate.record.finding import FaultKind
from busgate.record.found import EvidenceError
from busgate.record.incarnation import CHECKPOINT_FILE, STORE_FILE
from busgate.record.verify import verify
from busgate.trust.note import Signer, TrustError
from support.logs import forge, open_log, rewrite, rows, write_log

SIZE = 14
"""Of `log`: two records of its opening, then four flushes of three; signed at 2, 5, 8, 11 and 14."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    assert write_log(folder) == SIZE
    return folder


def test_a_log_as_it_was_signed_is_verified(log: Path) -> None:
    (report,) = verify(log).reports
    assert (report.ok, report.size, report.proven, report.checkpoints) == (True, SIZE, SIZE, 5)


@pytest.mark.parametrize("index", range(SIZE))
def test_a_flipped_byte_names_its_record(log: Path, index: int) -> None:
    raw = bytearray(rows(log)[index][1])
    raw[len(raw) // 2] ^= 1
    forge(log, ("UPDATE entry SET raw = ? WHERE idx = ?", (bytes(raw), index)))
    fault = verify(log).reports[0].fault
    assert fault is not None
    assert (fault.kind, fault.first) == (FaultKind.CHANGED, index)


@pytest.mark.parametrize("index", range(SIZE - 1))
def test_a_deleted_record_is_named_as_missing(log: Path, index: int) -> None:
    forge(log, ("DELETE FROM entry WHERE idx = ?", (index,)))
    fault = verify(log).reports[0].fault
    assert fault is not None
    assert (fault.kind, fault.first, fault.last) == (FaultKind.MISSING, index, index)


@pytest.mark.parametrize("kept", [1, 2, 7, SIZE - 1])
def test_a_truncated_log_names_the_first_record_that_is_gone(log: Path, kept: int) -> None:
    forge(log, ("DELETE FROM entry WHERE idx >= ?", (kept,)))
    fault = verify(log).reports[0].fault
    assert fault is not None
    assert (fault.kind, fault.first, fault.last) == (FaultKind.MISSING, kept, SIZE - 1)


@pytest.mark.parametrize(("one", "other"), [(0, 1), (5, 6), (3, 12)])
def test_reordered_records_are_named_by_the_first_that_is_out_of_place(log: Path, one: int, other: int) -> None:
    swapped = {one: rows(log)[other], other: rows(log)[one]}
    forge(
        log,
        *(
            ("UPDATE entry SET raw = ?, leaf = ? WHERE idx = ?", (raw, leaf, index))
            for index, (_, raw, leaf) in swapped.items()
        ),
    )
    fault = verify(log).reports[0].fault
    assert fault is not None
    assert (fault.kind, fault.first) == (FaultKind.MISPLACED, one)


def changed(raws: list[bytes]) -> list[bytes]:
    fields = json.loads(raws[6])
    return [*raws[:6], json.dumps(fields | {"severity": "low"}).encode(), *raws[7:]]


def without(raws: list[bytes]) -> list[bytes]:
    return raws[:6] + raws[7:] + raws[-1:]


def swapped(raws: list[bytes]) -> list[bytes]:
    return [*raws[:6], raws[7], raws[6], *raws[8:]]


@pytest.mark.parametrize("forger", [changed, without, swapped])
def test_a_careful_forger_who_mends_all_hashes_is_caught_between_two_checkpoints(
    log: Path, forger: Callable[[list[bytes]], list[bytes]]
) -> None:
    rewrite(log, forger)
    (report,) = verify(log).reports
    assert report.fault is not None
    assert (report.fault.kind, report.fault.first, report.fault.last) == (FaultKind.ALTERED, 5, 7)
    assert report.proven == 5


def test_records_that_nobody_signed_are_named(log: Path) -> None:
    rewrite(log, lambda raws: [*raws, raws[-1]])
    fault = verify(log).reports[0].fault
    assert fault is not None
    assert (fault.kind, fault.first, fault.last) == (FaultKind.UNSIGNED, SIZE, SIZE)


def test_records_and_their_checkpoints_taken_together_are_noticed_by_the_checkpoint_beside(log: Path) -> None:
    forge(log, ("DELETE FROM entry WHERE idx >= 11", ()), ("DELETE FROM checkpoint WHERE size > 11", ()))
    fault = verify(log).reports[0].fault
    assert fault is not None
    assert (fault.kind, fault.first) == (FaultKind.MISSING, 11)


def test_an_older_checkpoint_beside_the_log_changes_nothing_since_the_store_has_the_newest(log: Path) -> None:
    older = forge_read(log, 8)
    (log / CHECKPOINT_FILE).write_text(older, encoding="utf-8")
    assert verify(log).reports[0].ok


def forge_read(folder: Path, size: int) -> str:
    with sqlite3.connect(folder / STORE_FILE) as connection:
        (note,) = connection.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).fetchone()
    return bytes(note).decode()


def test_a_checkpoint_with_another_root_does_not_hold(log: Path) -> None:
    path = log / CHECKPOINT_FILE
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join([lines[0], lines[1], "A" * 43 + "=", *lines[3:]]), encoding="utf-8")
    (report,) = verify(log).reports
    assert report.fault is not None
    assert report.fault.kind is FaultKind.CHECKPOINT


def test_another_key_does_not_verify(log: Path) -> None:
    (report,) = verify(log, vkey=Signer("bus-1", Ed25519PrivateKey.generate()).verifier).reports
    assert report.fault is not None
    assert report.fault.kind is FaultKind.KEY


def test_a_key_that_is_none_is_an_error(log: Path) -> None:
    with pytest.raises(TrustError):
        verify(log, vkey="not a key")


def test_what_is_no_log_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("hello", encoding="utf-8")
    for name in ("empty", "file.txt", "missing"):
        with pytest.raises(EvidenceError) as fault:
            verify(tmp_path / name)
        assert "\n" not in str(fault.value)
        assert "Next: " in str(fault.value)


@pytest.mark.parametrize("content", [b"", b"hello there", b"SQLite format 3\0" + bytes(100)])
def test_a_store_that_is_junk_is_not_verified(log: Path, content: bytes) -> None:
    (log / STORE_FILE).write_bytes(content)
    (report,) = verify(log).reports
    assert report.fault is not None
    assert (report.fault.kind, report.fault.first) == (FaultKind.UNREADABLE, 0)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 10**6), bit=st.integers(0, 7))
@example(at=4090, bit=7)  # in the schema: SQLite's own message then quotes bytes that are no text
def test_no_single_bit_of_a_store_can_be_flipped_unnoticed_in_what_it_proves(
    at: int, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bits") / "log"
    write_log(folder)
    before = [raw for _, raw, _ in rows(folder)]
    store = folder / STORE_FILE
    data = bytearray(store.read_bytes())
    data[at % len(data)] ^= 1 << bit
    store.write_bytes(bytes(data))
    try:
        verified = verify(folder).ok
    except EvidenceError:
        verified = False
    if verified:  # then the bit was in space that holds no record
        assert [raw for _, raw, _ in rows(folder)] == before


# ---------------------------------------------------------------- bundles


@pytest.fixture
def bundle(log: Path, tmp_path: Path) -> Path:
    export(log, tmp_path / "incident.zip")
    return tmp_path / "incident.zip"


def test_a_bundle_verifies_as_its_log_does(log: Path, bundle: Path) -> None:
    (of_log,), (of_bundle,) = verify(log).reports, verify(bundle).reports
    assert (of_bundle.ok, of_bundle.size, of_bundle.root) == (True, of_log.size, of_log.root)


def test_the_same_log_gives_the_same_bundle_byte_for_byte(log: Path, bundle: Path, tmp_path: Path) -> None:
    export(log, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def repacked(bundle: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(bundle) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    fresh = bundle.with_name("forged.zip")
    with zipfile.ZipFile(fresh, "w") as new:
        for name, data in members.items():
            new.writestr(name, data)
    return fresh


def test_a_changed_record_in_a_bundle_is_named(bundle: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        name = f"tile/entries/000.p/{SIZE}"
        members[name] = members[name].replace(b'"critical"', b'"harmless"', 1)

    fault = verify(repacked(bundle, change)).reports[0].fault
    assert fault is not None
    assert (fault.kind, fault.first) == (FaultKind.CHANGED, 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda members: members.pop("checkpoint"),
        lambda members: members.pop(f"tile/0/000.p/{SIZE}"),
        lambda members: members.update({"extra.txt": b"x"}),
        lambda members: members.update({f"tile/entries/000.p/{SIZE}": b"\xff\xff"}),
        lambda members: members.update({"checkpoint": b""}),
    ],
    ids=["no checkpoint", "no hashes", "something else", "cut entries", "empty checkpoint"],
)
def test_a_bundle_that_is_not_whole_is_not_verified(bundle: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    assert not verify(repacked(bundle, change)).ok


@pytest.mark.parametrize("kept", [10, 200, 1000])
def test_a_cut_bundle_is_not_verified(bundle: Path, kept: int) -> None:
    bundle.write_bytes(bundle.read_bytes()[:kept])
    assert not verify(bundle).ok


def test_a_second_incarnation_vouches_for_the_end_of_the_first(log: Path) -> None:
    forge(log, ("UPDATE entry SET leaf = ? WHERE idx = 4", (bytes(32),)))
    with open_log(log) as second:
        assert second.origin.split("/")[-1].startswith("2-")
    first, last = verify(log).reports
    assert not first.ok
    assert last.ok
