from __future__ import annotations

from collections.abc import Iterable

import pytest

from busgate.detect.conduct import Conduct, Finding
from busgate.detect.rules import RULES
from busgate.model import ERROR, EXTENDED, REMOTE, Frame, Party, Reason, Side, Subsystem
from busgate.profile import Profile, Tbox
from support.detected import PROFILE, TBOX, TESTER, VCU, raw

KNOWN = frozenset({0x18A, 0x210, 0x555})
MS = 1_000_000


def conduct(profile: Profile = PROFILE) -> Conduct:
    return Conduct(profile, KNOWN, {"TB_Drive": lambda data: raw("TB_Drive", "Alive", data)})


def frame(can_id: int, data: bytes = b"", at: int = 0) -> Frame:
    return Frame(at, Side.TBOX, can_id, data)


def j1939(pgn: int, sa: int = TBOX, da: int = 0xFF) -> tuple[Frame, tuple[int, int]]:
    specific = pgn >> 8 & 0xFF < 0xF0
    return frame(EXTENDED | 6 << 26 | pgn << 8 | (da << 8 if specific else 0) | sa), (pgn, sa)


def check(pgn: int, sa: int = TBOX, name: str | None = None, profile: Profile = PROFILE) -> tuple[Finding, ...]:
    sent, pgn_sa = j1939(pgn, sa)
    return conduct(profile).check(sent, pgn_sa, name)


