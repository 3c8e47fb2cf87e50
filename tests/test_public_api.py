"""What users import, and rules that hold for all tests."""

import ast
import inspect
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import docurift_nb as dn

ROOT = Path(__file__).parents[1]
HEAVY = (
    "pandas",
    "numpy",
    "pyarrow",
    "matplotlib",
    "scipy",
    "IPython",
    "ipywidgets",
    "starlette",
    "uvicorn",
    "rich",
)
TEST_FILES = sorted((ROOT / "tests").rglob("test_*.py"))
EVERY_FILE = sorted((ROOT / "tests").rglob("*.py"))

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _functions(tree: ast.AST) -> list[Function]:
    return [node for node in ast.iter_child_nodes(tree) if isinstance(node, Function)]


def _tests(tree: ast.Module) -> Iterator[Function]:
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for place in (tree, *classes):
        yield from (function for function in _functions(place) if function.name.startswith("test"))


def _used(tree: ast.Module) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def _is_fixture(function: Function) -> bool:
    return any("fixture" in ast.unparse(decorator) for decorator in function.decorator_list)


def test_public_names_are_sorted_and_visible() -> None:
    """``dir`` shows exactly what ``__all__`` promises, and the version."""
    assert dn.__all__ == sorted(dn.__all__)
    assert dir(dn) == sorted([*dn.__all__, "__version__"])


@pytest.mark.parametrize("name", dn.__all__)
def test_a_public_name_is_there_and_documented(name: str) -> None:
    """Its docstring is its own, and so are those of its methods."""
    value = getattr(dn, name)
    assert (value.__doc__ or "").strip()
    methods = [
        method
        for key, method in vars(value).items()
        if inspect.isfunction(method) and not key.startswith("_")
    ]
    assert [method.__name__ for method in methods if inspect.isclass(value) and not method.__doc__] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Names that load on first use do not hide misspelt ones."""
    with pytest.raises(AttributeError, match="Reslts"):
        dn.Reslts  # noqa: B018  # the look-up is what raises


def test_importing_loads_nothing_heavy() -> None:
    """A fresh interpreter gets neither the stack for tables, nor for widgets, nor for the sandbox."""
    program = "import sys, docurift_nb; print(*(set(sys.argv[1:]) & set(sys.modules)))"
    done = subprocess.run(  # noqa: S603  # our own package
        [sys.executable, "-c", program, *HEAVY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "\n"


def test_a_missing_sandbox_extra_names_the_command() -> None:
    """Without its web server the sandbox is an error that says what to install."""
    program = "import sys; sys.modules['uvicorn'] = None; import docurift_nb; docurift_nb.Sandbox"
    done = subprocess.run(  # noqa: S603  # our own package
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "MissingExtraError" in done.stderr
    assert 'pip install "docurift-nb[sandbox]"' in done.stderr


@pytest.mark.parametrize("path", TEST_FILES, ids=_named)
def test_no_test_is_lost(path: Path) -> None:
    """What is neither a fixture nor used is a test that pytest does not see; so is the first of two."""
    tree = _tree(path)
    used = _used(tree)
    functions = _functions(tree)
    lost = [
        function.name
        for function in functions
        if not function.name.startswith("test_") and not _is_fixture(function) and function.name not in used
    ]
    twice = [name for name, n in Counter(function.name for function in functions).items() if n > 1]
    assert (lost, twice) == ([], [])


@pytest.mark.parametrize("path", TEST_FILES, ids=_named)
def test_every_test_says_what_it_shows(path: Path) -> None:
    """In a docstring."""
    assert [one.name for one in _tests(_tree(path)) if not ast.get_docstring(one)] == []


@pytest.mark.parametrize("path", EVERY_FILE, ids=_named)
def test_nothing_is_mocked_and_nothing_sleeps(path: Path) -> None:
    """Doubles are plain, and waiting is waiting for something."""
    tree = _tree(path)
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not {name for name in imported | modules if "mock" in name.lower()}
    assert not calls & {"time.sleep", "sleep"}
