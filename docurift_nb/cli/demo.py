"""``docurift-nb demo``: the main job from end to end, on the sandbox, in under a minute."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import docurift_nb as dn
from docurift_nb.cli.exits import Exit
from docurift_nb.cli.report import as_json, make_folder, make_tables, print_tables, write_files
from docurift_nb.cli.screen import Screen
from docurift_nb.cli.watching import Ending, follow_to_end, tell
from docurift_nb.errors import ConfigError, show

if TYPE_CHECKING:
    from docurift_nb.results import Results
    from docurift_nb.sandbox import Sandbox

FAULT_SHARE = 0.15
FAULTS = ("500", "503", "reset", "truncated", "html", "not-json", "wrong-id", "unknown-status")
LIMIT_PER_S = 60
TABLES = ("overview", "failures", "confidence", "durations")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the demo shall do."""

    jobs: int
    replay: Path | None
    speed: float
    seed: int
    out: Path
    faults: bool

    @property
    def archive(self) -> Path:
        """Where the answers are kept."""
        return self.out / "demo.docurift"


def demo(screen: Screen, plan: Plan) -> int:
    """Watch a fleet on the sandbox over real HTTP, print its tables, write its files; return the exit code.

    Listens on 127.0.0.1 while it runs. Checks at the end that what was seen is what the sandbox knows.

    Raises
    ------
    ConfigError, MissingExtraError, ArchiveError
        When it cannot be done.
    """
    started = time.monotonic()
    screen.is_resumable = True
    make_folder(plan.out)
    with _fleet(plan) as (sandbox, ids):
        screen.say(f"sandbox at {sandbox.url}: {len(ids):,} jobs, {plan.speed:g} times faster than real ones")
        with (
            dn.Client(sandbox.api_key, sandbox.url) as client,
            dn.watch(ids, client=client, archive=plan.archive) as watch,
        ):
            ending = follow_to_end(screen, watch)
        n_wrong = 0 if ending.results is None else _n_wrong(sandbox, ending.results)
    return _shown(screen, plan, ending, n_wrong, time.monotonic() - started)


def _shown(screen: Screen, plan: Plan, ending: Ending, n_wrong: int, seconds: float) -> int:
    document = ending.document() | {"archive": str(plan.archive), "n_wrong": n_wrong, "seconds": seconds}
    tell(screen, ending, plan.archive)
    if ending.results is None or ending.code not in {Exit.OK, Exit.INCOMPLETE}:
        screen.answer(document)
        return ending.code
    tables = make_tables(ending.results)
    files = [str(plan.archive), *write_files(ending.results, csv=plan.out, parquet=plan.out / "parquet")]
    print_tables(screen, tables, names=TABLES)
    screen.say(f"{_verdict(n_wrong, ending)}; wrote {', '.join(files)}; {seconds:.1f} s")
    # Some scripted jobs fail, and to show that is what the demo is for.
    code = Exit.INCOMPLETE if n_wrong else Exit.OK
    screen.answer(document | {"exit_code": int(code), "tables": as_json(tables), "files": files})
    return code


def _verdict(n_wrong: int, ending: Ending) -> str:
    total = ending.snapshot.total
    if n_wrong:
        return f"{n_wrong:,} of {total:,} jobs do NOT agree with the sandbox"
    return f"checked: all {total:,} jobs agree with the sandbox"


@contextmanager
def _fleet(plan: Plan) -> "Iterator[tuple[Sandbox, list[str]]]":
    try:
        sandbox = dn.Sandbox(
            seed=plan.seed,
            speed=plan.speed,
            rate_limit=LIMIT_PER_S if plan.faults else None,
            retry_after=True,
        )
    except ValueError as error:
        raise ConfigError(what="the sandbox cannot be made so", got=str(error)) from None
    if plan.faults:
        sandbox.faults.on(*FAULTS, probability=FAULT_SHARE)
    with sandbox:
        yield sandbox, _jobs(sandbox, plan)


def _jobs(sandbox: "Sandbox", plan: Plan) -> list[str]:
    if plan.replay is None:
        return sandbox.submit(plan.jobs)
    try:
        return sandbox.replay(plan.replay)
    except (OSError, ValueError) as error:
        raise ConfigError(
            what=f"{show(str(plan.replay))} cannot be replayed", expected="recorded answers", got=str(error)
        ) from None


def _n_wrong(sandbox: "Sandbox", results: "Results") -> int:
    """Count the jobs whose end was seen otherwise than the sandbox knows it."""
    seen = results.jobs.set_index("job_id")["status"].dropna().to_dict()
    return sum(sandbox.truth(str(job_id))["status"] != status for job_id, status in seen.items())
