"""A gate for tests: the demo bus behind it, a policy from text, and a way to write a test as a dialogue.

given(POLICY) >> tbox("123#0011") << blocked(Reason.NOT_ALLOWLISTED)
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple, Self

from busgate.gateway import Gateway
from busgate.judge.policy import load_policy
from busgate.model import BIT_RATE_SWITCH, EXTENDED, REMOTE, Action, Alert, Frame, Mode, Outcome, Reason, Side
from busgate.service import load

MILLISECOND = 1_000_000


@cache
def demo_ebus() -> load.Vehicle:
    return load.vehicle("demo-ebus")


@cache
def generic() -> load.Vehicle:
    return load.vehicle("generic-j1939")


def frame(text: str, side: Side, at: int = 0) -> Frame:
    """A frame as `candump -L` writes it: 8 hex digits before the # make a 29-bit identifier."""
    name, _, data = text.partition("#")
    can_id = int(name, 16) | (EXTENDED if len(name) == 8 else 0)
    if data.startswith("R"):
        return Frame(at, side, can_id | REMOTE, b"")
    if data.startswith("#"):
        return Frame(at, side, can_id, bytes.fromhex(data[2:]), 0x04 | int(data[1], 16) & BIT_RATE_SWITCH)
    return Frame(at, side, can_id, bytes.fromhex(data))


class Blocked(NamedTuple):
    reason: Reason


class Passed(NamedTuple):
    reason: Reason


def blocked(reason: Reason) -> Blocked:
    return Blocked(reason)


def passed(reason: Reason) -> Passed:
    return Passed(reason)


class Sent(NamedTuple):
    """A frame that is about to be sent; the dialogue gives it its time."""

    text: str
    side: Side
    after: int


def tbox(text: str, after: int = 10 * MILLISECOND) -> Sent:
    return Sent(text, Side.TBOX, after)


def vehicle(text: str, after: int = 10 * MILLISECOND) -> Sent:
    return Sent(text, Side.VEHICLE, after)


class Dialogue:
    """One gate in enforce mode and what it said: `>>` sends a frame, `<<` says what must have become of it."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.at = 1_000_000_000
        self.alerts: list[Alert] = []
        self.outcome: Outcome | None = None

    def __rshift__(self, sent: Sent) -> Self:
        self.at += sent.after
        self.outcome = self.gateway.receive(frame(sent.text, sent.side, self.at))
        self.alerts += [event for event in self.outcome.events if isinstance(event, Alert)]
        return self

    def __lshift__(self, expected: Blocked | Passed) -> Self:
        assert self.outcome is not None
        verdict = self.outcome.verdict
        action = Action.PASS if isinstance(expected, Passed) else Action.BLOCK
        assert (verdict.action, verdict.reason) == (action, expected.reason), verdict
        assert self.outcome.forward is (action is Action.PASS)
        return self


def given(policy: str | None = None, *, on: load.Vehicle | None = None, mode: Mode = Mode.ENFORCE) -> Dialogue:
    on = on or demo_ebus()
    gateway = Gateway(on.profile, on.database, mode=mode, device="bus-1")
    if policy is not None:
        gateway.adopt(load_policy(policy), 0, signed=False)
    return Dialogue(gateway)
