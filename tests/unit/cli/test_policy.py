from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from busgate.cli.policy import command
from busgate.document import DocumentError
from busgate.judge.policy import load_policy
from busgate.model import BusgateError
from busgate.trust.keys import load_verifier, new_key
from busgate.trust.note import NotSignedError, TrustError, open_note

DBC = """VERSION ""
NS_ :
BS_:
BU_: VCU TBOX
BO_ 256 TboxHvac: 8 TBOX
 SG_ Temperature : 0|8@1+ (1,0) [0|250] "degC" VCU
 SG_ Mode : 8|8@1+ (1,0) [0|255] "" VCU
BO_ 2565809994 TboxDrive: 8 TBOX
 SG_ Limit : 0|8@1+ (1,0) [0|100] "%" VCU
BO_ 2566841930 TboxClock: 8 TBOX
 SG_ Hour : 0|8@1+ (1,0) [0|24] "h" VCU
VAL_ 256 Mode 0 "Off" 1 "Preheat" ;
"""
PROFILE = """profile: little-bus
version: 1
title: a little bus
synthetic: true
dbc: [little.dbc]
ecus:
  - {name: BMS, subsystem: bms, sa: 0xF3}
tbox: {sas: [0x4A]}
situation:
  speed: {message: TboxClock, signal: Hour}
"""
GOOD = """policy: ordinary
version: 3
profile: little-bus
allow:
  - id: preheat
    why: a warm bus in the morning
    message: TboxHvac
    signals: {Temperature: {min: 15, max: 26}, Mode: {is: [Preheat, Off]}}
    rate: {count: 6, per: 1 min}
    when: {speed: {max: 5, max_age: 2 s}}
  - id: bms
    uds: {target: BMS, services: [0x22], dids: [0xF190]}
"""
GRANT = """grant: g-7
holder: {who: J. Jansen, organisation: Example Service BV, country: NL}
vehicle: bus-0421
functions: [maintenance]
start: 2026-11-23T08:00:00Z
end: 2026-11-23T12:00:00Z
reason: inverter replaced
approvers: [A. Bakker, C. de Vries]
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    folder = tmp_path / "little-bus"
    folder.mkdir()
    (folder / "profile.yaml").write_text(PROFILE, encoding="utf-8")
    (folder / "little.dbc").write_text(DBC, encoding="utf-8")
    return folder


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "operator.key"
    new_key("operator.example/policy", path)
    return path


def vkey(key: Path) -> Path:
    return key.with_name("operator.key.vkey")


# ---------------------------------------------------------------- check


def test_a_good_policy_is_ok(policy: Path) -> None:
    result = run("check", policy)
    assert (result.exit_code, result.output) == (0, "ok: 2 rules (not signed)\n")


def test_one_rule_is_one_rule(policy: Path) -> None:
    policy.write_text("policy: p\nversion: 1\nallow:\n  - {id: a, message: M}\n", encoding="utf-8")
    assert run("check", policy).output == "ok: 1 rule (not signed)\n"


def test_every_fault_is_told_on_its_own_line_with_its_place(policy: Path) -> None:
    policy.write_text(GOOD.replace("version: 3", "version: 0").replace("1 min", "1 minute"), encoding="utf-8")
    result = run("check", policy)
    assert result.exit_code == 1
    assert result.output == (
        f"{policy}:2: version: Input should be greater than or equal to 1\n"
        f"{policy}:9: allow.0.rate.per: '1 minute' is not a duration; "
        "write it with its unit: 500 ms, 10 s, 1 min or 2 h\n"
    )


OVER_THE_AIR = """
policy: p
version: 1
allow:
  - {id: preheat, cloud: {protocol: jt808, asks: preheat, endpoints: platform}}
  - {id: texts, cloud: {protocol: sms, asks: short message}}
network:
  endpoints:
    - {id: platform, addresses: 203.0.113.10, ports: 6808, speaks: jt808}
    - {id: beacon, addresses: 203.0.113.10, ports: 7000, transport: udp, speaks: gb32960}
