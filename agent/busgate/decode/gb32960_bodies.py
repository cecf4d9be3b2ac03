"""Which body the data of a GB/T 32960.3 packet is, by its command, its response flag and its edition.

Law: any data gives a `Body`, never an exception. What is encrypted, a platform's own or reserved stays hexadecimal in
`Opaque`. What was read of a body that ends early is kept; what is left over is `unparsed`; both are flaws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from busgate.decode.gb32960_commands import Command, read_control, read_parameters, read_query
from busgate.decode.gb32960_names import COMMAND
from busgate.decode.gb32960_report import Report, read_report
from busgate.decode.gb32960_session import LAYOUTS, Session
from busgate.decode.gb32960_values import Fields, run, time

REPORT = 0x02
REISSUE = 0x03
HEARTBEAT = 0x07
CLOCK = 0x08
QUERY = 0x80
SET = 0x81
CONTROL = 0x82

SUCCESS = 0x01
STAMP = 6
"""Bytes of the time, which is all of a request that its answer keeps (6.3.2)."""


@dataclass(frozen=True, slots=True)
class Empty:
    """Commands 07 (heartbeat) and 08 (time synchronisation), which have no data, and the answer to a heartbeat."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer (6.3.2): the time of what is answered; of 08 the platform's time."""

    time: str | None = None


@dataclass(frozen=True, slots=True)
class Opaque:
    """Data that no table describes, or that is encrypted."""

    data: bytes


class Body(NamedTuple):
    """A body as JSON values and as its class, and what is wrong with it."""

    values: dict[str, Any]
    body: Session | Command | Report | Empty | Answer | Opaque
    flaws: tuple[str, ...] = ()


def read_body(command: int, response: int, version: str, data: bytes) -> Body:
    """The body of a packet that is not encrypted."""
    if response == COMMAND:
        return _request(command, version, data)
    if command == QUERY and response == SUCCESS and len(data) > STAMP:
        fields = Fields(data)
        return _ended(fields, read_parameters(fields, version))
    if len(data) > STAMP:
        # Some platforms send back all they were sent; only what can be read to its end is taken for that.
        echo = _request(command, version, data)
        if not isinstance(echo.body, Opaque) and "unparsed" not in echo.values:
            return echo._replace(flaws=(*echo.flaws, "an answer has nothing but its time"))
    return _answer(data)


def _request(command: int, version: str, data: bytes) -> Body:
    """What is no answer."""
    if command in {REPORT, REISSUE}:
        report, flaws = read_report(data, version)
        return Body(report.fields(), report, tuple(flaws))
    fields = Fields(data)
    known = LAYOUTS.get((version, command))
    if known is not None:
        kind, layout = known
        run(layout, fields)
        return _ended(fields, kind(**fields.values))
    match command:
        case _ if command in {HEARTBEAT, CLOCK}:
            body: Command | Empty = Empty()
        case _ if command == QUERY:
            body = read_query(fields)
        case _ if command == SET:
            body = read_parameters(fields, version)
        case _ if command == CONTROL:
            body = read_control(fields)
        case _:
            return Body({}, Opaque(data))
    return _ended(fields, body)


def _answer(data: bytes) -> Body:
    fields = Fields(data)
    if not data:
        return Body({}, Empty())
    time("time")(fields)
    return _ended(fields, Answer(fields.values.get("time")))


def _ended(fields: Fields, body: Session | Command | Empty | Answer) -> Body:
    """A body with what the reading left over."""
    flaws = [*fields.flaws, *([fields.fault] if fields.fault else [])]
    if rest := fields.rest():
        fields.values["unparsed"] = rest.hex()
        if not fields.fault:
            flaws.append(f"{len(rest)} bytes follow what the standard describes")
    return Body(fields.values, body, tuple(flaws))
