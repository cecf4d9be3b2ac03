"""Changes one thing at a time in the judge and in the trust floor, and shows which changes no test notices.

Law: a survivor is either killed by a new test or argued in `survivors.yaml`; anything else fails. So does an argument
for a mutant that no longer survives, since nobody would miss it.

Run by `make mutants`; takes some minutes. What is changed is a copy in build/mutants, never the tree itself.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutants"
ARGUED = Path(__file__).with_name("survivors.yaml")
PAGE = ROOT / "docs" / "mutants.md"

SUITES = {
    "trust": ["tests/unit/trust", "tests/property/test_note_bytes.py"],
    "judge": ["tests/unit/judge"],
}
"""The rooms that decide and what tests them alone: what only a test from afar notices counts as a survivor."""

_HEAD = """# What no test notices

<!-- Written by `make mutants` from tests/mutants/survivors.yaml. -->

`make mutants` changes one thing at a time in `judge/` (what may pass) and `trust/` (whose signature counts), and runs
that room's own unit tests against each change. A change that no test notices is listed here, with the reason why nobody
could see it; `make mutants` fails on any other survivor.

"""

_SETTINGS = """\
[tool.mutmut]
source_paths = ["busgate"]
only_mutate = ["busgate/{room}/*"]
also_copy = ["tests"]
pytest_add_cli_args_test_selection = {tests}

[tool.pytest.ini_options]
addopts = "-q --import-mode=importlib -p no:cacheprovider"
pythonpath = ["tests", "."]
"""


class Survivor(NamedTuple):
    """A mutant that no test killed: the function it is in, and what it changes."""

    function: str
    change: str


class Tally(NamedTuple):
    """One room's mutants."""

    made: int
    survivors: list[Survivor]


def main() -> int:
    argued = {Survivor(each["in"], each["change"].strip()): each["why"] for each in yaml.safe_load(ARGUED.read_text())}
    tallies = {room: tried(room, tests) for room, tests in SUITES.items()}
    found = [survivor for tally in tallies.values() for survivor in tally.survivors]
    fresh = [survivor for survivor in found if survivor not in argued]
    gone = [survivor for survivor in argued if survivor not in found]
    for survivor in fresh:
        print(f"\nnot argued, in {survivor.function}:\n{survivor.change}")
    for survivor in gone:
        print(f"\nargued, but it does not survive any more, in {survivor.function}:\n{survivor.change}")
    for room, tally in tallies.items():
        print(f"{room}: {tally.made} mutants, {len(tally.survivors)} survive")
    if fresh or gone:
        print(f"Next: write a test that notices it, or argue it in {ARGUED.relative_to(ROOT)}")
        return 1
    PAGE.write_text(page(tallies, argued), encoding="utf-8")
    print(f"all survivors are argued; written to {PAGE.relative_to(ROOT)}")
    return 0


def tried(room: str, tests: list[str]) -> Tally:
    """Make every mutant of a room and run its tests against each."""
    folder = WORK / room
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "agent" / "busgate", folder / "busgate", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "dbc", folder / "dbc")
    shutil.copytree(ROOT / "docs", folder / "docs")
    (folder / "pyproject.toml").write_text(_SETTINGS.format(room=room, tests=tests), encoding="utf-8")
    mutmut = str(Path(sys.executable).with_name("mutmut"))
    print(f"{room}: making mutants and running {', '.join(tests)} against each …", flush=True)
    ran = subprocess.run([mutmut, "run"], cwd=folder, capture_output=True, text=True, check=False)
    (folder / "run.log").write_text(ran.stdout + ran.stderr, encoding="utf-8")
    counted = re.findall(r"(\d+)/(\d+) ", ran.stdout)
    if ran.returncode or not counted:
        raise SystemExit(f"mutmut ended with {ran.returncode}; see {(folder / 'run.log').relative_to(ROOT)}")
    told = subprocess.run([mutmut, "results"], cwd=folder, capture_output=True, text=True, check=True)
    names = re.findall(r"^\s*(\S+): survived", told.stdout, re.MULTILINE)
    odd = [line for line in told.stdout.splitlines() if line.strip() and ": survived" not in line]
    if odd:  # "no tests", "timeout" or "suspicious": none of them is a kill
        raise SystemExit("mutants that were neither killed nor survived:\n" + "\n".join(odd))
    return Tally(int(counted[-1][1]), [survivor(folder, mutmut, name) for name in names])


def survivor(folder: Path, mutmut: str, name: str) -> Survivor:
    """A mutant by what it changes, since its number moves with every edit."""
    shown = subprocess.run([mutmut, "show", name], cwd=folder, capture_output=True, text=True, check=True).stdout
    lines = [line for line in shown.splitlines() if re.match(r"[-+](?![-+]{2} )", line)]
    function = re.sub(r"__mutmut_\d+$", "", name).removeprefix("busgate.")
    plain = re.sub(r"\bx_(?!_mutmut)", "", function.replace("xǁ", "").replace("ǁ", "."))
    return Survivor(plain, "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines))


def page(tallies: dict[str, Tally], argued: dict[Survivor, str]) -> str:
    """docs/mutants.md."""
    text = _HEAD + "| room | mutants | survive, argued |\n|---|---|---|\n"
    text += "".join(f"| `{room}/` | {tally.made:,} | {len(tally.survivors)} |\n" for room, tally in tallies.items())
    for room, tally in tallies.items():
        text += f"\n## {room}\n"
        for each, times in Counter(tally.survivors).items():
            more = f" ({times} times)" if times > 1 else ""
            text += f"\n`{each.function}`{more}: {argued[each].strip()}\n\n```diff\n{each.change}\n```\n"
    return text


if __name__ == "__main__":
    sys.exit(main())
