"""One connection to an MQTT broker, 3.1.1 or 5: calls go in from one thread, events come out of one queue.

Law: a callback only enqueues. The library holds its message lock while it calls back, so one that published, or that
waited for the thread that publishes, would hang for good. Whatever the broker does becomes an event or a text that
says what is wrong; the connection comes back by itself, waiting 1, 2, 4 … 60 s between attempts.
"""

from __future__ import annotations

import queue
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from busgate.model import BusgateError

KEEPALIVE: Final = 20
LONGEST_WAIT: Final = 60
_UNREAD: Final = 64
"""Messages that may wait for their reader; beyond it the network thread waits, and the broker keeps the rest."""


class BrokerError(BusgateError):
    """A broker address or its TLS files cannot be used."""


class Connected(NamedTuple):
    """The broker took us: the how-manieth connection this is, and how many unacknowledged messages it accepts."""

    session: int
    receive_maximum: int


class Down(NamedTuple):
    """No connection, and why; `refused` when the broker itself said no, as with a wrong password."""

    text: str
    refused: bool


class Published(NamedTuple):
    """The broker acknowledged a message; `error` is "" or why it did not take it."""

    mid: int
    error: str


class Received(NamedTuple):
    """A message of a topic we subscribed to."""

    topic: str
    payload: bytes
    retained: bool


class Subscribed(NamedTuple):
    """The broker lets us read the topics that we asked for; `error` is "" or why it does not."""

    error: str


BrokerEvent = Connected | Down | Published | Received | Subscribed


class Will(NamedTuple):
    """What the broker publishes, retained, when this connection dies without a farewell."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files: whom to trust (None: what this system trusts), and the certificate and key to show."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is, and as whom to come; its text leaves the password out."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None
    version: int

    def __str__(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def parse_address(url: str) -> Address:
    """Read `mqtt[s]://[user:password@]host[:port][?v=5]`; raises BrokerError. MQTT 3.1.1 unless `v=5` is given."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise BrokerError(f"broker address {_hidden(url)!r}: {fault}; write mqtt://host:1883") from None
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path not in {"", "/"} or port == 0:
        raise BrokerError(f"broker address {_hidden(url)!r} is not usable; write mqtt://host:1883 or mqtts://host:8883")
    if parts.query not in {"", "v=5", "v=3.1.1"} or parts.fragment:
        raise BrokerError(f"broker address {_hidden(url)!r}: only ?v=5 or ?v=3.1.1 may follow the port")
    tls = parts.scheme == "mqtts"
    return Address(
        host=parts.hostname,
        port=port or (8883 if tls else 1883),
        tls=tls,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        version=5 if parts.query == "v=5" else 4,
    )


def _hidden(url: str) -> str:
    """The address as an error may show it: without what stands before an @."""
    scheme, _, rest = url.rpartition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if scheme else rest.rpartition("@")[2]


class _Client(mqtt.Client):
    """A client whose thread outlives bytes that are no MQTT: what they raise becomes an event, and it tries again."""

    broken: Callable[[str], None]
    closing: threading.Event

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:
        while True:
            try:
                return super().loop_forever(timeout, retry_first_connection)
            except Exception as fault:  # noqa: BLE001 (the library parses foreign bytes here and raises many kinds)
                self.broken(f"what answers there does not speak MQTT ({type(fault).__name__})")
            if self.closing.wait(KEEPALIVE):
                return MQTTErrorCode.MQTT_ERR_CONN_LOST
            self.connect_async(self.host, self.port, self.keepalive, clean_start=True)


