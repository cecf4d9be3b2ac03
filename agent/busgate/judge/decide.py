"""The decision: one message of the T-box, the operator's policy, the vehicle's situation, and now.

Law: what no rule of a policy in force allows is blocked, and every verdict says why. The first rule whose demands are
all met lets a message pass. If none does, the verdict names the demand of the rule that came closest.
"""

from __future__ import annotations

from busgate.judge.allowlist import Allowlist
from busgate.judge.clock import Clock, Moment
from busgate.judge.conditions import situation_refused, window_refused
from busgate.judge.content import content_refused, described
from busgate.judge.endpoints import Endpoints, Europe, Known, verdict_of
from busgate.judge.grants import Grants
from busgate.judge.network import Remote
from busgate.judge.policy import Policy
from busgate.judge.refusal import Refusal
from busgate.judge.rules import Rule
from busgate.judge.situation import Situation
from busgate.judge.terms import in_utc, in_words
from busgate.judge.usage import Usage
from busgate.model import Action, BusgateError, Command, Flow, GrantChange, Reason, Verdict
from busgate.profile import Profile


class PolicyError(BusgateError):
    """A policy that this vehicle does not take; the one in force stays."""


def _nowhere(_: str) -> bool:
    return False


class Judge:
    """The operator's policy at work on one vehicle: what it remembers between verdicts, and the verdicts."""

    def __init__(
        self, profile: Profile, *, device: str = "", latest: int | None = None, in_europe: Europe = _nowhere
    ) -> None:
        """A judge without a policy, which allows nothing.

        `device` is the name that grants are made out to; `latest` the latest trusted time of an earlier run (ns).
        `in_europe` says which countries are member states of the European Union.
        """
        self.endpoints = Endpoints(None, in_europe)
        self.grants = Grants(device)
        self._profile = profile
        self._clock = Clock(latest)
        self._moment: Moment | None = None
        self._usage = Usage()
        self._policy: Policy | None = None
        self._allowlist = Allowlist()

    # ------------------------------------------------------------------ what the operator sets

    @property
    def policy(self) -> Policy | None:
        """The policy in force."""
        return self._policy

    @property
    def latest(self) -> int | None:
        """The latest trusted time there has been (Unix time in ns): to be kept for the next run."""
        return self._clock.latest

    def adopt(self, policy: Policy) -> None:
        """Put a policy in force; how often its unchanged rules were used is remembered. Raises PolicyError."""
        own = self._profile.profile
        if policy.profile not in {None, own}:
            raise PolicyError(f"policy {policy.policy} is for profile {policy.profile}; this is {own}")
        if (old := self._policy) is not None and policy.version <= old.version and policy.digest != old.digest:
            raise PolicyError(f"policy version {policy.version} is not above {old.version}, the one in force; raise it")
        if (refusal := _out_of_force(policy, self._clock.latest)) is not None:
            raise PolicyError(refusal.detail)
        self._policy = policy
        self.endpoints = Endpoints(policy.network, self.endpoints.in_europe)
        self._allowlist = Allowlist(policy.allow, self._profile.tbox.sas)

    # ------------------------------------------------------------------ verdicts

    def decide(
        self, command: Command, situation: Situation, now: int, *, wall: int | None, counted: bool = False
    ) -> Verdict:
        """The verdict on one message at `now`; `wall` is trusted Unix time (ns), None while no clock is trusted.

        One that was `counted` when it came has its place within its rule's rate already.
        """
        moment = self._moment = self._clock.read(now, wall)
        refusal = _out_of_force(self._policy, moment.latest)
        if refusal is not None:
            return Verdict(Action.BLOCK, refusal.reason, "", refusal.detail)
        closest: tuple[Rule, Refusal] | None = None
        for rule in self._allowlist.selecting(command):
            refusal = self._refusal(rule, command, situation, moment, counted=counted)
            if refusal is None:
                return self._passed(rule, moment)
            if closest is None or refusal.is_closer_than(closest[1]):
                closest = rule, refusal
        if closest is None:
            return Verdict(Action.BLOCK, Reason.NOT_ALLOWLISTED, "", f"no rule allows {described(command)}")
        return Verdict(Action.BLOCK, closest[1].reason, closest[0].id, closest[1].detail)

    def holds(self, rule: str) -> bool:
        """Whether a rule of the policy lets nothing pass before the operator releases it."""
        return self._policy is not None and any(each.hold and each.id == rule for each in self._policy.allow)

    def conversation(self, flow: Flow, known: Known, now: int, *, wall: int | None) -> tuple[Verdict, Remote | None]:
        """The verdict on a conversation of the T-box with what is known of it so far, and the endpoint it is with."""
        moment = self._moment = self._clock.read(now, wall)
        refusal, remote = self.endpoints.judged(
            flow, known, lambda function: self.grants.active(function, moment) is not None, moment
        )
        refusal = _out_of_force(self._policy, moment.latest) or refusal
        return verdict_of(refusal, remote), remote

    def volume(self, remote: Remote | None, size: int, now: int) -> Verdict:
        """Count bytes towards the T-box: whether they are still within what the endpoint may send."""
        moment = self._clock.read(now, None)
        return verdict_of(self.endpoints.too_much(remote, size, moment.elapsed), remote)

    @property
    def passes_malformed(self) -> bool:
        """Whether a policy in force lets frames pass that do not follow their protocol."""
        policy = self._policy
        return policy is not None and policy.malformed == "pass" and _out_of_force(policy, self._clock.latest) is None

    def _refusal(
        self, rule: Rule, command: Command, situation: Situation, moment: Moment, *, counted: bool
    ) -> Refusal | None:
        """Why a rule that selects a message does not let it pass; its rate comes last, since only passes count."""
        refusal = content_refused(rule, command)
        if refusal is None and rule.grant is not None:
            refusal = self._grant_refused(rule.grant, moment)
        if refusal is None and rule.window is not None:
            refusal = window_refused(rule.window, moment)
        if refusal is None and rule.when is not None:
            refusal = situation_refused(rule.when, situation, moment.now)
        rate = None if counted else rule.rate
        if refusal is None and rate is not None and not self._usage.take(rule.id, rate, moment.elapsed):
            refusal = Refusal(Reason.RATE_EXCEEDED, f"more than {rate.count} in {in_words(rate.per)}")
        return refusal

    def _grant_refused(self, function: str, moment: Moment) -> Refusal | None:
        if self.grants.active(function, moment) is not None:
            return None
        if moment.wall is None and self.grants.holds(function):
            return Refusal(Reason.TIME_UNKNOWN, f"no trusted time to judge the grant for {function} by")
        return Refusal(Reason.GRANT_REQUIRED, f"no grant for {function} is active")

    def _passed(self, rule: Rule, moment: Moment) -> Verdict:
        grant = self.grants.active(rule.grant, moment)
        if grant is None:
            return Verdict(Action.PASS, Reason.ALLOWED, rule.id, rule.why)
        detail = f"grant {grant.grant} to {grant.holder} until {in_utc(grant.end)}"
        return Verdict(Action.PASS, Reason.GRANTED, rule.id, detail)

    # ------------------------------------------------------------------ time

    def tick(self, now: int, wall: int | None) -> tuple[GrantChange, ...]:
        """Let time pass: the grants that began and ended by `now`."""
        self._moment = self._clock.read(now, wall)
        return self.grants.tick(self._moment)

    def next_deadline(self) -> int | None:
        """When `tick` is next due for a grant, on the timeline of `now`."""
        return None if self._moment is None else self.grants.next_deadline(self._moment)


def _out_of_force(policy: Policy | None, latest: int | None) -> Refusal | None:
    """Why a policy allows nothing as a whole; while no time was ever trusted, its dates cannot tell."""
    if policy is None:
        return Refusal(Reason.NO_POLICY, "there is no policy")
    if latest is None:
        return None
    if policy.expires is not None and latest >= policy.expires:
        return Refusal(Reason.POLICY_EXPIRED, f"policy {policy.policy} expired at {in_utc(policy.expires)}")
    if policy.valid_from is not None and latest < policy.valid_from:
        return Refusal(Reason.NO_POLICY, f"policy {policy.policy} is valid from {in_utc(policy.valid_from)}")
    return None
