"""What the vendor declares that can be done from afar, and how that compares with what was seen.

Law: a field that the declaration leaves out restricts nothing, and every field that it gives must fit. What fits no
declared function is undeclared; doubt about an endpoint's country is a deviation, not a match. Text in, values out.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, field_validator, model_validator

from busgate.bridge.countries import Origin, in_eu
from busgate.document import Strict, read
from busgate.model import Act, Subsystem
from busgate.service.remote_function import Interface, Kind, Remote, RemoteFunction

GUIDE = "docs/inventory.md"


class Deviation(StrEnum):
    """How what was seen departs from what was declared."""

    FUNCTION = "UNDECLARED_REMOTE_FUNCTION"
    ENDPOINT = "UNDECLARED_ENDPOINT"
    COUNTRY = "UNDECLARED_COUNTRY"


def _several(value: Any) -> Any:
    """One value stands for a list of one."""
    return value if isinstance(value, (list, tuple)) else [value]


def _address(value: Any) -> Any:
    """A target given by its address alone, which YAML reads as a number."""
    return f"0x{value:02X}" if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else value


Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_several)]


class DeclaredFunction(Strict):
    """One function that the vendor says exists."""

    interface: Annotated[tuple[Interface, ...], BeforeValidator(_several), Field(min_length=1)]
    name: str = ""
    code: int | str | None = None
    protocol: str = ""
    subsystem: Subsystem | None = None
    act: Annotated[tuple[Act, ...], BeforeValidator(_several)] = ()
    target: Annotated[str, BeforeValidator(_address)] = ""
    endpoints: Texts = ()
    countries: Texts = ()
    purpose: Annotated[str, Field(min_length=1)]

    @field_validator("countries")
    @classmethod
    def _known(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        for country in countries:
            if not re.fullmatch(r"[A-Z]{2}", country):
                raise ValueError(f"{country!r} is no country; give ISO 3166-1 codes such as NL, or EU")
        return countries

    @model_validator(mode="after")
    def _says_which(self) -> DeclaredFunction:
        if not self.name and self.code is None and not (self.subsystem and self.act):
            raise ValueError(
                "give a name, a code, or both subsystem and act, so that it is clear which function is meant"
            )
        return self

    @property
    def title(self) -> str:
        """What people call it."""
        if self.name:
            return self.name
        if self.code is not None:
            number = _number(self.code)
            return f"{self.protocol} {f'0x{number:04X}' if isinstance(number, int) else number}".strip()
        return f"{self.subsystem}: {', '.join(self.act)}"

    def covers(self, seen: RemoteFunction) -> bool:
        """Whether a function that was seen is this one, wherever it came from."""
        return not self.differences(seen)

    def differences(self, seen: RemoteFunction) -> tuple[str, ...]:
        """The fields in which it is another one."""
        name = seen.identity
        fits = {
            "interface": name.interface in self.interface,
            "name": not self.name or self.name.casefold() == name.name.casefold(),
            "code": self.code is None or _number(self.code) in {_number(code) for code in seen.codes},
            "protocol": not self.protocol or self.protocol.casefold() == name.protocol.casefold(),
            "subsystem": self.subsystem is None or self.subsystem is name.subsystem,
            # An idle message asks for nothing yet, so it does none of the acts that its name is declared for.
            "act": not self.act or name.act in self.act or (name.act is Act.SEND and bool(self.name)),
            "target": not self.target or _same_target(self.target, name.target),
        }
        return tuple(field for field, fit in fits.items() if not fit)


class Declaration(Strict):
    """The vendor's declaration of one vehicle type."""

    declaration: Annotated[str, Field(min_length=1)]
    version: Annotated[int, Field(ge=1)]
    vendor: Annotated[str, Field(min_length=1)]
    vehicle: str = ""
    date: date
    functions: tuple[DeclaredFunction, ...]


def load_text(text: str, name: str) -> Declaration:
    """Read a declaration; raises DocumentError with a line for each fault."""
    return read(text, Declaration, name, GUIDE)