def rules(findings: Iterable[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


# ---------------------------------------------------------------- masquerade


def test_an_ecus_source_address_from_the_t_box_side_is_masquerade() -> None:
    (finding,) = check(0xF004, sa=VCU)
    assert finding.rule == "conduct.masquerade"
    assert finding.block is Reason.MASQUERADE
    assert finding.subsystem is Subsystem.DRIVE
    assert finding.source == Party("T-box", VCU)
    assert "VCU (0x27)" in finding.detail


@pytest.mark.parametrize("pgn", [0xEC00, 0xDA00, 0xEE00, 0xEA00, 0xEF00])
def test_masquerade_is_told_whatever_is_sent(pgn: int) -> None:
    assert rules(check(pgn, sa=VCU)) == ["conduct.masquerade"]


@pytest.mark.parametrize(
    ("can_id", "subsystem", "whose"),
    [
        (0x18A, Subsystem.BMS, "BMS"),
        (0x210, Subsystem.DOORS, "DCU"),
        (0x73B, Subsystem.HVAC, "HVAC"),  # the identifier an ECU answers diagnostics on
        (0x555, Subsystem.UNKNOWN, "the vehicle"),
    ],
)
def test_an_11_bit_identifier_of_the_vehicle_is_masquerade(can_id: int, subsystem: Subsystem, whose: str) -> None:
    (finding,) = conduct().check(frame(can_id), None, None)
    assert (finding.rule, finding.block, finding.subsystem) == (
        "conduct.masquerade",
        Reason.MASQUERADE,
        subsystem,
    )
    assert finding.detail.endswith(f"of {whose}")


def test_the_same_number_in_29_bits_is_another_identifier() -> None:
    assert rules(conduct().check(frame(EXTENDED | 0x18A), None, None)) == ["conduct.unseen"]


# ---------------------------------------------------------------- unseen


def test_a_sender_that_is_neither_the_t_boxs_nor_an_ecus_is_unlisted() -> None:
    (finding,) = check(0xFEF1, sa=0x99)
    assert (finding.rule, finding.block, finding.source) == ("conduct.unseen", None, Party("T-box", 0x99))


def test_one_cause_a_sender_whatever_it_sends() -> None:
    watch = conduct()
    causes = {finding.cause for pgn in range(0xF000, 0xF00C) for finding in watch.check(*j1939(pgn, 0x99), None)}
    assert causes == {"sa 0x99"}


def test_diagnostics_from_a_testers_address_are_left_to_their_own_rules() -> None:
    assert check(0xDA00, sa=0xF9) == ()


def test_a_node_that_looks_for_an_address_is_no_unlisted_sender() -> None:
    assert check(0xEE00, sa=0xFE) == ()
    assert rules(check(0xFEF1, sa=0xFE)) == ["conduct.unseen"]


@pytest.mark.parametrize(
    ("pgn", "name", "unseen"),
    [
        (0xFEF1, None, False),  # listed
        (0xFEF2, None, True),  # a broadcast it never sent
        (0xFEF2, "TB_Drive", False),  # marked: a command, told as such
        (0x4200, "TB_New", True),  # in the DBC, but not seen
        (0xFF99, "TB_New", True),
        # What VehicleDetector names as a command is told once.
        (0x0000, None, False),
        (0xFEE4, None, False),
        (0x4200, None, False),
        (0xFF99, None, False),
        (0xEF00, None, False),
        (0xEA00, None, False),
        (0xEC00, None, False),
        (0xEE00, None, False),
        (0xDA00, None, False),
    ],
)
def test_a_group_not_sent_at_commissioning_is_unseen_unless_it_is_told_otherwise(
    pgn: int, name: str | None, unseen: bool
) -> None:
    assert rules(check(pgn, name=name)) == (["conduct.unseen"] if unseen else [])


@pytest.mark.parametrize(
    ("can_id", "name", "unseen"),
    [
        (0x500, None, False),  # listed
        (0x123, None, True),
        (0x123, "TB_Drive", False),
        (0x123, "TB_Heartbeat", True),
        (0x733, None, False),  # diagnoses the HVAC
        (0x7DF, None, False),  # functional
        (0x6A0, None, False),  # may be diagnostics: told by its service
        (EXTENDED | 0x6A0, None, True),
        (EXTENDED | 0x1ABCDEF0, None, True),
    ],
)
def test_an_identifier_not_sent_at_commissioning_is_unseen(can_id: int, name: str | None, unseen: bool) -> None:
    assert rules(conduct().check(frame(can_id), None, name)) == (["conduct.unseen"] if unseen else [])


def test_without_a_list_from_commissioning_nothing_but_the_sender_is_unseen() -> None:
    profile = PROFILE.model_copy(update={"tbox": Tbox(sas=(TBOX,))})
    assert check(0xFEF2, profile=profile) == ()
    assert conduct(profile).check(frame(0x123), None, None) == ()
    assert rules(check(0xFEF2, sa=0x99, profile=profile)) == ["conduct.unseen"]


def test_causes_stay_few_however_many_identifiers_a_stranger_makes_up() -> None:
    watch = conduct()
    causes = set()
    for number in range(10_000):
        at = number * 500 * MS
        pgn = 0x1F000 + number % 0xF00 if number % 2 else 0xF000 + number % 0xF00
        findings = [*watch.check(j1939(pgn)[0]._replace(at=at), (pgn, TBOX), None)]
        findings += watch.check(frame(EXTENDED | number << 5, at=at), None, None)
        causes |= {finding.cause for finding in findings}
    assert len(causes) == 64 + 2
    assert len(watch._by_identity) <= 4096


# ---------------------------------------------------------------- flood


def test_frames_over_the_limit_of_one_identifier_are_blocked() -> None:
    watch = conduct()
    found = [watch.check(frame(0x500, at=step * MS), None, None) for step in range(7)]
    assert found[:5] == [()] * 5
    (finding,) = found[5]
    assert (finding.rule, finding.block, finding.cause) == ("conduct.flood", Reason.FLOOD, "id 0x500")
    assert found[5] == found[6]


def test_frames_over_the_total_are_blocked() -> None:
    watch = conduct()
    found = [watch.check(frame(EXTENDED | 0x18FEF100 | TBOX | prio << 26), (0xFEF1, TBOX), None) for prio in range(8)]
    found += [watch.check(frame(0x500), None, None) for _ in range(4)]
    assert found == [()] * 12
    (finding,) = watch.check(frame(0x7DF), None, None)
    assert (finding.cause, finding.block) == ("total", Reason.FLOOD)


def test_a_flood_of_forged_frames_is_both() -> None:
    watch = conduct()
    found = [watch.check(frame(0x18A), None, None) for _ in range(6)]
    assert rules(found[-1]) == ["conduct.masquerade", "conduct.flood"]


def test_flooding_identifiers_have_few_causes() -> None:
    watch = conduct()
    causes = set()
    for number in range(300):
        for _ in range(7):
            sent = frame(number, at=number * 10**10)
            causes |= {finding.cause for finding in watch.check(sent, None, None) if finding.rule == "conduct.flood"}
    assert len(causes) == 64 + 1
    assert "id, many" in causes


# ---------------------------------------------------------------- counters


@pytest.mark.parametrize(
    ("counts", "kinds"),
    [
        ((0, 1, 2, 3), ""),
        ((14, 15, 0, 1), ""),
        ((3, 3), "repeat"),
        ((3, 4, 4, 5), "repeat"),
        ((3, 6), ""),  # two lost
        ((3, 7), "leap"),
        ((3, 2), "leap"),
        ((3, 9, 10, 11), "leap"),  # one leap is the new count: a restart is told once
        ((3, 20), "leap"),  # out of its range
        ((20, 4), "leap"),
    ],
)
def test_a_counter_runs_on(counts: tuple[int, ...], kinds: str) -> None:
    watch = conduct()
    found = [
        finding
        for step, count in enumerate(counts)
        for finding in watch.check(frame(0x300, bytes([1, count]), step * 200 * MS), None, "TB_Drive")
    ]
    assert [finding.cause for finding in found] == ([f"TB_Drive {kinds}"] if kinds else [])
    assert all(finding.block is None and finding.rule == "conduct.stale-counter" for finding in found)


def test_a_replay_of_a_recorded_stretch_is_told_at_its_first_frame() -> None:
    watch = conduct()
    for step, count in enumerate(range(10)):
        assert watch.check(frame(0x300, bytes([1, count]), step * 200 * MS), None, "TB_Drive") == ()
    (finding,) = watch.check(frame(0x300, b"\x01\x04", 10 * 200 * MS), None, "TB_Drive")
    assert finding.detail == "counter of TB_Drive leaps: 4 after 9, counting 0 to 15"


def test_data_without_its_counter_says_nothing() -> None:
    watch = conduct()
    for data in (b"\x01\x05", b"\x01", b"\x01\x06"):
        assert watch.check(frame(0x300, data), None, "TB_Drive") == ()


def test_senders_of_one_message_have_counters_of_their_own() -> None:
    watch = conduct()
    for sa, count in ((TBOX, 3), (TESTER, 9), (TBOX, 4), (TESTER, 10)):
        sent = frame(EXTENDED | 0x18FF1000 | sa, bytes([1, count]))
        assert watch.check(sent, (0xFF10, sa), "TB_Drive") == ()


def test_remembered_counters_are_bounded() -> None:
    watch = conduct()
    for number in range(2_000):
        watch.check(frame(EXTENDED | number << 12, b"\x01\x01", number * 10**9), None, "TB_Drive")
    assert len(watch._last) <= 256


# ---------------------------------------------------------------- frames of other kinds


def test_error_frames_have_no_sender() -> None:
    watch = conduct()
    assert [watch.check(frame(ERROR | 0x18A), None, None) for _ in range(20)] == [()] * 20


def test_a_remote_frame_asks_and_does_not_speak_but_counts_in_a_flood() -> None:
    watch = conduct()
    found = [watch.check(frame(REMOTE | 0x18A), None, None) for _ in range(6)]
    assert found[:5] == [()] * 5
    assert rules(found[5]) == ["conduct.flood"]


def test_every_finding_names_a_rule_of_the_table() -> None:
    watch = conduct()
    found = [*watch.check(frame(0x18A), None, None), *check(0xFEF1, sa=0x99), *check(0xFEF2)]
    assert rules(found) == ["conduct.masquerade", "conduct.unseen", "conduct.unseen"]
    assert set(rules(found)) <= RULES.keys()
