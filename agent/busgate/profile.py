"""A vehicle described as data: its wires, its ECUs, its T-box, which messages command something, what tells its state.

Law: a profile says what things *are*, never what is allowed; that is the operator's policy. It is read from
`profile.yaml` beside its DBC files. Addresses may be written in hexadecimal (`0x27`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from busgate.document import Strict, read
from busgate.model import Act, Subsystem

Address = Annotated[int, Field(ge=0, le=0xFF)]
CanId = Annotated[int, Field(ge=0, le=0x1FFF_FFFF)]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class UdsIds(Strict):
    """The pair of 11-bit identifiers an ECU is diagnosed on; `extended` is its address byte, if it uses one."""

    request: CanId
    response: CanId
    extended: Address | None = None


class Ecu(Strict):
    """One control unit: its J1939 source address and 11-bit messages make a frame "its own"."""

    name: Name
    subsystem: Subsystem
    sa: Address | None = None
    ids: tuple[CanId, ...] = ()
    uds: UdsIds | None = None
    """11-bit diagnostics; on 29-bit identifiers the source address is the diagnostic address."""


class Tbox(Strict):
    """What the telematics unit calls itself, and all that it was seen to send when it was commissioned."""

    name: Name = "T-box"
    sas: tuple[Address, ...] = ()
    ids: tuple[CanId, ...] = ()
    """11-bit identifiers it sends, besides the messages marked below."""
    pgns: tuple[int, ...] = ()
    """Parameter groups it sends in ordinary service; another one from it is "unseen at commissioning"."""


class ActBySignal(Strict):
    """The act depends on a signal: its raw value picks it; a value that is not listed picks `otherwise`."""

    signal: Name
    acts: dict[int, Act]
    otherwise: Act


class CommandMark(Strict):
    """A message (DBC name) that commands something when the T-box sends it."""

    message: Name
    subsystem: Subsystem
    act: Act | ActBySignal
    target: Name | None = None
    """The ECU's name; left out when the destination address says it."""
    idle: dict[Name, tuple[float | str, ...]] = Field(default_factory=dict)
    """Signal values that make it command nothing; idle only if all of the signals are."""


class StateSignal(Strict):
    """Where one fact about the vehicle's situation is read: only ever from frames of the vehicle side."""

    message: Name
    signal: Name
    sa: Address | None = None
    """Only from this J1939 source address."""
    true: tuple[float, ...] = ()
    false: tuple[float, ...] = ()
    """For facts that are true or false: the raw values that say so. Any other value says nothing."""
    minimum: float | None = None
    maximum: float | None = None
    """For facts that are numbers: outside this range the value says nothing."""


class CounterMark(Strict):
    """A message whose alive counter runs from 0 to `modulo` - 1; one that repeats or leaps is stale or replayed."""

    message: Name
    signal: Name
    modulo: Annotated[int, Field(ge=2, le=65536)] = 16


class CloudMark(Strict):
    """What a vendor's own form over the air does, where the operator knows: declared, or found out on a bench.

    `protocol` and `code` select messages (0x8500 of jt808), `asks` what busgate calls what they ask for, and
    `where` the values of arguments as alerts tell them.
    """

    protocol: Name
    code: Annotated[int, Field(ge=0, le=0xFFFF_FFFF)] | None = None
    asks: Name | None = None
    where: dict[Name, tuple[int | float | str, ...]] = Field(default_factory=dict)
    name: Name
    subsystem: Subsystem
    act: Act

    @model_validator(mode="after")
    def _selects(self) -> CloudMark:
        if self.code is None and self.asks is None:
            raise ValueError("say which messages: code (a number of the protocol), or asks (what they ask for)")
        return self


class Diagnostics(Strict):
    """Which 11-bit identifiers may carry ISO-TP besides those of the ECUs, and which reach every ECU at once."""

    watch: tuple[tuple[CanId, CanId], ...] = ((0x600, 0x7FF),)
    functional: tuple[CanId, ...] = (0x7DF,)


class Flood(Strict):
    """How many frames a second the T-box may send before it is flooding: of one identifier, and in all."""

    per_id: Annotated[int, Field(gt=0)] = 200
    total: Annotated[int, Field(gt=0)] = 1000


StateName = Literal["speed", "park_brake", "ignition", "charging", "doors_open"]


class Profile(Strict):
    """A vehicle, or a kind of vehicle."""

    profile: Name
    version: Annotated[int, Field(ge=1)]
    title: str
    synthetic: bool
    protocol_29bit: Literal["j1939", "plain"] = "j1939"
    dbc: tuple[Name, ...] = ()
    """DBC files, relative to the profile's folder."""
    ecus: tuple[Ecu, ...] = ()
    tbox: Tbox = Tbox()
    commands: tuple[CommandMark, ...] = ()
    cloud: tuple[CloudMark, ...] = ()
    situation: dict[StateName, StateSignal] = Field(default_factory=dict)
    counters: tuple[CounterMark, ...] = ()
    diagnostics: Diagnostics = Diagnostics()
    flood: Flood = Flood()

    @model_validator(mode="after")
    def _consistent(self) -> Profile:
        names = [ecu.name for ecu in self.ecus]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"ECU {min(twice)} is described twice")
        for ecu in self.ecus:
            if ecu.sa is not None and ecu.sa in self.tbox.sas:
                raise ValueError(f"source address 0x{ecu.sa:02X} is both {ecu.name}'s and the T-box's")
        for mark in self.commands:
            if mark.target is not None and mark.target not in names:
                raise ValueError(f"command {mark.message} targets {mark.target}, which is no ECU of this profile")
        return self


def read_profile(text: str, name: str = "profile.yaml") -> Profile:
    """Read a profile document; raises DocumentError naming line and field."""
    return read(text, Profile, name)
