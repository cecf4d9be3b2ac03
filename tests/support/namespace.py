"""A network namespace of a test's own: the test's thread moves into it and back."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
IP = shutil.which("ip", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


@contextlib.contextmanager
def own_namespace() -> Iterator[None]:
    """Skips where that is not allowed."""
    if IP is None or os.geteuid() != 0:
        pytest.skip("network namespaces take root and iproute2")
    libc: Any = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(CLONE_NEWNET):
            pytest.skip("this machine lets nobody make network namespaces")
        try:
            yield
        finally:
            assert libc.setns(before, CLONE_NEWNET) == 0
    finally:
        os.close(before)


def ip(*words: str) -> bool:
    return subprocess.run([str(IP), *words], capture_output=True, check=False).returncode == 0


def veth(near: str = "near", far: str = "far", *, quiet: bool = True) -> None:
    """A pair of Ethernet interfaces, up; `quiet` keeps the kernel from speaking on them by itself."""
    if not ip("link", "add", near, "type", "veth", "peer", "name", far):
        pytest.skip("this kernel has no veth interfaces")
    for name in (near, far):
        if quiet:
            ip("link", "set", name, "addrgenmode", "none")
            ip("link", "set", name, "arp", "off")
        assert ip("link", "set", name, "up")
    # The kernel tells an interface of its carrier later, by a worker; until then what is sent on it is dropped.
    deadline = time.monotonic() + 5
    while not all(_operational(name) for name in (near, far)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _operational(name: str) -> bool:
    said = subprocess.run([str(IP), "link", "show", "dev", name], capture_output=True, text=True, check=False).stdout
    return " state UP " in said


def tun(name: str = "modem0") -> int:
    """A raw-IP interface as a modem's, up; what is written to the descriptor comes in on it."""
    import fcntl

    try:
        made = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(made, TUNSETIFF, struct.pack("=16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    except OSError:
        pytest.skip("this kernel has no tun devices")
    ip("link", "set", name, "addrgenmode", "none")
    assert ip("link", "set", name, "up")
    return made


def sender(name: str) -> socket.socket:
    """Sends whole frames out on an interface."""
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    made.bind((name, 0))
    return made
