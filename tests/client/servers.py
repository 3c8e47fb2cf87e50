"""Servers on this machine that do what no well-behaved server does."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Self

PATIENCE_S = 10.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class RawServer:
    """Reads request heads, or a TLS greeting, and lets ``script(connection, server)`` answer as it likes.

    ``requests`` holds every head as it came; ``stopped`` is set when the test is over, for scripts that
    would go on for ever; ``sent`` is for scripts that count.
    """

    def __init__(self, script: "Script") -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.02)
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="docurift-raw-server", daemon=True)]
        self.requests: list[bytes] = []
        self.connections = 0
        self.sent = 0
        self.stopped = threading.Event()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """What a client takes as ``base_url``."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def paths(self) -> list[str]:
        """The request targets, as they came."""
        return [head.split(b" ", 2)[1].decode("ascii") for head in self.requests]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self._listener.close()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(PATIENCE_S)
            self._open.append(connection)
            self.connections += 1
            thread = threading.Thread(
                target=self._serve, args=(connection,), name="docurift-raw", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while head := _read_head(connection):
                self.requests.append(head)
                self._script(connection, self)


Script = Callable[[socket.socket, RawServer], None]


def _read_head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(65536)
        if not piece:
            return head
        head += piece
        if head.startswith(b"\x16"):
            return head
    return head


def message(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """Return a whole answer; header names with ``_`` for ``-``, ``Content-Length`` unless given as ''."""
    fields = {"Content_Length": str(len(body))} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1") + body


def saying(whole: bytes) -> Script:
    """Return a script that sends the same bytes after every request."""
    return lambda connection, _: connection.sendall(whole)


def closing(whole: bytes) -> Script:
    """Return a script that sends the bytes and then closes the connection."""

    def script(connection: socket.socket, _: RawServer) -> None:
        connection.sendall(whole)
        connection.close()

    return script


def resetting(whole: bytes = b"") -> Script:
    """Return a script that sends the bytes and then breaks the connection with RST."""

    def script(connection: socket.socket, _: RawServer) -> None:
        connection.sendall(whole)
        reset(connection)

    return script


def reset(connection: socket.socket) -> None:
    """Break a connection with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    connection.close()


def hanging(_: socket.socket, server: RawServer) -> None:
    """Never answer."""
    server.stopped.wait(PATIENCE_S * 10)


def dripping(start: bytes, drop: bytes) -> Script:
    """Return a script that sends ``start``, and then ``drop`` again and again, faster than any timeout."""

    def script(connection: socket.socket, server: RawServer) -> None:
        connection.sendall(start)
        while not server.stopped.wait(0.01):
            connection.sendall(drop)
            server.sent += len(drop)

    return script


def flooding(start: bytes, piece: bytes, size: int) -> Script:
    """Return a script that sends ``start`` and then ``size`` bytes of ``piece``, counting them."""

    def script(connection: socket.socket, server: RawServer) -> None:
        connection.sendall(start)
        while server.sent < size and not server.stopped.is_set():
            server.sent += connection.send(piece)

    return script
