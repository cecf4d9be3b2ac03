"""What a tester expects of a gate, and whether it came true: found, blocked and passed commands.

Law: an expectation that nothing was seen of has failed, never passed. Alerts are the gate's word, frames are what was
on the wires; which of the two an expectation is about is written in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self
from xml.etree import ElementTree as ET

from pydantic import PlainValidator, StrictBool, model_validator

from busgate.document import Strict, read
from busgate.service.load import text_of

_TIMES = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_ALERT_FIELDS = ("rule", "name", "subsystem", "act", "severity", "reason", "target", "source")
_GRAVE = frozenset({"medium", "high", "critical"})


class Seen(NamedTuple):
    """One frame that was played or judged: where, as `candump -L` writes it, and whether it came out on another wire.

    `crossed` is None where nobody could have seen that.
    """

    channel: str
    text: str
    crossed: bool | None


class Outcome(NamedTuple):
    """One expectation, and why it failed ("" when it did not)."""

    name: str
    fault: str


def _times(written: object) -> tuple[int, int]:
    match = _TIMES.fullmatch(str(written)) if isinstance(written, (int, str)) and written is not True else None
    if match is None or (match[2] and int(match[2]) < int(match[1])):
        raise ValueError(f"{written!r} is no count; write 3, or a range in quotes: '2-5'")
    return int(match[1]), int(match[2] or match[1])


class Expected(Strict):
    """One command: an alert by any of its fields, or a frame by what it looks like."""

    rule: str | None = None
    name: str | None = None
    subsystem: str | None = None
    act: str | None = None
    severity: str | None = None
    reason: str | None = None
    target: str | None = None
    source: str | None = None
    frame: str | None = None
    """As `candump -L` writes it; `?` is any digit, `*` anything: `18EF0B4A#00*`."""
    channel: str | None = None
    """The recording's channel that the frame is on; in a replay its side: tbox, vehicle or tap."""
    times: Annotated[tuple[int, int] | None, PlainValidator(_times)] = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        fields = self.model_fields_set & set(_ALERT_FIELDS)
        if (self.frame is not None) == bool(fields):
            raise ValueError(f"say which command by frame, or by an alert's {', '.join(_ALERT_FIELDS)}")
        if self.channel is not None and self.frame is None:
            raise ValueError("channel belongs to frame")
        return self

    def __str__(self) -> str:
        """In the words it was written in."""
        told = self.model_dump(exclude_none=True, exclude={"times"})
        return " ".join(f"{name}={value}" for name, value in told.items())

    def takes_alert(self, alert: Mapping[str, Any]) -> bool:
        """Whether an alert of a report or of a log is this one."""
        return all(
            getattr(self, field) is None or getattr(self, field) in _words(alert.get(field)) for field in _ALERT_FIELDS
        )

    def takes_frame(self, seen: Seen) -> bool:
        """Whether a frame is this one."""
        wanted = (self.frame or "").upper()
        pattern = "".join({"?": "[0-9A-F]", "*": ".*"}.get(letter, re.escape(letter)) for letter in wanted)
        return self.channel in {None, seen.channel} and re.fullmatch(pattern, seen.text.upper()) is not None


class Expectations(Strict):
    """A file of `--expect`."""

    found: tuple[Expected, ...] = ()
    """The gate raised an alert for it, whatever it did then."""
    blocked: tuple[Expected, ...] = ()
    """It was there, and none of it crossed."""
    passed: tuple[Expected, ...] = ()
    """It was there, and all of it crossed."""
    absent: tuple[Expected, ...] = ()
    """The gate raised no alert for it; of a frame: it never came out."""
    nothing_else: StrictBool = False
    """No alert of medium severity or more but those named here."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.found or self.blocked or self.passed or self.absent or self.nothing_else):
            raise ValueError("it expects nothing; list commands in found, blocked, passed or absent")
        if any(each.frame is not None for each in self.found):
            raise ValueError("found is about the gate's alerts; a frame belongs into blocked or passed")
        return self

    @property
    def about_alerts(self) -> bool:
        """Whether the gate's own word is needed."""
        lists = (*self.found, *self.blocked, *self.passed, *self.absent)
        return self.nothing_else or any(each.frame is None for each in lists)

    @property
    def about_frames(self) -> bool:
        """Whether the wires have to be watched."""
        return any(each.frame is not None for each in (*self.blocked, *self.passed, *self.absent))


