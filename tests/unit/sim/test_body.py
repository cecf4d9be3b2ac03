"""The simulated bus' physics: energy adds up, figures lie where a city bus' lie, demands have their effect.

The ranges are engineering estimates, wide on purpose: 0.8 to 1.8 kWh/km by season and line, 0.8 to 1.3 m/s2 of pulling
away. No source is claimed for them yet.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busgate_sim.body import EFFICIENCY, TOP_KMH, BusBody
from busgate_sim.driver import COMFORT_BRAKE, CRUISE_KMH
from busgate_sim.ecu.sensed import Demands, Sensed

STEP = 0.02


def drives(body: BusBody, seconds: float, demands: Demands | None = None, step: float = STEP) -> Iterator[Sensed]:
    for _ in range(round(seconds / step)):
        body.step(step, demands or Demands())
        yield body.sensed()


def test_what_leaves_the_battery_is_what_moves_heats_and_is_lost() -> None:
    body = BusBody("driving")
    for _ in drives(body, 900):
        pass
    state = body.state
    used = state.traction / EFFICIENCY - state.recuperated + state.auxiliary + state.lost
    assert state.battery_out == pytest.approx(used, rel=0.01)
    kinetic = 0.5 * body.mass * ((36 / 3.6) ** 2 - state.speed**2)
    assert state.traction + kinetic > state.recuperated / EFFICIENCY + state.friction


def test_an_hour_of_service_uses_what_buses_use() -> None:
    body = BusBody("driving")
    last = list(drives(body, 3600))[-1]
    assert 0.8 < body.state.battery_out / 3.6e6 / (last.metres / 1000) < 1.8
    assert 15 < last.metres / 1000 < 40
    assert 70 < last.soc < 78


def test_speed_and_acceleration_are_a_city_bus_s() -> None:
    told = list(drives(BusBody("driving"), 600))
    assert max(each.speed for each in told) == pytest.approx(CRUISE_KMH, abs=0.5)
    assert max(each.speed for each in told) < TOP_KMH
    assert 0.8 < max(each.acceleration for each in told) < 1.3
    assert -2.0 < min(each.acceleration for each in told) <= -COMFORT_BRAKE * 0.8


def test_doors_open_at_stops_and_only_there() -> None:
    told = list(drives(BusBody("driving"), 600))
    assert any(each.doors[0] == "Open" for each in told)
    assert all(each.speed == 0.0 for each in told if each.doors[0] != "Closed")


@pytest.mark.parametrize("demands", [Demands(stop=True), Demands(immobilised=True), Demands(contactors_open=True)])
def test_without_its_drive_the_bus_rolls_out_and_stands(demands: Demands) -> None:
    body = BusBody("driving")
    list(drives(body, 5))
    told = list(drives(body, 60, demands))
    assert told[100].speed > 25, "it coasts: nothing brakes it"
    assert told[-1].speed == 0.0
    assert told[-1].traction_kwh == pytest.approx(told[0].traction_kwh, abs=0.001)


def test_open_contactors_leave_no_current_and_no_recuperation() -> None:
    body = BusBody("driving")
    list(drives(body, 5))
    told = list(drives(body, 40, Demands(contactors_open=True)))
    assert {each.pack_current for each in told} == {0.0}
    assert told[-1].recuperated_kwh == told[0].recuperated_kwh
    assert told[-1].contactors == "Open"


def test_limits_slow_the_bus_down() -> None:
    def mean(demands: Demands) -> float:
        told = list(drives(BusBody("driving"), 300, demands))
        return told[-1].metres / told[-1].seconds

    free = mean(Demands())
    assert mean(Demands(speed_limit=20)) < 0.8 * free
    assert mean(Demands(torque_limit=15.0)) < 0.9 * free
    assert mean(Demands(discharge_limit=20.0)) < 0.9 * free


def test_a_charging_bus_takes_what_it_is_allowed_and_ends_at_its_target() -> None:
    full = list(drives(BusBody("charging"), 600))[-1]
    starved = list(drives(BusBody("charging"), 600, Demands(charge_limit=1.0)))[-1]
    ended = list(drives(BusBody("charging"), 5, Demands(charge_stop=True)))[-1]
    low = list(drives(BusBody("charging"), 5, Demands(target_soc=30.0)))[-1]
    assert full.charged_kwh > 15
    assert starved.charged_kwh < 0.2
    assert (full.charge_state, ended.charge_state, low.charge_state) == ("Charging", "Finished", "Finished")
    assert ended.charge_current == low.charge_current == 0.0
    assert full.soc > 78


@settings(max_examples=40, deadline=None)
@given(
    start=st.sampled_from(["driving", "standing", "charging"]),
    demands=st.builds(
        Demands,
        torque_limit=st.none() | st.floats(0, 100),
        speed_limit=st.none() | st.floats(0, 100),
        stop=st.booleans(),
        immobilised=st.booleans(),
        contactors_open=st.booleans(),
        charge_limit=st.none() | st.floats(0, 1000),
        discharge_limit=st.none() | st.floats(0, 1000),
        charge_stop=st.booleans(),
        target_soc=st.none() | st.floats(0, 100),
        doors_open=st.booleans(),
        hvac_mode=st.none() | st.sampled_from(["Off", "Preheat", "Ventilate"]),
        hvac_target=st.none() | st.floats(-30, 60),
    ),
)
def test_whatever_is_demanded_the_bus_stays_a_bus(start: str, demands: Demands) -> None:
    body = BusBody(start)  # type: ignore[arg-type]
    before = body.sensed()
    for now in drives(body, 20, demands, step=0.05):
        assert 0.0 <= now.speed <= TOP_KMH
        assert 0.0 <= now.soc <= 100.0
        assert 500 < now.pack_voltage < 800
        assert now.metres >= before.metres
        if demands.stop or demands.immobilised or demands.contactors_open or now.doors[0] != "Closed":
            assert now.torque <= 0.0
        before = now


def test_the_size_of_the_step_hardly_matters() -> None:
    fine = list(drives(BusBody("driving"), 300, step=0.01))[-1]
    coarse = list(drives(BusBody("driving"), 300, step=0.02))[-1]
    assert coarse.metres == pytest.approx(fine.metres, rel=0.02)
    assert coarse.traction_kwh == pytest.approx(fine.traction_kwh, rel=0.02)
