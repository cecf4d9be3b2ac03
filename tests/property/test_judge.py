"""What holds for every policy and every message, whatever they are."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from busgate.judge.decide import Judge
from busgate.judge.policy import Policy, load_policy
from busgate.judge.situation import Situation
from busgate.model import (
    Action,
    CanMessage,
    Command,
    Diagnostic,
    DiagnosticKind,
    Message,
    ParameterGroup,
    Party,
    Reason,
    Side,
    Value,
    Verdict,
)
from busgate.profile import StateName
from support.judging import PROFILE, command_of, group, message, policy_of, read_did, uds

S = 1_000_000_000

NAMES = ("TboxHeartbeat", "TboxHvac", "TboxDrive")
SIGNALS = ("Temperature", "Mode", "Limit")
ECUS = (Party("BMS", 0xF3), Party("VCU", 0x27), Party("", 0x99), Party("", None))
PGNS = (0xEA00, 0xEF00, 0xFEE0, 0xFEE1)
FACTS: tuple[StateName, ...] = ("speed", "park_brake", "ignition", "charging", "doors_open")

# Small worlds, so that rules and messages often meet; and anything at all, so that they meet in every way.
values: st.SearchStrategy[Value] = st.one_of(
    st.integers(), st.floats(), st.text(max_size=4), st.sampled_from([0, 5, 15.5, 26, "Off", "Preheat"])
)
names = st.one_of(st.none(), st.sampled_from(NAMES), st.text(max_size=3))
signals = st.dictionaries(st.one_of(st.sampled_from(SIGNALS), st.text(max_size=3)), values, max_size=4)
addresses = st.one_of(st.sampled_from([0x4A, 0x4B, 0x17, 0x27, 0xFF]), st.integers(0, 0xFF))
data = st.one_of(st.binary(max_size=10), st.sampled_from([bytes.fromhex("E0FE00"), bytes.fromhex("D3FE00")]))
dids = st.one_of(st.sampled_from([0xF190, 0x0100, 0x01FF, 0x2001]), st.integers(0, 0xFFFF))

can_messages: st.SearchStrategy[Message] = st.builds(
    CanMessage,
    at=st.just(0),
    side=st.just(Side.TBOX),
    can_id=st.integers(0, 0xFFFF_FFFF),
    data=data,
    name=names,
    values=signals,
)
groups: st.SearchStrategy[Message] = st.builds(
    ParameterGroup,
    at=st.just(0),
    side=st.just(Side.TBOX),
    pgn=st.one_of(st.sampled_from(PGNS), st.integers(0, 0x3FFFF)),
    sa=addresses,
    da=addresses,
    priority=st.integers(0, 7),
    data=data,
    length=st.integers(0, 1785),
    complete=st.booleans(),
    name=names,
    values=signals,
)
diagnostics: st.SearchStrategy[Message] = st.builds(
    Diagnostic,
    at=st.just(0),
    side=st.just(Side.TBOX),
    can_id=st.integers(0, 0xFFFF_FFFF),
    source=st.integers(-1, 0xFF),
    target=st.integers(-1, 0x7FF),
    functional=st.booleans(),
    kind=st.sampled_from(DiagnosticKind),
    sid=st.one_of(st.sampled_from([0x10, 0x14, 0x22, 0x2A, 0x2E, 0x31, 0x3E]), st.integers(0, 0xFF)),
    service=st.just(""),
    alters_state=st.booleans(),
    data=st.binary(max_size=64),
    length=st.integers(0, 4095),
    complete=st.booleans(),
    subfunction=st.one_of(st.none(), st.integers(0, 0xFF)),
    dids=st.lists(dids, max_size=3).map(tuple),
    routine=st.one_of(st.none(), st.sampled_from([0x0200, 0xFF00]), st.integers(0, 0xFFFF)),
)
random_commands: st.SearchStrategy[Command] = st.builds(
    command_of, st.one_of(can_messages, groups, diagnostics), st.sampled_from(ECUS)
)
# One that fits each kind of selector below, so that what passes is tried as often as what does not.
FITTING = (
    message("TboxHeartbeat"),
    message("TboxHvac", Temperature=20, Mode="Off"),
    message("TboxDrive", Limit=3),
    group(0xFEE0),
    group(0xFEE1, name="TboxDrive", da=0x27, sa=0x4B, Limit=3),
    group(0xEF00, da=0x27, Limit=5),
    group(0xEF00, da=0x27, name="TboxHvac", Temperature=20, Mode="Preheat", Limit=6),
    group(0xEA00, da=0x17, data="E0FE00"),
    group(0xEA00, da=0x17, data="D3FE00"),
    read_did(0xF190, 0x0100),
    read_did(0x2001, to=Party("VCU", 0x27)),
    read_did(0xF190, functional=True),
    uds("2EF19000", dids=(0xF190,), length=20, complete=False),
    uds("1083", subfunction=0x83),
    uds("31010200", subfunction=1, routine=0x0200),
    uds("3E80", subfunction=0x80, functional=True),
)
commands = st.one_of(st.sampled_from(FITTING), random_commands)

SELECTORS = (
    *(f"message: {name}" for name in NAMES),
    "message: TboxHvac\nda: any",
    "message: TboxDrive\nsa: 0x4B\nda: [0x27, 0xFF]",
    "message: TboxHvac\nda: any\nsignals: {Temperature: {min: 15, max: 26}, Mode: {is: [Off, Preheat]}}",
    "message: TboxDrive\nsignals: {Limit: {min: 0}}\nonly_signals: true",
    "pgn: [0xFEE0, 0xFEE1]",
    "pgn: 0xEF00\nda: 0x27",
    "pgn: 0xEF00\nsa: any\nda: any\nsignals: {Limit: {max: 5}}",
    "pgn: 0xEA00\nda: any\nrequested: [0xFEE0]",
    "pgn: 0xEA00\nsa: 0x4A\nda: 0x17\nrequested: any",
    "uds: {target: BMS, services: [0x22, 0x2E, 0x2A], dids: [0xF190, '0x0100-0x01FF']}",
    "uds: {target: [VCU, 0x99], services: [0x22, 0x14], dids: any}",
    "uds: {target: BMS, services: [0x10, 0x31], subfunctions: [1, 3], routines: 0x0200}",
    "uds: {functional: true, services: [0x3E, 0x22], dids: 0xF190}",
)
DEMANDS = (
    "",
    "rate: {count: 1, per: 1 s}",
    "when: {speed: {max: 5, max_age: 2 s}, park_brake: {is: true, max_age: 2 s}}",
    "window: {days: [mon, tue], from: '22:00', to: '05:00', utc_offset: '+01:00'}",
    "grant: maintenance",
)
rules = st.tuples(st.sampled_from(SELECTORS), st.sampled_from(DEMANDS)).map("\n".join)
policies = st.lists(rules, max_size=5).map(
    lambda bodies: load_policy(policy_of(*(f"id: r{place}\n{body}" for place, body in enumerate(bodies))))
)
facts = st.lists(st.tuples(st.sampled_from(FACTS), st.one_of(st.none(), st.booleans(), values)), max_size=5)
clocks = st.one_of(st.none(), st.integers(0, 4_000_000_000 * S))
times = st.integers(-10 * S, 10_000 * S)


def judged(policy: Policy | None, command: Command, now: int = 0, wall: int | None = None) -> Verdict:
    judge = Judge(PROFILE)
    if policy is not None:
        judge.adopt(policy)
    return judge.decide(command, Situation(), now, wall=wall)


# ---------------------------------------------------------------- nothing passes that no rule selects


def selected_by(policy: Policy, command: Command) -> set[str]:
    """Which rules speak of a message at all, said again as plainly as can be: the judge's tables are not asked."""
    said, found = command.message, set()
    for rule in policy.allow:
        match said:
            case CanMessage():
                hit = rule.message is not None and rule.message == said.name
            case ParameterGroup():
                named = rule.message is not None and rule.message == said.name
                hit = named or (rule.pgn is not None and said.pgn in rule.pgn)
            case Diagnostic():
                hit = (
                    rule.uds is not None
                    and said.kind is DiagnosticKind.REQUEST
                    and said.sid in rule.uds.services
                    and said.functional == rule.uds.functional
                )
        if hit:
            found.add(rule.id)
    return found


