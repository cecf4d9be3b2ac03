"""The verdict on a conversation of the T-box: with whom, where that is, in which language, how much.

Law: doubt means no. An address whose name nobody has learned has no name, one that the table of countries does not know
is in no country, and what nobody recognises speaks nothing that a policy names.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple

from busgate.judge.clock import Moment
from busgate.judge.conditions import window_refused
from busgate.judge.network import EU, Address, NetworkSection, Remote, names
from busgate.judge.refusal import Refusal
from busgate.judge.terms import in_words
from busgate.model import Action, Endpoint, Flow, Reason, Verdict

_DNS, _NTP = 53, 123

Europe = Callable[[str], bool]
"""Whether a country is a member state of the European Union."""


class Known(NamedTuple):
    """What is known of the remote end: its names, its country ("" for unknown), and what it was heard to speak."""

    hosts: tuple[str, ...] = ()
    country: str = ""
    speaks: str = ""
    """The protocol, "" while nothing has been said."""
    sni: str = ""
    certificate: str = ""
    """SHA-256 of its own certificate, "" where none was visible."""


class Endpoints:
    """The part of a policy that says whom the T-box may talk to, and what it remembers of volumes."""

    def __init__(self, network: NetworkSection | None, in_europe: Europe) -> None:
        """A policy without `network` (None) limits nobody."""
        self.network = network
        self.in_europe = in_europe
        self._taken: dict[str, deque[tuple[int, int]]] = {}
        self._sums: dict[str, int] = {}

    def _remotes(self, flow: Flow, known: Known) -> list[Remote]:
        if self.network is None:
            return []
        address = _address(flow.remote.address)
        found = [
            remote
            for remote in self.network.endpoints
            if remote.transport == flow.transport and remote.ports.allows(flow.remote.port)
            and _is_at(remote, address, known)
        ]  # fmt: skip
        # What is known of the language picks among several that share an address.
        return sorted(found, key=lambda remote: remote.speaks not in {known.speaks, "any"})

    def judged(
        self, flow: Flow, known: Known, granted: Callable[[str], bool], moment: Moment
    ) -> tuple[Refusal | None, Remote | None]:
        """Why a conversation may not be held (None where it may), and the endpoint that it is with.

        Of several endpoints at one address it is with the first that lets it be held.
        """
        if self.network is None:
            return None, None
        if self._is_service(flow, known):
            return _other_than_service(flow, known), None
        remotes = self._remotes(flow, known)
        if not remotes:
            whom = _shown(flow.remote, known)
            return Refusal(Reason.ENDPOINT_NOT_LISTED, f"no endpoint of the policy is {whom}"), None
        refusals = [(self._remote_refused(remote, known, granted, moment), remote) for remote in remotes]
        return next((each for each in refusals if each[0] is None), refusals[0])

    def _is_service(self, flow: Flow, known: Known) -> bool:
        """Name and time services, which every endpoint by name needs."""
        network = self.network
        address = _address(flow.remote.address)
        if network is None or address is None:
            return False
        if flow.remote.port == _DNS:
            return address in network.resolvers
        if flow.remote.port == _NTP and flow.transport == "udp":
            return str(address) in network.time or any(names(network.time, host) for host in known.hosts)
        return False

    def _remote_refused(
        self, remote: Remote, known: Known, granted: Callable[[str], bool], moment: Moment
    ) -> Refusal | None:
        if (refusal := self._place_refused(known)) is not None:
            return refusal
        if known.speaks and remote.speaks not in {known.speaks, "any"}:
            return Refusal(Reason.PROTOCOL_NOT_ALLOWED, f"{remote.id} speaks {remote.speaks}, this is {known.speaks}")
        if known.sni and remote.hosts and not names(remote.hosts, known.sni):
            return Refusal(Reason.IDENTITY_NOT_ALLOWED, f"it asks for {known.sni}, which is no name of {remote.id}")
        if known.certificate and remote.certificates and known.certificate not in remote.certificates:
            return Refusal(Reason.IDENTITY_NOT_ALLOWED, f"{remote.id} showed another certificate than it should")
        if remote.grant is not None and not granted(remote.grant):
            return Refusal(Reason.GRANT_REQUIRED, f"no grant for {remote.grant} is active")
        return None if remote.window is None else window_refused(remote.window, moment)

    def _place_refused(self, known: Known) -> Refusal | None:
        allowed = () if self.network is None else self.network.countries
        if not allowed or known.country in allowed or (EU in allowed and self.in_europe(known.country)):
            return None
        where = known.country or "a country that the table does not know"
        return Refusal(Reason.COUNTRY_NOT_ALLOWED, f"it is in {where}, not in {' or '.join(allowed)}")

    def too_much(self, remote: Remote | None, size: int, elapsed: int) -> Refusal | None:
        """Count bytes towards the T-box; why they are too many, if they are. Refused ones are not counted."""
        if remote is None or remote.down is None:
            return None
        most, per = remote.down.bytes, remote.down.per
        taken = self._taken.setdefault(remote.id, deque())
        total = self._sums.get(remote.id, 0)
        while taken and elapsed - taken[0][0] >= per:
            total -= taken.popleft()[1]
        if total + size > most:
            self._sums[remote.id] = total
            return Refusal(Reason.VOLUME_EXCEEDED, f"more than {most} bytes in {in_words(per)} from {remote.id}")
        # One entry a thousandth of the stretch is exact enough, and bounds the memory.
        if taken and elapsed - taken[-1][0] < per // 1000:
            taken[-1] = (taken[-1][0], taken[-1][1] + size)
        else:
            taken.append((elapsed, size))
        self._sums[remote.id] = total + size
        return None


def _other_than_service(flow: Flow, known: Known) -> Refusal | None:
    """Whether something else is spoken with a name or time server: a tunnel, most likely."""
    spoken = {_DNS: "dns", _NTP: "ntp"}[flow.remote.port]
    if known.speaks.removesuffix("-tcp") in {"", spoken}:
        return None
    return Refusal(Reason.PROTOCOL_NOT_ALLOWED, f"{flow.remote.address} is listed for {spoken}, this is {known.speaks}")


def verdict_of(refusal: Refusal | None, remote: Remote | None) -> Verdict:
    """The verdict on a conversation."""
    if refusal is not None:
        return Verdict(Action.BLOCK, refusal.reason, "", refusal.detail)
    return Verdict(Action.PASS, Reason.ENDPOINT_SERVICE, "" if remote is None else remote.id)


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_at(remote: Remote, address: Address | None, known: Known) -> bool:
    if address is not None and any(address in network for network in remote.addresses):
        return True
    return any(names(remote.hosts, host) for host in known.hosts)


def _shown(remote: Endpoint, known: Known) -> str:
    return f"{known.hosts[0]} ({remote})" if known.hosts else str(remote)
