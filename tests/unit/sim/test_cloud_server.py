"""Platform and T-box over real TCP on loopback, in the clear and with TLS, and the server run alone."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from busgate_sim.cloud.certificate import self_made, serves, trusts
from busgate_sim.cloud.gb32960 import Edition as Edition32960
from busgate_sim.cloud.jt808 import Edition as Edition808
from busgate_sim.cloud.octets import Refused
from busgate_sim.cloud.orders import order
from busgate_sim.cloud.platform import Platform
from busgate_sim.cloud.server import Server, answer, main
from busgate_sim.tbox_firmware.cloud_command import CloudCommand
from busgate_sim.tbox_firmware.dial import Dial, Where
from busgate_sim.tbox_firmware.link import Habits, Link
from busgate_sim.tbox_firmware.telemetry import Telemetry
from support.cloud_bench import PHONE, VALUES, VIN, name, speaker

HABITS = Habits(report=0.05, first_wait=0.01, most_wait=0.05)
SIM = Path(__file__).parents[3] / "firmware-sim"
Scene = Callable[[Server, "TBox"], Awaitable[None]]


class TBox:
    """A T-box on TCP that keeps the commands it was given."""

    def __init__(self, edition: Edition808 | Edition32960, where: Where) -> None:
        self.commands = asyncio.Queue[CloudCommand]()
        self.link = Link(speaker(edition), self._values, at=time.time_ns(), habits=HABITS)
        self.dial = Dial(self.link, where, self.commands.put_nowait)
        self.watch: Callable[[], None] = lambda: None

    def _values(self) -> Telemetry:
        self.watch()
        return VALUES


async def play(edition: Edition808 | Edition32960, scene: Scene, *, tls: bool = False) -> None:
    own = self_made("127.0.0.1") if tls else None
    server = Server(Platform())
    port = await server.start("127.0.0.1", 0, serves(own) if own else None)
    box = TBox(edition, Where("127.0.0.1", port, trusts(own.certificate) if own else None))
    running = asyncio.create_task(box.dial.run())
    try:
        async with asyncio.timeout(30):
            await scene(server, box)
            box.dial.stop()
            await running
            await server.stop()
    finally:
        running.cancel()


def online(who: str) -> Callable[[Platform], bool]:
    return lambda platform: who in platform.book.vehicles and platform.book.vehicles[who].online


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("edition", [Edition808.Y2013, Edition808.Y2019, Edition32960.Y2016, Edition32960.Y2025])
def test_an_order_crosses_tcp_and_its_answer_comes_back(edition: Edition808 | Edition32960, tls: bool) -> None:
    async def scene(server: Server, box: TBox) -> None:
        who = name(edition)
        await server.until(online(who))
        assert server.order(who, order("torque-limit", {"percent": 15})) is None
        command = await box.commands.get()
        assert (command.kind, command.arguments) == ("drive.limit", {"torque": 15.0})
        vehicle = server.platform.book.vehicles[who]
        await server.until(lambda _: [told.outcome for told in vehicle.told] == ["done"] and vehicle.reports >= 3)
        assert server.platform.book.refused == []

    asyncio.run(play(edition, scene, tls=tls))


def test_a_connection_that_breaks_is_made_again() -> None:
    async def scene(server: Server, _: TBox) -> None:
        await server.until(online(VIN))
        for writer in server._writers.values():
            writer.transport.abort()
        await server.until(lambda platform: not online(VIN)(platform))
        await server.until(online(VIN))

    asyncio.run(play(Edition32960.Y2016, scene))


def test_a_tbox_that_does_not_trust_the_certificate_never_logs_in() -> None:
    async def scene() -> None:
        server = Server(Platform())
        port = await server.start("127.0.0.1", 0, serves(self_made("127.0.0.1")))
        box = TBox(Edition808.Y2019, Where("127.0.0.1", port, trusts(self_made("127.0.0.1").certificate)))
        box.watch = lambda: box.dial.stop() if box.link.attempts > 2 else None
        async with asyncio.timeout(30):
            await box.dial.run()
            await server.stop()
        assert server.platform.book.vehicles == {}

    asyncio.run(scene())


def test_the_certificate_names_its_host() -> None:
    assert trusts(self_made("cloud.invalid").certificate).verify_mode is ssl.CERT_REQUIRED


def test_the_console_says_what_it_did_or_why_not() -> None:
    async def scene(server: Server, _: TBox) -> None:
        assert answer(server, "told") == "nothing was ordered"
        await server.until(online(PHONE))
        vehicle = server.platform.book.vehicles[PHONE]
        assert f"{PHONE}  JT/T 808-2013  online" in answer(server, "list")
        assert answer(server, f"{PHONE} speed-limit kmh=40") == f"sent speed-limit to {PHONE}"
        await server.until(lambda _: vehicle.told[0].outcome == "done")
        assert answer(server, "told") == f"{PHONE}  speed-limit  done"
        assert "there is no order" in answer(server, f"{PHONE} fly")
        assert answer(server, "VIN9 reset") == f"VIN9 is not connected; connected are: {PHONE}"
        assert "argument=value" in answer(server, "help")

    asyncio.run(play(Edition808.Y2013, scene))
    assert answer(Server(Platform()), "list") == "no vehicle has logged in"


def start(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SIM), str(SIM.parent / "agent")])}
    return subprocess.Popen(
        [sys.executable, "-m", "busgate_sim.cloud.server", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def test_the_server_runs_alone(tmp_path: Path) -> None:
    certificate = tmp_path / "cloud.pem"
    with start("--port", "0", "--tls", "--certificate-out", str(certificate)) as process:
        out, errors = process.communicate("list\nVIN1 remote-stop\nVIN1 fly\nquit\n", timeout=60)
    assert process.returncode == 0, errors
    assert out.startswith("listening on 127.0.0.1:")
    assert "no vehicle has logged in" in out
    assert "VIN1 is not connected" in out
    assert "there is no order 'fly'" in out
    assert certificate.read_bytes().startswith(b"-----BEGIN CERTIFICATE")


def test_help_and_a_place_where_nothing_can_listen(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    assert "--certificate-out" in capsys.readouterr().out
    assert main(["--host", "192.0.2.1", "--port", "1"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("cannot listen on 192.0.2.1:1")
    assert said.count("\n") == 1


def test_an_order_to_nobody_is_refused() -> None:
    assert isinstance(Server(Platform()).order("VIN1", order("reset")), Refused)
