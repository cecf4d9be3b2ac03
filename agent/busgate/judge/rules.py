"""One allow rule: what it selects, and what must hold for it to let that pass.

Law: a rule says all that it allows. Where leaving something out would open a door (which identifiers a service may
read, which groups a request may ask for, whom a group is addressed to), leaving it out is an error; `any` is a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import PlainValidator, StrictBool, WithJsonSchema, model_validator

from busgate.judge.limits import Rate, SignalLimit, When, Window
from busgate.judge.terms import (
    EVERYTHING,
    NOTHING,
    Addresses,
    CanIds,
    Codes,
    Groups,
    Id,
    Identifiers,
    Labels,
    Name,
    Prose,
    Requested,
    Services,
    Subfunctions,
    Written,
    check,
    hexadecimal,
    one_or_more,
)
from busgate.model import EXTENDED

REQUEST = 0xEA00
"""J1939-21, 5.4.2: the group that asks for another one, named in its first three bytes, little endian."""

# J1939-21, 5.10 and ISO 15765-2:2016, tables 6, 8 and 10: groups that only carry others; those are what is judged.
_CARRIERS = {
    0xEC00: "transport", 0xEB00: "transport", 0xC800: "transport", 0xC700: "transport",
    0xDA00: "diagnostics", 0xDB00: "diagnostics", 0xCE00: "diagnostics", 0xCD00: "diagnostics",
}  # fmt: skip

# ISO 14229-1:2020, 11.2 and 11.4-11.7 and 13.2 (data identifiers), 14.2 (routine identifiers).
IDENTIFIED = frozenset({0x22, 0x24, 0x2A, 0x2C, 0x2E, 0x2F})
DEFINE_IDENTIFIER = 0x2C
ROUTINE_CONTROL = 0x31
# ISO 14229-1:2020, 9.2 and the request of each service: those whose second byte is a sub-function.
WITH_SUBFUNCTION = frozenset({0x10, 0x11, 0x19, 0x27, 0x28, 0x29, 0x2C, 0x31, 0x3E, 0x83, 0x85, 0x86, 0x87})
_RESPONSE = 0x40
_STANDARD_MOST = 0x7FF

_OF_FRAMES = frozenset({"sa", "da", "requested", "signals", "only_signals"})

_CARRIED_BY = {"subfunctions": WITH_SUBFUNCTION, "dids": IDENTIFIED, "routines": frozenset({ROUTINE_CONTROL})}


def _targets(written: object) -> tuple[int | str, ...]:
    items = written if isinstance(written, list) else [written]
    fits = [isinstance(item, str) or (type(item) is int and 0 <= item <= 0x1FFF_FFFF) for item in items]
    if not items or not all(fits) or "" in items:
        raise ValueError("write the ECU's name as the profile has it, or its address, or a list of them")
    return tuple(items)


def canid_of(number: int) -> int:
    """The canid_t of an identifier as a policy writes it: above 0x7FF it has 29 bits."""
    return number | EXTENDED if number > _STANDARD_MOST else number


def has_destination(pgn: int) -> bool:
    """Whether a group is sent to an address: PDU1, its format byte below 240 (J1939-21, 5.2.3)."""
    return (pgn >> 8) & 0xFF < 0xF0


Targets = Annotated[
    tuple[int | str, ...], PlainValidator(_targets), WithJsonSchema(one_or_more({"type": ["string", "integer"]}))
]


class UdsSelector(Written):
    """Which diagnostic requests, to which ECU: by name, or by address."""

    target: Targets | None = None
    functional: StrictBool = False
    """Requests to every ECU at once, and only those."""
    services: Services
    subfunctions: Subfunctions = EVERYTHING
    dids: Identifiers = NOTHING
    routines: Identifiers = NOTHING

    @model_validator(mode="after")
    def _complete(self) -> UdsSelector:
        check(self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        services = frozenset(self.services)
        if answers := sorted(service for service in services if service & _RESPONSE):
            yield f"{hexadecimal(answers[0])} is an answer, not a service that can be requested"
        if self.target is None and not self.functional:
            yield "say which ECU: target, by name or address; or functional: true for requests to all at once"
        for field, carriers in _CARRIED_BY.items():
            if field in self.model_fields_set and not services & carriers:
                yield f"{field} are listed, but none of the services carries one"
        if self.dids == NOTHING and (unlisted := sorted(services & IDENTIFIED)):
            yield f"service {hexadecimal(unlisted[0])} names data identifiers: list them in dids, or write dids: any"
        if self.routines == NOTHING and ROUTINE_CONTROL in services:
            yield "service 0x31 names routines: list them in routines, or write routines: any"
        if DEFINE_IDENTIFIER in services and self.dids.ranges:
            yield "service 0x2C gives any data a new identifier, so that a list limits nothing: write dids: any for it"


class CloudSelector(Written):
    """Which messages over the air: of one protocol, by number or by what busgate calls what they ask for."""

    protocol: Name
    """Such as jt808, gb32960, mqtt or http; sms for all that comes by short message, whatever is in it."""
    codes: Codes | None = None
    """Message numbers of the protocol, such as 0x8105; left out, `asks` selects."""
    asks: Labels | None = None
    """What a message asks for, as alerts and the inventory call it, such as `terminal control: reset`."""
    endpoints: Labels | None = None
    """Ids of `network.endpoints` that it may come from; left out, any endpoint that the policy lists."""
    fields: dict[Name, SignalLimit] | None = None
    """What its arguments may be, as alerts tell them."""

    @model_validator(mode="after")
    def _selects(self) -> CloudSelector:
        if self.codes is None and self.asks is None:
            raise ValueError("say which messages: codes (numbers of the protocol), or asks (what they ask for)")
        if self.protocol == "sms" and self.endpoints is not None:
            raise ValueError("short messages come from no endpoint: leave endpoints out")
        return self


class Rule(Written):
    """One thing that the T-box may do. All that is written in a rule must hold."""

    id: Id
    why: Prose = ""
    message: Name | None = None
    can_id: CanIds | None = None
    """Identifiers that are not J1939: up to 0x7FF has 11 bits, above it 29. Whether a DBC names them or not."""
    pgn: Groups | None = None
    uds: UdsSelector | None = None
    cloud: CloudSelector | None = None
    """Messages over the air, towards the T-box."""
    hold: StrictBool = False
    """It waits, once all else is met, until the operator releases it (`busgate held`)."""
    sa: Addresses | None = None
    """J1939 source addresses; left out, those that the profile gives the T-box."""
    da: Addresses | None = None
    """Destination addresses; left out, broadcast groups only."""
    requested: Requested = NOTHING
    """The groups that a request (PGN 0xEA00) may ask for."""
    signals: dict[Name, SignalLimit] | None = None
    only_signals: StrictBool = False
    rate: Rate | None = None
    when: When | None = None
    window: Window | None = None
    grant: Name | None = None

    @model_validator(mode="after")
    def _complete(self) -> Rule:
        check(self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        if (self.message, self.can_id, self.pgn, self.uds, self.cloud).count(None) != 4:
            yield "a rule selects by exactly one of message, can_id, pgn, uds and cloud"
        if self.cloud is not None and not self.model_fields_set.isdisjoint(_OF_FRAMES):
            yield "sa, da, requested and signals are those of frames; what a message over the air says is cloud.fields"
        if self.hold and self.cloud is None:
            yield "only what comes over the air can be held; a frame that waits is stale"
        if self.can_id is not None and not self.model_fields_set.isdisjoint({"sa", "da"}):
            yield "sa and da are J1939's; an identifier by can_id has neither"
        if self.uds is not None and not self.model_fields_set.isdisjoint({"da", "signals", "only_signals"}):
            yield "da and signals belong to rules by message, can_id or pgn; an ECU is chosen by uds.target"
        if self.signals is not None and not self.signals:
            yield "signals lists none; name them or leave it out"
        if self.only_signals and not self.signals:
            yield "only_signals needs signals"
        yield from self._group_faults(self.pgn or ())

    def _group_faults(self, pgns: tuple[int, ...]) -> Iterator[str]:
        for pgn in pgns:
            addressed = has_destination(pgn)
            if pgn in _CARRIERS:
                yield f"PGN {hexadecimal(pgn)} only carries {_CARRIERS[pgn]}: write the rule for what it carries"
            if addressed and pgn & 0xFF:
                group = hexadecimal(pgn & ~0xFF)
                yield f"PGN {hexadecimal(pgn)} holds a destination: write pgn: {group}, da: {hexadecimal(pgn & 0xFF)}"
            if addressed and self.da is None:
                yield f"PGN {hexadecimal(pgn)} goes to a destination: say which in da, or write da: any"
        if (REQUEST in pgns) != ("requested" in self.model_fields_set):
            yield "pgn 0xEA00 and requested belong together: list the groups it may ask for, or write requested: any"
