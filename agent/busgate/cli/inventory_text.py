"""The disclosure report for a terminal, made from the same plain values as page and JSON."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from busgate.report.words import Language, printable
from busgate.service import inventory_cells as cells
from busgate.service import inventory_words as words
from busgate.service.declaration import Deviation

WIDTH = 120


def as_text(report: dict[str, Any], language: Language) -> str:
    """The report in lines of 120 characters."""
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None, legacy_windows=False)
    title = words.TITLE_PUBLIC if report["public"] else words.TITLE
    console.print(Text(title.in_(language).upper()))
    console.print(_plain(_summary(report, language)))
    if report["declaration"]:
        console.print(_plain(["", *_deviations(report, language)]))
    for interface in ("can", "ip", "sms"):
        rows = [row for row in report["functions"] if row["interface"] == interface]
        console.print(_plain(["", words.INTERFACES[interface].in_(language)]))
        if rows:
            console.print(_table(rows, language, declared=report["declaration"] is not None))
        else:
            console.print(_plain([f"  {words.NONE_SEEN.in_(language)}"]))
    console.print(_plain(_rest(report, language)))
    output = console.file
    told = output.getvalue() if isinstance(output, io.StringIO) else ""
    return "\n".join(line.rstrip() for line in told.rstrip().splitlines())


def _summary(report: dict[str, Any], language: Language) -> Iterator[str]:
    figures = [(words.SEEN, cells.number(len(report["functions"]), language))]
    if report["declaration"]:
        missing = sum(each["finding"] == Deviation.FUNCTION.value for each in report["findings"])
        figures.append((words.UNDECLARED, cells.number(missing, language)))
        figures.append((words.NOT_OBSERVED, cells.number(len(report["not_observed"]), language)))
    figures.append((words.RECORDED, cells.span(report["seconds"], language)))
    yield "; ".join(f"{label.in_(language)}: {value}" for label, value in figures)
    if cells.doubted(report):
        yield words.DOUBT.in_(language)
    if report["declaration"]:
        yield words.DECLARATION.in_(language).format(**report["declaration"])


def _deviations(report: dict[str, Any], language: Language) -> Iterator[str]:
    if not report["findings"]:
        yield words.NONE_UNDECLARED.in_(language)
    for each in report["findings"]:
        row = report["functions"][each["function"]]
        interface = words.SHORT_INTERFACES[each["interface"]].in_(language)
        more = cells.near(each, language)
        what = f"{each['finding']}  {interface}  {row['name']}  ({cells.does(row, language)})"
        yield f"{what}; {more}" if more else what


def _table(rows: Sequence[dict[str, Any]], language: Language, *, declared: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for column in (words.FUNCTION, words.DOES, words.FROM_TO, words.WHEN):
        table.add_column(column.in_(language), overflow="fold")
    table.add_column(words.COUNT.in_(language), justify="right", no_wrap=True)
    table.add_column(words.OUTCOME.in_(language), overflow="fold")
    if declared:
        table.add_column(words.DECLARED.in_(language), overflow="fold")
    kind = ""
    for row in rows:
        if row["kind"] != kind:
            kind = row["kind"]
            table.add_row(Text(words.KINDS[kind].in_(language).upper()))
        lines = [
            [row["name"], cells.known_as(row)],
            [cells.does(row, language)],
            cells.ends(row, language),
            cells.when(row, language),
            [cells.number(row["count"], language)],
            cells.outcomes(row, language),
            *([cells.standing(row, language) or [words.NOTHING]] if declared else []),
        ]
        table.add_row(*(_plain([line for line in cell if line]) for cell in lines))
    return table


def _rest(report: dict[str, Any], language: Language) -> Iterator[str]:
    if report["declaration"]:
        yield from ("", words.H_NOT_OBSERVED.in_(language))
        yield f"  {(words.ABSENCE if report['not_observed'] else words.ALL_OBSERVED).in_(language)}"
        for each in report["not_observed"]:
            interfaces = cells.listed([words.SHORT_INTERFACES[name].in_(language) for name in each["interface"]])
            yield f"  {each['title']} ({interfaces}): {each['purpose']}"
    if report["conduct"]:
        yield from ("", words.H_CONDUCT.in_(language))
        yield from (f"  {line}" for line in cells.conduct(report, language))
    yield from ("", words.H_LIMITS.in_(language))
    yield from (f"  {limit}" for limit in cells.limits(report, language))
    yield from ("", words.H_SOURCES.in_(language))
    yield from (f"  {line}" for line in cells.sources(report, language))


def _plain(lines: Iterator[str] | Sequence[str]) -> Text:
    """Lines as they are: no markup in them counts, and no control character reaches the terminal."""
    return Text("\n".join(printable(line, 2000) for line in lines))
