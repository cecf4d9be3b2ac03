"""The relay against a plain asyncio relay and against no relay at all: throughput, its cost, and added latency.

T-box, gate and cloud are network namespaces; each relay is a process of its own on one pinned core, who sends and
receives has another. The inspector of ours sees every byte and lets it go; spliced flows pass in the kernel. Contenders
take turns; only ratios within a run count.
"""

from __future__ import annotations

import dataclasses
import os
import selectors
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from busgate.bridge.fence import Allowed, Fence
from busgate.bridge.firewall import Firewall
from support.net import CLOUD, IP, RELAY_PORT, TESTS, TO_CLOUD, TO_TBOX, World, listening, missing

PORT = 7010
TURNS = 5
MEGABYTES, ROUNDS, MESSAGE = 256, 3000, 64
FLOWS, EACH = 50, 4
"""Many flows at once, and how many megabytes each carries."""
RELAYS = {name: RELAY_PORT + number for number, name in enumerate(("streams", "protocols", "busgate", "splice"))}
PEERS = {"streams": "asyncio relay, streams", "protocols": "asyncio relay, protocols", "direct": "no relay"}
_MEGA, _BILLION = 1_000_000, 1e9
FENCE = Fence(
    TO_TBOX,
    TO_CLOUD,
    (ip_network("10.88.1.0/24"), ip_network("fd88:1::/64")),
    RELAY_PORT,
    (Allowed(ip_network(CLOUD), "tcp", ((7000, 7999),)),),
)


class Bench:
    """The three machines with all relays at work, of which the fence chooses one."""

    def __init__(self, world: World, processes: dict[str, subprocess.Popen[str]]) -> None:
        self.world = world
        self._processes = processes
        self.megabytes, self.rounds = MEGABYTES, ROUNDS

    def choose(self, name: str) -> None:
        """Have the T-box's connections pass a relay, or none."""
        fence = dataclasses.replace(FENCE, relay_port=RELAYS.get(name, RELAY_PORT))
        if name == "direct":
            fence = dataclasses.replace(fence, relayed=((1, 1),))
        Firewall(fence, self.world.nft).apply()

    def cpu(self, name: str) -> float:
        """Seconds of CPU that a relay has taken."""
        if name == "direct":
            return 0.0
        return (
            int(Path(f"/proc/{self._processes[name].pid}/schedstat").read_text(encoding="ascii").split()[0]) / _BILLION
        )

    def pair(self, door: socket.socket) -> tuple[socket.socket, socket.socket]:
        tbox = self.world.connect(CLOUD, PORT, 20)
        cloud, _ = door.accept()
        cloud.settimeout(20)
        for each in (tbox, cloud):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return tbox, cloud

    def download(self, name: str, flows: int = 1) -> tuple[float, float]:
        """MB/s towards the T-box, and the relay's CPU seconds a GB."""
        self.choose(name)
        each = self.megabytes if flows == 1 else EACH
        with ExitStack() as open_:
            door = open_.enter_context(listening(self.world.cloud, CLOUD, PORT))
            pairs = [self.pair(door) for _ in range(flows)]
            for pair in pairs:
                for end in pair:
                    open_.enter_context(end)
            spent, began = self.cpu(name), time.perf_counter()
            sender = threading.Thread(target=_send, args=([cloud for _, cloud in pairs], each))
            sender.start()
            _receive_all([tbox for tbox, _ in pairs], each * _MEGA * flows)
            took, spent = time.perf_counter() - began, self.cpu(name) - spent
            sender.join(20)
        return each * flows / took, spent / (each * flows) * 1000

    def latency(self, name: str) -> list[float]:
        """Round trips of a small message, in microseconds."""
        self.choose(name)
        with listening(self.world.cloud, CLOUD, PORT) as door:
            tbox, cloud = self.pair(door)
        with tbox, cloud:
            echo = threading.Thread(target=_echo, args=(cloud,))
            echo.start()
            took = []
            message = bytes(MESSAGE)
            for _ in range(self.rounds):
                began = time.perf_counter()
                tbox.sendall(message)
                _receive(tbox, MESSAGE)
                took.append((time.perf_counter() - began) * _MEGA)
            tbox.shutdown(socket.SHUT_WR)
            echo.join(20)
        return took


