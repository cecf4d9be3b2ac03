"""One conversation in the relay: what the T-box says, what comes for it, ends and impatience, in each mode.

The input is that of `fuzz.conversation`; its first byte says the mode as well, and whether there is a policy.
"""

from __future__ import annotations

from busgate.gateway.inline import Inline, Turn
from busgate.model import Action, Direction, Endpoint, Flow, Reason
from fuzz import conversation
from fuzz.conversation import PORTS, Step, steps
from fuzz.radio import check_told, gate

SEEDS = conversation.SEEDS[::3]
_WALL = 1_790_000_000 * 10**9


def check(data: bytes) -> None:
    """What the T-box says is never lost nor refused; of what comes for it no byte is missing or twice; none raises."""
    first = data[0] if data else 0
    gateway = gate(first & 3 | first >> 3 & 24)
    gateway.air.in_line = True
    flow = Flow("tcp", Endpoint("10.0.0.5", 40001), Endpoint("203.0.113.9", PORTS[first >> 2 & 7]))
    inline = Inline(gateway.air, flow, answers=bool(first & 32))
    events = [*inline.opened(0, _WALL).events]
    fed, given = {way: bytearray() for way in Direction}, dict.fromkeys(Direction, 0)
    for at, step in enumerate(steps(data)):
        fed[step.direction] += step.data
        turn = _turn(inline, step, at * 10**8)
        events += turn.events
        for way, raw, verdict, pdu, answer, _ in turn.pieces:
            assert raw == fed[way][given[way] : given[way] + len(raw)]
            given[way] += len(raw)
            refusable = way is Direction.DOWN and (inline.enforced or verdict.reason is Reason.HELD)
            assert verdict.action is Action.PASS or refusable
            assert not answer or (pdu is not None and verdict.action is Action.BLOCK)
        assert not turn.end or inline.enforced
        for way in (Direction.UP, Direction.DOWN):
            assert inline.conversation.held(way) == len(fed[way]) - given[way]
    assert {way: len(said) for way, said in fed.items()} == given
    check_told([*events, *gateway.finish(10**10)])


def _turn(inline: Inline, step: Step, at: int) -> Turn:
    match step.what:
        case "feed":
            return inline.chunk(step.direction, step.data, at, _WALL)
        case "lost":
            return inline.impatient(step.direction, at, _WALL)
        case "close":
            return inline.ended(step.direction, at, _WALL)
    return inline.undecided(at, _WALL)
