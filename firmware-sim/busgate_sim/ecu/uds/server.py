"""One control unit's diagnostic server: sessions, the order of its checks, its answers and their times.

Law: every request gets the answer that ISO 14229-1:2013 asks for, or none where it asks for none; a session that nobody
keeps alive ends by itself, and with it all that was taken over in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from busgate_sim.ecu.uds.codes import SUPPRESS, UNSAID_TO_ALL, Code, Refusal, Service, Session, demand
from busgate_sim.ecu.uds.offers import Offers
from busgate_sim.ecu.uds.services import SERVICES, WITH_SUBFUNCTION, Answer
from busgate_sim.ecu.uds.unlock import Lock
from busgate_sim.world import MILLISECOND, SECOND, Due, World

P2_NS = 50 * MILLISECOND
P2_STAR_NS = 5 * SECOND
S3_NS = 5 * SECOND
"""How soon it answers, how soon after it has said "pending", how long a session lasts unkept (ISO 14229-2)."""

_THINKS_NS = 8 * MILLISECOND
_BOOTS_NS = 400 * MILLISECOND

Reply = Callable[[bytes], object]


class Server:
    """The diagnostics of one ECU."""

    def __init__(self, world: World, offers: Offers) -> None:
        """Its program runs, in the default session."""
        self.world = world
        self.offers = offers
        self.session = Session.DEFAULT
        self.lock = Lock(offers.name, world.chance)
        self.taken: set[int] = set()
        """Controls that a tester holds."""
        self.running: set[int] = set()
        """Routines that were started and not stopped."""
        self.faults_kept = True
        """Whether new fault codes are stored (service 0x85)."""
        self._away_until = 0
        self._runs = True
        self._speaks = True
        self._kept: Due | None = None

    def ask(self, request: bytes, reply: Reply, *, to_all: bool = False) -> None:
        """Take a request; `reply` gets each answer at its time, or nothing is answered."""
        if not request or self.world.now < self._away_until:
            return
        try:
            answer = self._answer(request)
        except Refusal as refusal:
            if not (to_all and refusal.code in UNSAID_TO_ALL):
                self._say(reply, bytes([0x7F, request[0], refusal.code]), _THINKS_NS)
            self._keep()
            return
        self._keep()
        if answer.after > P2_NS:
            self._say(reply, bytes([0x7F, request[0], Code.PENDING]), P2_NS - 10 * MILLISECOND)
        elif request[0] in WITH_SUBFUNCTION and request[1] & SUPPRESS:
            self.world.after(_THINKS_NS, answer.then)
            return
        payload = bytes([request[0] | 0x40]) + answer.payload
        self.world.after(max(answer.after, _THINKS_NS), partial(self._finish, reply, payload, answer.then))

    def enter(self, session: Session) -> None:
        """Change the session; the lock closes, and the default one lets go of everything (9.2)."""
        left, self.session = self.session, session
        self.lock.close()
        if session is not Session.EXTENDED:
            self._let_go()
        if session is Session.PROGRAMMING:
            self._run(False)
        elif left is Session.PROGRAMMING:
            self.restart()
        self._keep()

    def silence(self, *, speaks: bool) -> None:
        """Speak on the bus by itself, or not."""
        self._speaks = speaks
        self._tell_speech()

    def restart(self) -> None:
        """Be away while it boots; then its program runs, if there is one."""
        self._let_go()
        self.session = Session.DEFAULT
        self.lock.close()
        if self.offers.flash is not None:
            self.offers.flash.forget()
        self._run(False)
        self._away_until = self.world.now + _BOOTS_NS
        self.world.after(_BOOTS_NS, self._boot)

    def _boot(self) -> None:
        bootable = self.offers.flash is None or self.offers.flash.version is not None
        if self.world.now >= self._away_until and self.session is Session.DEFAULT:
            self._run(bootable)

    def _answer(self, request: bytes) -> Answer:
        service = SERVICES.get(request[0])
        demand(service is not None, Code.SERVICE_NOT_SUPPORTED)
        handler, sessions = service or SERVICES[Service.SESSION]
        demand(self.session in sessions, Code.SERVICE_NOT_IN_SESSION)
        if request[0] in WITH_SUBFUNCTION:
            demand(len(request) > 1, Code.INCORRECT_LENGTH)
        return handler(self, request[1:])

    def _finish(self, reply: Reply, payload: bytes, then: Callable[[], object]) -> None:
        reply(payload)
        then()

    def _say(self, reply: Reply, payload: bytes, after: int) -> None:
        self.world.after(after, partial(reply, payload))

    def _keep(self) -> None:
        """Begin to count the session's time anew."""
        if self._kept is not None:
            self._kept.cancel()
        if self.session is not Session.DEFAULT:
            self._kept = self.world.after(S3_NS, partial(self.enter, Session.DEFAULT))

    def _let_go(self) -> None:
        for identifier in self.taken:
            self.offers.controls[identifier].release()
        self.taken.clear()
        self.running.clear()
        self.faults_kept = True
        self.silence(speaks=True)

    def _run(self, runs: bool) -> None:
        if runs is not self._runs:
            self._runs = runs
            self.offers.works(runs)
            self._tell_speech()

    def _tell_speech(self) -> None:
        self.offers.speaks(self._runs and self._speaks)
