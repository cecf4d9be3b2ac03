"""`busgate policy`: check, sign and show what the operator allows.

Law: nothing is signed that would not be taken; what was shown without checking a signature says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from busgate.decode.conversation import READERS, UNKNOWN
from busgate.decode.dbc import MessageDecoder
from busgate.document import DocumentError
from busgate.judge.conditions import flags
from busgate.judge.grants import read_grant
from busgate.judge.limits import SignalLimit
from busgate.judge.plain import Line, policy_in_words, rule_in_words
from busgate.judge.policy import Policy, load_policy, policy_schema
from busgate.judge.rules import Rule, canid_of, has_destination
from busgate.model import EXTENDED
from busgate.service import load
from busgate.trust.keys import load_signer, load_verifier
from busgate.trust.note import TrustError, is_note, open_note, parse_note, sign

_FILE = click.Path(path_type=Path)


@click.group(
    epilog="""\b
Examples:
  busgate policy check policy.yaml --profile demo-ebus
  busgate policy sign policy.yaml --key operator.key
  busgate policy show policy.yaml.signed --vkey operator.key.vkey
  busgate policy schema > policy.schema.json""",
)
def command() -> None:
    """Check, sign and show the operator's allowlist."""


@command.command(
    epilog="""\b
Examples:
  busgate policy check policy.yaml
  busgate policy check policy.yaml.signed --vkey operator.key.vkey --profile demo-ebus

\b
Exit codes: 0 the policy is good; 1 it is not, one line per fault; 2 it could not be read.""",
)
@click.argument("file", type=_FILE)
@click.option(
    "--profile", help="Also look up messages, signals and ECUs in this vehicle profile: a folder or a shipped name."
)
@click.option("--vkey", help="The operator's public key (text or file): the signature must be by it.")
def check(file: Path, profile: str | None, vkey: str | None) -> None:
    """Say whether a policy can be used, or what is wrong with it and where."""
    text, note = _text(file, vkey)
    try:
        policy = load_policy(text, str(file))
        faults = [f"{file}: {fault}" for fault in _unspoken(policy)]
        if profile is not None:
            faults += [f"{file}: {fault}" for fault in _strangers(policy, load.vehicle(profile))]
    except DocumentError as fault:
        faults = str(fault).splitlines()
    for line in faults:
        click.echo(line)
    if faults:
        raise SystemExit(1)
    rules = "1 rule" if len(policy.allow) == 1 else f"{len(policy.allow)} rules"
    click.echo(f"ok: {rules}{note}")


@command.command(
    name="sign",
    epilog="""\b
Examples:
  busgate policy sign policy.yaml --key operator.key
  busgate policy sign grant.yaml --key operator.key -o g-2026-11-23-07.signed""",
)
@click.argument("file", type=_FILE)
@click.option("--key", required=True, type=_FILE, help="The operator's private key.")
@click.option("-o", "--out", type=_FILE, help="Where the signed note goes. Default: FILE.signed.")
def sign_file(file: Path, key: Path, out: Path | None) -> None:
    """Sign a policy or a maintenance grant with the operator's key, once it is found to be good."""
    text = load.text_of(file)
    if is_note(text):
        raise TrustError(f"{file} is signed already. Next: sign the text it was made from")
    if _is_grant(text):
        read_grant(text, str(file))
    else:
        load_policy(text, str(file))
    try:
        note = sign(text, [load_signer(key)])
    except TrustError as fault:
        raise TrustError(f"{file}: {fault}") from None
    target = out or file.with_name(f"{file.name}.signed")
    target.write_text(note, encoding="utf-8", newline="\n")
    click.echo(f"signed: {target}")


@command.command(
    epilog="""\b
Examples:
  busgate policy show policy.yaml
  busgate policy show policy.yaml.signed --vkey operator.key.vkey""",
)
@click.argument("file", type=_FILE)
@click.option("--vkey", help="The operator's public key (text or file): the signature must be by it.")
def show(file: Path, vkey: str | None) -> None:
    """Say in plain words what a policy allows."""
    text, note = _text(file, vkey)
    policy = load_policy(text, str(file))
    _table([*policy_in_words(policy), ("signature", note.strip(" ()") or "checked")])
    for place, rule in enumerate(policy.allow, 1):
        click.echo(f"\n{place}. {rule.id}")
        _table(list(rule_in_words(rule)))


@command.command(
    epilog="""\b
Example:
  busgate policy schema > policy.schema.json""",
)
def schema() -> None:
    """Print the JSON Schema of a policy, for editors that know one."""
    click.echo(json.dumps(policy_schema(), indent=2))


def _text(file: Path, vkey: str | None) -> tuple[str, str]:
    """The policy's own text, and what is to be said of its signature."""
    text = load.text_of(file)
    if vkey is not None:
        return open_note(text, [load_verifier(vkey)]).text, ""
    if is_note(text):
        return parse_note(text).text, " (signature not checked: give --vkey)"
    return text, " (not signed)"


