"""One HTTP exchange: sending an answer whole, in pieces, late or not at all.

It speaks ASGI, notes in the request log what really went out, and does not know why.
"""

import asyncio
import socket
import struct
from collections.abc import Iterable

from starlette.types import Receive, Scope, Send

from docurift_nb.sandbox.requestlog import RequestLog
from docurift_nb.sandbox.wire import Answer, raw_headers

_DRIPS = 16
# Linger "on" for zero seconds: closing then sends RST instead of FIN.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Exchange:
    """The way back to the client of one request.

    Parameters
    ----------
    scope, receive, send
        Of the ASGI call; the scope carries the transport (see `server`).
    log
        Where answers are noted.
    now
        Time of the request on the sandbox's clock, for the ``Date`` header.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, log: RequestLog, now: float) -> None:
        self._transport: asyncio.Transport = scope["extensions"]["sandbox"]["transport"]
        self._receive, self._send, self._log, self._now = receive, send, log, now

    async def reply(self, answer: Answer, *, final_of: str | None = None, shift_s: float = 0.0) -> None:
        """Send a whole answer, noting that it delivers the end of `final_of` if it does.

        Parameters
        ----------
        answer
            What to send.
        final_of
            Id of the job whose final answer this is.
        shift_s
            Seconds by which the ``Date`` header is ahead.
        """
        self._note(answer.status, final_of)
        await self._start(answer, raw_headers(answer, now=self._now + shift_s))
        await self._end(answer.body)

    async def drip(self, answer: Answer, *, seconds: float, final_of: str | None) -> None:
        """Send an answer in small pieces over `seconds`; it counts once the last one is out."""
        if len(answer.body) < 2:
            await self.reply(answer, final_of=final_of)
            return
        await self._start(answer, raw_headers(answer, now=self._now))
        step = max(len(answer.body) // _DRIPS, 1)
        last = len(answer.body) - 1
        for begin in range(0, last, step):
            await self._piece(answer.body[begin : min(begin + step, last)])
            if await self.gone(within=seconds * step / len(answer.body)):
                self._log.answered(0)
                return
        self._note(answer.status, final_of)
        await self._end(answer.body[last:])

    async def stream(self, answer: Answer, pieces: Iterable[bytes]) -> None:
        """Send `pieces` chunked, without announcing a length."""
        await self._start(answer, raw_headers(answer, now=self._now, length=False))
        for piece in pieces:
            if self._transport.is_closing():
                break
            await self._piece(piece)
        self._note(answer.status, None)
        await self._end(b"")

    async def cut(self, answer: Answer) -> None:
        """Announce the whole answer, send half of it, and close the connection."""
        await self._start(answer, raw_headers(answer, now=self._now))
        self._note(answer.status, None)
        await self._piece(answer.body[: len(answer.body) // 2])
        self._transport.close()
        await self.gone()

    async def reset(self) -> None:
        """Break the connection with RST, without any answer."""
        self._log.answered(0)
        connection: socket.socket = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()
        await self.gone()

    async def hang(self) -> None:
        """Answer nothing until the client leaves or the server closes."""
        await self.gone()
        self._log.answered(0)

    async def gone(self, *, within: float | None = None) -> bool:
        """Wait until the client has left, `within` seconds at most; say whether it has."""
        try:
            async with asyncio.timeout(within):
                while (await self._receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return False
        return True

    async def _start(self, answer: Answer, headers: list[tuple[bytes, bytes]]) -> None:
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})

    async def _piece(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def _end(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    def _note(self, status: int, final_of: str | None) -> None:
        # Before the last byte leaves, so that a client which has it also finds it in the log.
        self._log.answered(status, final_of=None if self._transport.is_closing() else final_of)
