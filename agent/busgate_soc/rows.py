"""Happenings as plain values, for programs that read the watch's JSON lines.

Law: one object a line. `event` says what it is; a record carries its entry, and `verified` only ever follows a head.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from busgate.report.alert import action, next_step, sentence, severity, why
from busgate.report.words import Language
from busgate_soc import phrases
from busgate_soc.happenings import Asked, Early, Fault, Happening, Log, Presence, Record, Reply, Strange, Verified

Row = dict[str, Any]


def rows(happening: Happening, language: Language) -> Iterator[Row]:
    """The lines of one happening."""
    match happening:
        case Verified():
            head = _head(happening)
            yield {"event": "verified", **_log(happening.log), **head, "records": len(happening.records)}
            for record in happening.records:
                yield _record(happening.log, record, head, language)
        case Early():
            said = _told(happening.entry, language)
            yield {"event": "early", **_log(happening.log), "index": happening.index, "verified": None, **said}
        case Fault():
            told = phrases.ALARMS[happening.alarm].in_(language).format(**happening.facts)
            yield {"event": "alarm", **_log(happening.log), "alarm": happening.alarm.value, "sentence": told}
        case Presence():
            online = {"online": happening.online, "size": happening.size}
            yield {"event": "presence", **_log(Log(happening.device, happening.incarnation)), **online}
        case Asked():
            yield {"event": "asked", **_log(happening.log), "size": happening.size, "wanted": happening.wanted}
        case Strange():
            yield {"event": "malformed", "topic": happening.topic, "reason": happening.reason}
        case Reply():
            return
        case _:
            assert_never(happening)


def _log(log: Log) -> Row:
    return {"device": log.device, "incarnation": log.incarnation}


def _head(verified: Verified) -> Row:
    basis = verified.basis.value
    return {"size": verified.size, "root": verified.root.hex(), "basis": basis, "cosigned": verified.cosigned}


def _record(log: Log, record: Record, head: Row, language: Language) -> Row:
    said = {"entry": None} if record.entry is None else _told(record.entry, language)
    known = {"index": record.index, "early": record.early, "verified": head}
    return {"event": "record", **_log(log), **known, **said}


def _told(entry: Mapping[str, Any], language: Language) -> Row:
    return {
        "severity": severity(entry).name.lower(),
        "sentence": sentence(entry, language),
        "action": action(entry, language),
        "why": why(entry, language),
        "next": next_step(entry, language),
        "entry": entry,
    }
