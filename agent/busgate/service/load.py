"""What the operator and the installer wrote, read from disk: profile, DBC, policy, grant.

Law: an unsigned policy is taken only where the caller says so aloud; whose signature it bears is always checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from busgate.decode.dbc import Database
from busgate.judge.grants import Grant, read_grant
from busgate.judge.policy import Policy, load_policy
from busgate.model import BusgateError
from busgate.profile import Profile, read_profile
from busgate.service.places import profile_folder
from busgate.settings import Settings, read_settings
from busgate.trust.keys import load_verifier
from busgate.trust.note import is_note, open_note


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A profile with its DBC files compiled."""

    folder: Path
    profile: Profile
    database: Database


def vehicle(named: str) -> Vehicle:
    """Load a profile and its DBC files; every fault names its file and line."""
    folder = profile_folder(named)
    profile = read_profile(text_of(folder / "profile.yaml"), str(folder / "profile.yaml"))
    texts = {name: text_of(folder / name) for name in profile.dbc}
    database = Database.load(texts, j1939=profile.protocol_29bit == "j1939")
    _check_names(folder, profile, database)
    return Vehicle(folder, profile, database)


def _check_names(folder: Path, profile: Profile, database: Database) -> None:
    """Every message and signal that the profile names must be in its DBC files."""
    named = [(f"situation.{name}", mark.message, mark.signal) for name, mark in profile.situation.items()]
    named += [("counters", mark.message, mark.signal) for mark in profile.counters]
    for command in profile.commands:
        signal = getattr(command.act, "signal", "")
        named += [("commands", command.message, signal)]
        named += [("commands.idle", command.message, idle) for idle in command.idle]
    for field, message, signal in named:
        decoder = database.decoders.get(message)
        if decoder is None:
            raise BusgateError(f"{folder / 'profile.yaml'}: {field}: no DBC file has a message {message}")
        if signal and signal not in decoder.signals:
            raise BusgateError(f"{folder / 'profile.yaml'}: {field}: message {message} has no signal {signal}")


@dataclass(frozen=True, slots=True)
class Adopted:
    """A policy and whether its signature was checked."""

    policy: Policy
    signed: bool


def policy(path: Path, *, operator: str | None, unsigned: bool) -> Adopted:
    """Load a policy file: a signed note by the operator's key, or plain YAML where `unsigned` allows it."""
    text = text_of(path)
    if not is_note(text):
        if not unsigned:
            raise BusgateError(
                f"{path} is not signed. Next: busgate policy sign {path} --key OPERATOR.key "
                "(a replay also takes it as it is with --unsigned)"
            )
        return Adopted(load_policy(text, str(path)), signed=False)
    if operator is None:
        raise BusgateError(f"{path} is signed, but not by whom: give the operator's public key with --operator VKEY")
    verified = open_note(text, [load_verifier(operator)])
    return Adopted(load_policy(verified.text, str(path)), signed=True)


def grant(path: Path, *, operator: str | None, unsigned: bool) -> Grant:
    """Load a maintenance grant, under the same rules as a policy."""
    text = text_of(path)
    if is_note(text):
        if operator is None:
            raise BusgateError(
                f"{path} is signed, but not by whom: give the operator's public key with --operator VKEY"
            )
        text = open_note(text, [load_verifier(operator)]).text
    elif not unsigned:
        raise BusgateError(f"{path} is not signed. Next: busgate policy sign {path} --key OPERATOR.key")
    return read_grant(text, str(path))


def settings(path: Path) -> Settings:
    """Load a settings file."""
    return read_settings(text_of(path), path)


def text_of(path: Path) -> str:
    """A text file's content as UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BusgateError(f"there is no file {path}. Next: check its name") from None
    except IsADirectoryError:
        raise BusgateError(f"{path} is a folder. Next: name a file in it") from None
    except UnicodeDecodeError:
        raise BusgateError(f"{path} is not a text file in UTF-8. Next: check that it is the right file") from None
    except OSError as fault:
        raise BusgateError(f"{path} cannot be read: {fault.strerror}. Next: check its permissions") from None
