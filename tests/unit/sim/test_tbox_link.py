"""The T-box's link and the vendor's platform against each other, over a pipe that cuts what it carries."""

from __future__ import annotations

import pytest

from busgate_sim.cloud.gb32960 import Edition as Edition32960
from busgate_sim.cloud.gb32960_report import BRAKING, DRIVE, Report
from busgate_sim.cloud.jt808 import Edition as Edition808
from busgate_sim.cloud.jt808_location import MILEAGE, Location, Status
from busgate_sim.cloud.octets import Refused
from busgate_sim.cloud.orders import order
from busgate_sim.tbox_firmware.acts import ACTS
from busgate_sim.tbox_firmware.cloud_command import CloudCommand
from busgate_sim.tbox_firmware.link import Habits, State
from busgate_sim.world import SECOND
from support.cloud_bench import PHONE, START, VALUES, VIN, Bench, name

EDITIONS = [*Edition808, *Edition32960]
ids = pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: f"{type(edition).__module__[18:]}-{edition}")

MEANT: dict[str, tuple[dict[str, float | str], str, dict[str, float | str]]] = {
    "remote-stop": ({}, "drive.stop", {}),
    "release": ({}, "drive.release", {}),
    "torque-limit": ({"percent": 20}, "drive.limit", {"torque": 20.0}),
    "speed-limit": ({"kmh": 40}, "drive.limit", {"speed": 40.0}),
    "charge-limit": ({"amperes": 300}, "charge", {"request": "Limit", "current": 300.0}),
    "door-unlock": ({}, "doors", {"request": "Unlock"}),
    "door-lock": ({}, "doors", {"request": "Lock"}),
    "preheat": ({"degc": -3, "minutes": 15}, "climate", {"mode": "Preheat", "target": -3.0, "minutes": 15.0}),
    "update": ({"url": "https://update.invalid/vcu", "version": "04.18"}, "tbox.update", {}),
    "text": ({"text": "Depot: 停 now"}, "tbox.text", {"text": "Depot: 停 now"}),
    "reset": ({}, "tbox.reset", {}),
    "ask-settings": ({}, "tbox.ask", {}),
}


@ids
@pytest.mark.parametrize("chunk", [1, 13, 4096])
def test_the_link_logs_in_and_its_reports_reach_the_book(edition: Edition808 | Edition32960, chunk: int) -> None:
    bench = Bench(edition, chunk)
    bench.run(35)
    assert bench.online
    vehicle = bench.platform.book.vehicles[name(edition)]
    assert vehicle.online
    assert (vehicle.reports, vehicle.late) == (4, 0)
    assert bench.link.refused == bench.platform.book.refused == []
    assert vehicle.report is not None
    if isinstance(vehicle.report, Location):
        assert vehicle.report.position == (VALUES["latitude"], VALUES["longitude"])
        assert vehicle.report.speed_01kmh == 415
        assert vehicle.report.item(MILEAGE) == 1_200_342
        assert vehicle.report.status == Status.ACC | Status.POSITIONED | Status.DOORS_LOCKED
    else:
        compare(vehicle.report, edition)


def compare(report: Report, edition: Edition808 | Edition32960) -> None:
    assert report.rest == b""
    for group, values in {
        "vehicle": ("speed_kmh", "odometer_km", "soc_percent", "insulation_kohm"),
        "cells": ("cells_v",),
        "temperatures": ("temperatures_degc",),
    }.items():
        assert {each: report.row(group)[each] for each in values} == {each: VALUES[each] for each in values}
    vehicle, motor = report.row("vehicle"), report.row("motors")
    assert (vehicle["voltage_v"], vehicle["current_a"], vehicle["gear"]) == (612.3, -84.5, DRIVE | BRAKING)
    assert (vehicle["state"], vehicle["charging"]) == (1, 3)
    assert (motor["speed_rpm"], motor["torque_nm"], motor["state"]) == (1800, -310.5, 2)
    place = report.row("position")
    assert (place["latitude_deg"], place["longitude_deg"], place["state"]) == (52.09, 5.12, 0)
    extremes = report.row("extremes")
    assert bool(extremes) == (edition is Edition32960.Y2016)
    if extremes:
        assert (extremes["highest_v"], extremes["highest_cell"], extremes["coldest_degc"]) == (3.43, 3, 24)


@ids
@pytest.mark.parametrize("what", MEANT)
def test_every_order_is_understood_and_answered(edition: Edition808 | Edition32960, what: str) -> None:
    bench = Bench(edition)
    bench.run(1)
    given, kind, arguments = MEANT[what]
    commands = bench.order(what, **given)
    expected = {**given} if kind == "tbox.update" else arguments
    assert [(command.kind, command.arguments) for command in commands] == [(kind, expected)]
    assert kind.startswith("tbox.") or kind in ACTS or kind == "drive.release"
    assert commands[0].message_id.startswith("jt808:8" if isinstance(edition, Edition808) else "gb32960:8")
    vehicle = bench.platform.book.vehicles[name(edition)]
    assert [told.outcome for told in vehicle.told] == ["done"]
    assert bench.online


