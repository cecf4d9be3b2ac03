"""The T-box as a diagnostic tester: asks a control unit, waits for its answers, goes on as they are.

Law: a conversation is a generator of requests that is sent each answer; one that gets none in time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import StrEnum

from busgate_sim.ecu.isotp import Endpoint
from busgate_sim.ecu.isotp_frames import Address, normal_fixed
from busgate_sim.encoder import Sent
from busgate_sim.tbox_firmware.unit import SA, TboxUnit
from busgate_sim.world import MILLISECOND, Due, World

Talk = Generator[bytes, bytes, None]
"""Yields requests and is sent the final answer to each."""

ANSWERS_AFTER = 8
"""How much higher than its request an ECU's 11-bit answer identifier is."""

_WAITS_NS = 250 * MILLISECOND
_WAITS_LONGER_NS = 5_200 * MILLISECOND
_BETWEEN_NS = 10 * MILLISECOND
_PENDING = 0x78


class End(StrEnum):
    """How a conversation ended."""

    DONE = "done"
    NO_ANSWER = "no answer"


class Tester:
    """One conversation with one control unit."""

    def __init__(  # noqa: PLR0913 - who talks to whom about what, and who is told
        self,
        world: World,
        unit: TboxUnit,
        target: int,
        talk: Talk,
        cause: str,
        *,
        ended: Callable[[End], object] = lambda _: None,
    ) -> None:
        """`target` is an 11-bit request identifier or, up to 0xFF, an address of 29-bit diagnostics."""
        self._world = world
        self._unit = unit
        self._talk = talk
        self._ended = ended
        self._request = b""
        self._due: Due | None = None
        self.answers: list[bytes] = []
        """All final answers so far."""
        address = normal_fixed(SA, target) if target <= 0xFF else Address(target, target + ANSWERS_AFTER)
        self._endpoint = Endpoint(world, _Caused(unit, cause), address, self._answered)
        unit.hears.append(self._endpoint.hear)
        world.after(0, lambda: self._ask(None))

    def _ask(self, answer: bytes | None) -> None:
        try:
            self._request = next(self._talk) if answer is None else self._talk.send(answer)
        except StopIteration:
            self._end(End.DONE)
            return
        self._endpoint.send(self._request)
        # A long request takes its time on the wire; its answer is waited for from then on.
        self._wait(_WAITS_NS + len(self._request) * 2 * MILLISECOND)

    def _answered(self, answer: bytes) -> None:
        if self._due is None or not self._fits(answer):
            return
        if answer[0] == 0x7F and answer[2] == _PENDING:
            self._wait(_WAITS_LONGER_NS)
            return
        self._due.cancel()
        self._due = None
        self.answers.append(answer)
        self._world.after(_BETWEEN_NS, lambda: self._ask(answer))

    def _fits(self, answer: bytes) -> bool:
        """Whether it answers what was asked."""
        negative = len(answer) == 3 and answer[0] == 0x7F and answer[1] == self._request[0]
        return negative or answer[0] == self._request[0] | 0x40

    def _wait(self, time: int) -> None:
        if self._due is not None:
            self._due.cancel()
        self._due = self._world.after(time, lambda: self._end(End.NO_ANSWER))

    def _end(self, how: End) -> None:
        self._due = None
        self._talk.close()
        self._unit.hears.remove(self._endpoint.hear)
        self._ended(how)


class _Caused:
    """The T-box's place on its wire, for frames of one cause."""

    def __init__(self, unit: TboxUnit, cause: str) -> None:
        self._unit = unit
        self._cause = cause

    @property
    def waiting(self) -> int:
        return self._unit.waiting

    def send(self, sent: Sent) -> bool:
        return self._unit.queue(sent, self._cause)
