"""Writes docs/rules.md from the rule table: `python tests/support/rules_page.py > docs/rules.md`.

Law: the page says nothing that the table does not; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator

from busgate.detect.rule import STANDSTILL_KMH, VITAL
from busgate.detect.rules import RULES, Rule, Scale
from busgate.detect.threats import ATTACK_SOURCE, ATTACK_TECHNIQUES, R155_ROWS, R155_SOURCE
from busgate.model import Subsystem

_HEAD = """# Detection rules

<!-- Written by `python tests/support/rules_page.py > docs/rules.md` from the tables in agent/busgate/detect. -->

What busgate looks for, on the CAN side and over the air, {count} rules. Every alert names one of them
and its version; the version rises whenever a rule's meaning changes.

## How severe

A rule has a severity for a vehicle that stands and one for a vehicle that moves. It stands when its speed is known to
be at most {standstill} km/h; **a speed that is missing, stale or out of range counts as moving**. Where a rule has
two more, they hold when what is concerned is vital ({vital}) or all ECUs are reached at once.

- **CRITICAL is kept for what can hurt people within seconds**: a command to a vital subsystem (or a diagnostic service
  that alters one at once, or a forged identity of one) while the bus is not known to stand. Reprogramming a vital ECU
  is critical at standstill too: what is written there drives later. An alarm that is rare is an alarm that is read.
- **Doors at speed are HIGH**, since a bus has its own interlock against opening above walking pace and the alert is
  about the attempt. **Charging is HIGH** even at standstill, because that is where it happens.
- **What nobody can name is HIGH**, at any speed: unknown means alert, never benign. It is not critical because
  proprietary messages are what T-boxes send all day; once the maker has explained one, it gets a name and a
  severity of its own.
- **The operator's own allow rule or grant makes it INFO**: allowed commands stay in the record and leave the alarm
  list. That never excuses bad conduct: a forged sender, a flood, a replay or malformed bytes keep their severity even
  on a frame that an allow rule lets pass.

## All rules

The severities are for a vehicle that stands / moves.

| rule | what | severity | if vital | UN R155 | ATT&CK |
|---|---|---|---|---|---|
"""


def render() -> str:
    """The whole page."""
    vital = ", ".join(subsystem for subsystem in Subsystem if subsystem in VITAL)
    head = _HEAD.format(count=len(RULES), standstill=STANDSTILL_KMH, vital=vital)
    return head + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for rule in RULES.values():
        yield (
            f"| [{rule.id}](#{_anchor(rule)}) | {rule.title} | {_scale(rule.scale)} | {_scale(rule.vital)} "
            f"| {', '.join(rule.r155)} | {', '.join(rule.attack)} |"
        )
    for rule in RULES.values():
        yield from _section(rule)
    yield from ("", "## The references", "", f"Rows of {R155_SOURCE}, in our words:", "")
    named = {row for rule in RULES.values() for row in rule.r155}
    yield from (f"- **{row}** {text}" for row, text in R155_ROWS.items() if row in named)
    yield from ("", f"Techniques of {ATTACK_SOURCE}:", "")
    used = {technique for rule in RULES.values() for technique in rule.attack}
    yield from (f"- **{technique}** {name}" for technique, name in ATTACK_TECHNIQUES.items() if technique in used)


def _section(rule: Rule) -> Iterator[str]:
    yield from ("", f"### {rule.id}", "", f"Version {rule.version}. {rule.title}.", "")
    yield f"- EN: {rule.text_en}"
    yield f"- NL: {rule.text_nl}"
    yield f"- First step: {rule.playbook_en}"
    yield f"- Eerste stap: {rule.playbook_nl}"


def _scale(scale: Scale | None) -> str:
    if scale is None:
        return ""
    return f"{scale.standing.name} / {scale.moving.name}"


def _anchor(rule: Rule) -> str:
    return rule.id.replace(".", "")


if __name__ == "__main__":
    print(render(), end="")
