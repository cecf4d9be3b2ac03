"""`busgate decode`: lines in, one JSON object a line out, so that others can check what our decoders see."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

import click

from busgate.decode.air_lines import AirDecoder, AirProtocol, Options
from busgate.decode.dbc import Database
from busgate.decode.lines import Addressing, LineDecoder, Protocol
from busgate.decode.rows import Row
from busgate.model import BusgateError, Direction
from busgate.profile import Profile

_LARGEST_GROUP = 0x3FFFF


def _group_number(_ctx: click.Context, _param: click.Parameter, text: str | None) -> int | None:
    """A parameter group number in decimal, or in hexadecimal behind 0x."""
    if text is None:
        return None
    try:
        number = int(text, 0)
    except ValueError:
        number = -1
    if not 0 <= number <= _LARGEST_GROUP:
        raise click.BadParameter(f"{text!r} is no parameter group number; write it as 61444 or 0xF004")
    return number


@click.command(
    "decode",
    epilog="""\b
Examples:
  candump can0 | busgate decode --as j1939
  busgate decode --as j1939 < day.log
  grep ' 18D[AB]' day.log | busgate decode --as uds
  echo '22 F1 90' | busgate decode --as uds
  echo '18FEF100#FFFF0A00FFFFFFFF' | busgate decode --as dbc --dbc vehicle.dbc
  echo '7E810500010138001380000001644A7E' | busgate decode --as jt808

\b
Lines: what candump writes in any of its shapes ((1.5) can0 123#AABB, can0  123  [2]  AA BB, 123#AABB), or a payload
in hexadecimal (22F190, 0x22 F1 90). Blank lines and lines that begin with # are skipped. What cannot be decoded gives
{"malformed": "why", "line": number}. docs/decode.md has the keys of every object. For what is spoken over the air
(jt808 and after it) a line is bytes in hexadecimal: a whole unit, or several, each with an object of its own.

\b
Exit codes: 0 every line has its object, malformed or not; 2 it could not be done as asked.""",
)
@click.option("--as", "protocol", type=click.Choice([each.value for each in (*Protocol, *AirProtocol)]), required=True,
              help="What to read the lines as.")  # fmt: skip
@click.option("--dbc", "files", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
              help="A DBC file; may be given more than once.")  # fmt: skip
@click.option("--profile", metavar="NAME", help="Vehicle profile (a folder or a shipped name): its DBC and addresses.")
@click.option("--message", metavar="NAME", help="dbc: the message that payloads (and all frames) are.")
@click.option(
    "--pgn",
    callback=_group_number,
    metavar="NUMBER",
    help="j1939 and dbc: the parameter group of payloads without an identifier.",
)
@click.option("--address-bytes", type=click.IntRange(0, 1), default=0, show_default=True,
              help="isotp and uds: address bytes before the control byte of 11-bit frames.")  # fmt: skip
@click.option("--extended-address", is_flag=True, help="The same as --address-bytes 1.")
@click.option("--edition", type=click.Choice(["2011", "2013", "2019"]),
              help="jt808: the standard's edition. Default: what the header tells, else 2013.")  # fmt: skip
@click.option("--stream", is_flag=True,
              help="jt808 and after: lines are consecutive pieces of one direction of a stream (xxd -p).")  # fmt: skip
@click.option("--direction", type=click.Choice(["up", "down"]),
              help="mqtt, http, tls, sms: up is what the T-box sends. Default: what the bytes tell.")  # fmt: skip
def command(  # noqa: PLR0913 - one parameter an option
    *,
    protocol: str,
    files: tuple[Path, ...],
    profile: str | None,
    message: str | None,
    pgn: int | None,
    address_bytes: int,
    extended_address: bool,
    edition: str | None,
    direction: str | None,
    stream: bool,
) -> None:
    """Decode frames or payloads from standard input, one JSON object a line.

    Every line that says something gives exactly one object, in order and at once, so this works in the middle of a
    pipe.
    """
    if protocol in set(AirProtocol):
        way = Direction.UNKNOWN if direction is None else Direction(direction)
        air = AirDecoder(AirProtocol(protocol), Options(int(edition) if edition else None, way, stream))
        _each(air.decode, air.finish)
        return
    read_as = Protocol(protocol)
    database, identifiers = _vehicle(profile)
    if files:
        database = _database(files)
    if read_as is Protocol.DBC and database is None:
        raise BusgateError("--as dbc needs messages. Next: give --dbc FILE, or --profile NAME whose DBC to use")
    addressing = Addressing(1 if extended_address else address_bytes, identifiers)
    _run(LineDecoder(read_as, database=database, message=message, pgn=pgn, addressing=addressing))


def _vehicle(profile: str | None) -> tuple[Database | None, frozenset[int]]:
    """A profile's messages, and its 11-bit identifiers whose ISO-TP frames begin with an address byte."""
    if profile is None:
        return None, frozenset()
    from busgate.service import load

    vehicle = load.vehicle(profile)
    return vehicle.database, _extended(vehicle.profile)


def _database(files: tuple[Path, ...]) -> Database:
    from busgate.service import load

    return Database.load({str(path): load.text_of(path) for path in files})


def _extended(profile: Profile) -> frozenset[int]:
    pairs = [ecu.uds for ecu in profile.ecus if ecu.uds is not None and ecu.uds.extended is not None]
    return frozenset(each for pair in pairs for each in (pair.request, pair.response))


def _run(decoder: LineDecoder) -> None:
    def rows(line: str) -> list[Row]:
        row = decoder.decode(line)
        return [] if row is None else [row]

    _each(rows)


def _each(decode: Callable[[str], Iterable[Row]], finish: Callable[[], Iterable[Row]] = list) -> None:
    """Lines in, objects out, each at once."""
    lines = (decode(line.decode("utf-8", "replace")) for line in sys.stdin.buffer)
    try:
        for rows in chain(lines, (finish() for _ in range(1))):
            for row in rows:
                sys.stdout.write(json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n")
                sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has left, as `head` does: that is its right, and no news.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
