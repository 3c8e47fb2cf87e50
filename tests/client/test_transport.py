import gzip
import socket
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from docurift_nb.client.transport import Reply, Transport, is_loopback
from docurift_nb.errors import AnswerTimeoutError, NoAnswerError, UnreadableAnswerError
from tests.client.servers import (
    RawServer,
    Script,
    closing,
    dripping,
    flooding,
    hanging,
    message,
    resetting,
    saying,
)

KEY = {"X-API-Key": "frc_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"}
TIMEOUT_S = 0.3
MAX_BYTES = 100_000


def _transport(server: RawServer, *, timeout: float = TIMEOUT_S, max_bytes: int = MAX_BYTES) -> Transport:
    return Transport(server.url, (10.0, timeout), max_bytes)


def _get(script: Script, *, timeout: float = 10.0) -> Reply:
    with RawServer(script) as server:
        transport = _transport(server, timeout=timeout)
        try:
            return transport.get(f"{server.url}/jobs/x", KEY)
        finally:
            transport.close()


@pytest.mark.parametrize(
    ("host", "holds"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104  # compared, not bound
        ("127.0.0.1.example.com", False),
        ("localhost.example.com", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_that_looks_like_it(host: str, *, holds: bool) -> None:
    """Only then may a key travel without TLS."""
    assert is_loopback(host) is holds


def test_the_request_is_exactly_what_is_needed() -> None:
    """Path, host, key, and four plain headers: nothing of the machine, no cookie, no other credentials."""
    with RawServer(saying(message(b"{}"))) as server:
        assert _transport(server).get(f"{server.url}/jobs/a%2Fb", KEY).body == b"{}"
    lines = server.requests[0].decode().split("\r\n")

    assert lines[0] == "GET /v1/jobs/a%2Fb HTTP/1.1"
    assert sorted(line.split(":")[0] for line in lines[1:] if line) == [
        "Accept",
        "Accept-Encoding",
        "Host",
        "User-Agent",
        "X-API-Key",
    ]


def test_a_reply_does_not_show_what_came() -> None:
    """Its text may repeat the key, and a traceback with locals prints it."""
    reply = _get(saying(message(b"secret", X_Echo="secret")))

    assert (reply.status, reply.headers["x-echo"]) == (200, "secret")
    assert repr(reply) == "<Reply 200, 6 bytes>"


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("gzip, gzip", lambda b: gzip.compress(gzip.compress(b))),
    ],
)
def test_compressed_bodies_are_read(encoding: str, encoded: Callable[[bytes], bytes]) -> None:
    """Whole answers come out, in several reads."""
    body = bytes(range(256)) * 300
    assert _get(saying(message(encoded(body), Content_Encoding=encoding))).body == body


@pytest.mark.parametrize("layers", [1, 2])
def test_a_compressed_bomb_is_not_unpacked(layers: int) -> None:
    """A small body that would grow to 100 MB takes no more memory than a large answer."""
    whole = bytes(100_000_000)
    for _ in range(layers):
        whole = gzip.compress(whole, 6)
    bomb = message(whole, Content_Encoding=", ".join(["gzip"] * layers))
    del whole
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableAnswerError, match="100,000 bytes"):
            _get(saying(bomb))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_a_flood_is_not_read_to_its_end() -> None:
    """Of 200 MB of garbage only what the buffers of the system hold is taken off the server."""
    start = message(status="200 OK", Content_Length="", Connection="close")
    with RawServer(flooding(start, b"\x00garbage" * 8192, 200_000_000)) as server:
        tracemalloc.start()
        try:
            with pytest.raises(UnreadableAnswerError, match="at most 100,000 bytes"):
                _transport(server, timeout=10).get(f"{server.url}/jobs/x", KEY)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak < 4_000_000
    assert server.sent < 50_000_000


