"""The disclosure report as one HTML file: to read on a screen, to print on A4, to hand to an auditor.

Law: one file, no script, nothing fetched (its own policy forbids it), and every text from outside is escaped. What
matters is said in words and rules, so that it reads the same printed in black.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from busgate.report.words import Language, Words, printable
from busgate.service import inventory_cells as cells
from busgate.service import inventory_words as words
from busgate.service.declaration import Deviation

_LONGEST = 4000
_STYLE = """
:root { color-scheme: light; --ink: #16181c; --soft: #565b64; --line: #c9ccd1; }
* { box-sizing: border-box; }
html { font: 15px/1.5 "Source Sans 3", "Segoe UI", "Noto Sans", "Liberation Sans", Arial, sans-serif; color: var(--ink);
  background: #fff; font-variant-numeric: tabular-nums; }
body { max-width: 72rem; margin: 0 auto; padding: 3rem 2rem 4rem; }
h1 { font-size: 2rem; line-height: 1.15; letter-spacing: -.015em; margin: 0 0 .6rem; font-weight: 650; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.6rem 0 .5rem; padding-top: .7rem; border-top: 2px solid var(--ink);
  font-weight: 650; }
code { font: 600 .8em ui-monospace, "Cascadia Mono", "Liberation Mono", monospace; letter-spacing: 0; }
h2 code { float: right; color: var(--soft); font-weight: 400; padding-top: .35em; }
p { margin: .4rem 0; max-width: 46rem; }
.soft, .meta { color: var(--soft); }
.meta { font-size: .9rem; }
dl.figures { display: flex; gap: 0; margin: 1.8rem 0 0; border: 1px solid var(--line); }
dl.figures div { flex: 1; padding: .8rem 1.1rem; border-left: 1px solid var(--line); display: flex;
  flex-direction: column-reverse; justify-content: flex-end; }
dl.figures div:first-child { border-left: 0; }
dl.figures dd { margin: 0; font-size: 1.9rem; line-height: 1.2; font-weight: 600; }
dl.figures dt { color: var(--soft); font-size: .9rem; }
dl.figures .matters dt { color: var(--ink); font-weight: 600; }
table { width: 100%; border-collapse: collapse; margin: .7rem 0 0; font-size: .87rem; line-height: 1.4; }
th { text-align: left; font-weight: 600; color: var(--soft); padding: .3rem .9rem .3rem 0; vertical-align: bottom;
  border-bottom: 1px solid var(--ink); white-space: nowrap; }
td { padding: .45rem .9rem .45rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
td, li { overflow-wrap: break-word; }
th:last-child, td:last-child { padding-right: 0; }
td.name { font-weight: 600; }
td.name small, td small { display: block; font-weight: 400; color: var(--soft); font-size: .92em; }
table.functions { table-layout: fixed; }
table.functions th:nth-child(1) { width: 18%; } table.functions th:nth-child(2) { width: 16%; }
table.functions th:nth-child(3) { width: 17%; } table.functions th:nth-child(4) { width: 16%; }
table.functions th:nth-child(5) { width: 5%; } table.functions th:nth-child(7) { width: 11%; }
.number { text-align: right; white-space: nowrap; }
.when { white-space: nowrap; }
.mark { font-weight: 700; }
tr.kind td { padding: 1rem 0 .25rem; color: var(--soft); border-bottom: 1px solid var(--line); font-weight: 600; }
ul { margin: .4rem 0; padding-left: 1.1rem; max-width: 46rem; }
li { margin: .25rem 0; }
@media (max-width: 60rem) { body { padding: 1.5rem 1rem; } dl.figures { flex-wrap: wrap; } .wide { overflow-x: auto; }
  .wide table { min-width: 52rem; } }
@page { size: A4 landscape; margin: 14mm 14mm 16mm; }
@media print {
  html { font-size: 9.5pt; }
  body { max-width: none; padding: 0; }
  .soft, .meta, th, h2 code, dl.figures dt, td small, tr.kind td { color: #333; }
  h2, h2 + p { break-after: avoid; }
  h2 { margin-top: 1.6rem; }
  tr, dl.figures, li { break-inside: avoid; }
  thead { display: table-header-group; }
  tr.kind { break-after: avoid; }
}
"""


def escape(text: str) -> str:
    """A text from outside as it may stand in the page: no markup of its own, no control or direction characters."""
    return html.escape(printable(text, _LONGEST))


def page(report: dict[str, Any], language: Language) -> str:
    """The whole file."""

    def say(text: Words) -> str:
        return escape(text.in_(language))

    title = say(words.TITLE_PUBLIC if report["public"] else words.TITLE)
    body = [
        f"<h1>{title}</h1>",
        f"<p>{say(words.LEAD if report['declaration'] else words.LEAD_ALONE)}</p>",
        *(f'<p class="meta">{escape(line)}</p>' for line in _about(report, language)),
        *([f'<p class="mark">{say(words.DOUBT)}</p>'] if cells.doubted(report) else []),
        *_figures(report, language),
        *(_undeclared(report, language) if report["declaration"] else ()),
    ]
    for interface in ("can", "ip", "sms"):
        rows = [row for row in report["functions"] if row["interface"] == interface]
        body += [f"<h2>{say(words.INTERFACES[interface])}</h2>"]
        body += _functions(rows, report, language) if rows else [f'<p class="soft">{say(words.NONE_SEEN)}</p>']
    body += _not_observed(report, language) if report["declaration"] else ()
    if report["conduct"]:
        body += [f"<h2>{say(words.H_CONDUCT)}</h2>", *_list(cells.conduct(report, language))]
    body += [f"<h2>{say(words.H_LIMITS)}</h2>", *_list(cells.limits(report, language))]
    body += [f"<h2>{say(words.H_SOURCES)}</h2>", *_list(cells.sources(report, language))]
    return "\n".join([*_head(title, language), *body, "</body>", "</html>", ""])


def _head(title: str, language: Language) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield f'<html lang="{language}">'
    yield '<head><meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{title}</title>"
    yield f"<style>{_STYLE}</style></head>"
    yield "<body>"


def _about(report: dict[str, Any], language: Language) -> Iterator[str]:
    declaration = report["declaration"]
    if declaration is not None:
        vehicle = f" ({declaration['vehicle']})" if declaration["vehicle"] else ""
        yield words.DECLARATION.in_(language).format(**declaration) + vehicle + "."
    period = report["period"]
    edges = {edge: cells.moment(period[edge], language) for edge in ("first", "last")}
    made = words.MADE.in_(language).format(cells.moment(report["made"], language))
    yield f"{words.PERIOD.in_(language).format(**edges)}. {made}."


def _figures(report: dict[str, Any], language: Language) -> Iterator[str]:
    figures: list[tuple[str, Words]] = [(cells.number(len(report["functions"]), language), words.SEEN)]
    if report["declaration"]:
        missing = sum(each["finding"] == Deviation.FUNCTION.value for each in report["findings"])
        figures.append((cells.number(missing, language), words.UNDECLARED))
        figures.append((cells.number(len(report["not_observed"]), language), words.NOT_OBSERVED))
    figures.append((cells.span(report["seconds"], language), words.RECORDED))
    yield '<dl class="figures">'
    for value, label in figures:
        matters = ' class="matters"' if label is words.UNDECLARED else ""
        yield f"<div{matters}><dt>{escape(label.in_(language))}</dt><dd>{escape(value)}</dd></div>"
    yield "</dl>"


def _undeclared(report: dict[str, Any], language: Language) -> Iterator[str]:
    """The deviations, first of all: what a reader looks for."""
    functions = [each for each in report["findings"] if each["finding"] == Deviation.FUNCTION.value]
    others = [each for each in report["findings"] if each not in functions]
    yield f"<h2>{escape(words.H_UNDECLARED.in_(language))} <code>{Deviation.FUNCTION.value}</code></h2>"
    if functions:
        yield from _deviations(functions, report, language, coded=False)
    else:
        yield f"<p>{escape(words.NONE_UNDECLARED.in_(language))}</p>"
    if others:
        yield f"<h2>{escape(words.H_DEPARTURES.in_(language))}</h2>"
        yield from _deviations(others, report, language, coded=True)


def _deviations(
    found: Sequence[dict[str, Any]], report: dict[str, Any], language: Language, *, coded: bool
) -> Iterator[str]:
    yield '<div class="wide"><table><tbody>'
    for each in found:
        row = report["functions"][each["function"]]
        near = cells.near(each, language)
        told = [
            _name_cell(row),
            _cell([words.SHORT_INTERFACES[each["interface"]].in_(language)]),
            _cell([cells.does(row, language)]),
            *([f"<td><code>{escape(each['finding'])}</code></td>"] if coded else []),
            _cell([near] if coded and near else [*cells.ends(row, language), *([near] if near else [])]),
            f'<td class="number">{escape(cells.times(row["count"], language))}</td>',
        ]
        yield f"<tr>{''.join(told)}</tr>"
    yield "</tbody></table></div>"


def _functions(rows: Sequence[dict[str, Any]], report: dict[str, Any], language: Language) -> Iterator[str]:
    columns = [words.FUNCTION, words.DOES, words.FROM_TO, words.WHEN, words.COUNT, words.OUTCOME]
    columns += [words.DECLARED] if report["declaration"] else []
    yield '<div class="wide"><table class="functions"><thead><tr>'
    for column in columns:
        number = ' class="number"' if column is words.COUNT else ""
        yield f"<th{number}>{escape(column.in_(language))}</th>"
    yield "</tr></thead><tbody>"
    kind = ""
    for row in rows:
        if row["kind"] != kind:
            kind = row["kind"]
            yield f'<tr class="kind"><td colspan="{len(columns)}">{escape(words.KINDS[kind].in_(language))}</td></tr>'
        told = [
            _name_cell(row),
            _cell([cells.does(row, language)]),
            _cell(cells.ends(row, language)),
            _cell(cells.when(row, language), "when"),
            f'<td class="number">{escape(cells.number(row["count"], language))}</td>',
            _cell(cells.outcomes(row, language)),
        ]
        if report["declaration"]:
            mark = "mark" if row["findings"] else ""
            told.append(_cell(cells.standing(row, language) or [words.NOTHING], mark))
        yield f"<tr>{''.join(told)}</tr>"
    yield "</tbody></table></div>"


def _not_observed(report: dict[str, Any], language: Language) -> Iterator[str]:
    yield f"<h2>{escape(words.H_NOT_OBSERVED.in_(language))}</h2>"
    if not report["not_observed"]:
        yield f"<p>{escape(words.ALL_OBSERVED.in_(language))}</p>"
    else:
        yield f"<p>{escape(words.ABSENCE.in_(language))}</p>"
        yield '<div class="wide"><table><thead><tr>'
        for column in (words.FUNCTION, words.DOES, words.ALLOWED_ENDS, words.PURPOSE):
            yield f"<th>{escape(column.in_(language))}</th>"
        yield "</tr></thead><tbody>"
        for each in report["not_observed"]:
            interfaces = cells.listed([words.SHORT_INTERFACES[name].in_(language) for name in each["interface"]])
            acts = cells.listed([cells.deed(act, language) for act in each["act"]])
            part = cells.part_word(each["subsystem"], language) if each["subsystem"] else ""
            name = f"{escape(each['title'])}<small>{escape(interfaces)}</small>"
            does = ": ".join(text for text in (part, acts) if text)
            allowed = cells.listed([*each["endpoints"], *each["countries"]]) or words.NOTHING
            told = [
                f'<td class="name">{name}</td>',
                _cell([does or words.NOTHING]),
                _cell([allowed]),
                _cell([each["purpose"]]),
            ]
            yield f"<tr>{''.join(told)}</tr>"
        yield "</tbody></table></div>"


def _name_cell(row: dict[str, Any]) -> str:
    number = cells.known_as(row)
    return f'<td class="name">{escape(row["name"])}{f"<small>{escape(number)}</small>" if number else ""}</td>'


def _cell(lines: Sequence[str], style: str = "") -> str:
    inner = "<br>".join(escape(line) for line in lines)
    return f'<td class="{style}">{inner}</td>' if style else f"<td>{inner}</td>"


def _list(lines: Iterable[str]) -> Iterator[str]:
    yield "<ul>"
    for line in lines:
        yield f"<li>{escape(line)}</li>"
    yield "</ul>"
