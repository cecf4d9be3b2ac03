from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.detect.conduct import Conduct
from busgate.detect.j1939_commands import COMMANDS
from busgate.detect.rule import VITAL
from busgate.detect.rules import RULES
from busgate.model import (
    Act,
    CanMessage,
    Diagnostic,
    DiagnosticKind,
    Frame,
    ParameterGroup,
    Reason,
    Side,
    WireMessage,
)
from support.detected import PROFILE, detector, raw

payloads = st.binary(max_size=80)
bytes_of = st.integers(0, 0xFF)
names = st.sampled_from([None, "TB_Drive", "TB_Doors", "TB_Mystery", "Other"])
values = st.dictionaries(
    st.sampled_from(["Mode", "Request", "Speed", "Limit", "X"]),
    st.integers() | st.floats() | st.sampled_from(["No request", "N/A", "Open", ""]),
)
can_ids = st.integers(0, 0xFFFF_FFFF)


def groups_of(pgns: st.SearchStrategy[int], called: st.SearchStrategy[str | None]) -> st.SearchStrategy[ParameterGroup]:
    return st.builds(
        ParameterGroup,
        at=st.just(0),
        side=st.sampled_from(Side),
        pgn=pgns,
        sa=bytes_of,
        da=bytes_of,
        priority=st.integers(0, 7),
        data=payloads,
        length=st.integers(0, 2**32 - 1),
        complete=st.booleans(),
        name=called,
        values=values,
    )


groups = groups_of(st.integers(0, 0x3FFFF) | st.sampled_from(sorted(COMMANDS)), names)
plains = st.builds(
    CanMessage, at=st.just(0), side=st.sampled_from(Side), can_id=can_ids, data=payloads, name=names, values=values
)
diagnostics = st.builds(
    Diagnostic,
    at=st.just(0),
    side=st.sampled_from(Side),
    can_id=can_ids,
    source=st.integers(-1, 0x1FFF_FFFF),
    target=st.integers(-1, 0x1FFF_FFFF),
    functional=st.booleans(),
    kind=st.sampled_from(DiagnosticKind),
    sid=bytes_of,
    service=st.text(max_size=20),
    alters_state=st.booleans(),
    data=payloads,
    length=st.integers(0, 2**32 - 1),
    complete=st.booleans(),
    subfunction=st.none() | bytes_of,
    suppressed=st.booleans(),
    dids=st.lists(st.integers(0, 0xFFFF), max_size=12).map(tuple),
    routine=st.none() | st.integers(0, 0xFFFF),
)


@given(groups | plains | diagnostics)
@settings(max_examples=400)
def test_every_message_becomes_a_command_with_a_rule_whose_sentences_can_be_told(message: WireMessage) -> None:
    command = detector().command(message)
    rule = RULES[command.rule]
    assert command.name
    assert command.message is message
    for text in (rule.text_en, rule.text_nl):
        assert "{" not in text.format(source=command.source, target=command.target, name="N")
    for argument in command.arguments.values():
        assert not isinstance(argument.value, str) or len(argument.value) <= 2_000


@given(groups | plains | diagnostics)
def test_detection_is_a_function_of_the_message(message: WireMessage) -> None:
    assert repr(detector().command(message)) == repr(detector().command(message))


VITAL_GROUPS = st.sampled_from([0x0000, 0x0400, 0x1B00, 0x2600, 0xF112, 0xFEE4])


@given(groups_of(VITAL_GROUPS, st.sampled_from([None, "Unmarked"])))
def test_no_address_and_no_bytes_talk_a_vital_command_down(message: ParameterGroup) -> None:
    command = detector().command(message)
    assert command.subsystem in VITAL
    assert command.rule == f"command.{command.subsystem}"
    assert command.act not in {Act.READ, Act.SEND}


frames = st.builds(
    Frame,
    at=st.integers(-(10**10), 10**10),
    side=st.just(Side.TBOX),
    can_id=can_ids,
    data=st.binary(max_size=64),
    flags=bytes_of,
)


@given(st.lists(st.tuples(frames, st.none() | st.tuples(st.integers(0, 0x3FFFF), bytes_of), names), max_size=60))
def test_conduct_takes_any_frames_in_any_order(sent: list[tuple[Frame, tuple[int, int] | None, str | None]]) -> None:
    watch = Conduct(PROFILE, frozenset({0x18A}), {"TB_Drive": lambda data: raw("TB_Drive", "Alive", data)})
    for frame, pgn_sa, name in sent:
        for finding in watch.check(frame, pgn_sa, name):
            assert finding.rule in RULES
            assert finding.block in (None, Reason.MASQUERADE, Reason.FLOOD)
            assert finding.detail


@given(st.lists(st.tuples(st.integers(0, 3 * 10**9), st.integers(0, 3)), max_size=200))
def test_no_second_lets_more_pass_than_its_limits(sent: list[tuple[int, int]]) -> None:
    watch = Conduct(PROFILE, frozenset(), {})
    passed: list[tuple[int, int]] = []
    for at, can_id in sorted(sent):
        findings = watch.check(Frame(at, Side.TBOX, can_id, b""), None, None)
        if not any(finding.rule == "conduct.flood" for finding in findings):
            passed.append((at, can_id))
    for start, _ in passed:
        second = [can_id for at, can_id in passed if start <= at < start + 10**9]
        assert len(second) <= PROFILE.flood.total
        assert all(second.count(can_id) <= PROFILE.flood.per_id for can_id in second)
