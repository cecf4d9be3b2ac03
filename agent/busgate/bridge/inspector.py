"""Who judges what passes the relay: one protocol, so that the relay knows nothing of policies or of protocols.

Law: an inspector is asked and told, never interrupted: no call blocks, and time comes as an argument (ns). One that
raises has that flow ended at once, as doubt means no. Bytes that it neither forwards nor keeps are gone: that is how a
message is cut out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from busgate.model import Direction, Flow


class Admission(StrEnum):
    """What becomes of a connection that the T-box opens."""

    REFUSE = "refuse"
    """It is reset, and nothing of it reaches the other end."""
    PASS = "pass"  # noqa: S105 - no password: it passes under inspection
    SPLICE = "splice"
    """It passes in the kernel from its first byte; nobody looks into it."""


class Release(NamedTuple):
    """What may go on, said in answer to bytes or later.

    `forward` goes on in its direction, then `more`, piece by piece as there is room; nothing is read of that direction
    before `more` ends. `back` goes to whoever sent the bytes, whole, after what the other direction has forwarded so
    far: a refusal's answer. `close` ends the flow once all that is delivered. `splice` gives both directions to the
    kernel after it, so what is withheld of the other direction belongs into `back`. `hold_until` says that this
    direction withholds something, and when to ask (`Inspector.due`): its sender's end is not passed on before a release
    without it. With `pause` no more is read of this direction until its next release.
    """

    forward: bytes = b""
    back: bytes = b""
    close: bool = False
    splice: bool = False
    hold_until: int | None = None
    pause: bool = False
    more: Iterator[bytes] | None = None


class Inspector(Protocol):
    """Judges the TCP flows of a T-box. All calls come from one thread."""

    def opened(self, flow: Flow, now: int) -> Admission:
        """The T-box wants this connection; the other end is not reached before the answer."""
        ...

    def chunk(self, flow: Flow, direction: Direction, data: bytes, now: int) -> Release:
        """Bytes of one direction, in order, cut anywhere; none at all once, when their sender has ended.

        At the end, what is withheld and not forwarded now is gone unless `hold_until` says otherwise.
        """
        ...

    def goes_on(self, flow: Flow, up: int, down: int, now: int) -> bool:
        """Whether a flow that the kernel carries may go on, having delivered so many bytes in each direction.

        Asked at least once a second about each of them: volume and grants are judged here. One that may not is reset.
        """
        ...

    def due(self, now: int) -> Iterable[tuple[Flow, Direction, Release]]:
        """What has been held and may go on by now, or is given up. Of a spliced flow only `close` means anything."""
        ...

    def next_deadline(self) -> int | None:
        """When `due` has something to say at the latest; None for never. May lie in the past."""
        ...

    def ended(self, flow: Flow, now: int, why: End) -> None:
        """A flow that was admitted is over, for whatever reason; its state can be forgotten."""
        ...


class End(StrEnum):
    """Why a flow is over."""

    FINISHED = "finished"
    """Both ends said that they had sent all."""
    RESET = "reset"
    """One end broke off, and the other was told so."""
    REFUSED = "refused"
    FULL = "full"
    """There are too many others."""
    LOST = "lost"
    """It was not redirected by the kernel, so nobody knows where it should go."""
    UNREACHABLE = "unreachable"
    """The other end refused it or did not answer in time."""
    SILENT = "silent"
    """Nobody said anything after it was opened."""
    IDLE = "idle"
    STALLED = "stalled"
    """One end takes no more."""
    CUT = "cut"
    """The inspector ended it."""
    FAULT = "fault"
    """The inspector failed at it."""
    STOPPED = "stopped"
    """The relay was closed."""


class Happening(StrEnum):
    """What is told of flows."""

    OPENED = "opened"
    SPLICED = "spliced"
    ENDED = "ended"
    FAULT = "fault"
    """The inspector failed where no flow is under way, or another event tells what became of it."""


@dataclass(frozen=True, slots=True)
class FlowEvent:
    """Something about a flow; `flow` is None where only the fault of an inspector as a whole can be told.

    `up` and `down` are the bytes delivered so far in each direction, `detail` is a fault in words.
    """

    at: int
    flow: Flow | None
    what: Happening
    why: End | None = None
    up: int = 0
    down: int = 0
    detail: str = ""
