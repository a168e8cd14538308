"""Files as a source, as the config names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.sample import changed
from tests.config.test_loader import problems
from wxsync.config.files import DataFile, Format, data_file
from wxsync.config.secrets import Surroundings
from wxsync.config.settings import FileSourceSettings


@pytest.mark.parametrize(
    ("text", "path", "format_", "sheet"),
    [
        ("people.csv", "/etc/wxsync/people.csv", Format.CSV, None),
        ("export/people.TSV", "/etc/wxsync/export/people.TSV", Format.CSV, None),
        ("/srv/people.json", "/srv/people.json", Format.JSON, None),
        ("people.xlsx", "/etc/wxsync/people.xlsx", Format.XLSX, None),
        ("people.xlsx#花名册 2026", "/etc/wxsync/people.xlsx", Format.XLSX, "花名册 2026"),
        ("people#2.csv", "/etc/wxsync/people#2.csv", Format.CSV, None),
        ("a#b.xlsx#c", "/etc/wxsync/a#b.xlsx", Format.XLSX, "c"),
        ("people.xlsx#list.csv", "/etc/wxsync/people.xlsx", Format.XLSX, "list.csv"),
    ],
)
def test_a_file_lies_beside_the_config(text: str, path: str, format_: Format, sheet: str | None) -> None:
    """Its ending tells the format; a number sign names a sheet only behind a workbook."""
    around = Surroundings(Path("/etc/wxsync"), {})
    assert data_file(text, around) == DataFile(Path(path), format_, sheet)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("people.xls", "is an .xls, which wxsync does not read: save it as .xlsx"),
        ("people.ods", "is no file that wxsync reads: its name must end in .csv,"),
        ("people", "is no file that wxsync reads"),
        ("people.xlsx#", "names no sheet"),
        (" ", "is empty"),
        (7, "must be a path, in quotes"),
    ],
)
def test_what_is_no_file_is_told_with_its_path(tmp_path: Path, value: object, told: str) -> None:
    """Together with the other problems of the config."""
    source = {"type": "file", "departments": "departments.csv", "members": value}
    (problem,) = problems(tmp_path, changed(source__hr=source))
    assert problem.startswith(f"source.hr.members: {told}")


def test_the_authority_needs_departments(tmp_path: Path) -> None:
    """As a database does."""
    (problem,) = problems(tmp_path, changed(source__hr={"type": "file", "members": "people.csv"}))
    assert problem.startswith("source.hr.departments: is required")


def test_an_encoding_is_one_of_three(tmp_path: Path) -> None:
    """With a suggestion."""
    source = {"type": "file", "departments": "d.csv", "members": "p.csv", "encoding": "utf8"}
    (problem,) = problems(tmp_path, changed(source__hr=source))
    assert problem == (
        'source.hr.encoding: is "utf8", but must be "auto" or "utf-8" or "gb18030". Did you mean "utf-8"?'
    )


def test_a_file_need_not_be_there_when_the_config_is_read() -> None:
    """The export may come yet; what is not there is told when it is read."""
    settings = FileSourceSettings.model_validate({"type": "file", "members": "nowhere/people.csv"})
    assert str(settings.members) == "nowhere/people.csv"
    assert settings.model_dump()["members"] == "nowhere/people.csv"
