"""The cells of the disclosure report as short texts, the same on the page and in the terminal.

Law: a row is the plain one of `inventory_report`, whole or public; what it lacks is left out, and nothing is invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from busgate.model import Act, Reason, Subsystem
from busgate.report.words import REASONS, Language
from busgate.service import inventory_words as words
from busgate.service.declaration import Deviation

Row = Mapping[str, Any]
_SHOWN_ENDS = 6
_TBOX = "T-box"


def known_as(row: Row) -> str:
    """Protocol and numbers: `jt808 0x8105`."""
    return " ".join(part for part in (row["protocol"], *row["codes"]) if part)


def does(row: Row, language: Language) -> str:
    """Part and act: `drive: limit`."""
    return f"{part_word(row['subsystem'], language)}: {deed(row['act'], language)}"


def part_word(subsystem: str, language: Language) -> str:
    """A part of the vehicle."""
    return words.PARTS[Subsystem(subsystem)].in_(language)


def deed(act: str, language: Language) -> str:
    """What is done."""
    return words.DEEDS[Act(act)].in_(language)


def ends(row: Row, language: Language) -> list[str]:
    """From whom to whom, one line an end."""
    unknown = words.UNKNOWN.in_(language)
    if row["interface"] == "can":
        return [f"{_TBOX} → {row['target'] or unknown}"]
    shown = [_end(each, language) for each in row["remotes"][:_SHOWN_ENDS]] or [unknown]
    if len(row["remotes"]) > _SHOWN_ENDS:
        shown.append(f"+ {len(row['remotes']) - _SHOWN_ENDS}")
    up = row["direction"] == "tbox-to-remote"
    return [f"{_TBOX} → {each}" if up else f"{each} → {_TBOX}" for each in shown]


def when(row: Row, language: Language) -> list[str]:
    """First and last, the day once where both fell on it."""
    first, last = row["first"], row["last"]
    if first is None or last is None or first[:19] == last[:19]:
        return [moment(first, language)]
    if len(first) > 10 and first[:10] == last[:10]:
        return [first[:10], f"{first[11:19]}\N{EN DASH}{last[11:19]} UTC"]
    return [moment(first, language), moment(last, language)]


def moment(wall: str | None, language: Language) -> str:
    """A time to the second, in UTC; a day where only that is told."""
    if wall is None:
        return words.NO_CLOCK.in_(language)
    return wall if len(wall) == 10 else f"{wall[:10]} {wall[11:19]} UTC"


def outcomes(row: Row, language: Language) -> list[str]:
    """What became of the messages, and under whose approval."""
    told = []
    for action, count in row["verdicts"].items():
        word = words.OUTCOMES[action].in_(language) if action in words.OUTCOMES else action
        told.append(word if len(row["verdicts"]) == 1 else f"{number(count, language)} {word}")
    if row.get("grants"):
        told.append(words.UNDER_GRANTS.in_(language).format(", ".join(row["grants"])))
    elif row["granted"]:
        told.append(words.UNDER_GRANT.in_(language))
    if row["provenance"] == ["claimed"]:
        told.append(words.CLAIMED.in_(language))
    return told


def why(row: Row, language: Language) -> list[str]:
    """The reasons of the verdicts, in sentences."""
    known = {reason.value: text for reason, text in REASONS.items()}
    return [known[reason].in_(language) for reason in row["reasons"] if reason in {each.value for each in Reason}]


def standing(row: Row, language: Language) -> list[str]:
    """What the declaration says of it, and each deviation."""
    told = [words.FINDINGS[finding].in_(language) for finding in row["findings"] if finding in words.FINDINGS]
    if row["findings"] and Deviation.FUNCTION.value in row["findings"]:
        return told
    if row["declared"] is None:
        return []
    return [words.YES.in_(language), *told]


def near(finding: Row, language: Language) -> str:
    """What a near match differs in, or where a declared function came from; "" where there is nothing to add."""
    detail = finding["detail"]
    if finding["finding"] == Deviation.FUNCTION.value and detail in words.FIELDS:
        return words.DIFFERS.in_(language).format(words.FIELDS[detail].in_(language))
    return "" if finding["finding"] == Deviation.FUNCTION.value else str(detail)


def span(seconds: float, language: Language) -> str:
    """A duration in the unit that fits."""
    if seconds >= 5400:
        return words.HOURS.in_(language).format(decimal(seconds / 3600, language))
    if seconds >= 90:
        return words.MINUTES.in_(language).format(decimal(seconds / 60, language))
    return words.SECONDS.in_(language).format(decimal(seconds, language))


def decimal(value: float, language: Language) -> str:
    """One decimal at most, with the language's mark."""
    written = f"{value:.1f}".removesuffix(".0")
    return written.replace(".", ",") if language == "nl" else written


def number(value: int, language: Language) -> str:
    """A whole number with marks between thousands."""
    return f"{value:,}".replace(",", "." if language == "nl" else ",")


def times(value: int, language: Language) -> str:
    """How often."""
    return f"{number(value, language)}\N{MULTIPLICATION SIGN}"


def conduct(report: Row, language: Language) -> list[str]:
    """What was noticed for how it was sent, one line each."""
    return [f"{each['name']}: {each['rule']}, {times(each['count'], language)}" for each in report["conduct"]]


def doubted(report: Row) -> bool:
    """Whether a log is not as it was signed."""
    return any(source["verified"] is False for source in report["sources"])


def sources(report: Row, language: Language) -> Iterator[str]:
    """What the report rests on, one line a source."""
    for source in report["sources"]:
        records = number(source["records"], language)
        if "name" in source:
            line = words.SOURCE.in_(language).format(name=source["name"], records=records)
        else:
            line = words.SOURCE_PUBLIC.in_(language).format(records=records)
        told = [line, _checked(source, language)]
        if source["test_key"]:
            told.append(words.TEST_KEY.in_(language))
        yield "; ".join(told)


def limits(report: Row, language: Language) -> list[str]:
    """What the report cannot say."""
    told = [limit.in_(language) for limit in words.LIMITS]
    if not report["interfaces"]["ip"] and not report["interfaces"]["sms"]:
        told.append(words.BLIND.in_(language))
    if report["left_out"]:
        told.append(words.LEFT_OUT.in_(language).format(number(report["left_out"], language)))
    if report["public"]:
        told.append(words.PUBLIC.in_(language))
    return told


def listed(several: Sequence[str]) -> str:
    """Several as one text."""
    return ", ".join(several)


def _end(remote: Row, language: Language) -> str:
    endpoint, host = remote.get("endpoint", ""), remote["host"]
    name = f"{host} ({endpoint})" if host and endpoint else host or endpoint
    country = remote["country"] or words.UNKNOWN.in_(language)
    return f"{name} [{country}]" if name else f"[{country}]"


def _checked(source: Row, language: Language) -> str:
    if source["verified"] is None:
        return words.UNSIGNED.in_(language)
    if source["verified"]:
        return words.VERIFIED.in_(language).format(source["root"])
    return words.NOT_VERIFIED.in_(language).format(source.get("fault", "?"))
