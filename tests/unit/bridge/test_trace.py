from __future__ import annotations

import gzip
import os
import sqlite3
import struct
import subprocess
import sys
import threading
from pathlib import Path

import can
import pytest

from busgate.bridge.channels import SideMap
from busgate.bridge.port import BridgeError
from busgate.bridge.sniff import Format
from busgate.bridge.trace import Trace, merge
from busgate.model import Frame, Side
from support.recordings import BOTH_SIDES, ERRORS, FD, PLAIN, REMOTES, STARTED, as_frame, frames, message, packed, write

WHAT_EACH_WRITER_KNOWS = {
    "log": [*PLAIN, *FD, *REMOTES],
    "asc": [*PLAIN, *FD, *REMOTES, *ERRORS],
    "blf": [*PLAIN, *FD, *REMOTES, *ERRORS],
    "mf4": [*PLAIN, *FD, *REMOTES, *ERRORS],
    "trc": PLAIN,
}


def read(path: Path, sides: SideMap = BOTH_SIDES) -> tuple[list[object], Trace]:
    trace = Trace(path, sides)
    return list(trace), trace


@pytest.mark.parametrize("suffix", WHAT_EACH_WRITER_KNOWS)
@pytest.mark.parametrize("gz", [False, True])
def test_what_python_can_writes_is_read(tmp_path: Path, suffix: str, gz: bool) -> None:
    sent = WHAT_EACH_WRITER_KNOWS[suffix]
    path = write(tmp_path / f"day.{suffix}", sent)
    found, trace = read(packed(path) if gz else path)
    expected = [as_frame(each, since=STARTED if suffix == "asc" else 0) for each in sent]
    if suffix == "log":  # python-can writes an R without the length
        expected = [frame._replace(data=b"") if frame.can_id & 0x40000000 else frame for frame in expected]
    assert found == expected
    assert (trace.warnings, trace.skipped, trace.clock_steps, trace.unmapped) == ([], 0, 0, {})
    assert trace.frames == len(sent) == trace.channels.total()
    assert trace.absolute is (suffix != "asc")


@pytest.mark.parametrize("suffix", ["csv", "db"])
@pytest.mark.parametrize("gz", [False, True])
def test_formats_without_channels_have_one(tmp_path: Path, suffix: str, gz: bool) -> None:
    sent = [*PLAIN, *FD[:1], *REMOTES, *ERRORS]
    path = write(tmp_path / f"day.{suffix}", sent)
    found, trace = read(packed(path) if gz else path, SideMap(vehicle=["can0"]))
    expected = [as_frame(each)._replace(side=Side.VEHICLE) for each in sent]
    # Neither format knows CAN FD: the length alone tells.
    assert found == [frame._replace(flags=4) if frame.flags else frame for frame in expected]
    assert trace.channels == {"0": len(sent)}


def test_error_frames_of_a_candump_log_keep_their_channel_and_class(tmp_path: Path) -> None:
    path = tmp_path / "day.log"
    path.write_text("(1.000000) can1 20000004#0004000000000000\n")
    assert frames(path) == [Frame(10**9, Side.TBOX, 0x20000004, bytes.fromhex("0004000000000000"))]


@pytest.mark.parametrize("name", ["x.candump", "x.candump.gz", "x.txt", "x", "x.asc", "x.blf", "X.LOG", "x.csv.gz"])
def test_content_outweighs_the_name(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "day.log", PLAIN)
    lying = tmp_path / name
    lying.write_bytes(gzip.compress(path.read_bytes()) if name.endswith("gz") else path.read_bytes())
    found, trace = read(lying)
    assert trace.format is Format.CANDUMP
    assert len(found) == len(PLAIN)


def test_a_packed_file_need_not_be_called_gz(tmp_path: Path) -> None:
    path = packed(write(tmp_path / "day.blf", PLAIN))
    assert len(frames(path.rename(tmp_path / "day"))) == len(PLAIN)


@pytest.mark.parametrize("suffix", ["asc", "blf", "trc", "csv", "mf4", "db"])
def test_every_format_is_known_without_its_name(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"day.{suffix}", PLAIN)
    found, _ = read(path.rename(tmp_path / "day.dat"), SideMap())
    assert len(found) == len(PLAIN)


def test_channels_without_a_side_are_left_out_counted_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "day.log", PLAIN)
    found, trace = read(path, SideMap(tbox=["can1"], tap=["can7"]))
    assert {unit.side for unit in found if isinstance(unit, Frame)} == {Side.TBOX}
    assert trace.channels == {"can0": 2, "can1": 3}
    assert trace.unmapped == {"can0": 2}
    assert trace.frames == 3
    assert trace.warnings == [
        "channels without a side were left out: can0 (2)",
        "no frame came on can7; the recording has can0 (2), can1 (3)",
    ]


