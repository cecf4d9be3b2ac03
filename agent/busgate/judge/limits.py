"""What a rule may ask for: signals within limits, a vehicle that does the right thing, a rate, a time of the week.

Law: limits include their ends (`min`, `max`, `max_age`, a window's `from`), except where time runs out: a window's
`to` and the end of a rate's `per` are past it. How each is judged is in `conditions` and `usage`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, StrictBool, StrictInt, WithJsonSchema, model_validator

from busgate.judge.terms import DAY, Duration, Number, TimeOfDay, UtcOffset, Words, Written, one_or_more

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class SignalLimit(Written):
    """What one signal of the message may say: within min and max (both included), or one of `is`."""

    min: Number | None = None
    max: Number | None = None
    is_: Words | None = Field(default=None, alias="is")

    @model_validator(mode="after")
    def _says_something(self) -> SignalLimit:
        between = self.min is not None or self.max is not None
        if between == (self.is_ is not None):
            raise ValueError("say either is, or min and max" if between else "say min, max or both, or is")
        _check_range(self.min, self.max)
        return self


class SpeedCondition(Written):
    """The vehicle's speed in km/h: within min and max (both included), told at most `max_age` ago."""

    min: Number | None = None
    max: Number | None = None
    max_age: Duration

    @model_validator(mode="after")
    def _says_something(self) -> SpeedCondition:
        if self.min is None and self.max is None:
            raise ValueError("say min, max or both")
        _check_range(self.min, self.max)
        return self


class FlagCondition(Written):
    """A fact that is true or false, told at most `max_age` ago."""

    is_: StrictBool = Field(alias="is")
    max_age: Duration


class When(Written):
    """What the vehicle must be doing; every fact that is named must be known and fit."""

    speed: SpeedCondition | None = None
    park_brake: FlagCondition | None = None
    ignition: FlagCondition | None = None
    charging: FlagCondition | None = None
    doors_open: FlagCondition | None = None

    @model_validator(mode="after")
    def _says_something(self) -> When:
        if not self.model_fields_set:
            raise ValueError("name at least one fact, such as speed: {max: 5, max_age: 2 s}")
        return self


class Rate(Written):
    """At most `count` messages in any stretch of time `per`, its end excluded."""

    count: Annotated[StrictInt, Field(ge=1, le=10_000)]
    per: Duration


def _days(written: object) -> tuple[Day, ...]:
    items = written if isinstance(written, list) else [written]
    days = tuple(day for day in WEEK if day in items)
    if not days or len(days) != len(items):
        raise ValueError(f"write each day once, out of {', '.join(WEEK)}")
    return days


class Window(Written):
    """From `from` (included) to `to` (excluded), on each of `days`; one past midnight belongs to the day it began."""

    days: Annotated[
        tuple[Day, ...],
        PlainValidator(_days),
        WithJsonSchema(one_or_more({"enum": list(WEEK)})),
    ] = WEEK
    from_: TimeOfDay = Field(default=0, alias="from")
    to: TimeOfDay = DAY
    utc_offset: UtcOffset = 0

    @model_validator(mode="after")
    def _opens(self) -> Window:
        if not self.model_fields_set & {"days", "from_"}:
            raise ValueError("a window needs days, or from and to")
        if ("from_" in self.model_fields_set) != ("to" in self.model_fields_set):
            raise ValueError("from and to belong together; write both")
        if self.from_ in {self.to, DAY}:
            raise ValueError("the window never opens; for whole days leave from and to out")
        return self


def _check_range(low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError("min is above max")


def outside(value: float, low: float | None, high: float | None, unit: str = "") -> str | None:
    """How a value lies outside its limits, both included: "43.2 km/h is above 5"."""
    if low is not None and value < low:
        return f"{_shown(value)}{unit} is below {_shown(low)}"
    if high is not None and value > high:
        return f"{_shown(value)}{unit} is above {_shown(high)}"
    return None


def _shown(value: float) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
