"""A light bus' traffic and a campaign's rules; the fleet with its broker is in tests/system/test_fleet.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from busgate.gateway import Gateway
from busgate.model import Alert, BusgateError, Mode, Side
from busgate.service import load
from busgate_trial.cli import group
from busgate_trial.fleet.campaign import FOLDER, campaigns, find
from busgate_trial.fleet.traffic import Traffic, vehicle_loop
from support.gate import demo_ebus

SECOND = 1_000_000_000
START = 1_772_433_600 * SECOND


def gateway() -> Gateway:
    vehicle = demo_ebus()
    made = Gateway(vehicle.profile, vehicle.database, mode=Mode.ENFORCE, wall_offset=0, device="bus-0001")
    made.adopt(load.policy(vehicle.folder / "policy.yaml", operator=None, unsigned=True).policy, START, signed=False)
    return made


@pytest.mark.parametrize("phase", [0, 137_000_000, 9_999_000_000])
def test_an_ordinary_day_raises_nothing_and_all_of_it_passes(phase: int) -> None:
    gate, traffic, frames = gateway(), Traffic(phase), 0
    for second in range(1, 41):
        for frame in traffic.until(second * SECOND, START):
            outcome = gate.receive(frame)
            assert outcome.forward, outcome
            assert not [event for event in outcome.events if isinstance(event, Alert)]
            frames += 1
    assert frames > 40 * (len({timed.sent.can_id for timed in vehicle_loop()}) + 11)


def test_times_rise_and_no_two_buses_are_alike() -> None:
    one, other = ([frame.at for frame in Traffic(phase).until(5 * SECOND, 0)] for phase in (0, 137_000_000))
    assert one == sorted(one)
    assert other == sorted(other)
    assert one != other


@pytest.mark.parametrize("name", campaigns())
def test_each_campaigns_order_is_named_and_blocked_as_its_label_says(name: str) -> None:
    campaign, gate, traffic = find(name), gateway(), Traffic(5)
    traffic.order(8 * SECOND, campaign)
    alerts: list[Alert] = []
    blocked = 0
    for second in range(1, 30):
        for frame in traffic.until(second * SECOND, START):
            outcome = gate.receive(frame)
            alerts += [event for event in outcome.events if isinstance(event, Alert)]
            blocked += frame.side is Side.TBOX and not outcome.forward
    assert [(alert.rule, alert.severity.name.lower()) for alert in alerts] == [(campaign.alert, campaign.severity)]
    assert blocked == (campaign.expect == "blocked")


def test_targets_are_spread_over_fleet_and_time() -> None:
    some = find("contactors-some")
    targets = some.targets(50)
    assert sorted(targets) == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]
    assert min(targets.values()) == some.start
    assert max(targets.values()) < some.start + some.over
    assert len(find("remote-stop").targets(7)) == 7


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("does: drive.stop", "does: drive.halt", "there is no act"),
        ("does: drive.stop", "does: lie", "takes several frames"),
        ("over: 30", "over: -1", "over"),
        ("expect: blocked", "expect: perhaps", "expect"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused_in_words(before: str, after: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text((FOLDER / "remote-stop.yaml").read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(BusgateError, match=says):
        find(str(path))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--campaign", "nothing"], "there are contactors-some, remote-stop"),
        (["--campaign", "remote-stop", "--seconds", "20"], "takes until second 45"),
        (["--mqtt", "http://x"], "mqtt"),
        (["--buses", "0"], "0 is not in the range"),
        (["--buses", "200"], "--first 151 --buses 50"),
    ],
)
def test_mistakes_are_told_in_a_line(words: list[str], says: str) -> None:
    done = CliRunner().invoke(group, ["fleet", *words])
    assert done.exit_code != 0
    assert says in f"{done.exception} {done.output}"
