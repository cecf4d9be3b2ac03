from __future__ import annotations

from busgate.detect.functions import EVERY_NS, MOST, MOST_AT_ONCE, OTHERS, Functions, Place
from busgate.model import Act, Action, Command, Party, RemoteFunction, Subsystem, Verdict
from support.detected import plain

PASS, BLOCK = Verdict(Action.PASS), Verdict()
IP = Place("ip", "jt808", "down", 0x8105, "203.0.113.10:6808", "platform.example", "NL")


def command(name: str, subsystem: Subsystem = Subsystem.TELEMATICS, act: Act = Act.SET) -> Command:
    return Command(plain(0x500), name, subsystem, act, "cloud.settings", Party("x", None), Party("T-box", None))


def test_the_first_use_is_news_and_counts_go_on() -> None:
    functions = Functions()
    first = functions.used(command("reset"), IP, PASS, 5, "grant g")
    assert first is not None
    assert (first.name, first.interface, first.code, first.endpoint, first.country, first.grant) == (
        "reset", "ip", 0x8105, "203.0.113.10:6808", "NL", "grant g",
    )  # fmt: skip
    assert functions.used(command("reset"), IP, BLOCK, 9) is None
    (told,) = functions.finish(10)
    assert (told.count, told.passed, told.blocked, told.first, told.last, told.final) == (2, 1, 1, 5, 9, True)


def test_another_end_another_way_or_another_act_is_another_function() -> None:
    functions = Functions()
    places = [IP, IP._replace(endpoint="198.51.100.7:1"), IP._replace(direction="up"), Place("sms", "jt808")]
    assert all(functions.used(command("reset"), place, PASS, 0) for place in places)
    assert functions.used(command("reset", act=Act.RESET), IP, PASS, 0)
    assert len(functions.finish(1)) == 0  # all were told as they came


def test_a_row_that_changed_is_told_again_within_the_hour_and_one_that_did_not_is_not() -> None:
    functions = Functions()
    functions.used(command("a"), IP, PASS, 0)
    functions.used(command("b"), IP, PASS, 0)
    functions.tick(0)
    functions.used(command("a"), IP, PASS, 1)
    assert functions.tick(EVERY_NS - 1) == ()
    assert [event.name for event in functions.tick(EVERY_NS)] == ["a"]
    assert functions.tick(2 * EVERY_NS) == ()
    assert functions.finish(2 * EVERY_NS) == ()


def told_in_a_day(functions: Functions, names: int) -> list[RemoteFunction]:
    """A hostile T-box that does a thousand things a minute under made-up names."""
    told: list[RemoteFunction] = []
    functions.tick(0)
    for minute in range(24 * 60):
        at = minute * EVERY_NS // 60
        for each in range(200):
            event = functions.used(command(f"made up {(minute * 200 + each) % names}"), IP, PASS, at)
            told += [event] if event is not None else []
        told += functions.tick(at)
    return told + list(functions.finish(24 * EVERY_NS))


def test_a_hostile_tbox_does_not_fill_the_log() -> None:
    told = told_in_a_day(Functions(), names=100_000)
    assert len(told) <= MOST + 1 + 24 * MOST_AT_ONCE + MOST + 1
    (others,) = (event for event in told if event.name == OTHERS and event.final)
    assert (others.protocol, others.endpoint, others.code, others.subsystem) == ("", "", None, Subsystem.UNKNOWN)
    last = {event.name: event.count for event in told}
    assert sum(last.values()) == 24 * 60 * 200


def test_made_up_names_take_no_place_from_what_reaches_the_vehicle() -> None:
    functions = Functions()
    for each in range(MOST + 50):
        functions.used(command(f"made up {each}"), IP, PASS, 0)
    stop = functions.used(command("stop", Subsystem.DRIVE, Act.STOP), IP, BLOCK, 1)
    assert stop is not None
    assert (stop.name, stop.subsystem) == ("stop", Subsystem.DRIVE)


def test_those_that_waited_longest_are_told_first() -> None:
    functions = Functions()
    for each in range(MOST_AT_ONCE + 10):
        functions.used(command(f"f{each}"), IP, PASS, each)
    functions.tick(0)
    for each in range(MOST_AT_ONCE + 10):
        functions.used(command(f"f{each}"), IP, PASS, 1000)
    first = [event.name for event in functions.tick(EVERY_NS)]
    assert first == [f"f{each}" for each in range(MOST_AT_ONCE)]
    for each in range(MOST_AT_ONCE + 10):
        functions.used(command(f"f{each}"), IP, PASS, EVERY_NS + 1)
    assert [event.name for event in functions.tick(2 * EVERY_NS)][:10] == [f"f{MOST_AT_ONCE + at}" for at in range(10)]
