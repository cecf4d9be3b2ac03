from __future__ import annotations

import locale
import os
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from busgate.trust import keys
from busgate.trust.keys import is_test_key, load_signer, load_verifier, new_key, public_half, public_path
from busgate.trust.note import KeyType, Signer, TrustError, Verifier, open_note, sign


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_key_is_private_and_its_public_half_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "bus.key"
    verifier = new_key("bus.example", path)
    assert (_mode(path), _mode(public_path(path))) == (0o600, 0o644)
    assert public_path(path) == tmp_path / "bus.key.vkey"
    assert path.read_text().count("\n") == public_path(path).read_text().count("\n") == 1
    note = sign("x\n", [load_signer(path)])
    assert open_note(note, [load_verifier(public_path(path))]).signatures[0].by == verifier


def test_the_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        new_key("bus.example", tmp_path / "tight.key")
        os.umask(0)
        new_key("bus.example", tmp_path / "loose.key")
    finally:
        os.umask(before)
    assert {_mode(tmp_path / f"{name}.key") for name in ("tight", "loose")} == {0o600}
    assert {_mode(tmp_path / f"{name}.key.vkey") for name in ("tight", "loose")} == {0o644}


def test_a_private_key_is_closed_to_others_before_it_is_even_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    born: list[int] = []
    fchmod = os.fchmod

    def noted(handle: int, mode: int) -> None:
        born.append(stat.S_IMODE(os.fstat(handle).st_mode))
        fchmod(handle, mode)

    monkeypatch.setattr(os, "fchmod", noted)
    before = os.umask(0)
    try:
        new_key("bus.example", tmp_path / "bus.key")
    finally:
        os.umask(before)
    assert born == [0o600, 0o644]


def test_a_name_outside_ascii_is_written_whatever_the_locale(tmp_path: Path) -> None:
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    try:
        verifier = new_key("büs.example", tmp_path / "bus.key")
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    assert load_signer(tmp_path / "bus.key").verifier == load_verifier(tmp_path / "bus.key.vkey") == verifier
    assert "büs.example".encode() in (tmp_path / "bus.key").read_bytes()


def test_two_new_keys_differ(tmp_path: Path) -> None:
    assert new_key("a.example", tmp_path / "a").public != new_key("a.example", tmp_path / "b").public


@pytest.mark.parametrize("existing", ["bus.key", "bus.key.vkey"])
def test_no_key_file_is_ever_overwritten(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).write_text("precious")
    with pytest.raises(TrustError, match=f"{existing} exists and is never overwritten"):
        new_key("bus.example", tmp_path / "bus.key")
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "precious"


def test_a_link_is_not_followed_to_write_a_key_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "bus.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TrustError, match="never overwritten"):
        new_key("bus.example", tmp_path / "bus.key")
    assert not (tmp_path / "elsewhere").exists()


def test_a_key_in_no_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="Next: choose a folder"):
        new_key("bus.example", tmp_path / "missing" / "bus.key")


def test_a_name_that_cannot_name_a_key_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="cannot name a key"):
        new_key("bus 1", tmp_path / "bus.key")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o601, 0o620, 0o644, 0o777])
def test_a_private_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "bus.key"
    new_key("bus.example", path)
    path.chmod(mode)
    with pytest.raises(TrustError, match=f"mode {mode:04o}.*Next: chmod 600"):
        load_signer(path)


def test_an_owner_may_make_his_key_read_only(tmp_path: Path) -> None:
    path = tmp_path / "bus.key"
    verifier = new_key("bus.example", path)
    path.chmod(0o400)
    assert load_signer(path).verifier == verifier


def _private(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o600)
    return path


def test_a_private_key_file_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    key = tmp_path / "bus.key"
    vkey = new_key("bus.example", key).text
    line = key.read_text()
    cases = {
        "": "a key is a single line",
        "\n\n": "a key is a single line",
        line + line: "a key is a single line",
        "x" * 5000: "a key is a single line",
        "hello\n": "not a private key",
        vkey: "is a public key. Next: give the private one",
        line.replace("bus.example", "tram.example"): "does not match its own key id",
        line[:-6]: "not a private key",
    }
    for text, says in cases.items():
        with pytest.raises(TrustError, match=says) as caught:
            load_signer(_private(tmp_path / "case.key", text))
        assert "case.key" in str(caught.value)
    with pytest.raises(TrustError, match="not a private key"):
        load_signer(_private(tmp_path / "case.key", b"\xff\xfe\n"))


