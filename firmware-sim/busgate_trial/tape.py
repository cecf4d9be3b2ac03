"""A played scenario written out: a candump log of both wires, and labels that say what each T-box frame belongs to.

Law: the same scenario and seed give the same bytes. The trace is what was *sent* on each wire; what crossed is not in
it, so that any gate can be tried on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from busgate.model import EXTENDED, FD_FORMAT, IDENTIFIER, REMOTE
from busgate_sim.body import BusBody
from busgate_sim.scenario import Scenario
from busgate_sim.splice import Open
from busgate_sim.stage import PROFILE, STARTED, TBOX, VEHICLE, Stage, Went, cause_of_act
from busgate_sim.tbox_firmware.unit import ORDINARY

_HEAD = "# Synthetic: recorded from a simulated bus without a gate. `lines` are those of the .log, counted from 1.\n"


class Written(NamedTuple):
    """The two files of a recording."""

    trace: Path
    labels: Path


def record(scenario: Scenario, folder: Path, *, seed: int = 0) -> Written:
    """Play a scenario with nothing between the wires and write it down."""
    stage = Stage(scenario, BusBody(scenario.start), Open(), seed=seed)
    stage.tape = []
    stage.run()
    tape = sorted(stage.tape, key=lambda went: went.at)
    folder.mkdir(parents=True, exist_ok=True)
    written = Written(folder / f"{scenario.scenario}.log", folder / f"{scenario.scenario}.labels.yaml")
    written.trace.write_text("".join(map(_line, tape)), encoding="utf-8", newline="\n")
    written.labels.write_text(_HEAD + yaml.safe_dump(labels(scenario, tape, seed), sort_keys=False), encoding="utf-8")
    return written


def labels(scenario: Scenario, tape: list[Went], seed: int) -> dict[str, Any]:
    """The ground truth of a recording."""
    lines: dict[str, list[int]] = {}
    for number, went in enumerate(tape, 1):
        if went.cause and went.cause != ORDINARY:
            lines.setdefault(went.cause, []).append(number)
    acts = []
    for number, act in enumerate(scenario.acts):
        told = act.model_dump(exclude_defaults=True, by_alias=True)
        acts.append(told | {"lines": lines.get(cause_of_act(number), [])})
    return {
        "scenario": scenario.scenario,
        "title": scenario.title,
        "kind": scenario.kind,
        "profile": PROFILE,
        "policy": f"dbc/{PROFILE}/{scenario.policy}",
        "seed": seed,
        "started": STARTED,
        "channels": {VEHICLE: "vehicle", TBOX: "tbox"},
        "acts": acts,
    }


def _line(went: Went) -> str:
    seconds, rest = divmod(went.at, 1_000_000_000)
    can_id, data, flags = went.sent
    identifier = f"{can_id & IDENTIFIER:08X}" if can_id & EXTENDED else f"{can_id & IDENTIFIER:03X}"
    if can_id & REMOTE:
        body = f"#R{len(data) or ''}"
    elif flags & FD_FORMAT:
        body = f"##{flags & ~FD_FORMAT:X}{data.hex().upper()}"
    else:
        body = f"#{data.hex().upper()}"
    return f"({STARTED + seconds}.{rest // 1000:06}) {went.wire} {identifier}{body}\n"
