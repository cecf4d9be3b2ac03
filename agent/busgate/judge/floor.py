"""The part of a policy that needs no judgement: what a kernel can forward by identifier alone, with no agent alive.

Law: a rule comes here only if nothing it or the gate would ask of a frame lies in its payload, its rate, the vehicle's
state, a clock or a log: then every frame with that identifier passes, and no look at it could change that. All other
rules stay with the agent, and never does a frame have two forwarders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from busgate.judge.policy import Policy
from busgate.judge.rules import REQUEST, Rule, canid_of, has_destination
from busgate.judge.terms import Listed
from busgate.model import EXTENDED, IDENTIFIER, REMOTE, Frame
from busgate.profile import Profile

_ANY_PRIORITY = 0x03FF_FFFF
_NO_DESTINATION = 0x03FF_00FF
_CLASSICAL = 8


class Known(Protocol):
    """What of a message's description matters here."""

    name: str
    can_id: int
    length: int


class Descriptions(Protocol):
    """The vehicle's messages: `decode.dbc.Database`."""

    def named(self, name: str) -> Known | None:
        """A message by its name."""

    def by_id(self, can_id: int) -> Known | None:
        """A message by its very identifier."""

    def by_pgn(self, pgn: int, sa: int | None = None) -> Known | None:
        """A message by its parameter group."""


class KernelRule(NamedTuple):
    """Frames of the T-box with these bits pass; `can_id` and `mask` as SocketCAN filters, data frames only."""

    rule: str
    can_id: int
    mask: int

    def takes(self, frame: Frame) -> bool:
        """Whether the kernel forwards this frame; CAN FD frames never are."""
        return not frame.fd and frame.can_id & self.mask == self.can_id

    def covers(self, other: KernelRule) -> bool:
        """Whether it takes every frame that the other one takes."""
        return self.mask & other.mask == self.mask and self.meets(other)

    def meets(self, other: KernelRule) -> bool:
        """Whether there is a frame that both take."""
        both = self.mask & other.mask
        return self.can_id & both == other.can_id & both


class Kept(NamedTuple):
    """A rule that the agent keeps, and why."""

    rule: str
    why: str


class Floor(NamedTuple):
    """A policy in two layers."""

    kernel: tuple[KernelRule, ...]
    agent: tuple[Kept, ...]

    def takes(self, frame: Frame) -> bool:
        """Whether the kernel forwards this frame of the T-box."""
        return any(rule.takes(frame) for rule in self.kernel)

    @property
    def filters(self) -> tuple[tuple[int, int], ...]:
        """The fewest filters that take what the kernel's rules take, identifier and mask. No frame fits two of them."""
        return tuple(dict.fromkeys((rule.can_id, rule.mask) for rule in map(self.widest, self.kernel)))

    def widest(self, rule: KernelRule) -> KernelRule:
        """The rule by whose filter the kernel takes what this one takes: its own, or that of one that covers it."""
        return min((each for each in self.kernel if each.covers(rule)), key=lambda each: each.mask.bit_count())


def compiled(policy: Policy, profile: Profile, messages: Descriptions) -> Floor:
    """Which of a policy's rules the kernel can keep."""
    kernel: list[KernelRule] = []
    agent: list[Kept] = []
    for rule in policy.allow:
        why = next(_needs(rule, policy, profile, messages), None)
        wanted = [] if why else _filters(rule, profile, messages)
        why = why or next(crossing(wanted, kernel), None)
        if why is None:
            kernel += wanted
        else:
            agent.append(Kept(rule.id, why))
    return Floor(tuple(kernel), tuple(agent))


def crossing(wanted: Iterable[KernelRule], kernel: Iterable[KernelRule]) -> Iterator[str]:
    """Filters that meet one that is the kernel's already, where neither covers the other: it would send a frame twice.

    What this module makes of groups and identifiers never does; a filter of another shape would.
    """
    for new in wanted:
        for old in kernel:
            if new.meets(old) and not (new.covers(old) or old.covers(new)):
                yield f"some of its frames are rule {old.rule}'s too, and the kernel would send those twice"


