"""What is learned of a T-box, and the policy proposed from it: on messages put into words by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busgate.judge.policy import Policy, load_policy
from busgate.judge.terms import SECOND
from busgate.model import (
    EXTENDED,
    Act,
    Action,
    CanMessage,
    Command,
    Frame,
    ParameterGroup,
    Party,
    Reason,
    Side,
    Subsystem,
    Value,
    Verdict,
)
from busgate.service.lessons import Busiest, Lessons, Values
from busgate.service.proposal import OFF, About, proposal, with_refused

VITAL = frozenset({Subsystem.DRIVE, Subsystem.BMS})
ABOUT = About("demo-ebus", "a test", (0x4A,), VITAL, lambda at: f"{at / SECOND:g} s")
NO_POLICY = Verdict(Action.BLOCK, Reason.NO_POLICY)


class Class:
    """Lessons, one message after the other."""

    def __init__(self) -> None:
        self.lessons = Lessons()
        self.at = 0

    def hear(
        self, command: Command, verdict: Verdict = NO_POLICY, *, speed: float | None = None, after: float = 1
    ) -> Class:
        self.at += round(after * SECOND)
        frame = Frame(self.at, Side.TBOX, 0x123, b"")
        self.lessons.hear(frame, command, verdict, goes_on=False, speed=speed)
        return self

    @property
    def text(self) -> str:
        return proposal(self.lessons, ABOUT)

    @property
    def policy(self) -> Policy:
        return load_policy(self.text)

    @property
    def all_of_it(self) -> Policy:
        return load_policy(with_refused(self.text))


def said(name: str | None, subsystem: Subsystem = Subsystem.HVAC, act: Act = Act.SET, can_id: int = 0x123,
         data: bytes = b"", **values: Value) -> Command:  # fmt: skip
    message = CanMessage(0, Side.TBOX, can_id, data, name, values)
    return Command(message, name or "", subsystem, act, "", Party("T-box", None), Party("", None))


def asked(pgn: int, data: bytes, subsystem: Subsystem, act: Act, *, da: int = 0xFF, sa: int = 0x4A) -> Command:
    message = ParameterGroup(0, Side.TBOX, pgn, sa, da, 6, data, len(data))
    return Command(message, "", subsystem, act, "", Party("T-box", sa), Party("", da))


def test_nothing_seen_allows_nothing() -> None:
    assert Class().policy.allow == ()


def test_values_become_limits_and_what_moves_by_itself_is_left_free() -> None:
    heard = Class()
    for number in range(20):
        heard.hear(said("Climate", Mode="Heat" if number % 2 else "Off", Target=18 + number % 5 / 2, Count=number,
                        Checksum=number * 37 % 256))  # fmt: skip
    (rule,) = heard.policy.allow
    assert rule.message == "Climate"
    assert rule.signals is not None
    assert {name: (limit.min, limit.max, limit.is_) for name, limit in rule.signals.items()} == {
        "Mode": (None, None, ("Heat", "Off")),
        "Target": (18, 20, None),
    }
    assert "Signal Count is left free: it counts up." in heard.text
    assert "Signal Checksum is left free: it is a checksum." in heard.text


@pytest.mark.parametrize(
    ("numbers", "free"),
    [
        ([4711 + number // 3 for number in range(90)], True),
        ([900_000 - 5 * number for number in range(40)], True),
        ([number * 37 % 1000 for number in range(1, 28)] + [0] + [number * 37 for number in range(1, 27)], True),
        ([20 + abs(12 - number % 24) for number in range(60)], False),
        ([number % 7 for number in range(60)], False),
        ([50.0] * 60, False),
    ],
)
def test_what_only_goes_one_way_has_no_limit_from_where_it_was(numbers: list[float], free: bool) -> None:
    lesson = Class()
    for number in numbers:
        lesson.hear(said("TboxHeartbeat", act=Act.SEND, Uptime=number, State=number % 2))
    (rule,) = lesson.policy.allow
    assert ("Uptime" not in (rule.signals or {})) is free
    assert ("Signal Uptime is left free: it only went" in lesson.text) is free


def test_a_recording_that_begins_where_the_one_before_did_is_no_turn() -> None:
    lesson = Class()
    for _ in range(3):
        for number in range(20):
            lesson.hear(said("TboxHeartbeat", act=Act.SEND, Uptime=4711 + 2 * number))
        lesson.lessons.next_recording()
    assert "Signal Uptime is left free: it only went up, and will go on" in lesson.text


def test_labels_and_numbers_together_are_listed_or_left_free() -> None:
    few = Class().hear(said("A", Limit="None")).hear(said("A", Limit=40))
    assert few.policy.allow[0].signals is not None
    assert few.policy.allow[0].signals["Limit"].is_ == ("None", 40)
    many = Class().hear(said("A", Limit="None"))
    for number in range(20):
        many.hear(said("A", Limit=number * 3))
    assert many.policy.allow[0].signals is None
    assert "split the rule to limit it" in many.text


def test_a_signal_that_is_not_always_there_is_left_free() -> None:
    heard = Class().hear(said("Mux", Page=1, A=5)).hear(said("Mux", Page=2, B=6))
    assert heard.policy.allow[0].signals is not None
    assert set(heard.policy.allow[0].signals) == {"Page"}


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        (said("Drive", Subsystem.DRIVE, Act.LIMIT), True),
        (said("Battery", Subsystem.BMS, Act.READ), True),
        (said("Idle", Subsystem.DRIVE, Act.SEND), True),
        (said("Heat", Subsystem.HVAC, Act.SET), False),
        (said(None, Subsystem.UNKNOWN, Act.SEND), False),
        (asked(0xEA00, b"\xd3\xfe\x00", Subsystem.UNKNOWN, Act.CLEAR), True),
        (asked(0xEA00, b"\xca\xfe\x00", Subsystem.UNKNOWN, Act.READ), False),
    ],
)
def test_what_reaches_drive_or_battery_or_everybody_is_refused_until_somebody_says_yes(
    command: Command, *, refused: bool
) -> None:
    heard = Class().hear(command)
    assert (heard.policy.allow == ()) is refused
    assert len(heard.all_of_it.allow) == 1
    assert (OFF in heard.text) is refused


def test_one_group_that_reaches_two_parts_of_the_vehicle_is_two_rules() -> None:
    heard = Class().hear(asked(0xEF00, b"\x01", Subsystem.BMS, Act.SET, da=0xF3))
    heard.hear(asked(0xEF00, b"\x01", Subsystem.HVAC, Act.SET, da=0x19))
    (rule,) = heard.policy.allow
    assert rule.da is not None
    assert (rule.da.allows(0x19), rule.da.allows(0xF3)) == (True, False)


def test_what_may_be_asked_for_to_whom_and_by_whom() -> None:
    heard = Class()
    for group in (0xFECA, 0xFEE5, 0xFEE6, 0xFEE7):
        heard.hear(asked(0xEA00, group.to_bytes(3, "little"), Subsystem.HVAC, Act.READ, da=0x19, sa=0xF9))
    (rule,) = heard.policy.allow
    assert 'requested: [0xFECA, "0xFEE5-0xFEE7"]' in heard.text
    assert rule.sa is not None
    assert rule.sa.allows(0xF9)


@pytest.mark.parametrize(
    "reason", [Reason.MASQUERADE, Reason.MALFORMED, Reason.FLOOD, Reason.NO_TRANSFER, Reason.REMOTE_FRAME]
)
def test_an_attack_is_counted_and_not_learned(reason: Reason) -> None:
    heard = Class().hear(said("Heat"), Verdict(Action.BLOCK, reason))
    assert heard.policy.allow == ()
    assert f"# Not learned from: 1 frames ({reason.value})." in heard.text


def test_raw_identifiers_and_those_that_no_rule_can_name() -> None:
    heard = Class().hear(said(None, data=b"\x01\x02")).hear(said(None, data=b"\x01\x09"))
    heard.hear(said(None, can_id=0x123 | EXTENDED))
    (rule,) = heard.policy.allow
    assert rule.can_id == (0x123,)
    assert "bytes that changed: 1 (02-09)" in heard.text
    assert "29-bit identifiers below 0x800" in heard.text


def test_what_was_only_seen_at_standstill_is_told() -> None:
    assert "at standstill only" in Class().hear(said("Heat"), speed=0.2).text
    assert "at standstill only" not in Class().hear(said("Heat"), speed=0.2).hear(said("Heat"), speed=30).text
    assert "at standstill only" not in Class().hear(said("Heat")).text


def test_names_that_collide_stay_apart_and_odd_ones_can_be_read() -> None:
    heard = Class().hear(said("Über:Heiz")).hear(said("ber heiz")).hear(said('"', Signal='a "b": c'))
    assert sorted(rule.id for rule in heard.policy.allow) == ["ber-heiz", "ber-heiz.2", "rule"]


def test_the_busiest_second_and_minute() -> None:
    busiest = Busiest()
    for at in (0, 0.5, 0.999, 1.0, 59, 60, 61):
        busiest.add(round(at * SECOND))
    assert (busiest.second, busiest.minute) == (3, 5)
    busiest.forget()
    busiest.add(0)
    assert (busiest.second, busiest.minute) == (3, 5)


def test_a_counter_that_turns_over_is_one() -> None:
    values = Values()
    for number in range(100):
        values.add(number % 16)
    assert values.counts


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Heat", "Light", 'Odd "name": #', None]),
            st.sampled_from(list(Subsystem)),
            st.sampled_from(list(Act)),
            st.dictionaries(
                st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=9),
                st.one_of(
                    st.integers(-(2**63), 2**63),
                    st.floats(allow_nan=False, allow_infinity=False),
                    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=9),
                ),
                max_size=3,
            ),
            st.floats(0.001, 90),
        ),
        max_size=20,
    )
)
def test_whatever_was_seen_the_proposal_can_be_read_as_it_is_and_with_all_of_it_allowed(
    heard: list[tuple[str | None, Subsystem, Act, dict[str, Value], float]],
) -> None:
    lessons = Class()
    for name, subsystem, act, values, after in heard:
        message = CanMessage(0, Side.TBOX, 0x321, b"", name, values if name is not None else {})
        command = Command(message, "", subsystem, act, "", Party("", None), Party("", None))
        lessons.hear(command, after=after)
    assert len(lessons.all_of_it.allow) == len(lessons.lessons.by_key)
    assert all(rule.rate is not None for rule in lessons.policy.allow)
    assert lessons.text == lessons.text
