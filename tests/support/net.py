"""Three machines of a test's own: the T-box, the gate and the cloud, as network namespaces joined by Ethernet pairs.

Law: nothing of the machine that runs the test is touched; what is made is removed, whatever happens between.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
IP, NFT, SETPRIV = (shutil.which(name, path=_PATH) for name in ("ip", "nft", "setpriv"))
TESTS = Path(__file__).parents[1]

TBOX, TBOX6 = "10.88.1.2", "fd88:1::2"
GATE, GATE6 = "10.88.1.1", "fd88:1::1"
OUTER, OUTER6 = "203.0.113.1", "2001:db8:cafe::1"
CLOUD, CLOUD6 = "203.0.113.10", "2001:db8:cafe::10"
STRANGER, STRANGER6 = "203.0.113.20", "2001:db8:cafe::20"
NAMED, NAMED6 = "203.0.113.30", "2001:db8:cafe::30"
"""What a name stands for; no fence knows it before DNS has said so."""
TO_TBOX, TO_CLOUD = "tb0", "up0"
RELAY_PORT = 9040
_CLONE_NEWNET = 0x40000000


def missing() -> str:
    """Why there can be no such machines here; empty if there can."""
    if IP is None or NFT is None:
        return "network namespaces with a firewall take iproute2 and nftables"
    if os.geteuid() != 0:
        return "network namespaces take root"
    probe = f"bg-probe-{os.getpid()}"
    if not _ip("netns", "add", probe):
        return "this machine lets nobody make network namespaces"
    try:
        words = [str(IP), "netns", "exec", probe, str(NFT), "-f", "-"]
        works = "add table inet t\nadd chain inet t c { type nat hook prerouting priority dstnat; }\n"
        if subprocess.run(words, input=works, text=True, capture_output=True, check=False).returncode:
            return "this kernel has no nftables with NAT"
    finally:
        _ip("netns", "del", probe)
    return ""


class World:
    """The three machines, each with the addresses above."""

    def __init__(self, tag: str = "") -> None:
        self.tbox, self.gate, self.cloud = (f"bg-{name}{tag}-{os.getpid()}" for name in ("tbox", "gate", "cloud"))
        self._ports = itertools.count(20_000)

    def build(self) -> None:
        for name in (self.tbox, self.gate, self.cloud):
            _must("netns", "add", name)
            _must("-n", name, "link", "set", "lo", "up")
            with inside(name):  # IPv6 addresses are good at once, without a second's look for others that have them
                _set("ipv6/conf/all/accept_dad", "ipv6/conf/default/accept_dad", value="0")
        _must("link", "add", "eth0", "netns", self.tbox, "type", "veth", "peer", "name", TO_TBOX, "netns", self.gate)
        _must("link", "add", "eth0", "netns", self.cloud, "type", "veth", "peer", "name", TO_CLOUD, "netns", self.gate)
        self._address(self.tbox, "eth0", f"{TBOX}/24", f"{TBOX6}/64")
        self._address(self.gate, TO_TBOX, f"{GATE}/24", f"{GATE6}/64")
        self._address(self.gate, TO_CLOUD, f"{OUTER}/24", f"{OUTER6}/64")
        four, six = (
            (f"{each}/24" for each in (CLOUD, STRANGER, NAMED)),
            (f"{each}/64" for each in (CLOUD6, STRANGER6, NAMED6)),
        )
        self._address(self.cloud, "eth0", *four, *six)
        _must("-n", self.tbox, "route", "add", "default", "via", GATE)
        _must("-n", self.tbox, "-6", "route", "add", "default", "via", GATE6)
        # The cloud knows the way to the T-box, so that only a fence keeps it out.
        _must("-n", self.cloud, "route", "add", "10.88.1.0/24", "via", OUTER)
        _must("-n", self.cloud, "-6", "route", "add", "fd88:1::/64", "via", OUTER6)
        with inside(self.gate):
            _set("ipv4/ip_forward", "ipv6/conf/all/forwarding", value="1")
        for machine, address in ((self.tbox, GATE), (self.tbox, GATE6), (self.cloud, OUTER), (self.cloud, OUTER6)):
            _answers(machine, address)

    def replug(self) -> None:
        """The T-box's cable comes out and goes in again: the gate's interface is another one of the same name."""
        _must("-n", self.gate, "link", "del", TO_TBOX)
        _must("link", "add", "eth0", "netns", self.tbox, "type", "veth", "peer", "name", TO_TBOX, "netns", self.gate)
        self._address(self.tbox, "eth0", f"{TBOX}/24")
        self._address(self.gate, TO_TBOX, f"{GATE}/24")
        _must("-n", self.tbox, "route", "add", "default", "via", GATE)

    def remove(self) -> None:
        for name in (self.tbox, self.gate, self.cloud):
            _ip("netns", "del", name)

    @property
    def nft(self) -> tuple[str, ...]:
        """nft inside the gate."""
        return (str(IP), "netns", "exec", self.gate, str(NFT))

    def relay(self, *words: str) -> Worker:
        """The relay inside the gate, as a process; without any capability, since it needs none."""
        bare = [SETPRIV, "--bounding-set=-all", "--inh-caps=-all"] if SETPRIV else []
        return Worker(
            [str(IP), "netns", "exec", self.gate, *bare, sys.executable, "-m", "support.relay_worker", *words]
        )

    def connect(self, address: str, port: int, timeout: float = 5) -> socket.socket:
        """A connection that the T-box opens."""
        own = ("", next(self._ports))  # never one of before: what is told names it
        with inside(self.tbox):
            return socket.create_connection((address, port), timeout, own)

    def _address(self, name: str, interface: str, *addresses: str) -> None:
        for address in addresses:
            words = ["nodad"] if ":" in address else []
            _must("-n", name, "addr", "add", address, "dev", interface, *words)
        _must("-n", name, "link", "set", interface, "up")


class Worker:
    """A relay at work. What it tells of flows is read all the time, lest it wait for us."""

    def __init__(self, words: list[str]) -> None:
        self.process = subprocess.Popen(words, cwd=TESTS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._told: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.until(lambda events: any(each["what"] == "ready" for each in events), 20)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it has told so far."""
        return list(self._told)

    def until(self, met: Callable[[list[dict[str, Any]]], bool], seconds: float = 10) -> list[dict[str, Any]]:
        """What it has told, once that is as it should be; fails when it is not so in time."""
        ends = time.monotonic() + seconds
        while not met(events := self.events):
            assert time.monotonic() < ends, f"not told in {seconds} s: {events[-5:]}"
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            time.sleep(0.005)
        return events

    def end(self, port: int) -> dict[str, Any]:
        """The last end of a flow from the T-box's port, once there is one."""

        def ends(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [each for each in events if each["what"] == "ended" and each["port"] == port]

        return ends(self.until(lambda events: bool(ends(events))))[-1]

    def kill(self) -> None:
        """As a crash would: nothing is tidied up."""
        self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        for each in (self.process.stdout, self.process.stderr):
            if each is not None:
                each.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            self._told.append(json.loads(text))


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """Sockets that this thread makes in the block belong to that machine."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            assert libc.setns(there, _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        finally:
            os.close(there)
        try:
            yield
        finally:
            assert libc.setns(home, _CLONE_NEWNET) == 0
    finally:
        os.close(home)


def listening(machine: str, address: str, port: int, backlog: int = 128) -> socket.socket:
    """A TCP socket that listens on a machine."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with inside(machine):
        sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.listen(backlog)
    sock.settimeout(5)
    return sock


def _answers(machine: str, address: str) -> None:
    """Wait until a neighbour is there: the kernel takes up to a second to believe that a new wire is one."""
    for _ in range(100):
        try:
            with inside(machine):
                socket.create_connection((address, 1), timeout=0.05).close()
        except ConnectionRefusedError:
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"{address} does not answer {machine}")


def _set(*names: str, value: str) -> None:
    for name in names:
        Path("/proc/sys/net", name).write_text(value, encoding="ascii")


def _ip(*words: str) -> bool:
    return subprocess.run([str(IP), *words], capture_output=True, check=False).returncode == 0


def _must(*words: str) -> None:
    done = subprocess.run([str(IP), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
