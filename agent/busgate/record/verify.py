"""Whether a log is what its device signed, and if not, which record is the first that cannot be trusted.

Law: a root counts only from a checkpoint whose signature holds; every other stored hash only helps to find the place.
Doubt means no: a record that no signature covers, a checkpoint that does not verify, a store that cannot be read to its
end all make the answer "not verified". Reading changes nothing.

What it cannot see: whether records after the newest checkpoint were taken away together with every copy of it here.
That takes a checkpoint kept elsewhere, by a witness or the SOC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from busgate.model import BusgateError
from busgate.record.checkpoint import Checkpoint, CheckpointError, open_checkpoint, read_checkpoint
from busgate.record.entry import EntryError, decode
from busgate.record.evidence import open_evidence
from busgate.record.finding import Fault, FaultKind, Report, Result, records, span
from busgate.record.found import Evidence, EvidenceError, Row
from busgate.record.merkle import EMPTY_ROOT, Tree, leaf_hash
from busgate.trust.keys import load_verifier
from busgate.trust.note import NotSignedError, TrustError, Verifier, parse_note


def verify(path: Path, *, vkey: str | Path | Verifier | None = None) -> Result:
    """Check a log's folder or a bundle, against `vkey` (a key, its text or its file) or the key that came with it.

    Raises EvidenceError when there is no log, TrustError when `vkey` is no public key.
    """
    key = vkey if isinstance(vkey, Verifier) or vkey is None else load_verifier(vkey)
    with open_evidence(path) as logs:
        reports: list[Report] = []
        told: str | None = None
        for evidence in reversed(logs):  # a later log names the last checkpoint of the one before
            report = examine(evidence, key, told)
            reports.append(report)
            told = _named_before(evidence) if report.ok else None
        return Result(tuple(reversed(reports)))


def examine(evidence: Evidence, given: Verifier | None = None, also: str | None = None) -> Report:
    """Check one log. `also` is one more checkpoint that it must lead to."""
    key, fault = _key(evidence, given)
    heads: dict[int, Checkpoint] = {}
    if key is not None:
        notes = [*evidence.checkpoints, *([(None, also)] if also else [])]
        heads, fault = _heads(notes, key)
    newest = heads[max(heads)] if heads else Checkpoint(key.name if key else "", 0, EMPTY_ROOT)
    proven, found = _walk(evidence, heads)
    if not heads and (found is None or found.kind is not FaultKind.UNREADABLE):
        found = None  # without a key or a checkpoint that holds, the records say nothing
    return Report(
        name=evidence.name,
        origin=newest.origin,
        size=newest.size,
        root=newest.root,
        proven=proven,
        checkpoints=len(heads),
        key=key,
        given=given is not None,
        fault=found or fault,
    )


# ---------------------------------------------------------------- the key and what it signed


def _key(evidence: Evidence, given: Verifier | None) -> tuple[Verifier | None, Fault | None]:
    """The key to check with, under the log's origin, since a device's key signs each of its logs under that name."""
    origin = _claimed_origin(evidence)
    try:
        came = Verifier.from_text((evidence.vkey or "").strip())
    except TrustError as fault:
        if given is None:
            return None, Fault(
                FaultKind.KEY,
                f"the key that came with the log cannot be read: {fault}",
                "give the device's with --vkey",
            )
        came = given
    if origin is None:
        return came, None
    try:
        return (came if given is None else given).named(origin), None
    except TrustError as fault:
        return None, Fault(FaultKind.CHECKPOINT, f"the newest checkpoint is no checkpoint: {fault}", _KEEP)


def _claimed_origin(evidence: Evidence) -> str | None:
    for _, note in reversed(evidence.checkpoints):
        try:
            return read_checkpoint(parse_note(note).text).origin
        except BusgateError:  # reported where every checkpoint is checked
            continue
    return None


_KEEP = "keep this log as it is; it is evidence. Ask the SOC or a witness for their copy"


def _heads(notes: Iterable[tuple[int | None, str]], key: Verifier) -> tuple[dict[int, Checkpoint], Fault | None]:
    """The checkpoints that hold, by size, and what is wrong with the first that does not."""
    heads: dict[int, Checkpoint] = {}
    faults: list[Fault] = []
    for filed, note in notes:
        try:
            head = _head(filed, note, key, heads)
            heads[head.size] = head
        except (TrustError, CheckpointError) as fault:
            faults.append(_checkpoint_fault(filed, fault))
    if not heads and not faults:
        return heads, Fault(FaultKind.CHECKPOINT, "there is no checkpoint, so nothing says what was signed", _KEEP)
    if not heads and all(fault.kind is FaultKind.KEY for fault in faults):
        return heads, faults[-1]
    return heads, next(iter(faults), None)


def _head(filed: int | None, note: str, key: Verifier, heads: Mapping[int, Checkpoint]) -> Checkpoint:
    head = open_checkpoint(note, key).checkpoint
    if filed not in (None, head.size):
        raise CheckpointError(f"a checkpoint of size {head.size} is filed under {filed}")
    if heads.get(head.size, head) != head:
        raise CheckpointError(f"the key signed two different logs of size {head.size}")
    return head


def _checkpoint_fault(filed: int | None, fault: BusgateError) -> Fault:
    which = "a checkpoint" if filed is None else f"the checkpoint of size {filed}"
    if isinstance(fault, NotSignedError):
        return Fault(
            FaultKind.KEY, f"{which} is not by this key: {fault}", "check which key the device's owner gave you"
        )
    return Fault(FaultKind.CHECKPOINT, f"{which} does not hold: {fault}", _KEEP)


# ---------------------------------------------------------------- the records


def _walk(evidence: Evidence, heads: Mapping[int, Checkpoint]) -> tuple[int, Fault | None]:
    """How many records are proven, and the first fault. Between two checkpoints that hold nothing can hide."""
    tree, proven = Tree(), 0
    end = max(heads, default=0)
    try:
        for row in evidence.rows():
            if fault := _row_fault(row, tree.size):
                return proven, fault
            tree.append(leaf_hash(row.raw))
            if (head := heads.get(tree.size)) is not None:
                if tree.root() != head.root:
                    return proven, _altered(proven, tree.size)
                proven = tree.size
    except EvidenceError as fault:
        return proven, Fault(
            FaultKind.UNREADABLE,
            f"record {tree.size} and all after it cannot be read: {fault}",
            "the file is damaged or half-written; ask the SOC for its copy of these records",
            tree.size,
        )
    if tree.size < end:
        return proven, _cut_short(tree.size, end, proven)
    if tree.size > end:
        return proven, Fault(
            FaultKind.UNSIGNED,
            f"{span(end, tree.size - 1)} not signed: added by somebody, or the power went before they were signed",
            "if the device stopped just now, start it once: it signs what it kept; else trust only what comes before",
            end,
            tree.size - 1,
        )
    return proven, None


def _row_fault(row: Row, index: int) -> Fault | None:
    if row.index > index:
        return Fault(
            FaultKind.MISSING, f"{span(index, row.index - 1)} missing", _KEEP, index, row.index - 1
        )  # fmt: skip
    if row.index < index:
        return Fault(FaultKind.MISPLACED, f"a record numbered {row.index} was put before record {index}", _KEEP, index)
    if leaf_hash(row.raw) != row.leaf:
        return Fault(FaultKind.CHANGED, f"record {index} was changed: it does not have its hash any more", _KEEP, index)
    try:
        seq = decode(row.raw).get("seq")
    except EntryError as fault:
        return Fault(FaultKind.MALFORMED, f"record {index} was replaced: {fault}", _KEEP, index)
    if type(seq) is not int or seq != index:
        message = f"record {index} is not in its place: the one that stands there says that it is record {seq!r}"
        return Fault(FaultKind.MISPLACED, message, _KEEP, index)
    return None


def _altered(proven: int, size: int) -> Fault:
    if size == proven + 1:
        message = f"record {proven} was changed, and its hash with it"
    else:
        message = (
            f"something between record {proven} and record {size - 1} was changed, added or taken away, and the hashes "
            "with it"
        )
    return Fault(FaultKind.ALTERED, message, _KEEP, proven, size - 1)


def _cut_short(size: int, end: int, proven: int) -> Fault:
    message = f"{span(size, end - 1)} missing: {records(end)} were signed, and {size} are here"
    if proven < size:
        message += f". {span(proven, size - 1)} not proven either: their signature covers the missing ones too"
    return Fault(FaultKind.MISSING, message, _KEEP, size, end - 1)


def _named_before(evidence: Evidence) -> str | None:
    """The checkpoint of the log before, as this one's first record names it."""
    raw = evidence.entry(0)
    prev = None if raw is None else decode(raw).get("prev")
    note = prev.get("checkpoint") if isinstance(prev, dict) else None
    return note if isinstance(note, str) else None
