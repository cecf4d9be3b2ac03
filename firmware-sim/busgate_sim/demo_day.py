"""The demo's recording: half a minute of a synthetic bus whose T-box does its work, and then what it must not.

Law: the same bytes every time. `python -m busgate_sim.demo_day` writes the recording and its labels; a golden test
compares both with what is committed.
"""

from __future__ import annotations

import random
from pathlib import Path

import yaml

from busgate.model import FD_FORMAT
from busgate_sim import intruder, tbox, vehicle
from busgate_sim.encoder import Encoder, Sent, Spoken
from busgate_sim.script import TBOX, VEHICLE, Line, Script, shown

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
PROFILE = "demo-ebus"
FILES = ("ebus-j1939.dbc", "ebus-body11.dbc")

STARTED = 1_772_433_600
"""2026-03-02T06:40:00Z as Unix time."""

_SEED = 421
_BIT_US = 2
_HEAD = f"""\
# Synthetic: what firmware-sim/scenarios/demo-day.log holds and what ought to become of it. Apache-2.0.
# Written by `python -m busgate_sim.demo_day`; do not edit. Times are seconds since the first moment of the recording.
# `lines` are those of the .log that make up a story ("others": every other line of the T-box's channel); `verdicts`
# count them by reason, under dbc/{PROFILE}/policy.yaml in enforce mode without any grant.
"""


def build() -> tuple[str, str]:
    """The recording as candump text, and its labels as YAML."""
    encoder = Encoder(PROFILE, FILES)
    script = Script()
    # A seeded sequence, not a secret: the jitter has to be the same on every machine.
    vehicle.plays(script, encoder.periods(), random.Random(_SEED))  # noqa: S311
    tbox.plays(script)
    intruder.plays(script)
    return _recorded(script, encoder), _labels(script)


def main() -> None:
    """Write both files into firmware-sim/scenarios."""
    recording, labels = build()
    for name, text in (("demo-day.log", recording), ("demo-day.labels.yaml", labels)):
        (SCENARIOS / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"wrote {SCENARIOS / name}: {len(text)} bytes, {text.count(chr(10))} lines")


def _recorded(script: Script, encoder: Encoder) -> str:
    """The lines in the order of time; on each wire a frame waits until the one before is through."""
    free = {VEHICLE: 0, TBOX: 0}
    sent: list[tuple[int, Line, Sent]] = []
    for line in sorted(script.lines, key=lambda each: each.at):
        frame = encoder.encode(line.what) if isinstance(line.what, Spoken) else line.what
        at = max(round(line.at * 1_000_000), free[line.channel])
        free[line.channel] = at + _duration(frame)
        sent.append((at, line, frame))
    sent.sort(key=lambda each: each[0])
    written = []
    for number, (at, line, frame) in enumerate(sent, 1):
        script.went(number, at / 1_000_000, line, frame)
        written.append(f"({STARTED + at // 1_000_000}.{at % 1_000_000:06}) {line.channel} {_shown(frame)}\n")
    return "".join(written)


def _duration(frame: Sent) -> int:
    """Microseconds on a wire of 500 kbit/s: the bits of a frame (ISO 11898-1:2015, 10.4.2) and a tenth for stuffing."""
    bits = (67 if frame.can_id > 0x7FF else 47) + 8 * len(frame.data)
    return bits * 11 // 10 * _BIT_US


def _shown(frame: Sent) -> str:
    """The frame as candump writes it."""
    flags = f"#{frame.flags & ~FD_FORMAT:X}" if frame.flags & FD_FORMAT else ""
    return f"{shown(frame.can_id)}#{flags}{frame.data.hex().upper()}"


def _labels(script: Script) -> str:
    document = {
        "scenario": "demo-day",
        "profile": PROFILE,
        "policy": f"dbc/{PROFILE}/policy.yaml",
        "mode": "enforce",
        "started": "2026-03-02T06:40:00Z",
        "channels": {VEHICLE: "vehicle", TBOX: "tbox"},
        "stories": [story.label() for story in sorted(script.stories.values(), key=lambda each: each.begins)],
    }
    return _HEAD + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=118, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Writes short lists in one line: a story has many lines."""


_Dumper.add_representer(
    list,
    lambda dumper, items: dumper.represent_sequence(
        "tag:yaml.org,2002:seq", items, flow_style=not any(isinstance(item, dict) for item in items)
    ),
)


if __name__ == "__main__":
    main()
