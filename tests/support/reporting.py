"""A device's log, its uplink and a SOC, pumped in turn in one thread, for tests of what passes between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from busgate.record.log import Log
from busgate.report import topics
from busgate.report.broker import Connected, Connection, Published, Received, Subscribed, parse_address
from busgate.report.uplink import Uplink
from busgate.trust.note import Cosigner, Signer, Verifier
from busgate_soc.archive import Archive
from busgate_soc.collector import Collector
from busgate_soc.happenings import Alarm, Fault, Happening, Reply, Verified
from busgate_soc.keyring import Keyring
from support.logs import alert

DEVICE = "bus-1"
BOOT = "0123456789abcdef0123456789abcdef"


def signer(number: int, name: str = "device.example.org") -> Signer:
    """Always the same key for the same number."""
    return Signer(name, Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


DEVICE_KEY = signer(1)
SOC_KEY = signer(2, "soc.example.org")


def open_log(folder: Path | None = None, key: Signer = DEVICE_KEY, device: str = DEVICE, boot: str = BOOT) -> Log:
    return Log.open(folder, key, device=device, boot=boot, now=0, wall_offset=1_767_000_000_000_000_000, software="1")


def grow(log: Log, count: int, **changes: object) -> None:
    """Write `count` alerts, sign them."""
    for number in range(log.size, log.size + count):
        log.record(alert(number, rule="command.drive", **changes), number)
    log.flush(0)


class Soc:
    """A SOC at a broker. `learned` is all that happened, in order."""

    def __init__(
        self,
        url: str,
        *,
        given: Iterable[Verifier] = (DEVICE_KEY.verifier,),
        key: Signer | None = SOC_KEY,
        state: Path | None = None,
        name: str = "soc",
    ) -> None:
        self.learned: list[Happening] = []
        self.archive = Archive(state)
        cosigner = None if key is None else Cosigner(key.name, key.key)
        self.collector = Collector(Keyring(given, self.archive.remembered()), self.archive, cosigner)
        self.connection = Connection(parse_address(url), name)
        self.connection.start()
        self.listening = False

    def pump(self) -> None:
        for event in self.connection.events(0.01):
            match event:
                case Connected():
                    self.connection.subscribe(*topics.subscriptions(None))
                case Subscribed():
                    self.listening = True
                case Received():
                    self._learn(self.collector.receive(event.topic, event.payload, time.time()))
                case Published():
                    assert not event.error
        self._learn(self.collector.tick(time.time()))

    def _learn(self, happenings: Iterable[Happening]) -> None:
        for happening in happenings:
            self.learned.append(happening)
            if isinstance(happening, Reply):
                self.connection.publish(happening.topic, happening.payload)

    def close(self) -> None:
        self.connection.close()
        self.archive.close()

    def alarms(self) -> set[Alarm]:
        return {happening.alarm for happening in self.learned if isinstance(happening, Fault)}

    def records(self) -> list[int]:
        """The indexes of all records shown as proven, in the order shown."""
        heads = [happening for happening in self.learned if isinstance(happening, Verified)]
        return [record.index for head in heads for record in head.records]

    def root(self) -> bytes:
        return next(happening.root for happening in reversed(self.learned) if isinstance(happening, Verified))

    def proven(self) -> int:
        return max((proven for proven, _ in self.collector.sizes.values()), default=0)


def until(done: Callable[[], bool], *pumped: Soc | Uplink, seconds: float = 30.0) -> None:
    """Let everybody work until it is so; fails when it never is."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, [soc.learned[-5:] for soc in pumped if isinstance(soc, Soc)]
        for one in pumped:
            one.pump()
        time.sleep(0.005)
