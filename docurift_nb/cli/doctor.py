"""``docurift-nb doctor``: whether this machine, this key and this address are fit for use.

It shows versions and verdicts, never the key. At most one request is made.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from rich.text import Text

import docurift_nb as dn
from docurift_nb.archive import Archive
from docurift_nb.cli.exits import Exit
from docurift_nb.cli.screen import Screen
from docurift_nb.client.key import ENV_KEY, ApiKey
from docurift_nb.errors import (
    AuthError,
    ConfigError,
    CreditsError,
    DocuriftError,
    ForbiddenError,
    JobNotFoundError,
    RateLimitError,
)

NEEDED = ("requests", "urllib3", "msgspec", "pandas", "pyarrow", "scipy", "matplotlib", "rich", "typer")
EXTRAS = {"sandbox": ("starlette", "uvicorn", "python-multipart"), "dask": ("dask",), "lab": ("jupyterlab",)}
PROBE_ID = "job_000000000000"
# Sent where no key is set: DocuRift's refusal shows that it can be reached.
NO_KEY = "no-key-is-set"
TIMEOUT_S = 10.0
LAB_EXTENSION = Path(
    "share", "jupyter", "labextensions", "@jupyter-widgets", "jupyterlab-manager", "package.json"
)

OK, WARNING, FAILED = "ok", "warning", "failed"
_STYLES = {OK: "green", WARNING: "yellow", FAILED: "bold red"}


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    verdict: str
    found: str


def doctor(screen: Screen, *, offline: bool = False) -> int:
    """Look at everything, print what was found, and return the exit code."""
    checks = [*_python(), *_packages(), *_widgets(), _archive(), _key()]
    if not offline:
        checks.append(_api())
    for check in checks:
        screen.show(
            Text.assemble((f"{check.verdict:<8}", _STYLES[check.verdict]), f"{check.name}: {check.found}")
        )
    failed = [check for check in checks if check.verdict == FAILED]
    code = _code(failed)
    screen.answer({"exit_code": int(code), "error": None, "checks": [check._asdict() for check in checks]})
    return code


def _code(failed: list[Check]) -> Exit:
    if not failed:
        return Exit.OK
    refused = any(check.name == "API key" for check in failed)
    return Exit.DENIED if refused else Exit.INCOMPLETE


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _python() -> Iterator[Check]:
    system = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Check("python", OK if sys.version_info >= (3, 11) else FAILED, system)
    yield Check("docurift-nb", OK, dn.__version__)


def _packages() -> Iterator[Check]:
    for package in NEEDED:
        version = _version(package)
        yield Check(package, OK if version else FAILED, version or f"missing; pip install {package}")
    for extra, packages in EXTRAS.items():
        versions = {package: _version(package) for package in packages}
        missing = [package for package, version in versions.items() if version is None]
        found = ", ".join(f"{package} {version}" for package, version in versions.items())
        advice = f'not installed ({", ".join(missing)}); pip install "docurift-nb[{extra}]"'
        yield Check(f"extra {extra}", WARNING if missing else OK, advice if missing else found)


def _widgets() -> Iterator[Check]:
    for package in ("ipywidgets", "jupyterlab_widgets", "ipykernel"):
        version = _version(package)
        if version is None:
            yield Check(package, WARNING, f"missing: no live display in notebooks; pip install {package}")
        elif package == "ipykernel" and version.startswith("7.0."):
            yield Check(package, WARNING, f"{version} loses widget messages; pip install --upgrade ipykernel")
        else:
            yield Check(package, OK, version)
    place = next((folder for folder in _jupyter_prefixes() if (folder / LAB_EXTENSION).is_file()), None)
    missing = "not found: JupyterLab would show no widget; pip install --force-reinstall jupyterlab_widgets"
    yield Check("widget extension of JupyterLab", OK if place else WARNING, "present" if place else missing)


def _jupyter_prefixes() -> Iterator[Path]:
    yield Path(sys.prefix)
    yield Path(sys.base_prefix)
    yield Path.home() / ".local"
    yield Path("/usr/local")
    yield Path("/usr")


def _archive() -> Check:
    """Make an archive here and take it away again: some network disks hold files but no database."""
    name = "archive in this directory"
    try:
        with (
            tempfile.TemporaryDirectory(prefix=".docurift-doctor-", dir=".") as folder,
            Archive(Path(folder) / "probe.docurift") as archive,
        ):
            archive.watch([PROBE_ID])
    except (OSError, DocuriftError) as error:
        return Check(name, WARNING, f"cannot be written: {error}")
    return Check(name, OK, "can be written")


def _key() -> Check:
    name = f"setting {ENV_KEY}"
    try:
        ApiKey.of(None)
    except ConfigError as error:
        return Check(name, FAILED if os.environ.get(ENV_KEY, "").strip() else WARNING, str(error))
    return Check(name, OK, "set (not shown)")


def _api() -> Check:
    try:
        key = ApiKey.of(None)
    except ConfigError:
        key = None
    try:
        with dn.Client(NO_KEY if key is None else None, timeout=TIMEOUT_S) as client:
            return _probe(client, has_key=key is not None)
    except ConfigError as error:
        return Check("API", FAILED, str(error))


def _probe(client: dn.Client, *, has_key: bool) -> Check:
    where = client.base_url
    try:
        client.job(PROBE_ID)
    except JobNotFoundError:
        pass
    except (AuthError, ForbiddenError, CreditsError) as error:
        if not has_key and isinstance(error, AuthError):
            return Check("API", OK, f"{where} answers (401, as no key is set)")
        return Check("API key", FAILED, f"{where} answers and refuses it: {error.got}")
    except RateLimitError as error:
        return Check("API", WARNING, f"{where} answers, but asks to slow down: {error.got}")
    except DocuriftError as error:
        return Check("API", FAILED, str(error))
    return Check("API", OK, f"{where} answers and accepts the key")
