"""Whether a message carries what a rule allows: its signals, the group it asks for, its diagnostic identifiers.

Law: doubt means no. What is not visible yet, or says nothing, refuses just as what is visible and not listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import assert_never

from busgate.judge.limits import SignalLimit, outside
from busgate.judge.refusal import Refusal
from busgate.judge.rules import (
    IDENTIFIED,
    REQUEST,
    ROUTINE_CONTROL,
    WITH_SUBFUNCTION,
    Rule,
    UdsSelector,
    has_destination,
)
from busgate.judge.terms import Listed, hexadecimal
from busgate.model import (
    IDENTIFIER,
    CanMessage,
    CloudMessage,
    Command,
    Diagnostic,
    DiagnosticKind,
    ParameterGroup,
    Reason,
    Value,
)

_SUPPRESS = 0x80
"""ISO 14229-1:2020, 9.2: the sub-function's bit that only says "do not answer"."""

# ISO 14229-1:2020, 11.2 and 11.5: a request may name several data identifiers, also after what is visible.
_NAMES_SEVERAL = frozenset({0x22, 0x2A})


def content_refused(rule: Rule, command: Command) -> Refusal | None:
    """Why what a selected message carries is not what the rule allows; None where it is."""
    message = command.message
    match message:
        case Diagnostic():
            if rule.uds is None:
                return Refusal(Reason.NOT_ALLOWLISTED, "the rule is not about diagnostics")
            return _uds_refused(rule.uds, message)
        case ParameterGroup():
            return _group_refused(rule, message)
        case CanMessage():
            if rule.signals is None:
                return None
            return _signals_refused(rule.signals, message.values, only=rule.only_signals)
        case CloudMessage():
            return _fields_refused(rule, command)
        case _:
            assert_never(message)


def described(command: Command) -> str:
    """A message as a rule would have to select it."""
    message = command.message
    match message:
        case Diagnostic():
            if message.kind is not DiagnosticKind.REQUEST:
                return f"an answer to service {hexadecimal(message.sid)}, which nothing of the vehicle asked for"
            way = "all ECUs" if message.functional else command.target
            return f"service {hexadecimal(message.sid)} to {way}"
        case ParameterGroup():
            name = f" ({message.name})" if message.name else ""
            group = f"PGN 0x{message.pgn:04X}{name}"
            return f"{group} from {hexadecimal(message.sa)} to {hexadecimal(message.da)}"
        case CanMessage():
            return f"message {message.name}" if message.name else f"CAN id {hexadecimal(message.can_id & IDENTIFIER)}"
        case CloudMessage(pdu=pdu):
            code = "" if pdu.code is None else f" 0x{pdu.code:04X}"
            return f"{pdu.protocol}{code} ({command.name}) from {message.host or message.flow.remote}"
        case _:
            assert_never(message)


def _fields_refused(rule: Rule, command: Command) -> Refusal | None:
    """Whether what a message over the air asks for is within the fields that the rule limits."""
    if rule.cloud is None:
        return Refusal(Reason.NOT_ALLOWLISTED, "the rule is not about messages over the air")
    values = {name: argument.value for name, argument in command.arguments.items()}
    return _signals_refused(rule.cloud.fields or {}, values, only=False)


def _group_refused(rule: Rule, message: ParameterGroup) -> Refusal | None:
    # A DBC name fits a group whoever it is sent to; only a rule that says whom lets it reach anyone.
    if rule.da is None and has_destination(message.pgn):
        return Refusal(Reason.NOT_ALLOWLISTED, f"it is sent to {hexadecimal(message.da)}, and the rule names no da")
    refusal = _requested_refused(rule.requested, message) if message.pgn == REQUEST else None
    if refusal is not None or rule.signals is None:
        return refusal
    if not message.complete:
        return Refusal(Reason.SIGNAL_UNKNOWN, "its signals are not visible while it is only announced")
    return _signals_refused(rule.signals, message.values, only=rule.only_signals)


def _signals_refused(limits: Mapping[str, SignalLimit], values: Mapping[str, Value], *, only: bool) -> Refusal | None:
    """Whether all named signals are there and within their limits; with `only`, no others may be there."""
    for name, limit in limits.items():
        refusal = _signal_refused(name, limit, values.get(name))
        if refusal is not None:
            return refusal
    if only:
        for name in values:
            if name not in limits:
                return Refusal(Reason.SIGNAL_OUT_OF_RANGE, f"signal {name} is not listed")
    return None


def _signal_refused(name: str, limit: SignalLimit, value: Value | None) -> Refusal | None:
    if value is None:
        return Refusal(Reason.SIGNAL_UNKNOWN, f"signal {name} is missing or says nothing")
    if limit.is_ is not None:
        return None if value in limit.is_ else Refusal(Reason.SIGNAL_OUT_OF_RANGE, f"{name} {value} is not listed")
    if isinstance(value, str) or not abs(value) < inf:
        return Refusal(Reason.SIGNAL_UNKNOWN, f"{name} {value} is not a number")
    fault = outside(value, limit.min, limit.max)
    return None if fault is None else Refusal(Reason.SIGNAL_OUT_OF_RANGE, f"{name} {fault}")


def _requested_refused(listed: Listed, message: ParameterGroup) -> Refusal | None:
    """Whether a request (J1939-21, 5.4.2) asks for a listed group."""
    if listed.everything:
        return None
    if not message.complete or len(message.data) < 3:
        return Refusal(Reason.SIGNAL_UNKNOWN, "the group it asks for is not visible")
    group = int.from_bytes(message.data[:3], "little")
    if listed.allows(group):
        return None
    return Refusal(Reason.NOT_ALLOWLISTED, f"asking for PGN {hexadecimal(group)} is not listed")


def _uds_refused(uds: UdsSelector, message: Diagnostic) -> Refusal | None:
    """Whether sub-function, data identifiers and routine of a request are listed, and nothing follows them."""
    service = message.sid
    if message.extra:
        return Refusal(Reason.SIGNAL_OUT_OF_RANGE, "it goes on after all that the service takes")
    if service in WITH_SUBFUNCTION and (refusal := _subfunction_refused(uds.subfunctions, message.subfunction)):
        return refusal
    if service in IDENTIFIED and not uds.dids.everything:
        return _dids_refused(uds.dids, message)
    if service == ROUTINE_CONTROL and not uds.routines.everything:
        if message.routine is None:
            return Refusal(Reason.SIGNAL_UNKNOWN, "the routine is not visible")
        if not uds.routines.allows(message.routine):
            return Refusal(Reason.NOT_ALLOWLISTED, f"routine 0x{message.routine:04X} is not listed")
    return None


def _subfunction_refused(listed: Listed, asked: int | None) -> Refusal | None:
    if listed.everything:
        return None
    if asked is None:
        return Refusal(Reason.SIGNAL_UNKNOWN, "the sub-function is not visible")
    subfunction = asked & ~_SUPPRESS
    if listed.allows(subfunction):
        return None
    return Refusal(Reason.NOT_ALLOWLISTED, f"sub-function {hexadecimal(subfunction)} is not listed")


def _dids_refused(listed: Listed, message: Diagnostic) -> Refusal | None:
    for did in message.dids:
        if not listed.allows(did):
            return Refusal(Reason.NOT_ALLOWLISTED, f"DID 0x{did:04X} is not listed")
    if not message.dids:
        return Refusal(Reason.SIGNAL_UNKNOWN, "the DID is not visible")
    if message.sid in _NAMES_SEVERAL and (not message.complete or message.length > len(message.data)):
        return Refusal(Reason.SIGNAL_UNKNOWN, "not all of its DIDs are visible")
    return None
