"""`busgate net` between three machines: a T-box that speaks its platform's protocols, the gate, and the cloud."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import http.server
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from busgate.bridge import pcapng
from busgate_sim.cloud.certificate import self_made, serves
from busgate_sim.cloud.jt808 import Edition, Message, decode, encode
from support.net import CLOUD, IP, NAMED, STRANGER, TBOX, TO_CLOUD, TO_TBOX, World, inside, listening, missing
from support.verified import records

WHY_NOT = missing()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")

BUSGATE = [sys.executable, "-c", "from busgate.cli import main; main()"]
PHONE = "013800138000"
PLATFORM, UPDATES, WEB, OPEN_DNS = 6808, 8080, 8443, 53

POLICY = f"""\
policy: net-test
version: 1
mode: enforce
allow:
  - id: reset
    why: the operator lets the platform restart the T-box
    cloud: {{protocol: jt808, codes: 0x8105, fields: {{command_word: {{is: 4}}}}}}
  - id: upgrade
    why: updates wait for the fleet manager
    cloud: {{protocol: jt808, codes: 0x8108}}
    hold: true
network:
  endpoints:
    - {{id: platform, addresses: [{CLOUD}], ports: {PLATFORM}, speaks: jt808}}
    - {{id: updates, addresses: [{CLOUD}], ports: {UPDATES}, speaks: http}}
    - {{id: secure, addresses: [{CLOUD}], hosts: [tls.example], ports: {WEB}, speaks: tls}}
    - {{id: by-name, hosts: [named.example], ports: {PLATFORM}, speaks: jt808}}
  resolvers: [{CLOUD}]
  hold: {{downloads: 100 kB}}
  answer: refuse
"""


def busgate(*words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*BUSGATE, *map(str, words)], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


class Net:
    """The gate at work in its machine."""

    def __init__(self, world: World, desk: Path, *more: object) -> None:
        self.world, self.desk = world, desk
        words = [
            "net", "--interface", TO_TBOX, "--uplink", TO_CLOUD, "--address", f"{TBOX}/32",
            "--profile", "generic-j1939", "--policy", desk / "policy.yaml.signed",
            "--operator", desk / "operator.key.vkey", "--key", desk / "bus-0421.key",
            "--log", desk / "log", "--hold", desk / "held", *more,
        ]  # fmt: skip
        inside_gate = [str(IP), "netns", "exec", world.gate]
        self.process = subprocess.Popen(
            [*inside_gate, *BUSGATE, *map(str, words)], stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL
        )
        self.said: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.until("the relay judges the rest")

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)

    def until(self, text: str) -> None:
        for _ in range(600):
            if any(text in line for line in self.said):
                return
            assert self.process.poll() is None, "".join(self.said)
            time.sleep(0.05)
        raise AssertionError(f"it never said {text!r}: {self.said}")

    def stop(self) -> list[dict[str, object]]:
        """Its log, once it has ended as asked."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(30) == 0, "".join(self.said)
        return records(self.desk / "log", self.desk / "bus-0421.key.vkey")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made_world = World("n")
    try:
        made_world.build()
        yield made_world
    finally:
        made_world.remove()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("operator", "bus-0421"):
        busgate("keys", "new", name, "--out", folder / f"{name}.key")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    busgate("policy", "sign", folder / "policy.yaml", "--key", folder / "operator.key")
    return folder


@pytest.fixture
def desk(keys: Path, tmp_path: Path) -> Path:
    shutil.copytree(keys, tmp_path, dirs_exist_ok=True)
    (tmp_path / "held").mkdir()
    return tmp_path


@pytest.fixture
def net(world: World, desk: Path) -> Iterator[Net]:
    running = Net(world, desk)
    yield running
    while Session.open:
        Session.open.pop().close()
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait(10)
    subprocess.run([*world.nft, "delete", "table", "inet", "busgate"], capture_output=True, check=False)


def down(number: int, body: bytes, serial: int = 1) -> bytes:
    return encode(Message(number, PHONE, serial, body, Edition.Y2013))


class Session:
    """One connection between the T-box and its platform, both ends in our hands."""

    open: ClassVar[list[Session]] = []

    def __init__(self, world: World, port: int = PLATFORM, address: str = CLOUD) -> None:
        self.open.append(self)
        self.listener = listening(world.cloud, address, port)
        self.tbox = world.connect(address, port)
        self.cloud, _ = self.listener.accept()
        self.cloud.settimeout(5)

    def up(self, data: bytes) -> bytes:
        self.tbox.sendall(data)
        return _exactly(self.cloud, len(data))

    def close(self) -> None:
        for each in (self.tbox, self.cloud, self.listener):
            each.close()


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        assert piece, f"the connection ended after {len(data)} of {size} bytes"
        data += piece
    return data


