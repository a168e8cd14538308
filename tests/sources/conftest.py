"""A small HR database as a real SQLite file, and what a sync makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.sources.rows import DEPARTMENTS, NOW, Desire, MakeSource, Rows, person, sync_settings, write_tables
from wxsync.config.settings import SqlSourceSettings
from wxsync.model.desired import Desired
from wxsync.sources.base import Source
from wxsync.sources.reader import read_desired
from wxsync.sources.sql import SqlSource


@pytest.fixture
def make_source(tmp_path: Path) -> MakeSource:
    """Sources on SQLite files, one file for each name."""

    def make(name: str = "hr", **tables: Rows) -> SqlSource:
        file = tmp_path / f"{name}.db"
        file.unlink(missing_ok=True)
        write_tables(file, tables)
        queries = {table: f'SELECT * FROM "{table}"' for table in tables}
        return SqlSource(
            name, SqlSourceSettings.model_validate({"type": "sql", "url": f"sqlite:///{file}"} | queries)
        )

    return make


@pytest.fixture
def desire(make_source: MakeSource) -> Desire:
    """The desired directory of rows, read through a real SQLite file."""

    def read(
        members: Rows = (),
        tree: Rows = DEPARTMENTS,
        *,
        memberships: Rows | None = None,
        tags: Rows | None = None,
        later: Sequence[Source] = (),
        **mapping: Any,
    ) -> Desired:
        tables = {"departments": tree, "members": members or (person("E0"),)}
        tables |= {} if memberships is None else {"memberships": memberships}
        tables |= {} if tags is None else {"tags": tags}
        sources = (make_source("hr", **tables), *later)
        return read_desired(sources, sync_settings(**mapping), NOW, sync_name="acme")

    return read
