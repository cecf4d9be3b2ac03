"""The operator's guide is true: every example in it is taken, and every field is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from busgate.judge.grants import Grant, Holder, read_grant
from busgate.judge.limits import FlagCondition, Rate, SignalLimit, SpeedCondition, When, Window
from busgate.judge.network import Hold, NetworkSection, Remote, Volumes
from busgate.judge.policy import Policy, load_policy
from busgate.judge.refusal import CLOSENESS
from busgate.judge.rules import CloudSelector, Rule, UdsSelector

GUIDE = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
HEAD = "policy: guide\nversion: 1\nallow:\n"


def taken(example: str) -> object:
    """Read an example, with what stands around it in a policy: nothing, the head, or a rule by message."""
    if example.startswith("policy:"):
        return load_policy(example)
    if example.startswith("grant:"):
        return read_grant(example)
    if example.startswith("  - id:"):
        return load_policy(HEAD + example)
    return load_policy(f"{HEAD}  - id: around\n    message: M\n{example}")


def test_the_guide_has_examples() -> None:
    assert len(EXAMPLES) >= 11


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_taken_as_it_stands(example: str) -> None:
    assert taken(example)


PARTS = (
    Policy,
    Rule,
    UdsSelector,
    CloudSelector,
    NetworkSection,
    Remote,
    Volumes,
    Hold,
    SignalLimit,
    Rate,
    When,
    SpeedCondition,
    FlagCondition,
    Window,
    Grant,
    Holder,
)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_field_is_in_the_guide(part: type[BaseModel]) -> None:
    for name, field in part.model_fields.items():
        written = field.alias or name
        assert re.search(rf"\b{written}:|`{written}`", GUIDE), written


def test_every_reason_is_in_the_guide_from_far_to_close() -> None:
    places = [GUIDE.index(f"| `{reason.value}` |") for reason in CLOSENESS]
    assert places == sorted(places)
