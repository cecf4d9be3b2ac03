"""Whether the T-box behaves: under whose identity, how much, how fresh, and as it did when it was commissioned.

Law: only frames that came from the T-box side are judged here, and whatever they are, nothing raises. Causes are few
however many identifiers a stranger makes up, so that an alert per cause never becomes a flood of its own. What
VehicleDetector already names as a command is not told again as unseen: one frame, one alert.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from busgate.detect.flood import Excess, Window
from busgate.detect.j1939_commands import (
    COMMANDS,
    ORDINARY,
    PROPRIETARY_TO_ONE,
    REQUESTS,
    is_nameless,
)
from busgate.model import ERROR, EXTENDED, IDENTIFIER, REMOTE, Frame, Party, Reason, Subsystem
from busgate.profile import Profile

CounterReader = Callable[[bytes], int | None]
"""The raw value of a message's alive counter; None when the data does not hold it."""

LOSS_TOLERATED = 3
"""A counter that runs ahead by up to this is taken for lost frames: a busy bus loses a few, a replay goes back."""

MOST_NAMED = 64
"""Unseen groups and flooding identifiers told by name; further ones share one cause."""

_MOST_REMEMBERED = 4096
_MOST_COUNTERS = 256

_NAMED_OTHERWISE = COMMANDS.keys() | REQUESTS.keys() | ORDINARY.keys() | PROPRIETARY_TO_ONE.keys()
_DIAGNOSTIC_PGNS = frozenset({0xCD00, 0xCE00, 0xDA00, 0xDB00})
_NULL_ADDRESS = 0xFE


class Finding(NamedTuple):
    """Bad conduct: the rule, a key that is the same for every repeat, and why the frame is to be blocked, if it is.

    `subsystem` is that of the ECU whose identity was used, UNKNOWN otherwise.
    """

    rule: str
    cause: str
    source: Party
    detail: str
    block: Reason | None = None
    subsystem: Subsystem = Subsystem.UNKNOWN


NOTHING: tuple[Finding, ...] = ()


