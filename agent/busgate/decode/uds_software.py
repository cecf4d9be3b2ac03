"""What ECUs said of their software when they were asked: the identifiers that tell whether an update changed anything.

Law: only a whole answer to a known question counts, and only where it can be split without guessing.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from busgate.decode.uds import Reading, split_dids

SOFTWARE_DIDS = (0xF188, 0xF189, 0xF194, 0xF195)
"""ISO 14229-1:2020, annex C.1: ECU software number and version, the vehicle maker's and the system supplier's."""

MOST_ID_BYTES = 64
READ_DID = 0x22


class SoftwareIds:
    """The software identifiers last read from each target, as hexadecimal by DID; at most `max_targets` targets."""

    def __init__(self, *, max_targets: int = 256) -> None:
        self._max_targets = max_targets
        self._asked: dict[Hashable, tuple[int, ...]] = {}
        self._known: dict[Hashable, dict[int, str]] = {}

    def request(self, target: Hashable, reading: Reading) -> None:
        """Tell a request; only ReadDID matters."""
        if reading.sid == READ_DID:
            self._asked.pop(target, None)
            _make_room(self._asked, self._max_targets)
            self._asked[target] = reading.dids

    def answer(self, target: Hashable, reading: Reading) -> Mapping[int, str]:
        """Tell a positive answer; returns what it newly says, empty if it says nothing of software."""
        asked = self._asked.get(target, ())
        if reading.request_sid != READ_DID or not reading.complete or not set(SOFTWARE_DIDS) & set(asked):
            return {}
        said = split_dids(reading.payload, asked)
        values = {did: said[did][:MOST_ID_BYTES].hex() for did in SOFTWARE_DIDS if did in said}
        if values:
            known = self._known.pop(target, {})
            _make_room(self._known, self._max_targets)
            self._known[target] = known | values
        return values

    def known(self, target: Hashable) -> dict[int, str]:
        """What `target` last said, identifier by identifier; the caller's own copy."""
        return dict(self._known.get(target, {}))


def software_text(known: Mapping[int, str]) -> str:
    """Identifiers as one line: `F188=3230 F189=0105`; "" when there are none."""
    return " ".join(f"{did:04X}={known[did]}" for did in SOFTWARE_DIDS if did in known)


def _make_room(entries: dict[Hashable, Any], most: int) -> None:
    """The entry untouched for longest gives way."""
    if len(entries) >= most:
        del entries[next(iter(entries))]