def _silent(sock: socket.socket, seconds: float = 0.4) -> bool:
    sock.settimeout(seconds)
    try:
        return sock.recv(1) == b"" and False
    except TimeoutError:
        return True
    finally:
        sock.settimeout(5)


def of_rule(entries: list[dict[str, object]], rule: str) -> list[dict[str, object]]:
    return [entry for entry in entries if entry["type"] == "alert" and entry["rule"] == rule]


HEARTBEAT = encode(Message(0x0002, PHONE, 9, b"", Edition.Y2013))
CUT = down(0x8105, b"\x64")
RESET = down(0x8105, b"\x04")
ACK = down(0x8001, b"\x00\x09\x00\x02\x00")


def test_a_drive_cut_never_arrives_the_session_lives_and_the_cloud_is_refused(world: World, net: Net) -> None:
    session = Session(world)
    assert session.up(HEARTBEAT) == HEARTBEAT
    session.cloud.sendall(ACK + CUT + RESET)
    assert _exactly(session.tbox, len(ACK + RESET)) == ACK + RESET
    answer = decode(session.cloud.recv(100))
    assert isinstance(answer, Message)
    assert (answer.number, answer.body, answer.flaws) == (0x0001, b"\x00\x01\x81\x05\x03", ())
    for piece in (CUT[:7], CUT[7:], ACK):  # cut anywhere, it is the same message
        session.cloud.sendall(piece)
        time.sleep(0.02)
    assert _exactly(session.tbox, len(ACK)) == ACK
    assert isinstance(decode(session.cloud.recv(100)), Message)  # the second refusal
    assert session.up(HEARTBEAT) == HEARTBEAT
    session.close()
    alerts = of_rule(net.stop(), "cloud.command")
    assert [(alert["name"], alert["subsystem"], alert["action"]) for alert in alerts] == [
        ("terminal control: cut drive", "drive", "block")
    ]


def test_what_was_cut_out_is_in_the_evidence_as_the_cloud_sent_it(world: World, desk: Path) -> None:
    (desk / "net.yaml").write_text(f"network: {{tbox: {TO_TBOX}, evidence: {{folder: evidence}}}}\n", encoding="utf-8")
    net = Net(world, desk, "--config", desk / "net.yaml")
    try:
        session = Session(world)
        session.up(HEARTBEAT)
        session.cloud.sendall(CUT + ACK)
        assert _exactly(session.tbox, len(ACK)) == ACK
        session.close()
        time.sleep(0.3)
        net.stop()
    finally:
        net.process.kill()
        net.process.wait(10)
        subprocess.run([*world.nft, "delete", "table", "inet", "busgate"], capture_output=True, check=False)
    (file,) = (desk / "evidence").glob("*.pcapng")
    data = file.read_bytes()
    names, holding = list[str](), dict[bytes, set[str]]()
    for block in pcapng.blocks(data):
        raw = data[block.start : block.end]
        if block.kind == pcapng.INTERFACE:
            names.append(TO_TBOX if TO_TBOX.encode() in raw else TO_CLOUD if TO_CLOUD.encode() in raw else "")
        elif block.kind == pcapng.PACKET:
            number, _ = pcapng.packet_time(data, block.start)
            for said in (CUT, ACK):
                holding.setdefault(said, set()).update({names[number]} if said in raw else ())
    assert holding == {CUT: {TO_CLOUD}, ACK: {TO_TBOX, TO_CLOUD}}


def test_whoever_is_not_listed_is_not_reached_and_told(world: World, net: Net) -> None:
    with contextlib.closing(listening(world.cloud, STRANGER, PLATFORM)) as stranger:
        with pytest.raises((TimeoutError, OSError)):
            world.connect(STRANGER, PLATFORM, timeout=0.7)
        stranger.settimeout(0.2)
        with pytest.raises(TimeoutError):
            stranger.accept()
    alerts = of_rule(net.stop(), "net.endpoint")
    assert [alert["cloud"]["address"] for alert in alerts] == [STRANGER]  # type: ignore[index]  # JSON


