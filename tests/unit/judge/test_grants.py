from __future__ import annotations

import pytest

from busgate.document import DocumentError
from busgate.judge.clock import Moment
from busgate.judge.grants import Grant, GrantError, Grants, read_grant
from busgate.judge.terms import timestamp
from busgate.model import GrantChange

TEXT = """\
grant: g-7
holder: {who: J. Jansen, organisation: Example Service BV, country: NL}
vehicle: bus-0421
functions: [maintenance, charging]
start: 2026-11-23T11:00:00Z
end: 2026-11-23T12:00:00Z
reason: inverter replaced
approvers: [A. Bakker, C. de Vries]
"""
START, END = timestamp("2026-11-23T11:00:00Z"), timestamp("2026-11-23T12:00:00Z")


def at(wall: int | None, latest: int | None = None, now: int = 5) -> Moment:
    return Moment(now, 0, wall, wall if latest is None else latest)


def holding(*texts: str, device: str = "bus-0421") -> Grants:
    grants = Grants(device)
    for text in texts or (TEXT,):
        grants.adopt(read_grant(text))
    return grants


def test_a_grant_says_who_may_do_what_to_which_vehicle_when_and_why() -> None:
    grant = read_grant(TEXT)
    assert str(grant.holder) == "J. Jansen, Example Service BV (NL)"
    assert (grant.grant, grant.vehicle, grant.functions) == ("g-7", "bus-0421", ("maintenance", "charging"))
    assert (grant.start, grant.end, grant.reason) == (START, END, "inverter replaced")
    assert grant.approvers == ("A. Bakker", "C. de Vries")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("end: 2026-11-23T12", "end: 2026-11-23T11", "6: end: it is not after the start"),
        ("end: 2026-11-23T12", "end: 2026-11-23T10", "6: end: it is not after the start"),
        ("C. de Vries", "a.  BAKKER", "8: approvers: two different people must approve a grant"),
        (", C. de Vries", "", "8: approvers: two different people must approve a grant"),
        ("Vries]", "Vries, C. De Vries]", "8: approvers: two different people must approve a grant"),
        ("[A. Bakker, C. de Vries]", "[]", "8: approvers: two different people must approve a grant"),
        ("NL", "nl", "2: holder.country: 'nl' is no country; write its two letters (ISO 3166-1), such as NL"),
        ("NL", "NLD", "2: holder.country: 'NLD' is no country; write its two letters (ISO 3166-1), such as NL"),
        ("NL", "31", "2: holder.country: 31 is no country; write its two letters (ISO 3166-1), such as NL"),
        (
            "[maintenance, charging]",
            "[]",
            "4: functions: name the functions that it is for, as the policy's rules do",
        ),
        ("inverter replaced", "", "7: reason: it has no value; give it one or leave it out"),
        ("reason: inverter replaced", "", "1: reason: Field required"),
    ],
)
def test_a_grant_that_does_not_hold_together_is_refused(old: str, new: str, fault: str) -> None:
    assert old in TEXT
    with pytest.raises(DocumentError) as told:
        read_grant(TEXT.replace(old, new))
    assert str(told.value) == f"grant.yaml:{fault}"


def test_a_grants_errors_name_its_file() -> None:
    with pytest.raises(DocumentError, match=r"^g-7\.yaml: expected fields"):
        read_grant("- a", "g-7.yaml")


def test_a_third_approver_is_welcome() -> None:
    assert len(read_grant(TEXT.replace("Vries]", "Vries, E. Franken]")).approvers) == 3


def test_another_vehicles_grant_is_refused() -> None:
    with pytest.raises(GrantError, match=r"^grant g-7 is made out to bus-0421; this is bus-0422$"):
        holding(device="bus-0422")
    with pytest.raises(GrantError, match=r"^grant g-7 is made out to bus-0421; this is unnamed$"):
        holding(device="")


def test_a_grant_for_any_vehicle_is_taken() -> None:
    assert holding(TEXT.replace("bus-0421", "any"), device="bus-0422").holds("maintenance")


def test_the_same_grant_may_come_twice_but_not_two_by_one_id() -> None:
    assert holding(TEXT, TEXT).holds("charging")
    with pytest.raises(GrantError, match=r"^another grant is called g-7 already; give each its own id$"):
        holding(TEXT, TEXT.replace("T12:00", "T13:00"))


def test_a_grant_names_its_functions() -> None:
    grants = holding()
    assert grants.holds("maintenance")
    assert grants.holds("charging")
    assert not grants.holds("flashing")
    assert not Grants("bus-0421").holds("maintenance")


