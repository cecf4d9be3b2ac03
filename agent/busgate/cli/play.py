"""`busgate play`: a recording onto live CAN wires, changed and disturbed as a tester wishes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import click

from busgate.bridge.candump import parse
from busgate.bridge.cues import SECOND, Cue, Faults, Flood
from busgate.cli.until_stopped import UntilStopped
from busgate.model import EXTENDED, BusgateError
from busgate.service.expect import in_junit, in_text, load_expectations
from busgate.service.play import Job, Result, Timing, play

_STANDARD_DIGITS = 3
_CHANCE = click.FloatRange(0, 1)


@click.command(
    epilog="""\b
Examples:
  busgate play day.log --to vcan0
  busgate play day.log --to vcan1=can1,vcan0=can0 --inject 12.5:can1:18EF0B4A#00FF
  busgate play day.log --to vcan1=can1,vcan0=can0 --log busgate-log --expect expected.yaml --junit play.xml
  busgate play day.log --to vcan0 --drop 0.01 --reorder 0.01 --flood 5:can0:000#:8000:2 --seed 7
  busgate play day.log --to vcan0,vcan1 --compare

\b
Times are seconds of the recording, counted from its first frame played; --speed changes them all.
A fault is drawn from --seed, so that the same command plays the same frames.

\b
Exit codes: 0 played; 1 played, and something was not as expected or could not be sent; 2 it could not be played."""
)
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--to", "to", required=True, multiple=True, metavar="WIRE[=CHANNEL]",
              help="Where to: vcan0, or interface:channel; with the recording's channel that goes there.")  # fmt: skip
@click.option("--speed", type=click.FloatRange(min=0), default=1.0, show_default=True,
              help="2 is twice as fast as recorded; 0 as fast as it goes.")  # fmt: skip
@click.option("--loop", type=click.IntRange(min=0), default=1, show_default=True, help="How often; 0 until stopped.")
@click.option("--gap", type=click.FloatRange(min=0), help="Let no silence be longer than this many seconds.")
@click.option("--start", type=click.FloatRange(min=0), default=0.0, help="Leave out so many seconds at the beginning.")
@click.option("--stop", type=click.FloatRange(min=0), help="Stop so many seconds after the recording's beginning.")
@click.option("--id", "identifiers", multiple=True, metavar="OLD=NEW", help="Send another identifier: 123=124.")
@click.option("--sa", "addresses", multiple=True, metavar="OLD=NEW", help="Another J1939 address: 0x4A=0x4B.")
@click.option("--inject", multiple=True, metavar="AT:CHANNEL:FRAME", help="A frame more: 12.5:can1:18EF0B4A#00FF.")
@click.option("--drop", type=_CHANCE, default=0.0, help="Chance that a frame is left out.")
@click.option("--duplicate", type=_CHANCE, default=0.0, help="Chance that a frame is sent twice.")
@click.option("--reorder", type=_CHANCE, default=0.0, help="Chance that a frame comes after its channel's next one.")
@click.option("--flood", multiple=True, metavar="AT:CHANNEL:FRAME[:RATE[:SECONDS]]",
              help="The same frame RATE times a second: 5:can1:000#:8000:2. Default: 4000 for 1 s.")  # fmt: skip
@click.option("--clock-step", "steps", multiple=True, metavar="AT:SECONDS",
              help="The recording's clock set: 10:+30 is a silence, 10:-5 a burst.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="What the faults are drawn from.")
@click.option("--expect", type=click.Path(path_type=Path), help="File of what has to be found, blocked and passed.")
@click.option("--log", type=click.Path(path_type=Path), help="The gate's log: where expected alerts are looked up.")
@click.option("--settle", type=click.FloatRange(min=0), default=2.0, show_default=True,
              help="Seconds that a gate has after the last frame before expectations are judged.")  # fmt: skip
@click.option("--junit", type=click.Path(path_type=Path), help="Write the expectations as JUnit XML to this file.")
@click.option("--compare", is_flag=True, help="Then play the same frames with canplayer, and tell both timing errors.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # noqa: PLR0913 - an option each
    *,
    trace: Path,
    to: tuple[str, ...],
    speed: float,
    loop: int,
    gap: float | None,
    start: float,
    stop: float | None,
    identifiers: tuple[str, ...],
    addresses: tuple[str, ...],
    inject: tuple[str, ...],
    drop: float,
    duplicate: float,
    reorder: float,
    flood: tuple[str, ...],
    steps: tuple[str, ...],
    seed: int,
    expect: Path | None,
    log: Path | None,
    settle: float,
    junit: Path | None,
    compare: bool,
    as_json: bool,
) -> None:
    """Play a recording onto live CAN wires.

    TRACE is any recording that `busgate replay` reads.
    """
    expected = None if expect is None else load_expectations(expect)
    if expected is not None and expected.about_alerts and log is None:
        raise BusgateError(f"{expect} is about the gate's alerts, and nobody said where its log is. Next: add --log")
    if junit is not None and expected is None:
        raise BusgateError("--junit reports on expectations. Next: add --expect FILE")
    if compare and (speed != 1 or not loop):
        raise BusgateError("canplayer plays at recorded speed and to an end. Next: leave out --speed and --loop 0")
    job = Job(
        trace=trace,
        wires=_wires(to),
        speed=speed,
        loops=loop,
        gap=None if gap is None else _ns(gap),
        start=_ns(start),
        stop=None if stop is None else _ns(stop),
        identifiers=dict(_identifiers(each) for each in identifiers),
        addresses=dict(_addresses(each) for each in addresses),
        inject=tuple(_injection(each) for each in inject),
        faults=Faults(drop, duplicate, reorder, tuple(_flood(each) for each in flood), tuple(map(_step, steps))),
        seed=seed,
        expect=expected,
        log=log,
        settle=settle,
        compare=compare,
    )
    result = play(job, UntilStopped())
    click.echo(json.dumps(_plain(job, result), indent=2) if as_json else _told(job, result))
    if junit is not None:
        junit.write_text(in_junit(result.outcomes, f"busgate play {trace.name}", result.seconds), encoding="utf-8")
    if result.not_sent.total() or any(outcome.fault for outcome in result.outcomes):
        raise SystemExit(1)


# ---------------------------------------------------------------- what was asked for


def _ns(seconds: float) -> int:
    return round(seconds * SECOND)


def _wires(to: Sequence[str]) -> dict[str, str | None]:
    wires: dict[str, str | None] = {}
    for word in ",".join(to).split(","):
        wire, equals, channel = word.strip().partition("=")
        if not wire or (equals and not channel):
            raise BusgateError(f"--to {word!r} names no wire; write vcan0, or vcan0=can0")
        if wire in wires:
            raise BusgateError(f"--to names {wire} twice; a wire is given once")
        wires[wire] = channel or None
    return wires


def _identifiers(word: str) -> tuple[int, int]:
    old, new = _pair("--id", word, "123=124 or 18FEF14A=18FEF14B")
    return _canid(old), _canid(new)


def _canid(digits: str) -> int:
    """As candump writes it: up to three digits are 11 bits, more are 29."""
    if re.fullmatch(r"(0[xX])?[0-9A-Fa-f]{1,8}", digits) is None:
        raise BusgateError(f"--id: {digits!r} is no identifier; write it as candump does, 123 or 18FEF14A")
    bare = digits.lower().removeprefix("0x")
    value, extended = int(bare, 16), len(bare) > _STANDARD_DIGITS
    if value > (0x1FFF_FFFF if extended else 0x7FF):
        raise BusgateError(f"--id: {digits} does not fit into {29 if extended else 11} bits")
    return value | EXTENDED if extended else value


def _addresses(word: str) -> tuple[int, int]:
    old, new = _pair("--sa", word, "0x4A=0x4B")
    try:
        pair = int(old, 0), int(new, 0)
    except ValueError:
        pair = -1, -1
    if not all(0 <= address <= 0xFF for address in pair):
        raise BusgateError(f"--sa {word!r}: an address is 0 to 255, as in 0x4A=0x4B")
    return pair


def _pair(option: str, word: str, example: str) -> tuple[str, str]:
    old, equals, new = word.partition("=")
    if not equals or not old or not new:
        raise BusgateError(f"{option} {word!r} is no pair; write it as in {example}")
    return old, new


def _injection(word: str) -> Cue:
    at, channel, frame, rest = _spot("--inject", word, "12.5:can1:18EF0B4A#00FF")
    if rest:
        raise BusgateError(f"--inject {word!r} has more than time, channel and frame; as in 12.5:can1:18EF0B4A#00FF")
    return Cue(at, channel, *frame)


def _flood(word: str) -> Flood:
    at, channel, frame, rest = _spot("--flood", word, "5:can1:000#:8000:2")
    try:
        rate, lasts, *more = [float(each) for each in (*rest, *("4000", "1")[len(rest) :])]
    except ValueError:
        rate, lasts, more = 0.0, 0.0, []
    if more or not (0 < rate <= 1e6 and 0 < lasts <= 86400):
        raise BusgateError(
            f"--flood {word!r}: rate (a second) and seconds are numbers above 0; as in 5:can1:000#:8000:2"
        )
    return Flood(at, channel, *frame, rate, _ns(lasts))


def _spot(option: str, word: str, example: str) -> tuple[int, str, tuple[int, bytes, int], list[str]]:
    """Time, channel, frame, and what follows. A channel may itself have colons, as a multicast wire has."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?):(.+?):([0-9A-Fa-f]+#[^:]*)((?::[^:]*)*)", word)
    record = None if match is None else parse(f"(0.0) {'x'} {match[3]}")
    if match is None or record is None:
        raise BusgateError(f"{option} {word!r} is not time, channel and frame; write it as in {example}")
    return _ns(float(match[1])), match[2], record[2:], match[4].split(":")[1:]


