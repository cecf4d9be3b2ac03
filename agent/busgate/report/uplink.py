"""The signed log on its way to the SOC over MQTT: the log is the queue, and this only knows how far it has got.

Law: *published* means that the broker has it (PUBACK), *cosigned* that a witness we know has checked and signed it; the
one is never called the other. Where witnesses are named, a start goes on from what they cosigned. A broker that is away
is a backlog, not an error. One thread calls all of this; nothing here waits except `reach`, `drain` and `close`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple, assert_never

from busgate.model import BusgateError
from busgate.report import bundle, topics
from busgate.report.broker import (
    BrokerError,
    Connected,
    Connection,
    Down,
    Published,
    Received,
    Subscribed,
    Tls,
    parse_address,
)
from busgate.report.journal import Journal
from busgate.report.messages import early_copy
from busgate.report.offer import Offer
from busgate.report.presence import Presence
from busgate.report.window import LIMIT, Window
from busgate.report.witness import Cosigned, Noise, Refetch, Witnesses
from busgate.report.words import printable
from busgate.trust.note import Verifier, parse_note

PUBLISHED: Final = "uplink-published"
COSIGNED: Final = "uplink-cosigned"
"""The names of the two cursors that are kept in the log's store."""

_BODY: Final = 96 << 10
"""Bytes of a bundle before it is deflated: below what cloud brokers take, above the largest entry."""
_BUNDLES_A_PUMP: Final = 4
_WAITING_ALERTS: Final = 100
_ALERTS_ON_THE_WAY: Final = 2
_SAVE_SECONDS: Final = 1.0
_REFETCH_SECONDS: Final = 0.5
_PAUSE_SECONDS: Final = 5.0
_TURN: Final = 0.05


class Status(NamedTuple):
    """Where the uplink stands: sizes in entries, and a line for people."""

    connected: bool
    size: int
    published: int
    cosigned: int
    text: str


