"""The tables are written once for all notebooks of the family."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.family.tables import write_tables


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables, for notebooks to be written into."""
    folder = tmp_path_factory.mktemp("family")
    write_tables(folder)
    return folder
