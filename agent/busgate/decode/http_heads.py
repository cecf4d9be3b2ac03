"""The head of one HTTP/1 message: its start line, its fields, and how its body is delimited.

Law: any bytes give a head or None, never an exception; what is against the standard is a flaw. Clauses are those of
RFC 9112 (HTTP/1.1) and RFC 9110 (semantics). What lets somebody in (authorization, cookies) is named, never shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

METHODS = (
    b"GET POST PUT HEAD DELETE OPTIONS PATCH CONNECT TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK NOTIFY "
    b"SUBSCRIBE UNSUBSCRIBE M-SEARCH SEARCH REPORT"
).split()
"""RFC 9110, 9; RFC 5789, RFC 4918, and those of UPnP."""

LONGEST_HEAD = 1 << 16
LONGEST_LINE = 1 << 13

_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([!-\xff]{1,8192}) HTTP/([0-9])\.([0-9])[ \t]*\r?\n")
_STATUS = re.compile(rb"HTTP/([0-9])\.([0-9]) ([1-9][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_HIDDEN = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_HIDDEN_WORD = "(hidden)"
_MOST_DIGITS = 18

Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request (RFC 9112, 3)."""

    method: str
    target: str
    """As it stands in the request line."""
    version: str
    """"1.1" or the like."""
    host: str
    url: str
    """The target with host and scheme where the request has a host."""
    headers: Sequence[tuple[str, str]] = ()
    """Names in lower case, values as they are; those that let somebody in hidden."""
    content_length: int | None = None
    chunked: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """The head of a response (RFC 9112, 4). `method` and `url` are those of its request, if that was seen."""

    status: int
    reason: str
    version: str
    headers: Sequence[tuple[str, str]] = ()
    content_length: int | None = None
    chunked: bool = False
    method: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """What a message's body was, known when it has passed.

    `received` counts content without chunk framing, `sha256` is over the same bytes: what a file on a disk has, unless
    `content_encoding` says that it was packed. `content_length` is what was announced, None if nothing was.
    """

    method: str
    url: str
    status: int | None
    """None for the body of a request."""
    content_type: str
    content_encoding: str
    content_length: int | None
    content_range: str
    received: int
    sha256: str
    complete: bool
    data: bytes = b""
    """The content itself, where it is short (`http_bodies.SHORT`); told nowhere as it is."""


def request(raw: bytes) -> tuple[Request, list[str]] | None:
    """A whole request head; None where it does not begin with a request line."""
    found = _REQUEST.match(raw)
    if found is None:
        return None
    flaws: list[str] = []
    fields = _fields(raw[found.end() :], flaws)
    method, target = found[1].decode(), found[2].decode("utf-8", "backslashreplace")
    hosts = values(fields, "host")
    if len(hosts) > 1:
        flaws.append("there is more than one host")
    version = f"{found[3].decode()}.{found[4].decode()}"
    if not hosts and version == "1.1":
        flaws.append("there is no host")
    host = hosts[0] if hosts else ""
    length, chunked = _framing(fields, flaws)
    return Request(method, target, version, host, _url(method, target, host), _shown(fields), length, chunked), flaws


def response(raw: bytes) -> tuple[Response, list[str]] | None:
    """A whole response head; None where it does not begin with a status line."""
    found = _STATUS.match(raw)
    if found is None:
        return None
    flaws: list[str] = []
    fields = _fields(raw[found.end() :], flaws)
    version = f"{found[1].decode()}.{found[2].decode()}"
    length, chunked = _framing(fields, flaws)
    reason = (found[4] or b"").decode("utf-8", "backslashreplace").strip()
    return Response(int(found[3]), reason, version, _shown(fields), length, chunked), flaws


def values(fields: Sequence[tuple[str, str]], name: str) -> list[str]:
    """All values of a field."""
    return [value for known, value in fields if known == name]


def first(fields: Sequence[tuple[str, str]], name: str) -> str:
    """A field's first value, or nothing."""
    return next(iter(values(fields, name)), "")


def row(head: Request | Response) -> dict[str, object]:
    """What of a head is told: its start line, the fields that matter by name, and all fields as they came."""
    told: dict[str, object] = (
        {"method": head.method, "target": head.target, "version": head.version, "host": head.host, "url": head.url}
        if isinstance(head, Request)
        else {"status": head.status, "reason": head.reason, "version": head.version}
    )
    if isinstance(head, Response):
        told |= {name: value for name, value in (("method", head.method), ("url", head.url)) if value}
    for name in _TOLD:
        if value := first(head.headers, name):
            told[name.replace("-", "_")] = value
    if head.chunked:
        told["chunked"] = True
    if head.content_length is not None:
        told["content_length"] = head.content_length
    told["headers"] = [list(pair) for pair in head.headers]
    return told


_TOLD = (
    "user-agent",
    "server",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "range",
    "content-range",
    "content-disposition",
    "location",
    "upgrade",
)


def _url(method: str, target: str, host: str) -> str:
    """3.2: origin-form and asterisk-form need the host, the others have it."""
    if method == "CONNECT" or "://" in target[:16]:
        return target
    if target == "*":
        target = ""
    return f"http://{host}{target}" if host else target


def _fields(raw: bytes, flaws: list[str]) -> Fields:
    """5: field lines; a line that begins with white space continues the one before (5.2)."""
    fields: Fields = []
    for line in raw.decode("utf-8", "backslashreplace").split("\n"):
        text = line.rstrip("\r")
        if not text:
            continue
        if text[0] in " \t" and fields:
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {text.strip()}")
            continue
        name, colon, value = text.partition(":")
        if not colon:
            flaws.append("a field line has no colon")
        elif name != name.strip():
            flaws.append(f"there is white space around the field name {name.strip()!r}")
        fields.append((name.strip().lower(), value.strip()))
    return fields


def _shown(fields: Fields) -> tuple[tuple[str, str], ...]:
    return tuple((name, _HIDDEN_WORD if name in _HIDDEN else value) for name, value in fields)


def _framing(fields: Fields, flaws: list[str]) -> tuple[int | None, bool]:
    """6.3: announced length, and whether the body comes in chunks, which then counts alone."""
    codings = [part.strip().lower() for value in values(fields, "transfer-encoding") for part in value.split(",")]
    lengths = {part.strip() for value in values(fields, "content-length") for part in value.split(",")}
    chunked = bool(codings) and codings[-1] == "chunked"
    if codings and lengths:
        flaws.append("there are both a transfer encoding and a content length")
    if codings and not chunked:
        flaws.append("the last transfer encoding is not chunked")
        return None, False
    if chunked or not lengths:
        return None, chunked
    said = lengths.pop()
    if lengths or not re.fullmatch(f"[0-9]{{1,{_MOST_DIGITS}}}", said, re.ASCII):
        flaws.append("the content length is not one number")
        return None, False
    return int(said), False


def has_body(head: Response) -> bool:
    """6.3: whether anything follows a response before the next one."""
    bare = head.method == "HEAD" or head.status < 200 or head.status in NO_BODY
    tunnel = head.method == "CONNECT" and head.status < 300
    return not (bare or tunnel or (head.content_length == 0 and not head.chunked))


NO_BODY: Mapping[int, str] = {204: "No Content", 304: "Not Modified"}
"""6.3: responses without a body, besides those to HEAD and the interim ones."""