def load_expectations(path: Path) -> Expectations:
    """Read a file of expectations; raises BusgateError with the line of every fault."""
    return read(text_of(path), Expectations, str(path), "docs/testing.md")


def judged(expected: Expectations, alerts: Sequence[Mapping[str, Any]], frames: Iterable[Seen]) -> list[Outcome]:
    """Every expectation with what became of it. Alerts are plain values, with `action` and `count`."""
    seen = list(frames)
    outcomes = [
        Outcome(f"{kind} {each}", _fault(kind, each, alerts, seen))
        for kind in ("found", "blocked", "passed", "absent")
        for each in getattr(expected, kind)
    ]
    if expected.nothing_else:
        named = (*expected.found, *expected.blocked, *expected.passed)
        more = [alert for alert in alerts if alert["severity"] in _GRAVE and not any(e.takes_alert(alert) for e in named
                if e.frame is None)]  # fmt: skip
        told = "; ".join(f"{alert['severity']} {alert['rule']}: {alert['name']} ({alert['frame']})" for alert in more)
        outcomes.append(Outcome("nothing else", told))
    return outcomes


def _fault(kind: str, each: Expected, alerts: Sequence[Mapping[str, Any]], frames: Sequence[Seen]) -> str:
    if each.frame is not None:
        return _frame_fault(kind, each, [seen for seen in frames if each.takes_frame(seen)])
    taken = [alert for alert in alerts if each.takes_alert(alert)]
    count = sum(int(alert.get("count", 1)) for alert in taken)
    if kind == "absent":
        return f"the gate raised {len(taken)} alerts for it" if taken else ""
    if not taken:
        return "the gate raised no alert for it"
    wanted = {"blocked": "block", "passed": "pass"}.get(kind)
    if wanted and (others := sorted({alert["action"] for alert in taken} - {wanted})):
        return f"the gate's word for it is {' and '.join(others)}"
    return _count_fault(each, count)


def _frame_fault(kind: str, each: Expected, taken: Sequence[Seen]) -> str:
    crossed = sum(seen.crossed is True for seen in taken)
    if not taken:
        return "" if kind == "absent" else "no such frame was played"
    if any(seen.crossed is None for seen in taken):
        return "nobody looked at where it would come out; play onto both sides of the gate"
    if kind == "passed" and crossed < len(taken):
        return f"{len(taken) - crossed} of {len(taken)} did not cross"
    if kind != "passed" and crossed:
        return f"{crossed} of {len(taken)} crossed"
    return _count_fault(each, len(taken))


def _count_fault(each: Expected, count: int) -> str:
    if each.times is None or each.times[0] <= count <= each.times[1]:
        return ""
    wanted = "-".join(str(bound) for bound in dict.fromkeys(each.times))
    return f"it came {count} times instead of {wanted}"


def _words(value: object) -> tuple[object, ...]:
    """What a field may be called: a party by its name, or by its address in either base."""
    if isinstance(value, Mapping):
        address = value.get("address")
        number = int(address, 16) if isinstance(address, str) else address
        return (value.get("name"), *(() if number is None else (f"0x{number:02X}", str(number))))
    return (value,)


def in_text(outcomes: Sequence[Outcome]) -> str:
    """The outcomes, a line each."""
    return "\n".join(f"  {'FAILED' if fault else 'ok':<7} {name}" + (f": {fault}" if fault else "")
                     for name, fault in outcomes)  # fmt: skip


def in_junit(outcomes: Sequence[Outcome], suite_name: str, seconds: float) -> str:
    """JUnit XML: one case an expectation."""
    failed = sum(bool(fault) for _, fault in outcomes)
    suite = ET.Element(
        "testsuite", name=suite_name, tests=str(len(outcomes)), failures=str(failed), errors="0", time=f"{seconds:.3f}"
    )
    for name, fault in outcomes:
        case = ET.SubElement(suite, "testcase", classname="busgate.expect", name=name)
        if fault:
            ET.SubElement(case, "failure", message=fault, type="expectation")
    ET.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"
