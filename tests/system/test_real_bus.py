"""A real electric city bus, 200 s of it, through the whole replay: the recording stands beside the checkout or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from busgate.bridge.channels import SideMap
from busgate.model import Mode
from busgate.service import load
from busgate.service.replay import Job, replay

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
REAL_BUS = VECTORS / "ebus_real_200s.candump.gz"
REFLASH = VECTORS / "ecu_trace.candump"

pytestmark = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="the folder of public recordings is not beside this checkout"
)


def replayed(trace: Path, sides: SideMap, profile: str = "generic-j1939") -> dict[str, Any]:
    return replay(Job(trace=trace, sides=sides, vehicle=load.vehicle(profile), mode=Mode.ENFORCE)).report


@pytest.mark.parametrize("profile", ["generic-j1939", "demo-ebus"])
@pytest.mark.parametrize("sides", [SideMap(), SideMap(vehicle=["all"])], ids=["tap", "vehicle side"])
def test_an_ordinary_day_of_a_real_bus_raises_nothing_critical(sides: SideMap, profile: str) -> None:
    report = replayed(REAL_BUS, sides, profile)
    assert report["frames"] == 74184
    assert report["severities"].get("critical", 0) == 0


def test_on_the_vehicle_side_a_real_bus_raises_no_alert_at_all() -> None:
    assert replayed(REAL_BUS, SideMap(vehicle=["all"]))["alerts"] == []


def test_every_ecu_speaking_from_the_tbox_side_is_named_once_and_counted() -> None:
    report = replayed(REAL_BUS, SideMap(tbox=["all"]))
    senders = [alert for alert in report["alerts"] if alert["rule"] in {"conduct.masquerade", "conduct.unseen"}]
    named = [(alert["rule"], alert["source"]["address"], alert["name"]) for alert in senders]
    assert any(alert["rule"] == "conduct.masquerade" for alert in senders)
    assert any(alert["rule"] == "conduct.unseen" for alert in senders)
    assert len(report["alerts"]) < 150
    assert sum(alert["count"] for alert in report["alerts"]) > 60_000
    assert len(named) == len(set(named))


def test_uds_reads_are_reassembled_and_every_j1939_identifier_has_a_class() -> None:
    report = replayed(REAL_BUS, SideMap())
    extended = [row for row in report["identifiers"] if len(row["id"]) > 3]
    assert extended
    assert all("pgn" in row and row["class"] for row in extended)
    assert report["messages"]["uds"] >= 18


@pytest.mark.parametrize(
    "sides", [SideMap(), SideMap(tbox=["can0"]), SideMap(vehicle=["can0"])], ids=["tap", "tbox", "vehicle"]
)
def test_a_real_reflash_is_one_programming_session_of_one_target(sides: SideMap) -> None:
    programming = [session for session in replayed(REFLASH, sides)["sessions"] if session["programming"]]
    assert len(programming) == 1
    assert {"0x31", "0x34", "0x36", "0x37"} <= programming[0]["services"].keys()
    assert programming[0]["target"]["address"] == "0x710"