def test_the_stop_has_the_bytes_that_are_met_in_the_field() -> None:
    old = Bench(Edition808.Y2013)
    old.run(1)
    assert old.order("remote-stop") == [CloudCommand("drive.stop", {}, b"\x64", "jt808:8105")]
    public = Bench(Edition32960.Y2016)
    public.run(1)
    (command,) = public.order("remote-stop")
    assert (command.raw[6:], command.message_id) == (b"\x90\x91", "gb32960:82")


def test_a_control_is_answered_with_how_the_vehicle_then_is() -> None:
    bench = Bench(Edition808.Y2019)
    bench.run(1)
    bench.values["stopped"] = True
    bench.order("remote-stop")
    vehicle = bench.platform.book.vehicles[name(Edition808.Y2019)]
    assert vehicle.told[0].outcome == "done, drive cut"
    assert isinstance(vehicle.report, Location)
    assert vehicle.report.status & Status.CIRCUIT_CUT


def test_settings_that_are_set_are_those_that_are_told() -> None:
    bench = Bench(Edition808.Y2013)
    bench.run(1)
    bench.order("speed-limit", kmh=33)
    bench.order("ask-settings")
    assert dict(bench.platform.book.vehicles[PHONE].settings)[0x55] == (33).to_bytes(4)
    other = Bench(Edition32960.Y2025)
    other.run(1)
    other.order("ask-settings")
    assert dict(other.platform.book.vehicles[VIN].settings)[9] == b"\x1e"


@ids
def test_a_lost_connection_is_made_again_and_what_was_missed_comes_late(edition: Edition808 | Edition32960) -> None:
    bench = Bench(edition)
    bench.run(15)
    bench.reachable = False
    bench.cut()
    assert not bench.platform.book.vehicles[name(edition)].online
    bench.run(60)
    assert not bench.online
    bench.reachable = True
    bench.run(60)
    assert bench.online
    vehicle = bench.platform.book.vehicles[name(edition)]
    # Two before the cut, one each ten seconds of the next two minutes, and one at the new login.
    assert vehicle.reports in range(14, 17)
    if isinstance(edition, Edition32960):
        assert vehicle.late in range(6, 13)


def test_each_wait_is_longer_up_to_a_limit_and_a_fleet_does_not_dial_at_once() -> None:
    bench = Bench(Edition808.Y2019)
    bench.reachable = False
    bench.run(600)
    waits = [(later - sooner) / SECOND for sooner, later in zip(bench.dials, bench.dials[1:], strict=False)]
    for place, wait in enumerate(waits):
        longest = min(60.0, 2.0**place)
        assert longest / 2 <= wait <= longest
    assert len(waits) > 12
    assert len({round(wait, 3) for wait in waits[7:]}) > 3
    assert bench.link.attempts == len(bench.dials)


def test_a_quiet_link_shows_a_sign_of_life() -> None:
    bench = Bench(Edition32960.Y2016, habits=Habits(report=100, heartbeat=30))
    bench.run(95)
    vehicle = bench.platform.book.vehicles[VIN]
    assert vehicle.reports == 1
    assert vehicle.seen == START + 90 * SECOND


def test_a_platform_that_says_nothing_any_more_is_given_up() -> None:
    bench = Bench(Edition808.Y2013)
    bench.run(11)
    bench.mute = True
    bench.run(100)
    assert "the platform says nothing" in bench.link.refused
    bench.mute = False
    bench.run(60)
    assert bench.online


def test_a_platform_that_never_answers_the_login_is_given_up() -> None:
    bench = Bench(Edition32960.Y2025)
    bench.mute = True
    bench.run(15.3)
    assert bench.link.refused == ["no login within 15 s"]
    assert bench.link.state is State.WAITING


@ids
def test_who_is_not_admitted_is_refused(edition: Edition808 | Edition32960) -> None:
    bench = Bench(edition, admits=("somebody else",))
    bench.run(5)
    assert not bench.online
    assert set(bench.link.refused) == {"the platform refuses the login"}
    assert bench.platform.book.vehicles == {}
    refused = bench.platform.order(name(edition), order("remote-stop"), bench.now)
    assert refused == Refused(f"{name(edition)} is not connected; connected are: none")


@ids
def test_after_signing_off_no_order_reaches_the_vehicle(edition: Edition808 | Edition32960) -> None:
    bench = Bench(edition)
    bench.run(1)
    bench.link.hang_up(bench.now)
    assert bench.line is not None
    bench.line.receive(bench.link.take(), bench.now)
    assert not bench.platform.book.vehicles[name(edition)].online
    bench.cut()
    assert isinstance(bench.platform.order(name(edition), order("reset"), bench.now), Refused)