"""


def test_a_policy_about_the_air_is_checked_and_shown(policy: Path) -> None:
    policy.write_text(OVER_THE_AIR, encoding="utf-8")
    assert run("check", policy).output == "ok: 2 rules (not signed)\n"
    shown = run("show", policy).output
    assert "may reach platform 203.0.113.10/32, tcp port 6808; speaking jt808; stops while no agent judges" in shown
    assert "messages over the air in jt808; that ask for preheat; from platform" in shown


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("protocol: jt808", "protocol: jt880", "preheat: messages of jt880 are not read one by one; known are doip, "),
        ("protocol: sms", "protocol: tls", "texts: messages of tls are not read one by one; known are doip, "),
        ("speaks: jt808", "speaks: htpp", "platform: nobody recognises htpp over tcp; known are adb, any, doip, "),
        ("speaks: gb32960", "speaks: mqtt", "beacon: nobody recognises mqtt over udp; known are any, dns, doip, "),
    ],
)
def test_a_language_that_nobody_knows_is_a_fault(policy: Path, right: str, wrong: str, fault: str) -> None:
    policy.write_text(OVER_THE_AIR.replace(right, wrong), encoding="utf-8")
    result = run("check", policy)
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert line.startswith(f"{policy}: {fault}")


def test_an_endpoint_that_is_not_listed_is_a_fault_with_its_line(policy: Path) -> None:
    policy.write_text(OVER_THE_AIR.replace("endpoints: platform", "endpoints: nobody"), encoding="utf-8")
    (line,) = run("check", policy).output.splitlines()
    assert line == f"{policy}:5: allow.0.cloud.endpoints: network.endpoints lists no nobody"


def test_a_policy_that_fits_its_vehicle_is_ok(policy: Path, profile: Path) -> None:
    result = run("check", policy, "--profile", profile)
    assert (result.exit_code, result.output) == (0, "ok: 2 rules (not signed)\n")


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("message: TboxHvca", "no DBC file of little-bus has a message TboxHvca"),
        ("message: TboxHvac\nsignals: {Temp: {max: 5}}", "TboxHvac has no signal Temp"),
        ("message: TboxDrive", "TboxDrive goes to a destination: say which in da, or write da: any"),
        ("pgn: 0xEF00\nda: any\nsignals: {Limti: {max: 5}}", "TboxDrive has no signal Limti"),
        ("pgn: 0xFF77\nsignals: {Limit: {max: 5}}", "its PGN has no signal Limit"),
        (
            "message: TboxHvac\nsignals: {Mode: {is: [Off, Preheta]}}",
            "signal Mode has no value 'Preheta'; it has: Off, Preheat",
        ),
        (
            "message: TboxHvac\nsignals: {Temperature: {is: warm}}",
            "signal Temperature has no value 'warm'; it has: numbers only",
        ),
        ("message: TboxHvac\nsignals: {Mode: {is: 1}}", "signal Mode says 'Preheat' for 1: write that"),
        ("uds: {target: [BMS, BMX], services: 0x14}", "little-bus has no ECU BMX"),
        ("pgn: 0xFEE6\nsa: 0x4B", "sa lists none of the T-box's addresses"),
        ("message: TboxHvac\nwhen: {ignition: {is: true, max_age: 1 s}}", "nothing in little-bus tells ignition"),
    ],
)
def test_what_the_vehicle_does_not_have_is_told(policy: Path, profile: Path, rule: str, fault: str) -> None:
    lines = "\n".join(f"    {line}" for line in rule.splitlines())
    policy.write_text(f"policy: p\nversion: 1\nallow:\n  - id: odd\n{lines}\n", encoding="utf-8")
    result = run("check", policy, "--profile", profile)
    assert (result.exit_code, result.output) == (1, f"{policy}: odd: {fault}\n")


@pytest.mark.parametrize(
    "rule",
    [
        "message: TboxDrive\nda: 0x27\nsignals: {Limit: {is: 5}}",
        "pgn: [0xEF00, 0xFEE6]\nda: any\nsignals: {Limit: {max: 5}, Hour: {max: 5}}",
        "message: TboxHvac\nsignals: {Mode: {is: 7}}",
        "uds: {target: 0x99, services: 0x14}",
        "uds: {functional: true, target: all ECUs, services: 0x3E}",
        "pgn: 0xFEE6\nsa: [0x4A, 0x99]",
        "pgn: 0xFEE6\nsa: any",
    ],
)
def test_what_the_vehicle_has_is_not(policy: Path, profile: Path, rule: str) -> None:
    lines = "\n".join(f"    {line}" for line in rule.splitlines())
    policy.write_text(f"policy: p\nversion: 1\nallow:\n  - id: fine\n{lines}\n", encoding="utf-8")
    assert run("check", policy, "--profile", profile).output == "ok: 1 rule (not signed)\n"


def test_a_profile_that_lists_no_t_box_address_asks_for_none(policy: Path, profile: Path) -> None:
    (profile / "profile.yaml").write_text(PROFILE.replace("sas: [0x4A]", "sas: []"), encoding="utf-8")
    policy.write_text("policy: p\nversion: 1\nallow:\n  - {id: a, pgn: 0xFEE6, sa: 0x4B}\n", encoding="utf-8")
    assert run("check", policy, "--profile", profile).exit_code == 0


def test_a_policy_for_another_vehicle_is_told(policy: Path, profile: Path) -> None:
    policy.write_text(GOOD.replace("profile: little-bus", "profile: big-bus"), encoding="utf-8")
    result = run("check", policy, "--profile", profile)
    told = f"{policy}: profile: it is written for big-bus; this is little-bus\n"
    assert (result.exit_code, result.output) == (1, told)


def test_a_file_that_is_not_there_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(BusgateError, match="there is no file"):
        CliRunner().invoke(command, ["check", str(tmp_path / "none.yaml")], catch_exceptions=False)


# ---------------------------------------------------------------- sign


def test_a_signed_policy_opens_with_the_operators_key_and_is_the_same_text(policy: Path, key: Path) -> None:
    result = run("sign", policy, "--key", key)
    signed = policy.with_name("policy.yaml.signed")
    assert (result.exit_code, result.output) == (0, f"signed: {signed}\n")
    opened = open_note(signed.read_text(encoding="utf-8"), [load_verifier(vkey(key))])
    assert opened.text == GOOD
    assert load_policy(opened.text).digest == sha256(GOOD.encode()).hexdigest()


def test_a_grant_is_signed_as_well(tmp_path: Path, key: Path) -> None:
    grant, out = tmp_path / "grant.yaml", tmp_path / "g-7.signed"
    grant.write_text(GRANT, encoding="utf-8")
    assert run("sign", grant, "--key", key, "-o", out).output == f"signed: {out}\n"
    assert open_note(out.read_text(encoding="utf-8"), [load_verifier(vkey(key))]).text == GRANT


@pytest.mark.parametrize(
    ("text", "fault", "told"),
    [
        (GOOD.replace("version: 3", "version: 0"), DocumentError, ":2: version: "),
        (GRANT.replace(", C. de Vries", ""), DocumentError, ":8: approvers: two different people"),
        (GOOD + "#\ta tab\n", TrustError, "line 13 holds a tab. Next: use spaces"),
        (GOOD.rstrip(), TrustError, "ends in a newline. Next: add one"),
        (GOOD + "\n— operator AAAA\n", TrustError, "is signed already"),
    ],
)
def test_nothing_is_signed_that_would_not_be_taken(
    policy: Path, key: Path, text: str, fault: type[BusgateError], told: str
) -> None:
    policy.write_bytes(text.encode())
    result = run("sign", policy, "--key", key)
    assert isinstance(result.exception, fault)
    assert str(result.exception).startswith(str(policy))
    assert told in str(result.exception)
    assert not policy.with_name("policy.yaml.signed").exists()


def test_line_ends_of_another_system_are_signed_as_unix_ones(policy: Path, key: Path) -> None:
    policy.write_bytes(GOOD.replace("\n", "\r\n").encode())
    run("sign", policy, "--key", key)
    signed = policy.with_name("policy.yaml.signed").read_bytes().decode()
    assert open_note(signed, [load_verifier(vkey(key))]).text == GOOD


def test_a_policy_is_not_signed_with_a_public_key(policy: Path, key: Path) -> None:
    result = run("sign", policy, "--key", vkey(key))
    assert isinstance(result.exception, TrustError)


def test_a_signed_policy_is_checked_with_its_key_or_says_that_it_was_not(
    policy: Path, key: Path, profile: Path
) -> None:
    run("sign", policy, "--key", key)
    signed = policy.with_name("policy.yaml.signed")
    assert run("check", signed, "--profile", profile).output == ("ok: 2 rules (signature not checked: give --vkey)\n")
    assert run("check", signed, "--vkey", vkey(key)).output == "ok: 2 rules\n"
    assert run("check", signed, "--vkey", vkey(key).read_text(encoding="utf-8")).output == "ok: 2 rules\n"


def test_a_policy_signed_by_someone_else_is_refused(policy: Path, key: Path, tmp_path: Path) -> None:
    run("sign", policy, "--key", key)
    new_key("someone.example/else", tmp_path / "other.key")
    for what in ("check", "show"):
        result = run(what, policy.with_name("policy.yaml.signed"), "--vkey", tmp_path / "other.key.vkey")
        assert isinstance(result.exception, NotSignedError)


def test_a_key_asks_for_a_signature(policy: Path, key: Path) -> None:
    assert isinstance(run("show", policy, "--vkey", vkey(key)).exception, TrustError)


# ---------------------------------------------------------------- show and schema


SHOWN = """\
   policy       ordinary, version 3
   for          vehicles of profile little-bus
   malformed    blocked
   all else     blocked
   over the air the T-box may talk to anybody; what commands something needs a rule
   signature    {signature}

