"""The gate as a dialogue: a policy, frames on either wire, and what became of each.

The bus is dbc/demo-ebus: T-box 0x4A, VCU 0x27, BMS 0xF3 (UDS on 29-bit identifiers).
"""

from __future__ import annotations

import pytest

from busgate.model import Mode, Provenance, Reason, Severity, Side
from support.gate import MILLISECOND, blocked, given, passed, tbox, vehicle

READS = """
policy: reads
version: 1
allow:
  - {id: reads, uds: {target: BMS, services: [0x22], dids: [0xF190]}}
  - {id: writes, uds: {target: BMS, services: [0x2E], dids: [0x0100]}}
"""
ASK_VIN = tbox("18DAF34A#0322F190")


GROUPS = """
policy: groups
version: 1
allow:
  - {id: vcu, why: a test, pgn: 0xEF00, da: 0x27}
"""


def test_without_a_policy_nothing_of_the_tbox_passes_and_telemetry_flows() -> None:
    (
        given()
        >> tbox("123#00")
        << blocked(Reason.NO_POLICY)
        >> vehicle("18FEF127#FFFFFFFFFFFFFFFF")
        << passed(Reason.VEHICLE_TO_TBOX)
    )


def test_an_allowed_read_with_its_answer_and_flow_control_goes_through() -> None:
    (
        given(READS)
        >> ASK_VIN
        << passed(Reason.ALLOWED)
        >> vehicle("18DA4AF3#101462F190414243")
        << passed(Reason.VEHICLE_TO_TBOX)
        >> tbox("18DAF34A#300000")
        << passed(Reason.ANSWERS_VEHICLE)
    )


def test_a_flow_control_that_answers_nothing_is_blocked_and_told() -> None:
    said = given(READS) >> tbox("18DAF34A#300000") << blocked(Reason.NO_TRANSFER)
    assert [alert.rule for alert in said.alerts] == ["transport.malformed"]


def test_law_5_a_blocked_transfer_is_blocked_to_its_end() -> None:
    (
        given(READS)
        >> tbox("18DAF34A#100A2E0200000000")
        << blocked(Reason.NOT_ALLOWLISTED)
        >> tbox("18DAF34A#2100000000")
        << blocked(Reason.CONTINUES_BLOCKED)
    )


def test_the_pieces_of_an_allowed_transfer_are_no_flood_and_those_of_a_blocked_one_are() -> None:
    """The vehicle's flow control sets their pace; an approved update sends hundreds a second."""
    allowed = given(READS) >> tbox("18DAF34A#12002E0100000000") << passed(Reason.ALLOWED)
    for number in range(1, 60):
        allowed >> tbox(f"18DAF34A#{0x20 | number % 16:02X}00000000000000") << passed(Reason.CONTINUES_ALLOWED)
    refused = given(READS) >> tbox("18DAF34A#12002E0200000000") << blocked(Reason.NOT_ALLOWLISTED)
    for number in range(1, 60):
        refused >> tbox(f"18DAF34A#{0x20 | number % 16:02X}00000000000000") << blocked(Reason.CONTINUES_BLOCKED)
    assert "conduct.flood" not in {alert.rule for alert in allowed.alerts}
    assert "conduct.flood" in {alert.rule for alert in refused.alerts}


def test_a_j1939_abort_of_a_transfer_that_is_over_continues_nothing() -> None:
    talk = given(GROUPS) >> tbox("18EC274A#10090002FF00EF00") << passed(Reason.ALLOWED)
    talk >> tbox("18EB274A#0101020304050607") << passed(Reason.CONTINUES_ALLOWED)
    talk >> tbox("18EB274A#020809FFFFFFFFFF") << passed(Reason.CONTINUES_ALLOWED)
    talk >> tbox("18EC274A#FF03FFFFFF00EF00") << passed(Reason.CONTINUES_ALLOWED)
    talk >> tbox("18EC274A#FF03FFFFFF00EF00") << blocked(Reason.NO_TRANSFER)


def test_law_5_a_transfer_allowed_at_its_start_is_not_cut() -> None:
    talk = given(READS) >> tbox("18DAF34A#100A2E0100000000") << passed(Reason.ALLOWED)
    talk.gateway.set_mode(Mode.MONITOR, talk.at, by="test", reason="a change of mode in between")
    talk.gateway.set_mode(Mode.ENFORCE, talk.at, by="test", reason="and back")
    talk >> tbox("18DAF34A#2100000000") << passed(Reason.CONTINUES_ALLOWED)


def test_a_consecutive_frame_after_its_transfer_timed_out_is_blocked() -> None:
    (
        given(READS)
        >> tbox("18DAF34A#100A2E0100000000")
        << passed(Reason.ALLOWED)
        >> tbox("18DAF34A#2100000000", after=2000 * MILLISECOND)
        << blocked(Reason.MALFORMED)
    )