def test_something_else_than_the_policy_names_is_not_spoken(world: World, net: Net) -> None:
    session = Session(world)
    session.tbox.sendall(b"SSH-2.0-dropbear_2019.78\r\n")
    with contextlib.suppress(ConnectionError):
        assert session.cloud.recv(10) == b""
    session.close()
    entries = net.stop()
    assert of_rule(entries, "net.shell")
    assert of_rule(entries, "net.protocol")


def test_an_upgrade_waits_until_the_operator_releases_it(world: World, net: Net) -> None:
    session = Session(world)
    session.up(HEARTBEAT)
    package = down(0x8108, b"\x00" + b"MAKER" + b"\x03" + b"1.2" + (64).to_bytes(4) + bytes(64), 7)
    session.cloud.sendall(package + ACK)
    assert _exactly(session.tbox, len(ACK)) == ACK
    assert _silent(session.tbox)
    listed = busgate("held", "list", "--folder", net.desk / "held").stdout.split()
    assert "waits" in listed
    busgate("held", "release", listed[0], "--folder", net.desk / "held", "--reason", "approved in a test")
    assert _exactly(session.tbox, len(package)) == package
    session.cloud.sendall(ACK)
    assert _exactly(session.tbox, len(ACK)) == ACK
    session.close()
    kinds = [entry["type"] for entry in net.stop()]
    assert kinds.count("held.held") == kinds.count("held.released") == 1


