from __future__ import annotations

import errno
import os
import signal
import struct
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.can import CAN
from scapy.utils import RawPcapNgReader

from busgate.bridge import pcapng
from busgate.bridge.channels import SideMap
from busgate.bridge.port import BridgeError
from busgate.bridge.ring import Limits, Ring
from busgate.bridge.trace import Trace
from busgate.model import BIT_RATE_SWITCH, EXTENDED, FD_FORMAT, REMOTE, Frame, Packet, Side, Sms, Unit

SECOND = 1_000_000_000
START = 1_772_404_800 * SECOND + 123_456_789
ALL = SideMap(tap=["all"])

UNITS: tuple[Unit, ...] = (
    Frame(START, Side.TBOX, 0x18FEF100 | EXTENDED, b"\x01\x02"),
    Frame(START + 1, Side.VEHICLE, 0x123 | REMOTE, bytes(4)),
    Frame(START + 2, Side.TBOX, 0x7FF, bytes(range(12)), FD_FORMAT | BIT_RATE_SWITCH),
    Packet(START + 3, Side.TBOX, 1, b"\xff" * 61),
    Packet(START + 4, Side.TBOX, 101, b"\x45"),
    Sms(START + 5, Side.TBOX, "+31600000001", b"\x01\x02", "lock \u9501\ud800", outgoing=False),
)


def read(path: Path) -> list[Unit]:
    """What a reader of recordings finds, short messages read back."""
    found = list(Trace(path, SideMap(tbox=["tbox-can", "tbox-ip", "sms"], vehicle=["vehicle-can"])))
    return [(pcapng.short_message(unit) or unit) if isinstance(unit, Packet) else unit for unit in found]


def text(path: Path) -> str:
    return path.read_bytes().decode("latin-1")


def test_every_kind_of_unit_comes_back_as_it_was(tmp_path: Path) -> None:
    with Ring(tmp_path) as kept:
        assert all(kept.keep(unit) for unit in UNITS)
    (file,) = kept.files
    assert file.path.name == f"evidence-{START:020d}-{START + 5:020d}.pcapng"
    assert read(file.path) == list(UNITS)
    assert file.size == file.path.stat().st_size


def test_another_reader_finds_the_same(tmp_path: Path) -> None:
    with Ring(tmp_path) as kept:
        for unit in UNITS:
            kept.keep(unit)
    found: list[Any] = list(RawPcapNgReader(str(kept.files[0].path)))
    assert [(meta.tshigh << 32) + meta.tslow for _, meta in found] == [unit.at for unit in UNITS]
    assert [meta.linktype for _, meta in found] == [227, 227, 227, 1, 101, 147]
    assert [meta.ifname for _, meta in found[:2]] == [b"tbox-can", b"vehicle-can"]
    frame = CAN(found[0][0])
    assert (frame.identifier, frame.flags, bytes(frame.data)) == (0x18FEF100, "extended", b"\x01\x02")
    assert found[5][1].comments[0].startswith(b"SMS from +31600000001: lock")


def test_the_timeline_of_units_is_told_as_unix_time(tmp_path: Path) -> None:
    with Ring(tmp_path) as kept:
        kept.keep(UNITS[0]._replace(at=5), START, "can1")
    (unit,) = list(Trace(kept.files[0].path, SideMap(vehicle=["can1"])))
    assert (unit.at, unit.side) == (START + 5, Side.VEHICLE)


def packets(count: int, size: int = 100, step: int = SECOND) -> list[Packet]:
    return [Packet(START + number * step, Side.TBOX, 101, bytes([number % 256]) * size) for number in range(count)]


def test_files_end_by_size_and_the_oldest_are_removed(tmp_path: Path) -> None:
    limits = Limits(file_bytes=4096, total_bytes=16_384, flush_bytes=500)
    with Ring(tmp_path, limits) as kept:
        for unit in packets(500):
            assert kept.keep(unit)
            assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 16_384
    assert all(3500 < file.size <= 4096 for file in kept.files[:-1])
    assert len(kept.files) in {3, 4}
    newest = [unit.at for file in kept.files for unit in read(file.path)]
    assert newest == [unit.at for unit in packets(500)][-len(newest) :]


