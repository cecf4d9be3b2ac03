"""Which rules the kernel can keep, and which frames it then takes: only what no look could change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busgate.gateway import Gateway
from busgate.judge.floor import Floor, KernelRule, compiled, crossing
from busgate.judge.policy import load_policy
from busgate.model import EXTENDED, FD_FORMAT, REMOTE, Frame, Mode, Side
from support.gate import demo_ebus

WHY = {
    "rate": "a rate has to be counted",
    "state": "the vehicle's state has to be known",
    "grant": "a grant has to be in force",
    "clock": "a clock has to be trusted",
    "requested": "what is requested is in the payload",
    "payload": "diagnostics are in the payload",
    "control unit": "it may come under a control unit's address, which is somebody else's",
    "own": "it may come under a control unit's identifier, which is somebody else's",
    "any address": "it may come from any address",
    "command": "it is a command or has a counter, which the agent watches",
    "counter": "it is a command or has a counter, which the agent watches",
    "length": "its length has to be looked at",
    "pgn": "it names a parameter group by its message; written as pgn, the kernel could keep it",
    "signals": "signals are in the payload",
    "diagnostics": "diagnostics may come under its identifier, and they are in the payload",
    "parameter groups": "29-bit identifiers are parameter groups here; written as pgn, the kernel could keep it",
}
HEAD = "policy: floor\nversion: 1\n"


def floor(rules: str, head: str = HEAD) -> Floor:
    vehicle = demo_ebus()
    return compiled(load_policy(f"{head}allow:\n{rules}"), vehicle.profile, vehicle.database)


@pytest.mark.parametrize(
    ("rule", "filters"),
    [
        ("  - {id: a, pgn: 0xFEE6}", [(0x80FEE64A, 0xC3FFFFFF)]),
        ("  - {id: a, pgn: [0xFEE6, 0xFEF3]}", [(0x80FEE64A, 0xC3FFFFFF), (0x80FEF34A, 0xC3FFFFFF)]),
        ("  - {id: a, pgn: 0xEF00, da: [0x19, 0x21]}", [(0x80EF194A, 0xC3FFFFFF), (0x80EF214A, 0xC3FFFFFF)]),
        ("  - {id: a, pgn: 0xEF00, da: any}", [(0x80EF004A, 0xC3FF00FF)]),
        ("  - {id: a, can_id: [0x123, 0x124]}", [(0x123, 0xC00007FF), (0x124, 0xC00007FF)]),
        ("  - {id: a, pgn: 0xFEE6, sa: 0x55}", [(0x80FEE655, 0xC3FFFFFF)]),
    ],
)
def test_a_rule_by_group_becomes_filters(rule: str, filters: list[tuple[int, int]]) -> None:
    made = floor(rule)
    assert [(each.can_id, each.mask) for each in made.kernel] == filters
    assert made.agent == ()


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("  - {id: a, pgn: 0xFEE6, rate: {count: 1, per: 1 s}}", "rate"),
        ("  - {id: a, pgn: 0xFEE6, when: {speed: {max: 5, max_age: 2 s}}}", "state"),
        ("  - {id: a, pgn: 0xFEE6, grant: service}", "grant"),
        ('  - {id: a, pgn: 0xFEE6, window: {from: "22:00", to: "05:00", utc_offset: "+01:00"}}', "clock"),
        ("  - {id: a, pgn: 0xEA00, da: any, requested: [0xFECA]}", "requested"),
        ("  - {id: a, uds: {target: BMS, services: [0x3E]}}", "payload"),
        ("  - {id: a, pgn: 0xFEE6, sa: 0x27}", "control unit"),
        ("  - {id: a, pgn: 0xFEE6, sa: any}", "any address"),
        ("  - {id: a, message: TboxDriveCommand}", "command"),
        ("  - {id: a, message: TboxHeartbeat}", "counter"),
        ("  - {id: a, message: TboxRequest}", "length"),
        ("  - {id: a, message: TD}", "pgn"),
        ("  - {id: a, can_id: 0x650}", "diagnostics"),
        ("  - {id: a, can_id: 0x110}", "own"),
        ("  - {id: a, can_id: 0x510}", "command"),
        ("  - {id: a, can_id: 0x12345678}", "parameter groups"),
        ("  - {id: a, can_id: 0x123, rate: {count: 1, per: 1 s}}", "rate"),
        ("  - {id: a, message: TboxHvacCommand, signals: {Mode: {is: [Preheat]}}}", "signals"),
    ],
)
def test_a_rule_that_needs_a_look_stays_with_the_agent(rule: str, why: str) -> None:
    made = floor(rule)
    assert made.kernel == ()
    assert [kept.rule for kept in made.agent] == ["a"]
    assert made.agent[0].why == WHY[why]


def test_the_kernel_takes_what_a_filter_names_and_never_can_fd() -> None:
    made = floor("  - {id: a, can_id: 0x123}\n  - {id: b, pgn: 0xFEE6}\n  - {id: c, can_id: 0x124}")
    assert [rule.rule for rule in made.kernel] == ["a", "b", "c"]
    for can_id, flags, takes in (
        (0x123, 0, True), (0x124, 0, True), (0x125, 0, False), (0x123, FD_FORMAT, False), (0x123 | REMOTE, 0, False),
        (0x123 | EXTENDED, 0, False), (0x18FEE64A | EXTENDED, 0, True), (0x0CFEE64A | EXTENDED, 0, True),
    ):  # fmt: skip
        assert made.takes(Frame(0, Side.TBOX, can_id, bytes(8), flags)) is takes


@pytest.mark.parametrize(
    ("can_id", "why"),
    [(0x718, "own"), (0x3C0, "own"), (0x710, "diagnostics"), (0x711, "diagnostics"), (0x7DF, "diagnostics"),
     (0x600, "diagnostics"), (0x7FF, "diagnostics"), (0x5FF, "")],
)  # fmt: skip
def test_identifiers_of_control_units_and_of_diagnostics_are_looked_at(can_id: int, why: str) -> None:
    made = floor(f"  - {{id: a, can_id: 0x{can_id:X}}}")
    assert [kept.why for kept in made.agent] == ([WHY[why]] if why else [])


@pytest.mark.parametrize(("can_id", "looked_at"), [(0x710, True), (0x7DF, True), (0x712, False)])
def test_a_control_units_own_request_needs_no_watch(can_id: int, *, looked_at: bool) -> None:
    vehicle = demo_ebus()
    diagnostics = vehicle.profile.diagnostics.model_copy(update={"watch": ()})
    profile = vehicle.profile.model_copy(update={"diagnostics": diagnostics})
    policy = load_policy(f"{HEAD}allow:\n  - {{id: a, can_id: 0x{can_id:X}}}")
    assert bool(compiled(policy, profile, vehicle.database).agent) is looked_at


def test_a_message_of_a_control_unit_is_somebody_elses() -> None:
    assert floor("  - {id: a, message: BodyDoors}").agent[0].why == WHY["own"]


def test_a_policy_with_dates_stays_with_the_agent() -> None:
    made = floor("  - {id: a, pgn: 0xFEE6}", HEAD + "expires: 2030-01-01T00:00:00Z\n")
    assert made.kernel == ()
    assert made.agent[0].why == "the policy has dates, so a clock has to be trusted"


RULES = """\
  - {id: place, pgn: [0xFEE6, 0xFEF3]}
  - {id: ours, pgn: 0xEF00, da: [0x19, 0x21]}
  - {id: any, pgn: 0xAA00, da: any}
  - {id: raw, can_id: [0x123, 0x124]}
  - {id: looked-at, can_id: [0x650, 0x110, 0x501, 0x18FEE64A]}
  - {id: claims, pgn: 0xEE00, da: 0xFF, rate: {count: 100, per: 1 s}}
