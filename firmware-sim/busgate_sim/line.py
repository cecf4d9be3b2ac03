"""The line that the bus serves: stops, how far apart, how fast between them, and when it leaves each.

Law: a bus never leaves a stop before its time; one that is late leaves as soon as its doors are closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

from busgate.document import Strict, read
from busgate.model import BusgateError

FOLDER = Path(__file__).resolve().parents[1] / "scenarios" / "lines"


class Stop(Strict):
    """One stop; the section before it is `metres` long and driven at `kmh` at most."""

    stop: str
    metres: Annotated[float, Field(gt=30)]
    kmh: Annotated[float, Field(ge=10, le=80)] = 40.0
    departs: Annotated[float, Field(ge=0)] = 0.0
    """Seconds after the trip began."""


class Line(Strict):
    """A trip over a line, from its first stop; it is driven again and again, `layover` seconds apart."""

    line: str
    title: str
    stops: tuple[Stop, ...] = Field(min_length=1)
    layover: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _rises(self) -> Line:
        times = [each.departs for each in self.stops if each.departs]
        if times != sorted(times):
            raise ValueError("departures have to rise along the line")
        return self


class Section(NamedTuple):
    """The way to the next stop: its end in metres and its speed, and when the bus leaves there (seconds)."""

    ends: float
    kmh: float
    departs: float


def sections(line: Line | None) -> Iterator[Section]:
    """The sections one after the other without end; without a line, stops 450 m apart and no timetable."""
    metres = began = 0.0
    while True:
        for each in line.stops if line is not None else (_PLAIN,):
            metres += each.metres
            yield Section(metres, each.kmh, began + each.departs if each.departs else 0.0)
        if line is not None:
            began += max((each.departs for each in line.stops), default=0.0) + line.layover


def load(name: str) -> Line:
    """A line by its name, or by the path of a .yaml file.

    Raises:
        BusgateError: there is none, or it is not as a line has to be.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        known = ", ".join(sorted(each.stem for each in FOLDER.glob("*.yaml")))
        raise BusgateError(f"there is no line {name}; there are {known}") from None
    return read(text, Line, path.name)


_PLAIN = Stop(stop="any", metres=450.0)
