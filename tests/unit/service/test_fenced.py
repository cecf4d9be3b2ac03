"""The kernel's fence while the gate works: one that somebody took away stands again, and the log says so."""

from __future__ import annotations

import json
from collections.abc import Iterable
from ipaddress import ip_network
from pathlib import Path

import pytest

from busgate.bridge.fence import Address, Fence
from busgate.bridge.firewall import LateError
from busgate.bridge.port import BridgeError
from busgate.detect.network import Novelty
from busgate.model import BusgateError, Event, Loss
from busgate.service.fenced import MOST_NAMES, Fenced
from busgate.service.folders import ring_of, spool_of
from busgate.service.remembered import Remembered
from busgate.settings import Evidence, Hold

FENCE = Fence("eth1", "wwan0", (ip_network("192.168.8.0/24"),), 15001)


class Kernel:
    """What a `Firewall` is to its user; `stands` is whether there is a table, `takes` whether it may be set."""

    def __init__(self) -> None:
        self.stands, self.takes = False, True
        self.whole, self.late = True, False
        self.calls = 0
        self.fence = FENCE
        self.learned: list[tuple[str, str]] = []

    def apply(self) -> None:
        if not self.takes:
            raise BridgeError("the kernel does not take the fence: no")
        self.stands = self.whole = True

    def beat(self) -> bool:
        if self.late:
            raise LateError("nft has not answered within 2 s")
        if not self.stands:
            raise BridgeError("the kernel does not take the fence: No such file or directory")
        return self.whole

    def change(self, fence: Fence) -> None:
        self.apply()
        self.fence = fence

    def learn_all(self, names: Iterable[tuple[str, Address]], _seconds: int) -> bool:
        self.calls += 1
        if self.late:
            raise LateError("nft has not answered within 2 s")
        self.learned += [(host, str(address)) for host, address in names]
        return True


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def said() -> list[object]:
    return []


@pytest.fixture
def fenced(kernel: Kernel, said: list[object]) -> Fenced:
    def record(event: Event) -> None:
        said.append(event)

    return Fenced(kernel, record, said.append)  # type: ignore[arg-type]  # a kernel that is none


def test_it_stands_from_the_beginning_or_there_is_none(kernel: Kernel, fenced: Fenced) -> None:
    assert fenced
    assert kernel.stands
    kernel.takes = False
    with pytest.raises(BridgeError):
        Fenced(kernel, lambda _: None, lambda _: None)  # type: ignore[arg-type]


def test_one_that_was_flushed_stands_again_and_is_told_once(kernel: Kernel, fenced: Fenced, said: list[object]) -> None:
    fenced.keep(1)
    assert said == []
    kernel.stands = False
    fenced.keep(2)
    fenced.keep(3)
    assert kernel.stands
    loss, line = said
    assert loss == Loss(2, {"fence_gone": 1})
    assert "was gone, and stands again. Next: see what flushes nftables" in str(line)


def test_one_of_which_something_was_taken_stands_again_and_is_told_once(
    kernel: Kernel, fenced: Fenced, said: list[object]
) -> None:
    kernel.whole = False
    fenced.keep(2)
    fenced.keep(3)
    assert kernel.whole
    assert said[0] == Loss(2, {"fence_gone": 1})
    assert len(said) == 2


def test_a_kernel_that_takes_long_is_no_fence_that_is_gone_and_names_wait(
    kernel: Kernel, fenced: Fenced, said: list[object]
) -> None:
    kernel.late = True
    fenced.heard_name("p.example", "203.0.113.9")
    fenced.keep(2)
    assert said == ["nft has not answered within 2 s"]
    kernel.late = False
    fenced.keep(3)
    assert kernel.learned == [("p.example", "203.0.113.9")]
    assert len(said) == 1


def test_while_it_cannot_be_put_up_that_is_said_and_tried_again(
    kernel: Kernel, fenced: Fenced, said: list[object]
) -> None:
    kernel.stands = kernel.takes = False
    fenced.heard_name("p.example", "203.0.113.9")
    fenced.keep(2)
    assert "cannot be put up" in str(said[-1])
    assert kernel.learned == []
    kernel.takes = True
    fenced.keep(3)
    assert kernel.learned == [("p.example", "203.0.113.9")]


def test_names_are_told_once_and_a_flood_of_them_is_bounded(kernel: Kernel, fenced: Fenced) -> None:
    for _ in range(2):
        fenced.heard_name("p.example", "2001:db8::9")
    fenced.keep(1)
    fenced.keep(2)
    assert kernel.learned == [("p.example", "2001:db8::9")]
    for number in range(MOST_NAMES + 50):
        fenced.heard_name("q.example", f"203.0.{number >> 8}.{number & 255}")
    fenced.keep(3)
    assert len(kernel.learned) == 1 + MOST_NAMES
    assert kernel.calls == 2  # all at once, and not at all without names


def test_another_fence_that_is_none_is_said_and_the_old_one_stays(kernel: Kernel, fenced: Fenced) -> None:
    other = Fence("eth1", "wwan1", FENCE.tbox, 15001)
    assert fenced.change(lambda: other) == ""
    assert kernel.fence is other

    def nonsense() -> Fence:
        raise BusgateError("network.local: 'x' is no service")

    assert "does not follow: network.local" in fenced.change(nonsense)
    assert kernel.fence is other


def test_what_was_seen_is_remembered_over_restarts(tmp_path: Path) -> None:
    heard: list[str] = []
    kept = Remembered(str(tmp_path / "seen.json"), heard.append)
    novelty = kept.recall()
    assert novelty.certificate("p.example", "ab") == ""  # the first one is learned
    kept.keep(novelty)
    again = kept.recall()
    assert again.certificate("p.example", "ab") == ""
    assert again.certificate("p.example", "cd") != ""
    assert heard == []
    assert [path.name for path in tmp_path.iterdir()] == ["seen.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"addresses": 7}', "[" * 100_000])
def test_a_memory_that_says_nothing_stops_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "seen.json").write_text(text, encoding="utf-8")
    assert isinstance(Remembered(str(tmp_path / "seen.json"), lambda _: None).recall(), Novelty)


def test_a_memory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    heard: list[str] = []
    Remembered(str(tmp_path / "none" / "seen.json"), heard.append).keep(Novelty())
    assert "cannot be written: No such file or directory" in heard[0]
    Remembered(None, heard.append).keep(Novelty())
    assert len(heard) == 1


def test_folders_that_cannot_be_used_are_said_at_the_start(tmp_path: Path) -> None:
    here = str(tmp_path)
    with pytest.raises(BusgateError, match=r"network.hold.folder: there is no folder .*\. Next: make it"):
        spool_of(Hold(folder=f"{here}/none", marks=here))
    with pytest.raises(BusgateError, match=r"network.hold.marks: there is no folder"):
        spool_of(Hold(folder=here, marks=f"{here}/none"))
    (tmp_path / "file").touch()
    with pytest.raises(BridgeError, match="evidence cannot be kept here"):
        ring_of(Evidence(folder=f"{here}/file"))


def test_what_an_earlier_run_left_unfinished_is_closed_as_cut(tmp_path: Path) -> None:
    (tmp_path / "5-0.json").write_text(json.dumps({"at": 5, "about": {}}), encoding="utf-8")
    (tmp_path / "5-0.bin").write_bytes(b"half")
    (held,) = spool_of(Hold(folder=str(tmp_path), marks=str(tmp_path))).everything()
    assert (held.whole, held.size) == (False, 4)
    assert held.sha256
