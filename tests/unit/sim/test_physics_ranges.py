"""What the simulated bus measures, against the ranges and sources of docs/physics.md."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from busgate_sim import line
from busgate_sim.body import AMPERE_HOURS, CURB_KG, EFFICIENCY, MOST_POWER_W, BusBody
from busgate_sim.ecu.sensed import Demands, Sensed

PAGE = Path(__file__).parents[3] / "docs" / "physics.md"
STEP = 0.02


def drives(body: BusBody, seconds: float, demands: Demands | None = None) -> list[Sensed]:
    told = []
    for _ in range(round(seconds / STEP)):
        body.step(STEP, demands or Demands())
        told.append(body.sensed())
    return told


def by_hand(hand: float, start: float, seconds: float) -> list[Sensed]:
    """A bus with passengers, driven by hand from a speed (km/h)."""
    body = BusBody("driving")
    body.state.speed = start / 3.6
    body.driver.hand = hand
    return drives(body, seconds)


@cache
def on_the_line() -> tuple[BusBody, list[Sensed]]:
    body = BusBody("driving", line=line.load("city-8"))
    return body, drives(body, 2 * 1250)


def stopping() -> tuple[float, float]:
    """Metres, and the mean deceleration from 0.8 to 0.1 of the speed (UN R13, annex 4, 1.1.2), m/s2."""
    told = by_hand(-1.0, 60.0, 8)
    first, last = (next(now for now in told if now.speed <= part * 60) for part in (0.8, 0.1))
    mean = (first.speed**2 - last.speed**2) / (25.92 * (last.metres - first.metres))
    return told[-1].metres, mean


def to_fifty() -> float:
    return next(now.seconds for now in by_hand(1.0, 0.0, 60) if now.speed >= 50)


def consumption() -> float:
    body, told = on_the_line()
    return body.state.battery_out / 3.6e6 / (told[-1].metres / 1000)


def recuperated() -> float:
    body, _ = on_the_line()
    return body.state.recuperated / (body.state.traction / EFFICIENCY) * 100


def charging() -> float:
    now = drives(BusBody("charging"), 60)[-1]
    return now.charge_current * now.pack_voltage / 1000


def closing() -> float:
    body = BusBody("standing")
    drives(body, 10, Demands(contactors_open=True))
    told = drives(body, 5)
    assert told[0].contactors == "Precharge"
    return next(now.seconds for now in told if now.contactors == "Closed") - told[0].seconds


def extremes(what: Callable[[Sensed], float]) -> tuple[float, float]:
    values = [what(now) for now in on_the_line()[1][5000:]]
    return min(values), max(values)


MEASURED: dict[str, Callable[[], float | tuple[float, float]]] = {
    "mass without passengers": lambda: CURB_KG / 1000,
    "drive power at most": lambda: MOST_POWER_W / 1000,
    "battery capacity": lambda: AMPERE_HOURS * BusBody("standing").sensed().pack_voltage / 1000,
    "consumption on the city line": consumption,
    "stopping distance from 60 km/h, full brake": lambda: stopping()[0],
    "mean deceleration of it": lambda: stopping()[1],
    "top speed": lambda: by_hand(1.0, 60.0, 120)[-1].speed,
    "0 to 50 km/h with passengers": to_fifty,
    "pulling away at most": lambda: max(now.acceleration for now in on_the_line()[1]),
    "recuperated part of traction energy": recuperated,
    "charging power": charging,
    "time to close the contactors": closing,
    "air pressure in service": lambda: extremes(lambda now: now.air_bar),
    "voltage of the 24 V net, converter on": lambda: extremes(lambda now: now.low_voltage),
}


def rows() -> dict[str, tuple[float, float, str]]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in each.strip("|").split("|")] for each in lines if each.startswith("| ")]
    return {name: (float(least), float(most), source) for name, least, most, _, source in cells[1:]}


def test_page_and_test_speak_of_the_same_figures_and_each_has_a_source() -> None:
    assert set(rows()) == set(MEASURED)
    assert all(source for _, _, source in rows().values())


@pytest.mark.parametrize("figure", MEASURED)
def test_the_figure_lies_in_its_range(figure: str) -> None:
    least, most, _ = rows()[figure]
    measured = MEASURED[figure]()
    for value in measured if isinstance(measured, tuple) else (measured,):
        assert least <= value <= most, f"{figure}: {value:g}"


def test_the_timetable_is_kept() -> None:
    told = on_the_line()[1]
    planned = line.load("city-8")
    ends = 0.0
    for stop in planned.stops:
        ends += stop.metres
        at_stop = [now.seconds for now in told if abs(now.metres - ends) < 4 and now.speed == 0.0]
        assert at_stop, stop.stop
        assert stop.departs <= at_stop[-1] + 1 < stop.departs + 40, stop.stop


def test_without_air_the_spring_brakes_hold_the_bus() -> None:
    body = BusBody("driving")
    body.air.bar = 3.0
    told = drives(body, 30, Demands(contactors_open=True))
    assert told[-1].speed == 0.0
    assert told[-1].metres < 60, "it does not coast"
    body.driver.hand = 0.5  # the line's driver has given up
    body.air.bar = 4.0
    later = drives(body, 120)
    assert later[-1].air_bar > 4.5
    assert later[-1].metres > told[-1].metres, "with air it drives again"


def test_without_high_voltage_the_24_volt_battery_drains_and_no_air_is_made() -> None:
    body = BusBody("standing")
    before = body.sensed()
    now = drives(body, 600, Demands(contactors_open=True))[-1]
    assert now.low_voltage < before.low_voltage - 2
    assert body.low_voltage.soc < 0.92
    assert now.air_bar < before.air_bar
    assert now.link_voltage < 1.0
