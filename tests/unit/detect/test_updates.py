from __future__ import annotations

from busgate.detect.updates import MOST, TOGETHER_NS, Origin, Updates
from busgate.model import DiagnosticSession, Party, Provenance, Side, Subsystem, UpdateSession

SECOND = 1_000_000_000
BMS = Party("BMS", 0xF3)
URL = "http://u.example/a.bin"


def updates() -> Updates:
    return Updates(lambda at: {"speed": float(at // SECOND)})


def session(at: int, stage: str = "start", target: Party = BMS, **parts: object) -> DiagnosticSession:
    values = {"transferred": 0, "programming": True, "ended_by": "", "software": {}, "side": Side.TBOX} | parts
    return DiagnosticSession(
        at, stage, values["side"], Party("T-box", 0x4A), target, Subsystem.BMS, Provenance.PHYSICAL, at, 2, True,  # type: ignore[arg-type]
        values["programming"], {}, values["transferred"], 0, values["ended_by"], values["software"],  # type: ignore[arg-type]
    )  # fmt: skip


def test_order_download_and_writing_are_one_record_with_all_that_is_known_of_it() -> None:
    log = updates()
    log.approved(0, "grant g-7 to anna until tomorrow", BMS)
    told = [*log.ordered(SECOND, "jt808 terminal control: wireless upgrade", Origin("platform.example"))]
    told += log.loaded(5 * SECOND, URL, Origin("u.example"), 1000, "")
    told += log.loaded(9 * SECOND, URL, Origin("u.example"), 4000, "ab" * 32)
    told += log.diagnosed(session(60 * SECOND))
    told += log.diagnosed(
        session(90 * SECOND, "end", transferred=3900, software={"before": "F189=01", "after": "F189=02"})
    )
    begun, ended = told
    assert (begun.stage, begun.at, begun.began, begun.ordered_by) == (
        "start", SECOND, SECOND, "jt808 terminal control: wireless upgrade",
    )  # fmt: skip
    assert ended == UpdateSession(
        at=90 * SECOND, stage="end", began=SECOND, ordered_by="jt808 terminal control: wireless upgrade",
        source="u.example", url=URL, bytes=4000, sha256="ab" * 32, target=BMS, written=3900, before="F189=01",
        after="F189=02", state={"speed": 1.0}, approval="grant g-7 to anna until tomorrow",
        ended_by="the session ended",
    )  # fmt: skip


def test_each_of_the_three_begins_a_record_by_itself() -> None:
    assert [each.stage for each in updates().ordered(0, "order", Origin("x"))] == ["start"]
    assert [each.url for each in updates().loaded(0, URL, Origin("x"), 1, "")] == [URL]
    (begun,) = updates().diagnosed(session(0))
    assert (begun.target, begun.approval) == (BMS, "none")


def test_the_same_order_again_is_the_same_update_and_another_is_another() -> None:
    log = updates()
    assert len(log.ordered(0, "a", Origin("x"))) == 1
    assert log.ordered(1, "a", Origin("x")) == ()
    assert len(log.ordered(2, "b", Origin("x"))) == 1


def test_software_in_messages_adds_up() -> None:
    log = updates()
    for at in range(5):
        log.piece(at, "jt808 send upgrade package", Origin("x"), 1000)
    (ended,) = log.finish(SECOND)
    assert (ended.bytes, ended.url, ended.ended_by) == (5000, "jt808 send upgrade package", "end of recording")


def test_a_record_ends_in_silence() -> None:
    log = updates()
    log.ordered(0, "order", Origin("x"))
    assert log.tick(TOGETHER_NS) == ()
    (ended,) = log.tick(TOGETHER_NS + 1)
    assert (ended.stage, ended.ended_by) == ("end", "silence")
    assert log.finish(TOGETHER_NS + 2) == ()


def test_a_download_that_waits_longer_belongs_to_another_update() -> None:
    log = updates()
    log.ordered(0, "order", Origin("x"))
    assert [each.stage for each in log.loaded(TOGETHER_NS + 1, URL, Origin("x"), 1, "")] == ["start"]


def test_two_units_written_at_once_are_two_records() -> None:
    log = updates()
    log.diagnosed(session(0))
    (second,) = log.diagnosed(session(1, target=Party("VCU", 0x27)))
    assert second.target.name == "VCU"


def test_what_the_workshop_does_at_the_vehicles_side_or_without_programming_is_no_update_from_outside() -> None:
    assert updates().diagnosed(session(0, side=Side.VEHICLE)) == ()
    assert updates().diagnosed(session(0, programming=False)) == ()


def test_too_many_at_once_end_the_oldest_and_say_so() -> None:
    log = updates()
    told = [event for at in range(3 * MOST) for event in log.loaded(at, f"{URL}?{at}", Origin("x"), 1, "")]
    ended = [event for event in told if event.stage == "end"]
    assert len(ended) == 2 * MOST
    assert {event.ended_by for event in ended} == {"too many at once"}
    assert len(log.finish(SECOND)) == MOST


def test_an_approval_counts_for_as_long_as_an_update_may_take() -> None:
    log = updates()
    log.approved(0, "grant", BMS)
    (late,) = log.diagnosed(session(TOGETHER_NS + 1))
    assert late.approval == "none"


def test_an_approval_is_for_what_it_was_given_for_and_nothing_else() -> None:
    log = updates()
    log.approved(0, "grant for the BMS", BMS)
    log.loaded(1, URL, Origin("x"), 1, "")
    log.loaded(2, f"{URL}?2", Origin("x", "released by anna"), 1, "")
    log.diagnosed(session(3, target=Party("VCU", 0x27)))
    log.diagnosed(session(4))
    told = {each.url or each.target.name: each.approval for each in log.finish(SECOND)}
    assert told == {URL: "grant for the BMS", f"{URL}?2": "released by anna"}