class Conduct:
    """The conduct of one vehicle's T-box."""

    def __init__(self, profile: Profile, known_ids: frozenset[int], counters: Mapping[str, CounterReader]) -> None:
        """`known_ids` are the 11-bit identifiers that belong to the vehicle; `counters` reads those of the profile."""
        self._profile = profile
        self._window = Window(profile.flood.per_id, profile.flood.total)
        self._owner_of_sa = {ecu.sa: ecu for ecu in profile.ecus if ecu.sa is not None}
        self._owner_of_id = {can_id: ecu for ecu in profile.ecus for can_id in ecu.ids}
        self._owner_of_id |= {ecu.uds.response: ecu for ecu in profile.ecus if ecu.uds}
        self._own_ids = frozenset(profile.tbox.ids) | {ecu.uds.request for ecu in profile.ecus if ecu.uds}
        self._vehicle_ids = (known_ids | self._owner_of_id.keys()) - self._own_ids
        self._own_ids |= frozenset(profile.diagnostics.functional)
        self._marked = frozenset(mark.message for mark in profile.commands)
        self._by_identity: dict[int, tuple[Finding, ...]] = {}
        self._unseen_groups: set[int] = set()
        self._flooding: dict[int, Finding] = {}
        self._modulo = {mark.message: mark.modulo for mark in profile.counters}
        self._read = {name: reader for name, reader in counters.items() if name in self._modulo}
        self._last: dict[tuple[str, int], int] = {}

    def check(
        self, frame: Frame, pgn_sa: tuple[int, int] | None, message_name: str | None, *, counted: bool = True
    ) -> tuple[Finding, ...]:
        """All that is wrong with a frame of the T-box side, whatever it says.

        `pgn_sa` is None for frames that are not J1939, `message_name` for those that the DBC does not have. `counted`
        is False for a frame whose number and pace the vehicle itself bounds: it is nobody's flood.
        """
        can_id = frame.can_id
        if can_id & ERROR:  # a report of the controller: nobody sent it
            return NOTHING
        excess = self._window.add(frame.at, can_id) if counted else None
        if can_id & REMOTE:  # asks for another's message under its identifier: judged by its own rule
            return NOTHING if excess is None else (self._flood(can_id, excess),)
        findings = self._by_identity.get(can_id)
        if findings is None:
            findings = self._remembered(can_id, pgn_sa, message_name)
        if message_name is not None and message_name in self._read:
            findings += self._stale(frame, pgn_sa, message_name)
        return findings if excess is None else (*findings, self._flood(can_id, excess))

    # ------------------------------------------------------------ identity

    def _remembered(self, can_id: int, pgn_sa: tuple[int, int] | None, message_name: str | None) -> tuple[Finding, ...]:
        if len(self._by_identity) >= _MOST_REMEMBERED:
            self._by_identity.clear()
        if pgn_sa is not None:
            finding = self._of_sender(*pgn_sa, message_name)
        else:
            finding = self._of_identifier(can_id, message_name)
        findings = NOTHING if finding is None else (finding,)
        self._by_identity[can_id] = findings
        return findings

    def _of_sender(self, pgn: int, sa: int, message_name: str | None) -> Finding | None:
        source = Party(self._profile.tbox.name, sa)
        owner = self._owner_of_sa.get(sa)
        if owner is not None:
            detail = f"sent from the T-box side with the source address of {Party(owner.name, sa)}"
            return Finding("conduct.masquerade", f"sa 0x{sa:02X}", source, detail, Reason.MASQUERADE, owner.subsystem)
        # Diagnostics from a tester's address are named by their service, with the address in it.
        if sa not in self._profile.tbox.sas and pgn not in _DIAGNOSTIC_PGNS and not _seeks_address(pgn, sa):
            detail = f"source address 0x{sa:02X} is neither the T-box's nor an ECU's"
            return Finding("conduct.unseen", f"sa 0x{sa:02X}", source, detail)
        if self._is_unseen_group(pgn, message_name):
            return self._unseen_group(pgn, source)
        return None

    def _is_unseen_group(self, pgn: int, message_name: str | None) -> bool:
        seen = self._profile.tbox.pgns
        if not seen or pgn in seen or message_name in self._marked or pgn in _NAMED_OTHERWISE:
            return False
        return message_name is not None or not is_nameless(pgn)

    def _unseen_group(self, pgn: int, source: Party) -> Finding:
        detail = "a parameter group that the T-box did not send at commissioning"
        if pgn in self._unseen_groups or len(self._unseen_groups) < MOST_NAMED:
            self._unseen_groups.add(pgn)
            return Finding("conduct.unseen", f"pgn 0x{pgn:04X}", source, f"0x{pgn:04X}: {detail}")
        return Finding("conduct.unseen", "pgn, many", source, detail)

    def _of_identifier(self, can_id: int, message_name: str | None) -> Finding | None:
        identifier = can_id & IDENTIFIER
        source = Party(self._profile.tbox.name, None)
        # An 11-bit number in a 29-bit identifier is another identifier; the profile writes both as numbers.
        wide = bool(can_id & EXTENDED)
        described = wide == (identifier > 0x7FF)
        if described and identifier in self._vehicle_ids and message_name not in self._marked:
            return self._masquerade(identifier, source)
        if not self._profile.tbox.ids or message_name in self._marked:
            return None
        if described and identifier in self._own_ids:
            return None
        if not wide and message_name is None and self._is_watched(identifier):
            return None
        if wide:
            return Finding("conduct.unseen", "29-bit", source, "29-bit identifiers that no description names")
        detail = f"identifier 0x{identifier:03X} was not seen at commissioning"
        return Finding("conduct.unseen", f"id 0x{identifier:03X}", source, detail)

    def _is_watched(self, identifier: int) -> bool:
        """Diagnostic identifiers: what is sent on them is named by its service, or as malformed."""
        return any(low <= identifier <= high for low, high in self._profile.diagnostics.watch)

    def _masquerade(self, identifier: int, source: Party) -> Finding:
        owner = self._owner_of_id.get(identifier)
        whose = owner.name if owner else "the vehicle"
        return Finding(
            "conduct.masquerade",
            f"id 0x{identifier:03X}",
            source,
            f"sent from the T-box side with identifier 0x{identifier:03X} of {whose}",
            Reason.MASQUERADE,
            owner.subsystem if owner else Subsystem.UNKNOWN,
        )

    # ------------------------------------------------------------ quantity and freshness

    def _flood(self, can_id: int, excess: Excess) -> Finding:
        source = Party(self._profile.tbox.name, None)
        if excess is Excess.OF_ALL:
            detail = f"more than {self._profile.flood.total} frames a second"
            return Finding("conduct.flood", "total", source, detail, Reason.FLOOD)
        finding = self._flooding.get(can_id)
        if finding is None:
            detail = f"more than {self._profile.flood.per_id} frames a second of one identifier"
            cause = f"id 0x{can_id & IDENTIFIER:X}"
            if len(self._flooding) >= MOST_NAMED:
                return Finding("conduct.flood", "id, many", source, detail, Reason.FLOOD)
            finding = Finding("conduct.flood", cause, source, f"{cause}: {detail}", Reason.FLOOD)
            self._flooding[can_id] = finding
        return finding

    def _stale(self, frame: Frame, pgn_sa: tuple[int, int] | None, name: str) -> tuple[Finding, ...]:
        value = self._read[name](frame.data)
        if value is None:
            return NOTHING
        modulo = self._modulo[name]
        key = (name, frame.can_id)
        last = self._last.pop(key, None)
        if len(self._last) >= _MOST_COUNTERS:
            del self._last[next(iter(self._last))]
        self._last[key] = value
        kind = _gap(last, value, modulo)
        if kind is None:
            return NOTHING
        source = Party(self._profile.tbox.name, pgn_sa[1] if pgn_sa else None)
        before = "" if last is None else f" after {last}"
        detail = f"counter of {name} {kind}s: {value}{before}, counting 0 to {modulo - 1}"
        return (Finding("conduct.stale-counter", f"{name} {kind}", source, detail),)


def _gap(last: int | None, value: int, modulo: int) -> str | None:
    """What is wrong with a step: "repeat" or "leap"; None if it runs on, perhaps over a few lost frames."""
    if not 0 <= value < modulo:
        return "leap"
    if last is None or not 0 <= last < modulo:
        return None
    ahead = (value - last) % modulo
    if ahead == 0:
        return "repeat"
    # A short counter cannot tell a loss from a step back: the more it is trusted, the shorter it is.
    tolerated = max(1, min(LOSS_TOLERATED, modulo // 4))
    return None if ahead <= tolerated else "leap"


def _seeks_address(pgn: int, sa: int) -> bool:
    """A node without an address may ask who has one, and say that it found none (J1939-81, 4.2)."""
    return sa == _NULL_ADDRESS and pgn in (0xEA00, 0xEE00)
