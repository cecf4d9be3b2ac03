"""docs/network.md is true: its policy is taken, every field and exit code is in it, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from busgate.cli.policy import command as policy
from busgate.judge.network import NetworkSection, Remote
from busgate.judge.policy import load_policy
from busgate.judge.rules import CloudSelector
from busgate.service.keeper import _TYPES
from busgate.settings import Air, Evidence
from busgate.settings import Hold as HoldSettings

PAGE = (Path(__file__).parents[3] / "docs" / "network.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def rows(after: str) -> set[str]:
    """The names in the first column of the table whose head is given."""
    table = PAGE.split(after, 1)[1].split("\n\n", 1)[0]
    firsts = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return {name for first in firsts for name in re.findall(r"`([\w.]+)`", first)}


def test_the_policy_on_the_page_passes_the_check_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(EXAMPLE, encoding="utf-8")
    for word in ("check", "show"):
        said = CliRunner().invoke(policy, [word, str(tmp_path / "policy.yaml")])
        assert said.exit_code == 0, said.output


def test_it_shows_each_field_of_the_network_section_at_least_once() -> None:
    network = load_policy(EXAMPLE).network
    assert network is not None
    assert network.model_fields_set == set(NetworkSection.model_fields)
    shown = {name for remote in network.endpoints for name in remote.model_fields_set}
    assert set(Remote.model_fields) - shown == {"transport"}


@pytest.mark.parametrize(
    ("head", "of"),
    [
        ("| field | meaning | default |", Air),
        ("| field of `network` | meaning |", NetworkSection),
        ("| field of an endpoint | meaning |", Remote),
        ("| field of `cloud` in a rule | meaning |", CloudSelector),
    ],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_each_table_tells_every_field_and_no_other(head: str, of: type[BaseModel]) -> None:
    assert rows(head) == set(of.model_fields)


def test_the_folders_of_the_settings_are_told_whole() -> None:
    for part, row in ((Evidence, "evidence"), (HoldSettings, "hold")):
        (line,) = re.findall(rf"^\| `{row}` \| `.*$", PAGE.split("## The policy")[0], re.MULTILINE)
        assert {name for name in part.model_fields if f"`{name}`" in line} == set(part.model_fields)


def test_entry_types_on_the_page_are_those_that_the_keeper_takes() -> None:
    assert rows("| entry | when |") <= _TYPES
    assert {"function", "cause", "update.start", "update.end", "modem"} <= rows("| entry | when |")
    assert {name for name in _TYPES if name.startswith("held.")} <= rows("| entry | when |")
