"""What each diagnostic service does (ISO 14229-1:2013, clauses 9 to 14).

Law: a handler gets the request without its service identifier, checks length, sub-function, right, range and state in
this order, and changes nothing before all of them hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from busgate_sim.ecu.uds.codes import SUPPRESS, Code, Service, Session, demand
from busgate_sim.ecu.uds.offers import Offers
from busgate_sim.ecu.uds.unlock import LEVEL, Lock
from busgate_sim.world import MILLISECOND, World

WITH_SUBFUNCTION = frozenset(
    {
        Service.SESSION,
        Service.RESET,
        Service.READ_FAULTS,
        Service.UNLOCK,
        Service.SILENCE,
        Service.ROUTINE,
        Service.TESTER_PRESENT,
        Service.FAULT_SETTING,
    }
)
ACTIVE_SESSION = 0xF186
ERASE, CHECK = 0xFF00, 0xFF01
"""Routines of the standard's annex G: eraseMemory, checkProgrammingDependencies."""

_ALL_FAULTS = 0xFFFFFF
_STATUS_MASK = 0x2F
"""Bits of a fault code's status that these ECUs keep."""
_ERASE_NS = 1_500 * MILLISECOND
_LONGEST_ANSWER = 4095


class Unit(Protocol):
    """The server, as far as its services need it."""

    world: World
    offers: Offers
    session: Session
    lock: Lock
    taken: set[int]
    running: set[int]
    faults_kept: bool

    def enter(self, session: Session) -> None:
        """Change the session."""

    def silence(self, *, speaks: bool) -> None:
        """Speak on the bus by itself, or not."""

    def restart(self) -> None:
        """Boot again."""


def _nothing() -> None:
    """Nothing follows."""


class Answer(NamedTuple):
    """A positive answer without its identifier; `after` is how long it takes (ns), `then` what follows it."""

    payload: bytes
    after: int = 0
    then: Callable[[], object] = _nothing


def session(unit: Unit, request: bytes) -> Answer:
    """DiagnosticSessionControl (9.2): P2 in ms and P2* in 10 ms."""
    wanted = _sub(request)
    demand(wanted in list(Session), Code.SUBFUNCTION_NOT_SUPPORTED)
    demand(len(request) == 1, Code.INCORRECT_LENGTH)
    demand(not (wanted == Session.EXTENDED and unit.session is Session.PROGRAMMING), Code.SUBFUNCTION_NOT_IN_SESSION)
    if wanted == Session.PROGRAMMING:
        demand(unit.offers.flash is not None, Code.SUBFUNCTION_NOT_SUPPORTED)
        demand(unit.offers.may_stop(), Code.CONDITIONS_NOT_CORRECT)
    unit.enter(Session(wanted))
    return Answer(bytes([wanted]) + (50).to_bytes(2) + (500).to_bytes(2))


def reset(unit: Unit, request: bytes) -> Answer:
    """ECUReset (9.3): hard or soft, which is the same here."""
    demand(_sub(request) in {1, 3}, Code.SUBFUNCTION_NOT_SUPPORTED)
    demand(len(request) == 1, Code.INCORRECT_LENGTH)
    demand(unit.offers.may_stop(), Code.CONDITIONS_NOT_CORRECT)
    return Answer(bytes([_sub(request)]), then=unit.restart)


def unlock(unit: Unit, request: bytes) -> Answer:
    """SecurityAccess (9.4)."""
    level = _sub(request)
    demand(level in {LEVEL, LEVEL + 1}, Code.SUBFUNCTION_NOT_SUPPORTED)
    if level == LEVEL:
        demand(len(request) == 1, Code.INCORRECT_LENGTH)
        return Answer(bytes([level]) + unit.lock.seed(unit.world.now))
    demand(len(request) == 5, Code.INCORRECT_LENGTH)
    unit.lock.key(request[1:], unit.world.now)
    return Answer(bytes([level]))


def silence(unit: Unit, request: bytes) -> Answer:
    """CommunicationControl (9.5): whether it sends; what it hears it goes on hearing."""
    demand(_sub(request) in {0, 1, 2, 3}, Code.SUBFUNCTION_NOT_SUPPORTED)
    demand(len(request) == 2, Code.INCORRECT_LENGTH)
    demand(request[1] & 0x0F in {1, 2, 3}, Code.OUT_OF_RANGE)
    unit.silence(speaks=_sub(request) in {0, 2})
    return Answer(bytes([_sub(request)]))


