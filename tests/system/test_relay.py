"""The fence and the relay between three machines of the test's own: T-box, gate and cloud, over IPv4 and IPv6."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from busgate.bridge.fence import Allowed, Fence, WhenDead
from busgate.bridge.firewall import Firewall
from busgate.bridge.port import BridgeError
from support.net import (
    CLOUD,
    CLOUD6,
    GATE,
    GATE6,
    NAMED,
    NAMED6,
    OUTER,
    OUTER6,
    RELAY_PORT,
    SETPRIV,
    STRANGER,
    STRANGER6,
    TBOX,
    TBOX6,
    TO_CLOUD,
    TO_TBOX,
    Worker,
    World,
    inside,
    listening,
    missing,
)

LINES, ALL, SPLICED, TLS, REFUSED, UNOPENED = 7000, 7010, 7020, 7030, 7040, 7041
PORTS = ((7000, 7999),)
SHORT = json.dumps({"first_byte_s": 1.0, "idle_s": 2.5, "connect_s": 1.5, "stalled_s": 2.5, "linger_s": 0.5})
FENCE = Fence(
    TO_TBOX,
    TO_CLOUD,
    (ip_network("10.88.1.0/24"), ip_network("fd88:1::/64")),
    RELAY_PORT,
    (
        *(Allowed(ip_network(each), transport, PORTS) for each in (CLOUD, CLOUD6) for transport in ("tcp", "udp")),
        Allowed("*.vendor.example", "tcp", PORTS),
    ),
    ping=True,
)
BOTH = pytest.mark.parametrize("cloud", [CLOUD, CLOUD6], ids=["IPv4", "IPv6"])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    why = missing()
    if why:
        pytest.skip(why)
    made = World()
    try:
        made.build()
        yield made
    finally:
        made.remove()


@pytest.fixture
def fresh() -> Iterator[World]:
    """Machines for a test that has a relay of its own."""
    why = missing()
    if why:
        pytest.skip(why)
    made = World("f")
    try:
        made.build()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def running(world: World) -> Iterator[Worker]:
    """The relay that all tests share which do not kill it."""
    Firewall(FENCE, world.nft).apply()
    worker = world.relay()
    yield worker
    worker.kill()


@pytest.fixture
def relay(world: World, running: Worker) -> Worker:
    Firewall(FENCE, world.nft).apply()
    return running


def opened(world: World, address: str, port: int) -> tuple[socket.socket, socket.socket]:
    """A connection through the gate: the T-box's end and the cloud's."""
    with listening(world.cloud, address, port) as door:
        tbox = world.connect(address, port)
        cloud, _ = door.accept()
    cloud.settimeout(5)
    return tbox, cloud


def everything(sock: socket.socket) -> bytes:
    told = b""
    while data := sock.recv(1 << 16):
        told += data
    return told


def line(sock: socket.socket) -> bytes:
    told = b""
    while not told.endswith(b"\n"):
        data = sock.recv(1)
        assert data, f"the connection ended after {told!r}"
        told += data
    return told


def unreachable(world: World, address: str, port: int, seconds: float = 0.4) -> bool:
    try:
        world.connect(address, port, seconds).close()
    except OSError:
        return True
    return False


def stuffed(sock: socket.socket, seconds: float) -> int:
    """How much a connection takes that nobody reads."""
    sock.settimeout(seconds)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while True:
            sent += sock.send(bytes(1 << 20))
    return sent


def datagrams(machine: str, address: str = "", port: int = 0) -> socket.socket:
    """A UDP socket of IPv4 on a machine."""
    with inside(machine):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    sock.settimeout(3)
    return sock


def nothing_comes(sock: socket.socket) -> bool:
    sock.settimeout(0.3)
    try:
        sock.recv(100)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(3)
    return False


def pinged(world: World, address: str, seconds: float) -> bool:
    """Whether an echo request of the T-box is answered (RFC 792, RFC 4443; the kernel fills in IPv6 checksums)."""
    six = ":" in address
    with inside(world.tbox):
        sock = (
            socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            if six
            else socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        )
    request = bytes([128, 0, 0, 0, 0x62, 0x67, 0, 1]) if six else bytes([8, 0, 0x95, 0x97, 0x62, 0x67, 0, 1])
    with sock:
        sock.sendto(request, (address, 0))
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            sock.settimeout(left)
            with contextlib.suppress(TimeoutError):
                told, who = sock.recvfrom(200)
                if who[0] == address and (told if six else told[20:])[:1] == (b"\x81" if six else b"\0"):
                    return True
    return False


# ---- the fence ----


@pytest.mark.parametrize("stranger", [STRANGER, STRANGER6])
def test_what_is_not_allowed_is_never_reached(world: World, relay: Worker, stranger: str) -> None:
    fence = Firewall(FENCE, world.nft)
    before = fence.counters()["blocked_up"].packets
    with listening(world.cloud, stranger, LINES) as door:
        door.settimeout(0.2)
        assert unreachable(world, stranger, LINES)
        with pytest.raises(TimeoutError):
            door.accept()
    assert fence.counters()["blocked_up"].packets > before
    assert not [each for each in relay.events if stranger in each.get("to", "")]


@BOTH
def test_an_allowed_endpoint_on_another_port_is_not_reached(world: World, relay: Worker, cloud: str) -> None:
    with listening(world.cloud, cloud, 6999):
        assert unreachable(world, cloud, 6999)
    assert relay.process.poll() is None


@pytest.mark.parametrize(("tbox", "cloud"), [(TBOX, CLOUD), (TBOX6, CLOUD6)])
def test_nothing_comes_in_from_the_cloud(world: World, relay: Worker, tbox: str, cloud: str) -> None:
    fence = Firewall(FENCE, world.nft)
    before = fence.counters()["blocked_down"].packets
    with listening(world.tbox, tbox, 7777) as door, inside(world.cloud):
        door.settimeout(0.2)
        with pytest.raises(OSError, match="timed out"):
            socket.create_connection((tbox, 7777), timeout=0.3, source_address=(cloud, 0))
        with pytest.raises(TimeoutError):
            door.accept()
    assert fence.counters()["blocked_down"].packets > before
    assert relay.process.poll() is None


@pytest.mark.parametrize("gate", [OUTER, OUTER6, GATE, GATE6])
def test_nothing_listens_on_the_cellular_side(world: World, relay: Worker, gate: str) -> None:
    heard = subprocess.run(
        ["ip", "netns", "exec", world.gate, "ss", "-Hltn"], capture_output=True, text=True, check=True
    ).stdout
    ports = {int(row.split()[3].rpartition(":")[2]) for row in heard.splitlines()}
    assert RELAY_PORT in ports
    for port in ports:
        with inside(world.cloud), pytest.raises(OSError, match="timed out"):
            socket.create_connection((gate, port), timeout=0.3)
    assert relay.process.poll() is None


def test_the_relay_needs_no_right(relay: Worker) -> None:
    if SETPRIV is None:
        pytest.skip("setpriv takes util-linux")
    status = Path(f"/proc/{relay.process.pid}/status").read_text(encoding="ascii")
    assert "CapEff:\t0000000000000000\n" in status


def test_the_relay_itself_takes_nobody_who_was_not_redirected(world: World, relay: Worker) -> None:
    for address in (GATE, GATE6, OUTER, OUTER6):
        assert unreachable(world, address, RELAY_PORT, 0.3)
    Firewall(FENCE, world.nft).remove()
    with pytest.raises(ConnectionResetError), world.connect(GATE, RELAY_PORT) as tbox:
        tbox.recv(1)
    relay.until(lambda events: any(each.get("why") == "lost" for each in events))
    # Without the fence as with it, the relay's sockets do not hear the other side.
    with inside(world.cloud), pytest.raises(ConnectionRefusedError):
        socket.create_connection((OUTER, RELAY_PORT), timeout=0.5)


@pytest.mark.parametrize(("cloud", "stranger"), [(CLOUD, STRANGER), (CLOUD6, STRANGER6)])
def test_datagrams_pass_to_allowed_endpoints_and_back_alone(
    world: World, relay: Worker, cloud: str, stranger: str
) -> None:
    family = socket.AF_INET6 if ":" in cloud else socket.AF_INET
    with contextlib.ExitStack() as open_:
        ends = {}
        for name, machine, address in (("c", world.cloud, cloud), ("s", world.cloud, stranger), ("t", world.tbox, "")):
            with inside(machine):
                ends[name] = open_.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            ends[name].bind((address, 7001 if address else 0))
            ends[name].settimeout(3)
        ends["t"].sendto(b"to the stranger", (stranger, 7001))
        ends["t"].sendto(b"question", (cloud, 7001))
        data, who = ends["c"].recvfrom(100)
        assert data == b"question"
        ends["s"].sendto(b"from nowhere", who)
        ends["c"].sendto(b"answer", who)
        assert ends["t"].recv(100) == b"answer"
        assert nothing_comes(ends["t"])
        assert nothing_comes(ends["s"])
    assert relay.process.poll() is None


def test_a_fence_that_allows_less_ends_what_has_passed_before(world: World, relay: Worker) -> None:
    firewall = Firewall(FENCE, world.nft)
    with datagrams(world.cloud, CLOUD, 7002) as cloud, datagrams(world.tbox) as tbox:
        tbox.sendto(b"one", (CLOUD, 7002))
        _, who = cloud.recvfrom(100)
        firewall.change(dataclasses.replace(FENCE, allowed=()))
        cloud.sendto(b"still there?", who)
        tbox.sendto(b"two", (CLOUD, 7002))
        assert nothing_comes(tbox)
        assert nothing_comes(cloud)
        firewall.change(FENCE)
        tbox.sendto(b"three", (CLOUD, 7002))
        assert cloud.recv(100) == b"three"
        cloud.sendto(b"now", who)
        assert tbox.recv(100) == b"now"
    assert relay.process.poll() is None


def test_who_claims_an_address_that_is_not_the_t_boxes_is_dropped(world: World, relay: Worker) -> None:
    firewall = Firewall(FENCE, world.nft)
    subprocess.run(["ip", "-n", world.tbox, "addr", "add", "10.99.0.1/32", "dev", "eth0"], check=True)
    subprocess.run(["ip", "-n", world.gate, "route", "add", "10.99.0.1/32", "dev", TO_TBOX], check=True)
    with inside(world.tbox), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as liar:
        liar.bind(("10.99.0.1", 0))
        liar.sendto(b"x", (CLOUD, 7003))
        with pytest.raises(OSError, match="timed out"):
            socket.create_connection((CLOUD, LINES), timeout=0.3, source_address=("10.99.0.1", 0))
    assert firewall.counters()["forged"].packets >= 2
    assert relay.process.poll() is None


def test_behind_a_modem_the_cloud_sees_the_gates_own_address(world: World, relay: Worker) -> None:
    Firewall(dataclasses.replace(FENCE, masquerade=True), world.nft).apply()
    for cloud, outer in ((CLOUD, OUTER), (CLOUD6, OUTER6)):
        family = socket.AF_INET6 if ":" in cloud else socket.AF_INET
        with inside(world.cloud):
            heard = socket.socket(family, socket.SOCK_DGRAM)
        with inside(world.tbox):
            tbox = socket.socket(family, socket.SOCK_DGRAM)
        with heard, tbox:
            heard.bind((cloud, 7004))
            heard.settimeout(3)
            tbox.settimeout(3)
            tbox.sendto(b"x", (cloud, 7004))
            data, who = heard.recvfrom(10)
            assert (data, who[0]) == (b"x", outer)
            heard.sendto(b"y", who)
            assert tbox.recv(10) == b"y"
    assert relay.process.poll() is None


def test_a_ping_passes_to_allowed_endpoints_only(world: World, relay: Worker) -> None:
    assert all(pinged(world, each, 3) for each in (GATE, GATE6, CLOUD, CLOUD6))
    assert not any(pinged(world, each, 0.3) for each in (STRANGER, STRANGER6))
    Firewall(dataclasses.replace(FENCE, ping=False), world.nft).apply()
    assert not pinged(world, CLOUD, 0.3)
    assert relay.process.poll() is None


def test_a_name_opens_its_addresses_for_the_answers_time(world: World, relay: Worker) -> None:
    firewall = Firewall(FENCE, world.nft)
    firewall.apply()
    assert not firewall.learn("stranger.example", [ip_address(STRANGER)], 60)
    assert not firewall.learn("vendor.example.evil.example", [ip_address(STRANGER)], 60)
    for named in (NAMED, NAMED6):
        assert unreachable(world, named, LINES, 0.2)
    assert firewall.learn("tsp.Vendor.example.", [ip_address(NAMED), ip_address(NAMED6)], 4)
    learned = time.monotonic()
    assert {each.host for each in firewall.learned()} == {"tsp.vendor.example"}
    firewall.apply()  # what has been learned outlives a new ruleset
    for named in (NAMED, NAMED6):
        for each in opened(world, named, LINES):
            each.close()
    time.sleep(max(0, learned + 4.3 - time.monotonic()))
    assert firewall.learned() == ()
    for named in (NAMED, NAMED6):
        assert unreachable(world, named, LINES, 0.2)
    assert firewall.learn("tsp.vendor.example", [ip_address(NAMED)], 60)
    assert firewall.learn("tsp.vendor.example", [ip_address(NAMED)], 60)  # a second answer is no error
    for each in opened(world, NAMED, LINES):
        each.close()
    assert relay.process.poll() is None


def test_a_flow_outlives_the_answer_that_opened_it_and_no_other_follows(world: World, relay: Worker) -> None:
    firewall = Firewall(dataclasses.replace(FENCE, allowed=(Allowed("tsp.example", "udp", PORTS),)), world.nft)
    firewall.apply()
    assert firewall.learn("tsp.example", [ip_address(NAMED)], 1)
    with datagrams(world.cloud, NAMED, 7005) as named, datagrams(world.tbox) as tbox, datagrams(world.tbox) as late:
        tbox.sendto(b"one", (NAMED, 7005))
        _, who = named.recvfrom(10)
        time.sleep(1.2)
        late.sendto(b"late", (NAMED, 7005))
        tbox.sendto(b"two", (NAMED, 7005))
        assert named.recv(10) == b"two"
        named.sendto(b"three", who)
        assert tbox.recv(10) == b"three"
        assert nothing_comes(named)
    assert relay.process.poll() is None


def test_of_the_gate_itself_the_t_box_gets_what_is_named(world: World, relay: Worker) -> None:
    with (
        datagrams(world.gate, GATE, 67) as served,
        datagrams(world.gate, GATE, 68) as closed,
        datagrams(world.tbox) as tbox,
    ):
        Firewall(dataclasses.replace(FENCE, local=(("udp", 67),)), world.nft).apply()
        for port in (67, 68):
            tbox.sendto(b"x", (GATE, port))
        data, who = served.recvfrom(10)
        served.sendto(data, who)
        assert tbox.recv(10) == b"x"
        assert nothing_comes(closed)
    assert relay.process.poll() is None


def test_what_the_kernel_does_not_take_changes_nothing(
    world: World, relay: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    firewall = Firewall(FENCE, world.nft)
    monkeypatch.setattr(
        "busgate.bridge.ruleset.ruleset", lambda *_: "add table inet busgate\nadd rule inet busgate up zzz\n"
    )
    with pytest.raises(BridgeError) as told:
        firewall.apply()
    assert str(told.value).count("\n") == 0
    assert "the kernel does not take the fence" in str(told.value)
    for each in opened(world, CLOUD, ALL):
        each.close()
    assert relay.process.poll() is None


# ---- the relay ----


@BOTH
def test_a_blocked_message_never_arrives_and_the_session_lives(world: World, relay: Worker, cloud: str) -> None:
    tbox, platform = opened(world, cloud, LINES)
    with tbox, platform:
        tbox.sendall(b"login\n")
        assert line(platform) == b"login\n"
        platform.sendall(b"welcome\n")
        assert line(tbox) == b"welcome\n"
        platform.sendall(b"DRIVE ST")
        platform.sendall(b"OP now\nST")
        assert line(platform) == b"REFUSED\n"
        platform.sendall(b"ATUS?\n")
        assert line(tbox) == b"STATUS?\n"
        platform.sendall(b"one\nSTOP\ntwo\n")
        assert line(tbox) + line(tbox) == b"one\ntwo\n"
        platform.shutdown(socket.SHUT_WR)
        assert everything(tbox) == b""
        tbox.sendall(b"still heard\n")
        assert line(platform) + line(platform) == b"REFUSED\nstill heard\n"
        port = tbox.getsockname()[1]
    assert relay.end(port)["why"] == "finished"


@pytest.mark.parametrize("port", [ALL, SPLICED])
def test_a_new_fence_does_not_disturb_what_is_relayed(world: World, relay: Worker, port: int) -> None:
    tbox, platform = opened(world, CLOUD, port)
    with tbox, platform:
        Firewall(dataclasses.replace(FENCE, allowed=()), world.nft).apply()
        platform.sendall(b"down\n")
        assert line(tbox) == b"down\n"
        tbox.sendall(b"up\n")
        assert line(platform) == b"up\n"
        assert unreachable(world, CLOUD, port, 0.2)
    assert relay.process.poll() is None


def test_what_is_held_arrives_later_and_so_does_the_end_behind_it(world: World, relay: Worker) -> None:
    tbox, platform = opened(world, CLOUD, LINES)
    with tbox, platform:
        platform.sendall(b"HOLD this\nand what follows\n")
        platform.shutdown(socket.SHUT_WR)
        sent = time.monotonic()
        assert everything(tbox) == b"HOLD this\nand what follows\n"
        assert time.monotonic() - sent > 0.25
    assert relay.process.poll() is None


def test_an_inspector_that_ends_a_flow_has_its_last_words_delivered(world: World, relay: Worker) -> None:
    tbox, platform = opened(world, CLOUD, LINES)
    with tbox, platform:
        platform.sendall(b"BYE\nnot any more\n")
        assert everything(platform) == b"CUT\n"
        assert everything(tbox) == b"LAST\n"
        port = tbox.getsockname()[1]
    assert relay.end(port)["why"] == "cut"


def test_an_inspector_that_fails_ends_that_flow_alone(world: World, relay: Worker) -> None:
    one, other = opened(world, CLOUD, LINES), opened(world, CLOUD, LINES)
    with one[0], one[1], other[0], other[1]:
        port = one[0].getsockname()[1]
        one[1].sendall(b"CRASH\n")
        for each in one:
            with pytest.raises(ConnectionResetError):
                each.recv(1)
        other[1].sendall(b"unharmed\n")
        assert line(other[0]) == b"unharmed\n"
    end = relay.end(port)
    assert (end["why"], end["detail"]) == ("fault", "RuntimeError: the toy is broken")


@pytest.mark.parametrize(("port", "why"), [(REFUSED, "refused"), (UNOPENED, "fault")])
def test_a_refused_connection_never_reaches_the_cloud(world: World, relay: Worker, port: int, why: str) -> None:
    with listening(world.cloud, CLOUD, port) as door:
        door.settimeout(0.2)
        with pytest.raises(ConnectionResetError), world.connect(CLOUD, port) as tbox:
            tbox.recv(1)
        with pytest.raises(TimeoutError):
            door.accept()
    told = relay.until(lambda events: any(each.get("to") == f"{CLOUD}:{port}" for each in events[-1:]))
    assert (told[-1]["what"], told[-1]["why"]) == ("ended", why)


def test_nobody_there_is_told_to_the_t_box(world: World, relay: Worker) -> None:
    with pytest.raises(ConnectionResetError), world.connect(CLOUD, 7999) as tbox:
        tbox.recv(1)
    told = relay.until(lambda events: events[-1].get("to") == f"{CLOUD}:7999" and events[-1]["what"] == "ended")
    assert told[-1]["why"] == "unreachable"


@pytest.mark.parametrize("port", [LINES, ALL, SPLICED, TLS])
@BOTH
def test_an_end_is_passed_on_while_the_other_direction_lives(
    world: World, relay: Worker, port: int, cloud: str
) -> None:
    tbox, platform = opened(world, cloud, port)
    with tbox, platform:
        tbox.sendall(b"all I have\n")
        tbox.shutdown(socket.SHUT_WR)
        assert everything(platform) == b"all I have\n"
        platform.sendall(b"late answer\n")
        assert line(tbox) == b"late answer\n"
        platform.sendall(b"unfinished")
        platform.close()
        assert everything(tbox) == b"unfinished"
        name = tbox.getsockname()[1]
    end = relay.end(name)
    assert (end["why"], end["up"], end["down"]) == ("finished", 11, 22)


@pytest.mark.parametrize("port", [ALL, SPLICED])
def test_a_reset_is_passed_on_in_both_directions(world: World, relay: Worker, port: int) -> None:
    for breaks in (0, 1):
        ends = opened(world, CLOUD, port)
        with ends[0], ends[1]:
            ends[0].sendall(b"x")
            assert ends[1].recv(1) == b"x"
            name = ends[0].getsockname()[1]
            ends[breaks].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            ends[breaks].close()
            with pytest.raises(ConnectionResetError):
                ends[1 - breaks].recv(1)
        assert relay.end(name)["why"] == "reset"


@pytest.mark.parametrize("port", [ALL, TLS])
def test_tls_passes_untouched_byte_for_byte(world: World, relay: Worker, port: int, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=tsp.vendor.example", "-addext", "subjectAltName=DNS:tsp.vendor.example"]
    subprocess.run([*words, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    secret = os.urandom(3_000_000)
    got = []
    with listening(world.cloud, CLOUD, port) as door:

        def serve() -> None:
            plain, _ = door.accept()
            with serving.wrap_socket(plain, server_side=True) as tls:
                told = b""
                while len(told) < len(secret):
                    told += tls.recv(1 << 16)
                got.append(told)
                tls.sendall(told[::-1])

        server = threading.Thread(target=serve)
        server.start()
        with (
            world.connect(CLOUD, port) as plain,
            trusting.wrap_socket(plain, server_hostname="tsp.vendor.example") as tls,
        ):
            tls.sendall(secret)
            back = b""
            while len(back) < len(secret):
                back += tls.recv(1 << 16)
        server.join(10)
    assert got == [secret]
    assert back == secret[::-1]
    assert relay.process.poll() is None


@pytest.mark.parametrize("port", [ALL, SPLICED, TLS])
def test_a_hundred_megabytes_come_through_as_they_were_sent(world: World, relay: Worker, port: int) -> None:
    piece = hashlib.sha256(b"busgate").digest() * (1 << 15)
    pieces = 100
    expected, seen = hashlib.sha256(), hashlib.sha256()
    tbox, platform = opened(world, CLOUD, port)

    def send() -> None:
        for number in range(pieces):
            part = bytes([number]) + piece[1:]
            expected.update(part)
            platform.sendall(part)
        platform.close()

    with tbox:
        tbox.sendall(b"GET\n")
        assert platform.recv(10) == b"GET\n"
        sender = threading.Thread(target=send)
        sender.start()
        while data := tbox.recv(1 << 20):
            seen.update(data)
        sender.join(10)
        name = tbox.getsockname()[1]
    assert seen.hexdigest() == expected.hexdigest()
    assert relay.end(name)["down"] == pieces * len(piece)


def test_a_payload_released_late_is_taken_piece_by_piece(world: World, relay: Worker) -> None:
    tbox, platform = opened(world, CLOUD, LINES)
    with tbox, platform:
        platform.sendall(b"MUCH\n")
        time.sleep(0.3)
        platform.sendall(b"and then this\n")
        told = b""
        while not told.endswith(b"and then this\n"):
            told += tbox.recv(1 << 20)
    assert len(told) == 1000 * 20_000 + len(b"and then this\n")
    assert relay.process.poll() is None


def test_a_slow_receiver_holds_its_own_sender_back_and_nobody_else(world: World, relay: Worker) -> None:
    tbox, platform = opened(world, CLOUD, ALL)
    memory = Path(f"/proc/{relay.process.pid}/statm")
    with tbox, platform:
        before = int(memory.read_text().split()[1])
        sent = stuffed(platform, 0.5)
        assert sent > 1 << 18
        other = opened(world, CLOUD, ALL)
        with other[0], other[1]:
            other[1].sendall(b"quick\n")
            assert line(other[0]) == b"quick\n"
        pages = int(memory.read_text().split()[1]) - before
        assert pages * os.sysconf("SC_PAGE_SIZE") < 4 << 20
        platform.close()
        assert len(everything(tbox)) == sent


def test_a_thousand_connections_at_once(world: World, relay: Worker) -> None:
    flows = 1000
    _descriptors(4 * flows)
    with contextlib.ExitStack() as open_:
        door = open_.enter_context(listening(world.cloud, CLOUD, ALL, backlog=flows))
        tboxes, clouds = {}, []
        for _ in range(flows):
            with inside(world.tbox):
                sock = open_.enter_context(socket.socket())
            sock.settimeout(10)
            sock.connect((CLOUD, ALL))
            tboxes[sock.getsockname()[1]] = sock
            if len(tboxes) % 50 == 0:
                clouds += [open_.enter_context(door.accept()[0]) for _ in range(50)]
        for port, sock in tboxes.items():
            sock.sendall(f"{port}\n".encode())
        for sock in clouds:
            sock.settimeout(10)
            sock.sendall(line(sock))
        assert all(line(sock) == f"{port}\n".encode() for port, sock in tboxes.items())
    relay.until(lambda events: tboxes.keys() <= {each["port"] for each in events if each["what"] == "ended"})


# ---- what goes wrong ----


def test_who_keeps_a_connection_without_a_word_loses_it(fresh: World) -> None:
    Firewall(FENCE, fresh.nft).apply()
    relay = fresh.relay(SHORT)
    try:
        silent, dripping = opened(fresh, CLOUD, LINES), opened(fresh, CLOUD, LINES)
        stalled = opened(fresh, CLOUD, ALL)
        began = time.monotonic()
        with silent[0], silent[1], dripping[0], dripping[1], stalled[0], stalled[1]:
            dripping[0].sendall(b"d")
            assert stuffed(stalled[1], 0.1) > 1 << 18
            assert relay.end(silent[0].getsockname()[1])["why"] == "silent"
            assert time.monotonic() - began > 0.9
            assert relay.end(dripping[0].getsockname()[1])["why"] == "idle"
            assert relay.end(stalled[0].getsockname()[1])["why"] == "stalled"
            assert time.monotonic() - began > 2.4
    finally:
        relay.kill()


def test_a_half_open_connection_is_given_up_and_the_t_box_hears_of_it(fresh: World) -> None:
    fence = dataclasses.replace(FENCE, allowed=(Allowed(ip_network("203.0.113.0/24"), "tcp", PORTS),))
    Firewall(fence, fresh.nft).apply()
    relay = fresh.relay(SHORT)
    try:
        # Nobody has this address: the gate's own SYN is never answered.
        subprocess.run(
            [
                "ip",
                "-n",
                fresh.gate,
                "neigh",
                "replace",
                "203.0.113.99",
                "lladdr",
                "02:00:00:00:00:99",
                "dev",
                TO_CLOUD,
            ],
            check=True,
        )
        with fresh.connect("203.0.113.99", LINES) as tbox:
            tbox.sendall(b"is anybody there\n")
            tbox.settimeout(4)
            with pytest.raises(ConnectionResetError):
                tbox.recv(1)
            assert relay.end(tbox.getsockname()[1])["why"] == "unreachable"
        # Who hangs up before the other end has answered is not kept.
        with fresh.connect("203.0.113.99", LINES) as tbox:
            name = tbox.getsockname()[1]
            tbox.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert relay.end(name)["why"] == "reset"
    finally:
        relay.kill()


def test_too_many_flows_and_the_unused_make_room(fresh: World) -> None:
    Firewall(FENCE, fresh.nft).apply()
    relay = fresh.relay(json.dumps({"flows": 2}))
    try:
        used, unused = opened(fresh, CLOUD, ALL), opened(fresh, CLOUD, ALL)
        with used[0], used[1], unused[0], unused[1]:
            used[0].sendall(b"x")
            assert used[1].recv(1) == b"x"
            third = opened(fresh, CLOUD, ALL)
            with third[0], third[1]:
                assert relay.end(unused[0].getsockname()[1])["why"] == "full"
                third[0].sendall(b"y")
                assert third[1].recv(1) == b"y"
                with pytest.raises(ConnectionResetError), fresh.connect(CLOUD, ALL) as fourth:
                    fourth.recv(1)
                used[1].sendall(b"z")
                assert used[0].recv(1) == b"z"
    finally:
        relay.kill()


def test_a_killed_relay_takes_its_flows_along_and_the_fence_stays_shut(fresh: World) -> None:
    firewall = Firewall(FENCE, fresh.nft)
    firewall.apply()
    relay = fresh.relay()
    flows = [opened(fresh, each, port) for each in (CLOUD, CLOUD6) for port in (LINES, ALL, SPLICED)]
    for tbox, platform in flows:
        tbox.sendall(b"before\n")
        assert line(platform) == b"before\n"
    relay.kill()
    for tbox, platform in flows:
        with tbox, platform:
            assert _ended(tbox)
            assert _ended(platform)
    assert firewall.stands()
    with listening(fresh.cloud, CLOUD, ALL), pytest.raises(ConnectionRefusedError):
        fresh.connect(CLOUD, ALL)
    assert unreachable(fresh, STRANGER, ALL, 0.2)
    again = fresh.relay()
    try:
        tbox, platform = opened(fresh, CLOUD, LINES)
        with tbox, platform:
            platform.sendall(b"STOP\nback again\n")
            assert line(tbox) == b"back again\n"
    finally:
        again.kill()


def test_with_telemetry_open_the_kernel_alone_lets_allowed_endpoints_be_reached(fresh: World) -> None:
    firewall = Firewall(dataclasses.replace(FENCE, when_dead=WhenDead.OPEN, lease_s=3), fresh.nft)
    firewall.apply()
    relay = fresh.relay()
    firewall.beat()
    tbox, platform = opened(fresh, CLOUD, LINES)
    with tbox, platform:
        platform.sendall(b"STOP\njudged\n")
        assert line(tbox) == b"judged\n"
        firewall.beat()
        relay.kill()
        assert _ended(tbox)
    with pytest.raises(ConnectionRefusedError):
        fresh.connect(CLOUD, LINES)
    time.sleep(3.2)
    tbox, platform = opened(fresh, CLOUD, LINES)
    with tbox, platform:
        platform.sendall(b"STOP, and nobody judges\n")
        assert line(tbox) == b"STOP, and nobody judges\n"
        assert platform.getpeername()[0] == TBOX
        assert unreachable(fresh, STRANGER, LINES, 0.2)
        relay = fresh.relay()
        try:
            firewall.beat()
            # What nobody judges does not go on beside those that are judged again.
            platform.sendall(b"STOP\n")
            tbox.sendall(b"x\n")
            assert _ended(tbox)
            firewall.beat()
            other = opened(fresh, CLOUD, LINES)
            with other[0], other[1]:
                other[1].sendall(b"STOP\njudged again\n")
                assert line(other[0]) == b"judged again\n"
        finally:
            relay.kill()


def test_segments_fit_a_narrow_uplink(fresh: World) -> None:
    Firewall(dataclasses.replace(FENCE, relayed=((1, 1),)), fresh.nft).apply()
    subprocess.run(["ip", "-n", fresh.gate, "link", "set", TO_CLOUD, "mtu", "1300"], check=True)
    for address, header in ((CLOUD, 40), (CLOUD6, 60)):
        tbox, platform = opened(fresh, address, ALL)
        with tbox, platform:
            assert platform.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= 1300 - header
            assert platform.getpeername()[0] in {TBOX, TBOX6}


def _ended(sock: socket.socket) -> bool:
    """Whether nothing comes from a connection but its end."""
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def _descriptors(wanted: int) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
