"""What the T-box must not be able to do, whoever sits behind it: the demo's commands, disguises and attacks.

Law: as in `tbox`: every frame has a story, and every story what ought to become of it and why.
"""

from __future__ import annotations

from busgate_sim.diagnostics import FORBIDDEN, REQUEST, TBOX, exchange, reprogramming
from busgate_sim.encoder import Sent, Spoken, Values
from busgate_sim.script import Script, Story
from busgate_sim.segments import first
from busgate_sim.tbox import PREHEAT

VCU, INVERTER = 0x27, 0x8A
FLOOD_FRAMES = 300
_FLOOD_ALLOWED = 40
_IMAGE = bytes(index * 37 % 256 for index in range(192))


def plays(script: Script) -> None:
    """Write what the T-box ought not to do."""
    _drive(script)
    _battery(script)
    _disguise(script)
    _doors(script)
    _malformed(script)
    _replays(script)
    _reprograms(script)
    _floods(script)


def _drive(script: Script) -> None:
    limited = script.tells(
        Story(
            id="torque-limit",
            what="takes the driver's torque away in steps, from 90 to 30 per cent",
            expect="blocked",
            why="the policy allows a torque limit only under a maintenance grant, and there is none",
            alert="command.drive",
            severity="critical",
        )
    )
    for step, percent in enumerate((90.0, 75.0, 60.0, 45.0, 30.0)):
        asked: Values = {"RequestType": "Limit", "TorqueLimit": percent, "SpeedLimit": "NotAvailable"}
        script.says(11.2 + step * 0.45, Spoken("TboxDriveCommand", asked), limited, "grant_required")
    stopped = script.tells(
        Story(
            id="remote-stop",
            what="stops the drive while the bus does 33 km/h",
            expect="blocked",
            why="no rule of the policy allows a stop",
            alert="command.drive",
            severity="critical",
        )
    )
    stop: Values = {"RequestType": "Stop", "TorqueLimit": 0.0, "SpeedLimit": 0}
    script.says(14.2, Spoken("TboxDriveCommand", stop), stopped, "signal_out_of_range")
    inverter = script.tells(
        Story(
            id="tsc1",
            what="limits the torque of an inverter directly, with J1939's TSC1",
            expect="blocked",
            why="TSC1 is the VCU's; no rule allows it to the T-box",
            alert="command.drive",
            severity="critical",
        )
    )
    for cycle in range(5):
        limit: Values = {
            "OverrideCtrlMode": "SpeedTorqueLimit",
            "RequestedSpeedCtrlConditions": 0,
            "OverrideCtrlModePriority": "Highest",
            "RequestedSpeedOrSpeedLimit": 0.0,
            "RequestedTorqueOrTorqueLimit": 0.0,
            "MessageCounter": cycle,
        }
        script.says(16.2 + cycle * 0.01, Spoken("TSC1", limit, TBOX, INVERTER), inverter, "not_allowlisted")


def _battery(script: Script) -> None:
    opened = script.tells(
        Story(
            id="contactors",
            what="opens the contactors of the traction battery while the bus drives",
            expect="blocked",
            why="no rule of the policy allows any command to the battery",
            alert="command.bms",
            severity="critical",
        )
    )
    asked: Values = {
        "ContactorRequest": "Open",
        "ChargeCurrentLimit": "NotAvailable",
        "DischargeCurrentLimit": "NotAvailable",
    }
    script.says(15.2, Spoken("TboxBmsCommand", asked), opened, "not_allowlisted")
    down = script.tells(
        Story(
            id="hvessc1",
            what="powers the high-voltage battery down with J1939's HVESSC1",
            expect="blocked",
            why="HVESSC1 is the VCU's; no rule allows it to the T-box",
            alert="command.bms",
            severity="critical",
        )
    )
    power_down: Values = {"HvBusConnect": "Disconnect", "PowerDown": "PowerDown", "OperationalConsent": "Off"}
    script.says(17.2, Spoken("HVESSC1", power_down, TBOX), down, "not_allowlisted")


def _disguise(script: Script) -> None:
    story = script.tells(
        Story(
            id="masquerade",
            what="says under the VCU's address that the bus stands with its park brake set, then preheats",
            expect="blocked",
            why="a frame from the T-box's wire is the T-box's, whatever its address; the situation is not believed",
            alert="conduct.masquerade",
            severity="critical",
        )
    )
    standing: Values = {"ParkingBrakeSwitch": "Set", "WheelBasedVehicleSpeed": 0.0}
    for cycle in range(5):
        script.says(18.2 + cycle * 0.05, Spoken("CCVS1", standing, VCU), story, "masquerade")
    script.says(18.43, Spoken("TboxHvacCommand", PREHEAT), story, "condition_not_met")


def _doors(script: Script) -> None:
    story = script.tells(
        Story(
            id="doors",
            what="unlocks all doors while the bus drives",
            expect="blocked",
            why="no rule of the policy allows any command to the doors",
            alert="command.doors",
            severity="high",
        )
    )
    script.says(19.2, Spoken("TboxDoorCommand", {"DoorRequest": "Unlock", "Door": "All"}), story, "not_allowlisted")


def _malformed(script: Script) -> None:
    story = script.tells(
        Story(
            id="malformed",
            what="ISO-TP that lies: a first frame for five bytes, a frame that continues nothing, a reserved type",
            expect="blocked",
            why="the policy blocks what does not follow its protocol",
            alert="transport.malformed",
            severity="medium",
        )
    )
    script.says(20.2, Sent(REQUEST, first(b"\x22\xf1\x90\xf1\x87\xf1", length=5)), story, "malformed")
    script.says(20.3, Sent(REQUEST, bytes([0x23]) + bytes(7)), story, "malformed")
    script.says(20.4, Sent(REQUEST, bytes([0x5F]) + bytes(7)), story, "malformed")


def _replays(script: Script) -> None:
    story = script.tells(
        Story(
            id="replay",
            what="sends the last preheating again, byte for byte, with the counter it had then",
            expect="blocked",
            why="the bus drives, so the rule's condition is not met; the old counter is told beside it",
            alert="conduct.stale-counter",
            severity="high",
        )
    )
    script.says(20.7, Spoken("TboxHvacCommand", {**PREHEAT, "AliveCounter": 3}), story, "condition_not_met")


def _reprograms(script: Script) -> None:
    story = script.tells(
        Story(
            id="reprogramming",
            what="reprograms the BMS: session, unlock, erase, download in several frames, reset",
            expect="blocked",
            why="the policy allows reads of the BMS only; what follows a blocked first frame is blocked with it",
            alert="uds.programming",
            severity="critical",
        )
    )
    at = 21.2
    for step in reprogramming(_IMAGE):
        at = exchange(script, at, step, story, FORBIDDEN) + 0.15


def _floods(script: Script) -> None:
    story = script.tells(
        Story(
            id="flood",
            what=f"{FLOOD_FRAMES} telemetry requests in as many milliseconds",
            expect="partly",
            why=f"{_FLOOD_ALLOWED} a second of one identifier are ordinary; what is beyond is a flood",
            alert="conduct.flood",
            severity="high",
        )
    )
    for number in range(FLOOD_FRAMES):
        asked: Values = {"RequestedPage": "Energy", "RequestNumber": 1000 + number}
        verdict = "allowed" if number < _FLOOD_ALLOWED else "flood"
        script.says(27.9 + number * 0.001, Spoken("TboxRequest", asked), story, verdict)
