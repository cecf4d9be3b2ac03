"""Diagnostic sessions, read as dialogues between testers and ECUs."""

import pytest

from busgate.decode.isotp import Complete, Single, Watcher
from busgate.decode.uds import Reading, read
from busgate.decode.uds_pairs import Pairs
from busgate.decode.uds_sessions import SessionEvent, Sessions
from busgate.model import DiagnosticKind
from support import ecu_trace
from support.uds_dialogue import SECOND, Dialogue, reading

FUNCTIONAL = 0x700


def reflash() -> list[SessionEvent]:
    """The recorded reflash, through reassembly, pairing and sessions, as a gateway without a profile sees it."""
    watcher, pairs, sessions = Watcher(), Pairs[int](functional=[FUNCTIONAL]), Sessions()
    events: list[SessionEvent] = []
    for identifier, data in ecu_trace.frames():
        step = watcher.receive(0, identifier, data)
        if not isinstance(step, Single | Complete):
            continue
        found = read(step.payload)
        assert isinstance(found, Reading)
        if found.kind is DiagnosticKind.REQUEST:
            pairs.request(0, identifier, found)
            events += sessions.request(0, -1, identifier, found, functional=identifier == FUNCTIONAL)
        elif (target := pairs.answer(0, identifier, found)) is not None:
            events += sessions.response(0, target, found)
    return [*events, *sessions.end(0)]


def test_the_recorded_reflash_is_one_programming_session_of_one_target() -> None:
    start, end = reflash()
    assert (start.stage, start.target, start.session, start.programming) == ("start", 0x710, 3, False)
    assert (end.stage, end.target, end.session, end.ended_by) == ("end", 0x710, 2, "end of trace")
    assert end.programming
    assert end.unlocked
    assert {0x31, 0x34, 0x36, 0x37} <= set(end.services)
    assert end.services == {
        0x10: 2,
        0x27: 2,
        0x28: 1,
        0x2E: 1,
        0x31: 5,
        0x34: 3,
        0x36: 2,
        0x37: 2,
        0x3E: 15,
        0x85: 1,
    }
    assert end.transferred == 256 + 4


def test_reading_and_keeping_alive_open_nothing() -> None:
    talk = Dialogue()
    talk.ask("22f190", "1902ff", "3e00", "1001", "1081", "010c")
    talk.answer("5001003201f4")
    talk.finish()
    assert talk.events == []


@pytest.mark.parametrize("number", [2, 3, 4, 0x40])
def test_a_session_starts_when_it_is_asked_for_and_ends_with_the_default_one(number: int) -> None:
    talk = Dialogue()
    talk.ask(f"10{number:02x}")
    assert talk.told() == [("start", "ecu", number, "")]
    talk.answer(f"50{number:02x}003201f4")
    talk.ask("1001")
    assert len(talk.events) == 1
    talk.answer("5001003201f4")
    assert talk.told()[1:] == [("end", "ecu", number, "default session")]


def test_a_suppressed_answer_is_taken_for_yes() -> None:
    talk = Dialogue()
    talk.ask("1083")
    assert talk.told() == [("start", "ecu", 3, "")]
    talk.ask("1002")
    talk.answer("7f1022")
    talk.ask("1081")
    assert talk.told() == [("start", "ecu", 3, ""), ("end", "ecu", 3, "default session")]


def test_a_refused_session_ends() -> None:
    talk = Dialogue()
    talk.ask("1002")
    talk.answer("7f1022")
    assert talk.told() == [("start", "ecu", 2, ""), ("end", "ecu", 2, "refused")]


def test_a_refused_change_leaves_the_session_there_was() -> None:
    talk = Dialogue()
    talk.ask("1003")
    talk.answer("5003003201f4")
    talk.ask("1002")
    talk.answer("7f1022")
    talk.ask("1001")
    talk.answer("7f1022")
    talk.finish()
    assert talk.told() == [("start", "ecu", 3, ""), ("end", "ecu", 3, "end of trace")]


def test_a_late_refusal_of_what_was_used_all_the_same_leaves_the_default_session() -> None:
    talk = Dialogue()
    talk.ask("1003", "2ef15a01")
    talk.answer("7f1022")
    talk.finish()
    assert talk.told() == [("start", "ecu", 3, ""), ("end", "ecu", 1, "end of trace")]


def test_the_answer_says_which_session_it_is() -> None:
    talk = Dialogue()
    talk.ask("1003")
    talk.answer("50", "5003003201f4")
    talk.answer("5002003201f4")
    talk.finish()
    assert talk.events[-1].session == 2
    assert talk.events[-1].programming


def test_being_granted_another_session_than_programming_is_no_programming() -> None:
    talk = Dialogue()
    talk.ask("1003")
    talk.answer("5003003201f4")
    talk.finish()
    assert not talk.events[-1].programming


