"""The HR database of the journeys as files, as an HR department exports them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from tests.journeys.hr import Employee, Hr, plain
from tests.journeys.stage import Stage, settings_of
from tests.sources.exports import csv_text, put, workbook
from wxsync.config.files import data_file
from wxsync.config.settings import FileSourceSettings

QUERIES = ("departments", "members", "memberships", "tags")
COLUMNS: Mapping[str, Sequence[str]] = {
    "departments": ("code", "parent_code", "name", "sort"),
    "members": tuple(Employee.__dataclass_fields__),
    "memberships": ("emp_no", "dept_code", "is_leader", "order"),
    "tags": ("tag", "emp_no"),
}


def export(hr: Hr, folder: Path, ending: str = "csv", encoding: str = "utf-8") -> None:
    """Write all four files anew."""
    folder.mkdir(exist_ok=True)
    places = [{**asdict(row), "order": row.sort} for row in hr.places.values()]
    rows: dict[str, list[dict[str, Any]]] = {
        "departments": [asdict(row) for row in hr.departments.values()],
        "members": [plain(row) for row in hr.employees.values()],
        "memberships": places,
        "tags": [{"tag": tag, "emp_no": emp_no} for tag, emp_no in sorted(hr.tags)],
    }
    for query, content in rows.items():
        cells = [COLUMNS[query], *([row[name] for name in COLUMNS[query]] for row in content)]
        put(folder / f"{query}.{ending}", written(cells, ending, encoding))


def written(cells: Sequence[Sequence[Any]], ending: str, encoding: str) -> bytes:
    if ending == "xlsx":
        return workbook(("Sheet1", cells))
    if ending == "csv":
        text = csv_text([["" if cell is None else cell for cell in row] for row in cells])
        return text.encode(encoding)
    header, *rest = cells
    objects = [{name: told(cell) for name, cell in zip(header, row, strict=True)} for row in rest]
    return json.dumps({"columns": list(header), "rows": objects}, ensure_ascii=False).encode(encoding)


def told(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, date) else cell


def file_settings(folder: Path, ending: str = "csv", **more: Any) -> FileSourceSettings:
    files: dict[str, Any] = {query: data_file(str(folder / f"{query}.{ending}")) for query in QUERIES}
    return FileSourceSettings(type="file", **(files | more))


def file_stage(folder: Path, ending: str = "csv", **sync: Any) -> Stage:
    """A stage whose one source is the files in `folder`/export."""
    settings = settings_of(f"sqlite:///{folder}/none.db", folder / "mirror.db", **sync)
    source = {"hr": file_settings(folder / "export", ending)}
    return Stage(settings.model_copy(update={"source": source}))