1. preheat
   may send     message TboxHvac
   only with    Temperature 15 to 26; Mode Preheat or Off; other signals as they come
   only while   speed at most 5 km/h (told in the last 2 s)
   at most      6 in any 1 min
   because      a warm bus in the morning

2. bms
   may send     service 0x22 to BMS; DID 0xF190
"""


def test_a_policy_is_shown_in_plain_words(policy: Path, key: Path) -> None:
    assert run("show", policy).output == SHOWN.format(signature="not signed")
    run("sign", policy, "--key", key)
    signed = policy.with_name("policy.yaml.signed")
    assert run("show", signed).output == SHOWN.format(signature="signature not checked: give --vkey")
    assert run("show", signed, "--vkey", vkey(key)).output == SHOWN.format(signature="checked")


def test_a_faulty_policy_is_not_shown(policy: Path) -> None:
    policy.write_text("policy: p\n", encoding="utf-8")
    assert isinstance(run("show", policy).exception, DocumentError)


def test_the_schema_is_json() -> None:
    schema = json.loads(run("schema").output)
    assert set(schema["properties"]) == {
        "policy", "version", "profile", "valid_from", "expires", "mode", "allow", "network", "malformed",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["check", "sign", "show", "schema"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    for arguments in ([name, "--help"], ["--help"]):
        assert f"busgate policy {name}" in CliRunner().invoke(command, arguments).output
