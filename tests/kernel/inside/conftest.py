"""Two CAN buses of the guest's kernel for each test, recorders on both, and the gate between them as on a vehicle."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kernel import (
    BUSGATE,
    FAR_TBOX,
    FAR_VEHICLE,
    NEAR_TBOX,
    NEAR_VEHICLE,
    POLICY,
    TBOX,
    VEHICLE,
    Gate,
    Recorder,
    linked,
    sh,
)


@pytest.fixture
def wires() -> Iterator[tuple[str, str]]:
    """The T-box's and the vehicle's bus, up, and gone afterwards with every kernel rule."""
    for name in (TBOX, VEHICLE):
        sh(f"ip link add dev {name} type vcan && ip link set {name} mtu 72 txqueuelen 1000 up")
    yield TBOX, VEHICLE
    sh("cangw -F; true")
    for name in (TBOX, VEHICLE):
        sh(f"ip link del {name}; true")


@pytest.fixture
def recorders(wires: tuple[str, str], tmp_path: Path) -> Iterator[dict[str, Recorder]]:
    both = {name: Recorder(name, tmp_path) for name in wires}
    yield both
    for recorder in both.values():
        recorder.stop()


@pytest.fixture
def pairs() -> Iterator[None]:
    """Both sides as pairs, of which the gate has one end."""
    for near, far in ((NEAR_TBOX, FAR_TBOX), (NEAR_VEHICLE, FAR_VEHICLE)):
        linked(near, far)
    yield
    while Gate.running:
        Gate.running.pop().close()
    sh(f"cangw -F; ip link del {NEAR_TBOX}; ip link del {NEAR_VEHICLE}; true")


@pytest.fixture
def far(pairs: None, tmp_path: Path) -> Iterator[dict[str, Recorder]]:
    """What the T-box and the vehicle hear at their ends."""
    assert pairs is None
    both = {name: Recorder(name, tmp_path) for name in (FAR_TBOX, FAR_VEHICLE)}
    yield both
    for recorder in both.values():
        recorder.stop()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and a signed policy, as a technician makes them."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "policy.yaml").write_text(POLICY.read_text(encoding="utf-8"), encoding="utf-8")
    for words in (
        ["keys", "new", "operator", "--out", str(folder / "operator.key")],
        ["keys", "new", "bus-0421", "--out", str(folder / "device.key")],
        ["policy", "sign", str(folder / "policy.yaml"), "--key", str(folder / "operator.key")],
    ):
        done = subprocess.run([*BUSGATE, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def gate(wires: tuple[str, str], keys: Path, tmp_path: Path) -> Iterator[Gate]:
    assert wires == (TBOX, VEHICLE)
    running = Gate(keys, tmp_path / "log")
    yield running
    running.close()
