"""Every profile in the tree is whole: its DBC files load strictly, and every name it or its policy uses is there."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path

import cantools
import pytest
from cantools.database import Database as Cantools

from busgate.decode.dbc import Database
from busgate.judge import grants
from busgate.judge.policy import Policy, load_policy
from busgate.profile import ActBySignal, Profile, read_profile

DBC = Path(__file__).parents[3] / "dbc"
FOLDERS = sorted(path.parent for path in DBC.glob("*/profile.yaml"))
FILES = sorted(DBC.rglob("*.dbc"))
NAMES = [folder.name for folder in FOLDERS]

SIGNALS = r"^ SG_ (\w+) "


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def profile_of(folder: Path) -> Profile:
    return read_profile(text(folder / "profile.yaml"), f"{folder.name}/profile.yaml")


def policy_of(folder: Path) -> Policy:
    return load_policy(text(folder / "policy.yaml"), f"{folder.name}/policy.yaml")


def database_of(folder: Path) -> Database:
    return Database.load({name: text(folder / name) for name in profile_of(folder).dbc})


def test_both_profiles_are_here() -> None:
    assert NAMES == ["demo-ebus", "generic-j1939"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_cantools_loads_a_file_strictly_without_a_word(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        database = cantools.database.load_string(text(path), database_format="dbc", strict=True)
    assert isinstance(database, Cantools)
    assert caplog.records == []
    assert len(database.messages) == text(path).count("\nBO_ ")
    assert sum(len(message.signals) for message in database.messages) == len(
        re.findall(SIGNALS, text(path), re.MULTILINE)
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_signal_shows_what_its_range_promises(path: Path) -> None:
    database = cantools.database.load_string(text(path), database_format="dbc", strict=True)
    assert isinstance(database, Cantools)
    for message in database.messages:
        for signal in message.signals:
            assert signal.minimum is not None
            assert signal.maximum is not None
            most = ((1 << signal.length) - 1) * signal.scale + signal.offset
            assert signal.offset <= signal.minimum <= signal.maximum <= most + 1e-6, f"{message.name}.{signal.name}"


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_a_profile_and_its_dbc_files_belong_together(folder: Path) -> None:
    profile, database = profile_of(folder), database_of(folder)
    assert profile.profile == folder.name
    assert set(profile.dbc) == {path.name for path in folder.glob("*.dbc")}
    for name, mark in profile.situation.items():
        assert mark.signal in database.decoders[mark.message].signals, name
    for counter in profile.counters:
        assert counter.signal in database.decoders[counter.message].signals


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_what_a_command_mark_says_of_values_is_in_the_value_tables(folder: Path) -> None:
    database = database_of(folder)
    for mark in profile_of(folder).commands:
        if isinstance(mark.act, ActBySignal):
            assert mark.act.acts.keys() <= database.choices(mark.message, mark.act.signal).keys()
        for signal, values in mark.idle.items():
            assert set(values) <= set(database.choices(mark.message, signal).values())


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_facts_that_are_true_or_false_name_known_values(folder: Path) -> None:
    database = database_of(folder)
    for mark in profile_of(folder).situation.values():
        known = database.choices(mark.message, mark.signal).keys()
        assert {*mark.true, *mark.false} <= known
        assert not set(mark.true) & set(mark.false)


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_a_policy_is_for_its_profile_and_names_what_is_there(folder: Path) -> None:
    profile, policy, database = profile_of(folder), policy_of(folder), database_of(folder)
    ecus = {ecu.name for ecu in profile.ecus}
    assert policy.profile == profile.profile
    for rule in policy.allow:
        if rule.message is not None:
            assert (rule.signals or {}).keys() <= set(database.decoders[rule.message].signals), rule.id
        if rule.uds is not None and rule.uds.target is not None:
            assert {target for target in rule.uds.target if isinstance(target, str)} <= ecus, rule.id
        for signal, limit in (rule.signals or {}).items():
            labels = set(database.choices(rule.message or "", signal).values())
            assert {word for word in limit.is_ or () if isinstance(word, str)} <= labels, rule.id


def test_every_message_of_the_demo_bus_has_a_sender_that_the_profile_knows() -> None:
    folder = DBC / "demo-ebus"
    profile = profile_of(folder)
    known = {ecu.name: ecu.sa for ecu in profile.ecus} | {profile.tbox.name: profile.tbox.sas[0]}
    for decoder in database_of(folder).decoders.values():
        if decoder.name == "DM1":  # of any sender
            continue
        assert len(decoder.senders) == 1
        assert decoder.senders[0] in known, decoder.name
        assert decoder.sa in {None, known[decoder.senders[0]]}, decoder.name


def test_the_demo_bus_has_every_kind_of_layout() -> None:
    database = Cantools()
    for path in (DBC / "demo-ebus").glob("*.dbc"):
        database.add_dbc_string(text(path))
    messages = {message.name: message for message in database.messages}
    assert messages["VcuEnergyReport"].is_fd
    assert messages["BmsCellVoltages"].is_multiplexed()
    pages = next(branch for branch in messages["BmsModuleDetails"].signal_tree if isinstance(branch, dict))["Page"]
    assert any(isinstance(branch, dict) for branches in pages.values() for branch in branches), "extended multiplexing"
    assert {signal.byte_order for message in database.messages for signal in message.signals} == {
        "little_endian", "big_endian",
    }  # fmt: skip
    assert {message.is_extended_frame for message in database.messages} == {True, False}


def test_the_example_grant_opens_the_function_that_the_policy_asks_for() -> None:
    folder = DBC / "demo-ebus"
    grant = grants.read_grant(text(folder / "grant-example.yaml"))
    assert {rule.grant for rule in policy_of(folder).allow if rule.grant} <= set(grant.functions)


def test_the_readme_gives_source_and_licence_of_every_file() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|.*\| (.+) \| (.+) \|$", text(DBC / "README.md"), re.MULTILINE)
    files = {path.relative_to(DBC).as_posix() for path in DBC.rglob("*") if path.is_file()} - {"README.md"}
    assert {name for name, _, _ in rows} == files
    assert all("written for busgate" in source and licence == "Apache-2.0" for _, source, licence in rows)


@pytest.mark.parametrize("path", [path for path in DBC.rglob("*") if path.is_file()], ids=lambda path: path.name)
def test_every_file_says_what_it_is(path: Path) -> None:
    said = text(path)
    assert "ynthetic" in said
    assert "Apache-2.0" in said
