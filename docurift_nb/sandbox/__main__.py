"""``python -m docurift_nb.sandbox``: a sandbox as a process of its own."""

import argparse
from collections.abc import Sequence

from docurift_nb.sandbox.faults import Fault
from docurift_nb.sandbox.foreground import serve
from docurift_nb.sandbox.local import Sandbox


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a sandbox until SIGINT or SIGTERM, as the options say."""
    options = _parser().parse_args(arguments)
    rate_limit = None if options.rate_limit is None else (options.rate_limit, options.rate_window)
    sandbox = Sandbox(
        seed=options.seed,
        speed=options.speed,
        workers=options.workers,
        rate_limit=rate_limit,
        retry_after=options.retry_after,
        api_key=options.api_key,
        host=options.host,
        port=options.port,
    )
    for kind, probability in options.fault:
        sandbox.faults.on(kind, probability=probability)
    serve(
        sandbox,
        submit=options.submit,
        replay=options.replay,
        arrivals=options.arrivals,
        ids_file=options.ids_file,
        as_json=options.json,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m docurift_nb.sandbox", description=__doc__)
    add = parser.add_argument
    add("--submit", type=int, default=0, metavar="N", help="start with N scripted jobs")
    add("--replay", metavar="FILE", help="start with the recorded answers in FILE (NDJSON)")
    add("--arrivals", choices=("at_once", "recorded"), default="at_once", help="of the recorded jobs")
    add("--speed", type=float, default=1.0, help="how many times faster jobs run")
    add("--workers", type=int, help="jobs processed at once; no limit unless given")
    add("--rate-limit", type=float, metavar="N", help="requests per key and window")
    add("--rate-window", type=float, default=1.0, metavar="SECONDS", help="length of that window")
    add("--retry-after", action="store_true", help="send Retry-After with 429")
    add("--fault", type=_fault, action="append", default=[], metavar="KIND=SHARE", help="spoil answers")
    add("--api-key", help="key to accept; generated unless given")
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    add("--seed", type=int, default=0, help="decides ids, outcomes and faults")
    add("--ids-file", metavar="FILE", help="write the job ids to FILE, one a line")
    add("--json", action="store_true", help="print one JSON line with url, api_key and job_ids")
    return parser


def _fault(text: str) -> tuple[Fault, float]:
    kind, _, share = text.partition("=")
    try:
        return Fault(kind), float(share or 1)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    main()
