"""Which country and network an address is registered in, from tables that the operator supplies (MaxMind DB files).

Law: what no table says is unknown (""), and nothing guesses. A lookup never raises: a table that turns out damaged says
nothing from then on, and `damage` says why. Memory is bounded: tables up to 256 MiB each are read whole (an in-place
update of a mapped file would kill the reader), and the last 4,096 answers are kept.

Formats: MaxMind DB 2.0. Fields: MaxMind's GeoIP2/GeoLite2 Country, City and ASN, which DB-IP shares, and the flat ones
of IPinfo's Lite tables. An address says where its block is registered or announced, not where a computer stands.
"""

from __future__ import annotations

import io
import ipaddress
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import maxminddb

from busgate.bridge.port import BridgeError

EU_AS_OF = "2020-02-01"
"""The day from which the list holds: the United Kingdom left on 31 January 2020 at midnight, and none joined since."""

EU = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"),
        *("LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
"""The 27 member states by ISO 3166-1 code: Treaty on European Union, article 52, as amended by the accession treaties,
and the withdrawal agreement of the United Kingdom (OJ L 29, 31.1.2020). Territories with a code of their own (RE, AX)
are in the Union only where the operator's table says so."""

LARGEST = 256 << 20
_ANSWERS = 4096
_LONGEST_NAME = 80
_NEXT = "Next: get the table anew from its supplier (for example GeoLite2-Country.mmdb), and name that file"

_NOWHERE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "224.0.0.0/3", "::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8",
    )
)  # fmt: skip
"""This host, private use, carrier-grade NAT, loopback, link-local, multicast and reserved (RFC 6890): in no country."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: an IPv4 address inside an IPv6 one, as networks without IPv4 show it."""


class Origin(NamedTuple):
    """What the tables say of an address: "" and None where they say nothing."""

    country: str = ""
    """ISO 3166-1 alpha-2, upper case."""
    in_eu: bool | None = None
    """None where the country is unknown."""
    asn: int | None = None
    organisation: str = ""
    """Who announces the network."""

    def within(self, places: Collection[str]) -> bool:
        """Whether the country is among `places`: ISO codes, and `EU` for the Union. An unknown country is in none."""
        return bool(self.country) and (self.country in places or ("EU" in places and self.in_eu is True))


_UNKNOWN = Origin()


class Countries:
    """The operator's tables, the first one that says something of a field counts."""

    def __init__(self, readers: Sequence[tuple[Path, maxminddb.Reader]]) -> None:
        """Use `open`."""
        self._readers = list(readers)
        self.damage = ""
        """Why a table says nothing any longer, in one line; "" while all are sound."""
        self.built = min((reader.metadata().build_epoch for _, reader in readers), default=0)
        """When the oldest of the tables was made, Unix time in seconds."""
        self._answer = lru_cache(_ANSWERS)(self._looked_up)

    @classmethod
    def open(cls, *paths: Path) -> Countries:
        """Read tables. Raises BridgeError when one is missing, is none, or is damaged."""
        return cls([(path, _opened(path)) for path in paths])

    def of(self, address: str) -> Origin:
        """What is known of an IP address as text; all unknown for what is none, and for private ones."""
        return self._answer(address)

    def country(self, address: str) -> str:
        """The country of an address, or ""."""
        return self._answer(address).country

    def network(self, address: str) -> str:
        """Who announces the network of an address, as `AS64500 Example Hosting`, or ""."""
        found = self._answer(address)
        return "" if found.asn is None else f"AS{found.asn} {found.organisation[:_LONGEST_NAME]}".rstrip()

    def _looked_up(self, address: str) -> Origin:
        public = _public(address)
        found = _UNKNOWN
        if public is None:
            return found
        for pair in tuple(self._readers):
            path, reader = pair
            if public.version > reader.metadata().ip_version:
                continue
            try:
                found = _joined(found, _read(reader.get(public)))
            except Exception as fault:  # noqa: BLE001 - a damaged file raises what its bytes happen to mean
                self._readers.remove(pair)
                self.damage = f"{path}: this table is damaged ({_told(fault)}). {_NEXT}"
        return found


def in_eu(country: str) -> bool:
    """Whether a country is a member state, by this module's own list."""
    return country in EU


def _opened(path: Path) -> maxminddb.Reader:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise BridgeError(f"{path}: {size >> 20} MiB is more than a table of countries has. {_NEXT}")
        raw = path.read_bytes()
    except OSError as fault:
        raise BridgeError(f"{path}: cannot be read ({fault.strerror or fault}). {_NEXT}") from None
    try:
        reader = maxminddb.open_database(io.BytesIO(raw), maxminddb.MODE_FD)
        sound = _sound(reader)
    except Exception as fault:  # noqa: BLE001 - a damaged file raises what its bytes happen to mean
        raise BridgeError(
            f"{path}: this is no table of countries, or a damaged one ({_told(fault)}). {_NEXT}"
        ) from None
    if not sound:
        raise BridgeError(f"{path}: this is no table of countries, or a damaged one. {_NEXT}")
    return reader


def _sound(reader: maxminddb.Reader) -> bool:
    """Whether the table says what it is; raises what maxminddb does where one of some 500 addresses meets damage."""
    about = reader.metadata()
    for probe in range(256):
        reader.get(f"{probe}.{probe ^ 0x55}.1.1")
        if about.ip_version == 6:
            reader.get(f"2{probe & 0xF:x}{probe >> 4:x}0:{probe:x}00::1")
    return about.ip_version in {4, 6} and isinstance(about.build_epoch, int)


def _told(fault: Exception) -> str:
    """A fault as one short line; it may quote the file's bytes."""
    words = "".join(letter if letter.isprintable() else "?" for letter in str(fault).partition(" (<<")[0][:120])
    return words or type(fault).__name__


def _public(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address to look up; None for what is no address, or one that is in no country."""
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(read, ipaddress.IPv6Address):
        if read.ipv4_mapped is not None:
            read = read.ipv4_mapped
        elif read in _NAT64:
            read = ipaddress.IPv4Address(int(read) & 0xFFFF_FFFF)
    return None if any(read.version == network.version and read in network for network in _NOWHERE) else read


def _read(record: Any) -> Origin:
    """A record of any of the known tables."""
    if not isinstance(record, Mapping):
        return _UNKNOWN
    nested = record.get("country")
    place = nested if isinstance(nested, Mapping) else {"iso_code": record.get("country_code") or nested}
    code = _text(place.get("iso_code")).upper()
    country = code if len(code) == 2 and code.isascii() and code.isalpha() else ""
    flag = place.get("is_in_european_union", record.get("is_in_european_union"))
    # MaxMind writes the flag only where it is true; then our own list says it.
    member = flag if isinstance(flag, bool) else in_eu(country)
    return Origin(
        country,
        member if country else None,
        _number(record.get("autonomous_system_number", record.get("asn"))),
        _text(record.get("autonomous_system_organization", record.get("as_name"))),
    )


def _joined(first: Origin, other: Origin) -> Origin:
    place = first if first.country else other
    network = first if first.asn is not None or first.organisation else other
    return Origin(place.country, place.in_eu, network.asn, network.organisation)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    """An AS number, also written as `AS64500`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    digits = _text(value).upper().removeprefix("AS")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else None
