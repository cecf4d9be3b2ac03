"""A policy in plain words, for those who have to stand behind it.

Law: every demand of a rule is said, in the order in which it is checked; what a rule leaves open is said too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from busgate.judge.conditions import flags
from busgate.judge.limits import WEEK, SignalLimit, When, Window
from busgate.judge.network import NetworkSection, Remote
from busgate.judge.policy import Policy
from busgate.judge.rules import (
    IDENTIFIED,
    REQUEST,
    ROUTINE_CONTROL,
    WITH_SUBFUNCTION,
    CloudSelector,
    Rule,
    UdsSelector,
)
from busgate.judge.situation import UNITS
from busgate.judge.terms import DAY, MINUTE, Listed, hexadecimal, in_utc, in_words

Line = tuple[str, str]
"""What it is about, and what is said: ("at most", "6 in 1 min")."""


def policy_in_words(policy: Policy) -> Iterator[Line]:
    """What holds for the policy as a whole."""
    yield "policy", f"{policy.policy}, version {policy.version}"
    yield "for", f"vehicles of profile {policy.profile}" if policy.profile else "any vehicle"
    if policy.valid_from is not None:
        yield "valid from", in_utc(policy.valid_from)
    if policy.expires is not None:
        yield "expires", in_utc(policy.expires)
    if policy.mode is not None:
        yield "mode", f"{policy.mode.value}, unless the installer set another"
    yield "malformed", {"block": "blocked", "pass": "let through"}[policy.malformed]
    yield "all else", "blocked"
    if policy.network is None:
        yield "over the air", "the T-box may talk to anybody; what commands something needs a rule"
    else:
        yield from _network(policy.network)


def _network(network: NetworkSection) -> Iterator[Line]:
    for remote in network.endpoints:
        yield f"may reach {remote.id}", "; ".join(_remote(remote))
    if network.resolvers:
        yield "may ask names of", _or(map(str, network.resolvers))
    if network.time:
        yield "may ask the time of", _or(network.time)
    if network.countries:
        yield "only in", _or(network.countries)
    if network.hold is not None and network.hold.downloads is not None:
        yield "waits for the operator", f"a download of more than {network.hold.downloads} bytes"
    refuses = network.answer == "refuse"
    yield "what is cut out", "is answered with the protocol's refusal" if refuses else "is not answered"


def _remote(remote: Remote) -> Iterator[str]:
    yield f"{_or((*remote.hosts, *map(str, remote.addresses)))}, {remote.transport} port {_numbers(remote.ports)}"
    yield f"speaking {remote.speaks}"
    if remote.certificates:
        yield f"with certificate {_or(digest[:16] + '…' for digest in remote.certificates)}"
    if remote.down is not None:
        yield f"at most {remote.down.bytes} bytes down in any {in_words(remote.down.per)}"
    if remote.window is not None:
        yield _window(remote.window)
    if remote.grant is not None:
        yield f"only during a maintenance grant for {remote.grant}"
    yield "goes on while no agent judges" if remote.dead == "open" else "stops while no agent judges"
    if remote.why:
        yield f"because {remote.why}"


def _numbers(listed: Listed) -> str:
    if listed.everything:
        return "any"
    return _or(str(low) if low == high else f"{low}-{high}" for low, high in listed.ranges)


def rule_in_words(rule: Rule) -> Iterator[Line]:
    """What a rule allows, and what it asks for."""
    yield "may send", "; ".join(_selected(rule))
    if rule.signals is not None:
        limits = [f"{name} {_limit(limit)}" for name, limit in rule.signals.items()]
        yield (
            "only with",
            "; ".join([*limits, "no other signals" if rule.only_signals else "other signals as they come"]),
        )
    if rule.grant is not None:
        yield "only during", f"a maintenance grant for {rule.grant}"
    if rule.window is not None:
        yield "only", _window(rule.window)
    if rule.when is not None:
        yield "only while", "; ".join(_facts(rule.when))
    if rule.hold:
        yield "and waits", "until the operator releases it"
    if rule.rate is not None:
        yield "at most", f"{rule.rate.count} in any {in_words(rule.rate.per)}"
    if rule.why:
        yield "because", rule.why


def _selected(rule: Rule) -> Iterator[str]:
    if rule.uds is not None:
        yield from _requests(rule.uds)
        return
    if rule.cloud is not None:
        yield from _over_the_air(rule.cloud)
        return
    if rule.message is not None:
        yield f"message {rule.message}"
    if rule.can_id is not None:
        yield f"CAN id {_or(hexadecimal(number) for number in rule.can_id)}"
    if rule.pgn is not None:
        yield f"PGN {_or(hexadecimal(pgn) for pgn in rule.pgn)}"
        if REQUEST in rule.pgn:
            yield f"asking for {_listed(rule.requested, 'any group')}"
    if rule.sa is not None:
        yield f"from {_listed(rule.sa, 'any address')}"
    if rule.da is not None:
        yield f"to {_listed(rule.da, 'any address')}"


def _requests(uds: UdsSelector) -> Iterator[str]:
    services = frozenset(uds.services)
    whom = _or(target if isinstance(target, str) else hexadecimal(target) for target in uds.target or ())
    everyone = " (functional)" if uds.functional else ""
    yield f"service {_or(hexadecimal(service) for service in uds.services)} to {whom or 'all ECUs'}{everyone}"
    if services & WITH_SUBFUNCTION:
        yield f"sub-function {_listed(uds.subfunctions, 'any')}"
    if services & IDENTIFIED:
        yield f"DID {_listed(uds.dids, 'any')}"
    if ROUTINE_CONTROL in services:
        yield f"routine {_listed(uds.routines, 'any')}"


def _over_the_air(cloud: CloudSelector) -> Iterator[str]:
    by_text = cloud.protocol == "sms"
    yield "short messages" if by_text else f"messages over the air in {cloud.protocol}"
    if cloud.codes is not None:
        yield f"number {_listed(cloud.codes, 'any')}"
    if cloud.asks is not None:
        yield f"that ask for {_or(cloud.asks)}"
    anybody = "from any sender" if by_text else "from any endpoint that is listed"
    yield f"from {_or(cloud.endpoints)}" if cloud.endpoints else anybody
    for name, limit in (cloud.fields or {}).items():
        yield f"{name} {_limit(limit)}"


def _limit(limit: SignalLimit) -> str:
    if limit.is_ is not None:
        return _or(str(word) for word in limit.is_)
    return _range(limit.min, limit.max)


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"


def _facts(when: When) -> Iterator[str]:
    if when.speed is not None:
        limits = _range(when.speed.min, when.speed.max)
        yield f"speed {limits} {UNITS['speed']} (told in the last {in_words(when.speed.max_age)})"
    for name, condition in flags(when):
        yield f"{name} is {str(condition.is_).lower()} (told in the last {in_words(condition.max_age)})"


def _window(window: Window) -> str:
    days = "every day" if window.days == WEEK else ", ".join(window.days)
    hours = "" if window.to - window.from_ == DAY else f", {_clock(window.from_)} to {_clock(window.to)}"
    sign = "-" if window.utc_offset < 0 else "+"
    return f"{days}{hours} (UTC{sign}{_clock(abs(window.utc_offset))})"


def _clock(nanoseconds: int) -> str:
    minutes = nanoseconds // MINUTE
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _listed(listed: Listed, everything: str) -> str:
    if listed.everything:
        return everything
    return _or(
        hexadecimal(low) if low == high else f"{hexadecimal(low)}-{hexadecimal(high)}" for low, high in listed.ranges
    )


def _or(words: Iterable[str]) -> str:
    *others, last = ["", *words]
    return f"{', '.join(others[1:])} or {last}" if others[1:] else last
