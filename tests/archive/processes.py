"""Starting the writer as a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WRITER = Path(__file__).with_name("writer.py")


@contextmanager
def running(role: str, path: Path, name: str, *, go: bool = True) -> Iterator[subprocess.Popen[str]]:
    """Run the writer script until the block ends; it has imported everything when the block begins."""
    with subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, str(WRITER), role, str(path), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            if go:
                start(process)
            yield process
        finally:
            process.kill()


def start(process: subprocess.Popen[str]) -> None:
    """Let a writer that said it is ready begin."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
