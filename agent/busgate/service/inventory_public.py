"""What has to leave a text before the public sees it: VIN, SIM and telephone numbers, addresses, hosts, places.

Law: rather a harmless word too many is hidden than one number too few. A host's name stays only where the vendor's
declaration names it.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final

from busgate.service.declaration import Declaration

HIDDEN: Final = "[…]"

_DIGITS_OF_A_NUMBER = 7
"""So many digits in a row, or two more with spaces and dashes between, are a telephone, SIM or device number."""

_ADDRESSES: Final = (
    re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE),
    re.compile(r"[^\s@<>]+@[^\s@<>]+"),
    re.compile(r"\d{1,3}(?:\.\d{1,3}){3,}(?:[:/]\d{1,5})?"),
    re.compile(
        r"\[?(?<![0-9a-f:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%\w+)?(?:/\d{1,3})?(?![0-9a-f:])\]?", re.IGNORECASE
    ),
)
_PLACES: Final = (
    re.compile(r"[-+]?\d{1,3}\s*[°º](?!\s*[CF]\b)[\s\d.,'\"\u2019\u2032\u201d\u2033]*[NSEWO]?", re.IGNORECASE),
    re.compile(r"[-+]?\d{1,3}[.,]\d{3,}"),
)
_VIN: Final = re.compile(r"(?<![A-Z0-9])(?=[A-Z]*\d)[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\+?\(?\d(?:[\s().\-/]{0,2}\d){6,}")
_HOST: Final = re.compile(r"(?<![\w-])(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)+[a-z]{2,24}\.?(?![\w-])", re.IGNORECASE)


def scrubbed(text: str, hosts: frozenset[str]) -> str:
    """The text without what identifies a vehicle, a person or a place; `hosts` are the names that may stay."""
    shown = unicodedata.normalize("NFKC", text)
    for pattern in _ADDRESSES:
        shown = pattern.sub(HIDDEN, shown)
    shown = _HOST.sub(lambda found: found[0] if named_by(hosts, found[0]) else HIDDEN, shown)
    shown = _VIN.sub(HIDDEN, shown)
    for pattern in _PLACES:
        shown = pattern.sub(HIDDEN, shown)
    return _NUMBER.sub(_hidden_number, shown)


def hosts_of(declaration: Declaration) -> frozenset[str]:
    """The names of hosts among the declared endpoints, in lower case; `*.name` stands for all below it."""
    named = (
        re.sub(r":\d+$", "", end.strip()).casefold().rstrip(".")
        for each in declaration.functions
        for end in each.endpoints
    )
    return frozenset(name for name in named if _is_host(name))


def named_by(hosts: frozenset[str], host: str) -> str:
    """The host's name where it may be shown, else ""."""
    name = host.strip().casefold().rstrip(".")
    if name in hosts:
        return name
    below = any(each.startswith("*.") and name.endswith(each[1:]) for each in hosts)
    return name if below and _is_host(name) else ""


def _is_host(name: str) -> bool:
    try:
        ipaddress.ip_network(name, strict=False)
    except ValueError:
        return re.fullmatch(r"(?:\*\.)?(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}", name) is not None
    return False


def _hidden_number(found: re.Match[str]) -> str:
    """A run of digits is hidden where it is as long as a number; a date (2026-11-25) is not."""
    written = found[0]
    digits = sum(letter.isdigit() for letter in written)
    solid = re.search(rf"\d{{{_DIGITS_OF_A_NUMBER},}}", written) is not None
    return HIDDEN if solid or written.startswith("+") or digits >= _DIGITS_OF_A_NUMBER + 2 else written