"""
IDENTIFIERS = st.one_of(
    st.builds(
        lambda priority, pgn, da, sa: EXTENDED | priority << 26 | pgn << 8 | da << 8 | sa,
        st.integers(0, 7),
        st.sampled_from([0xFEE6, 0xFEF3, 0xEF00, 0xAA00, 0xEE00, 0xDA00]),
        st.sampled_from([0, 0x19, 0x21, 0xFF]),
        st.sampled_from([0x4A, 0x27, 0x55]),
    ),
    st.integers(0, 0x7FF),
    st.sampled_from([0x123, 0x650, 0x110, 0x501, 0x18FEE64A | EXTENDED]),
    st.integers(0, 0x1FFF_FFFF).map(lambda number: number | EXTENDED),
)


@given(IDENTIFIERS, st.binary(max_size=8), st.sampled_from([0, REMOTE]), st.booleans())
def test_what_the_kernel_takes_the_agent_would_have_passed(can_id: int, data: bytes, remote: int, fd: bool) -> None:
    frame = Frame(0, Side.TBOX, can_id | remote, b"" if remote else data, FD_FORMAT if fd else 0)
    vehicle = demo_ebus()
    policy = load_policy(f"{HEAD}allow:\n{RULES}")
    if compiled(policy, vehicle.profile, vehicle.database).takes(frame):
        gate = Gateway(vehicle.profile, vehicle.database, mode=Mode.ENFORCE, wall_offset=0, device="x")
        gate.adopt(policy, 0, signed=True)
        outcome = gate.receive(frame)
        assert outcome.forward or outcome.verdict.reason.value == "malformed", outcome


@pytest.mark.parametrize(
    ("rules", "filters"),
    [
        ("  - {id: a, pgn: 0xAA00, da: any}\n  - {id: b, pgn: 0xAA00, da: 0xFF}", [(0x80AA004A, 0xC3FF00FF)]),
        ("  - {id: a, pgn: 0xAA00, da: 0xFF}\n  - {id: b, pgn: 0xAA00, da: any}", [(0x80AA004A, 0xC3FF00FF)]),
        ("  - {id: a, pgn: 0xFEE6}\n  - {id: b, pgn: [0xFEE6, 0xFEF3]}",
         [(0x80FEE64A, 0xC3FFFFFF), (0x80FEF34A, 0xC3FFFFFF)]),
        ("  - {id: a, can_id: 0x123}\n  - {id: b, can_id: [0x123, 0x124]}",
         [(0x123, 0xC00007FF), (0x124, 0xC00007FF)]),
    ],
)  # fmt: skip
def test_rules_that_overlap_are_one_filter(rules: str, filters: list[tuple[int, int]]) -> None:
    made = floor(rules)
    assert list(made.filters) == filters
    assert {rule.rule for rule in made.kernel} == {"a", "b"}, "both are shown"
    for rule in made.kernel:
        assert made.widest(rule).covers(rule)


MANY = st.lists(
    st.one_of(
        st.builds(lambda pgns, sa: f"pgn: {pgns}, sa: {sa}",
                  st.lists(st.sampled_from([0xFEE6, 0xFEF3, 0xFF10]), min_size=1, unique=True),
                  st.sampled_from([0x4A, 0x55, [0x4A, 0x55]])),
        st.builds(lambda pgn, da, sa: f"pgn: {pgn}, da: {da}, sa: {sa}", st.sampled_from([0xEF00, 0xAA00]),
                  st.sampled_from(["any", 0xFF, 0x19, [0x19, 0x21], [0x21, 0xFF]]),
                  st.sampled_from([0x4A, [0x4A, 0x55]])),
        st.lists(st.sampled_from([0x123, 0x124, 0x125]), min_size=1, unique=True).map(lambda ids: f"can_id: {ids}"),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@given(MANY, st.lists(IDENTIFIERS, min_size=1, max_size=8))
def test_no_frame_fits_two_filters_and_none_is_lost(rules: list[str], can_ids: list[int]) -> None:
    made = floor("".join(f"  - {{id: r{number}, {rule}}}\n" for number, rule in enumerate(rules)))
    own = [rule.can_id | 5 << 26 for rule in made.kernel]
    for can_id in [*can_ids, *own]:
        fitting = [mask for bits, mask in made.filters if can_id & mask == bits]
        assert len(fitting) == made.takes(Frame(0, Side.TBOX, can_id, bytes(8)))
    for number, (bits, mask) in enumerate(made.filters):  # and for all identifiers that there are
        for other, both in made.filters[number + 1 :]:
            assert bits & mask & both != other & mask & both


def test_filters_that_cross_without_covering_are_not_both_the_kernels() -> None:
    odd, even = KernelRule("odd", 0x01, 0x0F), KernelRule("even", 0x10, 0xF0)
    assert odd.meets(even)
    assert not odd.covers(even)
    assert [*crossing([even], [odd])] == [
        "some of its frames are rule odd's too, and the kernel would send those twice"
    ]
    assert [*crossing([odd], [odd])] == []
