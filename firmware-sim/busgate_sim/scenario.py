"""A scenario: what the bus does, what its T-box is made to do, and what ought to become of it.

Law: what is expected is written by hand from the policy's text, never asked of the gate that is to be tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from busgate.document import Strict, read
from busgate.model import BusgateError
from busgate_sim.online import SPOKEN
from busgate_sim.told import KINDS

LIBRARY = Path(__file__).resolve().parents[1] / "scenarios" / "library"

Effect = Literal["stops", "slows", "dark", "doors-open", "charges-less", "charges-no-more", "heats"]
"""What is seen of it on the bus where nothing stands in the way: it stops, keeps to a low speed, loses its high
voltage, opens its doors in motion, charges less or no more, heats its saloon."""

Seconds = Annotated[float, Field(ge=0)]


class Allowed(Strict):
    """A maintenance grant that the operator has given; times in seconds since the scenario began."""

    functions: tuple[str, ...]
    start: float = -3600.0
    end: float = 3600.0
    vehicle: str = "any"


class Act(Strict):
    """One thing that the T-box is made to do."""

    at: Seconds
    by: Literal["cloud", "tls", "sms", "ssh", "tbox"] = "cloud"
    """Over which way the T-box was told: in the clear, encrypted, by short message, on its maintenance port, or by
    nobody."""
    does: str
    told: Mapping[str, float | str] = Field(default_factory=dict, alias="with")
    expect: Literal["passed", "blocked", "partly"]
    alert: str = ""
    """The rule that ought to name it; empty where nothing is worth telling."""
    severity: Literal["", "info", "low", "medium", "high", "critical"] = ""
    why: str

    @field_validator("does")
    @classmethod
    def _is_known(cls, does: str) -> str:
        if does not in KINDS:
            raise ValueError(f"there is no act {does!r}; there are {', '.join(sorted(KINDS))}")
        return does

    @model_validator(mode="after")
    def _is_whole(self) -> Act:
        if bool(self.alert) != bool(self.severity):
            raise ValueError("alert and severity are given together or not at all")
        return self


class Scenario(Strict):
    """One scenario of the library."""

    scenario: str
    title: str
    kind: Literal["service", "attack", "fault"]
    start: Literal["driving", "standing", "charging"]
    lasts: Annotated[float, Field(gt=0, le=86_400)]
    policy: str = "policy.yaml"
    """A file of the profile's folder."""
    grants: tuple[Allowed, ...] = ()
    speaks: str = "jt808-2013"
    """What T-box and platform speak."""
    acts: tuple[Act, ...] = ()
    silent_from: Seconds | None = None
    """When the T-box falls silent."""
    effect: Effect | None = None

    @field_validator("speaks")
    @classmethod
    def _is_spoken(cls, speaks: str) -> str:
        if speaks not in SPOKEN:
            raise ValueError(f"nobody speaks {speaks!r}; there are {', '.join(SPOKEN)}")
        return speaks

    @model_validator(mode="after")
    def _fits(self) -> Scenario:
        for act in self.acts:
            if act.at >= self.lasts:
                raise ValueError(f"the act at {act.at:g} s comes after the end at {self.lasts:g} s")
        if self.kind == "attack" and not any(act.expect != "passed" for act in self.acts):
            raise ValueError("an attack has at least one act that ought not to pass")
        return self


def load(path: Path) -> Scenario:
    """Read one scenario; raises BusgateError in one line per fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise BusgateError(f"{path} cannot be read: {fault.strerror}. Next: busgate-sim list") from None
    scenario = read(text, Scenario, path.name)
    if scenario.scenario != path.stem:
        raise BusgateError(f"{path.name}: it calls itself {scenario.scenario}; the file's name has to be the same")
    return scenario


def library(folder: Path = LIBRARY) -> dict[str, Scenario]:
    """All scenarios of a folder by name, in the order of their names."""
    return {path.stem: load(path) for path in sorted(folder.glob("*.yaml"))}


def find(name: str, folder: Path = LIBRARY) -> Scenario:
    """One scenario by its name in the library, or by a path."""
    path = Path(name)
    if path.suffix in {".yaml", ".yml"}:
        return load(path)
    if not (folder / f"{name}.yaml").is_file():
        near = [each.stem for each in sorted(folder.glob("*.yaml")) if name.split("-", maxsplit=1)[0] in each.stem]
        hint = f"; perhaps {', '.join(near[:3])}" if near else ""
        raise BusgateError(f"there is no scenario {name}{hint}. Next: busgate-sim list")
    return load(folder / f"{name}.yaml")
