"""What busgate writes, checked by programs that others wrote: Go's note and tlog packages, and openssl."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from busgate.record.log import Log
from busgate.trust.keys import test_signer
from busgate.trust.note import parse_note
from busgate.trust.signature import Cosigner, Signer
from support.logs import MS, alert, open_log

SOURCE = Path(__file__).parent / "go" / "verify.go"
GO = shutil.which("go")
GOPATH = Path("/usr/share/gocode")
PACKAGES = GOPATH / "src/golang.org/x/mod/sumdb/tlog"
OPENSSL = shutil.which("openssl")

needs_go = pytest.mark.skipif(
    GO is None or not PACKAGES.is_dir(),
    reason="Go's sumdb packages are not installed here (apt-get install golang-go golang-golang-x-mod-dev)",
)
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed here (apt-get install openssl)")

RECORDS = 300
"""More than a tile, and no power of two."""
OLD = 137
INDEX = 211


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Go's verifier, built without a network."""
    assert GO is not None
    folder = tmp_path_factory.mktemp("go")
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }
    built = folder / "verify"
    done = subprocess.run(
        [GO, "build", "-o", str(built), str(SOURCE)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return built


def write(folder: Path) -> Log:
    """A log of `RECORDS` records, laid out for the verifier."""
    with open_log(None) as log:
        folder.mkdir()
        for number in range(log.size, RECORDS):
            log.record(alert(number), number * MS)
            if number + 1 == OLD:
                log.flush(number * MS)
                (folder / "old").write_text(log.checkpoint, encoding="utf-8")
        log.flush(RECORDS * MS)
        texts = {
            "log.vkey": log.verifier.text,
            "checkpoint": log.checkpoint,
            "inclusion": "\n".join([str(INDEX), *map(encoded, log.proof(INDEX).hashes)]),
            "consistency": "\n".join(map(encoded, log.submission(OLD).hashes)),
        }
        for name, text in texts.items():
            (folder / name).write_text(text + "\n" if name != "checkpoint" else text, encoding="utf-8")
        raws = log.entries(0, log.size)
        (folder / "entries").write_bytes(b"".join(len(raw).to_bytes(2, "big") + raw for raw in raws))
        assert log.size == RECORDS
        return log


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def checked(verifier: Path, folder: Path) -> tuple[int, str]:
    done = subprocess.run([str(verifier), str(folder)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


@needs_go
def test_go_verifies_key_checkpoint_records_inclusion_and_consistency(verifier: Path, tmp_path: Path) -> None:
    log = write(tmp_path / "log")
    code, said = checked(verifier, tmp_path / "log")
    assert (code, said) == (0, f"verified {log.origin} {RECORDS} {encoded(log.root)}\n")


@needs_go
def test_go_still_verifies_a_checkpoint_that_witnesses_have_cosigned(verifier: Path, tmp_path: Path) -> None:
    log = write(tmp_path / "log")
    path = tmp_path / "log" / "checkpoint"
    path.write_text(log.checkpoint + cosigned(log, 1_800_000_000), encoding="utf-8")
    assert checked(verifier, tmp_path / "log")[0] == 0


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def swap_records(path: Path) -> None:
    data = path.read_bytes()
    first = 2 + int.from_bytes(data[:2], "big")
    second = first + 2 + int.from_bytes(data[first : first + 2], "big")
    path.write_bytes(data[first:second] + data[:first] + data[second:])


def drop_first(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[2 + int.from_bytes(data[:2], "big") :])


TAMPERED: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a byte of a record": ("entries", lambda path: flip(path, 5000), "the records have the root"),
    "two records swapped": ("entries", swap_records, "the records have the root"),
    "a record taken away": ("entries", drop_first, "the checkpoint is of 300 records, here are 299"),
    "the root in the checkpoint": ("checkpoint", lambda path: flip(path, -150), "the checkpoint"),
    "a hash of the inclusion proof": ("inclusion", lambda path: flip(path, 10), "record 211"),
    "a hash of the consistency proof": ("consistency", lambda path: flip(path, 10), "from 137 to 300 records"),
    "another record's index": ("inclusion", lambda path: flip(path, 2), "record 210"),
}


@needs_go
@pytest.mark.parametrize("what", TAMPERED)
def test_go_refuses(what: str, verifier: Path, tmp_path: Path) -> None:
    write(tmp_path / "log")
    name, tamper, told = TAMPERED[what]
    tamper(tmp_path / "log" / name)
    code, said = checked(verifier, tmp_path / "log")
    assert code == 1
    assert said.startswith(f"refused: {told}")


@needs_go
def test_go_refuses_a_log_by_another_key(verifier: Path, tmp_path: Path) -> None:
    log = write(tmp_path / "log")
    stranger = Signer(log.origin, Ed25519PrivateKey.generate())
    (tmp_path / "log" / "log.vkey").write_text(stranger.verifier.text, encoding="utf-8")
    code, said = checked(verifier, tmp_path / "log")
    assert code == 1
    assert "refused: the checkpoint: " in said


def cosigned(log: Log, time: int) -> str:
    """A witness's line over the newest checkpoint."""
    witness = Cosigner("witness.example/1", test_signer("key").key)
    return witness.line(parse_note(log.checkpoint).text, time)


def openssl_verifies(folder: Path, key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether openssl takes an Ed25519 signature; `key` is the raw public key, 32 bytes."""
    assert OPENSSL is not None
    # RFC 8410, 4: SubjectPublicKeyInfo of Ed25519 is these twelve bytes and the key.
    (folder / "key.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + key)
    (folder / "message").write_bytes(message)
    (folder / "signature").write_bytes(signature)
    words = ["pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-in", "message"]
    done = subprocess.run(
        [OPENSSL, *words, "-sigfile", "signature"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or "Verif" in done.stdout + done.stderr, done.stderr
    return done.returncode == 0


def raw_key(vkey: str) -> bytes:
    """The public key in a vkey: after name and id, one byte of kind and the key (signed-note, Verifier keys)."""
    return base64.b64decode(vkey.split("+", 2)[2])[1:]


def signature_of(line: str) -> bytes:
    """What a signature line holds after its four bytes of key id."""
    return base64.b64decode(line.rstrip("\n").rpartition(" ")[2])[4:]


@needs_openssl
def test_openssl_verifies_a_checkpoint_and_refuses_another_text(tmp_path: Path) -> None:
    log = write(tmp_path / "log")
    text, lines = log.checkpoint.split("\n\n")
    message, signature = f"{text}\n".encode(), signature_of(lines)
    key = raw_key(log.verifier.text)
    assert openssl_verifies(tmp_path, key, message, signature)
    assert not openssl_verifies(tmp_path, key, message.replace(b"300", b"301"), signature)
    assert not openssl_verifies(tmp_path, key, message, signature[:-1] + bytes([signature[-1] ^ 1]))


@needs_openssl
def test_openssl_verifies_a_cosignature_with_its_time_and_refuses_another_time(tmp_path: Path) -> None:
    log = write(tmp_path / "log")
    time = 1_800_000_000
    data = signature_of(cosigned(log, time))
    text = log.checkpoint.split("\n\n")[0] + "\n"
    key = raw_key(log.verifier.text)  # the witness of this test has the log's key, under its own name
    assert int.from_bytes(data[:8], "big") == time
    assert openssl_verifies(tmp_path, key, f"cosignature/v1\ntime {time}\n{text}".encode(), data[8:])
    assert not openssl_verifies(tmp_path, key, f"cosignature/v1\ntime {time + 1}\n{text}".encode(), data[8:])