class _Files(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = _body(int(self.path.rsplit("/", 1)[1]))
        if self.path.startswith("/state/"):
            self._in_chunks(body)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        self.wfile.write(body)

    def _in_chunks(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        for at in range(0, len(body), 1000):
            piece = body[at : at + 1000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        return


def _body(size: int) -> bytes:
    return (hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1))[:size]


@pytest.fixture
def files(world: World) -> Iterator[None]:
    with inside(world.cloud):
        server = http.server.ThreadingHTTPServer((CLOUD, UPDATES), _Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("files")
def test_an_answer_in_chunks_arrives_as_it_was_sent(world: World, net: Net) -> None:
    connection = http.client.HTTPConnection(CLOUD, UPDATES)
    connection.sock = world.connect(CLOUD, UPDATES)
    for size in (0, 1, 4500):  # over one connection: it lives on
        connection.request("GET", f"/state/{size}")
        assert connection.getresponse().read() == _body(size)
    connection.close()
    alerts = [(entry["rule"], entry["severity"]) for entry in net.stop() if entry["type"] == "alert"]
    assert alerts == [("net.new-network", "info")]  # its first talk with whom it may talk with, and nothing else


def _get(sock: socket.socket, size: int) -> None:
    sock.sendall(f"GET /firmware/{size} HTTP/1.1\r\nHost: updates.example\r\n\r\n".encode())


@pytest.mark.usefixtures("files")
def test_software_that_no_rule_allows_does_not_arrive_whatever_its_size(world: World, net: Net) -> None:
    for size in (1000, 300_000):
        sock = world.connect(CLOUD, UPDATES)
        _get(sock, size)
        with contextlib.suppress(ConnectionError):
            assert sock.recv(10) == b""
        sock.close()
    assert {alert["action"] for alert in of_rule(net.stop(), "cloud.update")} == {"block"}


@pytest.mark.usefixtures("files")
def test_a_download_that_is_allowed_but_large_is_released_whole(world: World, desk: Path) -> None:
    rule = '  - id: software\n    cloud: {protocol: http, asks: "download of software"}\nnetwork:'
    (desk / "policy.yaml").write_text(POLICY.replace("network:", rule, 1), encoding="utf-8")
    (desk / "policy.yaml.signed").unlink()
    busgate("policy", "sign", desk / "policy.yaml", "--key", desk / "operator.key")
    net = Net(world, desk)
    try:
        sock = world.connect(CLOUD, UPDATES)
        _get(sock, 1000)
        head, _, body = _response(sock, 1000)
        assert body == _body(1000), head
        size = 300_000
        _get(sock, size)
        assert _silent(sock, 1.0)
        listed = busgate("held", "list", "--folder", desk / "held").stdout.split()
        busgate("held", "release", listed[0], "--folder", desk / "held", "--reason", "approved in a test")
        assert _response(sock, size)[2] == _body(size)
        sock.close()
        entries = net.stop()
        assert [entry["type"] for entry in entries].count("held.released") == 1
        updates = [entry for entry in entries if entry["type"] == "update.end"]
        assert [(update["bytes"], update["approval"]) for update in updates] == [
            (1000, "none"),
            (size, "released by root (uid 0)"),
        ]
    finally:
        net.process.kill()
        net.process.wait(10)
        subprocess.run([*world.nft, "delete", "table", "inet", "busgate"], capture_output=True, check=False)


def _response(sock: socket.socket, size: int) -> tuple[bytes, bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, end, body = data.partition(b"\r\n\r\n")
    while len(body) < size:
        piece = sock.recv(65536)
        assert piece
        body += piece
    return head, end, body


def test_tls_passes_byte_for_byte_to_the_name_that_is_listed_and_to_no_other(world: World, net: Net) -> None:
    server = serves(self_made("tls.example"))
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    sent = hashlib.sha256(b"tls").digest() * 40_000
    for name, arrives in (("tls.example", True), ("other.example", False)):
        listener = listening(world.cloud, CLOUD, WEB)
        echoed: list[bytes] = []

        def serve(listener: socket.socket = listener, echoed: list[bytes] = echoed) -> None:
            with contextlib.suppress(OSError):
                raw, _ = listener.accept()
                with server.wrap_socket(raw, server_side=True) as secure:
                    data = b""
                    while len(data) < len(sent) and (piece := secure.recv(65536)):
                        data += piece
                    echoed.append(data)
                    secure.sendall(data)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        plain = world.connect(CLOUD, WEB)
        with contextlib.suppress(OSError), client.wrap_socket(plain, server_hostname=name) as secure:
            secure.settimeout(10)
            secure.sendall(sent)
            back = b""
            while len(back) < len(sent) and (piece := secure.recv(65536)):
                back += piece
            assert arrives
            assert back == sent
        thread.join(10)
        assert (echoed == [sent]) is arrives
        listener.close()
    assert of_rule(net.stop(), "net.identity")


def test_a_name_is_reached_once_dns_has_said_where_it_is(world: World, net: Net) -> None:
    listener = listening(world.cloud, NAMED, PLATFORM)
    with pytest.raises((TimeoutError, OSError)):
        world.connect(NAMED, PLATFORM, timeout=0.7)
    with inside(world.cloud):
        resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    resolver.bind((CLOUD, OPEN_DNS))
    resolver.settimeout(5)
    with inside(world.tbox):
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.settimeout(5)
    question = bytes.fromhex("000101000001000000000000056e616d6564076578616d706c650000010001")
    asking.sendto(question, (CLOUD, OPEN_DNS))
    asked, back = resolver.recvfrom(512)
    assert asked == question
    answer = b"\x00\x01\x81\x80\x00\x01\x00\x01" + question[8:]
    resolver.sendto(answer + b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton(NAMED), back)
    assert asking.recv(512)
    for _ in range(20):
        try:
            tbox = world.connect(NAMED, PLATFORM, timeout=1)
            break
        except OSError:
            time.sleep(0.2)
    cloud, _ = listener.accept()
    tbox.sendall(HEARTBEAT)
    cloud.settimeout(5)
    assert _exactly(cloud, len(HEARTBEAT)) == HEARTBEAT
    for each in (resolver, asking, listener, tbox, cloud):
        each.close()
    net.stop()


def test_an_answer_that_the_tbox_makes_itself_opens_nothing_and_is_told(world: World, net: Net) -> None:
    listener = listening(world.cloud, NAMED, PLATFORM)
    question = bytes.fromhex("056e616d6564076578616d706c650000010001")
    answer = bytes.fromhex("000181800001000100000000") + question
    answer += b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton(NAMED)
    unit = struct.pack(">4H", OPEN_DNS, 4444, 8 + len(answer), 0) + answer
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(unit), 0, 0, 64, 17, 0)
    packet = head + socket.inet_aton(CLOUD) + socket.inet_aton(TBOX) + unit
    with inside(world.tbox), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:  # it did ask, and is quicker than the answer
            asking.bind((TBOX, 4444))
            asking.sendto(bytes.fromhex("000101000001000000000000") + question, (CLOUD, OPEN_DNS))
        wire.bind(("eth0", 0x0800))
        wire.send(b"\xff" * 6 + b"\x02\0\0\0\0\x01\x08\0" + packet)
    time.sleep(2.5)
    with pytest.raises((TimeoutError, OSError)):
        world.connect(NAMED, PLATFORM, timeout=0.7)
    listener.close()
    (alert,) = of_rule(net.stop(), "net.evasion")
    assert "the T-box sent this itself" in str(alert["detail"])


def test_the_operators_hand_closes_what_monitoring_left_open(world: World, desk: Path) -> None:
    net = Net(world, desk, "--mode", "monitor")
    try:
        with inside(world.cloud):
            far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with inside(world.tbox):
            near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        far.bind((STRANGER, 7777))
        far.settimeout(1)
        near.sendto(b"one", (STRANGER, 7777))
        assert far.recv(9) == b"one"
        for turn, arrives in (("on", False), ("off", True)):
            busgate("override", turn, "--log", desk / "log", "--reason", "a test")
            time.sleep(0.5)
            near.sendto(turn.encode(), (STRANGER, 7777))
            if arrives:
                assert far.recv(9) == turn.encode()
            else:
                with pytest.raises(TimeoutError):
                    far.recv(9)
        far.close()
        near.close()
        net.stop()
    finally:
        net.process.kill()
        net.process.wait(10)
        subprocess.run([*world.nft, "delete", "table", "inet", "busgate"], capture_output=True, check=False)


def test_the_operators_hand_stops_orders_and_leaves_telemetry(world: World, net: Net) -> None:
    session = Session(world)
    session.up(HEARTBEAT)
    busgate("override", "on", "--log", net.desk / "log", "--reason", "a test")
    time.sleep(0.3)
    session.cloud.sendall(RESET + ACK)
    assert _exactly(session.tbox, len(ACK)) == ACK
    assert isinstance(decode(session.cloud.recv(100)), Message)
    assert session.up(HEARTBEAT) == HEARTBEAT
    session.close()
    assert "override.on" in [entry["type"] for entry in net.stop()]


def test_a_killed_gate_leaves_the_fence_and_comes_back(world: World, net: Net) -> None:
    session = Session(world)
    session.up(HEARTBEAT)
    net.process.kill()
    net.process.wait(10)
    with contextlib.suppress(OSError):
        assert session.tbox.recv(1) == b""
    session.close()
    with pytest.raises((TimeoutError, ConnectionError)):
        world.connect(CLOUD, PLATFORM, timeout=0.7)
    again = Net(world, net.desk)
    session = Session(world)
    assert session.up(HEARTBEAT) == HEARTBEAT
    session.close()
    again.stop()


@pytest.mark.parametrize(
    "damage",
    [
        "flush ruleset",
        "flush table inet busgate",
        "flush chain inet busgate between",
        "delete chain inet busgate between",
        "add table inet busgate { flags dormant; }",
        "insert rule inet busgate between accept",
    ],
)
def test_a_fence_that_somebody_damages_stands_again_and_the_log_says_so(world: World, net: Net, damage: str) -> None:
    def shown() -> str:
        words = [*world.nft, "-t", "-s", "list", "table", "inet", "busgate"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    before = shown()
    subprocess.run([*world.nft, damage], check=True)
    net.until("was gone, and stands again")
    assert shown() == before
    losses = [entry["counts"] for entry in net.stop() if entry["type"] == "drop"]
    assert {"fence_gone": 1} in losses


def test_a_plug_that_is_pulled_and_put_back_is_listened_to_again(desk: Path) -> None:
    torn, net = World("r"), None
    try:
        torn.build()
        net = Net(torn, desk)
        torn.replug()
        net.until(f"{TO_TBOX} has come back")
        session = Session(torn)
        assert session.up(HEARTBEAT) == HEARTBEAT
        session.cloud.sendall(CUT + ACK)
        assert _exactly(session.tbox, len(ACK)) == ACK
        session.close()
        net.stop()
    finally:
        if net is not None:
            net.process.kill()
            net.process.wait(10)
        torn.remove()


def test_monitoring_forwards_everything_and_says_what_it_would_stop(world: World, desk: Path) -> None:
    net = Net(world, desk, "--mode", "monitor")
    try:
        for address in (CLOUD, STRANGER):
            session = Session(world, address=address)
            session.up(HEARTBEAT)
            session.cloud.sendall(CUT)
            assert _exactly(session.tbox, len(CUT)) == CUT
            session.close()
        entries = net.stop()
        assert {alert["action"] for alert in of_rule(entries, "cloud.command")} == {"would_block"}
        assert of_rule(entries, "net.endpoint")
    finally:
        net.process.kill()
        net.process.wait(10)
        subprocess.run([*world.nft, "delete", "table", "inet", "busgate"], capture_output=True, check=False)
