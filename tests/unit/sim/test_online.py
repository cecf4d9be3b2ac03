"""The way of an order within a scenario: platform, air, T-box, bus; and its capture."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from busgate.bridge.channels import ALL, SideMap
from busgate.bridge.trace import Trace
from busgate.model import Packet
from busgate_sim.air import Flow
from busgate_sim.body import BusBody
from busgate_sim.online import ordered
from busgate_sim.packets import FLOWS, HANDSHAKE
from busgate_sim.scenario import find
from busgate_sim.splice import Open
from busgate_sim.stage import Stage
from busgate_sim.world import MILLISECOND, SECOND
from busgate_trial.tape import record


def played(name: str, seconds: float, seed: int = 0) -> Stage:
    scenario = find(name).model_copy(update={"lasts": seconds})
    stage = Stage(scenario, BusBody(scenario.start), Open(), seed=seed)
    stage.tape = []
    stage.run()
    return stage


def test_an_order_goes_through_the_platform_and_its_frame_follows_within_a_second() -> None:
    stage = played("remote-stop-driving", 13.0)
    assert stage.online.online
    assert stage.online.refused == []
    (down,) = [segment for segment in stage.air.segments if segment.cause == "act 0"]
    (frame,) = [went for went in stage.tape or () if went.cause == "act 0"]
    assert (down.up, stage.understood) == (False, {"act 0": "jt808:8105"})
    assert 120 * MILLISECOND < frame.at - down.at < SECOND
    assert down.at > 10 * SECOND
    assert stage.obedience.demands.stop


def test_the_t_box_reports_and_answers_what_it_was_ordered() -> None:
    stage = played("remote-stop-driving", 25.0)
    vehicle = next(iter(stage.online.platform.book.vehicles.values()))
    assert vehicle.reports >= 2
    after = [segment for segment in stage.air.segments if segment.up and segment.at > 10 * SECOND]
    assert any(segment.data[1:3] in {b"\x05\x00", b"\x00\x01"} for segment in after)


@pytest.mark.parametrize(
    ("does", "told", "name"),
    [
        ("drive.stop", {}, "remote-stop"),
        ("drive.limit", {"torque": 30.0}, "torque-limit"),
        ("drive.limit", {"torque": 30.0, "steps": 3}, None),
        ("charge", {"request": "Limit", "current": 32.0}, "charge-limit"),
        ("charge", {"request": "Stop"}, None),
        ("doors", {"request": "Unlock"}, "door-unlock"),
        ("doors", {"request": "Open"}, None),
        ("climate", {"target": 21.0}, "preheat"),
        ("tsc1", {}, None),
    ],
)
def test_what_a_clerk_can_order(does: str, told: dict[str, float | str], name: str | None) -> None:
    found = ordered(does, told)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(("name", "readable"), [("remote-stop-driving", True), ("encrypted-cloud-command", False)])
def test_the_capture_and_the_labels_lead_from_packet_to_frame(name: str, readable: bool, tmp_path: Path) -> None:
    scenario = find(name).model_copy(update={"lasts": 14.0})
    written = record(scenario, tmp_path)
    (act,) = yaml.safe_load(written.labels.read_text(encoding="utf-8"))["acts"]
    packets = [unit for unit in Trace(written.packets, SideMap([ALL])) if isinstance(unit, Packet)]
    (number,) = act["packets"]
    assert number > HANDSHAKE
    data = packets[number - 1].data
    assert bytes(map(int, FLOWS[Flow.PLATFORM].far.split("."))) == data[12:16]
    assert data[40:].startswith(b"\x7e\x81\x05") is readable
    assert data[40:].startswith(b"\x17\x03\x03") is not readable
    (line,) = act["lines"]
    frame = written.trace.read_text(encoding="utf-8").splitlines()[line - 1]
    assert " can1 510#" in frame
    assert float(frame[1:].split(")", maxsplit=1)[0]) * 1e9 > packets[number - 1].at
    assert act["message"] == "jt808:8105"


def test_the_same_recording_twice_is_the_same_bytes(tmp_path: Path) -> None:
    scenario = find("remote-stop-driving").model_copy(update={"lasts": 12.0})
    one, two = (record(scenario, tmp_path / name) for name in ("a", "b"))
    for first, second in zip(one, two, strict=True):
        assert first.read_bytes() == second.read_bytes()
