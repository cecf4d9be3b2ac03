from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from busgate.record.checkpoint import (
    Checkpoint,
    CheckpointError,
    Proof,
    Submission,
    open_checkpoint,
    read_checkpoint,
    read_proof,
    read_submission,
    verify_proof,
)
from busgate.record.merkle import leaf_hash, tree_of
from busgate.trust.note import BadSignatureError, Cosigner, NotSignedError, Signer, TrustError, Verifier, sign
from support.logs import VECTORS

ORIGIN = "gvb.example/log/bus-1/1-0123"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
SIGNER = Signer(ORIGIN, KEY)
WITNESS = Cosigner("w.example", Ed25519PrivateKey.from_private_bytes(b"w" * 32))
ENTRIES = [b"entry %d" % number for number in range(11)]
TREE = tree_of(leaf_hash(entry) for entry in ENTRIES)
HEAD = Checkpoint(ORIGIN, 11, TREE.root())
NOTE = sign(HEAD.text, [SIGNER])
HASH = base64.b64encode(bytes(32)).decode()


def test_a_checkpoint_is_three_lines() -> None:
    assert Checkpoint("a.example", 0, bytes(32)).text == f"a.example\n0\n{HASH}\n"
    assert read_checkpoint(HEAD.text) == HEAD


def test_the_checkpoint_of_a_public_log_opens_with_its_key() -> None:
    vector = VECTORS["notes"][3]
    signed = open_checkpoint(vector["note"], Verifier.from_text(vector["vkey"]))
    assert signed.checkpoint.size == 1_432_088_532
    assert signed.checkpoint.origin == "arche2025h1.staging.ct.transparency.dev"