def test_altering_state_without_a_session_is_a_session_too() -> None:
    talk = Dialogue()
    talk.ask("2ef15a01")
    talk.answer("7f2e33")
    talk.wait_until(4)
    assert talk.told() == [("start", "ecu", 1, "")]
    talk.wait_until(6)
    assert talk.told()[1:] == [("end", "ecu", 1, "timeout")]


@pytest.mark.parametrize(
    ("request_text", "answer", "ends"),
    [
        ("1101", "5101", True),
        ("1102", "510205", True),
        ("1160", "51", True),
        ("1104", "510405", False),
        ("1105", "5105", False),
        ("1101", "7f1122", False),
        ("1181", None, True),
        ("1184", None, False),
    ],
)
def test_a_reset_ends_the_session_once_it_is_granted(request_text: str, answer: str | None, ends: bool) -> None:
    talk = Dialogue()
    talk.ask("1003")
    talk.answer("5003003201f4")
    talk.ask(request_text)
    if answer:
        talk.answer(answer)
    assert talk.told()[1:] == ([("end", "ecu", 3, "reset")] if ends else [])


def test_silence_ends_a_session_when_s3_ran_out_however_late_the_tick() -> None:
    talk = Dialogue()
    talk.ask("1003")
    talk.at = 1
    talk.answer("5003003201f4")
    assert talk.sessions.next_deadline() == 6 * SECOND
    talk.wait_until(60)
    assert talk.events[-1].ended_by == "timeout"
    assert talk.events[-1].at == 6 * SECOND
    assert talk.events[-1].began == 0
    assert talk.sessions.next_deadline() is None


def test_a_request_after_silence_opens_another_session() -> None:
    talk = Dialogue()
    talk.ask("1003")
    talk.at = 60
    talk.ask("1003")
    assert [event.stage for event in talk.events] == ["start", "end", "start"]


def test_any_request_and_any_functional_tester_present_keep_sessions_alive() -> None:
    talk = Dialogue()
    talk.ask("1003", of="one")
    talk.ask("1003", of="two")
    for at in range(4, 40, 4):
        talk.wait_until(at)
        talk.ask_all("3e80")
    talk.wait_until(40)
    talk.ask("22f190", of="one")
    talk.wait_until(44)
    assert [(event.stage, event.target) for event in talk.events[2:]] == [("end", "two")]


def test_response_pending_extends_the_session() -> None:
    talk = Dialogue(Sessions(answer_ns=20 * SECOND))
    talk.ask("3101ff00")
    talk.answer("7f3178")
    talk.wait_until(19)
    assert len(talk.events) == 1
    talk.wait_until(20)
    assert talk.events[-1].at == 20 * SECOND


def test_a_functional_request_counts_in_every_session_and_opens_none() -> None:
    talk = Dialogue()
    talk.ask("1003", of="one")
    talk.ask("1003", of="two")
    talk.ask_all("8582", "288301")
    talk.finish()
    assert [(event.stage, event.target) for event in talk.events] == [
        ("start", "one"),
        ("start", "two"),
        ("end", "one"),
        ("end", "two"),
    ]
    assert all(event.services == {0x10: 1, 0x85: 1, 0x28: 1} for event in talk.events[2:])


def test_a_functional_request_opens_its_own_session_where_there_is_none() -> None:
    talk = Dialogue()
    talk.ask_all("288301")
    assert talk.told() == [("start", "all", 1, "")]


def test_a_functional_session_request_opens_its_own_session_beside_others() -> None:
    talk = Dialogue()
    talk.ask("1003")
    talk.ask_all("1002")
    assert talk.told() == [("start", "ecu", 3, ""), ("start", "all", 2, "")]


def test_a_functional_session_is_shared_by_the_ecus_that_are_then_altered() -> None:
    talk = Dialogue()
    talk.ask_all("1003")
    talk.answer("5003003201f4")
    talk.answer("7f1012", of="other")
    talk.ask("2701")
    assert talk.told() == [("start", "all", 3, ""), ("start", "ecu", 3, "")]
    talk.ask_all("1181")
    assert talk.told()[2:] == [("end", "all", 3, "reset"), ("end", "ecu", 3, "reset")]


def test_one_ecu_leaving_its_session_does_not_end_the_functional_one() -> None:
    talk = Dialogue()
    talk.ask_all("1003")
    talk.ask("1001")
    talk.answer("5001003201f4")
    assert talk.told() == [("start", "all", 3, "")]
    talk.ask_all("1001")
    talk.answer("5001003201f4")
    assert talk.told()[1:] == [("end", "all", 3, "default session")]


