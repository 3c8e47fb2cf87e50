"""A path for an archive, and one open there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docurift_nb.archive import Archive


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where an archive may be made."""
    return tmp_path / "fleet.db"


@pytest.fixture
def archive(path: Path) -> Iterator[Archive]:
    """Open a new archive."""
    with Archive(path) as opened:
        yield opened
