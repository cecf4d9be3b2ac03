"""HTTP/1 messages as real clients and servers write them, and what the decoder makes of a conversation."""

import http.client
import socket
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from busgate.decode.http import PREFACE, UNKNOWN, Conversation
from busgate.decode.http_heads import Body, Request
from busgate.model import Direction, Pdu, Span
from support.streams import fed, joined, units

FIRMWARE = bytes(range(256)) * 300
GET = b"GET /fw/7.bin HTTP/1.1\r\nHost: ota.example\r\n\r\n"


class Update(BaseHTTPRequestHandler):
    """A download server, as the standard library has it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        if self.path.endswith("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (FIRMWARE[:1000], FIRMWARE[1000:]):
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.wfile.write(b"0\r\nX-Check: 1\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(FIRMWARE)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(FIRMWARE)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def talked(*requests: tuple[str, str]) -> tuple[bytes, bytes]:
    """What http.client and http.server said to each other on one connection, request by request."""
    ours, theirs = socket.socketpair()
    up, down = bytearray(), bytearray()
    inner, outer = socket.socketpair()

    def carry(source: socket.socket, sink: socket.socket, log: bytearray) -> None:
        while data := source.recv(1 << 16):
            log.extend(data)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        server: Any = HTTPServer.__new__(HTTPServer)
        Update(inner, ("peer", 0), server)
        inner.shutdown(socket.SHUT_WR)

    threads = [
        threading.Thread(target=carry, args=(theirs, outer, up)),
        threading.Thread(target=carry, args=(outer, theirs, down)),
        threading.Thread(target=serve),
    ]
    for thread in threads:
        thread.start()
    client = http.client.HTTPConnection("ota.example")
    client.sock = ours
    for method, target in requests:
        client.request(method, target, headers={"User-Agent": "tbox/1", "Range": "bytes=0-"})
        response = client.getresponse()
        assert response.read() == (b"" if method == "HEAD" else FIRMWARE)
    ours.shutdown(socket.SHUT_WR)
    for thread in threads:
        thread.join()
    for each in (ours, theirs, inner, outer):
        each.close()
    return bytes(up), bytes(down)


def test_downloads_of_the_standard_library_have_their_url_size_and_hash() -> None:
    up, down = talked(("GET", "/fw/7.bin"), ("HEAD", "/fw/7.bin"), ("GET", "/fw/chunked"))
    conversation = Conversation()
    requests = units(fed(conversation.client, up))
    responses = units(fed(conversation.server, down))
    assert [pdu.fields["url"] for pdu in requests] == [
        "http://ota.example/fw/7.bin",
        "http://ota.example/fw/7.bin",
        "http://ota.example/fw/chunked",
    ]
    assert {pdu.fields["user_agent"] for pdu in requests} == {"tbox/1"}
    assert {pdu.fields["range"] for pdu in requests} == {"bytes=0-"}
    assert {pdu.direction for pdu in requests} == {Direction.UP}
    assert [pdu.name for pdu in responses] == ["response", "body", "response", "response", "body"]
    digest = sha256(FIRMWARE).hexdigest()
    whole = {
        "method": "GET",
        "url": "http://ota.example/fw/7.bin",
        "status": 200,
        "content_type": "application/octet-stream",
        "content_length": len(FIRMWARE),
        "received": len(FIRMWARE),
        "sha256": digest,
        "complete": True,
    }
    assert responses[1].fields == whole
    chunked = dict(responses[4].fields)
    assert (chunked["received"], chunked["sha256"], chunked["complete"]) == (len(FIRMWARE), digest, True)
    assert (chunked["url"], "content_length" in chunked) == ("http://ota.example/fw/chunked", False)


def answered(answer: bytes, request: bytes = GET) -> list[Span]:
    conversation = Conversation()
    conversation.client.feed(request)
    return joined(fed(conversation.server, answer))


def body_of(spans: list[Span]) -> Body:
    pdu = next(pdu for pdu in units(spans) if pdu.name == "body")
    assert isinstance(pdu.body, Body)
    return pdu.body


@pytest.mark.parametrize(
    ("status", "request_head"),
    [
        ("204 No Content", GET),
        ("304 Not Modified", GET),
        ("200 OK", b"HEAD /fw HTTP/1.1\r\nHost: a\r\n\r\n"),
    ],
)
def test_some_responses_have_no_body_whatever_they_announce(status: str, request_head: bytes) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n".encode()
    spans = answered(head + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", request_head)
    assert [pdu.name for pdu in units(spans)] == ["response", "response"]


def test_an_interim_response_leaves_its_request_waiting() -> None:
    spans = answered(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert [pdu.fields.get("url") for pdu in units(spans)] == ["http://ota.example/fw/7.bin"] * 3


def test_a_body_without_a_length_ends_with_its_stream_and_a_byte_is_kept_for_its_summary() -> None:
    conversation = Conversation()
    conversation.server.feed(b"HTTP/1.0 200 OK\r\n\r\nhell")
    assert conversation.server.held == 1
    conversation.server.feed(b"o")
    (last,) = conversation.server.close()
    assert last.raw == b"o"
    assert last.pdu is not None
    assert (last.pdu.fields["received"], last.pdu.fields["complete"], last.pdu.flaws) == (5, True, ())


def test_a_download_that_is_cut_off_is_told_incomplete() -> None:
    spans = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    body = body_of(spans)
    assert (body.content_length, body.received, body.complete) == (10, 5, False)
    assert units(spans)[-1].flaws == ("the stream ended within the body",)
    assert body.sha256 == sha256(b"hello").hexdigest()


def test_a_body_cut_off_between_chunks_leaves_its_summary_behind() -> None:
    conversation = Conversation()
    conversation.server.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    assert conversation.server.held == 0
    assert conversation.server.close() == []
    left = conversation.server.unfinished
    assert left is not None
    assert (left.fields["received"], left.fields["complete"]) == (5, False)


def test_chunks_pass_at_once_so_that_a_stream_of_events_is_not_delayed() -> None:
    conversation = Conversation()
    conversation.server.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    spans = conversation.server.feed(b"7\r\nevent\n\n\r\n")
    assert b"".join(span.raw for span in spans) == b"7\r\nevent\n\n\r\n"
    assert {span.reason for span in spans} == {"chunk", "body"}


@pytest.mark.parametrize("size", ["5", "05", "5;name=value", "5 ; x", "5\t"])
def test_chunk_sizes_are_read_in_all_their_forms(size: str) -> None:
    spans = answered(
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n{size}\r\nhello\r\n0\r\n\r\n".encode()
    )
    assert (body_of(spans).received, body_of(spans).complete) == (5, True)


@pytest.mark.parametrize(
    "broken", ["x\r\nhello\r\n0\r\n\r\n", "5\r\nhelloX0\r\n\r\n", "-5\r\n\r\n", "0x5\r\nhello", "\r\n"]
)
def test_broken_chunks_end_the_body_and_the_next_head_is_found(broken: str) -> None:
    after = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    spans = answered(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{broken}{after}".encode())
    assert [pdu.name for pdu in units(spans)] == ["response", "body", "response"]
    assert not body_of(spans).complete
    assert units(spans)[1].flaws == ("the chunks are broken here",)


@pytest.mark.parametrize(
    ("fields", "flaw"),
    [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", "there are both a transfer encoding and a content length"),
        ("Content-Length: 5\r\nContent-Length: 6", "the content length is not one number"),
        ("Content-Length: +5", "the content length is not one number"),
        ("Content-Length: \u0665", "the content length is not one number"),
        ("Transfer-Encoding: chunked, gzip", "the last transfer encoding is not chunked"),
        ("Broken line", "a field line has no colon"),
        ("Name : x", "there is white space around the field name 'Name'"),
    ],
)
def test_what_breaks_a_rule_is_named(fields: str, flaw: str) -> None:
    (pdu, *_) = units(answered(f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n0\r\n\r\n".encode()))
    assert flaw in pdu.flaws


def test_two_equal_lengths_are_one_length() -> None:
    assert body_of(answered(b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok")).complete


def test_a_request_head_is_read_and_what_lets_somebody_in_is_hidden() -> None:
    conversation = Conversation(client=Direction.DOWN)
    raw = (
        b"POST http://x.example/a?b=c HTTP/1.1\r\nhost:x.example\r\nAuthorization: Basic c2VjcmV0\r\nCookie: k=v\r\n"
        b"X-Long: one\r\n two\r\nContent-Length: 3\r\n\r\nabc"
    )
    head, body = units(conversation.client.feed(raw))
    assert isinstance(head.body, Request)
    assert (head.fields["method"], head.fields["target"]) == ("POST", "http://x.example/a?b=c")
    assert (head.fields["url"], head.direction) == ("http://x.example/a?b=c", Direction.DOWN)
    assert "c2VjcmV0" not in str(head)
    assert "k=v" not in str(head)
    assert ["x-long", "one two"] in head.fields["headers"]
    assert (body.fields["received"], body.fields["method"]) == (3, "POST")


def test_pipelined_requests_are_answered_in_their_order() -> None:
    conversation = Conversation()
    conversation.client.feed(b"".join(f"GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for n in range(3)))
    spans = fed(conversation.server, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx" * 3)
    urls = [pdu.fields["url"] for pdu in units(spans) if pdu.name == "body"]
    assert urls == ["http://a/0", "http://a/1", "http://a/2"]


@pytest.mark.parametrize(
    ("request_head", "answer", "reason"),
    [
        (GET, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "upgraded to websocket"),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", "tunnel"),
    ],
)
def test_what_is_no_longer_http_is_opaque_both_ways(request_head: bytes, answer: bytes, reason: str) -> None:
    conversation = Conversation()
    conversation.client.feed(request_head)
    assert conversation.server.feed(answer + b"\x81\x05hello")[-1] == Span(b"\x81\x05hello", None, reason)
    assert conversation.client.feed(b"GET / HTTP/1.1\r\n") == [Span(b"GET / HTTP/1.1\r\n", None, reason)]


def test_http_2_is_named_and_opaque() -> None:
    conversation = Conversation()
    named, rest = conversation.client.feed(PREFACE + b"\0\0\0\4\0\0\0\0\0")
    assert named == Span(PREFACE, Pdu("http", "HTTP/2 preface", None, Direction.UP, {"version": "2.0"}))
    assert rest.reason == "HTTP/2"
    assert conversation.server.feed(b"\0\0\0\4")[0].reason == "HTTP/2"


def test_a_stream_picked_up_within_a_body_is_read_from_the_next_head_on() -> None:
    conversation = Conversation()
    spans = joined(
        fed(
            conversation.server, b"...HTTP/1.x\r\nHTTP/1.1 20" + b"...", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        )
    )
    assert spans[0] == Span(b"...HTTP/1.x\r\nHTTP/1.1 20...", None, UNKNOWN)
    assert units(spans)[0].fields["status"] == 200
    spans = joined(fed(conversation.client, b"tail of a body GET POST /", b"x y" + GET))
    assert spans[0] == Span(b"tail of a body GET POST /x y", None, UNKNOWN)
    assert units(spans)[0].fields["target"] == "/fw/7.bin"


def test_bare_line_feeds_and_empty_lines_between_messages_are_taken() -> None:
    conversation = Conversation()
    spans = conversation.client.feed(b"\r\nGET / HTTP/1.0\nHost: a\n\n")
    assert [span.reason for span in spans[:-1]] == ["empty line"] * 2
    assert units(spans)[0].fields["url"] == "http://a/"


def test_a_head_without_an_end_is_given_up() -> None:
    conversation = Conversation()
    long = b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000
    spans = joined(fed(conversation.client, long))
    assert spans == [Span(long, None, UNKNOWN)]
