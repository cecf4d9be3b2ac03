"""Our netlink words for the kernel's CAN gateway, against cangw's."""

from __future__ import annotations

from pathlib import Path

import pytest

from busgate.bridge import cangw
from busgate.bridge.cangw import Job
from busgate.bridge.port import BridgeError
from support.kernel import FAR_TBOX, FAR_VEHICLE, NEAR_TBOX, NEAR_VEHICLE, Recorder, linked, say, sh

pytestmark = pytest.mark.usefixtures("pairs")
HEARTBEAT = Job(NEAR_TBOX, NEAR_VEHICLE, 0x500, 0xC00007FF)
EVERYTHING = Job(NEAR_VEHICLE, NEAR_TBOX)


def test_what_we_add_is_done_and_listed_by_cangw(far: dict[str, Recorder]) -> None:
    cangw.add(HEARTBEAT)
    say(FAR_TBOX, "500#01", "501#01", "500#R", "00000500#02", "500##001")
    assert far[FAR_VEHICLE].frames() == ["500#01"]
    assert f"cangw -A -s {NEAR_TBOX} -d {NEAR_VEHICLE} -f 500:C00007FF" in sh("cangw -L; true")
    (listed,) = cangw.jobs(NEAR_TBOX, NEAR_VEHICLE)
    assert (listed.job, listed.handled) == (HEARTBEAT, 1)


def test_a_job_for_all_and_one_for_can_fd(far: dict[str, Recorder]) -> None:
    cangw.replace(NEAR_VEHICLE, NEAR_TBOX, [EVERYTHING, EVERYTHING._replace(fd=True)])
    say(FAR_VEHICLE, "500#01", "18FEF127#0102", "123#R", "456##0AABB")
    got = far[FAR_TBOX].frames()
    assert got[:3] == ["500#01", "18FEF127#0102", "123#R"]
    assert got[3] in {"456##0AABB", "456##4AABB"}
    assert len(got) == 4


def test_what_the_kernel_forwards_is_not_heard_on_this_machine_where_it_goes_out(
    far: dict[str, Recorder], tmp_path: Path
) -> None:
    """The gate would take it for that side's word: the vehicle's telemetry for the T-box's commands."""
    beside = Recorder(NEAR_TBOX, tmp_path)
    cangw.add(EVERYTHING)
    say(FAR_VEHICLE, "500#01")
    assert far[FAR_TBOX].frames() == ["500#01"]
    assert beside.frames() == []
    beside.stop()


def test_replacing_leaves_what_is_the_same_and_others_jobs_alone() -> None:
    sh(f"ip link add dev vcan7 type vcan && ip link set vcan7 up && cangw -A -s vcan7 -d {NEAR_VEHICLE} -e -f 111:7FF")
    cangw.replace(NEAR_VEHICLE, NEAR_TBOX, [EVERYTHING, HEARTBEAT])
    say(FAR_TBOX, "500#01")
    cangw.replace(NEAR_VEHICLE, NEAR_TBOX, [HEARTBEAT])
    assert [(each.job, each.handled) for each in cangw.jobs(NEAR_VEHICLE, NEAR_TBOX)] == [(HEARTBEAT, 1)]
    cangw.replace(NEAR_VEHICLE, NEAR_TBOX, [])
    assert cangw.jobs(NEAR_VEHICLE, NEAR_TBOX) == []
    assert "vcan7" in sh("cangw -L; true")
    sh("ip link del vcan7")


@pytest.mark.parametrize(
    "words",
    [
        "-e",
        "-e -f 500:C00007FF",
        "-X -e",
        "-i",
        "-t",
        "-l 1",
        "-m SET:I:111.0.0000000000000000",
        "-f 500:C00007FF -m OR:D:000.0.00000000000000FF -x 0:6:7:AA",
        "-f 500~C00007FF",
    ],
)
def test_jobs_that_are_not_ours_are_seen_and_taken_away(words: str, far: dict[str, Recorder]) -> None:
    sh(f"cangw -A -s {NEAR_TBOX} -d {NEAR_VEHICLE} {words}")
    (other,) = cangw.jobs(NEAR_TBOX, NEAR_VEHICLE)
    say(FAR_TBOX, "500#0102030405060708")  # its counters are no part of what it is
    cangw.replace(NEAR_TBOX, NEAR_VEHICLE, [HEARTBEAT])
    assert [each.job for each in cangw.jobs(NEAR_TBOX, NEAR_VEHICLE)] == [HEARTBEAT], other
    before = len(far[FAR_VEHICLE].frames())
    say(FAR_TBOX, "500#01", "501#02")
    assert far[FAR_VEHICLE].frames()[before:] == ["500#01"]


def test_a_job_that_is_done_twice_is_done_once() -> None:
    for _ in range(3):
        cangw.add(HEARTBEAT)
    cangw.replace(NEAR_TBOX, NEAR_VEHICLE, [HEARTBEAT, EVERYTHING])
    assert sorted(each.job for each in cangw.jobs(NEAR_TBOX, NEAR_VEHICLE)) == sorted([HEARTBEAT, EVERYTHING])


def test_two_jobs_that_face_each_other_make_no_loop(far: dict[str, Recorder]) -> None:
    cangw.replace(NEAR_VEHICLE, NEAR_TBOX, [EVERYTHING, Job(NEAR_TBOX, NEAR_VEHICLE)])
    say(FAR_VEHICLE, "123#01")
    assert far[FAR_TBOX].frames() == ["123#01"]
    assert far[FAR_VEHICLE].frames() == ["123#01"]


def test_an_interface_that_went_took_its_jobs_with_it() -> None:
    linked("gone0", "gone1")
    cangw.add(Job("gone0", NEAR_VEHICLE))
    sh("ip link del gone0")
    assert cangw.jobs("gone0", NEAR_VEHICLE) == []


def test_kinds_of_interfaces_and_what_is_none() -> None:
    sh("ip link add dev vcan6 type vcan")
    assert (cangw.interface_kind("vcan6"), cangw.interface_kind(NEAR_TBOX)) == ("vcan", "vxcan")
    sh("ip link del vcan6")
    for wrong in (lambda: cangw.interface_kind("nope"), lambda: cangw.add(Job("nope", NEAR_TBOX))):
        with pytest.raises(BridgeError, match="no interface"):
            wrong()
    with pytest.raises(BridgeError, match="the kernel does not forward"):
        cangw.add(Job("lo", NEAR_TBOX))
    with pytest.raises(BridgeError, match="the kernel does not stop"):
        cangw.remove(HEARTBEAT)
