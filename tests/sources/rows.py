"""Rows of a small HR database, and the sync that reads them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from wxsync.config.settings import SyncSettings
from wxsync.model.change import Rejected
from wxsync.model.desired import Desired
from wxsync.sources.base import Source
from wxsync.sources.sql import SqlSource

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
"""Noon in Shanghai."""

Rows = Sequence[Mapping[str, object]]

DEPARTMENTS: Rows = (
    {"code": "D1", "parent": None, "name": "研发", "sort": 10},
    {"code": "D2", "parent": "D1", "name": "平台", "sort": None},
)


class MakeSource(Protocol):
    """Writes tables into a new SQLite file and gives the source that reads them."""

    def __call__(self, name: str = "hr", **tables: Rows) -> SqlSource: ...


class Desire(Protocol):
    """Reads a sync's desired directory from rows."""

    def __call__(
        self,
        members: Rows = (),
        tree: Rows = DEPARTMENTS,
        *,
        memberships: Rows | None = None,
        tags: Rows | None = None,
        later: Sequence[Source] = (),
        **mapping: Any,
    ) -> Desired: ...


def person(key: object, **fields: object) -> dict[str, object]:
    """A usable row of the members query."""
    return {"emp_no": key, "login": f"u{key}", "full_name": f"人员{key}", "dept": "D1"} | fields


def sync_settings(
    *, department: Mapping[str, str] | None = None, rules: Mapping[str, str] | None = None, **member: Any
) -> SyncSettings:
    """The sync "acme" whose mapping is the least one, and what the test adds to it."""
    return SyncSettings.model_validate(
        {
            "corp": "acme",
            "sources": ["hr"],
            "mode": "plan",
            "department": {"key": "code", "parent": "parent", "name": "name"} | dict(department or {}),
            "member": {"key": "emp_no", "userid": "login", "name": "full_name", "departments": "dept"}
            | member,
            "tags": rules or {},
            "policy": {"leavers": "keep", "empty_departments": "keep", "adopt": []},
        }
    )


def rules_of(rejected: Iterable[Rejected]) -> list[tuple[str | None, str | None, str]]:
    """(key, field, rule) of every reject."""
    return [(each.key, each.field, each.rule) for each in rejected]


def write_tables(file: Path, tables: Mapping[str, Rows]) -> None:
    """One table for each list of rows, with columns without a type: SQLite then keeps the values' own."""
    connection = sqlite3.connect(file)
    for name, rows in tables.items():
        columns = list(dict.fromkeys(column for row in rows for column in row)) or ["nothing", "nobody"]
        quoted = ", ".join(f'"{column}"' for column in columns)
        connection.execute(f'CREATE TABLE "{name}" ({quoted})')
        marks = ", ".join("?" * len(columns))
        connection.executemany(
            f'INSERT INTO "{name}" VALUES ({marks})',
            [[row.get(column) for column in columns] for row in rows],
        )
    connection.commit()
    connection.close()
