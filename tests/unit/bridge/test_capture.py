from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from scapy.utils import RawPcapNgWriter, RawPcapWriter

from busgate.bridge import capture
from busgate.bridge.channels import SideMap
from busgate.bridge.records import Notes
from busgate.bridge.trace import Trace
from busgate.model import BIT_RATE_SWITCH, ERROR, EXTENDED, FD_FORMAT, REMOTE, Frame, Packet, Side, Unit

ETHERNET, RAW_IP, SOCKETCAN = 1, 101, 227


def can(can_id: int, data: bytes, bits: int = 0, *, room: int = 8, length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    return struct.pack(">IBB2x", can_id, size, bits) + data.ljust(room, b"\0")


def pcap(
    path: Path, link_type: int, packets: list[tuple[float, bytes]], *, nano: bool = False, endianness: str = ""
) -> Path:
    writer = RawPcapWriter(str(path), linktype=link_type, nano=nano, endianness=endianness)
    writer.write_header(None)
    for at, data in packets:
        unit = 1_000_000_000 if nano else 1_000_000
        writer.write_packet(data, sec=int(at), usec=round(at % 1 * unit))
    writer.close()
    return path


def units(path: Path, sides: SideMap | None = None) -> tuple[list[Unit], Trace]:
    trace = Trace(path, sides or SideMap())
    return list(trace), trace


@pytest.mark.parametrize("nano", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_pcap_times_are_exact_in_either_precision_and_byte_order(tmp_path: Path, nano: bool, order: str) -> None:
    path = pcap(tmp_path / "a.pcap", ETHERNET, [(10.25, b"hello"), (11.5, b"")], nano=nano, endianness=order)
    found, trace = units(path)
    assert found == [
        Packet(10_250_000_000, Side.TAP, ETHERNET, b"hello"),
        Packet(11_500_000_000, Side.TAP, ETHERNET, b""),
    ]
    assert trace.warnings == []


def test_socketcan_records_become_frames(tmp_path: Path) -> None:
    path = pcap(
        tmp_path / "a.pcap",
        SOCKETCAN,
        [
            (1.0, can(0x18FEF100 | EXTENDED, b"\x01\x02")),
            (2.0, can(0x123, b"", length=0, room=0)),
            (3.0, can(0x123 | REMOTE, b"", length=4)),
            (4.0, can(ERROR | 0x88, bytes(8))),
            (5.0, can(0x321, bytes(12), FD_FORMAT | BIT_RATE_SWITCH, room=12)),
            (6.0, can(0x321, bytes(64), 0x01, room=64)),
        ],
    )
    found, trace = units(path, SideMap(vehicle=["can0"]))
    assert found == [
        Frame(1 * 10**9, Side.VEHICLE, 0x98FEF100, b"\x01\x02"),
        Frame(2 * 10**9, Side.VEHICLE, 0x123, b""),
        Frame(3 * 10**9, Side.VEHICLE, 0x123 | REMOTE, bytes(4)),
        Frame(4 * 10**9, Side.VEHICLE, ERROR | 0x88, bytes(8)),
        Frame(5 * 10**9, Side.VEHICLE, 0x321, bytes(12), FD_FORMAT | BIT_RATE_SWITCH),
        Frame(6 * 10**9, Side.VEHICLE, 0x321, bytes(64), FD_FORMAT | BIT_RATE_SWITCH),
    ]
    assert trace.skipped == 0


@pytest.mark.parametrize(
    "record",
    [
        b"\0" * 7,
        can(0x800, b""),
        can(0x123, b"\1", length=9),
        can(0x123, bytes(8), length=9, room=9),
        can(0x123, bytes(9), FD_FORMAT, room=9),
        can(0, bytes(8), 0x80),
        can(ERROR | 4, bytes(9), room=9),
        can(ERROR | 4, bytes(12), FD_FORMAT, room=64),
    ],
)
def test_socketcan_records_that_are_no_frames_are_counted(tmp_path: Path, record: bytes) -> None:
    path = pcap(tmp_path / "a.pcap", SOCKETCAN, [(1.0, can(0x123, b"")), (2.0, record)])
    found, trace = units(path)
    assert len(found) == 1
    assert (trace.skipped, trace.first_skipped) == (1, 2)


def test_pcapng_interfaces_are_channels(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    writer = RawPcapNgWriter(str(path))
    writer.write_header(None)
    for at, name, link_type, data in [
        (1.0, b"can0", SOCKETCAN, can(0x123, b"\1")),
        (1.5, b"can1", SOCKETCAN, can(0x124, b"\2")),
        (2.0, b"wwan0", RAW_IP, b"\x45"),
    ]:
        writer._write_packet(data, linktype=link_type, sec=at, caplen=len(data), wirelen=len(data), ifname=name)
    writer.close()
    found, trace = units(path, SideMap(tbox=["can1", "wwan0"], vehicle=["can0"]))
    assert found == [
        Frame(1_000_000_000, Side.VEHICLE, 0x123, b"\1"),
        Frame(1_500_000_000, Side.TBOX, 0x124, b"\2"),
        Packet(2_000_000_000, Side.TBOX, RAW_IP, b"\x45"),
    ]
    assert trace.channels == {"can0": 1, "can1": 1, "wwan0": 1}


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    length = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(order: str = "<", options: bytes = b"", link_type: int = ETHERNET) -> bytes:
    return block(1, struct.pack(f"{order}HHI", link_type, 0, 0) + options, order)


def enhanced(ticks: int, data: bytes, order: str = "<", index: int = 0) -> bytes:
    head = struct.pack(f"{order}IIIII", index, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(6, head + data + b"\0" * (-len(data) % 4), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "ticks"), [(b"\x06", 1_500_000), (b"\x09", 1_500_000_000), (b"\x81", 3), (b"\x00", 1)]
)
def test_pcapng_time_resolutions_are_arithmetic(tmp_path: Path, order: str, resolution: bytes, ticks: int) -> None:
    options = option(9, resolution, order) + option(14, struct.pack(f"{order}q", 100), order) + option(0, b"", order)
    path = tmp_path / "a.pcapng"
    path.write_bytes(section(order) + interface(order, options) + enhanced(ticks, b"x", order))
    found, _ = units(path)
    whole = 101_000_000_000 if resolution == b"\x00" else 101_500_000_000
    assert found == [Packet(whole, Side.TAP, ETHERNET, b"x")]


def test_pcapng_simple_old_and_unknown_blocks_and_new_sections(tmp_path: Path) -> None:
    old = block(2, struct.pack("<HHIIII", 0, 0, 0, 2_000_000, 1, 1) + b"o\0\0\0")
    simple = block(3, struct.pack("<I", 1) + b"s\0\0\0")
    path = tmp_path / "a.pcapng"
    first = section() + interface() + block(5, b"\0" * 8) + old + simple
    path.write_bytes(first + section(">") + interface(">") + enhanced(3_000_000, b"e", ">"))
    found, trace = units(path)
    assert [(unit.at, unit.data) for unit in found] == [(2 * 10**9, b"o"), (2 * 10**9, b"s"), (3 * 10**9, b"e")]
    assert trace.skipped == 0


@pytest.mark.parametrize("offset", [-10, 253_402_300_800, (1 << 63) - 1, -(1 << 63)])
def test_a_packet_of_a_time_that_is_none_is_counted(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "a.pcapng"
    strange = interface(options=option(14, struct.pack("<q", offset)))
    path.write_bytes(section() + strange + interface() + enhanced(0, b"a") + enhanced(1, b"b", index=1))
    found, trace = units(path)
    assert found == [Packet(1000, Side.TAP, ETHERNET, b"b")]
    assert (trace.skipped, trace.first_skipped) == (1, 4)


def test_a_packet_of_an_unknown_interface_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(section() + interface() + enhanced(1, b"x", index=3) + enhanced(2, b"y"))
    found, trace = units(path)
    assert [unit.data for unit in found] == [b"y"]
    assert trace.skipped == 1


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_a_cut_capture_gives_what_is_whole_and_says_so(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "pcap":
        pcap(path, ETHERNET, [(float(n), bytes(20)) for n in range(5)])
    else:
        path.write_bytes(section() + interface() + b"".join(enhanced(n, bytes(20)) for n in range(5)))
    whole = path.read_bytes()
    for cut in range(1, 40):
        path.write_bytes(whole[:-cut])
        found, trace = units(path)
        assert len(found) in {3, 4}
        assert trace.warnings or len(found) == 4
        assert all("cut" in warning for warning in trace.warnings)


def test_a_capture_without_packets_says_so(tmp_path: Path) -> None:
    found, trace = units(pcap(tmp_path / "a.pcap", ETHERNET, []))
    assert found == []
    assert trace.warnings == ["the recording holds no frame"]


LINK_TYPES = (0, 1, 9, 12, 14, 50, 51, 101, 108, 113, 147, 228, 229, 276)


@pytest.mark.parametrize("link_type", LINK_TYPES)
def test_packets_of_every_link_type_pass(tmp_path: Path, link_type: int) -> None:
    path = pcap(tmp_path / "a.pcap", ETHERNET, [(1.0, b"whole")])
    whole = path.read_bytes()
    path.write_bytes(whole[:20] + struct.pack("<I", link_type) + whole[24:])
    assert units(path)[0] == [Packet(10**9, Side.TAP, link_type, b"whole")]
    path = tmp_path / "a.pcapng"
    path.write_bytes(section() + interface(link_type=link_type) + enhanced(1_000_000, b"whole"))
    assert units(path)[0] == [Packet(10**9, Side.TAP, link_type, b"whole")]


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_records_longer_than_what_is_read_at_once_are_whole(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [0, 1, 99, 100, 101, 5000, 3, 84, 85, 16, 0, 250_000, 7]
    packets = [bytes([number]) * size for number, size in enumerate(sizes)]
    path = tmp_path / f"a.{suffix}"
    if suffix == "pcap":
        pcap(path, ETHERNET, [(float(number), data) for number, data in enumerate(packets)])
    else:
        path.write_bytes(
            section() + interface() + b"".join(enhanced(n * 10**6, data) for n, data in enumerate(packets))
        )
    for chunk in (1, 7, 100, 4096, capture.CHUNK):
        monkeypatch.setattr(capture, "CHUNK", chunk)
        found, trace = units(path)
        assert [(unit.at, unit.data) for unit in found] == [(n * 10**9, data) for n, data in enumerate(packets)]
        assert trace.warnings == []


@pytest.mark.parametrize("claimed", [capture.LONGEST_BLOCK + 1, 2**32 - 1])
def test_a_record_that_claims_more_than_any_has_is_damage(tmp_path: Path, claimed: int) -> None:
    path = pcap(tmp_path / "a.pcap", ETHERNET, [(1.0, b"whole")])
    with path.open("ab") as file:
        file.write(struct.pack("<IIII", 2, 0, claimed, claimed) + bytes(100))
    found, trace = units(path)
    assert len(found) == 1
    assert trace.warnings == ["the capture is cut or damaged in packet 2"]


def test_a_live_capture_through_a_pipe_is_not_held_up(tmp_path: Path) -> None:
    whole = pcap(tmp_path / "a.pcap", ETHERNET, [(float(number), bytes(20)) for number in range(3)]).read_bytes()
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb", buffering=0) as live:
        live.write(whole[: 24 + 36])
        records = capture.read(pipe, Notes())
        assert next(records)[0] == 0
        live.write(whole[24 + 36 : 24 + 80])
        assert next(records)[0] == 10**9
        live.write(whole[24 + 80 :])
        assert next(records)[0] == 2 * 10**9
