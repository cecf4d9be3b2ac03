"""What the demo's labels say ought to happen is what the whole gate does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from busgate.bridge.channels import SideMap
from busgate.bridge.trace import Trace
from busgate.decode.dbc import Database
from busgate.gateway import Gateway
from busgate.judge.policy import load_policy
from busgate.model import Alert, DiagnosticSession, Event, Mode, Outcome, Severity, Side, Unit
from busgate.profile import read_profile

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "firmware-sim" / "scenarios"
LABELS = yaml.safe_load((SCENARIOS / "demo-day.labels.yaml").read_text(encoding="utf-8"))
STORIES = {story["id"]: story for story in LABELS["stories"]}


@pytest.fixture(scope="module")
def played() -> list[tuple[Unit, Outcome]]:
    """The whole recording through the gate: every unit with its outcome, in the order of lines."""
    folder = ROOT / "dbc" / LABELS["profile"]
    profile = read_profile((folder / "profile.yaml").read_text(encoding="utf-8"))
    database = Database.load({name: (folder / name).read_text(encoding="utf-8") for name in profile.dbc})
    policy = load_policy((ROOT / LABELS["policy"]).read_text(encoding="utf-8"))
    gateway = Gateway(profile, database, mode=Mode.ENFORCE, wall_offset=0, device="bus-0421")
    trace = Trace(SCENARIOS / "demo-day.log", SideMap(tbox=["can1"], vehicle=["can0"]))
    units = list(trace)
    assert trace.warnings == []
    gateway.adopt(policy, units[0].at, signed=False)
    return [(unit, gateway.receive(unit)) for unit in units]


def _lines(story: dict[str, Any], played: list[tuple[Unit, Outcome]]) -> list[int]:
    if story["lines"] != "others":
        return list(story["lines"])
    told = {line for other in STORIES.values() if other["lines"] != "others" for line in other["lines"]}
    return [line for line, (unit, _) in enumerate(played, 1) if unit.side is Side.TBOX and line not in told]


def _events(story: dict[str, Any], played: list[tuple[Unit, Outcome]]) -> list[Event]:
    return [event for line in _lines(story, played) for event in played[line - 1][1].events]


@pytest.mark.parametrize("name", STORIES)
def test_every_frame_of_a_story_gets_the_verdict_it_ought_to(name: str, played: list[tuple[Unit, Outcome]]) -> None:
    lines = _lines(STORIES[name], played)
    found = Counter(played[line - 1][1].verdict.reason.value for line in lines)
    assert found == STORIES[name]["verdicts"]
    assert all(played[line - 1][0].side is Side.TBOX for line in lines)


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_told_as_severely_as_it_ought_to_be(name: str, played: list[tuple[Unit, Outcome]]) -> None:
    story = STORIES[name]
    alerts = [event for event in _events(story, played) if isinstance(event, Alert)]
    if "alert" not in story:
        assert alerts == []
        return
    matching = [alert for alert in alerts if alert.rule == story["alert"]]
    assert matching
    assert max(alert.severity for alert in matching) is Severity[story["severity"].upper()]
    assert len({alert.cause for alert in alerts}) == len(alerts), "one alert a cause"


def test_what_is_to_be_blocked_is_blocked_and_what_is_to_pass_passes(played: list[tuple[Unit, Outcome]]) -> None:
    for story in STORIES.values():
        forwarded = {played[line - 1][1].forward for line in _lines(story, played)}
        match story["expect"]:
            case "passed":
                assert forwarded == {True}
            case "blocked" if "answers_vehicle" not in story["verdicts"]:
                assert forwarded == {False}
            case _:
                assert forwarded == {True, False}


def test_the_vehicle_itself_raises_no_alert_and_is_never_held_back(played: list[tuple[Unit, Outcome]]) -> None:
    own = [outcome for unit, outcome in played if unit.side is Side.VEHICLE]
    assert len(own) > 18_000
    assert all(outcome.forward for outcome in own)
    assert not [event for outcome in own for event in outcome.events if isinstance(event, Alert)]


def test_the_reprogramming_is_one_session_of_the_battery(played: list[tuple[Unit, Outcome]]) -> None:
    sessions = [event for _, outcome in played for event in outcome.events if isinstance(event, DiagnosticSession)]
    ended = [session for session in sessions if session.stage == "end"]
    assert [(session.target.name, session.programming, session.transferred) for session in ended] == [
        ("BMS", True, 192)
    ]
    assert {0x10, 0x27, 0x31, 0x34, 0x36, 0x37} <= ended[0].services.keys()


def test_the_recording_is_as_long_and_as_busy_as_a_bus_is(played: list[tuple[Unit, Outcome]]) -> None:
    seconds = (played[-1][0].at - played[0][0].at) / 1e9
    assert 25 <= seconds <= 31
    assert 600 <= len(played) / seconds <= 1000
    assert (SCENARIOS / "demo-day.log").stat().st_size < 2_000_000