def test_files_end_by_age_and_old_ones_are_removed_without_traffic(tmp_path: Path) -> None:
    kept = Ring(tmp_path, Limits(file_ns=10 * SECOND, age_ns=60 * SECOND))
    for unit in packets(12):
        kept.keep(unit)
    assert [(file.first, file.last) for file in kept.files] == [(START, START + 9 * SECOND)]
    kept.tick(START + 19 * SECOND)
    assert len(kept.files) == 1
    kept.tick(START + 20 * SECOND)
    assert [file.last for file in kept.files] == [START + 9 * SECOND, START + 11 * SECOND]
    kept.tick(START + 70 * SECOND)
    assert [file.last for file in kept.files] == [START + 11 * SECOND]
    kept.tick(START + 80 * SECOND)
    assert kept.files == []
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_is_set_back_begins_a_new_file(tmp_path: Path) -> None:
    with Ring(tmp_path) as kept:
        for at in (100, 101, 50, 51):
            kept.keep(Packet(START + at * SECOND, Side.TBOX, 101, b"x"))
    assert sorted(file.first - START for file in kept.files) == [50 * SECOND, 100 * SECOND]


def test_what_waits_is_handed_over_in_time(tmp_path: Path) -> None:
    kept = Ring(tmp_path, Limits(flush_ns=SECOND))
    kept.keep(packets(1)[0])
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size == 0
    kept.tick(START + SECOND - 1)
    assert path.stat().st_size == 0
    kept.tick(START + SECOND)
    assert len(read(path)) == 1


def test_a_span_of_time_is_cut_out_across_files_and_wires(tmp_path: Path) -> None:
    kept = Ring(tmp_path, Limits(file_ns=3 * SECOND))
    units: list[Unit] = []
    for number, unit in enumerate(packets(12)):
        units += [unit, Frame(unit.at + 1, Side.VEHICLE, number, b"\x01")]
    for one in units:
        kept.keep(one)
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(kept.slice(START + 2 * SECOND, START + 10 * SECOND))
    assert read(cut) == units[4:21]
    assert text(cut).count("vehicle-can") == 1
    cut.write_bytes(kept.slice(START, START + 99 * SECOND, 227))
    assert read(cut) == units[1::2]
    cut.write_bytes(kept.slice(0, 5))
    assert list(Trace(cut, ALL)) == []


def test_a_slice_is_bounded_and_says_so(tmp_path: Path) -> None:
    kept = Ring(tmp_path)
    for unit in packets(100):
        kept.keep(unit)
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(kept.slice(START, START + 99 * SECOND, most=2000))
    assert read(cut) == packets(100)[:15]
    assert "there is more than 2000 bytes; what is later was left out" in text(cut)


def test_a_file_that_cannot_be_read_is_told_in_the_slice(tmp_path: Path) -> None:
    kept = Ring(tmp_path, Limits(file_ns=SECOND))
    for unit in packets(3):
        kept.keep(unit)
    kept.files[0].path.unlink()
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(kept.slice(START, START + 9 * SECOND))
    assert read(cut) == packets(3)[1:]
    assert "cannot be read (No such file or directory)" in text(cut)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 3000))
