"""The HTTP server on its own thread: a socket, an event loop and an orderly end.

It serves any ASGI application and knows nothing of jobs.
"""

import asyncio
import contextlib
import logging
import socket
import threading
from concurrent.futures import Future

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Without a handler of its own, logging's last resort would print from the server's thread.
logging.getLogger("uvicorn").addHandler(logging.NullHandler())


class _Protocol(HttpToolsProtocol):
    """Hands the transport to the application, which breaks connections on purpose."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.access_log = False
        self.scope["extensions"] = {"sandbox": {"transport": self.transport}}


class _Server(uvicorn.Server):
    """Waits for an event instead of a signal, and ends at once instead of gracefully."""

    def __init__(self, config: uvicorn.Config, ready: "Future[_Server]") -> None:
        super().__init__(config)
        self._ready = ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()

    def end(self) -> None:
        """Ask the server to stop; from any thread, any number of times."""
        if self._loop is not None:
            # The loop may be closed already: then there is nothing left to stop.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set_result(self)
        await self._end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # asyncio loses a connection, socket and all, whose acceptance is a task when its server closes.
        while accepting := asyncio.all_tasks() - self.server_state.tasks - {asyncio.current_task()}:
            await asyncio.wait(accepting)
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        # Requests under way learn of the abort and return; none is cancelled in mid-step.
        if self.server_state.tasks:
            await asyncio.wait(set(self.server_state.tasks))
        await asyncio.sleep(0)
        for server in self.servers:
            await server.wait_closed()


class ServerThread:
    """A server that listens from `open` until `close`.

    Parameters
    ----------
    app
        The ASGI application to serve.
    host
        Address to listen on; nothing beyond this machine unless told.
    port
        Port to listen on; 0 takes a free one.
    """

    def __init__(self, app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._app, self._host, self._port = app, host, port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens on; the wanted one before it is open."""
        return self._port

    def open(self) -> None:
        """Bind, start the thread and return once it answers. Idempotent.

        Raises
        ------
        OSError
            If the address cannot be bound.
        """
        if self._thread is not None:
            return
        listener = _listener(self._host, self._port)
        self._port = listener.getsockname()[1]
        ready: Future[_Server] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(listener, ready), name="docurift-sandbox", daemon=True
        )
        self._thread.start()
        try:
            self._server = ready.result()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Abort open requests, free the port and join the thread. Idempotent."""
        thread, self._thread = self._thread, None
        if self._server is not None:
            self._server.end()
        if thread is not None:
            thread.join()

    def _run(self, listener: socket.socket, ready: "Future[_Server]") -> None:
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            proxy_headers=False,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
        )
        try:
            asyncio.run(_Server(config, ready).serve(sockets=[listener]))
        except BaseException as error:  # handed to the thread that waits in open()
            if ready.done():
                raise
            ready.set_exception(error)
        finally:
            listener.close()


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(
            error.errno, f"the sandbox cannot listen on {host} port {port} ({error.strerror}); try port=0"
        ) from error
    return listener