def tester_present(_: Unit, request: bytes) -> Answer:
    """TesterPresent (9.6)."""
    demand(_sub(request) == 0, Code.SUBFUNCTION_NOT_SUPPORTED)
    demand(len(request) == 1, Code.INCORRECT_LENGTH)
    return Answer(b"\x00")


def fault_setting(unit: Unit, request: bytes) -> Answer:
    """ControlDTCSetting (9.8)."""
    demand(_sub(request) in {1, 2}, Code.SUBFUNCTION_NOT_SUPPORTED)
    demand(len(request) == 1, Code.INCORRECT_LENGTH)
    unit.faults_kept = _sub(request) == 1
    return Answer(bytes([_sub(request)]))


def read(unit: Unit, request: bytes) -> Answer:
    """ReadDataByIdentifier (10.2): those of several that it has."""
    demand(request and len(request) % 2 == 0, Code.INCORRECT_LENGTH)
    answer = bytearray()
    for identifier in (int.from_bytes(request[at : at + 2]) for at in range(0, len(request), 2)):
        if identifier == ACTIVE_SESSION:
            answer += identifier.to_bytes(2) + bytes([unit.session])
        elif identifier in unit.offers.data:
            answer += identifier.to_bytes(2) + unit.offers.data[identifier].read()
    demand(answer, Code.OUT_OF_RANGE)
    demand(len(answer) < _LONGEST_ANSWER, Code.RESPONSE_TOO_LONG)
    return Answer(bytes(answer))


def write(unit: Unit, request: bytes) -> Answer:
    """WriteDataByIdentifier (10.7)."""
    demand(len(request) > 2, Code.INCORRECT_LENGTH)
    data = unit.offers.data.get(int.from_bytes(request[:2]))
    demand(data is not None and data.write is not None, Code.OUT_OF_RANGE)
    demand(unit.lock.open, Code.ACCESS_DENIED)
    if data is not None and data.write is not None:
        demand(len(request) - 2 == len(data.read()), Code.INCORRECT_LENGTH)
        demand(data.write(request[2:]), Code.OUT_OF_RANGE)
    return Answer(request[:2])


def clear_faults(unit: Unit, request: bytes) -> Answer:
    """ClearDiagnosticInformation (11.2): all groups, or one code."""
    demand(len(request) == 3, Code.INCORRECT_LENGTH)
    group = int.from_bytes(request)
    demand(group == _ALL_FAULTS or group in unit.offers.faults, Code.OUT_OF_RANGE)
    for code in list(unit.offers.faults):
        if group in {_ALL_FAULTS, code}:
            del unit.offers.faults[code]
    return Answer(b"")


def read_faults(unit: Unit, request: bytes) -> Answer:
    """ReadDTCInformation (11.3): how many by status, which by status, which there can be."""
    kind = _sub(request)
    demand(kind in {0x01, 0x02, 0x0A}, Code.SUBFUNCTION_NOT_SUPPORTED)
    demand(len(request) == (1 if kind == 0x0A else 2), Code.INCORRECT_LENGTH)
    mask = 0xFF if kind == 0x0A else request[1]
    found = {code: status for code, status in unit.offers.faults.items() if status & mask or kind == 0x0A}
    head = bytes([kind, _STATUS_MASK])
    if kind == 0x01:
        return Answer(head + b"\x00" + len(found).to_bytes(2))
    return Answer(head + b"".join(code.to_bytes(3) + bytes([status]) for code, status in found.items()))


def control(unit: Unit, request: bytes) -> Answer:
    """InputOutputControlByIdentifier (12.2): take over (3) or give back (0)."""
    demand(len(request) >= 3, Code.INCORRECT_LENGTH)
    identifier, parameter, state = int.from_bytes(request[:2]), request[2], request[3:]
    known = unit.offers.controls.get(identifier)
    demand(known is not None and parameter in {0, 3}, Code.OUT_OF_RANGE)
    if known is None:
        return Answer(b"")
    demand(len(state) == (known.width if parameter else 0), Code.INCORRECT_LENGTH)
    demand(unit.lock.open, Code.ACCESS_DENIED)
    if parameter:
        demand(known.take(state), Code.CONDITIONS_NOT_CORRECT)
        unit.taken.add(identifier)
    else:
        known.release()
        unit.taken.discard(identifier)
    return Answer(request)


