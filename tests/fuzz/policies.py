"""Policies: any text is one, or is refused in words."""

from __future__ import annotations

from pathlib import Path

from busgate.document import DocumentError
from busgate.judge.policy import load_policy

_DBC = Path(__file__).parents[2] / "dbc"
_HEAD = "policy: p\nversion: 1\n"
_NETWORK = """
network:
  endpoints:
    - {id: platform, hosts: ["*.example.com"], addresses: 203.0.113.0/24, ports: [443, 8000-8100], speaks: jt808,
       down: {bytes: 10 MB, per: 1 h}, window: {days: [mon, tue], from: "06:00", to: "22:00", zone: "+01:00"}}
    - {id: shadow, addresses: ["2001:db8::/32"], ports: any, speaks: tls, certificates: "AB"}
  resolvers: [9.9.9.9]
  time: pool.example
  countries: [NL, EU]
  hold: {downloads: 1 MB}
  answer: refuse
allow:
  - {id: a, cloud: {protocol: jt808, codes: [0x8105], fields: {command: {is: [4]}}}, hold: true}
  - {id: b, cloud: {protocol: gb32960, asks: "terminal control: reset", endpoints: platform}}
"""
_ODD = (
    "{a: b",
    "- 1",
    "a: &x [*x]",
    "? [a]\n: b",
    "!!bool x",
    "!!int ''",
    "!!timestamp x",
    "!!binary é",
    "&a a: *a",
    "<<: {version: 2}",
    "version: 0x_",
    "version: 1:99:99",
    "version: 1e999",
    "expires: 2026-02-30",
    "%YAML 1.1\n--- 'a\\\n'",
)
SEEDS: tuple[bytes, ...] = (
    *(path.read_bytes() for path in sorted(_DBC.glob("*/policy*.yaml"))),
    (_HEAD + _NETWORK).encode(),
    *((_HEAD + odd).encode() for odd in _ODD),
)


def check(data: bytes) -> None:
    """A text is a policy, or a DocumentError says in one line a fault what is wrong with it; nothing else is raised."""
    text = data.decode("utf-8", "replace")
    try:
        policy = load_policy(text, "p")
    except DocumentError as fault:
        said = str(fault)
        assert said.strip()
        assert all(line.startswith("p:") for line in said.splitlines())
        return
    assert len(policy.digest) == 64
