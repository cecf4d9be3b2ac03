"""Messages of the T-box to commands: what each asks of the vehicle, and of which part.

Law: every message becomes a command; what nobody describes is one too (`command.unknown`), never ordinary traffic.
The order of knowledge: what the profile marks, what J1939 and UDS define, what the DBC at least names. Nothing raises,
whatever the bytes. DBC units and raw values are handed in, since detection does not see the decoders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never

from busgate.detect import uds_commands
from busgate.detect.j1939_commands import (
    ADDRESS_CLAIMED,
    CLEARED_BY_REQUEST,
    COMMANDS,
    ORDINARY,
    PROPRIETARY_TO_ONE,
    REQUESTS,
    Known,
    is_destination_specific,
    is_nameless,
    is_proprietary_broadcast,
)
from busgate.detect.j1939_payloads import act_of, arguments_of, group_name, hex_arguments, requested_group
from busgate.detect.parties import ALL_NODES, NOBODY, Parties, Reached
from busgate.detect.rule import VITAL
from busgate.model import (
    EXTENDED,
    IDENTIFIER,
    Act,
    Argument,
    CanMessage,
    Command,
    Diagnostic,
    DiagnosticKind,
    ParameterGroup,
    Subsystem,
    Value,
    WireMessage,
)
from busgate.profile import ActBySignal, CommandMark, Profile

Raw = Callable[[str, str, bytes], int | None]
"""The raw value of a signal: message name, signal name, data; None when the data does not hold it."""

UNLISTED = "traffic.unlisted"

NOT_AVAILABLE = frozenset(
    {"not available", "notavailable", "not_available", "n/a", "na", "sna", "signal not available"}
)
"""Labels of value tables, in lower case, that say that a signal says nothing."""


class VehicleDetector:
    """Names the commands among one vehicle's T-box messages."""

    def __init__(
        self,
        profile: Profile,
        units: Mapping[str, Mapping[str, str]],
        raw: Raw,
        acronym: Callable[[int], str | None] | None = None,
    ) -> None:
        """`units` maps message and signal name to the DBC's unit; `raw` reads a signal without scaling it.

        `acronym` names J1939 groups that command nothing, for people to read; without it they are numbers.
        """
        self._parties = Parties(profile)
        self._units = units
        self._raw = raw
        self._acronym = acronym
        self._marks = {mark.message: mark for mark in profile.commands}
        self._tbox_ids = frozenset(profile.tbox.ids)
        self._tbox_pgns = frozenset(profile.tbox.pgns)

    def command(self, message: WireMessage) -> Command:
        """What a message of the T-box asks; acts READ and SEND when it commands nothing known."""
        match message:
            case ParameterGroup():
                return self._group(message)
            case CanMessage():
                return self._plain(message)
            case Diagnostic():
                return self._diagnostic(message)
            case _:
                assert_never(message)

    # ------------------------------------------------------------ messages that the profile marks

    def _marked(self, message: CanMessage | ParameterGroup, mark: CommandMark, reached: Reached, sa: int) -> Command:
        target = reached[0] if mark.target is None else self._parties.named(mark.target)[0]
        if self._is_idle(message, mark):
            act, rule = Act.SEND, UNLISTED
        else:
            act = self._act(message, mark)
            rule = UNLISTED if act is Act.SEND else f"command.{mark.subsystem}"
        return Command(
            message,
            mark.message,
            mark.subsystem,
            act,
            rule,
            self._parties.tbox(sa),
            target,
            self._arguments(mark.message, message.values) if message.values else _bytes_of(message),
        )

    def _act(self, message: CanMessage | ParameterGroup, mark: CommandMark) -> Act:
        if not isinstance(mark.act, ActBySignal):
            return mark.act
        raw = self._raw(mark.message, mark.act.signal, message.data)
        return mark.act.otherwise if raw is None else mark.act.acts.get(raw, mark.act.otherwise)

    def _is_idle(self, message: CanMessage | ParameterGroup, mark: CommandMark) -> bool:
        """Idle only if every listed signal surely is; one that is missing or only announced is not (law 4)."""
        if not mark.idle or (isinstance(message, ParameterGroup) and not message.complete):
            return False
        return all(self._rests(message, mark, signal, values) for signal, values in mark.idle.items())

    def _rests(
        self, message: CanMessage | ParameterGroup, mark: CommandMark, signal: str, idle: tuple[float | str, ...]
    ) -> bool:
        value = message.values.get(signal)
        if value is None:
            return False
        # A label may be listed by its number too; a plain number only by its physical value, which scaling moves.
        return value in idle or (isinstance(value, str) and self._raw(mark.message, signal, message.data) in idle)

    def _arguments(self, name: str, values: Mapping[str, Value]) -> dict[str, Argument]:
        units = self._units.get(name, {})
        return {
            signal: Argument(value, units.get(signal, ""))
            for signal, value in values.items()
            if not (isinstance(value, str) and value.lower() in NOT_AVAILABLE)
        }

    # ------------------------------------------------------------ J1939

    def _group(self, message: ParameterGroup) -> Command:
        mark = self._marks.get(message.name) if message.name is not None else None
        if mark is not None:
            return self._marked(message, mark, self._target(message), message.sa)
        known = COMMANDS.get(message.pgn)
        if known is not None:
            return self._known(message, known)
        if message.pgn in REQUESTS:
            return self._request(message)
        if message.name is None and self._is_unexplained(message.pgn):
            return self._unexplained(message)
        return self._sent(message)

    def _target(self, message: ParameterGroup) -> Reached:
        """Whoever is addressed: a broadcast group reaches all, whatever `da` says."""
        if is_destination_specific(message.pgn):
            return self._parties.at(message.da)
        return ALL_NODES, Subsystem.UNKNOWN

    def _known(self, message: ParameterGroup, known: Known) -> Command:
        target, reached = self._target(message)
        follows = known.follows_target and (known.subsystem is Subsystem.UNKNOWN or reached in VITAL)
        subsystem = reached if follows else known.subsystem
        act = act_of(message.pgn, known, message.data)
        return Command(
            message,
            message.name or known.acronym,
            subsystem,
            act,
            UNLISTED if act is Act.SEND else known.rule or f"command.{subsystem}",
            self._parties.tbox(message.sa),
            target,
            self._group_arguments(message),
        )

    def _group_arguments(self, message: ParameterGroup) -> dict[str, Argument]:
        if message.name is not None and message.values:
            return self._arguments(message.name, message.values)
        return arguments_of(message.pgn, message.data, message.length)

    def _request(self, message: ParameterGroup) -> Command:
        wanted = requested_group(message.data)
        target, subsystem = self._target(message)
        clears = wanted in CLEARED_BY_REQUEST
        return Command(
            message,
            message.name or REQUESTS[message.pgn],
            subsystem,
            Act.CLEAR if clears else Act.READ,
            "j1939.clear" if clears else "j1939.request",
            self._parties.tbox(message.sa),
            target,
            {} if wanted is None else {"requested": Argument(self._called(wanted))},
        )

    def _is_unexplained(self, pgn: int) -> bool:
        """Whether neither J1939 nor the commissioning says what a group is."""
        # What was seen at commissioning is its ordinary service, except where one number can mean anything.
        if pgn in self._tbox_pgns and pgn not in PROPRIETARY_TO_ONE:
            return False
        return is_nameless(pgn)

    def _unexplained(self, message: ParameterGroup) -> Command:
        target, subsystem = self._target(message)
        name = PROPRIETARY_TO_ONE.get(message.pgn)
        if name is None:
            name = f"{'PropB' if is_proprietary_broadcast(message.pgn) else 'PGN'} 0x{message.pgn:04X}"
        return Command(
            message,
            name,
            subsystem,
            Act.SET,
            "command.unknown",
            self._parties.tbox(message.sa),
            target,
            hex_arguments(message.data, message.length),
        )

    def _called(self, pgn: int) -> str:
        return (self._acronym(pgn) if self._acronym else None) or group_name(pgn)

    def _sent(self, message: ParameterGroup) -> Command:
        claims = message.pgn == ADDRESS_CLAIMED
        return Command(
            message,
            message.name or ORDINARY.get(message.pgn) or self._called(message.pgn),
            Subsystem.TELEMATICS,
            Act.SEND,
            "j1939.address-claim" if claims else UNLISTED,
            self._parties.tbox(message.sa),
            self._target(message)[0],
        )

    # ------------------------------------------------------------ plain CAN and diagnostics

    def _plain(self, message: CanMessage) -> Command:
        source = self._parties.tbox(None)
        mark = self._marks.get(message.name) if message.name is not None else None
        if mark is not None:
            return self._marked(message, mark, (NOBODY, mark.subsystem), -1)
        if message.name is not None:
            return Command(message, message.name, Subsystem.TELEMATICS, Act.SEND, UNLISTED, source, NOBODY)
        identifier = message.can_id & IDENTIFIER
        if identifier in self._tbox_ids:
            name = f"id 0x{identifier:03X}"
            return Command(message, name, Subsystem.TELEMATICS, Act.SEND, UNLISTED, source, NOBODY)
        arguments = hex_arguments(message.data, len(message.data))
        if message.can_id & EXTENDED:
            # One name for all: 29 bits are too many for a name each, and a stranger could use every one.
            name = "unknown 29-bit message"
            arguments = {"id": Argument(f"0x{identifier:08X}"), **arguments}
        else:
            name = f"id 0x{identifier:03X}"
        return Command(message, name, Subsystem.UNKNOWN, Act.SET, "command.unknown", source, NOBODY, arguments)

    def _diagnostic(self, message: Diagnostic) -> Command:
        target, subsystem = self._parties.diagnosed(message)
        source = self._parties.tbox(message.source)
        service = message.service or f"service 0x{message.sid:02X}"
        if message.kind is not DiagnosticKind.REQUEST:
            name = f"{service} response"
            return Command(message, name, Subsystem.TELEMATICS, Act.SEND, UNLISTED, source, target)
        act, rule = uds_commands.asked(message)
        return Command(message, service, subsystem, act, rule, source, target, uds_commands.arguments_of(message))


def _bytes_of(message: CanMessage | ParameterGroup) -> dict[str, Argument]:
    length = message.length if isinstance(message, ParameterGroup) else len(message.data)
    return hex_arguments(message.data, length)