def test_a_key_file_may_be_as_long_as_its_limit_and_no_longer(tmp_path: Path) -> None:
    verifier = new_key("bus.example", tmp_path / "bus.key")
    line = (tmp_path / "bus.key").read_bytes().rstrip()
    assert load_signer(_private(tmp_path / "full.key", line.ljust(keys.MAX_KEY_FILE))).verifier == verifier
    with pytest.raises(TrustError, match="a key is a single line"):
        load_signer(_private(tmp_path / "over.key", line.ljust(keys.MAX_KEY_FILE + 1)))


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    pipe = tmp_path / "endless.key"
    os.mkfifo(pipe, 0o600)
    feed = os.open(pipe, os.O_RDWR)
    os.write(feed, b"x" * (keys.MAX_KEY_FILE + 1))
    gave_up = threading.Timer(5, os.close, [feed])  # a reader that waits for the end would otherwise wait for ever
    gave_up.start()
    with pytest.raises(TrustError, match="a key is a single line"):
        load_signer(pipe)
    assert gave_up.is_alive()
    gave_up.cancel()
    gave_up.join()
    os.close(feed)


def test_missing_and_unreadable_key_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match=r"no private key file.*Next"):
        load_signer(tmp_path / "none.key")
    with pytest.raises(TrustError, match=r"no public key file.*Next"):
        load_verifier(tmp_path / "none.vkey")
    with pytest.raises(TrustError, match="cannot be read"):
        load_signer(tmp_path)
    with pytest.raises(TrustError, match="cannot be read"):
        load_verifier("n" * 5000)


def test_a_public_key_is_taken_as_text_or_from_its_file(tmp_path: Path) -> None:
    verifier = new_key("bus.example", tmp_path / "bus.key")
    assert load_verifier(verifier.text) == load_verifier(f" {verifier.text}\n") == verifier
    assert load_verifier(str(tmp_path / "bus.key.vkey")) == verifier


def test_a_file_whose_name_looks_like_a_key_is_read_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    verifier = new_key("bus.example", tmp_path / "a+b+c")
    assert load_verifier("a+b+c.vkey") == verifier


def test_a_private_key_is_never_taken_as_a_public_one(tmp_path: Path) -> None:
    new_key("bus.example", tmp_path / "bus.key")
    with pytest.raises(TrustError, match=r"do not hand it out. Next: give .*bus\.key\.vkey"):
        load_verifier(tmp_path / "bus.key")


def test_a_public_key_file_that_is_none_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.vkey").write_text("hello\n")
    with pytest.raises(TrustError, match=r"x\.vkey: this is not a public key"):
        load_verifier(tmp_path / "x.vkey")


def test_the_public_half_shows_of_either_file(tmp_path: Path) -> None:
    verifier = new_key("bus.example", tmp_path / "bus.key")
    for given in (str(tmp_path / "bus.key"), str(tmp_path / "bus.key.vkey"), verifier.text):
        assert public_half(given) == verifier
    (tmp_path / "bus.key").chmod(0o644)
    with pytest.raises(TrustError, match="chmod 600"):
        public_half(tmp_path / "bus.key")


def test_the_test_key_is_the_same_everywhere_and_says_what_it_is() -> None:
    signer = keys.test_signer("replay")
    assert signer.name == "test/replay"
    assert signer.verifier.text == "test/replay+d02a027e+AaBPI7NHOZtJ+Z9Z8Zr7JKrcV4P2qJEHsQlfKnRceEpZ"


def test_the_test_key_is_known_under_any_name_and_no_other_key_is() -> None:
    test = keys.test_signer("replay").verifier
    assert is_test_key(test)
    assert is_test_key(test.named("bus.example"))
    assert is_test_key(Verifier("w.example", KeyType.COSIGNATURE, test.public))
    assert not is_test_key(Signer("test/replay", Ed25519PrivateKey.from_private_bytes(bytes(32))).verifier)
