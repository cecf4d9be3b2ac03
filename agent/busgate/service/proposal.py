"""A policy proposed from what was seen: YAML with a comment on every rule, for a human to read, change and sign.

Law: what reaches the drive, the battery, high voltage, brakes or steering is written as a comment only: refused unless
the operator says otherwise by hand. Nothing is proposed that was not seen, and nothing here is ever in force by itself.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from math import ceil
from typing import NamedTuple

from busgate.judge.rules import (
    DEFINE_IDENTIFIER,
    IDENTIFIED,
    REQUEST,
    ROUTINE_CONTROL,
    WITH_SUBFUNCTION,
    has_destination,
)
from busgate.judge.terms import hexadecimal
from busgate.model import Act, Subsystem
from busgate.service.lessons import MOST_VALUES, Lesson, Lessons, Values

OFF = "#~ "
"""Begins each line of a rule that is refused unless the operator takes these three characters away."""

_HEADROOM = 1.5
_OFTEN = 2
_STANDSTILL_KMH = 0.5
_SLUG = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class About(NamedTuple):
    """What a proposal has to know besides the lessons."""

    profile: str
    source: str
    """Where the lessons are from, for people."""
    tbox_addresses: tuple[int, ...]
    vital: frozenset[Subsystem]
    moment: Callable[[int], str]
    """A time (ns) for people."""
    skip_signals: frozenset[tuple[str, str]] = frozenset()
    """Counters that the profile marks: message and signal."""


def proposal(lessons: Lessons, about: About) -> str:
    """The text of a policy file; the same lessons give the same text."""
    names: Counter[str] = Counter()
    ordered = sorted(
        lessons.by_key.values(), key=lambda lesson: (str(lesson.key[0]), [str(part) for part in lesson.key])
    )
    ordinary: list[tuple[Lesson, list[str]]] = []
    refused: list[tuple[Lesson, list[str]]] = []
    for lesson in ordered:
        lines = [*_rule(lesson, about, names)]
        (refused if _grave(lesson, about) else ordinary).append((lesson, lines))
    lines = [*_head(lessons, about), "", "allow:" if ordinary else "allow: []"]
    for lesson, rule in ordinary:
        lines += ["", *_comments(lesson, about), *(f"  {line}" for line in rule)]
    lines += ["", *_refused_head(bool(refused))]
    for lesson, rule in refused:
        lines += ["", *_comments(lesson, about), *(f"  {OFF}{line}" for line in rule)]
    return "\n".join(lines) + "\n"


def _grave(lesson: Lesson, about: About) -> bool:
    """Whether a human has to say yes first: it reaches what can hurt, or alters nobody knows what, or everybody."""
    alters = bool(lesson.acts.keys() - {Act.SEND, Act.READ})
    return lesson.subsystem in about.vital or (lesson.subsystem is Subsystem.UNKNOWN and alters)


def with_refused(text: str) -> str:
    """A proposal with all that it refuses allowed: what an operator would get who says yes to everything."""
    return text.replace("allow: []", "allow:").replace(OFF, "") if OFF in text else text


def _head(lessons: Lessons, about: About) -> Iterator[str]:
    span = "" if lessons.first is None else f", {about.moment(lessons.first)} to {about.moment(lessons.last)}"
    yield f"# Proposed by busgate learn from {about.source}{span}."
    yield f"# {lessons.frames} frames of the T-box were seen. What it did not do in that time is not in here."
    yield "# This is a proposal: nobody has judged it, it is not signed, and it is not in force. Read every rule, write"
    yield "# why the vehicle needs it, and delete the others. Then: busgate policy check, busgate policy sign."
    yield "# Limits are what was seen and no more: widen what moves by nature, such as a date or a position."
    for reason, count in sorted(lessons.left_out.items()):
        yield f"# Not learned from: {count} frames ({reason})."
    yield f"policy: {_quoted(f'learned-{about.profile}')}"
    yield "version: 1"
    yield f"profile: {_quoted(about.profile)}"
    yield "mode: monitor   # blocks nothing yet; write enforce once `busgate blocked` shows nothing that is needed"


def _refused_head(some: bool) -> Iterator[str]:
    yield "  # ---- REFUSED UNLESS YOU SAY OTHERWISE " + "-" * 60
    if some:
        yield "  # What follows reaches the drive, the battery, high voltage, brakes or steering. None is in force."
        yield "  # So does what alters something nobody describes, or all control units at once."
        yield f'  # To allow one, take "{OFF}" away from its lines and say in `why` who needs it.'
        yield "  # With `grant: maintenance` it is open only while you have granted that."
    else:
        yield "  # Nothing was seen that reaches the drive, the battery, high voltage, brakes, steering or everybody."


def _comments(lesson: Lesson, about: About) -> Iterator[str]:
    for line in _told(lesson, about):
        yield "  # " + "".join(letter if letter.isprintable() else "?" for letter in line)


def _told(lesson: Lesson, about: About) -> Iterator[str]:
    times = "once" if lesson.times == 1 else f"{lesson.times} times"
    acts = ", ".join(_ACTS.get(act, str(act)) for act in sorted(lesson.acts))
    whom = ", ".join(sorted(lesson.targets - {"unknown"}))
    span = f"{about.moment(lesson.first)} to {about.moment(lesson.last)}"
    yield f"Seen {times}, {span}; reaches {lesson.subsystem}: {acts}."
    if whom:
        yield f"To {whom}."
    if lesson.subsystem is Subsystem.UNKNOWN and lesson.acts.keys() - {Act.SEND, Act.READ}:
        yield "It alters all control units, or one that NOBODY DESCRIBES: ask the maker before you allow it."
    if lesson.top_speed is not None and lesson.top_speed <= _STANDSTILL_KMH:
        yield "Seen at standstill only; `when: {speed: {max: 0.5, max_age: 2 s}}` would keep it there."
    if changed := _changing_bytes(lesson):
        yield changed
    if lesson.partly:
        yield "Not every request was seen whole: there may be more in them than is listed."
    for name, values in lesson.values.items():
        if why := _left_free(lesson, name, values, about):
            yield f"Signal {name} is left free: {why}."


_ACTS = {Act.SEND: "asks for nothing known", Act.READ: "reads"}


def _changing_bytes(lesson: Lesson) -> str:
    if not lesson.bytes_seen or lesson.described:
        return ""
    changing = [
        f"{place} ({min(seen):02X}-{max(seen):02X})" for place, seen in enumerate(lesson.bytes_seen) if len(seen) > 1
    ]
    return f"No DBC file names it; bytes that changed: {', '.join(changing) or 'none'}."


# ---------------------------------------------------------------- a rule, line by line


def _rule(lesson: Lesson, about: About, names: Counter[str]) -> Iterator[str]:
    yield f"- id: {_named(lesson, names)}"
    yield '  why: "learned; say why it is needed"'
    match lesson.key:
        case ("can_id", int(number), *_):
            yield f"  can_id: {hexadecimal(number)}"
        case ("message", str(name), *_):
            yield f"  message: {_quoted(name)}"
        case ("pgn", int(pgn), *_):
            yield from _group(lesson, pgn, about)
        case ("uds", whom, int(sid), *_):
            yield from _request(lesson, whom, sid, about)
        case _:
            raise AssertionError(lesson.key)
    if limits := [*_limits(lesson, about)]:
        yield "  signals:"
        yield from (f"    {limit}" for limit in limits)
    yield f"  rate: {_rate(lesson)}"


def _group(lesson: Lesson, pgn: int, about: About) -> Iterator[str]:
    yield f"  pgn: 0x{pgn:04X}" + (f"   # {lesson.name}" if lesson.name else "")
    yield from _senders(lesson, about)
    if has_destination(pgn):
        yield f"  da: {_numbers(lesson.destinations)}"
    if pgn == REQUEST:
        yield f"  requested: {_numbers(lesson.requested) if lesson.requested else 'any'}"


def _request(lesson: Lesson, whom: object, sid: int, about: About) -> Iterator[str]:
    target = "functional: true" if lesson.functional else f"target: {_quoted(whom)}"
    parts = [target, f"services: {hexadecimal(sid)}"]
    if sid in WITH_SUBFUNCTION and lesson.subfunctions:
        parts.append(f"subfunctions: {_numbers(lesson.subfunctions)}")
    if sid in IDENTIFIED:
        listed = sid != DEFINE_IDENTIFIER and lesson.dids
        parts.append(f"dids: {_numbers(lesson.dids) if listed else 'any'}")
    if sid == ROUTINE_CONTROL:
        parts.append(f"routines: {_numbers(lesson.routines) if lesson.routines else 'any'}")
    yield f"  uds: {{{', '.join(parts)}}}"
    yield from _senders(lesson, about)


def _senders(lesson: Lesson, about: About) -> Iterator[str]:
    if about.tbox_addresses and lesson.sources - set(about.tbox_addresses):
        yield f"  sa: {_numbers(lesson.sources)}   # not an address that the profile gives the T-box"


def _limits(lesson: Lesson, about: About) -> Iterator[str]:
    for name, values in lesson.values.items():
        if not _left_free(lesson, name, values, about):
            yield f"{_quoted(name)}: {_limit(values)}"


def _limit(values: Values) -> str:
    if values.labels:
        words = [_quoted(label) for label in sorted(values.labels)]
        return f"{{is: [{', '.join([*words, *map(_number, sorted(values.numbers))])}]}}"
    return f"{{min: {_number(values.low or 0)}, max: {_number(values.high or 0)}}}"


def _left_free(lesson: Lesson, name: str, values: Values, about: About) -> str:
    """Why no limit is proposed for a signal; "" if one is."""
    if values.times < lesson.described:
        return "it is only in some of these messages, and a rule asks for it in each"
    if (lesson.name or str(lesson.key[1]), name) in about.skip_signals or values.counts:
        return "it counts up"
    if re.search(r"checksum|crc", name, re.IGNORECASE):
        return "it is a checksum"
    if values.labels and values.many:
        return f"it said {', '.join(sorted(values.labels)[:MOST_VALUES])} or a number; split the rule to limit it"
    if not values.labels and values.one_way:
        return f"it only went {values.one_way}, and will go on"
    return ""


def _rate(lesson: Lesson) -> str:
    """Half as many again as in its busiest second, or minute where it is rare; at least one more than was seen."""
    often = lesson.busiest.second >= _OFTEN
    most = lesson.busiest.second if often else lesson.busiest.minute
    count = min(10_000, max(most + 1, ceil(most * _HEADROOM)))
    return f"{{count: {count}, per: {'1 s' if often else '1 min'}}}   # the most seen was {most}"


def _numbers(numbers: Iterable[int]) -> str:
    """A list with runs of three and more as ranges."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts: list[str] = []
    for run in runs:
        if len(run) >= 3:
            parts.append(f'"{hexadecimal(run[0])}-{hexadecimal(run[-1])}"')
        else:
            parts += map(hexadecimal, run)
    return f"[{', '.join(parts)}]"


def _quoted(text: object) -> str:
    """A YAML scalar: a text in double quotes (YAML 1.2, 7.3.1), a number as it is."""
    if not isinstance(text, str):
        return str(text)
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08X}" for letter in plain)


def _number(value: float) -> str:
    """A number as YAML 1.1 reads it, which knows no exponent without a decimal point."""
    if float(value).is_integer():
        return str(int(value))
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}{e}{exponent}"


def _named(lesson: Lesson, names: Counter[str]) -> str:
    """A short name of its own."""
    match lesson.key:
        case ("can_id", int(number), *_):
            words = f"id-{number:X}"
        case ("pgn", int(pgn), *_):
            words = f"{lesson.name or 'pgn'}-{pgn:04X}"
        case ("uds", whom, int(sid), *_):
            words = f"uds-{sid:02X}-{whom if isinstance(whom, str) else f'{whom:X}'}" if whom else f"uds-{sid:02X}-all"
        case _:
            words = str(lesson.key[1])
    slug = _SLUG.sub("-", _CAMEL.sub("-", words).lower()).strip("-")[:56] or "rule"
    names[slug] += 1
    return slug if names[slug] == 1 else f"{slug}.{names[slug]}"
