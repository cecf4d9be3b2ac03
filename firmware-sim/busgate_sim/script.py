"""A scenario being written: frames on two wires, and for each of the T-box's what ought to become of it.

Law: what is expected is written by hand from the policy's text, never asked of the gate that is to be tested.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from busgate.model import IDENTIFIER
from busgate_sim.encoder import Sent, Spoken

VEHICLE, TBOX = "can0", "can1"
"""The channels of a recording."""

ORDINARY = "ordinary"
"""The story of all that the T-box does when nothing happens."""


class Line(NamedTuple):
    """One frame of a recording: seconds since its start, channel, frame, and the story it is part of."""

    at: float
    channel: str
    what: Sent | Spoken
    story: str = ""
    verdict: str = ""


@dataclass(slots=True)
class Story:
    """One thing that the T-box does: what, what ought to become of it, and why.

    `verdicts` counts its frames by the reason of the verdict each ought to get; `alert` is the rule that ought to
    name it ("" for none), `severity` of that alert.
    """

    id: str
    what: str
    expect: Literal["passed", "blocked", "partly"]
    why: str
    alert: str = ""
    severity: str = ""
    begins: float = 0.0
    ends: float = 0.0
    identifiers: set[str] = field(default_factory=set)
    lines: list[int] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)

    def label(self) -> dict[str, object]:
        """The story as the labels file has it."""
        told: dict[str, object] = {"id": self.id, "from": round(self.begins, 6), "to": round(self.ends, 6)}
        told |= {"what": self.what, "expect": self.expect, "why": self.why}
        if self.alert:
            told |= {"alert": self.alert, "severity": self.severity}
        told["identifiers"] = sorted(self.identifiers)
        told["lines"] = "others" if self.id == ORDINARY else self.lines
        told["verdicts"] = dict(sorted(self.verdicts.items()))
        return told


class Script:
    """What is said on both wires, and the stories behind it."""

    def __init__(self) -> None:
        """Nobody has said anything."""
        self.lines: list[Line] = []
        self.stories: dict[str, Story] = {}

    def tells(self, story: Story) -> str:
        """Begin a story; its frames are given its id."""
        self.stories[story.id] = story
        return story.id

    def says(self, at: float, what: Sent | Spoken, story: str, verdict: str) -> None:
        """The T-box sends a frame, which ought to get a verdict for this reason."""
        self.lines.append(Line(at, TBOX, what, story, verdict))

    def answers(self, at: float, what: Sent | Spoken) -> None:
        """The vehicle sends a frame."""
        self.lines.append(Line(at, VEHICLE, what))

    def went(self, number: int, at: float, line: Line, sent: Sent) -> None:
        """Note what a frame of a story was, when it went out and on which line of the recording (from 1)."""
        story = self.stories.get(line.story)
        if story is None:
            return
        if not story.verdicts:
            story.begins = at
        story.ends = at
        story.lines.append(number)
        story.identifiers.add(shown(sent.can_id))
        story.verdicts[line.verdict] += 1


def shown(can_id: int) -> str:
    """An identifier as candump writes it: three digits, or eight."""
    return f"{can_id & IDENTIFIER:08X}" if can_id & ~IDENTIFIER else f"{can_id:03X}"
