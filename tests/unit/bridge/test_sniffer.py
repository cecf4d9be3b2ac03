"""What needs no right and no interface; the rest is in the system test of captures."""

from __future__ import annotations

import errno
import os
import socket
import struct

import pytest

from busgate.bridge import sniffer
from busgate.bridge.packet_socket import Address, Tag, cooked, hardware_type, tagged
from busgate.bridge.port import BridgeError
from busgate.bridge.sniffer import Listening, Sniffer
from busgate.decode.datagram import Datagram
from busgate.decode.ip import Reader
from busgate.model import Packet, Side
from support.traffic import ether, udp


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EPERM, "listening takes the right CAP_NET_RAW"),
        (errno.ENODEV, "there is no such interface"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_why_an_interface_cannot_be_listened_to(number: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(sniffer, "hardware_type", refuse)
    with pytest.raises(BridgeError, match=said):
        Sniffer.open(Side.TBOX, "eth0")


def test_a_can_interface_is_not_for_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniffer, "hardware_type", lambda _: 280)
    with pytest.raises(BridgeError, match="listen to it as socketcan"):
        Sniffer.open(Side.TBOX, "can0")


def test_a_machine_without_packet_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("busgate.bridge.sniffer.sys.platform", "darwin")
    with pytest.raises(BridgeError, match="this machine has no packet sockets"):
        Sniffer.open(Side.TBOX, "en0")


def test_an_interface_that_has_gone_says_nothing_and_raises_nothing() -> None:
    gone = Sniffer(Side.TBOX, "nothing0", Listening())
    assert gone.read() == []
    assert not gone.wait(0)
    assert not gone.again()
    assert gone.losses() == {}
    gone.close()


def test_the_loopback_interface_is_known() -> None:
    if "lo" not in {name for _, name in socket.if_nameindex()}:
        pytest.skip("this machine has no loopback interface")
    assert hardware_type("lo") == 772


@pytest.mark.parametrize(("status", "kind"), [(1 << 4, 0x8100), (1 << 4 | 1 << 6, 0x88A8)])
def test_a_tag_is_put_back_behind_the_addresses(status: int, kind: int) -> None:
    frame = bytes(ether(udp()))
    data = tagged(frame, Tag(status, 0x6007, 0x88A8))
    assert data == frame[:12] + struct.pack(">HH", kind, 0x6007) + frame[12:]


@pytest.mark.parametrize("sender", [b"", b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x01\0\0"])
def test_a_cooked_packet_is_read_again(sender: bytes) -> None:
    data = cooked(Address(0x0800, 512, 0, len(sender), sender), bytes(udp()))
    assert len(data) == 16 + len(bytes(udp()))
    step = Reader().read(Packet(0, Side.TBOX, 113, data))
    assert isinstance(step, Datagram)
    assert step.payload == b"hello"