def test_a_map_that_fits_no_channel_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "day.log", PLAIN)
    with pytest.raises(BridgeError, match=r"it has can0 \(2\), can1 \(3\)"):
        read(path, SideMap(tbox=["can8"]))


def test_numbered_channels_are_told_to_count_from_0(tmp_path: Path) -> None:
    path = write(tmp_path / "day.blf", PLAIN)
    found, trace = read(path, SideMap(tbox=["2"], vehicle=["1"]))
    assert {unit.side for unit in found if isinstance(unit, Frame)} == {Side.VEHICLE}
    assert trace.warnings[-1].endswith("in a BLF file they are counted from 0")


def test_a_clock_that_steps_back_holds_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "day.log"
    times = ["1.000000", "3.000000", "2.000000", "2.500000", "3.500000", "0.000001"]
    path.write_text("".join(f"({time}) can0 00{n}#\n" for n, time in enumerate(times)))
    found, trace = read(path)
    assert [(unit.at / 10**9, unit.can_id) for unit in found if isinstance(unit, Frame)] == [
        (1.0, 0), (3.0, 1), (3.0, 2), (3.0, 3), (3.5, 4), (3.5, 5),
    ]  # fmt: skip
    assert trace.clock_steps == 2
    assert "the recorded clock stepped back 2 times; time was held there" in trace.warnings


def test_microseconds_survive_the_floats_of_other_readers(tmp_path: Path) -> None:
    sent = [message(n / 1_000_000, 0x100) for n in range(0, 3000, 7)]
    path = write(tmp_path / "day.blf", sent)
    assert [unit.at % 10**9 for unit in frames(path)] == [n * 1000 for n in range(0, 3000, 7)]


@pytest.mark.parametrize("suffix", ["log", "asc", "blf", "trc", "csv"])
def test_a_cut_recording_gives_a_whole_beginning(tmp_path: Path, suffix: str) -> None:
    sent = [message(n / 100, 0x100 + n % 64, bytes([n % 256] * 8)) for n in range(400)]
    whole = write(tmp_path / f"day.{suffix}", sent).read_bytes()
    expected = frames(tmp_path / f"day.{suffix}", SideMap(vehicle=["0"]))
    for keep in (len(whole) // 3, len(whole) * 2 // 3, len(whole) - 37):
        path = tmp_path / f"cut.{suffix}"
        path.write_bytes(whole[:keep])
        found, trace = read(path, SideMap(vehicle=["0"]))
        assert 0 < len(found) < len(expected) or suffix == "blf"
        assert found == expected[: len(found)] or (found[:-1] == expected[: len(found) - 1] and trace.warnings)
        assert trace.warnings


def _captured(path: Path, sent: list[can.Message]) -> Path:
    whole = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 227)
    for each in sent:
        seconds, fraction = divmod(round(each.timestamp * 1e6), 1_000_000)
        record = struct.pack(">IBB2x", each.arbitration_id, len(each.data), 0) + bytes(each.data)
        whole += struct.pack("<IIII", seconds, fraction, len(record), len(record)) + record
    path.write_bytes(whole)
    return path


@pytest.mark.parametrize("suffix", ["log", "asc", "trc", "csv", "pcap"])
def test_a_cut_gz_gives_what_is_whole_and_says_so(tmp_path: Path, suffix: str) -> None:
    sent = [message(n / 100, 0x100, os.urandom(8)) for n in range(2000)]
    plain = _captured(tmp_path / "day.pcap", sent) if suffix == "pcap" else write(tmp_path / f"day.{suffix}", sent)
    path = packed(plain)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found, trace = read(path, SideMap())
    assert 500 < len(found) < 1500
    assert found == frames(plain, SideMap())[: len(found)]
    assert any("compressed file is cut" in warning for warning in trace.warnings)


def test_a_gz_with_a_flipped_bit_gives_what_came_before(tmp_path: Path) -> None:
    path = packed(write(tmp_path / "day.log", [message(n, 0x100, os.urandom(8)) for n in range(2000)]))
    bytes_ = bytearray(path.read_bytes())
    bytes_[len(bytes_) // 2] ^= 0xFF
    path.write_bytes(bytes(bytes_))
    found, trace = read(path)
    assert found
    assert any("cut or damaged" in warning for warning in trace.warnings)


def test_a_bad_line_does_not_stop_the_other_text_formats(tmp_path: Path) -> None:
    for suffix, bad in (("csv", "oops,1,2\n"), ("trc", "     99    oops DT  1     0123 Rx -  8    01 02\n")):
        path = write(tmp_path / f"day.{suffix}", PLAIN)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([*lines[:-2], bad, bad, *lines[-2:]]))
        found, trace = read(path, SideMap())
        assert len(found) == len(PLAIN)
        assert (trace.skipped, trace.first_skipped) == (2, len(lines) - 1)