class Departure(NamedTuple):
    """One deviation of one function; `detail` is the endpoint or country, or what a near match differs in."""

    kind: Deviation
    seen: RemoteFunction
    detail: str = ""


class Comparison(NamedTuple):
    """A declaration beside what was seen: which function covers which row (by number), and where they part."""

    covered: dict[int, int]
    departures: tuple[Departure, ...]
    not_observed: tuple[DeclaredFunction, ...]


def compare(declaration: Declaration, rows: Iterable[RemoteFunction]) -> Comparison:
    """Compare each row that was seen with the functions declared.

    Ordinary messages of the T-box's own are nothing that has to be declared.
    """
    covered: dict[int, int] = {}
    departures: list[Departure] = []
    observed: set[int] = set()
    for number, row in enumerate(rows):
        fitting = [index for index, declared in enumerate(declaration.functions) if declared.covers(row)]
        observed.update(fitting)
        if fitting:
            covered[number] = fitting[0]
            departures += _elsewhere(row, [declaration.functions[index] for index in fitting])
        elif row.kind is not Kind.TRAFFIC:
            departures.append(Departure(Deviation.FUNCTION, row, _nearest(declaration, row)))
    silent = tuple(each for index, each in enumerate(declaration.functions) if index not in observed)
    return Comparison(covered, tuple(departures), silent)


def _nearest(declaration: Declaration, row: RemoteFunction) -> str:
    """What a function declared under the same name or code differs in, or ""."""
    for declared in declaration.functions:
        differs = declared.differences(row)
        if len(differs) == 1 and differs[0] not in {"name", "code"}:
            return differs[0]
    return ""


def _elsewhere(row: RemoteFunction, declared: list[DeclaredFunction]) -> list[Departure]:
    """The remote ends and countries that none of the fitting functions names."""
    found: dict[tuple[Deviation, str], None] = {}
    for remote in row.remotes:
        ends = [each for each in declared if not each.endpoints or any(_names(end, remote) for end in each.endpoints)]
        if not ends:
            found[Deviation.ENDPOINT, remote.endpoint or "?"] = None
            ends = declared
        origin = Origin(remote.country, in_eu(remote.country) if remote.country else None)
        if not any(not each.countries or origin.within(each.countries) for each in ends):
            found[Deviation.COUNTRY, remote.country or "?"] = None
    return [Departure(kind, row, detail) for kind, detail in found]


def _names(declared: str, remote: Remote) -> bool:
    """Whether a declared endpoint means a remote end: name, `*.name`, address, network or number, each with `:port`."""
    address, port = _parted(remote.endpoint)
    wanted, wanted_port = _parted(declared)
    if wanted_port and wanted_port != port:
        return False
    host = remote.host.casefold().rstrip(".")
    wanted = wanted.casefold().rstrip(".")
    if wanted.startswith("*."):
        return host.endswith(wanted[1:])
    if wanted == host or wanted == address.casefold():
        return True
    if wanted.startswith(("+", "00")):
        return _digits(wanted) == _digits(address)
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _parted(endpoint: str) -> tuple[str, str]:
    """Address and port, "" where there is none: `192.0.2.7:443`, `[2001:db8::7]:443`, `2001:db8::7`, `+31600000001`."""
    if found := re.fullmatch(r"\[(.+)\](?::(\d+))?", endpoint.strip()):
        return found[1], found[2] or ""
    if found := re.fullmatch(r"([^:]+):(\d+)", endpoint.strip()):
        return found[1], found[2]
    return endpoint.strip(), ""


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number).removeprefix("00")


def _number(code: int | str) -> int | str:
    """A code as a number where it is one, however it is written."""
    if isinstance(code, int):
        return code
    try:
        return int(code, 0)
    except ValueError:
        return code.strip().casefold()


def _same_target(declared: str, seen: str) -> bool:
    """A target by its name, by its address, or as `name (address)`."""
    wanted = declared.casefold()
    return wanted in {part.casefold() for part in (seen, *re.split(r"[ ()]+", seen)) if part}
