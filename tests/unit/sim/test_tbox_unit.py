"""The simulated T-box on its wire: its ordinary day, and acts whose frames keep their cause."""

from __future__ import annotations

from collections import Counter

import pytest

from busgate.model import IDENTIFIER
from busgate_sim.encoder import Encoder, Sent
from busgate_sim.tbox_firmware.acts import ACTS
from busgate_sim.tbox_firmware.unit import ORDINARY, TboxUnit
from busgate_sim.wire import Wire
from busgate_sim.world import SECOND, World

FILES = ("ebus-j1939.dbc", "ebus-body11.dbc")
WHEN = 1_772_433_600
"""2026-03-02T06:40:00Z."""


class Desk:
    def __init__(self) -> None:
        self.world = World(seed=2)
        wire = Wire(self.world, "can1")
        wire.watch(self._note)
        self.said: list[tuple[int, Sent, str]] = []
        self.unit = TboxUnit(self.world, wire, Encoder("demo-ebus", FILES), place=lambda: (52.09, 5.12), started=WHEN)

    def _note(self, at: int, sent: Sent, _: str) -> None:
        self.said.append((at, sent, self.unit.cause_of(sent)))


def test_the_ordinary_day_says_what_the_profile_saw_at_commissioning_at_its_rate() -> None:
    desk = Desk()
    desk.world.run(20 * SECOND)
    assert {cause for _, _, cause in desk.said} == {ORDINARY}
    counted = Counter(sent.can_id & IDENTIFIER for _, sent, _ in desk.said)
    assert counted[0x500] == 200
    assert counted[0x501] == 10
    assert counted[0x510] == counted[0x18FEE64A] == counted[0x18FEF34A] == 20
    assert counted[0x18EEFF4A] == 1
    assert set(counted) == {0x500, 0x501, 0x510, 0x18FEE64A, 0x18FEF34A, 0x18EEFF4A, 0x18EAFF4A}


def test_the_clock_that_it_tells_is_the_scenarios() -> None:
    desk = Desk()
    desk.world.run(SECOND)
    told = next(sent.data for _, sent, _ in desk.said if sent.can_id & IDENTIFIER == 0x18FEE64A)
    # SAE J1939-71, PGN 65254: a quarter second a bit, minutes, hours, month, a quarter day a bit, years since 1985.
    assert (told[1], told[2], told[3], told[4] // 4, told[5] + 1985) == (40, 6, 3, 2, 2026)


def test_a_silent_unit_says_nothing_by_itself_but_still_acts() -> None:
    desk = Desk()
    desk.unit.silent = True
    desk.unit.act(ACTS["drive.stop"]({}), "the cloud's message 7")
    desk.world.run(SECOND)
    assert [(sent.can_id, cause) for _, sent, cause in desk.said] == [(0x510, "the cloud's message 7")]


NEEDS = {"uds": {"request": "22f190"}, "fragments": {"request": "2ef19001020304050607"}}


@pytest.mark.parametrize("name", ACTS)
def test_every_act_says_frames_that_fit_the_wire_and_keep_their_cause(name: str) -> None:
    desk = Desk()
    desk.unit.silent = True
    steps = list(ACTS[name](NEEDS.get(name, {})))
    desk.unit.act(steps, name)
    desk.world.run(60 * SECOND)
    assert len(desk.said) == len(steps) > 0
    assert {cause for _, _, cause in desk.said} == {name}
    assert all(len(sent.data) <= 8 for _, sent, _ in desk.said)


def test_every_act_says_in_its_help_what_it_does() -> None:
    for name, act in ACTS.items():
        assert (act.__doc__ or "").strip().endswith("."), name


def test_a_limit_in_steps_comes_down_evenly() -> None:
    desk = Desk()
    desk.unit.silent = True
    desk.unit.act(ACTS["drive.limit"]({"torque": 20.0, "steps": 4, "every": 1.0}), "derate")
    desk.world.run(10 * SECOND)
    assert [round(at / SECOND) for at, _, _ in desk.said] == [0, 1, 2, 3]
    assert [sent.data[1] for _, sent, _ in desk.said] == sorted(
        (sent.data[1] for _, sent, _ in desk.said), reverse=True
    )
