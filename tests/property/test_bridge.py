"""Laws of the bridge that hold for any recording."""

from __future__ import annotations

import gzip
import io
import tempfile
from pathlib import Path

import can
from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.bridge import candump
from busgate.bridge.channels import SideMap
from busgate.bridge.port import BridgeError
from busgate.bridge.records import FD_LENGTHS, Notes, nanoseconds
from busgate.bridge.trace import Trace, merge
from busgate.model import Frame, Side, Unit
from support.recordings import as_frame

SUFFIXES = ["log", "asc", "blf", "trc", "csv", "mf4", "db", "pcap", "pcapng", "log.gz", "bin"]
MAGIC = [b"", b"LOGG", b"MDF     ", b"SQLite format 3\0", b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a", b"\x1f\x8b\x08"]
TEXT = st.lists(
    st.sampled_from(
        [
            "(1.000000) can0 123#00", "(2.000000) can1 18FEF100#0011223344556677", "(0.5) can0 123##1AABB",
            "(3.000000) can0 123#R4", "base hex timestamps relative", "   1.0 1  123  Rx   d 2 AA 01",
            "   1.0 CANFD 1 Rx 300 1 0 8 8 01 02 03 04 05 06 07 08", ";$FILEVERSION=2.1", ";$COLUMNS=N,O,T,B,I,d,R,L,D",
            "      0         1.000 DT  2 18FEF100 Rx -  8    01 01 01 01 01 01 01 01", "1768000000.0,0x0,1,0,1,0,",
            "timestamp,arbitration_id,extended,remote,error,dlc,data", "", "#", "(", "\x00", "é",
        ]
    ),
    max_size=12,
).map(lambda lines: "\n".join(lines).encode())  # fmt: skip

data = st.sampled_from(sorted(FD_LENGTHS)).flatmap(lambda size: st.binary(min_size=size, max_size=size))


@st.composite
def messages(draw: st.DrawFn) -> can.Message:
    payload = draw(data)
    fd = len(payload) > 8 or draw(st.booleans())
    extended = draw(st.booleans())
    return can.Message(
        timestamp=draw(st.integers(0, 2 * 10**15)) / 1e6,
        arbitration_id=draw(st.integers(0, 0x1FFFFFFF if extended else 0x7FF)),
        is_extended_id=extended,
        is_fd=fd,
        bitrate_switch=fd and draw(st.booleans()),
        error_state_indicator=fd and draw(st.booleans()),
        data=payload,
        channel=draw(st.sampled_from([0, 1])),
    )


def read(content: bytes, suffix: str) -> list[Unit]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"day.{suffix}"
        path.write_bytes(content)
        return list(Trace(path, SideMap()))


@settings(max_examples=150, deadline=None)
@given(
    content=st.one_of(st.tuples(st.sampled_from(MAGIC), st.binary(max_size=300)).map(b"".join), TEXT),
    suffix=st.sampled_from(SUFFIXES),
)
def test_whatever_the_bytes_a_recording_is_read_or_refused(content: bytes, suffix: str) -> None:
    refusal = ""
    units: list[Unit] = []
    try:
        units = read(content, suffix)
    except BridgeError as fault:
        refusal = str(fault)
    assert "\n" not in refusal
    assert [unit.at for unit in units] == sorted(unit.at for unit in units)


@settings(max_examples=60, deadline=None)
@given(sent=st.lists(messages(), min_size=1, max_size=20).map(lambda each: sorted(each, key=lambda one: one.timestamp)))
def test_a_candump_log_by_python_can_is_read_back_exactly(sent: list[can.Message]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.log"
        with can.CanutilsLogWriter(path) as writer:
            for each in sent:
                writer.on_message_received(each)
        found = list(Trace(path, SideMap(tbox=["can1"], vehicle=["can0"])))
    assert found == [as_frame(each) for each in sent]


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.integers(0, 9), max_size=30), cut=st.integers(0, 600), packed=st.booleans())
def test_however_a_log_is_cut_what_is_read_is_its_beginning(lines: list[int], cut: int, packed: bool) -> None:
    whole = "".join(f"({at}.000000) can{at % 2} 1{at:02}#{at:016X}\n" for at in sorted(lines)).encode() or b"\n"
    content = gzip.compress(whole)[:cut] if packed else whole[:cut]
    notes = Notes()
    expected = list(candump.read(io.BytesIO(whole), notes, lambda: False))
    try:
        found = read(content, "log.gz" if packed else "log")
    except BridgeError:
        return
    complete = len(found) if packed else content.count(b"\n")
    assert [unit.at for unit in found[:complete]] == [record[0] for record in expected[:complete]]
    assert len(found) <= complete + 1


@given(st.lists(st.floats(0, 4e9), max_size=50))
def test_integer_times_keep_the_order_of_float_times(times: list[float]) -> None:
    found = [nanoseconds(time) for time in sorted(times)]
    assert found == sorted(time for time in found if time is not None)


def test_times_that_are_none_are_refused() -> None:
    assert [nanoseconds(float(text)) for text in ("nan", "inf", "-inf")] == [None] * 3


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=4))
def test_merging_loses_nothing_and_orders_all(sources: list[list[int]]) -> None:
    units = [
        [Frame(at, Side.TAP, number, bytes([index])) for index, at in enumerate(sorted(source))]
        for number, source in enumerate(sources)
    ]
    merged = list(merge(*units))
    assert [unit.at for unit in merged] == sorted(at for source in sources for at in source)
    for number, source in enumerate(units):
        assert [unit for unit in merged if isinstance(unit, Frame) and unit.can_id == number] == source
