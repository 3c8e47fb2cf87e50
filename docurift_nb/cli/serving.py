"""``docurift-nb sandbox``: the API on this machine, in the foreground."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import docurift_nb as dn
from docurift_nb.cli.screen import Screen
from docurift_nb.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Service:
    """What to serve, and where."""

    submit: int
    replay: Path | None
    arrivals: Literal["at_once", "recorded"]
    speed: float
    seed: int
    workers: int | None
    rate_limit: float | None
    rate_window: float
    retry_after: bool
    faults: Sequence[str]
    host: str
    port: int
    ids_file: Path | None


def serve_sandbox(screen: Screen, service: Service) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises
    ------
    ConfigError
        When it cannot be served so.
    MissingExtraError
        When the extra ``sandbox`` is not installed.
    """
    if not _is_loopback(service.host):
        screen.say(
            f"warning: listening on {service.host}, where other machines may reach it; nothing in the sandbox"
            " protects against strangers, and its key travels in clear text"
        )
    try:
        _serve(service, as_json=screen.as_json)
    except (OSError, ValueError) as error:
        raise ConfigError(what="the sandbox cannot serve so", got=str(error)) from None


def _serve(service: Service, *, as_json: bool) -> None:
    limit = None if service.rate_limit is None else (service.rate_limit, service.rate_window)
    sandbox = dn.Sandbox(
        seed=service.seed,
        speed=service.speed,
        workers=service.workers,
        rate_limit=limit,
        retry_after=service.retry_after,
        host=service.host,
        port=service.port,
    )
    for fault in service.faults:
        kind, _, probability = fault.partition("=")
        sandbox.faults.on(kind, probability=float(probability or 1))
    from docurift_nb.sandbox import serve  # noqa: PLC0415  # dn.Sandbox has told of a missing extra before

    serve(
        sandbox,
        submit=service.submit,
        replay=service.replay,
        arrivals=service.arrivals,
        ids_file=service.ids_file,
        as_json=as_json,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
