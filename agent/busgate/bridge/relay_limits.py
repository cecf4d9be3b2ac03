"""What a flow may take of the machine that relays it, and when that is over.

Law: who holds a connection without using it loses it; what is held for the operator is in use.
"""

from __future__ import annotations

from dataclasses import dataclass

from busgate.bridge.inspector import End
from busgate.bridge.relay_flow import Passage

_S = 1_000_000_000
_SHORTEST_SWEEP_S, _LONGEST_SWEEP_S = 0.05, 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a flow may take of this machine; times in seconds."""

    flows: int = 4096
    connect_s: float = 15
    first_byte_s: float = 120
    """From the connection until either end says anything."""
    idle_s: float = 7200
    """Without a byte either way. What is held for the operator is not idle."""
    stalled_s: float = 120
    """Without a byte taken, while some wait."""
    linger_s: float = 3
    """For what an inspector ended, until its last bytes are taken."""


def sweeps_ns(limits: Limits) -> int:
    """How often flows are looked at: a quarter of the shortest limit, within reason."""
    shortest = min(limits.connect_s, limits.first_byte_s, limits.idle_s, limits.stalled_s, limits.linger_s)
    return int(min(max(shortest / 4, _SHORTEST_SWEEP_S), _LONGEST_SWEEP_S) * _S)


def overdue(passage: Passage, limits: Limits, now: int) -> End | None:
    """Why a flow has to end now, or None."""
    since = (now - passage.touched) / _S
    if passage.connecting:
        return End.UNREACHABLE if since > limits.connect_s else None
    if passage.closing is not None:
        return End.CUT if now - passage.closing > limits.linger_s * _S else None
    if passage.up.stuck or passage.down.stuck:
        return End.STALLED if since > limits.stalled_s else None
    if passage.held:
        return None
    if passage.silent:
        return End.SILENT if since > limits.first_byte_s else None
    return End.IDLE if since > limits.idle_s else None