def routine(unit: Unit, request: bytes) -> Answer:
    """RoutineControl (13.2): start, stop, results."""
    kind = _sub(request)
    demand(kind in {1, 2, 3}, Code.SUBFUNCTION_NOT_SUPPORTED)
    demand(len(request) >= 3, Code.INCORRECT_LENGTH)
    identifier = int.from_bytes(request[1:3])
    said = bytes([kind]) + request[1:3]
    if identifier in {ERASE, CHECK} and unit.offers.flash is not None:
        return _of_programming(unit, kind, identifier, said)
    known = unit.offers.routines.get(identifier)
    demand(known is not None and unit.session is Session.EXTENDED, Code.OUT_OF_RANGE)
    demand(unit.lock.open, Code.ACCESS_DENIED)
    demand(kind == 1 or identifier in unit.running, Code.SEQUENCE_ERROR)
    if known is None or kind == 3:
        return Answer(said + b"\x00")
    if kind == 2:
        demand(known.stop is not None and known.stop(), Code.CONDITIONS_NOT_CORRECT)
        unit.running.discard(identifier)
        return Answer(said)
    demand(known.start(), Code.CONDITIONS_NOT_CORRECT)
    unit.running.add(identifier)
    return Answer(said + b"\x00", known.lasts)


def _of_programming(unit: Unit, kind: int, identifier: int, said: bytes) -> Answer:
    """Erasing, and checking what was written: 0 if it will run, else 1."""
    flash = unit.offers.flash
    demand(unit.session is Session.PROGRAMMING, Code.OUT_OF_RANGE)
    demand(kind == 1, Code.SUBFUNCTION_NOT_SUPPORTED)
    demand(unit.lock.open, Code.ACCESS_DENIED)
    if flash is None or identifier == CHECK:
        return Answer(said + bytes([flash is None or flash.version is None]))
    flash.erase()
    return Answer(said + b"\x00", _ERASE_NS)


def download(unit: Unit, request: bytes) -> Answer:
    """RequestDownload (14.2)."""
    demand(unit.lock.open, Code.ACCESS_DENIED)
    return Answer(unit.offers.flash.begin(request) if unit.offers.flash else b"")


def transfer(unit: Unit, request: bytes) -> Answer:
    """TransferData (14.5)."""
    return Answer(unit.offers.flash.block(request) if unit.offers.flash else b"", 3 * MILLISECOND)


def transfer_exit(unit: Unit, request: bytes) -> Answer:
    """RequestTransferExit (14.6)."""
    return Answer(unit.offers.flash.end(request) if unit.offers.flash else b"")


Handler = Callable[[Unit, bytes], Answer]
_ANY, _NOT_DEFAULT = frozenset(Session), frozenset({Session.PROGRAMMING, Session.EXTENDED})
_WORKING = frozenset({Session.DEFAULT, Session.EXTENDED})
_EXTENDED, _PROGRAMMING = frozenset({Session.EXTENDED}), frozenset({Session.PROGRAMMING})

SERVICES: Mapping[int, tuple[Handler, frozenset[Session]]] = {
    Service.SESSION: (session, _ANY),
    Service.RESET: (reset, _ANY),
    Service.CLEAR_FAULTS: (clear_faults, _WORKING),
    Service.READ_FAULTS: (read_faults, _WORKING),
    Service.READ: (read, _ANY),
    Service.UNLOCK: (unlock, _NOT_DEFAULT),
    Service.SILENCE: (silence, _EXTENDED),
    Service.WRITE: (write, _EXTENDED),
    Service.CONTROL: (control, _EXTENDED),
    Service.ROUTINE: (routine, _NOT_DEFAULT),
    Service.DOWNLOAD: (download, _PROGRAMMING),
    Service.TRANSFER: (transfer, _PROGRAMMING),
    Service.TRANSFER_EXIT: (transfer_exit, _PROGRAMMING),
    Service.TESTER_PRESENT: (tester_present, _ANY),
    Service.FAULT_SETTING: (fault_setting, _EXTENDED),
}
"""Each service's handler, and the sessions in which it is there (Table 25)."""


def _sub(request: bytes) -> int:
    return request[0] & ~SUPPRESS