class Uplink:
    """One device's uplink. `start`, then `pump` often; `notify` what cannot wait; `drain` and `close` at the end."""

    def __init__(  # noqa: PLR0913 - where to, who, what, and whose word counts
        self,
        url: str,
        device: str,
        journal: Journal,
        *,
        tls: Tls | None = None,
        witnesses: Sequence[Verifier] = (),
        quorum: int = 1,
    ) -> None:
        """`witnesses` are the keys whose cosignatures count, `quorum` how many make it acknowledged.

        Raises BusgateError for an address, a device id, TLS files or a quorum that cannot work; connects to nothing.
        """
        if witnesses and not 1 <= quorum <= len(witnesses):
            raise BusgateError(
                f"{quorum} of {len(witnesses)} witnesses cannot be asked for; name more, or ask for fewer"
            )
        self._journal = journal
        self._device = topics.device_id(device)
        self._cosignature_topic = topics.cosignature(device, journal.incarnation)
        self._presence = Presence(device, journal)
        self._connection = Connection(parse_address(url), f"busgate-{device}", tls=tls, will=self._presence.will)
        self._witnesses = Witnesses(witnesses, quorum, min(journal.cursor(COSIGNED), journal.size))
        start = self._witnesses.cosigned if witnesses else journal.cursor(PUBLISHED)
        self._window = Window(min(start, journal.size))
        self._alerts: deque[int] = deque(maxlen=_WAITING_ALERTS)
        self._alerts_sent: dict[int, int] = {}
        self._offer = Offer(self._witnesses.cosigned)
        self._saved: tuple[float, int, int] = (0.0, self._window.published, self._witnesses.cosigned)
        self._last_rewind = 0.0
        self._pause_until = 0.0
        self._connected = False
        self._refused = False
        self._text = f"not connected to broker {self._connection.address} yet"

    # ------------------------------------------------------------ what the service calls

    @property
    def published(self) -> int:
        """The broker acknowledged every entry below this index; that is not yet a receipt."""
        return self._window.published

    @property
    def cosigned(self) -> int:
        """A quorum of witnesses cosigned a checkpoint of this size; 0 without witnesses."""
        return self._witnesses.cosigned

    @property
    def status(self) -> Status:
        """Where it stands now."""
        return Status(self._connected, self._journal.size, self.published, self.cosigned, self._text)

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._connection.start()

    def reach(self, timeout: float) -> None:
        """Wait for the first connection; raises BrokerError, saying why, when there is none after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self._connected and not self._refused and time.monotonic() < deadline:
            self._turn(_TURN)
        if not self._connected:
            raise BrokerError(
                f"{self._text}. Next: check the address, and that the broker runs and lets this device in"
            )

    def notify(self, index: int) -> None:
        """Send an early copy of record `index`, ahead of the log; the log still carries it."""
        self._alerts.append(index)
        self.pump()

    def pump(self) -> None:
        """Do what can be done now, without waiting: read answers, send what there is room for."""
        self._turn(0.0)

    def drain(self, timeout: float) -> bool:
        """Work until everything is cosigned, or at the broker where no witness is named; False when time runs out."""
        deadline = time.monotonic() + timeout
        self.pump()
        while not self._drained():
            if time.monotonic() >= deadline or (self._refused and not self._connected):
                return False
            self._turn(_TURN)
        self._save(at_once=True)
        return True

    def close(self) -> None:
        """Say that the device goes away, and disconnect; what was not delivered waits in the log."""
        self._save(at_once=True)
        if self._connected:
            self._send_state(online=False)
            deadline = time.monotonic() + 1.0
            while self._presence.mid is not None and self._connected and time.monotonic() < deadline:
                self._take_events(_TURN)
        self._connection.close()
        self._connected = False
        self._text = f"disconnected from broker {self._connection.address}"

    # ------------------------------------------------------------ one turn

    def _turn(self, timeout: float) -> None:
        self._take_events(timeout)
        if time.monotonic() < self._pause_until:
            return
        try:
            if self._connected:
                self._send_alerts()
                self._send_bundles()
                self._send_checkpoint()
                if self._presence.stale(time.monotonic()):
                    self._send_state(online=True)
            self._save(at_once=False)
        except BusgateError as fault:
            # A store in trouble is reported by those who write it; here it is a backlog, like a broker that is away.
            self._text = f"the log cannot be sent now: {fault}"
            self._pause_until = time.monotonic() + _PAUSE_SECONDS

    def _take_events(self, timeout: float) -> None:
        for event in self._connection.events(timeout):
            match event:
                case Connected():
                    self._on_connected(event)
                case Down():
                    self._connected = False
                    # What the broker said when it refused us explains more than the hang-up that follows.
                    if event.refused or not self._refused:
                        self._text = printable(event.text)
                    self._refused = self._refused or event.refused
                case Published():
                    self._on_published(event)
                case Received():
                    self._on_answer(event.payload)
                case Subscribed():
                    if event.error:
                        self._text = f"the broker does not let this device hear its witnesses: {printable(event.error)}"
                case _:
                    assert_never(event)

    def _on_connected(self, event: Connected) -> None:
        self._connected, self._refused = True, False
        self._presence.connected(event.session)
        self._text = f"connected to broker {self._connection.address}"
        self._window.limit = max(1, min(LIMIT, event.receive_maximum - 4))
        self._connection.subscribe(self._cosignature_topic)
        self._send_state(online=True)
        self._offer.again()

    def _on_published(self, event: Published) -> None:
        if event.error:
            self._text = f"the broker did not take a message: {printable(event.error)}"
            self._pause_until = time.monotonic() + _PAUSE_SECONDS
        if event.mid == self._presence.mid:
            self._presence.mid = None
        elif event.mid == self._offer.mid:
            self._offer.arrived(refused=bool(event.error))
        elif event.mid in self._alerts_sent:
            index = self._alerts_sent.pop(event.mid)
            if event.error:
                self._alerts.appendleft(index)
        elif event.error:
            self._window.refused(event.mid)
        else:
            self._window.acknowledged(event.mid)

    def _on_answer(self, payload: bytes) -> None:
        for answer in self._witnesses.answers(payload):
            match answer:
                case Cosigned():
                    self._offer.cosigned(answer.size)
                    self._text = f"{answer.witness} has cosigned {answer.size} of {self._journal.size} entries"
                case Refetch():
                    self._refetch(answer.size)
                case Noise():
                    self._text = f"{printable(answer.reason)} came from the broker and counts for nothing"
                case _:
                    assert_never(answer)

    def _refetch(self, size: int) -> None:
        if size > self._journal.size:
            self._text = (
                f"a witness knows {size} entries of this log and here are {self._journal.size}: entries were lost, or "
                "there is a second copy of this device. Next: busgate verify, and ask the SOC"
            )
            return
        now = time.monotonic()
        if now - self._last_rewind < _REFETCH_SECONDS:
            return
        self._last_rewind = now
        self._window.rewind(size)
        self._offer.refetch(size)

    # ------------------------------------------------------------ sending

    def _send_alerts(self) -> None:
        while self._alerts and len(self._alerts_sent) < _ALERTS_ON_THE_WAY:
            index = self._alerts.popleft()
            found = self._journal.entries(index, 1)
            if not found:
                # Not durable yet. It will be, and comes with the log itself.
                continue
            payload = early_copy(self._journal.incarnation, index, found[0])
            self._alerts_sent[self._connection.publish(topics.alert(self._device), payload)] = index

    def _send_bundles(self) -> None:
        topic = topics.entries(self._device, self._journal.incarnation)
        for _ in range(min(self._window.room, _BUNDLES_A_PUMP)):
            first = self._window.next
            entries = self._journal.entries(first, bundle.MAX_ENTRIES)
            if not entries:
                return
            entries = entries[: bundle.fitting(entries, _BODY)]
            mid = self._connection.publish(topic, bundle.encode(first, entries))
            self._window.sent(mid, len(entries))

    def _send_checkpoint(self) -> None:
        size = self._journal.size
        if self._window.next < size or not self._offer.due(size, time.monotonic(), waits=bool(self._witnesses)):
            return
        body = self._journal.submission(min(self._offer.old, size)).text
        self._witnesses.offered(size, parse_note(self._journal.checkpoint).text)
        topic = topics.checkpoint(self._device, self._journal.incarnation)
        self._offer.made(self._connection.publish(topic, body.encode()), size, time.monotonic())

    def _send_state(self, *, online: bool) -> None:
        payload = self._presence.payload(time.monotonic(), online=online)
        self._presence.mid = self._connection.publish(self._presence.topic, payload, retain=True)

    # ------------------------------------------------------------ remembering

    def _drained(self) -> bool:
        size = self._journal.size
        sent = self.published >= size and (size == 0 or self._offer.size >= size) and self._offer.mid is None
        quiet = not self._alerts and not self._alerts_sent
        return sent and quiet and (not self._witnesses or self.cosigned >= size)

    def _save(self, *, at_once: bool) -> None:
        at, published, cosigned = self._saved
        if (published, cosigned) == (self.published, self.cosigned):
            return
        if not at_once and time.monotonic() - at < _SAVE_SECONDS:
            return
        if published != self.published:
            self._journal.set_cursor(PUBLISHED, self.published)
        if cosigned != self.cosigned:
            self._journal.set_cursor(COSIGNED, self.cosigned)
        self._saved = (time.monotonic(), self.published, self.cosigned)
