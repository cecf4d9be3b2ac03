"""Which rules of a policy select a message: the policy turned into tables, so that a frame costs a few look-ups.

Law: a rule that is not in the tables under a message's own name, group or service never sees that message; rules
that select it come in the policy's order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, assert_never

from busgate.judge.rules import CloudSelector, Rule, UdsSelector, canid_of
from busgate.judge.terms import EVERYTHING, Listed
from busgate.model import (
    EXTENDED,
    IDENTIFIER,
    CanMessage,
    CloudMessage,
    Command,
    Diagnostic,
    DiagnosticKind,
    ParameterGroup,
    Party,
)


class _Entry(NamedTuple):
    place: int
    rule: Rule
    sa: Listed


SHORT_MESSAGES = "sms"
"""The protocol of a rule about short messages, and the transport that they come by."""

_WHOLE = EXTENDED | IDENTIFIER
_NONE: tuple[_Entry, ...] = ()


class Allowlist:
    """The rules of one policy by what they select."""

    def __init__(self, rules: Iterable[Rule] = (), tbox_addresses: Iterable[int] = ()) -> None:
        """`tbox_addresses` is what a rule means that names no `sa`; none known means any."""
        own = tuple((address, address) for address in tbox_addresses)
        self._own = Listed(own) if own else EVERYTHING
        self._by_name: dict[str, tuple[_Entry, ...]] = {}
        self._by_id: dict[int, tuple[_Entry, ...]] = {}
        self._by_group: dict[int, tuple[_Entry, ...]] = {}
        self._by_protocol: dict[str, tuple[tuple[Rule, CloudSelector], ...]] = {}
        self._by_service: dict[int, tuple[tuple[_Entry, UdsSelector], ...]] = {}
        for place, rule in enumerate(rules):
            self._enter(place, rule)

    def _enter(self, place: int, rule: Rule) -> None:
        entry = _Entry(place, rule, self._own if rule.sa is None else rule.sa)
        if rule.message is not None:
            self._by_name[rule.message] = (*self._by_name.get(rule.message, ()), entry)
        for number in dict.fromkeys(rule.can_id or ()):
            can_id = canid_of(number)
            self._by_id[can_id] = (*self._by_id.get(can_id, ()), entry)
        for pgn in dict.fromkeys(rule.pgn or ()):
            self._by_group[pgn] = (*self._by_group.get(pgn, ()), entry)
        if rule.cloud is not None:
            protocol = rule.cloud.protocol
            self._by_protocol[protocol] = (*self._by_protocol.get(protocol, ()), (rule, rule.cloud))
        if rule.uds is not None:
            for service in dict.fromkeys(rule.uds.services):
                self._by_service[service] = (*self._by_service.get(service, ()), (entry, rule.uds))

    def selecting(self, command: Command) -> Iterator[Rule]:
        """The rules that select a message, in the policy's order."""
        message = command.message
        match message:
            case ParameterGroup():
                return self._of_group(message)
            case CanMessage():
                return self._of_name(message)
            case Diagnostic():
                return self._of_service(message, command.target)
            case CloudMessage():
                return self._of_protocol(message, command)
            case _:
                assert_never(message)

    def _of_group(self, message: ParameterGroup) -> Iterator[Rule]:
        entries = self._by_group.get(message.pgn, _NONE)
        if message.name is not None and (named := self._by_name.get(message.name)):
            entries = tuple(sorted(entries + named))
        for _, rule, sa in entries:
            if sa.allows(message.sa) and (rule.da is None or rule.da.allows(message.da)):
                yield rule

    def _of_name(self, message: CanMessage) -> Iterator[Rule]:
        entries = self._by_id.get(message.can_id & _WHOLE, _NONE)
        if message.name is not None and (named := self._by_name.get(message.name)):
            entries = tuple(sorted(entries + named)) if entries else named
        for _, rule, _ in entries:
            # A message without J1939 addresses is not one from or to a certain address.
            if all(listed is None or listed.everything for listed in (rule.sa, rule.da)):
                yield rule

    def _of_protocol(self, message: CloudMessage, command: Command) -> Iterator[Rule]:
        code = message.pdu.code
        # A short message proves no sender: whatever protocol it holds, a rule has to say that it may be one.
        protocol = SHORT_MESSAGES if message.flow.transport == SHORT_MESSAGES else message.pdu.protocol
        for rule, cloud in self._by_protocol.get(protocol, ()):
            by_code = cloud.codes is None or cloud.codes.everything or (code is not None and cloud.codes.allows(code))
            by_name = cloud.asks is None or command.name in cloud.asks
            if by_code and by_name and (cloud.endpoints is None or message.endpoint in cloud.endpoints):
                yield rule

    def _of_service(self, message: Diagnostic, target: Party) -> Iterator[Rule]:
        if message.kind is not DiagnosticKind.REQUEST:
            return
        for (_, rule, sa), uds in self._by_service.get(message.sid, ()):
            # An 11-bit identifier names no tester, so only a rule that does not ask for one selects it.
            sender = rule.sa is None or rule.sa.everything if message.source < 0 else sa.allows(message.source)
            if sender and uds.functional is message.functional and _reaches(uds, target):
                yield rule


def _reaches(uds: UdsSelector, target: Party) -> bool:
    return uds.target is None or target.name in uds.target or target.address in uds.target
