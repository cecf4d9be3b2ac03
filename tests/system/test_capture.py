"""Real interfaces in a network namespace of the test's own: what is sent is captured, kept, read and put in order."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from busgate.bridge import sniffer
from busgate.bridge.port import BridgeError
from busgate.bridge.ring import Ring
from busgate.bridge.sniffer import Listening, Sniffer
from busgate.decode.datagram import Datagram
from busgate.decode.ip import Reader
from busgate.decode.stream import Streams
from busgate.decode.stream_events import Closed, Data, Gap, Opened, StreamEvent
from busgate.model import Packet, Side
from support.namespace import ip, own_namespace, sender, tun, veth

SECOND = 1_000_000_000
TCPDUMP = shutil.which("tcpdump", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
BOTH = pytest.mark.parametrize("how", [Listening(), Listening(ring_bytes=0)], ids=["mapped", "one by one"])


@pytest.fixture
def net() -> Iterator[None]:
    with own_namespace():
        yield


def collect(wire: Sniffer, count: int, timeout: float = 5) -> list[Packet]:
    packets: list[Packet] = []
    deadline = time.monotonic() + timeout
    while len(packets) < count and time.monotonic() < deadline:
        wire.wait(0.1)
        packets += wire.read()
    return packets


def frame(payload: bytes, number: int = 0) -> bytes:
    head = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="10.0.0.2", dst="203.0.113.9", id=number)
    return bytes(head / UDP(sport=5000, dport=6000) / payload)


@pytest.mark.usefixtures("net")
@BOTH
def test_packets_in_both_directions_with_their_times(how: Listening) -> None:
    veth()
    with Sniffer.open(Side.TBOX, "near", how) as wire, sender("far") as far, sender("near") as near:
        assert wire.mapped == bool(how.ring_bytes)
        before = time.time_ns()
        far.send(frame(b"in"))
        packets = collect(wire, 1)
        near.send(frame(b"out"))
        packets += collect(wire, 1)
        after = time.time_ns()
        assert [packet.data for packet in packets] == [frame(b"in"), frame(b"out")]
        assert [packet.outgoing for packet in packets] == [False, True]
        assert all(packet.link_type == 1 and packet.side is Side.TBOX for packet in packets)
        assert before <= packets[0].at <= packets[1].at <= after
        assert wire.losses() == {}


@pytest.mark.usefixtures("net")
@BOTH
def test_times_are_told_on_the_callers_timeline(how: Listening) -> None:
    veth()
    with Sniffer.open(Side.TBOX, "near", how) as wire, sender("far") as far:
        offset = time.time_ns() - time.monotonic_ns()
        before = time.monotonic_ns()
        far.send(frame(b"x"))
        wire.wait(2)
        (packet,) = wire.read(offset)
        assert before - SECOND // 1000 <= packet.at <= time.monotonic_ns()


@pytest.mark.usefixtures("net")
@BOTH
def test_vlan_tags_are_put_back(how: Listening) -> None:
    veth()
    tagged = bytes(Ether(src="02:00:00:00:00:01") / Dot1Q(vlan=7, prio=3) / IP() / UDP() / b"tagged")
    with Sniffer.open(Side.TBOX, "near", how) as wire, sender("far") as far:
        far.send(tagged)
        assert [packet.data for packet in collect(wire, 1)] == [tagged]


@pytest.mark.usefixtures("net")
@BOTH
def test_a_raw_ip_modem(how: Listening) -> None:
    modem = tun()
    packet = bytes(IP(src="203.0.113.9", dst="10.0.0.2") / UDP(sport=5000, dport=6000) / b"down")
    with Sniffer.open(Side.TBOX, "modem0", how) as wire:
        os.write(modem, packet)
        found = collect(wire, 1)
        assert found[0][1:] == (Side.TBOX, 101, packet, False)
        read = Reader().read(found[0])
        assert isinstance(read, Datagram)
        assert read.payload == b"down"
    os.close(modem)


@pytest.mark.usefixtures("net")
@BOTH
def test_an_interface_of_another_kind_is_cooked(how: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniffer, "_ARPHRD", {})
    veth()
    with Sniffer.open(Side.TBOX, "near", how) as wire, sender("far") as far, sender("near") as near:
        far.send(frame(b"in"))
        packets = collect(wire, 1)
        near.send(frame(b"out"))
        packets += collect(wire, 1)
        kinds = [int.from_bytes(packet.data[:2]) for packet in packets]
        assert kinds == [3, 4], "PACKET_OTHERHOST, PACKET_OUTGOING"
        assert {packet.data[2:16] for packet in packets[:1]} == {b"\0\1\0\6\x02\0\0\0\0\1\0\0\x08\0"}
        reads = [Reader().read(packet) for packet in packets]
        assert [read.payload for read in reads if isinstance(read, Datagram)] == [b"in", b"out"]
        assert packets[0].link_type == 113


@pytest.mark.usefixtures("net")
@BOTH
def test_the_loopback_interface_says_everything_once(how: Listening) -> None:
    assert ip("link", "set", "lo", "up")
    with Sniffer.open(Side.TBOX, "lo", how) as wire, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
        talk.sendto(b"hello", ("127.0.0.1", 6000))
        reads = [Reader().read(packet) for packet in collect(wire, 9, 0.5)]
        assert [read.payload for read in reads if isinstance(read, Datagram) and read.transport == "udp"] == [b"hello"]


@pytest.mark.usefixtures("net")
@BOTH
def test_a_snap_length_keeps_the_beginning(how: Listening) -> None:
    veth()
    short = Listening(snap=100, ring_bytes=how.ring_bytes)
    with Sniffer.open(Side.TBOX, "near", short) as wire, sender("far") as far:
        far.send(frame(bytes(1000)))
        (packet,) = collect(wire, 1)
        assert packet.data == frame(bytes(1000))[:100]
        read = Reader().read(packet)
        assert isinstance(read, Datagram)
        assert read.lacks == 942


@pytest.mark.usefixtures("net")
@BOTH
def test_an_interface_that_goes_down_goes_on_when_it_is_up_again(how: Listening) -> None:
    veth()
    with Sniffer.open(Side.TBOX, "near", how) as wire, sender("far") as far:
        ip("link", "set", "near", "down")
        collect(wire, 1, 0.2)
        assert wire.losses() == {"down": 1}
        ip("link", "set", "near", "up")
        time.sleep(0.1)
        far.send(frame(b"again"))
        assert [packet.data for packet in collect(wire, 1)] == [frame(b"again")]
        assert wire.returns == 0


@pytest.mark.usefixtures("net")
@BOTH
def test_an_interface_that_goes_away_is_opened_when_it_comes_back(how: Listening) -> None:
    veth()
    with Sniffer.open(Side.TBOX, "near", how) as wire:
        ip("link", "del", "near")
        assert collect(wire, 1, 0.3) == []
        assert wire.losses() == {"interface_gone": 1}
        assert not wire.again()
        veth()
        deadline = time.monotonic() + 3
        while not wire.again() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert wire.returns == 1
        with sender("far") as far:
            far.send(frame(b"back"))
            assert [packet.data for packet in collect(wire, 1)] == [frame(b"back")]


@pytest.mark.usefixtures("net")
@BOTH
def test_what_the_kernel_could_not_keep_is_counted(how: Listening) -> None:
    veth()
    small = Listening(ring_bytes=how.ring_bytes and 1 << 19)
    with Sniffer.open(Side.TBOX, "near", small) as wire, sender("far") as far:
        if wire.socket is not None and not wire.mapped:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for number in range(2000):
            with contextlib.suppress(BlockingIOError):
                far.send(frame(bytes(1000), number))
        packets = collect(wire, 2000, 0.5)
        lost = wire.losses()["receive_queue_full"]
        assert lost > 0
        assert len(packets) + lost == 2000


@pytest.mark.usefixtures("net")
@BOTH
def test_a_second_without_reading_costs_nothing(how: Listening) -> None:
    veth()
    with Sniffer.open(Side.TBOX, "near", how) as wire, sender("far") as far:
        for number in range(100):
            far.send(frame(b"slow", number))
            time.sleep(0.01)
        assert len(collect(wire, 100)) == 100
        assert wire.losses() == {}


@pytest.mark.usefixtures("net")
def test_what_cannot_be_listened_to_is_refused_in_one_line() -> None:
    with pytest.raises(BridgeError, match=r"^nothing0: .*there is no such interface.*see: ip link show$"):
        Sniffer.open(Side.TBOX, "nothing0")


@pytest.mark.usefixtures("net")
@BOTH
def test_bytes_of_a_real_connection_come_out_in_order(how: Listening) -> None:
    """Two stacks, a lossy link (where the kernel can make one): the kernel sends again what is lost, and we follow."""
    assert ip("link", "set", "lo", "up")
    tc = shutil.which("tc", path="/usr/sbin:/sbin:/usr/bin")
    if tc:
        subprocess.run(
            [tc, "qdisc", "add", "dev", "lo", "root", "netem", "loss", "3%"], capture_output=True, check=False
        )
    said = bytes(range(256)) * 2000
    with socket.create_server(("127.0.0.1", 0)) as server, Sniffer.open(Side.TBOX, "lo", how) as wire:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        peer, _ = server.accept()

        def talk() -> None:
            with client:
                client.sendall(said)
                client.shutdown(socket.SHUT_WR)
                client.recv(10)

        def answer() -> None:
            with peer:
                while peer.recv(65536):
                    pass
                peer.sendall(b"thanks")

        threads = [threading.Thread(target=work) for work in (talk, answer)]
        for thread in threads:
            thread.start()
        reader, streams, events = Reader(), Streams(), list[StreamEvent]()
        deadline = time.monotonic() + 20
        while not any(isinstance(event, Closed) for event in events) and time.monotonic() < deadline:
            wire.wait(0.05)
            for packet in wire.read():
                step = reader.read(packet)
                if isinstance(step, Datagram):
                    events += streams.receive(step)
        for thread in threads:
            thread.join(10)
        assert wire.losses() == {}
    assert not [event for event in events if isinstance(event, Gap)]
    assert isinstance(events[0], Opened)
    assert events[0].stream.responder.port == port
    assert b"".join(event.data for event in events if isinstance(event, Data) and event.forward) == said
    assert b"".join(event.data for event in events if isinstance(event, Data) and not event.forward) == b"thanks"
    assert isinstance(events[-1], Closed)


@pytest.mark.usefixtures("net")
def test_tcpdump_reads_what_the_ring_keeps(tmp_path: Path) -> None:
    if TCPDUMP is None:
        pytest.skip("tcpdump is not installed")
    veth()
    with (
        Sniffer.open(Side.TBOX, "near") as wire,
        sender("far") as far,
        Ring(tmp_path) as ring,
    ):
        for number in range(50):
            head = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="10.0.0.2", dst="203.0.113.9")
            far.send(bytes(head / TCP(sport=5000, dport=8808, seq=number) / b"x"))
        for packet in collect(wire, 50):
            ring.keep(packet, name="near")
    whole = ring.files[0].path.read_bytes()
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(whole[:-10])
    for path, count in ((ring.files[0].path, 50), (cut, 49)):
        said = subprocess.run([TCPDUMP, "-nn", "-r", str(path)], capture_output=True, text=True, check=False)
        lines = said.stdout.splitlines()
        assert len(lines) == count, said.stderr
        assert all("10.0.0.2.5000 > 203.0.113.9.8808" in line for line in lines)
