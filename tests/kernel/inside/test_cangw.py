"""Our netlink words for the kernel's CAN gateway, against cangw's."""

from __future__ import annotations

import pytest

from busgate.bridge import cangw
from busgate.bridge.cangw import Job
from busgate.bridge.port import BridgeError
from support.kernel import Recorder, sh

pytestmark = pytest.mark.usefixtures("wires")
HEARTBEAT = Job("vcan1", "vcan0", 0x500, 0xC00007FF)
EVERYTHING = Job("vcan0", "vcan1")


def test_what_we_add_is_done_and_listed_by_cangw(recorders: dict[str, Recorder]) -> None:
    cangw.add(HEARTBEAT)
    for frame in ("500#01", "501#01", "500#R", "00000500#02", "500##001"):
        sh(f"cansend vcan1 {frame}")
    assert recorders["vcan0"].frames() == ["500#01"]
    assert "cangw -A -s vcan1 -d vcan0 -e" in sh("cangw -L; true")
    (listed,) = cangw.jobs("vcan0", "vcan1")
    assert (listed.job, listed.handled) == (HEARTBEAT, 1)


def test_a_job_for_all_and_one_for_can_fd(recorders: dict[str, Recorder]) -> None:
    cangw.replace("vcan0", "vcan1", [EVERYTHING, EVERYTHING._replace(fd=True)])
    for frame in ("500#01", "18FEF127#0102", "123#R", "456##0AABB"):
        sh(f"cansend vcan0 {frame}")
    got = recorders["vcan1"].frames()
    assert got[:3] == ["500#01", "18FEF127#0102", "123#R"]
    assert got[3] in {"456##0AABB", "456##4AABB"}
    assert len(got) == 4


def test_replacing_leaves_what_is_the_same_and_others_jobs_alone() -> None:
    sh("ip link add dev vcan7 type vcan && ip link set vcan7 up && cangw -A -s vcan7 -d vcan0 -e -f 111:7FF")
    cangw.replace("vcan0", "vcan1", [EVERYTHING, HEARTBEAT])
    sh("cansend vcan1 500#01")
    cangw.replace("vcan0", "vcan1", [HEARTBEAT])
    assert [(each.job, each.handled) for each in cangw.jobs("vcan0", "vcan1")] == [(HEARTBEAT, 1)]
    cangw.replace("vcan0", "vcan1", [])
    assert cangw.jobs("vcan0", "vcan1") == []
    assert "vcan7" in sh("cangw -L; true")
    sh("ip link del vcan7")


def test_two_jobs_that_face_each_other_make_no_loop(recorders: dict[str, Recorder]) -> None:
    cangw.replace("vcan0", "vcan1", [EVERYTHING, Job("vcan1", "vcan0")])
    sh("cansend vcan0 123#01")
    assert recorders["vcan1"].frames() == ["123#01"]
    assert recorders["vcan0"].frames() == ["123#01"]


def test_kinds_of_interfaces_and_what_is_none() -> None:
    sh("ip link add vx0 type vxcan peer name vx1")
    assert (cangw.interface_kind("vcan0"), cangw.interface_kind("vx0")) == ("vcan", "vxcan")
    sh("ip link del vx0")
    for wrong in (lambda: cangw.interface_kind("nope"), lambda: cangw.add(Job("nope", "vcan0"))):
        with pytest.raises(BridgeError, match="no interface"):
            wrong()
    with pytest.raises(BridgeError, match="the kernel does not forward"):
        cangw.add(Job("lo", "vcan0"))
    with pytest.raises(BridgeError, match="the kernel does not stop"):
        cangw.remove(HEARTBEAT)
