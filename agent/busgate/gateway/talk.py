"""One conversation of the T-box as far as it is known, and what was decided of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from busgate.judge.endpoints import Known
from busgate.judge.network import Remote
from busgate.model import Flow, Value, Verdict


@dataclass(slots=True)
class Talk:
    """What is known of a conversation; `verdict` is the last one that fell on it."""

    flow: Flow
    began: int
    inbound: bool
    hosts: tuple[str, ...] = ()
    country: str = ""
    speaks: str = ""
    sni: str = ""
    certificate: str = ""
    up: int = 0
    down: int = 0
    remote: Remote | None = None
    verdict: Verdict = field(default_factory=Verdict)
    counted: bool = False
    """Whether the head of the body that is passing has its place within its rule's rate."""

    @property
    def host(self) -> str:
        """The name that people know the other end by, "" if none."""
        return self.sni or next(iter(self.hosts), "")

    @property
    def known(self) -> Known:
        """What the judge goes by."""
        return Known(self.hosts, self.country, self.speaks, self.sni, self.certificate)

    def told(self, **more: Value) -> dict[str, Value]:
        """What an event tells of the other end."""
        remote = self.flow.remote
        told: dict[str, Value] = {"transport": self.flow.transport, "address": remote.address, "port": remote.port}
        known = {"host": self.host, "country": self.country, "protocol": self.speaks}
        return told | {name: value for name, value in known.items() if value} | more
