"""Files as a source: where one lies, and which of a workbook's sheets is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from wxsync.config.secrets import Surroundings


class Format(StrEnum):
    """What a file is written in."""

    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"


ENDINGS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        ".csv": Format.CSV,
        ".tsv": Format.CSV,
        ".txt": Format.CSV,
        ".json": Format.JSON,
        ".xlsx": Format.XLSX,
        ".xlsm": Format.XLSX,
    }
)
"""How a file's name ends -> its format."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a source; `sheet` is None for a workbook's first visible sheet."""

    path: Path
    format: Format
    sheet: str | None = None

    def __str__(self) -> str:
        return str(self.path) if self.sheet is None else f"{self.path}#{self.sheet}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validated, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )


def data_file(text: str, around: Surroundings | None = None) -> DataFile:
    """The file that `PATH` or `PATH#SHEET` names, beside the config file where it is relative.

    A number sign is a part of the name wherever no workbook's name ends before it. Raises ValueError for
    a format that wxsync does not read. Whether the file is there is seen when it is read.
    """
    name, sheet = _without_sheet(text)
    if sheet == "":
        raise ValueError('names no sheet: write "people.xlsx#Sheet1", or leave out the "#"')
    path = around.place(name) if around else Path(name)
    ending = path.suffix.lower()
    if ending == ".xls":
        raise ValueError("is an .xls, which wxsync does not read: save it as .xlsx")
    if ending not in ENDINGS:
        raise ValueError(f"is no file that wxsync reads: its name must end in {', '.join(ENDINGS)}")
    return DataFile(path, ENDINGS[ending], sheet)


def _without_sheet(text: str) -> tuple[str, str | None]:
    name, mark, sheet = text.rpartition("#")
    if mark and ENDINGS.get(Path(name).suffix.lower()) is Format.XLSX:
        return name, sheet
    return text, None


def _validated(value: object, info: ValidationInfo) -> DataFile:
    if isinstance(value, DataFile):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a path, in quotes")
    if not value.strip():
        raise ValueError("is empty")
    return data_file(value.strip(), info.context if isinstance(info.context, Surroundings) else None)
