"""What the installer sets: which wires, which files, which broker. Never what policy grants.

Law: what a settings file says and nobody knows is refused by its name and line; an option on the command line stands
above it. Paths in it are taken from the file's own folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from busgate.document import Strict, read
from busgate.model import BusgateError, Mode

DEFAULT = Path("/etc/busgate/busgate.yaml")
"""Where the settings of an installed gate are."""


class Broker(Strict):
    """Where the log is sent: `mqtts://host:8883`, the authority to trust, and the device's own certificate."""

    url: str
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    witnesses: tuple[str, ...] = ()
    """Public keys, text or file, whose cosignature makes a record acknowledged."""

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key are given together, or neither")
        return self


class Pin(Strict):
    """A GPIO line: the character device of its chip, and its number there."""

    chip: str = "/dev/gpiochip0"
    line: Annotated[int, Field(ge=0, le=1023)]


class KeySwitch(Pin):
    """A contact between a pin and ground, and in which position it cuts the T-box off."""

    cut: Literal["open", "closed"] = "open"
    """`open` fails safe: a broken wire cuts, too."""


class Evidence(Strict):
    """Where the last traffic is kept as pcapng, and how much of it."""

    folder: str
    megabytes: Annotated[int, Field(ge=1)] = 512
    days: Annotated[int, Field(ge=1)] = 30


class Hold(Strict):
    """Where what waits for the operator is kept, and the folder in which his marks stand."""

    folder: str
    marks: str
    megabytes: Annotated[int, Field(ge=1)] = 2048


class Air(Strict):
    """The T-box's other side: the interfaces between which its packets pass this machine. For `busgate net`."""

    tbox: str
    """The network interface towards the T-box (eth1)."""
    uplink: str | None = None
    """The one towards the world (wwan0). Without it everything is only watched."""
    addresses: tuple[str, ...] = ()
    """The T-box's own addresses and networks."""
    port: Annotated[int, Field(ge=1, le=65535)] = 15001
    """Where the relay listens on the T-box's side."""
    local: tuple[str, ...] = ()
    """What the T-box may use of this machine itself, such as udp/67 where it gets its address from here."""
    masquerade: bool = False
    splice: bool = True
    """Have the kernel carry what is encrypted once it has been judged."""
    countries: tuple[str, ...] = ()
    """The operator's tables of countries and networks (MMDB)."""
    memory: str | None = None
    """File that remembers endpoints, certificates and names over restarts."""
    evidence: Evidence | None = None
    hold: Hold | None = None
    modem: bool = False
    """Watch ModemManager: short messages, SIM, operator."""
    modems: tuple[str, ...] = ()
    """IMEIs of the T-box's modems; without them all, so name them where the agent has a modem of its own."""
    exchange: str | None = None
    """Folder of the sockets by which this and the gate of the frames tell each other what they know."""


class Settings(Strict):
    """`busgate.yaml`. What is left out is asked for on the command line, or has the default that is told there."""

    tbox: str | None = None
    vehicle: str | None = None
    profile: str | None = None
    policy: str | None = None
    operator: str | None = None
    key: str | None = None
    log: str | None = None
    device: str | None = None
    grants: tuple[str, ...] = ()
    mode: Mode | None = None
    kernel: bool | None = None
    switch: str | None = None
    """Folder of the local override; without it the log's."""
    keeper: str | None = None
    """Socket of a keeper that runs as a service of its own; without it the gate starts one."""
    broker: Broker | None = None
    key_switch: KeySwitch | None = None
    """The operator's key on a GPIO pin; `busgate panel` follows it."""
    bypass: Pin | None = None
    """A GPIO pin that is pulsed while the gate works, for the relay of a bypass."""
    panel: str | None = None
    """Socket at which the gate tells `busgate panel` that it works."""
    network: Air | None = None
    """The T-box's IP and cellular side, for `busgate net`."""
    realtime: bool = True
    """Ask for real-time priority; without the right to it the gate runs as any program."""

    def over(self, **given: object) -> Settings:
        """These settings with what the command line says above them; None and () there say nothing."""
        return self.model_copy(update={name: value for name, value in given.items() if value not in (None, ())})

    def needed(self, *names: str) -> None:
        """Raise BusgateError for the first of these that nobody has set."""
        for name in names:
            if getattr(self, name) is None:
                raise BusgateError(
                    f"nobody said what --{name} is. Next: give the option, or write `{name}:` into the settings file "
                    "and give that with --config"
                )


def read_settings(text: str, path: Path) -> Settings:
    """Read the text of the settings file `path`; raises BusgateError with the line of every fault."""
    return _placed(read(text, Settings, str(path), "docs/install.md"), path.parent)


def _placed(settings: Settings, folder: Path) -> Settings:
    """Paths taken from the file's folder; a key given as text, or a profile as a name, stays what it is."""

    def file(given: str | None) -> str | None:
        return None if given is None else str(folder / given)

    def perhaps(given: str) -> str:
        placed = folder / given
        return str(placed) if placed.exists() else given

    broker = settings.broker
    if broker is not None:
        broker = broker.model_copy(
            update={
                "ca": file(broker.ca),
                "certificate": file(broker.certificate),
                "key": file(broker.key),
                "witnesses": tuple(perhaps(each) for each in broker.witnesses),
            }
        )
    return settings.model_copy(
        update={
            "network": None if settings.network is None else _air(settings.network, file),
            "policy": file(settings.policy),
            "key": file(settings.key),
            "log": file(settings.log),
            "switch": file(settings.switch),
            "keeper": file(settings.keeper),
            "panel": file(settings.panel),
            "grants": tuple(str(folder / each) for each in settings.grants),
            "operator": None if settings.operator is None else perhaps(settings.operator),
            "profile": None if settings.profile is None else perhaps(settings.profile),
            "broker": broker,
        }
    )


def _air(air: Air, file: Callable[[str | None], str | None]) -> Air:
    hold, evidence = air.hold, air.evidence
    placed: dict[str, Any] = {
        "countries": tuple(str(file(each)) for each in air.countries),
        "memory": file(air.memory),
        "exchange": file(air.exchange),
    }
    if hold is not None:
        placed["hold"] = hold.model_copy(update={"folder": file(hold.folder), "marks": file(hold.marks)})
    if evidence is not None:
        placed["evidence"] = evidence.model_copy(update={"folder": file(evidence.folder)})
    return air.model_copy(update=placed)
