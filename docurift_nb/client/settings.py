"""What a client is set up with, judged before anything is sent.

Whatever is refused may hold the key, in a password or because two arguments were swapped: nothing is
repeated in an error before it is known to be a plain address.
"""

import math
import os
import re
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from docurift_nb.client.key import Masked
from docurift_nb.client.transport import is_loopback
from docurift_nb.errors import ConfigError, did_you_mean, show

DEFAULT_URL = "https://api.docurift.com/v1"
ENV_URL = "DOCURIFT_API_URL"
AUTHS = ("x-api-key", "bearer")
_Found = TypeVar("_Found")
_URL = re.compile(r"https?://[a-z0-9._~:\[\]-]+(/[a-z0-9._~%!$&'()*+,;=:@/-]*)?", re.IGNORECASE)


class Options(NamedTuple):
    """All that a client needs besides key and address; travels with a pickled one."""

    timeout: float
    max_rate: float | None
    auth: str
    allow_http: bool
    max_bytes: int


def address(given: str | None) -> Masked:
    """Return the given address, the one in ``DOCURIFT_API_URL``, or DocuRift's; unjudged, so masked."""
    return Masked(given or os.environ.get(ENV_URL, "").strip() or DEFAULT_URL)


def demanded(found: _Found | ConfigError) -> _Found:
    """Return what was found; raise it if it is an error, from frames that know no more than the error."""
    if isinstance(found, ConfigError):
        raise found
    return found


def is_above_0(value: float) -> bool:
    """Tell whether ``value`` is a number above 0; NaN, None and text are not."""
    try:
        return value > 0
    except TypeError:
        return False


def checked_options(options: Options) -> Options:
    """Return ``options``.

    Raises
    ------
    ConfigError
        When one of them cannot be used.
    """
    timeout, auth, size = options.timeout, options.auth, options.max_bytes
    if not is_above_0(timeout) or timeout == math.inf:
        raise ConfigError(what="timeout cannot be used", expected="seconds above 0", got=show(timeout))
    if auth not in AUTHS:
        advice = did_you_mean(str(auth), AUTHS).rstrip("?")
        raise ConfigError(
            what="auth cannot be used", expected=" or ".join(AUTHS), got=show(auth), advice=advice
        )
    if not is_above_0(size):
        raise ConfigError(what="max_bytes cannot be used", expected="bytes above 0", got=show(size))
    return options


def checked_address(base_url: str, *, allow_http: bool) -> str | ConfigError:
    """Return the address without slashes at its end, or what is wrong with it, saying nothing secret."""
    what, expected = "base_url cannot be used", "https://host/v1, or http:// to this machine"
    if not base_url.lower().startswith(("https://", "http://")):
        return ConfigError(what=what, expected=expected, got="something that starts otherwise")
    if "@" in base_url:
        return ConfigError(what=what, expected=expected, got="one with a user or password")
    if "?" in base_url or "#" in base_url:
        return ConfigError(what=what, expected=expected, got="one with a query or fragment")
    host = _host(base_url)
    if not host:
        return ConfigError(what=what, expected=expected, got=repr(str(base_url)))
    if base_url[:5].lower() == "http:" and not (allow_http or is_loopback(host)):
        return ConfigError(
            what="base_url would send the API key in clear text",
            expected=expected,
            got=repr(str(base_url)),
            advice="use https; allow_http=True insists",
        )
    return base_url.rstrip("/")


def _host(base_url: str) -> str | None:
    """Return the host of a plain address; None where libraries could read it in different ways."""
    try:
        parts = urlsplit(base_url)
        return parts.hostname if _URL.fullmatch(base_url) and parts.port != 0 else None
    except ValueError:
        return None
