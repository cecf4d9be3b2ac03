"""The consoles: a platform that is really elsewhere, updates over HTTP, and an attacker on the T-box's wire."""

from __future__ import annotations

import asyncio
import itertools
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import can
import pytest
from click.testing import CliRunner

from busgate.model import BusgateError
from busgate_sim.afar import CAUSE, Afar
from busgate_sim.body import BusBody
from busgate_sim.cloud.certificate import self_made, serves, trusts
from busgate_sim.cloud.downloads import Downloads
from busgate_sim.cloud.orders import order
from busgate_sim.cloud.platform import Platform
from busgate_sim.cloud.server import Server
from busgate_sim.ecu.uds.flash import version_of
from busgate_sim.fingers import Fingers, parsed
from busgate_sim.live import Live, both
from busgate_sim.scenario import find
from busgate_sim.splice import Open
from busgate_sim.stage import Stage
from busgate_sim.tbox_firmware.dial import Where
from busgate_trial.cli import group
from busgate_trial.pace import where

NAMES = (f"desk-{number}" for number in itertools.count())


class Elsewhere:
    """A real platform on loopback, in a thread of its own."""

    def __init__(self, *, tls: bool) -> None:
        own = self_made("127.0.0.1")
        self._context = serves(own) if tls else None
        self._trusted = trusts(own.certificate) if tls else None
        self.loop = asyncio.new_event_loop()
        self.server = Server(Platform(None))
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.server.stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    @property
    def where(self) -> Where:
        return Where("127.0.0.1", self.port, self._trusted)

    def order(self, name: str) -> object:
        async def now() -> object:
            (vehicle,) = self.server.platform.book.vehicles
            return self.server.order(vehicle, order(name))

        return asyncio.run_coroutine_threadsafe(now(), self.loop).result(10)

    def online(self) -> bool:
        return any(one.online for one in self.server.platform.book.vehicles.values())

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.port = self.loop.run_until_complete(self.server.start("127.0.0.1", 0, self._context))
        self._ready.set()
        self.loop.run_forever()


@contextmanager
def bus(elsewhere: Elsewhere) -> Iterator[tuple[Stage, Live, Afar]]:
    scenario = find("service-driving")
    stage = Stage(scenario, BusBody(scenario.start), Open())
    wires = f"virtual:{next(NAMES)}", f"virtual:{next(NAMES)}"
    with Afar(stage, elsewhere.where) as afar, Live(stage.world, both(stage, *wires)) as live:
        live.turns.append(afar.turn)
        yield stage, live, afar


@pytest.mark.parametrize("tls", [False, True])
def test_a_clerk_of_a_real_platform_stops_the_simulated_bus(tls: bool) -> None:
    with Elsewhere(tls=tls) as elsewhere, bus(elsewhere) as (stage, live, afar):
        for _ in range(100):
            live.run(0.2, 2)
            if elsewhere.online():
                break
        assert elsewhere.order("remote-stop") is None
        for _ in range(100):
            live.run(0.2, 2)
            if stage.obedience.demands.stop:
                break
        assert stage.obedience.demands.stop
        assert [command.kind for command in afar.commands] == ["drive.stop"]
        assert stage.understood == {CAUSE: "jt808:8105"}
        assert stage.air.segments == []


def test_updates_are_served_over_http() -> None:
    with Downloads("127.0.0.1", 0) as served:
        base = f"http://127.0.0.1:{served.port}"
        with urllib.request.urlopen(f"{base}/HVAC/1.5.0.bin", timeout=10) as answer:  # noqa: S310 - our own
            assert version_of(answer.read()) == "1.5.0"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{base}/etc/passwd", timeout=10)  # noqa: S310


def test_an_attackers_hands_say_acts_and_read_answers() -> None:
    name = next(NAMES)
    with can.Bus(name, interface="virtual") as listener, Fingers(f"virtual:{name}") as fingers:
        fingers.act(["drive.stop"])
        heard = listener.recv(1)
        assert heard is not None
        assert heard.arbitration_id == 0x510
        answered: list[can.Message] = []

        def ecu() -> None:
            while (request := listener.recv(5)) is not None:
                answered.append(request)
                reply = {0x10: "065003003201f4aa", 0x3E: "027e00aaaaaaaaaa"}.get(request.data[1])
                if reply:
                    answer = can.Message(arbitration_id=0x18DA4AF3, data=bytes.fromhex(reply))
                    listener.send(answer)
                if request.data[1] == 0x3E:
                    return

        thread = threading.Thread(target=ecu)
        thread.start()
        assert fingers.act(["diagnose", "target=BMS", "requests=1003 3E00"]) == ["5003003201f4", "7e00"]
        thread.join(10)
        assert [message.arbitration_id for message in answered] == [0x18DAF34A] * 2


def test_words_become_acts() -> None:
    assert parsed(["tsc1", "sa=0x17", "torque=0", "seconds=0.5"]) == (
        "tsc1",
        {"sa": 23.0, "torque": 0.0, "seconds": 0.5},
    )
    assert parsed(["raw", "id=0x123", "data=0011"])[1] == {"id": 291.0, "data": "0011"}
    for wrong in ([], ["fly"], ["raw", "id"]):
        with pytest.raises(BusgateError, match=r"no act|no argument"):
            parsed(wrong)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["attack", "--wire", "foo", "drive.stop"], "names no pair of wires"),
        (["attack", "--wire", "nonsense:x", "drive.stop"], "cannot be opened"),
        (["run", "service-standing", "--cloud", "nowhere"], "is no address"),
        (["run", "service-standing", "--cloud", "a:1", "--cloud-cert", "/nonexistent"], "cannot be used"),
        (["cloud", "--updates-port", "99999"], "no updates can be served"),
    ],
)
def test_mistakes_are_one_line(words: list[str], says: str) -> None:
    done = CliRunner().invoke(group, words)
    assert done.exit_code != 0
    assert says in f"{done.exception}{done.output}"


def test_a_wrong_act_is_told_and_the_others_are_done() -> None:
    done = CliRunner().invoke(group, ["attack", "--wire", f"virtual:{next(NAMES)}", "fly", "raw id=1 data=zz", "raw"])
    assert done.exit_code == 2
    assert "raw: 1 frames" in done.output
    assert done.output.count("busgate-sim: ") == 2


def test_where() -> None:
    assert where(None, None) is None
    assert where("a.example:8808", None) == Where("a.example", 8808)
