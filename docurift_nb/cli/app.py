"""The commands and their options, with their help. What they do is in the other modules."""

from pathlib import Path
from typing import Annotated, Literal

import typer

import docurift_nb as dn
from docurift_nb.cli.demo import Plan
from docurift_nb.cli.demo import demo as run_demo
from docurift_nb.cli.doctor import doctor as run_doctor
from docurift_nb.cli.exits import MEANINGS
from docurift_nb.cli.report import report as run_report
from docurift_nb.cli.screen import Screen
from docurift_nb.cli.serving import Service, serve_sandbox
from docurift_nb.cli.watching import watch_file

EXIT_CODES = "\n\n".join(["Exit codes:", *(f"{int(code)}: {meaning}" for code, meaning in MEANINGS.items())])
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on standard output.")]
Seed = Annotated[int, typer.Option(help="Decides ids, outcomes and faults.")]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Watch, keep and tabulate DocuRift extraction jobs. The key is read from DOCURIFT_API_KEY.",
    epilog=EXIT_CODES,
)


def _screen(context: typer.Context) -> Screen:
    return context.ensure_object(Screen)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # typer hands the value over by position
    if wanted:
        typer.echo(f"docurift-nb {dn.__version__}")
        raise typer.Exit


@app.callback()
def _every_command(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


@app.command()
def demo(
    context: typer.Context,
    *,
    jobs: Annotated[int, typer.Option(min=1, max=100_000, help="Scripted jobs to watch.")] = 300,
    replay: Annotated[Path | None, typer.Option(help="Replay recorded answers (NDJSON) instead.")] = None,
    speed: Annotated[float, typer.Option(help="How many times faster than real jobs.")] = 10.0,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Directory for the archive, CSV and Parquet.")] = Path(
        "demo-output"
    ),
    faults: Annotated[
        bool,
        typer.Option(
            "--faults", help="Let 15 % of the answers go wrong, and 429 set in at 60 requests a second."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Try everything without an account: a fleet on the sandbox, watched to its end, as tables and files."""
    del as_json  # seen before the options are parsed, so that a wrong option is answered in JSON too
    plan = Plan(jobs=jobs, replay=replay, speed=speed, seed=seed, out=out, faults=faults)
    raise typer.Exit(run_demo(_screen(context), plan))


@app.command()
def watch(
    context: typer.Context,
    ids_file: Annotated[
        str,
        typer.Argument(
            metavar="IDS_FILE", help="One job id a line, or CSV with a job_id column; - reads stdin."
        ),
    ],
    *,
    archive: Annotated[Path, typer.Option(help="File that keeps every answer; made where there is none.")],
    base_url: Annotated[
        str | None, typer.Option(help="Default: DOCURIFT_API_URL, or DocuRift's own.")
    ] = None,
    max_rate: Annotated[float | None, typer.Option(help="Requests per second never to exceed.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which to stop looking.")] = None,
    as_json: Json = False,
) -> None:
    """Watch jobs until all have ended. Run again with the same archive, it asks only for the open ones."""
    del as_json
    code = watch_file(
        _screen(context), ids_file, archive=archive, base_url=base_url, max_rate=max_rate, timeout=timeout
    )
    raise typer.Exit(code)


@app.command()
def report(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            help="An archive, recorded answers (NDJSON, JSON; - reads stdin), or a Parquet directory."
        ),
    ],
    *,
    by: Annotated[
        list[str] | None, typer.Option(help="Column to group every table by; may be repeated.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write jobs.csv into this directory.")] = None,
    parquet: Annotated[
        Path | None, typer.Option(help="Also write Parquet files into this directory.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the tables of jobs that were kept: overview, failures, failure rates, confidence, durations."""
    del as_json
    run_report(_screen(context), source, by=by or (), csv=csv, parquet=parquet)


@app.command()
def sandbox(  # noqa: PLR0913  # the options of one command
    context: typer.Context,
    *,
    submit: Annotated[int, typer.Option(min=0, help="Scripted jobs to start with.")] = 0,
    replay: Annotated[Path | None, typer.Option(help="Recorded answers (NDJSON) to start with.")] = None,
    arrivals: Annotated[
        Literal["at_once", "recorded"], typer.Option(help="How the recorded jobs arrive.")
    ] = "at_once",
    speed: Annotated[float, typer.Option(help="How many times faster jobs run.")] = 1.0,
    seed: Seed = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Jobs processed at once; default: no limit.")
    ] = None,
    rate_limit: Annotated[float | None, typer.Option(help="Requests per key and window.")] = None,
    rate_window: Annotated[float, typer.Option(help="Seconds of that window.")] = 1.0,
    retry_after: Annotated[bool, typer.Option("--retry-after", help="Send Retry-After with 429.")] = False,
    fault: Annotated[list[str] | None, typer.Option(metavar="KIND=SHARE", help="Spoil answers.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 0,
    ids_file: Annotated[Path | None, typer.Option(help="Write the job ids to this file, one a line.")] = None,
    as_json: Json = False,
) -> None:
    """Serve DocuRift's API on this machine until Ctrl+C."""
    del as_json
    service = Service(
        submit=submit,
        replay=replay,
        arrivals=arrivals,
        speed=speed,
        seed=seed,
        workers=workers,
        rate_limit=rate_limit,
        rate_window=rate_window,
        retry_after=retry_after,
        faults=fault or (),
        host=host,
        port=port,
        ids_file=ids_file,
    )
    serve_sandbox(_screen(context), service)


@app.command()
def doctor(
    context: typer.Context,
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Make no request.")] = False,
    as_json: Json = False,
) -> None:
    """Check this installation, the key and the way to DocuRift. The key is not shown."""
    del as_json
    raise typer.Exit(run_doctor(_screen(context), offline=offline))
