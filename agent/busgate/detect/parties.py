"""Who an address is: the profile's word first, then what SAE J1939 prefers, then the bare number.

Law: a frame of the T-box side comes from the T-box, whatever address it claims (law 3); here only its target is a
question. Two ECUs that share one diagnostic identifier make the target unknown rather than either of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from busgate.detect.preferred_addresses import PREFERRED
from busgate.model import EXTENDED, GLOBAL_ADDRESS, Diagnostic, DiagnosticKind, Party, Subsystem
from busgate.profile import Ecu, Profile

NOBODY = Party("", None)
ALL_NODES = Party("all nodes", GLOBAL_ADDRESS)

Reached = tuple[Party, Subsystem]
"""Who is reached and the part of the vehicle it controls."""

_UNKNOWN: Reached = (NOBODY, Subsystem.UNKNOWN)


class Parties:
    """The address book of one vehicle."""

    def __init__(self, profile: Profile) -> None:
        """All look-ups are made here once; the hot path only reads."""
        self._tbox_name = profile.tbox.name
        self._sources: dict[int, Party] = {-1: Party(profile.tbox.name, None)}
        self._by_sa = tuple(_at(address, profile) for address in range(256))
        self._by_request = _by_request(profile)
        self._by_name: Mapping[str, Reached] = {ecu.name: (_ecu_party(ecu), ecu.subsystem) for ecu in profile.ecus}

    def tbox(self, address: int | None) -> Party:
        """The T-box under the source address it claims; None or -1 where identifiers carry none."""
        key = -1 if address is None or address < 0 else address
        party = self._sources.get(key)
        if party is None:
            party = Party(self._tbox_name, key)
            if key <= 0xFF:  # 11-bit identifiers come as addresses too; those are made anew
                self._sources[key] = party
        return party

    def named(self, name: str) -> Reached:
        """An ECU of the profile by its name."""
        return self._by_name.get(name, _UNKNOWN)

    def at(self, address: int) -> Reached:
        """Whoever has a J1939 address; the global one reaches all."""
        return self._by_sa[address & 0xFF]

    def diagnosed(self, message: Diagnostic) -> Reached:
        """The ECU a diagnostic payload goes to (for an answer: the tester)."""
        target = message.target
        if message.functional:
            return Party("all ECUs", target if target >= 0 else None), Subsystem.UNKNOWN
        if message.can_id & EXTENDED and 0 <= target <= 0xFF:
            return self.at(target)
        if target < 0 or message.kind is not DiagnosticKind.REQUEST:
            return _UNKNOWN
        return self._by_request.get(target, (Party("", target), Subsystem.UNKNOWN))


def _ecu_party(ecu: Ecu) -> Party:
    if ecu.sa is not None:
        return Party(ecu.name, ecu.sa)
    return Party(ecu.name, ecu.uds.request if ecu.uds else None)


def _at(address: int, profile: Profile) -> Reached:
    if address == GLOBAL_ADDRESS:
        return ALL_NODES, Subsystem.UNKNOWN
    if address in profile.tbox.sas:
        return Party(profile.tbox.name, address), Subsystem.TELEMATICS
    owners = [ecu for ecu in profile.ecus if ecu.sa == address]
    match owners:
        case []:
            name, subsystem = PREFERRED.get(address, ("", Subsystem.UNKNOWN))
            return Party(name, address), subsystem
        case [owner]:
            return Party(owner.name, address), owner.subsystem
        case _:
            return Party(" or ".join(ecu.name for ecu in owners), address), _agreed(owners)


def _agreed(ecus: list[Ecu]) -> Subsystem:
    subsystems = {ecu.subsystem for ecu in ecus}
    return subsystems.pop() if len(subsystems) == 1 else Subsystem.UNKNOWN


def _by_request(profile: Profile) -> Mapping[int, Reached]:
    shared: dict[int, list[Ecu]] = {}
    for ecu in profile.ecus:
        if ecu.uds is not None:
            shared.setdefault(ecu.uds.request, []).append(ecu)
    return {
        request: (Party(" or ".join(ecu.name for ecu in ecus), request), _agreed(ecus))
        for request, ecus in shared.items()
    }