def test_extension_lines_are_let_be() -> None:
    assert read_checkpoint(f"a\n1\n{HASH}\nmore\nand more\n") == Checkpoint("a", 1, bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        f"a\n1\n{HASH}",
        f"\n1\n{HASH}\n",
        f"a\n1\n{HASH}\n\n",
        f"a\n1\n\n{HASH}\n",
        f"a\n01\n{HASH}\n",
        f"a\n+1\n{HASH}\n",
        f"a\n-1\n{HASH}\n",
        f"a\n1 \n{HASH}\n",
        f"a\n¹\n{HASH}\n",
        f"a\n١\n{HASH}\n",  # noqa: RUF001 - a digit that is not ASCII is the point
        f"a\n{2**63}\n{HASH}\n",
        f"a\n{10**30}\n{HASH}\n",
        f"a\n1\n{HASH[:-1]}\n",
        f"a\n1\n{HASH} \n",
        "a\n1\nAAAA\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        read_checkpoint(text)


def test_the_largest_size_is_a_size() -> None:
    assert read_checkpoint(f"a\n{2**63 - 1}\n{HASH}\n").size == 2**63 - 1


def test_a_checkpoint_needs_the_key_of_its_own_log() -> None:
    assert open_checkpoint(NOTE, SIGNER.verifier).checkpoint == HEAD
    with pytest.raises(NotSignedError):
        open_checkpoint(NOTE, SIGNER.named("other.example").verifier)
    with pytest.raises(BadSignatureError):
        open_checkpoint(NOTE.replace("\n11\n", "\n12\n"), SIGNER.verifier)


def test_a_cosignature_comes_on_top_and_never_instead() -> None:
    both = NOTE + WITNESS.line(HEAD.text, 9)
    signed = open_checkpoint(both, SIGNER.verifier, [WITNESS.verifier])
    assert [s.time for s in signed.note.signatures] == [None, 9]
    alone = f"{HEAD.text}\n{WITNESS.line(HEAD.text, 9)}"
    with pytest.raises(NotSignedError, match="not signed by its log's key"):
        open_checkpoint(alone, SIGNER.verifier, [WITNESS.verifier])


def test_a_key_cannot_sign_the_checkpoint_of_another_log() -> None:
    note = sign(HEAD.text, [SIGNER.named("other.example")])
    with pytest.raises(CheckpointError, match="another log"):
        open_checkpoint(note, SIGNER.named("other.example").verifier)


def test_a_note_that_is_no_checkpoint_is_refused_though_signed() -> None:
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        open_checkpoint(sign("hello\n", [SIGNER]), SIGNER.verifier)


@pytest.mark.parametrize("index", range(11))
def test_a_proof_carries_an_entry_to_an_outsider(index: int) -> None:
    text = Proof(index, TREE.inclusion(index, 11), NOTE).text
    assert text.startswith(f"c2sp.org/tlog-proof@v1\nindex {index}\n")
    assert read_proof(text).text == text
    assert verify_proof(text, ENTRIES[index], SIGNER.verifier).checkpoint == HEAD
    with pytest.raises(CheckpointError, match="the proof does not lead to it"):
        verify_proof(text, ENTRIES[index] + b" ", SIGNER.verifier)
    with pytest.raises(CheckpointError, match="the proof does not lead to it"):
        verify_proof(text.replace(f"index {index}\n", f"index {index + 1}\n"), ENTRIES[index], SIGNER.verifier)


def test_a_proof_is_written_as_others_write_it() -> None:
    one, two = (base64.b64encode(bytes([b] * 32)).decode() for b in (1, 2))
    proof = Proof(5, (b"\x01" * 32, b"\x02" * 32), "test checkpoint\n")
    assert proof.text == f"c2sp.org/tlog-proof@v1\nindex 5\n{one}\n{two}\n\ntest checkpoint\n"
    extra = Proof(10, (b"\x01" * 32,), "checkpoint data\n", b"extra information")
    assert extra.text == (
        f"c2sp.org/tlog-proof@v1\nextra ZXh0cmEgaW5mb3JtYXRpb24=\nindex 10\n{one}\n\ncheckpoint data\n"
    )
    assert Proof(0, (), "checkpoint\n").text == "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n"
    for made in (proof, extra, Proof(0, (), "checkpoint\n", b"")):
        assert read_proof(made.text) == made


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no checkpoint follows"),
        ("c2sp.org/tlog-proof@v1\nindex 0\n", "no checkpoint follows"),
        ("wrong\nindex 0\n\ncheckpoint\n", "first line"),
        ("c2sp.org/tlog-proof@v1\nextra !!\nindex 0\n\ncheckpoint\n", "extra data is not base64"),
        ("c2sp.org/tlog-proof@v1\n\n\ncheckpoint\n", "'index N' is missing"),
        ("c2sp.org/tlog-proof@v1\nextra AAAA\n\ncheckpoint\n", "'index N' is missing"),
        ("c2sp.org/tlog-proof@v1\nindex x\n\ncheckpoint\n", "not a whole number"),
        ("c2sp.org/tlog-proof@v1\nindex \n\ncheckpoint\n", "not a whole number"),
        ("c2sp.org/tlog-proof@v1\nindex -5\n\ncheckpoint\n", "not a whole number"),
        ("c2sp.org/tlog-proof@v1\nindex 05\n\ncheckpoint\n", "not a whole number"),
        ("c2sp.org/tlog-proof@v1\nindex 0\n!!\n\ncheckpoint\n", "not a base64 hash"),
        ("c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\ncheckpoint\n", "not a base64 hash"),
        (f"c2sp.org/tlog-proof@v1\nindex 0\n{(HASH + chr(10)) * 64}\ncheckpoint\n", "64 hashes"),
    ],
)
def test_a_text_that_is_no_proof_is_refused(text: str, says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        read_proof(text)


def test_a_proof_whose_checkpoint_is_not_signed_proves_nothing() -> None:
    text = Proof(3, TREE.inclusion(3, 11), HEAD.text).text
    with pytest.raises(TrustError):
        verify_proof(text, ENTRIES[3], SIGNER.verifier)


@pytest.mark.parametrize("old", [0, 1, 4, 7, 11])
def test_a_submission_carries_a_checkpoint_to_a_witness(old: int) -> None:
    made = Submission(old, TREE.consistency(old, 11), NOTE)
    assert made.text.startswith(f"old {old}\n")
    assert made.text.endswith(f"\n\n{NOTE}") or not made.hashes
    assert read_submission(made.text) == made


def test_a_submission_is_written_as_the_specification_shows() -> None:
    assert Submission(3, (bytes(32),), "checkpoint\n").text == f"old 3\n{HASH}\n\ncheckpoint\n"
    assert Submission(0, (), "checkpoint\n").text == "old 0\n\ncheckpoint\n"


@pytest.mark.parametrize("text", ["", "old 1\n", "old 01\n\nc\n", "new 1\n\nc\n", "old 1\nxx\n\nc\n", "\n\nc\n"])
def test_a_text_that_is_no_submission_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        read_submission(text)