def test_a_body_of_exactly_the_limit_is_read() -> None:
    """The limit itself is still allowed."""
    assert len(_get(saying(message(bytes(MAX_BYTES)))).body) == MAX_BYTES


@pytest.mark.parametrize("body", [b"plain", gzip.compress(b"")[:10] + b"\xff" * 50])
def test_a_body_that_is_not_in_its_stated_encoding_cannot_be_read(body: bytes) -> None:
    """That is an answer, if a broken one, and not a broken connection."""
    with pytest.raises(UnreadableAnswerError, match="encoding"):
        _get(saying(message(body, Content_Encoding="gzip")))


CHUNKED = message(Content_Length="", Transfer_Encoding="chunked")
NEVER_ENDING = {
    "no answer": hanging,
    "no body": dripping(message(Content_Length="9"), b""),
    "status line": dripping(b"HTTP/1.1 200 O", b"K"),
    "headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X"),
    "interim answers": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": dripping(message(Content_Length="99999999"), b" "),
    "chunks": dripping(CHUNKED, b"1\r\n \r\n"),
    "chunk size": dripping(CHUNKED, b"0"),
    "trailers": dripping(CHUNKED + b"0\r\n", b"X: y\r\n"),
    "empty gzip members": dripping(
        message(Content_Length="", Content_Encoding="gzip", Connection="close"), gzip.compress(b"")
    ),
}


@pytest.mark.parametrize("part", NEVER_ENDING)
def test_an_answer_that_does_not_end_is_given_up(part: str) -> None:
    """However the bytes drip in, all of them together have one deadline."""
    with pytest.raises(AnswerTimeoutError, match=r"an answer within 0\.3 s") as caught:
        _get(NEVER_ENDING[part], timeout=TIMEOUT_S)

    assert caught.value.host == "127.0.0.1"


