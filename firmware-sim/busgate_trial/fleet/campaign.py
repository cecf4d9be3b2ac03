"""A campaign: one order to many buses of a fleet within minutes, and what ought to become of it.

Law: as with a scenario, what is expected is written by hand from the policy's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from busgate.document import Strict, read
from busgate.model import BusgateError
from busgate_sim.tbox_firmware.acts import ACTS

FOLDER = Path(__file__).resolve().parents[2] / "scenarios" / "fleet"


class Campaign(Strict):
    """One campaign; times in seconds since the fleet began."""

    campaign: str
    title: str
    does: str
    told: Mapping[str, float | str] = Field(default_factory=dict, alias="with")
    start: Annotated[float, Field(ge=0)]
    over: Annotated[float, Field(ge=0)]
    """The orders are spread evenly over so long."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Which part of the fleet gets the order."""
    expect: Literal["passed", "blocked"]
    alert: str
    severity: Literal["info", "low", "medium", "high", "critical"]
    why: str

    @field_validator("does")
    @classmethod
    def _is_known(cls, does: str) -> str:
        if does not in ACTS:
            raise ValueError(f"there is no act {does!r}; there are {', '.join(sorted(ACTS))}")
        return does

    @model_validator(mode="after")
    def _is_one_frame(self) -> Campaign:
        if len(list(ACTS[self.does](self.told))) != 1:
            raise ValueError(f"{self.does} with these arguments takes several frames; a campaign's order takes one")
        return self

    def targets(self, buses: int) -> Mapping[int, float]:
        """Which buses of a fleet get the order, by number, and when; spread evenly over fleet and time."""
        count = max(1, round(buses * self.share))
        return {place * buses // count: self.start + self.over * place / count for place in range(count)}


def campaigns(folder: Path = FOLDER) -> list[str]:
    """The names of the campaigns there are."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def find(name: str, folder: Path = FOLDER) -> Campaign:
    """A campaign by its name, or by the path of a .yaml file.

    Raises:
        BusgateError: there is none, or it is not as a campaign has to be.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise BusgateError(f"there is no campaign {name}; there are {', '.join(campaigns(folder))}") from None
    return read(text, Campaign, path.name)