def _step(word: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?):([+-][0-9]+(?:\.[0-9]+)?)", word)
    if match is None:
        raise BusgateError(f"--clock-step {word!r} is not a time and a step with its sign; write it as in 10:+30")
    return _ns(float(match[1])), _ns(float(match[2]))


# ---------------------------------------------------------------- what came of it


def _told(job: Job, result: Result) -> str:
    sent = ", ".join(f"{name} {count}" for name, count in result.sent.items()) or "nothing"
    lines = [f"{job.trace.name}: played in {result.seconds:.1f} s", f"  sent      {sent}"]
    for title, counts in (("not sent", result.not_sent), ("changed", result.changes), ("noticed", result.losses)):
        if counts.total():
            lines.append(f"  {title:<9} " + ", ".join(f"{name} {count}" for name, count in counts.items() if count))
    lines += [f"  warning   {warning}" for warning in result.warnings]
    lines.append(f"  timing    {_timing(result.timing)}")
    if result.peer is not None:
        lines.append(f"  canplayer {_timing(result.peer)}")
    if result.outcomes:
        failed = sum(bool(outcome.fault) for outcome in result.outcomes)
        lines += [f"{len(result.outcomes)} expectations, {failed} failed:", in_text(result.outcomes)]
    return "\n".join(lines)


def _timing(timing: Timing) -> str:
    if timing.why:
        return f"not measured: {timing.why}"
    rest = f"99 % within {timing.p99:.0f}, worst {timing.most:.0f} ({timing.frames} frames)"
    return f"median {timing.p50:.0f} us off, {rest}"


def _plain(job: Job, result: Result) -> dict[str, object]:
    return {
        "trace": job.trace.name,
        "seconds": result.seconds,
        "sent": dict(result.sent),
        "not_sent": dict(result.not_sent),
        "changes": dict(result.changes),
        "losses": dict(result.losses),
        "warnings": result.warnings,
        "timing_us": result.timing._asdict(),
        "canplayer_us": None if result.peer is None else result.peer._asdict(),
        "expectations": [outcome._asdict() for outcome in result.outcomes],
    }