def _is_grant(text: str) -> bool:
    return any(line.startswith("grant:") for line in text.splitlines())


def _table(lines: list[Line]) -> None:
    for about, said in lines:
        click.echo(f"   {about:<12} {said}")


# ---------------------------------------------------------------- what nobody speaks

_STREAMS = frozenset(READERS) - {"dns-tcp"}
_DATAGRAMS = frozenset({"jt808", "jt905", "gb32960", "doip", "dns", "ntp"})
_BY_MESSAGE = frozenset({"jt808", "jt905", "gb32960", "doip", "mqtt", "http", "sms"})
_ANYTHING = frozenset({"any", UNKNOWN})


def _unspoken(policy: Policy) -> Iterator[str]:
    """Languages that the gate does not know, so that a rule or an endpoint would never let anything pass."""
    for rule in policy.allow:
        if rule.cloud is not None and rule.cloud.protocol not in _BY_MESSAGE:
            known = ", ".join(sorted(_BY_MESSAGE))
            yield f"{rule.id}: messages of {rule.cloud.protocol} are not read one by one; known are {known}"
    for remote in () if policy.network is None else policy.network.endpoints:
        spoken = _STREAMS if remote.transport == "tcp" else _DATAGRAMS
        if remote.speaks not in spoken | _ANYTHING:
            known = ", ".join(sorted(spoken | _ANYTHING))
            yield f"{remote.id}: nobody recognises {remote.speaks} over {remote.transport}; known are {known}"


# ---------------------------------------------------------------- what the vehicle does not have


def _strangers(policy: Policy, vehicle: load.Vehicle) -> Iterator[str]:
    """What a policy names that the vehicle does not have, so that a rule would never let anything pass."""
    if policy.profile not in {None, vehicle.profile.profile}:
        yield f"profile: it is written for {policy.profile}; this is {vehicle.profile.profile}"
    for rule in policy.allow:
        for fault in _strange(rule, vehicle):
            yield f"{rule.id}: {fault}"


def _strange(rule: Rule, vehicle: load.Vehicle) -> Iterator[str]:
    if rule.message is not None and rule.message not in vehicle.database.decoders:
        yield f"no DBC file of {vehicle.profile.profile} has a message {rule.message}"
    if vehicle.profile.protocol_29bit == "j1939":
        yield from (f"0x{number:X} has 29 bits, which are J1939 here: write its pgn" for number in rule.can_id or ()
                    if canid_of(number) & EXTENDED)  # fmt: skip
    decoders = _decoders(rule, vehicle)
    for decoder in decoders:
        if rule.da is None and decoder.pgn is not None and has_destination(decoder.pgn):
            yield f"{decoder.name} goes to a destination: say which in da, or write da: any"
    for name, limit in (rule.signals or {}).items():
        having = [decoder for decoder in decoders if name in decoder.signals]
        if not having and (decoders or rule.pgn):
            yield f"{' or '.join(decoder.name for decoder in decoders) or 'its PGN'} has no signal {name}"
        for decoder in having:
            yield from _strange_labels(name, limit, decoder)
    if rule.uds is not None and not rule.uds.functional:
        names = {ecu.name for ecu in vehicle.profile.ecus}
        yield from (f"{vehicle.profile.profile} has no ECU {target}" for target in rule.uds.target or ()
                    if isinstance(target, str) and target not in names)  # fmt: skip
    own = vehicle.profile.tbox.sas
    if rule.sa is not None and own and not any(rule.sa.allows(address) for address in own):
        yield "sa lists none of the T-box's addresses"
    yield from _strange_facts(rule, vehicle)


def _decoders(rule: Rule, vehicle: load.Vehicle) -> list[MessageDecoder]:
    return [
        decoder
        for decoder in vehicle.database.decoders.values()
        if decoder.name == rule.message
        or decoder.pgn in (rule.pgn or ())
        or decoder.can_id in {canid_of(number) for number in rule.can_id or ()}
    ]


def _strange_labels(name: str, limit: SignalLimit, decoder: MessageDecoder) -> Iterator[str]:
    choices = decoder.choices(name)
    for word in limit.is_ or ():
        if isinstance(word, str) and word not in choices.values():
            yield f"signal {name} has no value '{word}'; it has: {', '.join(choices.values()) or 'numbers only'}"
        elif word in choices:
            yield f"signal {name} says '{choices[int(word)]}' for {word}: write that"


def _strange_facts(rule: Rule, vehicle: load.Vehicle) -> Iterator[str]:
    if rule.when is None:
        return
    names = [name for name, _ in flags(rule.when)] + (["speed"] if rule.when.speed is not None else [])
    for name in names:
        if name not in vehicle.profile.situation:
            yield f"nothing in {vehicle.profile.profile} tells {name}"