@pytest.mark.parametrize(
    ("answer", "unlocked"),
    [
        ("6702", True),
        ("670111223344", False),
        ("670100000000", True),
        ("6701", False),
        ("7f2735", False),
        ("670101000000", False),
        ("690312", True),
        ("6903120000", True),
        ("690310", False),
    ],
)
def test_security_access_is_unlocked_by_a_taken_key_a_zero_seed_or_proof(answer: str, unlocked: bool) -> None:
    talk = Dialogue()
    talk.ask("1003", "2701", "270211223344")
    talk.answer(answer)
    talk.finish()
    assert talk.events[-1].unlocked is unlocked


@pytest.mark.parametrize(
    ("requests", "programming"),
    [
        (["1003", "2701", "2ef15a01", "3101ff00"], False),
        (["1002"], True),
        (["1003", "340044000010000000ff00"], True),
        (["1003", "3601aabb"], True),
        (["1003", "37"], True),
        (["1003", "3801000161000100" + "01" + "01"], True),
        (["1003", "350044000010000000ff00", "3601", "3602", "37"], False),
        (["1003", "380400016100", "3601"], False),
        (["1003", "3805000161", "3601"], False),
        (["1003", "350044000010000000ff00", "3601", "340044000010000000ff00"], True),
    ],
)
def test_programming_is_a_programming_session_or_data_into_the_ecu(requests: list[str], programming: bool) -> None:
    talk = Dialogue()
    talk.ask(*requests)
    talk.finish()
    assert talk.events[-1].programming is programming


def test_transferred_counts_the_data_of_transfers_as_announced() -> None:
    talk = Dialogue()
    talk.ask("1002", "3601aabbcc", "3602")
    block = read(bytes.fromhex("3602aabbccdd"), complete=False, length=1026)
    assert isinstance(block, Reading)
    talk.events += talk.sessions.request(0, "t-box", "ecu", block)
    talk.finish()
    assert talk.events[-1].transferred == 3 + 1024


def test_another_tester_that_alters_state_takes_the_session_over() -> None:
    talk = Dialogue()
    talk.ask("1003", by="workshop")
    talk.answer("5003003201f4", "6702")
    talk.ask("22f190", "3e80", by="t-box")
    assert len(talk.events) == 1
    talk.ask("2ef15a01", by="t-box")
    taken, begun = talk.events[1:]
    assert (taken.stage, taken.tester, taken.ended_by) == ("end", "workshop", "other tester")
    assert (begun.stage, begun.tester, begun.session, begun.unlocked) == ("start", "t-box", 3, True)
    talk.ask("1002", by="t-box")
    talk.answer("7f1022")
    talk.finish()
    assert talk.told()[-1] == ("end", "ecu", 3, "end of trace")


def test_the_longest_silent_session_gives_way_when_there_are_too_many() -> None:
    talk = Dialogue(Sessions(max_targets=2))
    talk.ask("1003", of="one")
    talk.at = 1
    talk.ask("1003", of="two")
    talk.ask("3e80", of="one")
    talk.at = 2
    talk.ask("3e80", of="one")
    talk.ask("1003", of="three")
    assert talk.told()[2:] == [("end", "two", 3, "too many targets"), ("start", "three", 3, "")]


def test_software_identifiers_before_and_after_the_transfer_are_kept() -> None:
    talk = Dialogue()
    talk.ask("22f188f195")
    talk.answer("62f1883031f1950100")
    talk.ask("1002", "22f189")
    talk.answer("62f18905")
    assert talk.events[0].software_before == "F188=3031 F195=0100"
    talk.ask("3601aabb", "22f195")
    talk.answer("62f1950101")
    talk.finish()
    end = talk.events[-1]
    assert end.software_before == "F188=3031 F189=05 F195=0100"
    assert end.software_after == "F195=0101"


def test_identifiers_read_between_transfers_are_not_the_last_word() -> None:
    talk = Dialogue()
    talk.ask("1002", "3601aabb", "22f195")
    talk.answer("62f1950101")
    talk.ask("3602aabb")
    talk.finish()
    assert talk.events[-1].software_after == ""


def test_answers_nobody_asked_for_say_nothing() -> None:
    talk = Dialogue()
    talk.answer("62f1950101", "5002003201f4", "6702", "7f1022", "5101")
    talk.ask("3e00")
    talk.finish()
    assert talk.events == []


def test_a_request_told_as_an_answer_and_the_reverse_are_not_mixed_up() -> None:
    sessions = Sessions()
    assert sessions.request(0, "t-box", "ecu", reading("5002003201f4")) == ()
    assert sessions.next_deadline() is None
    sessions.request(0, "t-box", "ecu", reading("1003"))
    assert sessions.response(0, "ecu", reading("1003")) == ()
