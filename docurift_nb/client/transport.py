"""One bounded HTTP request, and nothing a library would do behind our back.

The requests adapter is used without a ``Session``: no redirect is followed, no cookie kept, no
``.netrc`` read. Proxies and CA bundles are read from the environment once, when the transport is made. A
request to this machine never goes through a proxy.

Library exceptions end here. Ours are raised after the handler is left, so they carry no context: the
frames of the HTTP stack hold the key in bytes, which a traceback that shows locals would print.
"""

import ipaddress
import os
import time
from typing import NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, ReadTimeoutError

from docurift_nb.errors import AnswerTimeoutError, DocuriftError, NoAnswerError, UnreadableAnswerError

POOL_SIZE = 64
CHUNK = 64 * 1024


class Reply(NamedTuple):
    """What came over the wire."""

    status: int
    headers: "requests.structures.CaseInsensitiveDict[str]"
    body: bytes


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
        Seconds to connect, and seconds for the answer, each single read and all of them together.
    max_bytes : int
        Largest body that is read.
    """

    def __init__(self, base_url: str, timeout: tuple[float, float], max_bytes: int) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._host = urlsplit(base_url).hostname or ""
        self._proxies = {} if is_loopback(self._host) else dict(get_environ_proxies(base_url, no_proxy=None))
        self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=POOL_SIZE, max_retries=0)
        template = requests.Request("GET", base_url, headers={"Accept": "application/json"}).prepare()
        template.headers["User-Agent"] = "docurift-nb"
        # The codecs that the standard library has; with others, bodies could come that cannot be read.
        template.headers["Accept-Encoding"] = "gzip, deflate"
        self._template = template

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
        request = self._template.copy()
        request.url = url
        request.headers.update(auth)
        failure: DocuriftError
        try:
            return self._exchange(request)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            failure = self._failure(error)
        except BaseException as interrupt:
            interrupt.__traceback__ = None
            raise
        raise failure

    def _exchange(self, request: requests.PreparedRequest) -> Reply:
        deadline = time.monotonic() + sum(self._timeout)
        response = self._adapter.send(
            request, stream=True, timeout=self._timeout, verify=self._verify, proxies=self._proxies
        )
        try:
            body = self._read(response, deadline)
        except BaseException:
            # A connection with an unread rest must not go back to the pool.
            response.raw.close()
            raise
        response.raw.release_conn()
        return Reply(response.status_code, response.headers, body)

    def _read(self, response: requests.Response, deadline: float) -> bytes:
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
            if time.monotonic() > deadline:
                raise TimeoutError("the body did not end in time")
        return b"".join(chunks)

    def _failure(self, error: Exception) -> DocuriftError:
        if isinstance(error, DocuriftError):
            return error.with_traceback(None)
        cause = type(error).__name__
        if isinstance(error, requests.exceptions.ContentDecodingError):
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