def _needs(rule: Rule, policy: Policy, profile: Profile, messages: Descriptions) -> Iterator[str]:
    """What has to be known of a frame beyond its identifier before this rule lets it pass."""
    if rule.uds is not None:
        yield "diagnostics are in the payload"
    if rule.cloud is not None:
        yield "it is about messages over the air, not about frames"
    for field, why in (
        ("signals", "signals are in the payload"),
        ("rate", "a rate has to be counted"),
        ("when", "the vehicle's state has to be known"),
        ("window", "a clock has to be trusted"),
        ("grant", "a grant has to be in force"),
    ):
        if getattr(rule, field) is not None:
            yield why
    if REQUEST in (rule.pgn or ()):
        yield "what is requested is in the payload"
    if policy.valid_from is not None or policy.expires is not None:
        yield "the policy has dates, so a clock has to be trusted"
    yield from _of_messages(rule, profile, messages)
    yield from _of_identifiers(rule, profile, messages)
    if rule.pgn is not None:
        yield from _of_senders(_senders(rule, profile), profile)


def _of_messages(rule: Rule, profile: Profile, messages: Descriptions) -> Iterator[str]:
    marked = {mark.message for mark in profile.commands} | {mark.message for mark in profile.counters}
    for known in filter(None, _described(rule, messages)):
        if known.length < _CLASSICAL:
            yield "its length has to be looked at"
        if known.name in marked:
            yield "it is a command or has a counter, which the agent watches"
        if rule.message is not None and known.can_id & EXTENDED:
            yield "it names a parameter group by its message; written as pgn, the kernel could keep it"


def _of_identifiers(rule: Rule, profile: Profile, messages: Descriptions) -> Iterator[str]:
    """Identifiers that are a control unit's own, or that diagnostics go by: the agent looks at each."""
    identifiers = [canid_of(number) for number in rule.can_id or ()]
    if rule.message is not None and (known := messages.named(rule.message)) is not None:
        identifiers.append(known.can_id)
    own = {each for ecu in profile.ecus for each in (*ecu.ids, *((ecu.uds.response,) if ecu.uds else ()))}
    asked = {ecu.uds.request for ecu in profile.ecus if ecu.uds} | set(profile.diagnostics.functional)
    for can_id in identifiers:
        number = can_id & IDENTIFIER
        if rule.message is None and can_id & EXTENDED and profile.protocol_29bit == "j1939":
            yield "29-bit identifiers are parameter groups here; written as pgn, the kernel could keep it"
        if number in own:
            yield "it may come under a control unit's identifier, which is somebody else's"
        if number in asked or any(low <= number <= high for low, high in profile.diagnostics.watch):
            yield "diagnostics may come under its identifier, and they are in the payload"


def _of_senders(senders: tuple[int, ...], profile: Profile) -> Iterator[str]:
    if not senders:
        yield "it may come from any address"
    if {ecu.sa for ecu in profile.ecus} & set(senders):
        yield "it may come under a control unit's address, which is somebody else's"


def _described(rule: Rule, messages: Descriptions) -> Iterator[Known | None]:
    if rule.message is not None:
        yield messages.named(rule.message)
    for number in rule.can_id or ():
        yield messages.by_id(canid_of(number))
    for pgn in rule.pgn or ():
        yield messages.by_pgn(pgn)


def _senders(rule: Rule, profile: Profile) -> tuple[int, ...]:
    """The source addresses that a rule names; none if any will do, or if they are a range."""
    if rule.sa is None:
        return tuple(profile.tbox.sas)
    return _listed(rule.sa) or ()


def _filters(rule: Rule, profile: Profile, messages: Descriptions) -> Iterable[KernelRule]:
    known = messages.named(rule.message) if rule.message is not None else None
    identifiers = [canid_of(number) for number in rule.can_id or ()] if known is None else [known.can_id]
    if identifiers:
        return [
            KernelRule(rule.id, can_id, EXTENDED | REMOTE | (IDENTIFIER if can_id & EXTENDED else 0x7FF))
            for can_id in identifiers
        ]
    return list(_of_groups(rule, profile))


def _of_groups(rule: Rule, profile: Profile) -> Iterator[KernelRule]:
    for pgn in rule.pgn or ():
        for sa in _senders(rule, profile):
            if not has_destination(pgn):
                yield KernelRule(rule.id, EXTENDED | pgn << 8 | sa, EXTENDED | REMOTE | _ANY_PRIORITY)
                continue
            das = None if rule.da is None else _listed(rule.da)
            if das is None:
                yield KernelRule(rule.id, EXTENDED | pgn << 8 | sa, EXTENDED | REMOTE | _NO_DESTINATION)
            for da in das or ():
                yield KernelRule(rule.id, EXTENDED | pgn << 8 | da << 8 | sa, EXTENDED | REMOTE | _ANY_PRIORITY)


def _listed(addresses: Listed) -> tuple[int, ...] | None:
    """The addresses of a list, None for `any`."""
    if addresses.everything:
        return None
    return tuple(each for low, high in addresses.ranges for each in range(low, high + 1))
