"""A fleet that reports to a real mosquitto and is verified by a real `busgate-soc watch`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from busgate.trust.keys import load_verifier, new_key, public_path
from busgate_trial.fleet.campaign import find
from busgate_trial.fleet.control import Control
from busgate_trial.fleet.depot import Depot
from support.gate import demo_ebus
from support.mosquitto import MISSING, PROGRAM, Mosquitto, mosquitto

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)
SIM = [sys.executable, "-c", "from busgate_trial.cli import main; main()"]
BUSGATE = [sys.executable, "-c", "from busgate.cli import main; main()"]
BUSES = 10


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path / "mosquitto") as running:
        yield running


def test_a_campaign_against_ten_buses_is_named_held_and_verified_on_each(broker: Mosquitto, tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    words = ["fleet", "--buses", str(BUSES), "--seconds", "8", "--campaign", str(_soon(tmp_path)), "--json"]
    done = subprocess.run(
        [*SIM, *words, "--mqtt", broker.url, "--out", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["campaign"] == {"targets": 10, "found": 10, "held": 10, "verified": 10, "false": []}
    assert told["result"]["cosigned"] == told["result"]["records"] > BUSES * 4
    assert told["alarms"] == []
    for number in range(1, BUSES + 1):
        log = folder / f"bus-{number:04}"
        proof = subprocess.run(
            [*BUSGATE, "verify", str(log), "--vkey", f"{log}.key.vkey"], capture_output=True, text=True, check=False
        )
        assert proof.returncode == 0, proof.stdout + proof.stderr


def test_nothing_is_lost_while_the_broker_is_away(broker: Mosquitto, tmp_path: Path) -> None:
    soc = tmp_path / "soc.key"
    new_key("soc", soc)
    depot = Depot(
        range(1, 6), demo_ebus(), tmp_path / "fleet", broker.url,
        witnesses=[load_verifier(str(public_path(soc)))], campaign=find(str(_soon(tmp_path))),
    )  # fmt: skip
    control = Control(broker.url, [bus.vkey for bus in depot.buses], soc, tmp_path / "soc")
    try:
        depot.run(2)
        broker.stop(signal.SIGKILL)
        depot.run(5)
        assert all(bus.alerts for bus in depot.buses), "the campaign comes while nobody hears of it"
        broker.start()
        assert depot.drain(60)
        judged = depot.judged(control.alerts)
    finally:
        control.close()
        depot.close()
    assert judged.as_expected, judged
    assert control.alarms == []


def _soon(folder: Path) -> Path:
    """A campaign that begins at once."""
    path = folder / "soon.yaml"
    path.write_text(
        "campaign: soon\ntitle: a stop for all\ndoes: drive.stop\nstart: 3\nover: 2\nexpect: blocked\n"
        "alert: command.drive\nseverity: critical\nwhy: no rule allows a stop\n",
        encoding="utf-8",
    )
    return path
