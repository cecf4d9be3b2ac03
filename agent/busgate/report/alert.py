"""Sentences for people, in English and Dutch, from a decoded log entry: what happened, why, and what to do first.

Law: any mapping gives a sentence, whatever is missing in it; an entry type that this version does not know says so.
Nothing that came off a wire reaches the reader's terminal unprinted (`report.fields` sees to it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from busgate.detect.rules import RULES
from busgate.model import Act, Mode, Reason, Severity, Subsystem
from busgate.report import phrases
from busgate.report.fields import Entry, arguments, counts, listed, member, part, party, text, whole
from busgate.report.words import ACTIONS, ACTS, MODES, REASONS, SEVERITIES, SUBSYSTEMS, Language, Words

_COMMAND_RULES: Final = "command."
"""The rules whose alerts say more by their act and subsystem than by the rule's own text."""


def sentence(entry: Entry, language: Language = "en") -> str:
    """What happened, in one plain sentence."""
    kind = text(entry, "type")
    tell = _TELLERS.get(kind)
    if tell is None:
        return phrases.OTHER.in_(language).format(kind or "?")
    return tell(entry, language)


def why(entry: Entry, language: Language = "en") -> str:
    """Why the verdict fell as it did; "" for an entry that holds no verdict."""
    reason = member(entry, "reason", Reason)
    if text(entry, "type") != "alert" or reason is None:
        return ""
    found = [REASONS[reason].in_(language)]
    if rule := text(entry, "allow_rule"):
        found.append(phrases.RULE.in_(language).format(rule))
    if detail := text(entry, "detail"):
        found.append(f"{detail[0].upper()}{detail[1:]}.")
    because = part(entry, "because")
    if because:
        words = phrases.BECAUSE_OF_BURST if text(because, "way") == "burst" else phrases.BECAUSE
        found.append(
            words.in_(language).format(
                name=text(because, "name", "?"),
                from_=text(because, "host") or text(because, "address", "?"),
                lag=text(because, "lag_ms", "?"),
                confidence=text(because, "confidence", "?"),
            )
        )
    return " ".join(found)


def next_step(entry: Entry, language: Language = "en") -> str:
    """What the person who reads this does first; "" when there is nothing to do."""
    kind = text(entry, "type")
    if kind == "session.end" and entry.get("programming") is True:
        return phrases.AFTER_PROGRAMMING.in_(language)
    if kind == "log.open" and not entry.get("prev"):
        return ""
    if kind == "alert":
        rule = RULES.get(text(entry, "rule"))
        return "" if rule is None else Words(rule.playbook_en, rule.playbook_nl).in_(language)
    step = phrases.STEPS.get(kind)
    return "" if step is None else step.in_(language)


def severity(entry: Entry) -> Severity:
    """How much an entry matters: an alert says it itself, every other type has its own."""
    kind = text(entry, "type")
    if kind == "alert":
        return Severity.__members__.get(text(entry, "severity").upper(), Severity.HIGH)
    alarming = {
        "session.start": entry.get("programming") is True,
        "session.end": entry.get("programming") is True,
        "log.open": bool(entry.get("prev")),
        "policy.apply": entry.get("signed") is not True,
    }
    if alarming.get(kind, False):
        return Severity.HIGH
    return phrases.WEIGHTS.get(kind, Severity.INFO)


def severity_word(level: Severity, language: Language = "en") -> str:
    """The severity as people read it."""
    return SEVERITIES[level].in_(language)


def action(entry: Entry, language: Language = "en") -> str:
    """What became of the frame: blocked, passed, or what enforce mode would have done; "" when no frame is meant."""
    done = ACTIONS.get(text(entry, "action"))
    return "" if done is None else done.in_(language)


# ---------------------------------------------------------------- one teller for each type


def _alert(entry: Entry, language: Language) -> str:
    done = action(entry, language)
    told = _conduct(entry, language)
    if text(entry, "rule").startswith(_COMMAND_RULES):
        told = _command(entry, language) or told
    return f"{told} {done[0].upper()}{done[1:]}." if done else told


def _command(entry: Entry, language: Language) -> str:
    """As in: T-box (0x4A) asked to stop the drive: DriveCommand to VCU (0x27), Torque 0 %."""
    act, subsystem = member(entry, "act", Act), member(entry, "subsystem", Subsystem)
    if act is None or subsystem is None:
        return ""
    asked = ACTS[act].in_(language).format(SUBSYSTEMS[subsystem].in_(language))
    source, target = party(entry, "source", language), party(entry, "target", language)
    asks = arguments(entry, language)
    towards = Words("to", "naar").in_(language)
    return f"{source} {asked}: {text(entry, 'name', '?')} {towards} {target}{f', {asks}' if asks else ''}."


def _conduct(entry: Entry, language: Language) -> str:
    rule = RULES.get(text(entry, "rule"))
    words = phrases.SENT if rule is None else Words(rule.text_en, rule.text_nl)
    asks = arguments(entry, language)
    name = text(entry, "name", "?")
    return words.in_(language).format(
        source=party(entry, "source", language),
        target=party(entry, "target", language),
        name=f"{name} [{asks}]" if asks else name,
    )


def _count(entry: Entry, language: Language) -> str:
    rule = RULES.get(text(entry, "rule"))
    title = text(entry, "rule", "?") if rule is None or language == "nl" else rule.title
    words = phrases.COUNT_FINAL if entry.get("final") is True else phrases.COUNT_SO_FAR
    return words.in_(language).format(count=text(entry, "count", "?"), title=title)