def test_a_file_cut_anywhere_is_whole_up_to_there(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("cut")
    with Ring(folder) as kept:
        for unit in packets(20):
            kept.keep(unit)
    whole = kept.files[0].path.read_bytes()
    kept.files[0].path.unlink()
    left = folder / f"evidence-{START:020d}-open.pcapng"
    left.write_bytes(whole[:cut])
    again = Ring(folder)
    found = again.slice(0, 1 << 63)
    (file,) = again.files
    blocks = [block for block in pcapng.blocks(found) if block.kind == pcapng.PACKET]
    assert len(blocks) == sum(block.kind == pcapng.PACKET for block in pcapng.blocks(whole[:cut]))
    assert file.last == START + max(0, len(blocks) - 1) * SECOND
    assert file.path.read_bytes() == whole[:cut], "evidence is never touched"


KILLED = """
    import sys, time
    from pathlib import Path
    from busgate.bridge.ring import Limits, Ring
    from busgate.model import Packet, Side
    ring = Ring(Path(sys.argv[1]), Limits(file_bytes=200_000, total_bytes=100_000_000, flush_bytes=4000))
    number = 0
    while True:
        ring.keep(Packet(10**18 + number, Side.TBOX, 101, number.to_bytes(4, "big") * 50))
        number += 1
        if number == 5000:
            print("on its way", flush=True)
"""


def test_killed_at_any_moment_nothing_that_was_handed_over_is_lost(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], stdout=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"on its way\n"
        process.send_signal(signal.SIGKILL)
    again = Ring(tmp_path)
    numbers = [int.from_bytes(unit.data[:4]) for file in again.files for unit in Trace(file.path, ALL)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 4900
    assert again.keep(Packet(10**18 + SECOND, Side.TBOX, 101, b"x"))
    assert len(list(tmp_path.iterdir())) == len(again.files) + 1


class Disk:
    """A disk that is full for a while, and then takes half a write."""

    def __init__(self) -> None:
        self.full = False
        self.takes = 1000
        self._write = os.write

    def write(self, file: int, data: bytes) -> int:
        if not self.full:
            return self._write(file, data)
        if self.takes:
            taken, self.takes = self.takes, 0
            return self._write(file, bytes(data)[:taken])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr("busgate.bridge.ring.os.write", made.write)
    return made


def test_a_full_disk_is_counted_and_told_and_the_ring_recovers(tmp_path: Path, disk: Disk) -> None:
    kept = Ring(tmp_path, Limits(flush_ns=0))
    sent = [Packet(START + number * SECOND // 10, Side.TBOX, 101, bytes(900)) for number in range(60)]
    taken = []
    for number, unit in enumerate(sent):
        disk.full = 20 <= number < 40
        taken.append(kept.keep(unit))
    kept.close()
    assert taken[:20] == [True] * 20
    assert taken[50:] == [True] * 10
    lost = taken.count(False)
    assert kept.losses().total() == lost
    assert kept.losses()["No space left on device"] >= 2
    found = [unit for file in kept.files for unit in read(file.path)]
    assert found == [unit for unit, there in zip(sent, taken, strict=True) if there]
    assert f"before this, {lost} units could not be kept" in text(kept.files[-1].path)


def test_a_disk_that_fills_within_a_write_leaves_whole_blocks(tmp_path: Path, disk: Disk) -> None:
    kept = Ring(tmp_path, Limits(flush_ns=SECOND))
    for unit in packets(9, 900, SECOND // 10):
        kept.keep(unit)
    kept.tick(START + 2 * SECOND)
    disk.full = True
    for unit in packets(20, 900, SECOND // 10)[9:]:
        kept.keep(unit)
    kept.tick(START + 4 * SECOND)
    assert kept.losses() == {"No space left on device": 11}
    (file,) = kept.files
    assert read(file.path) == packets(9, 900, SECOND // 10)
    assert file.size == file.path.stat().st_size


def test_a_disk_that_is_full_from_the_start_leaves_no_empty_files(tmp_path: Path, disk: Disk) -> None:
    disk.full, disk.takes = True, 0
    with Ring(tmp_path, Limits(flush_ns=0)) as kept:
        assert not any(kept.keep(unit) for unit in packets(5))
    assert kept.losses().total() == 5
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_removed_under_way_raises_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "ring"
    kept = Ring(folder, Limits(file_ns=2 * SECOND))
    units = packets(6)
    kept.keep(units[0])
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    for unit in units[1:]:
        kept.keep(unit)
    kept.slice(0, 1 << 62)
    kept.close()
    assert kept.losses().total() > 0


def test_a_place_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BridgeError, match="evidence cannot be kept here"):
        Ring(tmp_path / "file")
    with pytest.raises(BridgeError, match="room for less than two files"):
        Ring(tmp_path, Limits(file_bytes=100, total_bytes=150))


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with Ring(tmp_path, Limits(file_bytes=1000, total_bytes=2000, age_ns=1)) as kept:
        for unit in packets(50):
            kept.keep(unit)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_is_no_short_message_is_not_read_as_one() -> None:
    for data in (b"", b"{}", b"[1]", b'{"number": 1, "pdu": "zz"}'):
        assert pcapng.short_message(Packet(0, Side.TBOX, 147, data)) is None
    assert pcapng.short_message(Packet(0, Side.TBOX, 1, b"{}")) is None


def test_a_damaged_file_is_read_up_to_the_damage(tmp_path: Path) -> None:
    with Ring(tmp_path) as kept:
        for unit in packets(20):
            kept.keep(unit)
    path = kept.files[0].path
    whole = path.read_bytes()
    starts = [block.start for block in pcapng.blocks(whole) if block.kind == pcapng.PACKET]
    # A block that says it is a packet and has room for none.
    path.write_bytes(whole[: starts[5]] + struct.pack("<III", pcapng.PACKET, 12, 12) + whole[starts[5] :])
    path.rename(tmp_path / f"evidence-{START:020d}-open.pcapng")
    again = Ring(tmp_path)
    assert again.files[0].last == START + 4 * SECOND
    (tmp_path / "cut.pcapng").write_bytes(again.slice(START, START + 99 * SECOND))
    assert read(tmp_path / "cut.pcapng") == packets(5)
