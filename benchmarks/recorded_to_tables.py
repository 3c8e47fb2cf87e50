"""From a file of recorded answers to four tables: this package against the usual recipe.

The recipe is ``json.loads`` per line, ``pandas.json_normalize``, ``to_datetime`` and groupby, for the same
numbers (without intervals, censoring and checks of the contract, which it does not have). Both run in this
process, on one file, alternately; the best round of each counts. The recorded file is repeated with ids of
its own; every tenth job is made to have failed, so that there is something to tabulate.

    python benchmarks/recorded_to_tables.py [recorded_jobs.ndjson] [--jobs 200000] [--rounds 3]
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pandas as pd

from docurift_nb.results import Results

GOAL = 10
RECORDED = Path(__file__).parents[1] / "../shared/data/recorded_jobs.ndjson"
CODES = ("OCR_FAILED", "TIMEOUT", "UNSUPPORTED_FORMAT")
THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99)
TIMES = ("createdAt", "updatedAt", "completedAt", "failedAt")


def write_jobs(recorded: Path, target: Path, n: int) -> None:
    answers = [json.loads(line) for line in recorded.read_text(encoding="utf-8").splitlines()]
    with target.open("w", encoding="utf-8") as file:
        for number, answer in enumerate(islice(cycle(answers), n)):
            data = answer["data"] | {"id": f"job_{number:012d}"}
            file.write(json.dumps(answer | {"data": data if number % 10 else failed(data, number)}) + "\n")


def failed(data: dict[str, Any], number: int) -> dict[str, Any]:
    kept = {key: value for key, value in data.items() if key not in {"result", "completedAt", "documentId"}}
    error = {
        "code": CODES[number // 10 % 3],
        "message": "it failed",
        "details": {"step": "s", "retryable": True},
    }
    return kept | {"status": "failed", "progress": 23, "error": error, "failedAt": data["completedAt"]}


def ours(path: Path) -> dict[str, pd.DataFrame]:
    results = Results.from_json(path)
    return {
        "overview": results.overview(),
        "failures": results.failures(),
        "confidence": results.confidence(),
        "durations": results.durations(),
    }


def recipe(path: Path) -> dict[str, pd.DataFrame]:
    with path.open(encoding="utf-8") as file:
        jobs = pd.json_normalize([json.loads(line)["data"] for line in file])
    for name in TIMES:
        jobs[name] = pd.to_datetime(jobs[name], utc=True, format="ISO8601")
    jobs["seconds"] = (jobs["completedAt"].fillna(jobs["failedAt"]) - jobs["createdAt"]).dt.total_seconds()
    failures = jobs[jobs["status"] == "failed"].groupby(["error.code", "error.details.step"]).size()
    by_type = jobs.groupby("documentType")
    scores = jobs[jobs["status"] == "completed"].groupby("documentType")["result.confidence"]
    reached = {f"ge_{at}": jobs["result.confidence"] >= at for at in THRESHOLDS}
    shares = pd.DataFrame(reached)[jobs["status"] == "completed"].groupby(jobs["documentType"]).mean()
    return {
        "overview": jobs["status"].value_counts().to_frame(),
        "failures": (failures / failures.sum()).to_frame("share"),
        "confidence": scores.describe(percentiles=[0.05, 0.25, 0.5, 0.75, 0.95]).join(shares),
        "durations": pd.concat([by_type["seconds"].quantile(q) for q in (0.5, 0.95)], axis="columns"),
    }


def seconds(function: Callable[[Path], dict[str, pd.DataFrame]], path: Path) -> float:
    gc.collect()
    started = time.perf_counter()
    function(path)
    return time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description="recorded answers to tables")
    parser.add_argument("recorded", nargs="?", type=Path, default=RECORDED)
    parser.add_argument("--jobs", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if not given.recorded.exists():
        print(f"skipped: the recorded jobs are not at {given.recorded.name}; give their path as the argument")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.ndjson"
        write_jobs(given.recorded, path, given.jobs)
        ours(path)
        rounds = [(seconds(ours, path), seconds(recipe, path)) for _ in range(given.rounds)]
    best, usual = (min(column) for column in zip(*rounds, strict=True))
    print(f"{given.jobs:,} jobs   docurift_nb {best:.2f} s ({best / given.jobs * 1e6:.1f} us/job)")
    print(f"{'':>13}   recipe      {usual:.2f} s ({usual / given.jobs * 1e6:.1f} us/job)")
    print(f"ratio {usual / best:.1f} (goal {GOAL})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