class Connection:
    """A connection that keeps itself up. One thread starts it, publishes, reads its events and closes it."""

    def __init__(
        self, address: Address, client_id: str, *, tls: Tls | None = None, will: Callable[[int], Will] | None = None
    ) -> None:
        self.address = address
        self._will = will
        self._session = 0
        self._events: queue.SimpleQueue[BrokerEvent] = queue.SimpleQueue()
        self._unread = threading.BoundedSemaphore(_UNREAD)
        self._closing = threading.Event()
        self._client = self._build(client_id, tls or Tls())

    def start(self) -> None:
        """Begin to connect, in the background; a broker that is not there yet is tried again until `close`."""
        self._client.connect_async(self.address.host, self.address.port, KEEPALIVE, clean_start=True)
        self._client.loop_start()

    def events(self, timeout: float = 0.0) -> Iterator[BrokerEvent]:
        """What has happened since last asked; waits up to `timeout` seconds for the first event."""
        while True:
            try:
                event = self._events.get(block=timeout > 0, timeout=timeout or None)
            except queue.Empty:
                return
            timeout = 0.0
            if isinstance(event, Received):
                self._unread.release()
            yield event

    def subscribe(self, *filters: str) -> None:
        """Ask for topics, QoS 1; to be repeated after each `Connected`."""
        self._client.subscribe([(name, 1) for name in filters])

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Send with QoS 1; gives the number that `Published` will name."""
        return self._client.publish(topic, payload, qos=1, retain=retain).mid

    def close(self, patience: float = 3.0) -> None:
        """Say goodbye and stop, waiting no longer than `patience` seconds for a broker that hangs."""
        self._closing.set()
        self._client.disconnect()
        # In a thread of its own, since it waits for the network thread, and that for a broker which may be frozen.
        stopping = threading.Thread(target=self._client.loop_stop, daemon=True)
        stopping.start()
        stopping.join(patience)

    # ------------------------------------------------------------ callbacks, on the network thread: only enqueue

    def _build(self, client_id: str, tls: Tls) -> _Client:
        fifth = self.address.version == 5
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if fifth else MQTTProtocolVersion.MQTTv311,
            clean_session=None if fifth else True,
        )
        client.broken = self._on_broken
        client.closing = self._closing
        client.reconnect_delay_set(1, LONGEST_WAIT)
        if self.address.user is not None:
            client.username_pw_set(self.address.user, self.address.password)
        if self.address.tls:
            try:
                client.tls_set(tls.ca, tls.certificate, tls.key)
            except (OSError, ValueError) as fault:
                raise BrokerError(f"the TLS files for {self.address} cannot be used: {fault}") from None
        client.on_pre_connect = self._on_pre_connect
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        return client

    def _on_pre_connect(self, client: mqtt.Client, _data: Any) -> None:
        self._session += 1
        if self._will is not None:
            will = self._will(self._session)
            client.will_set(will.topic, will.payload, qos=1, retain=True)

    def _on_connect(
        self,
        _client: mqtt.Client,
        _data: Any,
        _flags: mqtt.ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._events.put(Down(f"broker {self.address} refused this client: {code}", refused=True))
        else:
            self._events.put(Connected(self._session, int(getattr(properties, "ReceiveMaximum", 0xFFFF))))

    def _on_connect_fail(self, _client: mqtt.Client, _data: Any) -> None:
        # Called while the library handles the exception that it does not hand over.
        self._events.put(Down(f"no connection to broker {self.address}: {_plain(sys.exception())}", refused=False))

    def _on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: mqtt.DisconnectFlags, code: ReasonCode, _p: Properties | None
    ) -> None:
        self._events.put(Down(f"the connection to broker {self.address} was lost ({code})", refused=False))

    def _on_broken(self, text: str) -> None:
        self._events.put(Down(f"no connection to broker {self.address}: {text}", refused=False))

    def _on_publish(self, _client: mqtt.Client, _data: Any, mid: int, code: ReasonCode, _p: Properties | None) -> None:
        self._events.put(Published(mid, str(code) if code.is_failure else ""))

    def _on_subscribe(
        self, _client: mqtt.Client, _data: Any, _mid: int, codes: list[ReasonCode], _p: Properties | None
    ) -> None:
        self._events.put(Subscribed(next((str(code) for code in codes if code.is_failure), "")))

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        while not self._unread.acquire(timeout=0.5):
            if self._closing.is_set():
                return
        self._events.put(Received(topic, bytes(message.payload), message.retain))


def _plain(fault: BaseException | None) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({fault.verify_message})"
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    return str(fault) or type(fault).__name__