def rows() -> list[dict[str, Any]]:
    """Throughput of one flow and of many, CPU, and added latency; nothing where there can be no namespaces."""
    why = missing()
    if why:
        print(f"no relay is measured: {why}")
        return []
    with _bench() as bench:
        one = _turns(bench.download)
        many = _turns(lambda name: bench.download(name, FLOWS))
        trips = _turns(lambda name: _quantiles(bench.latency(name)))
    told = []
    for ours, name in (("busgate", "inspected"), ("splice", "spliced")):
        for what, got in (("one flow", one), (f"{FLOWS} flows", many)):
            speed = got[ours][0]
            told += [_row(f"relay, {what}, {name}", speed, "MB/s", peer, speed / got[peer][0]) for peer in PEERS]
            for peer in ("streams", "protocols"):
                cost = max(got[ours][1], 1e-3)
                told.append(_row(f"relay, {what}, {name}, CPU", cost * 1000, "ms/GB", peer, got[peer][1] / cost))
        for index, quantile in enumerate(("p50", "p99")):
            added = trips[ours][index] - trips["direct"][index]
            for peer in ("streams", "protocols"):
                theirs = trips[peer][index] - trips["direct"][index]
                told.append(_row(f"relay, round trip longer by, {quantile}, {name}", added, "us", peer, theirs / added))
    return told


def _row(name: str, value: float, unit: str, peer: str, ratio: float) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": PEERS[peer], "ratio": ratio}


def _turns(measure: Callable[[str], tuple[float, float]]) -> dict[str, tuple[float, float]]:
    got: dict[str, list[tuple[float, float]]] = {}
    for turn in range(TURNS + 1):
        for name in (*RELAYS, "direct"):
            told = measure(name)
            if turn:
                got.setdefault(name, []).append(told)
    return {
        name: (statistics.median(each[0] for each in several), statistics.median(each[1] for each in several))
        for name, several in got.items()
    }


def _quantiles(took: list[float]) -> tuple[float, float]:
    cut = statistics.quantiles(took, n=100)
    return cut[49], cut[98]


def _send(socks: list[socket.socket], megabytes: int) -> None:
    piece = bytes(_MEGA)
    for _ in range(megabytes):
        for sock in socks:
            sock.sendall(piece)


def _receive(sock: socket.socket, size: int) -> None:
    buffer = memoryview(bytearray(1 << 20))
    while size:
        got = sock.recv_into(buffer, min(size, len(buffer)))
        if not got:
            raise AssertionError("the connection ended too early")
        size -= got


def _receive_all(socks: list[socket.socket], size: int) -> None:
    buffer = memoryview(bytearray(1 << 20))
    with selectors.DefaultSelector() as ready:
        for sock in socks:
            ready.register(sock, selectors.EVENT_READ)
        while size:
            for key, _ in ready.select(20):
                size -= key.fileobj.recv_into(buffer)  # type: ignore[union-attr]  # only sockets are registered


def _echo(sock: socket.socket) -> None:
    while data := sock.recv(1 << 16):
        sock.sendall(data)


@contextmanager
def _bench() -> Iterator[Bench]:
    cores = sorted(os.sched_getaffinity(0))
    world = World("b")
    processes: dict[str, subprocess.Popen[str]] = {}
    try:
        world.build()
        for name, port in RELAYS.items():
            words = [str(IP), "netns", "exec", world.gate, sys.executable, "-m", "bench.relay_worker", name, str(port)]
            processes[name] = process = subprocess.Popen(words, cwd=TESTS, stdout=subprocess.PIPE, text=True)
            os.sched_setaffinity(process.pid, cores[:1])
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        os.sched_setaffinity(0, cores[-1:])
        yield Bench(world, processes)
    finally:
        os.sched_setaffinity(0, cores)
        for process in processes.values():
            process.kill()
            process.wait(10)
        world.remove()


if __name__ == "__main__":
    for row in rows():
        print(f"{row['name']:<58} {row['value']:>12,.1f} {row['unit']:<10} {row['ratio']:>6.2f}x  vs {row['peer']}")
