"""What really reaches the client of one exchange."""

import http.client
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
from starlette.types import Receive, Scope, Send

from docurift_nb.sandbox.exchange import Exchange
from docurift_nb.sandbox.requestlog import RequestLog
from docurift_nb.sandbox.server import ServerThread
from docurift_nb.sandbox.wire import Answer

ANSWER = Answer(200, b'{"success":true,"data":{"id":"a"}}', final=True)
Play = Callable[[Exchange], Awaitable[object]]


class Stage:
    """A server that plays one exchange in a given way, and the log of what went out."""

    def __init__(self, play: Play) -> None:
        self.log = RequestLog()
        self.done = threading.Event()
        self.server = ServerThread(self._app)
        self._play = play

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._play(Exchange(scope, receive, send, log=self.log, now=0))
        self.done.set()

    def connect(self, timeout: float = 10) -> http.client.HTTPConnection:
        """Send one request and return the connection it went over."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=timeout)
        connection.request("GET", "/")
        return connection


@contextmanager
def stage(play: Play) -> Iterator[Stage]:
    """Open a server that plays one exchange in a given way."""
    opened = Stage(play)
    opened.server.open()
    try:
        yield opened
    finally:
        opened.server.close()


def read(connection: http.client.HTTPConnection) -> bytes:
    """Read one answer to its end and close the connection."""
    try:
        return connection.getresponse().read()
    finally:
        connection.close()


def test_a_reply_arrives_whole_and_counts() -> None:
    """A whole answer arrives, is dated by the sandbox's clock, and counts as delivered."""
    with stage(lambda exchange: exchange.reply(ANSWER, final_of="a", shift_s=86400)) as played:
        connection = played.connect()
        response = connection.getresponse()
        assert response.headers["Date"] == "Fri, 02 Jan 1970 00:00:00 GMT"
        assert response.read() == ANSWER.body
        connection.close()
        assert played.log.snapshot().delivered == {"a"}
        assert played.log.snapshot().by_status == {200: 1}


@pytest.mark.parametrize("body", [ANSWER.body, b"x", b"xy", b""])
def test_a_dripped_body_arrives_whole(body: bytes) -> None:
    """A slow body is complete in the end, and counts."""
    answer = ANSWER._replace(body=body)
    with stage(lambda exchange: exchange.drip(answer, seconds=0.01, final_of="a")) as played:
        assert read(played.connect()) == body
        assert played.log.snapshot().delivered == {"a"}


def test_a_client_that_leaves_during_a_drip_has_nothing() -> None:
    """A body that is given up half-way is not delivered."""
    with stage(lambda exchange: exchange.drip(ANSWER, seconds=1e6, final_of="a")) as played:
        connection = played.connect()
        response = connection.getresponse()
        assert response.read(1) == b"{"
        response.close()
        connection.close()
        assert played.done.wait(10)
        assert played.log.snapshot().delivered == frozenset()


def test_a_reply_to_nobody_is_not_delivered() -> None:
    """An answer that is ready only after its client has left does not count."""

    async def late(exchange: Exchange) -> None:
        await exchange.gone()
        await exchange.reply(ANSWER, final_of="a")

    with stage(late) as played:
        played.connect().close()
        assert played.done.wait(10)
        assert played.log.snapshot().delivered == frozenset()


def test_a_cut_body_is_shorter_than_announced() -> None:
    """A truncated answer breaks the promise of its Content-Length."""
    with stage(lambda exchange: exchange.cut(ANSWER)) as played:
        with pytest.raises(http.client.IncompleteRead) as caught:
            read(played.connect())
        assert caught.value.partial == ANSWER.body[: len(ANSWER.body) // 2]
        assert played.log.snapshot().delivered == frozenset()


def test_a_stream_is_chunked() -> None:
    """Pieces arrive in order without an announced length."""
    with stage(lambda exchange: exchange.stream(ANSWER, iter((b"ab", b"cd")))) as played:
        connection = played.connect()
        response = connection.getresponse()
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert response.read() == b"abcd"
        connection.close()


def test_a_stream_stops_when_its_reader_leaves() -> None:
    """An endless stream ends with its client."""
    with stage(lambda exchange: exchange.stream(ANSWER, iter(lambda: b"x" * 65536, b""))) as played:
        connection = played.connect()
        response = connection.getresponse()
        response.read(10)
        response.close()
        connection.close()
        assert played.done.wait(10)


def test_a_reset_is_no_clean_close() -> None:
    """The client's read fails with a reset instead of an end of file."""
    with stage(lambda exchange: exchange.reset()) as played:
        with socket.create_connection(("127.0.0.1", played.server.port), timeout=10) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                raw.recv(1)
        assert played.log.snapshot().by_status == {0: 1}


def test_a_hang_ends_with_the_client() -> None:
    """Nothing is answered, and the exchange is over once the client has left."""
    with stage(lambda exchange: exchange.hang()) as played:
        with pytest.raises(TimeoutError):
            read(played.connect(timeout=0.05))
        assert played.done.wait(10)
        assert played.log.snapshot().by_status == {0: 1}


def test_a_hang_ends_with_the_server() -> None:
    """Closing the server breaks off a request that hangs."""
    with stage(lambda exchange: exchange.hang()) as played:
        connection = played.connect()
        played.server.close()
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            connection.getresponse()
        connection.close()
        assert played.log.snapshot().delivered == frozenset()