def test_another_priority_does_not_continue_another_transfer_unseen() -> None:
    """The ECU does not look at priorities: the second first frame ends the first transfer, whatever its priority."""
    (
        given(READS)
        >> tbox("18DAF34A#100A2E0100000000")
        << passed(Reason.ALLOWED)
        >> tbox("0CDAF34A#100A2E0200000000")
        << blocked(Reason.NOT_ALLOWLISTED)
        >> tbox("18DAF34A#2100000000")
        << blocked(Reason.CONTINUES_BLOCKED)
    )


def test_a_j1939_command_is_blocked_at_its_announcement_with_all_its_packets() -> None:
    (
        given(READS)
        >> tbox("18EC274A#10090002FF00EF00")
        << blocked(Reason.NOT_ALLOWLISTED)
        >> tbox("18EB274A#0100000000000000")
        << blocked(Reason.CONTINUES_BLOCKED)
    )


def test_law_3_a_frame_of_the_tbox_port_came_from_the_tbox_whatever_it_claims() -> None:
    said = given(READS) >> tbox("0C000027#0300000000000000") << blocked(Reason.MASQUERADE)
    assert {alert.provenance for alert in said.alerts} == {Provenance.PHYSICAL}
    assert "conduct.masquerade" in {alert.rule for alert in said.alerts}


def test_an_impostor_cannot_spoil_a_transfer_of_the_real_vehicle() -> None:
    """Under the BMS' address the T-box announces another answer; the flow control still answers the real one."""
    (
        given(READS)
        >> ASK_VIN
        << passed(Reason.ALLOWED)
        >> vehicle("18DA4AF3#101462F190414243")
        << passed(Reason.VEHICLE_TO_TBOX)
        >> tbox("18DA4AF3#100900FFFFFFFFFF")
        << blocked(Reason.MASQUERADE)
        >> tbox("18DAF34A#300000")
        << passed(Reason.ANSWERS_VEHICLE)
    )


def test_remote_frames_of_the_tbox_are_blocked_and_told() -> None:
    said = given(READS) >> tbox("123#R") << blocked(Reason.REMOTE_FRAME)
    assert "frame.remote" in {alert.rule for alert in said.alerts}


def test_the_local_human_cuts_the_tbox_off_and_telemetry_flows() -> None:
    (
        given(READS, mode=Mode.LOCAL)
        >> ASK_VIN
        << blocked(Reason.LOCAL_OVERRIDE)
        >> vehicle("18FEF127#FFFFFFFFFFFFFFFF")
        << passed(Reason.VEHICLE_TO_TBOX)
    )


@pytest.mark.parametrize("side", [Side.TBOX, Side.VEHICLE])
def test_r5_a_command_is_one_alert_on_the_tbox_port_and_none_on_the_vehicle_port(side: Side) -> None:
    send = tbox if side is Side.TBOX else vehicle
    talk = given(READS)
    for _ in range(3):
        talk >> send("0C00274A#0300000000000000")
    assert [alert.rule for alert in talk.alerts] == (["command.drive"] if side is Side.TBOX else [])
    assert all(alert.severity is Severity.CRITICAL for alert in talk.alerts)


def test_repeats_of_a_command_are_counted_when_it_ends() -> None:
    talk = given(READS) >> tbox("0C00274A#0300000000000000") >> tbox("0C00274A#0300000000000000")
    counts = [event for event in talk.gateway.finish(talk.at) if type(event).__name__ == "AlertCount"]
    assert [event.count for event in counts if event.rule == "command.drive"] == [2]  # type: ignore[union-attr]


@pytest.mark.parametrize("data", ["DEADBEEF", "0000000000000000", "5F", ""])
def test_what_is_no_diagnostics_on_an_undeclared_identifier_is_an_unknown_message(data: str) -> None:
    said = given(READS) >> tbox(f"6A5#{data}") << blocked(Reason.MALFORMED)
    assert [(alert.rule, alert.severity) for alert in said.alerts] == [("command.unknown", Severity.HIGH)]


ALIVE = """
policy: alive
version: 1
allow:
  - {id: alive, uds: {target: BMS, services: [0x3E], subfunctions: 0}}
  - {id: pages, message: TboxRequest}
"""


@pytest.mark.parametrize("data", ["033E0011", "100A3E0011011101"])
def test_what_follows_all_that_an_allowed_service_takes_does_not_pass_with_it(data: str) -> None:
    (
        given(ALIVE)
        >> tbox("18DAF34A#023E00")
        << passed(Reason.ALLOWED)
        >> tbox(f"18DAF34A#{data}")
        << blocked(Reason.SIGNAL_OUT_OF_RANGE)
    )


def test_what_follows_an_allowed_message_does_not_pass_with_it() -> None:
    said = given(ALIVE) >> tbox("501#01000000") << passed(Reason.ALLOWED)
    said = said >> tbox("501#0100000000") << blocked(Reason.MALFORMED)
    assert [alert.detail for alert in said.alerts] == ["it has 5 bytes, TboxRequest has 4"]
    _ = said >> vehicle("501#0100000000") << passed(Reason.VEHICLE_TO_TBOX)
