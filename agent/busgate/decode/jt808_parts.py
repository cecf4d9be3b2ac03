"""Whole messages out of the parts that a long one is sent in (JT/T 808-2019, 4.4.3).

Law: a message is given once, when its last part comes, in whatever order they came; a part that comes again changes
nothing. Parts belong together by terminal number, message number and count of parts, and by their serial numbers: the
parts of one message count on by one, though terminals are met that give all of them the same. At most `messages`
unfinished messages with `octets` octets are kept; what waited longest gives way and is counted in `dropped`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from busgate.decode import jt808
from busgate.model import Pdu

Key = tuple[str, int, int]

_EACH_PART = 128
"""Octets that keeping one part costs besides its body, about."""


@dataclass(slots=True)
class _Run:
    """One unfinished message: the serial numbers that its first part may have, its parts, and the last that came."""

    first: frozenset[int]
    key: Key
    head: Pdu
    bodies: dict[int, bytes] = field(default_factory=dict)
    flaws: list[str] = field(default_factory=list)
    last: int = 0
    octets: int = 0


class Reassembler:
    """Parts in, whole messages out; `edition` as in `jt808.read`."""

    def __init__(self, *, messages: int = 16, octets: int = 1 << 24, edition: int | None = None) -> None:
        self._most = messages
        self._most_octets = octets
        self._edition = edition
        self._runs: list[_Run] = []
        self.dropped = 0

    @property
    def held(self) -> int:
        """Octets kept back, with an allowance for each part."""
        return sum(run.octets for run in self._runs)

    def take(self, pdu: Pdu) -> Pdu | None:
        """The whole message if this part was the last one missing, else None; so also for a Pdu that is no part.

        The whole has the fields of its first part, `part` 0, `reassembled` true, and the body's fields and class.
        """
        fields = pdu.fields
        part, parts = fields.get("part", 0), fields.get("parts", 0)
        if not 1 <= part <= parts or parts < 2 or pdu.code is None:
            return None
        run = self._run_of(pdu, part, (fields["phone"], pdu.code, parts))
        if part not in run.bodies:
            body = bytes.fromhex(fields["body_hex"])
            run.bodies[part] = body
            run.octets += len(body) + _EACH_PART
            run.head = pdu if part == 1 else run.head
            run.flaws += [f"part {part}: {flaw}" for flaw in pdu.flaws]
        run.last = part
        if len(run.bodies) == parts:
            self._runs.remove(run)
            body = b"".join(run.bodies[at] for at in range(1, parts + 1))
            return jt808.whole(run.head, body, tuple(run.flaws), self._edition)
        self._make_room()
        return None

    def _run_of(self, pdu: Pdu, part: int, key: Key) -> _Run:
        """The unfinished message that this part belongs to, moved behind the others; or a new one."""
        serial = pdu.fields["serial"]
        first = frozenset({(serial - part + 1) & 0xFFFF, serial})
        found = None
        for run in self._runs:
            if run.key == key and run.first & first:
                run.first &= first
                found = run
                break
        if found is None:
            found = self._next_in_order(part, key) or _Run(first, key, pdu)
        if found in self._runs:
            self._runs.remove(found)
        self._runs.append(found)
        return found

    def _next_in_order(self, part: int, key: Key) -> _Run | None:
        """Serial numbers that follow no rule: the one message of this key that awaits just this part."""
        waiting = [run for run in self._runs if run.key == key]
        if len(waiting) != 1 or waiting[0].last != part - 1 or part in waiting[0].bodies:
            return None
        flaw = "the serial numbers of the parts are not consecutive"
        if flaw not in waiting[0].flaws:
            waiting[0].flaws.append(flaw)
        return waiting[0]

    def _make_room(self) -> None:
        while len(self._runs) > self._most or (self._runs and self.held > self._most_octets):
            del self._runs[0]
            self.dropped += 1
