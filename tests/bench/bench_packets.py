"""Packets read and captured, against scapy and dpkt on the same packets: offline from a file, live on a veth pair.

What is compared offline is what a rule on packets needs: both addresses, both ports, the payload. That all find the
same is checked before anything is measured.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import dpkt
from turns import medians

sys.path.insert(0, str(Path(__file__).parents[1]))
from busgate.bridge import capture
from busgate.bridge.channels import SideMap
from busgate.bridge.records import Notes
from busgate.bridge.ring import Ring
from busgate.bridge.sniffer import Listening, Sniffer
from busgate.bridge.trace import Trace
from busgate.decode.datagram import Datagram
from busgate.decode.ip import Reader
from busgate.decode.stream import Streams
from busgate.model import Packet, Side

COUNT, FEW = 20_000, 1_500
SIZES = (0, 0, 38, 120, 400, 1400, 1400)
RATE, SECONDS = 60_000, 3

Rule = tuple[Any, ...]
"""Source, its port, target, its port, payload."""


def frames() -> Iterator[bytes]:
    """Ordinary traffic of a T-box: connections to some platforms with data and answers, and DNS or NTP between."""
    ahead = [1] * 64
    for number in range(COUNT):
        flow = number * 7 % 64
        payload = bytes(number % 251 for _ in range(SIZES[number % len(SIZES)]))
        if flow % 8 == 0:
            unit = struct.pack(">HHHH", 40000 + flow, 53, 8 + len(payload), 0) + payload
            protocol = 17
        else:
            unit = struct.pack(">HHIIBBHHH", 40000 + flow, 8808, ahead[flow], 1, 0x50, 0x10, 64000, 0, 0) + payload
            ahead[flow] += len(payload)
            protocol = 6
        head = struct.pack(
            ">BBHIBBH4s4s", 0x45, 0, 20 + len(unit), 0, 64, protocol, 0, b"\x0a\x40\0\x02", bytes((203, 0, 113, flow))
        )
        yield b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + head + unit


def write(path: Path, packets: Iterable[bytes]) -> int:
    """A pcap file of them; its packets' bytes."""
    size = 0
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for number, data in enumerate(packets):
            file.write(
                struct.pack("<IIII", 1_772_404_800 + number // 1000, number % 1000 * 1_000_000, len(data), len(data))
                + data
            )
            size += len(data)
    return size


def by_records(path: Path) -> Iterator[Rule]:
    unwrap = Reader().unwrap
    with path.open("rb") as file:
        for at, _, link_type, data, _ in capture.read(file, Notes()):
            yield unwrap(at, link_type, data)[2:7]


def by_trace(path: Path) -> Iterator[Rule]:
    read = Reader().read
    for unit in Trace(path, SideMap.all_tbox()):
        if isinstance(unit, Packet):
            yield read(unit)[2:7]


def by_scapy(path: Path) -> Iterator[Rule]:
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.utils import PcapReader

    with PcapReader(str(path)) as packets:
        for packet in packets:
            head = packet[IP]
            unit = head[TCP] if TCP in head else head[UDP]
            yield head.src, unit.sport, head.dst, unit.dport, bytes(unit.payload)


def by_dpkt(path: Path) -> Iterator[Rule]:
    with path.open("rb") as file:
        for _, data in dpkt.pcap.Reader(file):
            head = dpkt.ethernet.Ethernet(data).data
            unit = head.data
            yield head.src, unit.sport, head.dst, unit.dport, unit.data


def in_streams(path: Path) -> int:
    """The whole way: file, packets, datagrams, streams in order; the bytes that came out."""
    read, receive, delivered = Reader().read, Streams().receive, 0
    for unit in Trace(path, SideMap.all_tbox()):
        if isinstance(unit, Packet):
            step = read(unit)
            if isinstance(step, Datagram):
                for event in receive(step):
                    delivered += len(getattr(event, "data", b""))
    return delivered


def drained(rules: Callable[[Path], Iterator[Any]], path: Path) -> Callable[[], None]:
    def contender() -> None:
        for _ in rules(path):
            pass

    return contender


def offline_rows(folder: Path) -> Iterator[dict[str, Any]]:
    path, short = folder / "bench.pcap", folder / "short.pcap"
    packets = list(frames())
    megabytes = write(path, packets) / 1e6
    write(short, packets[:FEW])
    ours = list(by_records(path))
    assert ours == list(by_trace(path))
    assert ours[:FEW] == list(by_scapy(short))
    assert ours == [(str(ip_address(a)), b, str(ip_address(c)), d, e) for a, b, c, d, e in by_dpkt(path)]
    took = medians(
        {
            "records": drained(by_records, path),
            "trace": drained(by_trace, path),
            "streams": lambda: in_streams(path),
            "scapy": drained(by_scapy, short),
            "dpkt": drained(by_dpkt, path),
        },
        turns=5,
    )
    rate = {name: (FEW if name == "scapy" else COUNT) / seconds for name, seconds in took.items()}
    for name, what, peers in (
        ("records", "packet rules, from a capture's records", ("scapy", "dpkt")),
        ("trace", "packet rules, as replay reads a capture", ("scapy", "dpkt")),
        ("streams", "capture read, decoded and put into streams", ("scapy", "dpkt")),
    ):
        for peer in peers:
            words = {"scapy": "scapy PcapReader", "dpkt": "dpkt"}[peer]
            yield {
                "name": what,
                "value": rate[name],
                "unit": "packets/s",
                "peer": words,
                "ratio": rate[name] / rate[peer],
            }
    scapy_megabytes = sum(map(len, packets[:FEW])) / 1e6 / took["scapy"]
    yield {
        "name": "capture read, decoded and put into streams",
        "value": megabytes / took["streams"],
        "unit": "MB/s",
        "peer": "scapy PcapReader",
        "ratio": megabytes / took["streams"] / scapy_megabytes,
    }


def ring_rows(folder: Path) -> Iterator[dict[str, Any]]:
    from scapy.utils import RawPcapNgWriter

    units = [Packet(1_772_404_800 * 10**9 + number * 10**6, Side.TBOX, 1, data) for number, data in enumerate(frames())]

    def ours() -> None:
        with Ring(folder / "ring") as ring:
            for unit in units:
                ring.keep(unit)

    def scapys() -> None:
        writer = RawPcapNgWriter(str(folder / "scapy.pcapng"))
        writer.write_header(None)
        for at, _, link_type, data, _ in units:
            writer._write_packet(
                data, linktype=link_type, sec=at / 1e9, caplen=len(data), wirelen=len(data), ifname=b"x"
            )
        writer.close()

    took = medians({"ours": ours, "scapy": scapys}, turns=5)
    yield {
        "name": "evidence ring written",
        "value": COUNT / took["ours"],
        "unit": "packets/s",
        "peer": "scapy RawPcapNgWriter",
        "ratio": took["scapy"] / took["ours"],
    }


def blast(rate: int, seconds: float) -> None:
    """Send numbered packets at a rate, a millisecond's worth at a time."""
    from support.namespace import sender

    data = [frame for frame, _ in zip(frames(), range(256), strict=False)]
    each, sent = rate // 1000, 0
    with sender("far") as far:
        began = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            due = int(now * 1000) * each
            while sent < due:
                far.send(data[sent & 0xFF])
                sent += 1
            time.sleep(0.0003)
    Path(os.environ["BUSGATE_BENCH_SENT"]).write_text(str(sent), encoding="ascii")


def live(receive: Callable[[float], int]) -> tuple[float, float]:
    """Part of what was sent that was received, and seconds of this process' CPU per packet sent."""
    from support.namespace import own_namespace, veth

    with own_namespace(), tempfile.TemporaryDirectory() as folder:
        veth()
        os.environ["BUSGATE_BENCH_SENT"] = f"{folder}/sent"
        sending = multiprocessing.get_context("fork").Process(target=blast, args=(RATE, SECONDS))
        until = time.monotonic() + SECONDS + 1.0
        began = time.process_time()
        starter = receive_after(sending, receive, until)
        used = time.process_time() - began
        sending.join()
        sent = int(Path(folder, "sent").read_text(encoding="ascii"))
    return starter / sent, used / sent


def receive_after(sending: Any, receive: Callable[[float], int], until: float) -> int:
    """Start the sender a moment after the receiver listens."""
    import threading

    timer = threading.Timer(0.3, sending.start)
    timer.start()
    received = receive(until)
    timer.join()
    return received


def listen(how: Listening) -> Callable[[float], int]:
    def receive(until: float) -> int:
        read, seen = Reader().read, 0
        with Sniffer.open(Side.TBOX, "near", how) as wire:
            while time.monotonic() < until:
                wire.wait(0.05)
                for packet in wire.read():
                    seen += isinstance(read(packet), Datagram)
        return seen

    return receive


def scapy_sniff(until: float) -> int:
    from scapy.layers.inet import IP
    from scapy.sendrecv import sniff

    seen = 0

    def count(packet: Any) -> None:
        nonlocal seen
        seen += IP in packet

    sniff(iface="near", store=False, prn=count, timeout=until - time.monotonic())
    return seen


def live_rows() -> Iterator[dict[str, Any]]:
    logging.getLogger("scapy").setLevel(logging.ERROR)
    theirs, their_cpu = live(scapy_sniff)
    for words, how in (("mapped", Listening()), ("one by one", Listening(ring_bytes=0))):
        ours, cpu = live(listen(how))
        name = f"live capture and decode at {RATE // 1000}k packets/s, {words}"
        peer = f"scapy sniff (received {theirs:.1%})"
        yield {"name": f"{name}: received", "value": 100 * ours, "unit": "%", "peer": peer, "ratio": ours / theirs}
        # A peer that loses packets spares itself their cost: CPU is told for each packet that was received.
        ratio = (their_cpu / theirs) / (cpu / ours)
        yield {"name": f"{name}: CPU", "value": 1e6 * cpu / ours, "unit": "us/packet", "peer": peer, "ratio": ratio}


def rows() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        found = [*offline_rows(Path(folder)), *ring_rows(Path(folder))]
    if os.geteuid() == 0:
        found += live_rows()
    return found
