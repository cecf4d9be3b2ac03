"""The demo's T-box in service: what it does all day, and what it may do when the moment is right.

Law: every frame of the T-box belongs to a story, and every story says what ought to become of it and why.
"""

from __future__ import annotations

from busgate_sim import journey
from busgate_sim.diagnostics import ALLOWED, TBOX, UNSEEN, exchange, read
from busgate_sim.encoder import Sent, Spoken, Values, group
from busgate_sim.script import ORDINARY, Script, Story

VIN = b"SYNTHETICBUS00421"
_NAME = bytes.fromhex("21436587004a0280")
_UNTIL_NEXT_S = 0.1

PREHEAT: Values = {"Mode": "Preheat", "TargetTemperature": 21.0, "Duration": 20}
ASKS_NOTHING: Values = {
    "RequestType": "None", "TorqueLimit": "NotAvailable", "SpeedLimit": "NotAvailable"
}  # fmt: skip


def plays(script: Script) -> None:
    """Write the ordinary part of the T-box's day."""
    _cyclic(script)
    _asks(script)
    _reads(script)
    _comfort(script)
    _charges(script)


def _cyclic(script: Script) -> None:
    story = script.tells(
        Story(
            id=ORDINARY,
            what="heartbeat, clock, position, address claim, and a drive command that asks for nothing",
            expect="passed",
            why="the policy allows each of them at its ordinary rate",
        )
    )
    script.says(0.05, Sent(group(6, 0xEE00, TBOX), _NAME), story, "allowed")
    for beat in range(int(journey.LASTS * 10)):
        alive: Values = {"TboxState": "Online", "SignalStrength": -87, "Uptime": 4711 + beat // 10}
        script.says(0.02 + beat * 0.1, Spoken("TboxHeartbeat", alive), story, "allowed")
    for second in range(int(journey.LASTS)):
        clock = {"Seconds": second, "Minutes": 40, "Hours": 6, "Month": 3, "Day": 2, "Year": 2026}
        place = {"Latitude": 52.09 + journey.at(second).distance / 111_000, "Longitude": 5.12}
        script.says(0.31 + second, Spoken("TD", clock), story, "allowed")
        script.says(0.42 + second, Spoken("VP", place), story, "allowed")
        script.says(0.53 + second, Spoken("TboxDriveCommand", ASKS_NOTHING), story, "allowed")


def _asks(script: Script) -> None:
    story = script.tells(
        Story(
            id="telemetry",
            what="asks for pages of telemetry, and all nodes for their faults, distance and identification",
            expect="passed",
            why="asking alters nothing, and the policy lists what may be asked",
        )
    )
    for number in range(14):
        page = ("Energy", "Doors", "Climate", "Cells")[number % 4]
        asked: Values = {"RequestedPage": page, "RequestNumber": number}
        script.says(0.75 + 2 * number, Spoken("TboxRequest", asked), story, "allowed")
    for place, pgn in enumerate((0xFECA, 0xFEC1, 0xFEEC)):
        request = Sent(group(6, 0xEA00, TBOX), pgn.to_bytes(3, "little"))
        script.says(1.1 + place * _UNTIL_NEXT_S, request, story, "allowed")
    cleared = script.tells(
        Story(
            id="clear-faults",
            what="asks all nodes for DM11, which clears their active faults",
            expect="blocked",
            why="the policy lists the groups that may be asked for, and DM11 is not among them",
            alert="j1939.clear",
            severity="medium",
        )
    )
    script.says(5.5, Sent(group(6, 0xEA00, TBOX), 0xFED3.to_bytes(3, "little")), cleared, "not_allowlisted")


def _reads(script: Script) -> None:
    story = script.tells(
        Story(
            id="read-battery",
            what="reads the battery's identification and statistics over UDS; the longer ones in several frames",
            expect="passed",
            why="the policy allows these identifiers of the BMS; flow control answers the vehicle's own transfer",
        )
    )
    statistics = bytes(range(40))
    exchange(script, 2.0, read({0xF190: VIN}), story, ALLOWED)
    exchange(script, 2.6, read({0xF189: b"04.17"}), story, ALLOWED)
    several = {0xF187: b"BAT-7731-A", 0xF189: b"04.17", 0x0200: statistics}
    exchange(script, 3.0, read(several), story, ALLOWED)
    hidden = script.tells(
        Story(
            id="read-unseen",
            what="reads four identifiers in one request, which is too long for one frame",
            expect="blocked",
            why="the first frame decides and does not show them all; the battery's answer was recorded unguarded",
            alert="uds.read",
            severity="low",
        )
    )
    exchange(script, 3.5, read({**several, 0x0201: statistics[:12]}), hidden, UNSEEN)


def _comfort(script: Script) -> None:
    standing = script.tells(
        Story(
            id="preheat-standing",
            what="preheats the saloon to 21 degC while the bus stands with its park brake set",
            expect="passed",
            why="the policy allows preheating between 15 and 26 degC at standstill",
            alert="command.hvac",
            severity="info",
        )
    )
    script.says(4.2, Spoken("TboxHvacCommand", PREHEAT), standing, "allowed")
    script.says(28.7, Spoken("TboxHvacCommand", PREHEAT), standing, "allowed")
    hot = script.tells(
        Story(
            id="preheat-too-hot",
            what="preheats the saloon to 35 degC",
            expect="blocked",
            why="the policy allows no more than 26 degC",
            alert="command.hvac",
            severity="low",
        )
    )
    script.says(4.6, Spoken("TboxHvacCommand", {**PREHEAT, "TargetTemperature": 35.0}), hot, "signal_out_of_range")
    driving = script.tells(
        Story(
            id="preheat-driving",
            what="preheats the saloon while the bus drives",
            expect="blocked",
            why="the policy's rule has a condition, a speed of at most 0.5 km/h, and the bus drives",
            alert="command.hvac",
            severity="medium",
        )
    )
    script.says(10.2, Spoken("TboxHvacCommand", PREHEAT), driving, "condition_not_met")


def _charges(script: Script) -> None:
    story = script.tells(
        Story(
            id="charge-limit-too-high",
            what="raises the charge-current limit to 600 A",
            expect="blocked",
            why="the policy allows 10 to 250 A, and only while the bus charges",
            alert="command.charging",
            severity="high",
        )
    )
    asked: Values = {"ChargeRequest": "Limit", "CurrentLimit": 600.0, "TargetSoc": 90.0}
    script.says(5.2, Spoken("TboxChargeCommand", asked), story, "signal_out_of_range")
