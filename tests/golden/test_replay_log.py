"""The same trace, policy and test key give the same log, byte for byte, here and on any other machine."""

from __future__ import annotations

from pathlib import Path

from busgate.bridge.channels import SideMap
from busgate.model import Mode
from busgate.record.verify import verify
from busgate.service import load
from busgate.service.places import scenario
from busgate.service.replay import Job, Result, replay

ROOT = Path(__file__).with_name("demo-day.root")


def replayed(out: Path | None) -> Result:
    vehicle = load.vehicle("demo-ebus")
    policy = load.policy(vehicle.folder / "policy.yaml", operator=None, unsigned=True)
    sides = SideMap(["can1"], ["can0"])
    return replay(
        Job(trace=scenario("demo-day.log"), sides=sides, vehicle=vehicle, mode=Mode.ENFORCE, policy=policy, out=out)
    )


def test_two_replays_give_the_same_checkpoint_and_it_is_the_golden_one(tmp_path: Path) -> None:
    first, second = replayed(tmp_path / "log").report["log"], replayed(None).report["log"]
    assert first == second
    assert f"{first['size']} {first['root']}\n" == ROOT.read_text(encoding="utf-8")
    assert verify(tmp_path / "log").ok
