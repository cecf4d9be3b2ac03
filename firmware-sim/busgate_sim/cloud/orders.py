"""What a clerk at the vendor's platform can order a vehicle to do, by name.

Law: an order is the same whatever protocol carries it; names, arguments and their ranges stand here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Argument(NamedTuple):
    """A number from `least` to `most`, or a text where both are None; without `usual` it has to be given."""

    least: float | None = None
    most: float | None = None
    usual: float | str | None = None


ORDERS: Mapping[str, Mapping[str, Argument]] = {
    "remote-stop": {},
    "release": {},
    "torque-limit": {"percent": Argument(0, 100)},
    "speed-limit": {"kmh": Argument(0, 250)},
    "charge-limit": {"amperes": Argument(0, 1000)},
    "door-unlock": {},
    "door-lock": {},
    "preheat": {"degc": Argument(-40, 60, 21.0), "minutes": Argument(1, 250, 20.0)},
    "update": {"url": Argument(), "version": Argument(usual="")},
    "diagnose": {"target": Argument(), "requests": Argument()},
    "text": {"text": Argument()},
    "reset": {},
    "ask-settings": {},
}
"""By name, with their arguments in the unit that the argument is called."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order; made by `order`."""

    name: str
    arguments: Mapping[str, float | str] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """An argument as the whole number nearest to it."""
        return round(float(self.arguments[name]))

    def words(self, name: str) -> str:
        """An argument as text."""
        return str(self.arguments[name])


def order(name: str, arguments: Mapping[str, float | str] | None = None) -> Order:
    """An order with all its arguments.

    Raises:
        ValueError: there is no such order, or an argument is missing, unknown or out of range.
    """
    given, known = arguments or {}, ORDERS.get(name)
    if known is None:
        raise ValueError(f"there is no order {name!r}; there are {', '.join(ORDERS)}")
    if strange := set(given) - set(known):
        raise ValueError(f"{name} has no {', '.join(sorted(strange))}; it takes {', '.join(known) or 'nothing'}")
    return Order(name, {each: _checked(name, each, argument, given) for each, argument in known.items()})


def order_from_words(words: list[str]) -> Order:
    """An order as typed: its name, then argument=value.

    Raises:
        ValueError: as `order`, or a word without `=`.
    """
    if not words:
        raise ValueError(f"which order? There are {', '.join(ORDERS)}")
    given = dict[str, float | str]()
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} is no argument; write argument=value")
        given[name] = value
    return order(words[0], given)


def _checked(name: str, each: str, argument: Argument, given: Mapping[str, float | str]) -> float | str:
    value = given.get(each, argument.usual)
    if value is None:
        raise ValueError(f"{name} needs {each}, as in {name} {each}=...")
    if argument.least is None or argument.most is None:
        return str(value)
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"{name}: {each} has to be a number, not {value!r}") from None
    if not argument.least <= number <= argument.most:
        raise ValueError(f"{name}: {each} has to be from {argument.least:g} to {argument.most:g}, not {number:g}")
    return number
