"""A played scenario written out: a candump log of both wires, the T-box's packets, and labels that join them.

Law: the same scenario and seed give the same bytes. The trace is what was *sent* on each wire; what crossed is not in
it, so that any gate can be tried on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from busgate.model import EXTENDED, FD_FORMAT, IDENTIFIER, REMOTE
from busgate_sim import packets
from busgate_sim.body import BusBody
from busgate_sim.scenario import Scenario
from busgate_sim.splice import Open
from busgate_sim.stage import PROFILE, STARTED, TBOX, VEHICLE, Stage, Went, cause_of_act
from busgate_sim.tbox_firmware.unit import ORDINARY
from busgate_sim.world import SECOND

_HEAD = """\
# Synthetic: recorded from a simulated bus without a gate. `lines` are those of the .log and `packets` those of the
# .pcapng, both counted from 1; `message` is the cloud's message that the act began with, where it came that way, and
# `short_message` the SMS-DELIVER that it came in.
"""


class Written(NamedTuple):
    """The files of a recording."""

    trace: Path
    packets: Path
    labels: Path


def record(scenario: Scenario, folder: Path, *, seed: int = 0) -> Written:
    """Play a scenario with nothing between the wires and write it down."""
    stage = Stage(scenario, BusBody(scenario.start), Open(), seed=seed)
    stage.tape = []
    stage.run()
    tape = sorted(stage.tape, key=lambda went: went.at)
    folder.mkdir(parents=True, exist_ok=True)
    written = Written(*(folder / f"{scenario.scenario}.{kind}" for kind in ("log", "pcapng", "labels.yaml")))
    written.trace.write_text("".join(map(_line, tape)), encoding="utf-8", newline="\n")
    opaque = any(act.by == "tls" for act in scenario.acts)
    numbers = packets.write(stage.air.segments, STARTED, written.packets, opaque=opaque)
    text = yaml.safe_dump(labels(stage, tape, numbers, seed), sort_keys=False)
    written.labels.write_text(_HEAD + text, encoding="utf-8", newline="\n")
    return written


def shortened(scenario: Scenario, seconds: float) -> Scenario:
    """The scenario's first seconds, with the acts that begin in them."""
    lasts = min(seconds, scenario.lasts)
    return scenario.model_copy(update={"lasts": lasts, "acts": tuple(act for act in scenario.acts if act.at < lasts)})


def labels(stage: Stage, tape: list[Went], numbers: list[int], seed: int) -> dict[str, Any]:
    """The ground truth of a recording; `numbers` are the packets of what passed the antenna."""
    scenario = stage.scenario
    lines = _by_cause((went.cause, number) for number, went in enumerate(tape, 1))
    carried = _by_cause(zip((segment.cause for segment in stage.air.segments), numbers, strict=True))
    texted = {short.cause: short for short in stage.air.shorts}
    acts = []
    for number, act in enumerate(scenario.acts):
        cause = cause_of_act(number)
        told = act.model_dump(exclude_defaults=True, by_alias=True) | {"lines": lines.get(cause, [])}
        if cause in carried:
            told["packets"] = carried[cause]
        if cause in stage.understood:
            told["message"] = stage.understood[cause]
        if cause in texted:
            short = texted[cause]
            told |= {"short_message": {"at": round(short.at / SECOND, 6), "pdu": short.pdu.hex()}}
        acts.append(told)
    return {
        "scenario": scenario.scenario,
        "title": scenario.title,
        "kind": scenario.kind,
        "profile": PROFILE,
        "policy": f"dbc/{PROFILE}/{scenario.policy}",
        "seed": seed,
        "started": STARTED,
        "speaks": scenario.speaks,
        "channels": {VEHICLE: "vehicle", TBOX: "tbox"},
        "acts": acts,
    }


def _by_cause(marked: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Where each act's cause stands in a recording."""
    found: dict[str, list[int]] = {}
    for cause, number in marked:
        if cause and cause != ORDINARY:
            found.setdefault(cause, []).append(number)
    return found


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
