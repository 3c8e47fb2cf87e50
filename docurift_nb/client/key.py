"""The API key, held so that nothing prints it.

The header value is a ``str`` whose ``repr`` is masked: a traceback that shows local variables prints the
header dictionaries of requests and urllib3 with ``repr``. What even that cannot mask, the bytes on their
way to the socket, the transport keeps out of tracebacks altogether.
"""

import hashlib
import os
import re
from typing import NoReturn

from docurift_nb.errors import ConfigError

ENV_KEY = "DOCURIFT_API_KEY"
MASK = "<API key>"
_LONGEST_KEY = 4096
_SHOWN_BY_DOCURIFT = 12
# A shorter key would be cut out of words of a document that only look like it.
_SHORTEST_SCRUBBED = 16
_ESCAPE = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")


class Masked(str):
    """A string that every formatter but ``str`` itself shows as a mask."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK


class ApiKey:
    """One key; neither printed nor pickled."""

    __slots__ = ("_bytes", "_head", "_secret")

    def __init__(self, secret: str) -> None:
        self._secret = Masked(secret)
        self._bytes = self._secret.encode("ascii")
        self._head = self._bytes[:_SHOWN_BY_DOCURIFT]

    @classmethod
    def of(cls, given: "str | ApiKey | None") -> "ApiKey":
        """Return the given key, or the one in ``DOCURIFT_API_KEY``.

        Raises
        ------
        ConfigError
            When there is none, or it cannot stand in a header. The message does not show it.
        """
        key, given = cls.read(given), None
        if isinstance(key, ConfigError):
            raise key
        return key

    @classmethod
    def read(cls, given: object) -> "ApiKey | ConfigError":
        """Return as `of` does, the error included: raised from here, its traceback would show ``given``."""
        if isinstance(given, ApiKey):
            return given
        source = "api_key" if given is not None else ENV_KEY
        given = os.environ.get(ENV_KEY, "") if given is None else given
        if not isinstance(given, str):
            return ConfigError(
                what="this is no API key", expected=f"text in {source}", got=type(given).__name__
            )
        secret = given.strip()
        if not secret:
            return ConfigError(
                what="there is no API key",
                expected=f"one in {source}",
                got="nothing",
                advice=f"set {ENV_KEY}, or pass api_key=; without an account use docurift_nb.Sandbox",
            )
        if len(secret) > _LONGEST_KEY or not all("!" <= c <= "~" for c in secret):
            return ConfigError(
                what=f"the API key in {source} cannot be sent",
                expected=f"up to {_LONGEST_KEY:,} visible ASCII characters without blanks",
                got=f"{len(secret):,} characters, or others among them",
                advice="copy the key again; keys start with frc_",
            )
        return cls(secret)

    def headers(self, auth: str) -> dict[str, str]:
        """Return the header that carries the key: ``X-API-Key``, or ``Authorization`` for ``bearer``."""
        if auth == "bearer":
            return {"Authorization": Masked("Bearer " + self._secret)}
        return {"X-API-Key": self._secret}

    def scrub(self, text: bytes) -> bytes:
        """Cut the key, or a beginning of it, out of an answer that repeats it; JSON stays JSON."""
        if len(self._bytes) < _SHORTEST_SCRUBBED or not self._is_in(text):
            return text
        mask = MASK.encode("ascii")
        return _traces(self._head).sub(mask, text.replace(self._bytes, mask))

    def _is_in(self, text: bytes) -> bool:
        # Escapes such as \u002b or \/ can hide the key from a plain comparison.
        return self._head in text or (b"\\" in text and self._head in _unescaped(text))

    def digest(self, host: str) -> str:
        """Return a word for this key at ``host`` from which the key cannot be had."""
        # Hashed before it becomes the key of the hash, which takes 64 bytes: long tokens start alike.
        return hashlib.blake2b(
            host.encode(), key=hashlib.sha256(self._bytes).digest(), digest_size=16
        ).hexdigest()

    def __repr__(self) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is not pickled; the other side reads it from " + ENV_KEY)


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), text.replace(rb"\/", b"/"))


def _traces(head: bytes) -> re.Pattern[bytes]:
    r"""Match ``head``, plain or with characters written as ``\u00xx``, and what follows of the word."""
    letters = (
        rb"(?:%s|(?i:\\u00%02x))" % (re.escape(bytes([code])).replace(b"/", rb"\\?/"), code) for code in head
    )
    return re.compile(b"".join(letters) + rb"(?:[\w.~+/=-]|\\u00[2-7][0-9A-Fa-f]|\\/)*")
