"""What the check of a log found: plain values, and how they are said.

Law: "verified" has no degrees. A report without a fault is verified; any fault makes it not.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from busgate.trust.keys import is_test_key
from busgate.trust.note import Verifier


class FaultKind(StrEnum):
    """What is wrong with a log."""

    CHANGED = "changed"
    MISPLACED = "misplaced"
    MISSING = "missing"
    ALTERED = "altered"
    """Something in a range of records was changed, added or taken away by a hand that mended the hashes."""
    MALFORMED = "malformed"
    UNSIGNED = "unsigned"
    UNREADABLE = "unreadable"
    CHECKPOINT = "checkpoint"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, with the first record concerned and the last (None where no record is), and what to do next."""

    kind: FaultKind
    message: str
    next: str
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was found out about one log.

    `size` and `root` are those of the newest checkpoint that holds; records below `proven` are as they were signed.
    """

    name: str
    origin: str
    size: int
    root: bytes
    proven: int
    checkpoints: int
    key: Verifier | None
    given: bool
    fault: Fault | None

    @property
    def ok(self) -> bool:
        """Whether the log is verified."""
        return self.fault is None

    @property
    def test_key(self) -> bool:
        """Whether it is signed with the published test key, which everybody has."""
        return self.key is not None and is_test_key(self.key)

    @property
    def plain(self) -> dict[str, Any]:
        """The report as JSON has it."""
        fault = self.fault
        return {
            "log": self.name,
            "verified": self.ok,
            "origin": self.origin,
            "size": self.size,
            "root": base64.b64encode(self.root).decode(),
            "proven": self.proven,
            "checkpoints": self.checkpoints,
            "key": None if self.key is None else self.key.text,
            "key_from": "the caller" if self.given else "the log itself",
            "test_key": self.test_key,
            "fault": None
            if fault is None
            else {
                "kind": fault.kind.value,
                "first": fault.first,
                "last": fault.last,
                "message": fault.message,
                "next": fault.next,
            },
        }


@dataclass(frozen=True, slots=True)
class Result:
    """What was found out about all the logs at one place, the oldest incarnation first."""

    reports: tuple[Report, ...]

    @property
    def ok(self) -> bool:
        """Whether every one of them is verified."""
        return all(report.ok for report in self.reports)

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        wrong = next((report for report in self.reports if report.fault is not None), None)
        if wrong is None or wrong.fault is None:
            last = self.reports[-1]
            return f"verified: {records(sum(r.size for r in self.reports))}, each as {last.origin} signed it"
        return f"NOT VERIFIED: {wrong.fault.message}"


def span(first: int, last: int) -> str:
    """Records as the beginning of a sentence."""
    return f"record {first} is" if first == last else f"records {first} to {last} are"


def records(count: int) -> str:
    """A number of records, in words."""
    return "1 record" if count == 1 else f"{count} records"
