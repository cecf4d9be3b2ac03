from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from busgate.document import DocumentError
from busgate.judge.policy import Policy, load_policy, policy_schema
from busgate.model import Mode
from support.judging import policy_of

SMALL = "policy: small\nversion: 1\nallow: []\n"


def faults(text: str) -> list[str]:
    with pytest.raises(DocumentError) as told:
        load_policy(text, "p.yaml")
    return str(told.value).splitlines()


def test_a_policy_has_a_name_a_version_and_what_it_allows() -> None:
    policy = load_policy(SMALL)
    assert (policy.policy, policy.version, policy.allow) == ("small", 1, ())
    assert (policy.profile, policy.valid_from, policy.expires, policy.mode, policy.malformed) == (None,) * 4 + (
        "block",
    )


def test_a_policy_is_known_by_the_digest_of_its_exact_text() -> None:
    assert load_policy(SMALL).digest == sha256(SMALL.encode()).hexdigest()
    assert load_policy(SMALL + "# é\n").digest == sha256((SMALL + "# é\n").encode()).hexdigest()
    assert Policy.model_validate({"policy": "p", "version": 1, "allow": []}).digest == ""


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.MONITOR, Mode.ENFORCE])
def test_a_policy_may_name_the_mode_to_start_in(mode: Mode) -> None:
    assert load_policy(SMALL + f"mode: {mode.value}\n").mode is mode


@pytest.mark.parametrize("mode", ["local", "block", "1", "[enforce]"])
def test_only_the_local_human_sets_the_local_mode(mode: str) -> None:
    (fault,) = faults(SMALL + f"mode: {mode}\n")
    assert fault.startswith("p.yaml:4: mode: ")
    assert fault.endswith(" is no mode of a policy; write observe, monitor or enforce")


def test_a_policy_ends_after_it_begins() -> None:
    dates = "valid_from: 2026-01-01T00:00:00Z\nexpires: {}\n"
    assert load_policy(SMALL + dates.format("2026-01-01T00:00:01Z")).expires
    for end in ("2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z"):
        assert faults(SMALL + dates.format(end)) == ["p.yaml:5: expires: it is not after valid_from"]


def test_rules_have_ids_of_their_own() -> None:
    text = policy_of("id: one\nmessage: A", "id: two\nmessage: B", "id: one\nmessage: C")
    assert faults(text) == ["p.yaml:11: allow.2.id: another rule is called one already"]


def test_a_policy_without_a_file_is_called_policy_yaml() -> None:
    with pytest.raises(DocumentError, match=r"^policy\.yaml:1: version: Field required$"):
        load_policy("policy: p\nallow: []\n")


def test_a_signed_policy_is_not_read_unverified() -> None:
    signed = SMALL + "\n— operator AAAA\n"
    assert faults(signed) == ["p.yaml: this policy is a signed note; open it with the key that signed it"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("version: 0", "2: version: Input should be greater than or equal to 1"),
        ("version: true", "2: version: Input should be a valid integer"),
        ("version: '3'", "2: version: Input should be a valid integer"),
        ("version: 1.5", "2: version: Input should be a valid integer"),
        ("version:", "2: version: it has no value; give it one or leave it out"),
        ("versoin: 1", "2: versoin: there is no such field"),
    ],
)
def test_a_version_is_a_whole_number(line: str, fault: str) -> None:
    assert any(told.startswith(f"p.yaml:{fault}") for told in faults(SMALL.replace("version: 1", line)))


@pytest.mark.parametrize("end", ["expires:", "valid_from:", "profile:", "malformed:", "mode:"])
def test_a_field_without_a_value_is_an_error_not_a_missing_limit(end: str) -> None:
    assert faults(SMALL + end) == [f"p.yaml:4: {end} it has no value; give it one or leave it out"]


def test_malformed_frames_are_blocked_or_passed_and_nothing_else() -> None:
    assert load_policy(SMALL + "malformed: pass\n").malformed == "pass"
    assert faults(SMALL + "malformed: maybe\n") == ["p.yaml:4: malformed: Input should be 'block' or 'pass'"]


def test_what_is_allowed_must_be_said_even_if_it_is_nothing() -> None:
    assert faults("policy: p\nversion: 1\n") == ["p.yaml:1: allow: Field required"]


def test_several_faults_are_told_at_once() -> None:
    text = policy_of("id: a b\nmessage: M\nrate: {count: 0, per: 0 s}", head="policy: ''\nversion: 1")
    assert faults(text) == [
        "p.yaml:1: policy: String should have at least 1 character",
        "p.yaml:5: allow.0.id: 'a b' is no id; use up to 64 letters, digits, dots, hyphens and underscores",
        "p.yaml:7: allow.0.rate.count: Input should be greater than or equal to 1",
        "p.yaml:7: allow.0.rate.per: a duration must be longer than nothing",
    ]


def test_a_policy_is_frozen() -> None:
    policy = load_policy(SMALL)
    with pytest.raises(ValueError, match="frozen"):
        policy.version = 2


# ---------------------------------------------------------------- the JSON Schema


def walk(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, dict):
        return [schema, *(inner for value in schema.values() for inner in walk(value))]
    if isinstance(schema, list):
        return [inner for value in schema for inner in walk(value)]
    return []


def test_the_schema_speaks_as_the_policy_is_written() -> None:
    schema = policy_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["policy", "version", "allow"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["mode"] == {"enum": ["observe", "monitor", "enforce"], "title": "Mode"}
    assert schema["properties"]["expires"]["type"] == "string"
    parts = schema["$defs"]
    assert set(parts["SignalLimit"]["properties"]) == {"min", "max", "is"}
    assert set(parts["Window"]["properties"]) == {"days", "from", "to", "utc_offset"}
    assert parts["FlagCondition"]["required"] == ["is", "max_age"]
    assert parts["Rate"]["properties"]["per"]["examples"] == ["500 ms", "10 s", "1 min", "2 h"]
    pgn = parts["Rule"]["properties"]["pgn"]
    assert pgn["anyOf"][1] == {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}


def test_the_schema_knows_neither_null_nor_our_own_defaults() -> None:
    parts = walk(policy_schema())
    assert all("default" not in part for part in parts)
    assert all(part.get("type") != "null" for part in parts)