BROKEN = {
    "reset at once": resetting(),
    "reset in the headers": resetting(b"HTTP/1.1 200 OK\r\nContent-"),
    "reset in the body": resetting(message(b"{", Content_Length="99")),
    "closed at once": closing(b""),
    "closed in the body": closing(message(b"{", Content_Length="99")),
    "closed in the chunks": closing(CHUNKED + b"9\r\n123"),
    "chunk size of letters": closing(CHUNKED + b"zz\r\n123"),
    "garbage for a status line": closing(b"\x00\xff\xfe garbage\r\n\r\n"),
    "SSH": closing(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "endless status line": closing(b"HTTP/1.1 200 " + b"x" * 100_000),
    "too many headers": closing(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000),
    "two lengths": closing(message(b"{}", Content_Length="2, 3")),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_connection_is_no_answer(how: str) -> None:
    """Whatever breaks, it is one error; half an answer is never handed over."""
    with pytest.raises(NoAnswerError) as caught:
        _get(BROKEN[how])

    assert not isinstance(caught.value, AnswerTimeoutError)
    assert caught.value.cause


def test_headers_that_cannot_be_parsed_are_left_out_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    """A sloppy proxy is tolerated, and what it wrote is logged nowhere: it may repeat the key."""
    caplog.set_level("DEBUG")
    reply = _get(closing(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon here\r\nX: y\r\n\r\n{}"))

    assert reply.headers["content-length"] == "2"
    assert "colon" not in caplog.text


def test_a_refused_connection_names_its_cause() -> None:
    """The error says what went wrong underneath, not the name of a wrapper."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NoAnswerError) as caught:
        Transport(f"http://127.0.0.1:{port}/v1", (10, 10), 100).get(f"http://127.0.0.1:{port}/v1/jobs/x", KEY)

    assert caught.value.cause == "ConnectionRefusedError"


def test_a_plain_server_behind_https_learns_nothing() -> None:
    """TLS fails before the key is sent."""
    with RawServer(saying(message(b"{}"))) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(NoAnswerError, match="SSLError"):
            Transport(url, (1.0, 1.0), 100).get(f"{url}/jobs/x", KEY)

    assert b"frc_" not in b"".join(server.requests)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_machine_s_certificates_are_used(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Companies set their own; a file that is not there is an error, not a fallback."""
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
    with pytest.raises(NoAnswerError, match="OSError"):
        Transport("https://127.0.0.1:1/v1", (10, 10), 100).get("https://127.0.0.1:1/v1/jobs/x", KEY)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_handed_over_not_followed(status: int) -> None:
    """The other server never sees a request, let alone the key."""
    with RawServer(saying(message(b"{}"))) as other:
        reply = _get(saying(message(status=f"{status} Moved", Location=f"{other.url}/jobs/x")))

    assert reply.status == status
    assert (other.connections, other.requests) == (0, [])


def test_cookies_are_not_sent_back() -> None:
    """Nothing a server sets comes with the next request."""
    with RawServer(saying(message(b"{}", Set_Cookie="session=1; Path=/"))) as server:
        transport = _transport(server)
        for _ in range(2):
            transport.get(f"{server.url}/jobs/x", KEY)
        transport.close()

    assert len(server.requests) == 2
    assert b"cookie" not in b"".join(server.requests).lower()


def test_the_password_file_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A ``.netrc`` for the host adds no second set of credentials and does not replace the key."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1\nlogin someone\npassword else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(saying(message(b"{}"))) as server:
        _transport(server).get(f"{server.url}/jobs/x", KEY)

    assert b"authorization" not in server.requests[0].lower()


PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY")


def test_this_machine_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says, the sandbox is not asked through the company's proxy."""
    with RawServer(saying(message(b"proxy"))) as proxy, RawServer(saying(message(b"{}"))) as server:
        for name in PROXIES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert _transport(server).get(f"{server.url}/jobs/x", KEY).body == b"{}"

    assert proxy.connections == 0


def test_other_machines_are_asked_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy is used for them, and bounded like every other connection."""
    with RawServer(dripping(message(Content_Length="9999"), b" ")) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        transport = Transport("http://docurift.invalid/v1", (10, TIMEOUT_S), 99_999)
        with pytest.raises(AnswerTimeoutError):
            transport.get("http://docurift.invalid/v1/jobs/x", KEY)
        transport.close()

    assert proxy.paths == ["http://docurift.invalid/v1/jobs/x"]


def test_connections_are_kept_until_closed() -> None:
    """Requests share one connection; closing is idempotent, and a later request opens another."""
    with RawServer(saying(message(b"{}"))) as server:
        transport = _transport(server)
        opened = []
        for close in (False, False, True, False):
            transport.get(f"{server.url}/jobs/x", KEY)
            opened.append(server.connections)
            if close:
                transport.close()
                transport.close()
        transport.close()

    assert opened == [1, 1, 1, 2]


def test_a_connection_with_an_unread_rest_is_not_used_again() -> None:
    """The rest of one answer must never be taken for the next."""
    whole = iter([message(bytes(11), Content_Length="99"), message(b"{}")])
    with RawServer(lambda connection, _: connection.sendall(next(whole))) as server:
        transport = _transport(server, timeout=10, max_bytes=10)
        with pytest.raises(UnreadableAnswerError):
            transport.get(f"{server.url}/jobs/x", KEY)
        assert transport.get(f"{server.url}/jobs/x", KEY).body == b"{}"
        transport.close()

    assert server.connections == 2


def test_the_deadline_starts_anew_with_each_request() -> None:
    """A kept connection does not inherit what little was left of the last answer's time."""
    with RawServer(lambda connection, server: _late(connection, server, message(b"{}"))) as server:
        transport = _transport(server, timeout=2.0)
        for _ in range(4):
            assert transport.get(f"{server.url}/jobs/x", KEY).body == b"{}"
        transport.close()

    assert server.connections == 1


def _late(connection: socket.socket, server: RawServer, whole: bytes) -> None:
    server.stopped.wait(0.7)
    connection.sendall(whole)
