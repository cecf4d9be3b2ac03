"""What the guest's kernel gives: without these, none of the other tests here would mean anything."""

from __future__ import annotations

from pathlib import Path

import can
import pytest

from support.kernel import Recorder, bus, sh


@pytest.mark.usefixtures("wires")
def test_frames_of_every_kind_are_heard_by_others(tmp_path: Path) -> None:
    recorder = Recorder("vcan0", tmp_path)
    for frame in ("123#1122", "18FEF100#0102030405060708", "123#R", "456##1" + "AB" * 64):
        sh(f"cansend vcan0 {frame}")
    # Newer kernels mark CAN FD frames in their flags (CANFD_FDF, 4) beside the bit rate switch (1).
    fd = {f"456##{flags}" + "AB" * 64 for flags in (1, 5)}
    *classical, last = recorder.frames()
    assert classical == ["123#1122", "18FEF100#0102030405060708", "123#R"]
    assert last in fd
    recorder.stop()


@pytest.mark.usefixtures("wires")
def test_python_can_sends_and_hears() -> None:
    with bus("vcan0", fd=True) as one, bus("vcan0", fd=True) as other:
        one.send(can.Message(arbitration_id=0x7E8, is_extended_id=False, data=b"\x01\x02"))
        heard = other.recv(2)
    assert heard is not None
    assert (heard.arbitration_id, bytes(heard.data)) == (0x7E8, b"\x01\x02")


def test_the_kernel_forwards_what_a_rule_names_and_nothing_else(recorders: dict[str, Recorder]) -> None:
    sh("cangw -A -s vcan1 -d vcan0 -e -f 123:7FF")
    for frame in ("123#01", "124#02", "123#03"):
        sh(f"cansend vcan1 {frame}")
    assert recorders["vcan0"].frames() == ["123#01", "123#03"]
    assert recorders["vcan1"].frames() == ["123#01", "124#02", "123#03"]


def test_what_enters_a_vxcan_pair_at_one_end_leaves_it_at_the_other() -> None:
    sh("ip link add dev vxcan0 type vxcan peer name vxcan1 && ip link set vxcan0 up && ip link set vxcan1 up")
    try:
        with bus("vxcan0") as one, bus("vxcan1") as other:
            one.send(can.Message(arbitration_id=0x18FEF100, data=b"\x0a"))
            heard = other.recv(2)
    finally:
        sh("ip link del vxcan0")
    assert heard is not None
    assert (heard.arbitration_id, heard.is_extended_id, bytes(heard.data)) == (0x18FEF100, True, b"\x0a")
