"""What the documents say is what is there."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import docurift_nb as dn
from docurift_nb.cli.app import app
from docurift_nb.cli.exits import MEANINGS

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
TRY = 'python3 -m venv .venv && .venv/bin/pip install ".[sandbox]" && .venv/bin/docurift-nb demo'
TEST = 'python3 -m venv .venv && .venv/bin/pip install -e ".[test]" && .venv/bin/python -m pytest'


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _project() -> Any:  # noqa: ANN401  # parsed TOML
    return tomllib.loads(_text("pyproject.toml"))


def _blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", _text(name), flags=re.MULTILINE | re.DOTALL)


def _rows(name: str, heading: str) -> list[list[str]]:
    """Return the cells of the table that follows a line."""
    table = _text(name).split(heading, 1)[1].split("\n\n")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def _links(name: str, folder: str) -> list[str]:
    return re.findall(rf"\]\(({folder}/[^)]*)\)", _text(name))


def test_the_readme_sets_up_with_one_line_each() -> None:
    """One line runs the main job, one the tests; each stands alone in its block."""
    assert _blocks("README.md", "sh")[:2] == [f"{TRY}\n", f"{TEST}\n"]


def test_extras_that_documents_name_exist() -> None:
    """Nobody is told to install something that is not there."""
    named = set(re.findall(r"\.\[([a-z]+)\]", "".join(map(_text, DOCUMENTS))))
    assert named <= _project()["project"]["optional-dependencies"].keys()


def test_the_example_runs(tmp_path: Path) -> None:
    """Copied from the README, its ten lines print their tables and write their files."""
    (example,) = _blocks("README.md", "python")
    assert len(example.strip().splitlines()) <= 10
    done = subprocess.run(  # noqa: S603  # our own example
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "n_completed" in done.stdout
    assert "ci_low" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"jobs.docurift", "jobs"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """Every link that is no web address names a file of the repository."""
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", _text(name))
    assert [one for one in targets if "://" not in one and not (ROOT / one).exists()] == []


def test_the_readme_tells_every_exit_code() -> None:
    """With the words of the program's own help."""
    rows = _rows("README.md", "## Exit codes\n\n")[1:]
    assert rows == [[str(int(code)), meaning] for code, meaning in MEANINGS.items()]


def test_commands_that_documents_name_exist() -> None:
    """And each command there is appears in the README or in the changelog."""
    names = {one.callback.__name__ for one in app.registered_commands if one.callback}
    named = set(re.findall(r"docurift-nb ([a-z]+)", "".join(_blocks("README.md", "sh"))))
    assert named <= names
    assert all(f"`{name}`" in _text("CHANGELOG.md") for name in names)


@pytest.mark.parametrize(("folder", "pattern"), [("notebooks", "*.ipynb"), ("benchmarks", "*.py")])
def test_the_readme_lists_every(folder: str, pattern: str) -> None:
    """Notebooks in reading order, which is that of their names, and all benchmarks."""
    found = sorted(f"{folder}/{path.name}" for path in (ROOT / folder).glob(pattern))
    assert _links("README.md", folder) == found


def test_the_module_table_is_complete() -> None:
    """Each module and package has its row, and each row its module."""
    rows = _rows("CONTRIBUTING.md", "misreading would cancel out.\n\n")[1:]
    entries = (ROOT / "docurift_nb").iterdir()
    modules = {path.stem for path in entries if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {row[0].strip("`") for row in rows} == modules - {"__init__"}


def test_the_layer_picture_is_the_enforced_one() -> None:
    """What people read is what the import linter checks."""
    contracts = _project()["tool"]["importlinter"]["contracts"]
    assert _blocks("CONTRIBUTING.md", "text")[0].split("\n")[:-1] == contracts[0]["layers"]


def test_ci_runs_the_readmes_commands() -> None:
    """The script takes them from the README by the patterns in it."""
    script = _text(".ci/run")
    pattern = re.search(r'grep -m 1 -E "(.*)\$1', script)
    assert pattern is not None
    for ending, command in (("-m pytest", TEST), ("demo", TRY)):
        assert f"readme_command '{ending}'" in script
        lines = (line for line in _text("README.md").splitlines() if re.fullmatch(pattern[1] + ending, line))
        assert next(lines) == command


def test_the_version_is_told_once() -> None:
    """The project file and the package agree."""
    assert _project()["project"]["version"] == dn.__version__
