"""T-box and platform as two hosts: network namespaces of the test's own, joined by a pair of Ethernet interfaces."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

SIM = [sys.executable, "-u", "-c", "from busgate_trial.cli import main; main()"]
IP = shutil.which("ip", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
CLOUD, BUS = "10.87.0.1", "10.87.0.2"
VEHICLE = "018000032600"


def ip(*words: str) -> bool:
    return subprocess.run([str(IP), *words], capture_output=True, check=False).returncode == 0


@pytest.fixture
def hosts() -> Iterator[tuple[str, str]]:
    if IP is None or os.geteuid() != 0:
        pytest.skip("network namespaces take root and iproute2")
    names = f"bg-cloud-{os.getpid()}", f"bg-tbox-{os.getpid()}"
    made = [ip("netns", "add", name) for name in names]
    if not all(made):
        pytest.skip("this machine lets nobody make network namespaces")
    try:
        assert ip("link", "add", "eth0", "netns", names[0], "type", "veth", "peer", "name", "eth0", "netns", names[1])
        for name, address in zip(names, (CLOUD, BUS), strict=True):
            assert ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            assert ip("-n", name, "link", "set", "eth0", "up")
            assert ip("-n", name, "link", "set", "lo", "up")
        yield names
    finally:
        for name in names:
            ip("netns", "del", name)


def test_a_clerk_on_one_host_orders_a_bus_on_another_and_the_gate_blocks_it(hosts: tuple[str, str]) -> None:
    cloud, tbox = ([str(IP), "netns", "exec", name, *SIM] for name in hosts)
    with subprocess.Popen(
        [*cloud, "cloud", "--host", CLOUD, "--port", "8808"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as platform:
        assert platform.stdin is not None
        assert platform.stdout is not None
        assert "listening" in platform.stdout.readline()
        words = ["run", "service-driving", "--cloud", f"{CLOUD}:8808", "--speed", "2"]
        with subprocess.Popen([*tbox, *words], stdout=subprocess.PIPE, text=True) as bus:
            said = ""
            deadline = time.monotonic() + 20
            while " online " not in said and time.monotonic() < deadline:
                time.sleep(0.5)
                platform.stdin.write("list\n")
                platform.stdin.flush()
                said = platform.stdout.readline()
            assert " online " in said
            platform.stdin.write(f"{VEHICLE} remote-stop\n")
            platform.stdin.flush()
            told = bus.communicate(timeout=90)[0]
        answers = platform.communicate("told\nquit\n", timeout=20)[0]
    assert f"sent remote-stop to {VEHICLE}" in answers
    assert f"{VEHICLE}  remote-stop  done" in answers
    assert "CRITICAL command.drive: TboxDriveCommand block" in told
