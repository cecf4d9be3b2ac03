"""Which rules the kernel can keep, and which frames it then takes: only what no look could change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busgate.gateway import Gateway
from busgate.judge.floor import Floor, compiled
from busgate.judge.policy import load_policy
from busgate.model import EXTENDED, FD_FORMAT, REMOTE, Frame, Mode, Side
from support.gate import demo_ebus

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
        ("  - {id: a, can_id: 0x110}", "control unit"),
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
    assert why in made.agent[0].why


def test_a_policy_with_dates_stays_with_the_agent() -> None:
    made = floor("  - {id: a, pgn: 0xFEE6}", HEAD + "expires: 2030-01-01T00:00:00Z\n")
    assert made.kernel == ()
    assert "clock" in made.agent[0].why


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
