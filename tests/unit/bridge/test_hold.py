"""Payloads held on disk: what survives, what is told of it, who decides, and what a full disk makes of it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.bridge import hold
from busgate.bridge.durable import write
from busgate.bridge.hold import Held, Holding, Spool, Unheld
from busgate.bridge.hold_marks import Decision, Mark
from busgate.bridge.port import BridgeError
from busgate.service.findings import moment

ABOUT = {"url": "http://ota.vendor.example/bms.bin", "flow": ["10.0.0.2:4711", "192.0.2.7:80"]}
AT = 1_795_600_000_000_000_000
RELEASED = Mark(Decision.RELEASE, "Jansen", "checked with the maker", AT + 5)
REFUSED = Mark(Decision.REFUSE, "De Vries", "not announced", AT + 6)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("spool", "control"):
        (tmp_path / name).mkdir()
    return tmp_path / "spool", tmp_path / "control"


@pytest.fixture
def spool(folders: tuple[Path, Path]) -> Spool:
    return Spool(*folders, spare_bytes=0)


def held(spool: Spool, data: bytes, at: int = AT) -> Held:
    holding = begun(spool, at)
    assert holding.write(data) is None
    done = holding.finish()
    assert isinstance(done, Held)
    return done


def begun(spool: Spool, at: int = AT) -> Holding:
    holding = spool.begin(ABOUT, at)
    assert isinstance(holding, Holding)
    return holding


def test_what_is_held_is_there_after_a_restart(spool: Spool, folders: tuple[Path, Path]) -> None:
    done = held(spool, b"firmware" * 50_000)
    again = Spool(*folders)
    assert again.everything() == (done,)
    assert (done.at, done.about, done.size, done.whole, done.kept, done.mark) == (AT, ABOUT, 400_000, True, True, None)
    assert done.sha256 == hashlib.sha256(b"firmware" * 50_000).hexdigest()
    assert b"".join(again.payload(done.name)) == b"firmware" * 50_000


@settings(max_examples=20, deadline=None)
@given(st.lists(st.binary(max_size=200_000), max_size=5))
def test_pieces_of_any_size_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, folder, spare_bytes=0)
    holding = begun(spool)
    for piece in pieces:
        assert holding.write(piece) is None
    done = holding.finish()
    assert isinstance(done, Held)
    assert b"".join(spool.payload(done.name)) == b"".join(pieces)


def test_the_first_mark_counts(spool: Spool, folders: tuple[Path, Path]) -> None:
    name = held(spool, b"x").name
    assert spool.decision(name) is None
    other_process = Spool(*folders)
    other_process.mark(name, RELEASED)
    assert spool.decision(name) == RELEASED == spool.show(name).mark
    with pytest.raises(BridgeError, match=r"^1795600000000000000-0 has been decided upon: release by Jansen$"):
        spool.mark(name, REFUSED)
    assert spool.decision(name) == RELEASED


@pytest.mark.parametrize(
    "text", [b"", b"release", b'{"decision": "yes"}', b"[1]", b"\xff\xfe", b'{"decision": "release"}']
)
def test_a_mark_that_says_nothing_is_a_refusal(spool: Spool, folders: tuple[Path, Path], text: bytes) -> None:
    name = held(spool, b"x").name
    (folders[1] / f"{name}.mark").write_bytes(text)
    mark = spool.decision(name)
    assert mark is not None
    assert mark.decision is Decision.REFUSE


@pytest.mark.parametrize("name", ["", "x", "../../etc/passwd", "1795600000000000000-9", "1-0/../1-0"])
def test_nothing_else_is_shown_or_decided_upon(spool: Spool, name: str) -> None:
    held(spool, b"x")
    for asked in (spool.show, spool.payload, lambda wanted: spool.mark(wanted, RELEASED)):
        with pytest.raises(BridgeError, match="nothing is held under the name"):
            asked(name)


def test_what_a_crash_left_is_told_to_be_cut_and_kept(spool: Spool, folders: tuple[Path, Path]) -> None:
    begun(spool).write(b"half of it")
    again = Spool(*folders, spare_bytes=0)
    (coming,) = again.everything()
    assert (coming.sha256, coming.whole) == ("", False)
    with pytest.raises(BridgeError, match="still coming"):
        again.payload(coming.name)
    (cut,) = again.recover()
    assert (cut.size, cut.whole, cut.sha256) == (10, False, hashlib.sha256(b"half of it").hexdigest())
    assert cut.lost == "busgate ended before anything was decided"
    assert again.recover() == ()
    assert again.everything() == (cut,)


def test_evidence_that_was_changed_is_not_given_to_its_end(spool: Spool, folders: tuple[Path, Path]) -> None:
    done = held(spool, bytes(200_000))
    with (folders[0] / f"{done.name}.bin").open("r+b") as file:
        file.seek(100_000)
        file.write(b"\x01")
    got: list[bytes] = []
    with pytest.raises(BridgeError, match="its SHA-256 differs"):
        got.extend(spool.payload(done.name))
    assert 0 < sum(map(len, got)) < 200_000


def test_a_full_spool_lets_go_of_what_is_decided_and_of_nothing_else(folders: tuple[Path, Path]) -> None:
    spool = Spool(*folders, most_bytes=10_000, spare_bytes=0)
    names = [held(spool, bytes([n]) * 4_000, AT + n).name for n in range(2)]
    refused = begun(spool, AT + 2).write(bytes(4_000))
    assert isinstance(refused, Unheld)
    assert "the spool is full" in refused.reason
    assert "all that is held waits for a decision" in refused.reason
    assert [each.whole for each in spool.everything()] == [True, True, False]
    spool.mark(names[0], REFUSED)
    held(spool, bytes(4_000), AT + 3)
    assert not spool.show(names[0]).kept
    assert spool.show(names[0]).sha256 == hashlib.sha256(bytes(4_000)).hexdigest()
    assert spool.show(names[1]).kept
    with pytest.raises(BridgeError, match="gone"):
        spool.payload(names[0])
    assert sum(each.stat().st_size for each in folders[0].glob("*.bin")) <= 10_000


def test_two_that_come_at_once_share_the_limit(folders: tuple[Path, Path]) -> None:
    spool = Spool(*folders, most_bytes=20_000, spare_bytes=0)
    one, other = begun(spool), begun(spool)
    answers = [each.write(bytes(1_000)) for _ in range(12) for each in (one, other)]
    assert any(isinstance(each, Unheld) for each in answers)
    assert sum(each.stat().st_size for each in folders[0].glob("*.bin")) <= 20_000


def test_a_full_disk_is_an_answer(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    crowded = Spool(*folders, spare_bytes=1 << 60).begin(ABOUT, AT)
    assert isinstance(crowded, Holding)
    answer = crowded.write(b"x")
    assert isinstance(answer, Unheld)
    assert "the disk is full" in answer.reason
    spool = Spool(*folders, spare_bytes=0)
    holding = begun(spool)
    assert holding.write(b"this much") is None

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        answer = holding.write(b" and no more")
    assert isinstance(answer, Unheld)
    assert answer.reason.endswith("cannot be written: No space left on device")
    told = spool.show(holding.name)
    assert (told.size, told.whole) == (9, False)
    assert told.sha256 == hashlib.sha256(b"this much").hexdigest()
    assert isinstance(holding.write(b"x"), Unheld)
    assert isinstance(holding.finish(), Unheld)


def test_a_folder_that_is_not_there_is_an_answer_too(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "none", tmp_path / "none either")
    assert isinstance(spool.begin(ABOUT, AT), Unheld)
    assert spool.everything() == ()
    assert spool.recover() == ()


def test_what_is_no_json_is_not_held(spool: Spool) -> None:
    answer = spool.begin({"url": b"bytes"}, AT)
    assert isinstance(answer, Unheld)
    assert spool.everything() == ()


def test_the_oldest_come_first_and_a_broken_record_hides_no_other(spool: Spool, folders: tuple[Path, Path]) -> None:
    names = [held(spool, b"x", at).name for at in (9, 10, 10, 200)]
    (folders[0] / "77-0.json").write_text("{")
    (folders[0] / "77-0.bin").write_bytes(b"what was held")
    told = spool.everything()
    assert names == ["9-0", "10-0", "10-1", "200-0"]
    assert [(each.name, each.damaged) for each in told] == [
        ("9-0", False), ("10-0", False), ("10-1", False), ("77-0", True), ("200-0", False),
    ]  # fmt: skip
    assert (told[3].at, told[3].size, told[3].kept) == (77, 13, True)
    with pytest.raises(BridgeError, match="the payload of 77-0 is not known: its record is damaged"):
        spool.payload("77-0")


GOOD: dict[str, object] = {"at": 5, "about": {"name": "x"}, "size": 1, "sha256": "", "whole": True}
WRONG: tuple[dict[str, object], ...] = (
    {"at": 10**30}, {"at": -1}, {"at": True}, {"at": "5"}, {"size": "a"}, {"size": -1}, {"size": 1.5},
    {"about": []}, {"about": {"name": "\ud800"}}, {"sha256": "no digest"}, {"sha256": 5}, {"whole": 1},
    {"lost": []}, {"lost": "\udcff"},
)  # fmt: skip


@pytest.mark.parametrize(
    "record",
    [
        b"", b"[1]", b"\xff", b"null", b'{"at": 5}', b"[" * 100_000,
        json.dumps(GOOD | {"at": "AT"}).replace('"AT"', "1e400").encode(),
        *(json.dumps(GOOD | change).encode() for change in WRONG),
        json.dumps(GOOD).replace("5", "5" * 5000, 1).encode(),
    ],
)  # fmt: skip
def test_any_damage_is_told_and_can_be_decided_upon(spool: Spool, folders: tuple[Path, Path], record: bytes) -> None:
    names = [held(spool, b"x", at).name for at in (3, 7)]
    (folders[0] / "5-0.json").write_bytes(record)
    assert [(each.name, each.damaged) for each in spool.everything()] == [
        (names[0], False), ("5-0", True), (names[1], False),
    ]  # fmt: skip
    assert [each.name for each in Spool(*folders).recover()] == names
    spool.mark("5-0", REFUSED)
    assert spool.show("5-0").mark == REFUSED


def test_the_longest_name_is_no_time_beyond_the_calendar(spool: Spool, folders: tuple[Path, Path]) -> None:
    (folders[0] / f"{'9' * 20}-0.json").write_text("{")
    (damaged,) = spool.everything()
    assert moment(damaged.at).startswith("5138-11-16")


@pytest.mark.parametrize("text", [b'{"decision": "release", "by": "x", "reason": "y", "at": 1e400}',
                                  b'{"decision": "release", "by": "x", "reason": "\\ud800", "at": 5}',
                                  b"[" * 4000])  # fmt: skip
def test_a_damaged_mark_is_a_refusal(spool: Spool, folders: tuple[Path, Path], text: bytes) -> None:
    name = held(spool, b"x").name
    (folders[1] / f"{name}.mark").write_bytes(text)
    mark = spool.decision(name)
    assert mark is not None
    assert mark.decision is Decision.REFUSE


def test_a_reason_that_is_no_text_is_refused_and_leaves_nothing(spool: Spool, folders: tuple[Path, Path]) -> None:
    name = held(spool, b"x").name
    with pytest.raises(BridgeError, match="has to be text"):
        spool.mark(name, RELEASED._replace(reason="\udcff"))
    assert list(folders[1].iterdir()) == []
    assert spool.decision(name) is None


def test_what_is_interrupted_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "x", "text")
    assert list(tmp_path.iterdir()) == []


def test_what_is_lost_says_so_and_cannot_be_decided_upon(spool: Spool, folders: tuple[Path, Path]) -> None:
    name = held(spool, b"payload").name
    assert spool.lost(name, "the conversation is over (tbox)") is None
    other_process = Spool(*folders)
    told = other_process.show(name)
    assert (told.lost, told.kept, told.size, told.mark) == ("the conversation is over (tbox)", True, 7, None)
    assert b"".join(other_process.payload(name)) == b"payload"
    for mark in (RELEASED, REFUSED):
        with pytest.raises(BridgeError, match=r"nowhere to go any more: the conversation is over \(tbox\)\. .*Next:"):
            other_process.mark(name, mark)
    assert spool.lost("1-0", "never held") is None


def test_what_an_earlier_process_held_is_lost_unless_decided(folders: tuple[Path, Path]) -> None:
    spool = Spool(*folders, spare_bytes=0)
    waits, decided = (held(spool, b"x", AT + n).name for n in range(2))
    spool.mark(decided, RELEASED)
    assert spool.recover() == ()  # its own conversations stand
    again = Spool(*folders)
    assert again.recover() == ()  # another that works here may not say what the first one's are
    assert again.show(waits).lost == ""
    del spool
    third = Spool(*folders)
    assert third.recover() == ()  # nor may one that begins anew beside another
    del third
    assert [each.name for each in again.recover()] == [waits]
    assert "busgate ended" in again.show(waits).lost
    assert again.show(decided).lost == ""
    assert again.recover() == ()


def test_for_room_the_oldest_that_nobody_waits_for_goes(folders: tuple[Path, Path]) -> None:
    spool = Spool(*folders, most_bytes=10_000, spare_bytes=0)
    waits, lost = (held(spool, bytes(4_000), AT + n).name for n in range(2))
    spool.lost(lost, "over")
    third = held(spool, bytes(4_000), AT + 2).name
    assert [spool.show(each).kept for each in (waits, lost, third)] == [True, False, True]
    assert spool.show(lost).lost == "over"
    assert isinstance(begun(spool, AT + 3).write(bytes(4_000)), Unheld)
    assert [spool.show(each).kept for each in (waits, third)] == [True, True]


def test_lost_damaged_and_decided_ones_make_place_for_new_ones(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "MOST_RECORDS", 4)
    (folders[0] / "3-0.json").write_text("{")
    (folders[0] / "3-0.bin").write_bytes(b"x")
    spool = Spool(*folders, spare_bytes=0)
    waits, lost, decided = (held(spool, b"x", at).name for at in (1, 2, 4))
    spool.lost(lost, "over")
    spool.mark(decided, REFUSED)
    gone = (lost, "3-0", decided)
    for number, name in enumerate(gone):
        held(spool, b"x", 10 + number)
        assert not (folders[0] / f"{name}.json").exists()
        assert not (folders[0] / f"{name}.bin").exists()
        assert len(spool.everything()) == 4
    refused = spool.begin(ABOUT, 20)
    assert isinstance(refused, Unheld)
    assert "4 payloads are held, and each of them waits for a decision" in refused.reason
    assert spool.show(waits).kept


def test_what_waits_stays_even_if_its_record_is_damaged(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "MOST_RECORDS", 1)
    spool = Spool(*folders, spare_bytes=0)
    name = held(spool, b"x").name
    (folders[0] / f"{name}.json").write_text("{")
    assert isinstance(spool.begin(ABOUT, AT + 1), Unheld)
    assert spool.lost(name, "over") is None
    begun(spool, AT + 1)
    assert not (folders[0] / f"{name}.bin").exists()


def test_what_is_lost_makes_place_even_if_no_record_can_say_so(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "MOST_RECORDS", 1)
    spool = Spool(*folders, spare_bytes=0)
    name = held(spool, b"x").name

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(hold, "write", full)
        assert isinstance(spool.lost(name, "over"), Unheld)
    begun(spool, AT + 1)
    assert [each.at for each in spool.everything()] == [AT + 1]
