"""How the T-box is told what to do: by its platform, by short message, by somebody on its maintenance port, by nobody.

Law: whatever the way, what then happens on the bus bears the cause of what was said on the air.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from busgate_sim.air import Air, Flow
from busgate_sim.cloud import sms, updates
from busgate_sim.cloud.orders import Order
from busgate_sim.cloud.updates import Fetching, Package
from busgate_sim.cloud.vendor import ORDER_OF_WORD, text_of
from busgate_sim.tbox_firmware.acts import ACTS, Arguments
from busgate_sim.tbox_firmware.cloud_command import CloudCommand, understand_sms
from busgate_sim.tbox_firmware.talks import TALKS, target_of, write_program
from busgate_sim.tbox_firmware.tester import End, Talk, Tester
from busgate_sim.tbox_firmware.unit import TboxUnit
from busgate_sim.world import MILLISECOND, World

UPDATE = "update"
KINDS = frozenset({*ACTS, *TALKS, UPDATE})
"""All that the T-box can be told to do on the bus."""

SENDER = "31600000421"
"""Whose short messages the T-box obeys: anybody's, in fact."""

_THINKS_NS = 120 * MILLISECOND
"""How long the T-box takes at least from an order to its first frame; at most twice that."""

_SSH = (
    (False, b"SSH-2.0-OpenSSH_9.2\r\n"),
    (True, b"SSH-2.0-dropbear_2019.78\r\n"),
)
_SHELL_BYTES = 96
"""How long an encrypted line to a shell is, with its padding."""


class Doing:
    """The T-box's hands: what is asked becomes frames, a conversation, or a download and then a conversation."""

    def __init__(self, world: World, air: Air, unit: TboxUnit, upgraded: Callable[[bool], object]) -> None:
        """`upgraded` is told what became of each update."""
        self.talks: list[Tester] = []
        """Conversations with control units so far."""
        self.refused: list[str] = []
        self._world = world
        self._air = air
        self._unit = unit
        self._upgraded = upgraded

    def does(
        self, what: str, told: Arguments, cause: str, answers: Callable[[list[bytes]], object] | None = None
    ) -> None:
        """Do one thing now; `answers` is given what an ECU said, once a conversation is over."""
        if what == UPDATE:
            self._fetch(str(told["url"]), cause)
        elif what in TALKS:
            self._talks(
                target_of(told), TALKS[what](told), cause, lambda _, tester: answers and answers(tester.answers)
            )
        else:
            self._unit.act(ACTS[what](told), cause)

    def soon(self, command: CloudCommand, cause: str, answers: Callable[[list[bytes]], object]) -> None:
        """Obey a command after the time that it takes to think, if it asks for something on the bus."""
        kind = UPDATE if command.kind == "tbox.update" else command.kind
        if kind in KINDS:
            thinks = _THINKS_NS + self._world.chance.randrange(_THINKS_NS)
            self._world.after(thinks, partial(self.does, kind, command.arguments, cause, answers))

    def _talks(self, target: int, talk: Talk, cause: str, ended: Callable[[End, Tester], object]) -> None:
        tester = Tester(self._world, self._unit, target, talk, cause, ended=lambda how: ended(how, tester))
        self.talks.append(tester)

    def _fetch(self, url: str, cause: str) -> None:
        package = updates.package_of(url)
        if package is None:
            self.refused.append(f"{url} names no package")
            self._upgraded(False)
            return
        request, fetching = updates.ask(package), Fetching()
        self._air.up(request, partial(self._served, request, fetching, package, cause), cause=cause, flow=Flow.UPDATES)

    def _served(self, request: bytes, fetching: Fetching, package: Package, cause: str) -> None:
        """At the update server."""
        answer = updates.serve(request)
        for at in range(0, len(answer), updates.PIECE):
            piece = answer[at : at + updates.PIECE]
            came = partial(self._came, piece, fetching, package, cause)
            self._air.down(piece, came, cause=cause, flow=Flow.UPDATES)

    def _came(self, piece: bytes, fetching: Fetching, package: Package, cause: str) -> None:
        """At the T-box: written as soon as it is whole."""
        try:
            program = fetching.take(piece)
        except ValueError as fault:
            self.refused.append(str(fault))
            self._upgraded(False)
            return
        if program is not None:
            talk = write_program(package.ecu, program)
            target = target_of({"target": package.ecu})
            self._talks(target, talk, cause, lambda how, tester: self._upgraded(_worked(how, tester)))


def by_short_message(air: Air, what: Order, at: int, cause: str, obey: Callable[[CloudCommand, str], object]) -> None:
    """Send an order as a text command; `at` is Unix seconds."""
    text = text_of(what)
    pdu = sms.deliver(SENDER, text, at)
    air.text(pdu, lambda: obey(understand_sms(text.encode()), cause), cause=cause)


def by_shell(world: World, air: Air, cause: str, then: Callable[[], object]) -> None:
    """Log in on the T-box's maintenance port and give a command: seen from outside, a few encrypted lines."""
    for up, data in (*_SSH, *((up, world.chance.randbytes(_SHELL_BYTES)) for up in (False, True, False, True))):
        carry = air.up if up else air.down
        carry(data, _nothing, flow=Flow.MAINTENANCE)
    air.down(world.chance.randbytes(_SHELL_BYTES), then, cause=cause, flow=Flow.MAINTENANCE)


def can_be_texted(what: Order | None) -> bool:
    """Whether a clerk's order has a text command."""
    return what is not None and what.name in ORDER_OF_WORD.values()


def _worked(how: End, tester: Tester) -> bool:
    return how is End.DONE and bool(tester.answers) and tester.answers[-1][0] != 0x7F


def _nothing() -> None:
    """It only passes."""