def _session(entry: Entry, language: Language) -> str:
    ended = text(entry, "type") == "session.end"
    programming = entry.get("programming") is True
    words = phrases.SESSIONS[ended, programming].in_(language)
    number = whole(entry, "session")
    return words.format(
        source=party(entry, "source", language),
        target=party(entry, "target", language),
        session="?" if number is None else f"0x{number:02X}",
        transferred=text(entry, "transferred", "0"),
        blocked=text(entry, "blocked", "0"),
        services=counts(entry, "services") or "-",
    )


def _policy(entry: Entry, language: Language) -> str:
    signed = phrases.SIGNED if entry.get("signed") is True else phrases.UNSIGNED
    return phrases.POLICY.in_(language).format(
        name=text(entry, "name", "?"),
        version=text(entry, "version", "?"),
        signed=signed.in_(language),
        digest=text(entry, "sha256", "?")[:16],
    )


def _grant(entry: Entry, language: Language) -> str:
    words = phrases.GRANT_START if text(entry, "type") == "grant.start" else phrases.GRANT_END
    return words.in_(language).format(
        grant=text(entry, "grant", "?"),
        holder=text(entry, "holder", "?"),
        rules=listed(entry, "rules") or "-",
        reason=text(entry, "reason", "-"),
    )


def _mode(entry: Entry, language: Language) -> str:
    mode = member(entry, "mode", Mode)
    shown = text(entry, "mode", "?") if mode is None else MODES[mode].in_(language)
    return phrases.MODE.in_(language).format(mode=shown, by=text(entry, "by", "?"), reason=text(entry, "reason", "-"))


def _override(entry: Entry, language: Language) -> str:
    words = phrases.OVERRIDE_ON if text(entry, "type") == "override.on" else phrases.OVERRIDE_OFF
    return words.in_(language).format(by=text(entry, "by", "?"), reason=text(entry, "reason", "-"))


def _log_open(entry: Entry, language: Language) -> str:
    words = phrases.LOG_AGAIN if entry.get("prev") else phrases.LOG_FIRST
    return words.in_(language).format(reason=text(entry, "reason", "-"))


def _filled(words: Words, **keys: str) -> Callable[[Entry, Language], str]:
    """A teller that only fills in fields; each key names the field that its placeholder shows."""
    return lambda entry, language: words.in_(language).format(
        **{name: counts(entry, key) or text(entry, key, "-") for name, key in keys.items()}
    )


def _function(entry: Entry, language: Language) -> str:
    counted = entry.get("final") is True or (whole(entry, "count") or 0) > 1
    words = phrases.FUNCTION_COUNT if counted else phrases.FUNCTION_NEW
    subsystem = member(entry, "subsystem", Subsystem)
    return words.in_(language).format(
        name=text(entry, "name", "?"),
        subsystem="?" if subsystem is None else SUBSYSTEMS[subsystem].in_(language),
        interface=text(entry, "interface", "?").upper(),
        count=text(entry, "count", "?"),
        passed=text(entry, "passed", "?"),
        blocked=text(entry, "blocked", "?"),
    )


def _cause(entry: Entry, language: Language) -> str:
    cloud = part(entry, "cloud")
    words = phrases.CAUSE_BY_BURST if text(entry, "way") == "burst" else phrases.CAUSE
    lag = whole(entry, "lag")
    return words.in_(language).format(
        name=text(entry, "name", "?"),
        cloud=text(cloud, "name", "?"),
        from_=text(cloud, "host") or text(cloud, "address", "?"),
        lag="?" if lag is None else round(lag / 1e6),
        confidence=text(entry, "confidence", "?"),
    )


def _update(entry: Entry, language: Language) -> str:
    words = phrases.UPDATE_END if text(entry, "type") == "update.end" else phrases.UPDATE_START
    return words.in_(language).format(
        ordered_by=text(entry, "ordered_by") or "-",
        source=text(entry, "source") or "-",
        approval=text(entry, "approval", "?"),
        ended_by=text(entry, "ended_by") or "-",
        bytes=text(entry, "bytes", "?"),
        written=text(entry, "written", "?"),
        target=party(entry, "target", language),
    )


def _held(words: Words) -> Callable[[Entry, Language], str]:
    return _filled(words, name="name", source="source", item="item", by="by", reason="reason")


def _modem(entry: Entry, language: Language) -> str:
    return phrases.MODEM.in_(language).format(
        changed=listed(entry, "changed") or "-",
        operator_name=text(entry, "operator_name") or "?",
        registration=text(entry, "registration") or "?",
        signal=text(entry, "signal", "?"),
    )


_TELLERS: Final[Mapping[str, Callable[[Entry, Language], str]]] = {
    "alert": _alert,
    "alert.count": _count,
    "session.start": _session,
    "session.end": _session,
    "policy.apply": _policy,
    "policy.refuse": _filled(phrases.POLICY_REFUSED, reason="reason"),
    "grant.start": _grant,
    "grant.end": _grant,
    "override.on": _override,
    "override.off": _override,
    "mode": _mode,
    "drop": _filled(phrases.DROP, counts="counts"),
    "function": _function,
    "cause": _cause,
    "update.start": _update,
    "update.end": _update,
    "held.held": _filled(phrases.HELD, name="name", source="source", bytes="bytes", item="item"),
    "held.released": _held(phrases.HELD_RELEASED),
    "held.refused": _held(phrases.HELD_REFUSED),
    "held.lost": _held(phrases.HELD_LOST),
    "modem": _modem,
    "heartbeat": _filled(phrases.HEARTBEAT, frames="frames", verdicts="verdicts"),
    "log.open": _log_open,
    "boot": _filled(phrases.BOOT, bn="bn", software="software"),
    "time.step": _filled(phrases.TIME_STEP),
    "prune": _filled(phrases.PRUNE),
    "key.next": _filled(phrases.KEY_NEXT),
}
