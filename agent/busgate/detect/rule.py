"""What a detection rule is, and how severe its finding is in the state the vehicle is in.

Law: a rule is data. Doubt about the speed counts as driving. The operator's own allow rule turns what he allowed into
INFO; it never excuses bad conduct, such as a forged sender or a flood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from busgate.model import Severity, Subsystem, Value

VITAL = frozenset({Subsystem.DRIVE, Subsystem.BMS, Subsystem.HIGH_VOLTAGE, Subsystem.BRAKES, Subsystem.STEERING})
"""What can hurt people within seconds while the vehicle drives. Only these make anything CRITICAL."""

STANDSTILL_KMH = 0.5
"""Speeds up to this are standstill: wheel-speed sensors of a parked vehicle flicker below it."""

PLACEHOLDERS = frozenset({"source", "target", "name"})
"""What a rule's sentences may contain in braces; whoever prints them supplies all three."""


class Scale(NamedTuple):
    """Severity as a function of the vehicle's state; a speed that is not known counts as moving."""

    standing: Severity
    moving: Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for.

    `r155` are rows of UN R155 Annex 5 table A1, `attack` technique ids of MITRE ATT&CK for ICS (both in
    `busgate.detect.threats`). The texts are plain sentences with `PLACEHOLDERS`; the playbooks say what the person
    who reads the alert does first. `vital` replaces `scale` when a vital subsystem is concerned. `excusable`
    says whether an allow rule of the operator lowers it to INFO. The version rises with every change of meaning.
    """

    id: str
    version: int
    title: str
    scale: Scale
    r155: tuple[str, ...]
    attack: tuple[str, ...]
    text_en: str
    text_nl: str
    playbook_en: str
    playbook_nl: str
    vital: Scale | None = None
    excusable: bool = True


def is_standing(situation: Mapping[str, Value]) -> bool:
    """Whether the vehicle surely stands: its speed in km/h is known and next to nothing."""
    speed = situation.get("speed")
    return isinstance(speed, (int, float)) and abs(speed) <= STANDSTILL_KMH


def severity_of(
    rule: Rule,
    situation: Mapping[str, Value],
    *,
    allowed: bool,
    subsystem: Subsystem = Subsystem.UNKNOWN,
    everybody: bool = False,
) -> Severity:
    """How much a finding matters now.

    `situation` holds what is known of the vehicle (speed in km/h), `allowed` whether the operator's policy or a grant
    let the frame pass by a rule, `subsystem` what the finding concerns, `everybody` whether it reaches all ECUs at
    once, so that the vital ones are among them.
    """
    if allowed and rule.excusable:
        return Severity.INFO
    vital = everybody or subsystem in VITAL
    scale = rule.vital if vital and rule.vital is not None else rule.scale
    return scale.standing if is_standing(situation) else scale.moving
