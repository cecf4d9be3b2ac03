"""`busgate-soc watch` as its user starts it: output, exit codes, signals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from busgate.record.log import Log
from busgate.report.uplink import Uplink
from busgate.trust.keys import load_signer, load_verifier, new_key
from support.mosquitto import MISSING, PROGRAM, Mosquitto, free_port, mosquitto
from support.reporting import DEVICE, grow, open_log

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    for name in ("device", "soc", "other"):
        new_key(f"{name}.example.org", tmp_path / f"{name}.key")
    return tmp_path


def log_of(keys: Path, records: int = 20) -> Log:
    log = open_log(key=load_signer(keys / "device.key"))
    grow(log, records)
    return log


def watch(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "busgate_soc.cli", "watch", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def listening(*words: str) -> subprocess.Popen[str]:
    """A watch that has said that it listens."""
    process = watch(*words)
    assert process.stdout is not None
    assert "watching" in process.stdout.readline()
    return process


def deliver(broker: Mosquitto, log: Log, keys: Path) -> bool:
    uplink = Uplink(broker.url, DEVICE, log, witnesses=[load_verifier(keys / "soc.key.vkey")])
    with closing(uplink):
        uplink.start()
        return uplink.drain(10)


def test_it_cosigns_what_verifies_and_ends_at_the_size_asked_for(broker: Mosquitto, keys: Path) -> None:
    log = log_of(keys)
    vkey, key = str(keys / "device.key.vkey"), str(keys / "soc.key")
    soc = listening("--mqtt", broker.url, "--vkey", vkey, "--key", key, "--until-size", "22", "--seconds", "30")
    assert deliver(broker, log, keys)
    output, errors = soc.communicate(timeout=30)
    assert (soc.returncode, errors) == (0, "")
    assert f"verified at size 22, root {log.root.hex()[:16]}, cosigned" in output
    assert "20 alerts (20 critical), 0 alarms" in output
    assert "\x1b" not in output, "no colours where there is no terminal"


def test_sigterm_ends_it_with_a_summary(broker: Mosquitto) -> None:
    soc = listening("--mqtt", broker.url, "--device", DEVICE)
    soc.send_signal(signal.SIGTERM)
    output, errors = soc.communicate(timeout=30)
    assert (soc.returncode, errors) == (0, "")
    assert "nothing was heard" in output


def test_a_log_by_another_key_makes_it_end_with_1(broker: Mosquitto, keys: Path) -> None:
    vkey = str(keys / "other.key.vkey")
    soc = listening("--mqtt", broker.url, "--vkey", vkey, "--key", str(keys / "soc.key"), "--seconds", "4", "--json")
    with closing(Uplink(broker.url, DEVICE, log_of(keys))) as uplink:
        uplink.start()
        assert uplink.drain(10)
    output, _ = soc.communicate(timeout=30)
    assert soc.returncode == 1
    rows = [json.loads(line) for line in output.splitlines()]
    assert [row["alarm"] for row in rows if row["event"] == "alarm"] == ["checkpoint refused"]
    assert rows[-1]["event"] == "summary"
    assert not [row for row in rows if row["event"] == "verified"]


def test_once_ends_when_the_devices_online_are_caught_up(broker: Mosquitto, keys: Path) -> None:
    log = log_of(keys)
    with closing(Uplink(broker.url, DEVICE, log)) as uplink:
        uplink.start()
        assert uplink.drain(10)
        soc = watch("--mqtt", broker.url, "--once", "--seconds", "20")
        while soc.poll() is None:
            uplink.drain(0.1)
            uplink.pump()
    output, _ = soc.communicate(timeout=30)
    assert soc.returncode == 0
    assert "NOT VERIFIED: its key came with the log" in output


def test_what_was_awaited_and_did_not_come_is_1(broker: Mosquitto) -> None:
    soc = watch("--mqtt", broker.url, "--until-size", "5", "--seconds", "0.5")
    soc.communicate(timeout=30)
    assert soc.returncode == 1


def test_no_broker_is_3_and_one_line() -> None:
    soc = watch("--mqtt", f"mqtt://127.0.0.1:{free_port()}", "--seconds", "1")
    output, errors = soc.communicate(timeout=30)
    assert (soc.returncode, output) == (3, "")
    assert errors.startswith("busgate-soc: no connection to broker mqtt://127.0.0.1:")
    assert errors.count("\n") == 1
    assert "Next:" in errors


@pytest.mark.parametrize(
    "words",
    [
        ["--mqtt", "http://h"],
        ["--mqtt", "mqtt://h", "--vkey", "nowhere.vkey"],
        ["--mqtt", "mqtt://h", "--key", "nowhere.key"],
        ["--mqtt", "mqtt://h", "--device", "a", "--all"],
        ["--mqtt", "mqtt://h", "--device", "a/b"],
        [],
    ],
)
def test_a_wrong_option_is_2_and_no_traceback(words: list[str]) -> None:
    soc = watch(*words)
    _, errors = soc.communicate(timeout=30)
    assert soc.returncode == 2
    assert errors
    assert "Traceback" not in errors
