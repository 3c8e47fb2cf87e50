"""One bounded HTTP request, and nothing a library would do behind our back.

The requests adapter is used without a ``Session``: no redirect is followed, no cookie kept, no
``.netrc`` read. Proxies and CA bundles are read from the environment once, when the transport is made. A
request to this machine never goes through a proxy.

Library exceptions end here. Ours are raised after the handler is left, so they carry no context: the
frames of the HTTP stack hold the key in bytes, which a traceback that shows locals would print.
"""

import functools
import http.client
import io
import ipaddress
import os
import socket
import time
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from docurift_nb.errors import AnswerTimeoutError, DocuriftError, NoAnswerError, UnreadableAnswerError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from urllib3.connectionpool import HTTPConnectionPool

POOL_SIZE = 64
CHUNK = 64 * 1024
_HEADERS = {
    "User-Agent": "docurift-nb",
    "Accept": "application/json",
    # The codecs that the standard library has; with others, bodies could come that cannot be read.
    "Accept-Encoding": "gzip, deflate",
}


class Reply(NamedTuple):
    """What came over the wire; not shown, since it may repeat the key."""

    status: int
    headers: "CaseInsensitiveDict[str]"
    body: bytes

    def __repr__(self) -> str:
        return f"<Reply {self.status}, {len(self.body):,} bytes>"


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` names this machine.

    >>> [is_loopback(h) for h in ("localhost", "127.8.0.1", "::1", "127.0.0.1.example.com")]
    [True, True, True, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Transport:
    """Makes ``GET`` requests to one host. Thread-safe; ``close`` is idempotent.

    Parameters
    ----------
    base_url : str
        Only used to choose proxies.
    timeout : tuple of float
        Seconds to connect, and seconds from then on to the end of the answer.
    max_bytes : int
        Largest body that is read.
    """

    def __init__(self, base_url: str, timeout: tuple[float, float], max_bytes: int) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._host = urlsplit(base_url).hostname or ""
        self._proxies = {} if is_loopback(self._host) else dict(get_environ_proxies(base_url, no_proxy=None))
        self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self._adapter = _Adapter(pool_connections=1, pool_maxsize=POOL_SIZE, max_retries=0)

    def get(self, url: str, auth: dict[str, str]) -> Reply:
        """Ask ``url`` once.

        Raises
        ------
        AnswerTimeoutError
            No answer, or no end of it, in time.
        NoAnswerError
            The connection could not be made or broke.
        UnreadableAnswerError
            The body is larger than allowed or its encoding is broken.
        """
        request = requests.PreparedRequest()
        request.method, request.url = "GET", url
        request.headers = CaseInsensitiveDict({**_HEADERS, **auth})
        failure: DocuriftError
        try:
            return self._exchange(request)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            failure = self._failure(error)
        except BaseException as interrupt:
            interrupt.__traceback__ = interrupt.__context__ = interrupt.__cause__ = None
            raise
        raise failure

    def _exchange(self, request: requests.PreparedRequest) -> Reply:
        response = self._adapter.send(
            request, stream=True, timeout=self._timeout, verify=self._verify, proxies=self._proxies
        )
        try:
            body = self._read(response)
        except BaseException:
            # A connection with an unread rest must not go back to the pool.
            response.raw.close()
            raise
        response.raw.release_conn()
        return Reply(response.status_code, response.headers, body)

    def _read(self, response: requests.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > self._max_bytes:
                raise UnreadableAnswerError(
                    status=response.status_code,
                    expected=f"at most {self._max_bytes:,} bytes",
                    got=f"more, from {self._host}",
                )
        return b"".join(chunks)

    def _failure(self, error: Exception) -> DocuriftError:
        if isinstance(error, DocuriftError):
            return error.with_traceback(None)
        cause = type(_root(error)).__name__
        if isinstance(error, DecodeError):
            return UnreadableAnswerError(expected="a body in its stated encoding", got=cause)
        timed_out = isinstance(error, (requests.Timeout, ReadTimeoutError, TimeoutError))
        kind = AnswerTimeoutError if timed_out else NoAnswerError
        return kind(host=self._host, cause=cause, got=f"{cause} from {self._host}", expected=self._expected())

    def _expected(self) -> str:
        connect, read = self._timeout
        return f"a connection within {connect:g} s and an answer within {read:g} s"

    def close(self) -> None:
        """Close all connections."""
        self._adapter.close()


def _root(error: BaseException) -> BaseException:
    """Return what began it all: the name of the outermost wrapper tells nobody anything."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


class _Adapter(HTTPAdapter):
    """The adapter of requests, with connections on which a whole answer has one deadline."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> "HTTPConnectionPool":  # noqa: ANN401  # passed on
        pool = cast("HTTPConnectionPool", super().get_connection_with_tls_context(*args, **kwargs))
        pool.ConnectionCls = _bounded(pool.ConnectionCls)
        return pool


@functools.cache
def _bounded(kind: type[Any]) -> type[Any]:
    if getattr(kind, "response_class", None) is _BoundedResponse:
        return kind
    return type(kind.__name__, (kind,), {"response_class": _BoundedResponse})


class _BoundedResponse(http.client.HTTPResponse):
    """Reads headers and body before one deadline: the timeout of a socket starts anew with each byte."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # passed on
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock))

    def begin(self) -> None:
        super().begin()
        if self.msg.defects or self.msg.get_payload():
            # urllib3 would log what it could not parse, which may repeat the key.
            sound = http.client.HTTPMessage()
            for name, value in self.msg.items():
                sound[name] = value
            self.headers = self.msg = sound


class _BoundedReader(io.RawIOBase):
    def __init__(self, source: io.RawIOBase, connection: socket.socket) -> None:
        self._source, self._connection = source, connection
        self._deadline = time.monotonic() + (connection.gettimeout() or float("inf"))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        self._connection.settimeout(left)
        return self._source.readinto(buffer)

    def close(self) -> None:
        self._source.close()
        super().close()