@pytest.mark.parametrize(
    ("moment", "active"),
    [
        (at(START - 1), False),
        (at(START), True),
        (at(END - 1), True),
        (at(END), False),
        (at(START, latest=END - 1), True),
        (at(START, latest=END), False),
        (at(START - 1, latest=START), False),
        (at(None, latest=START), False),
        (at(None), False),
    ],
)
def test_a_grant_is_active_from_trusted_start_until_the_latest_time_reaches_its_end(
    moment: Moment, active: bool
) -> None:
    grants = holding()
    assert (grants.active("maintenance", moment) is not None) is active
    assert grants.active("flashing", moment) is None
    assert grants.active(None, moment) is None


def test_the_active_one_of_several_is_found() -> None:
    early = (
        TEXT.replace("g-7", "g-6")
        .replace("T12", "T11")
        .replace("start: 2026-11-23T11", "start: 2026-11-23T09")
        .replace("end: 2026-11-23T11", "end: 2026-11-23T10")
    )
    other = TEXT.replace("g-7", "g-5").replace("maintenance, ", "")
    found = holding(early, other, TEXT).active("maintenance", at(START))
    assert found is not None
    assert found.grant == "g-7"


def change(stage: str, grant: str = "g-7", functions: tuple[str, ...] = ("maintenance", "charging")) -> GrantChange:
    return GrantChange(5, stage, grant, "J. Jansen, Example Service BV (NL)", functions, END, "inverter replaced")


def test_a_grant_begins_once_and_ends_once() -> None:
    grants = holding()
    assert grants.tick(at(START - 1)) == ()
    assert grants.tick(at(START)) == (change("start"),)
    assert grants.tick(at(START + 1)) == ()
    assert grants.tick(at(END - 1)) == ()
    assert grants.tick(at(END)) == (change("end"),)
    assert grants.tick(at(END + 1)) == ()
    assert not grants.holds("maintenance")


def test_a_grant_does_not_begin_while_no_clock_is_trusted() -> None:
    grants = holding()
    assert grants.tick(at(None)) == ()
    assert grants.tick(at(None, latest=START)) == ()
    assert grants.tick(at(START)) == (change("start"),)


def test_a_grant_ends_also_while_no_clock_is_trusted() -> None:
    grants = holding()
    grants.tick(at(START))
    assert grants.tick(at(None, latest=END)) == (change("end"),)


def test_a_grant_that_was_over_before_it_could_begin_only_ends() -> None:
    grants = holding()
    assert grants.tick(at(END)) == (change("end"),)
    assert grants.tick(at(END)) == ()


def test_an_ended_grant_that_comes_again_only_ends_again() -> None:
    grants = holding()
    grants.tick(at(START))
    grants.tick(at(END))
    grants.adopt(read_grant(TEXT))
    assert grants.tick(at(START, latest=END)) == (change("end"),)


def test_an_id_is_free_again_once_its_grant_has_ended_and_the_new_one_begins() -> None:
    grants = holding()
    grants.tick(at(START))
    grants.tick(at(END))
    grants.adopt(read_grant(TEXT.replace("T12:00", "T13:00")))
    (began,) = grants.tick(at(END))
    assert (began.stage, began.until) == ("start", timestamp("2026-11-23T13:00:00Z"))


def test_several_grants_are_told_in_the_order_they_came() -> None:
    second = TEXT.replace("g-7", "g-8").replace("maintenance, ", "")
    grants = holding(TEXT, second)
    assert grants.tick(at(START)) == (change("start"), change("start", "g-8", ("charging",)))
    assert grants.tick(at(END)) == (change("end"), change("end", "g-8", ("charging",)))


def test_the_next_deadline_is_the_next_start_or_end() -> None:
    grants = holding()
    assert grants.next_deadline(at(START - 7, now=100)) == 107
    grants.tick(at(START))
    assert grants.next_deadline(at(START, now=100)) == 100 + END - START
    assert grants.next_deadline(at(START, latest=END - 3, now=100)) == 103
    assert grants.next_deadline(at(None, latest=END - 3, now=100)) == 103


def test_a_deadline_that_has_passed_is_due_now() -> None:
    grants = holding()
    assert grants.next_deadline(at(START + 7, now=100)) == 100
    assert grants.next_deadline(at(END + 7, now=100)) == 100


def test_without_time_or_grants_there_is_no_deadline() -> None:
    assert holding().next_deadline(at(None)) is None
    assert Grants("bus-0421").next_deadline(at(START)) is None


def test_a_start_is_no_deadline_while_no_clock_is_trusted() -> None:
    assert holding().next_deadline(at(None, latest=START - 3, now=100)) == 103 + END - START


def test_grants_are_frozen_values() -> None:
    assert read_grant(TEXT) == read_grant(TEXT)
    assert isinstance(hash(read_grant(TEXT)), int)
    assert Grant.model_config["frozen"]
