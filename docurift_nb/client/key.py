"""The API key, held so that nothing prints it.

The header value is a ``str`` whose ``repr`` is masked: a traceback that shows local variables prints the
header dictionaries of requests and urllib3 with ``repr``. What even that cannot mask, the bytes on their
way to the socket, the transport keeps out of tracebacks altogether.
"""

import hashlib
import os
from typing import NoReturn

from docurift_nb.errors import ConfigError

ENV_KEY = "DOCURIFT_API_KEY"
MASK = "<API key>"
_LONGEST_KEY = 4096


class Masked(str):
    """A string that every formatter but ``str`` itself shows as a mask."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK


class ApiKey:
    """One key; not printable, not picklable, compared by digest."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = Masked(secret)

    @classmethod
    def of(cls, given: "str | ApiKey | None") -> "ApiKey":
        """Return the given key, or the one in ``DOCURIFT_API_KEY``.

        Raises
        ------
        ConfigError
            When there is none, or it cannot stand in a header. The message does not show it.
        """
        if isinstance(given, ApiKey):
            return given
        source = "api_key" if given is not None else ENV_KEY
        given = Masked(given if given is not None else os.environ.get(ENV_KEY, ""))
        stripped = Masked(given.strip())
        if not stripped:
            raise ConfigError(
                what="there is no API key",
                expected=f"one in {source}",
                got="nothing",
                advice=f"set {ENV_KEY}, or pass api_key=; without an account use docurift_nb.Sandbox",
            )
        if len(stripped) > _LONGEST_KEY or not all("!" <= c <= "~" for c in stripped):
            raise ConfigError(
                what=f"the API key in {source} cannot be sent",
                expected="visible ASCII characters without blanks",
                got=f"{len(stripped)} characters with others among them",
                advice="copy the key again; keys start with frc_",
            )
        return cls(stripped)

    def headers(self, auth: str) -> dict[str, str]:
        """Return the header that carries the key: ``X-API-Key``, or ``Authorization`` for ``bearer``."""
        if auth == "bearer":
            return {"Authorization": Masked("Bearer " + self._secret)}
        return {"X-API-Key": self._secret}

    def scrub(self, body: bytes) -> bytes:
        """Cut the key out of an answer that repeats it."""
        secret = self._secret.encode("ascii")
        return body.replace(secret, MASK.encode("ascii")) if secret in body else body

    def digest(self, host: str) -> str:
        """Return a word for this key at ``host`` from which the key cannot be had."""
        return hashlib.blake2b(
            host.encode(), key=self._secret.encode("ascii")[:64], digest_size=16
        ).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and str(self._secret) == str(other._secret)

    def __hash__(self) -> int:
        return hash(self.digest(""))

    def __repr__(self) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is not pickled; the other side reads it from " + ENV_KEY)
