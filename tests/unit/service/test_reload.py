"""Settings read again while the gate works: the policy at once, the mode when the vehicle is known to stand still."""

from __future__ import annotations

import pytest

from busgate.bridge.port import BridgeError
from busgate.gateway import Gateway
from busgate.model import BusgateError, Mode
from busgate.service import load
from busgate.service.outbox import Outbox
from busgate.service.outpost import Outpost
from busgate.service.reload import SPEED_NS, Reload, Wanted


class Bench:
    def __init__(self, mode: Mode = Mode.MONITOR) -> None:
        vehicle = load.vehicle("demo-ebus")
        self.gateway = Gateway(vehicle.profile, vehicle.database, mode=Mode.ENFORCE, wall_offset=None)
        self.post = Outpost(self.gateway, Outbox(lambda: None))
        self.policy = load.policy(vehicle.folder / "policy.yaml", operator=None, unsigned=True)
        self.mode = mode
        self.fault: BusgateError | None = None
        self.entered: list[Mode] = []
        self.adopted = 0
        self.kernel = ""
        self.reload = Reload(self.post, self.read, self.adopt, lambda mode, _: self.entered.append(mode))

    def read(self) -> Wanted:
        if self.fault is not None:
            raise self.fault
        return Wanted(self.policy, self.mode)

    def adopt(self, _: Wanted, __: int) -> str:
        self.adopted += 1
        return self.kernel


@pytest.mark.parametrize(("speed", "enters"), [(0.0, True), (0.4, True), (0.6, False), (30.0, False), (None, False)])
def test_the_mode_changes_only_while_the_vehicle_is_known_to_stand_still(speed: float | None, enters: bool) -> None:
    bench = Bench()
    bench.gateway.situation.update("speed", speed, 100)
    said = bench.reload.ask(200, Mode.ENFORCE)
    assert "mode monitor when the vehicle stands still" in said
    bench.reload.look(200)
    assert bench.entered == ([Mode.MONITOR] if enters else [])
    assert bench.adopted == 1


def test_an_old_word_for_the_speed_is_none() -> None:
    bench = Bench()
    bench.gateway.situation.update("speed", 0.0, 100)
    bench.reload.ask(200, Mode.ENFORCE)
    bench.reload.look(200 + SPEED_NS)
    assert bench.entered == []
    bench.gateway.situation.update("speed", 0.0, 300 + SPEED_NS)
    bench.reload.look(300 + SPEED_NS)
    bench.reload.look(301 + SPEED_NS)
    assert bench.entered == [Mode.MONITOR], "once"


def test_the_same_mode_waits_for_nothing() -> None:
    bench = Bench(Mode.ENFORCE)
    assert "when the vehicle" not in bench.reload.ask(1, Mode.ENFORCE)
    assert bench.reload.awaited is None


def test_a_policy_that_is_refused_changes_nothing_and_is_told() -> None:
    bench = Bench()
    bench.fault = BridgeError("it is not signed")
    assert bench.reload.ask(1, Mode.ENFORCE) == "refused: it is not signed"
    assert (bench.adopted, bench.reload.awaited) == (0, None)
    assert bench.post._outbox.last == 1


def test_a_kernel_that_does_not_follow_is_told_and_written_down() -> None:
    bench = Bench(Mode.ENFORCE)
    bench.kernel = "the kernel does not follow"
    assert bench.reload.ask(1, Mode.ENFORCE).endswith("is in force; the kernel does not follow")
    assert bench.post._outbox.last == 1