@given(policies, commands, times, clocks, facts)
@settings(max_examples=300)
def test_nothing_passes_that_no_rule_selects(
    policy: Policy, command: Command, now: int, wall: int | None, known: list[tuple[StateName, Value | None]]
) -> None:
    judge, situation = Judge(PROFILE), Situation()
    judge.adopt(policy)
    for name, value in known:
        situation.update(name, value, now)
    verdict = judge.decide(command, situation, now, wall=wall)
    speaking = selected_by(policy, command)
    if verdict.action is Action.PASS:
        assert verdict.rule in speaking
        assert verdict.reason in {Reason.ALLOWED, Reason.GRANTED}
    elif verdict.reason is Reason.NOT_ALLOWLISTED:
        assert verdict.rule in speaking | {""}
    else:
        assert verdict.rule in speaking


@given(commands, times, clocks)
def test_without_a_policy_nothing_passes(command: Command, now: int, wall: int | None) -> None:
    assert judged(None, command, now, wall)[:2] == (Action.BLOCK, Reason.NO_POLICY)


@given(policies, commands, times, clocks)
def test_every_verdict_says_why(policy: Policy, command: Command, now: int, wall: int | None) -> None:
    verdict = judged(policy, command, now, wall)
    assert verdict.reason is not Reason.UNDECIDED
    assert verdict.action is Action.PASS or verdict.detail


