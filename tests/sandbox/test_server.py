"""The server's thread, its socket and their end."""

import socket
import threading

import pytest
from starlette.types import Receive, Scope, Send

from docurift_nb.sandbox.server import ServerThread


async def hello(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer every request with one word."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello", "more_body": False})


def ask(port: int) -> bytes:
    """Send one request and read to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: raw.recv(4096), b""))


def test_it_answers_as_soon_as_it_is_open() -> None:
    """After open the port is bound and answers, and only on the loopback address."""
    server = ServerThread(hello)
    server.open()
    try:
        assert server.port != 0
        assert ask(server.port).endswith(b"\r\n\r\nhello")
    finally:
        server.close()


def test_no_thread_and_no_port_are_left() -> None:
    """Closing joins the thread and frees the port, though a client keeps its connection."""
    before = set(threading.enumerate())
    server = ServerThread(hello)
    server.open()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as idle:
        server.close()
        assert set(threading.enumerate()) == before
        with pytest.raises(ConnectionRefusedError):
            ask(server.port)
        assert idle.fileno() != -1


def test_opening_and_closing_are_idempotent() -> None:
    """A second open changes nothing, a second close neither, and neither does closing what never opened."""
    server = ServerThread(hello)
    server.close()
    server.open()
    port = server.port
    server.open()
    assert server.port == port
    server.close()
    server.close()


def test_a_taken_port_fails_at_the_call() -> None:
    """An address in use is an error that names it and says what to try."""
    server = ServerThread(hello)
    server.open()
    try:
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {server.port} .* try port=0"):
            ServerThread(hello, port=server.port).open()
    finally:
        server.close()


def test_a_start_that_fails_is_told_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong on the server's thread is raised where it was opened, and nothing is left."""

    async def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("no start today")

    before = set(threading.enumerate())
    monkeypatch.setattr("uvicorn.Server.startup", fail)
    with pytest.raises(RuntimeError, match="no start today"):
        ServerThread(hello).open()
    assert set(threading.enumerate()) == before


def test_a_malformed_request_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Garbage is answered with 400, without a word on the terminal."""
    server = ServerThread(hello)
    server.open()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(b"\x00\x01\x02\r\n\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 400")
    server.close()
    assert capfd.readouterr() == ("", "")


def test_small_answers_do_not_wait_for_acknowledgement() -> None:
    """Accepted connections have Nagle's algorithm off, or each answer would take 40 ms."""
    seen: list[int] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        connection = scope["extensions"]["sandbox"]["transport"].get_extra_info("socket")
        seen.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await hello(scope, receive, send)

    server = ServerThread(look)
    server.open()
    ask(server.port)
    server.close()
    assert seen == [1]
