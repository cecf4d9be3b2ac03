"""The operator's policy: who may send what from the T-box to the vehicle, and under which conditions.

Law: a policy only allows; what no rule allows is blocked. It is read from YAML as a whole or not at all, and it is
known by the SHA-256 of its exact text.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, PrivateAttr, StrictInt, WithJsonSchema, field_validator, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from busgate.document import DocumentError, read
from busgate.judge.network import NetworkSection
from busgate.judge.rules import Rule
from busgate.judge.terms import Name, Timestamp, Written, fault_at
from busgate.model import Mode
from busgate.trust.note import is_note


def _mode(written: object) -> Mode:
    for mode in _MODES:
        if written == mode.value:
            return mode
    raise ValueError(f"{written!r} is no mode of a policy; write observe, monitor or enforce")


_MODES = (Mode.OBSERVE, Mode.MONITOR, Mode.ENFORCE)
DefaultMode = Annotated[Mode, PlainValidator(_mode), WithJsonSchema({"enum": [mode.value for mode in _MODES]})]


class Policy(Written):
    """What one vehicle's T-box may do."""

    policy: Name
    version: Annotated[StrictInt, Field(ge=1)]
    """Only rises: an older one is refused."""
    profile: Name | None = None
    """The vehicle profile it was written for; another vehicle refuses it."""
    valid_from: Timestamp | None = None
    expires: Timestamp | None = None
    mode: DefaultMode | None = None
    """The mode to start in, unless the installer set another one."""
    allow: tuple[Rule, ...]
    network: NetworkSection | None = None
    """Whom the T-box may talk to over the air; left out, nobody is limited there."""
    malformed: Literal["block", "pass"] = "block"
    _digest: str = PrivateAttr(default="")

    @property
    def digest(self) -> str:
        """SHA-256 of the exact text it was read from, in hexadecimal."""
        return self._digest

    def sealed(self, text: str) -> Policy:
        """This policy, known by the digest of the text it was read from."""
        self._digest = sha256(text.encode()).hexdigest()
        return self

    @field_validator("allow")
    @classmethod
    def _ids_once(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        first: dict[str, int] = {}
        for place, rule in enumerate(rules):
            if first.setdefault(rule.id, place) != place:
                raise fault_at((place, "id"), f"another rule is called {rule.id} already")
        return rules

    @model_validator(mode="after")
    def _endpoints_listed(self) -> Policy:
        listed = {remote.id for remote in self.network.endpoints} if self.network is not None else set()
        for place, rule in enumerate(self.allow):
            for name in (rule.cloud.endpoints or ()) if rule.cloud is not None else ():
                if name not in listed:
                    raise fault_at(("allow", place, "cloud", "endpoints"), f"network.endpoints lists no {name}")
        return self

    @model_validator(mode="after")
    def _ever_valid(self) -> Policy:
        if self.valid_from is not None and self.expires is not None and self.valid_from >= self.expires:
            raise fault_at(("expires",), "it is not after valid_from")
        return self


def load_policy(text: str, name: str = "policy.yaml") -> Policy:
    """Read a policy from its unsigned text; raises DocumentError with one line per fault, naming line and field."""
    if is_note(text):
        raise DocumentError(f"{name}: this policy is a signed note; open it with the key that signed it")
    return read(text, Policy, name).sealed(text)


class _AsWritten(GenerateJsonSchema):
    """The schema of what is written: nothing may be null, and our own defaults are not the writer's notation."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def policy_schema() -> dict[str, Any]:
    """The JSON Schema of a policy document."""
    return {"$schema": _AsWritten.schema_dialect, **Policy.model_json_schema(schema_generator=_AsWritten)}