# ---------------------------------------------------------------- one rule more


@given(policies, rules, commands, times, clocks, st.integers(0, 5))
@settings(max_examples=200)
def test_a_rule_that_does_not_speak_of_a_message_changes_nothing_for_it(  # noqa: PLR0917 - six things vary
    policy: Policy, rule: str, command: Command, now: int, wall: int | None, place: int
) -> None:
    (other,) = load_policy(policy_of(f"id: other\n{rule}")).allow
    more = policy.model_copy(update={"allow": (*policy.allow[:place], other, *policy.allow[place:])})
    assume("other" not in selected_by(more, command))
    assert judged(more, command, now, wall) == judged(policy, command, now, wall)


@given(policies, rules, commands, times, clocks)
def test_a_rule_at_the_end_never_takes_away_what_passed(
    policy: Policy, rule: str, command: Command, now: int, wall: int | None
) -> None:
    before = judged(policy, command, now, wall)
    (other,) = load_policy(policy_of(f"id: other\n{rule}")).allow
    more = policy.model_copy(update={"allow": (*policy.allow, other)})
    if before.action is Action.PASS:
        assert judged(more, command, now, wall) == before


@given(policies, commands, times, clocks, st.integers(0, 4))
def test_taking_a_rule_away_never_lets_more_pass(
    policy: Policy, command: Command, now: int, wall: int | None, place: int
) -> None:
    fewer = policy.model_copy(update={"allow": policy.allow[:place] + policy.allow[place + 1 :]})
    if judged(fewer, command, now, wall).action is Action.PASS:
        assert judged(policy, command, now, wall).action is Action.PASS


# ---------------------------------------------------------------- what is only announced


@given(policies, commands)
@settings(max_examples=200)
def test_what_passes_when_it_is_only_announced_passes_when_it_is_whole_and_shows_the_same(
    policy: Policy, command: Command
) -> None:
    """Doubt never lets more pass than knowledge."""
    said = command.message
    if not isinstance(said, (ParameterGroup, Diagnostic)):
        return
    announced = replace(command, message=replace(said, complete=False))
    whole = replace(command, message=replace(said, complete=True, length=len(said.data)))
    if judged(policy, announced).action is Action.PASS:
        assert judged(policy, whole).action is Action.PASS


# ---------------------------------------------------------------- rates


@given(
    st.integers(1, 4),
    st.integers(1, 20),
    st.lists(st.integers(0, 12), min_size=1, max_size=60),
    st.integers(0, 60),
)
def test_no_stretch_of_time_holds_more_passes_than_its_rate_and_a_reload_changes_nothing(
    count: int, per: int, gaps: list[int], reload: int
) -> None:
    rule = f"id: r\nmessage: M\nrate: {{count: {count}, per: {per} s}}"
    command = command_of(CanMessage(0, Side.TBOX, 1, b"", "M"))
    judge, passes, now = Judge(PROFILE), list[int](), 0
    judge.adopt(load_policy(policy_of(rule)))
    for number, gap in enumerate(gaps):
        now += gap
        if number == reload:
            judge.adopt(load_policy(policy_of("id: x\nmessage: X", rule, head="policy: test\nversion: 2")))
        room = sum(now - earlier < per for earlier in passes) < count
        verdict = judge.decide(command, Situation(), now * S, wall=None)
        assert (verdict.action is Action.PASS) == room
        if room:
            passes.append(now)


# ---------------------------------------------------------------- time


@given(st.lists(st.tuples(times, clocks), min_size=1, max_size=20))
def test_the_latest_trusted_time_never_falls(readings: list[tuple[int, int | None]]) -> None:
    judge, latest = Judge(PROFILE), None
    for now, wall in readings:
        judge.tick(now, wall)
        if latest is not None:
            assert judge.latest is not None
            assert judge.latest >= latest
        if wall is not None:
            assert judge.latest is not None
            assert judge.latest >= wall
        latest = judge.latest


@given(st.lists(st.integers(-5 * S, 5 * S), max_size=30), st.integers(0, 3 * S))
def test_a_fact_that_became_unknown_stays_so_whatever_the_clock_does(steps: list[int], max_age: int) -> None:
    situation, now, was_unknown = Situation(), 0, False
    situation.update("speed", 0, now)
    for step in steps:
        now += step
        known = situation.get("speed", now, max_age) is not None
        assert not (known and (was_unknown or now > max_age))
        was_unknown = not known
