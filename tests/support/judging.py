"""A dialogue with the judge: `given(policy) >> message("TboxHeartbeat") << passed("heartbeat")`.

Time is in seconds and starts at 0; wall time is trusted and starts at Monday 2026-11-23 10:00 UTC unless it is taken
away. Every message the T-box sends is put into words here by hand, never by the decoders.
"""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent
from typing import Any

from busgate.judge.decide import Judge
from busgate.judge.grants import read_grant
from busgate.judge.policy import load_policy
from busgate.judge.situation import Situation
from busgate.judge.terms import timestamp
from busgate.model import (
    Act,
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
    Subsystem,
    Value,
    Verdict,
)
from busgate.profile import Profile, StateName, Tbox

SECOND = 1_000_000_000
MONDAY = timestamp("2026-11-23T10:00:00Z")
PROFILE = Profile(profile="demo-ebus", version=1, title="a bus", synthetic=True, tbox=Tbox(sas=(0x4A, 0x4B)))


def policy_of(*rules: str, head: str = "policy: test\nversion: 1") -> str:
    """A policy document with these rules, each written as the YAML of one list item without its dash."""
    items = ["\n".join(f"    {line}" for line in dedent(rule).strip().splitlines()) for rule in rules]
    return f"{head}\nallow:" + ("".join(f"\n  -\n{item}" for item in items) or " []") + "\n"


def command_of(what: Message, target: Party | None = None) -> Command:
    return Command(what, "", Subsystem.UNKNOWN, Act.SEND, "", Party("T-box", 0x4A), target or Party("", None))


def message(name: str | None, **values: Value) -> Command:
    """An 11-bit message by its DBC name."""
    return command_of(CanMessage(0, Side.TBOX, 0x1A5, b"", name, values))


def group(
    pgn: int,
    *,
    sa: int = 0x4A,
    da: int = 0xFF,
    data: str = "",
    name: str | None = None,
    announced: bool = False,
    **values: Value,
) -> Command:
    """A J1939 parameter group; `announced` ones have no data yet."""
    raw = bytes.fromhex(data)
    return command_of(
        ParameterGroup(0, Side.TBOX, pgn, sa, da, 6, raw, len(raw), complete=not announced, name=name, values=values)
    )


def uds(payload: str, **parts: Any) -> Command:
    """A diagnostic request to the BMS (0xF3), told by its bytes; parts that they do not say come by name."""
    raw = bytes.fromhex(payload)
    target = parts.pop("to", Party("BMS", 0xF3))
    request = Diagnostic(
        0, Side.TBOX, 0x98DAF34A, 0x4A, 0xF3, False, DiagnosticKind.REQUEST, raw[0], "", False, raw, len(raw)
    )  # fmt: skip
    return command_of(replace(request, **parts), target)


def read_did(*dids: int, **parts: Any) -> Command:
    """Service 0x22 for these data identifiers."""
    return uds("22" + "".join(f"{did:04X}" for did in dids), dids=dids, **parts)


def passed(rule: str, detail: str = "", reason: Reason = Reason.ALLOWED) -> Verdict:
    return Verdict(Action.PASS, reason, rule, detail)


def blocked(reason: Reason, rule: str = "", detail: str = "") -> Verdict:
    return Verdict(Action.BLOCK, reason, rule, detail)


class Dialogue:
    """One judge, its vehicle, and what is said next."""

    def __init__(self, policy: str | None, profile: Profile, *, trusted: bool, device: str) -> None:
        self.judge = Judge(profile, device=device)
        self.situation = Situation()
        self.now = 0
        self.wall: int | None = MONDAY if trusted else None
        self.said: Verdict | None = None
        if policy is not None:
            self.judge.adopt(load_policy(policy))

    def fact(self, name: StateName, value: Value | None) -> Dialogue:
        """The vehicle says a fact about itself now."""
        self.situation.update(name, value, self.now)
        return self

    def after(self, seconds: float) -> Dialogue:
        """Time passes, on both clocks."""
        self.now += round(seconds * SECOND)
        if self.wall is not None:
            self.wall += round(seconds * SECOND)
        return self

    def at(self, written: str | None) -> Dialogue:
        """The trusted clock says this, or is trusted no longer."""
        self.wall = None if written is None else timestamp(written)
        return self

    def grant(self, text: str) -> Dialogue:
        """A maintenance grant arrives."""
        self.judge.grants.adopt(read_grant(text))
        return self

    def adopt(self, policy: str) -> Dialogue:
        """Another policy arrives."""
        self.judge.adopt(load_policy(policy))
        return self

    def __rshift__(self, command: Command) -> Dialogue:
        self.said = self.judge.decide(command, self.situation, self.now, wall=self.wall)
        return self

    def __lshift__(self, expected: Verdict) -> Dialogue:
        assert self.said == expected
        return self


def given(
    *rules: str, head: str = "policy: test\nversion: 1", trusted: bool = True, device: str = "bus-0421"
) -> Dialogue:
    """A judge on a vehicle whose T-box is 0x4A and 0x4B, with a policy of these rules."""
    return Dialogue(policy_of(*rules, head=head), PROFILE, trusted=trusted, device=device)