def test_a_trace_can_be_read_again(tmp_path: Path) -> None:
    trace = Trace(write(tmp_path / "day.log", PLAIN), BOTH_SIDES)
    assert list(trace) == list(trace)
    assert trace.frames == len(PLAIN)


def test_a_trace_can_come_through_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = "".join(f"({n}.000000) can0 123#\n" for n in range(20_000))
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    found, _ = read(pipe)
    writer.join()
    assert len(found) == 20_000


TRC_LINE = "      1         1.000 DT  1     0123 Rx -  2    01 02\n"
TRC_HEAD = ";$FILEVERSION=2.1\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n"


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        (TRC_LINE * 2, 0),
        (";$FILEVERSION=9.9\n" + TRC_LINE, 0),
        (TRC_HEAD + "junk\n" + TRC_LINE * 2, 2),
        (TRC_HEAD + TRC_LINE + "junk\n" + TRC_LINE, 2),
    ],
    ids=["no head", "unknown version", "junk first", "junk between"],
)
def test_a_head_that_the_reader_refuses_is_not_given_to_it_for_ever(tmp_path: Path, text: str, frames: int) -> None:
    path = tmp_path / "day.trc"
    path.write_text(text, encoding="utf-8")
    if frames:
        assert len(read(path)[0]) == frames
    else:
        with pytest.raises(BridgeError, match="not a TRC log"):
            read(path)


NEXT_STEPS = {
    "missing.log": "there is no such file; check the path",
    "folder": "this is a folder; name one recording in it",
    "empty.log": "this file is empty",
    "noise.log": r"this is not a candump log; first line was 'hello there'",
    "noise.asc": r"this is not an ASC log; first line was 'hello there'",
    "noise.trc": r"this is not a TRC log; first line was 'hello there'",
    "noise.blf": "this is not a BLF file; it begins with 'hello there'",
    "noise.mf4": "this is not an MDF 4 file; it begins with 'hello there'",
    "noise.csv": "this is not a python-can CSV; it begins with 'hello there'",
    "noise.xyz": "this is not a recording; it begins with 'hello there'. busgate reads candump .log",
    "binary.log": "this is not a candump log; it begins with",
    "short.blf": "this BLF file cannot be read: it is cut or damaged",
    "short.mf4": "this MDF 4 file cannot be read: it is cut or damaged",
    "other.db": "nothing in this SQLite database can be read",
}


@pytest.mark.parametrize("name", NEXT_STEPS)
def test_what_is_no_recording_is_refused_in_one_line(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    stem = name.split(".", maxsplit=1)[0]
    if name == "folder":
        path.mkdir()
    elif stem == "short":
        path.write_bytes(write(tmp_path / f"whole.{path.suffix[1:]}", PLAIN).read_bytes()[:70])
    elif stem == "other":
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE people (name TEXT)")
    elif stem != "missing":
        path.write_bytes({"empty": b"", "noise": b"hello there\nsecond\n", "binary": b"ab\0\1\2" * 99}[stem])
    with pytest.raises(BridgeError, match=NEXT_STEPS[name]) as fault:
        read(path)
    assert "\n" not in str(fault.value)
    assert str(fault.value).startswith(str(path))
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "day.log", PLAIN)
    path.chmod(0)
    with pytest.raises(BridgeError, match="check its permissions"):
        read(path)


def test_mdf_without_its_extra_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "day.mf4", PLAIN)
    monkeypatch.setattr("can.io.mf4.asammdf", None)
    monkeypatch.setitem(sys.modules, "asammdf", None)
    with pytest.raises(BridgeError, match=r"pip install 'busgate\[mf4\]'"):
        read(path)


def test_text_formats_need_no_python_can(tmp_path: Path) -> None:
    path = write(tmp_path / "day.log", PLAIN)
    script = (
        "import sys; from pathlib import Path; from busgate.bridge.trace import Trace;"
        "from busgate.bridge.channels import SideMap; list(Trace(Path(sys.argv[1]), SideMap()));"
        "sys.exit('can' in sys.modules or 'scapy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == 0


def at(*moments: int) -> list[Frame]:
    return [Frame(moment, Side.TAP, 0x100, b"") for moment in moments]


def test_merging_orders_by_time_and_then_by_source() -> None:
    first, second = at(1, 5, 5), [frame._replace(side=Side.TBOX) for frame in at(2, 5, 9)]
    merged = list(merge(first, second))
    assert [(unit.at, unit.side) for unit in merged] == [
        (1, "tap"), (2, "tbox"), (5, "tap"), (5, "tap"), (5, "tbox"), (9, "tbox"),
    ]  # fmt: skip


def test_merging_is_lazy_and_takes_empty_sources() -> None:
    assert list(merge([], at(1), [])) == at(1)
    assert list(merge()) == []


def test_recordings_whose_clocks_differ_are_not_merged() -> None:
    with pytest.raises(BridgeError, match="absolute timestamps"):
        merge(at(1_768_000_000 * 10**9), at(5))
