"""A list of old and new keys, as whoever migrated a directory can export it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wxsync.config.files import DataFile, Format, data_file
from wxsync.errors import WxsyncError
from wxsync.model.change import Kind
from wxsync.model.rekey import KeyPair
from wxsync.sources.base import Row
from wxsync.sources.file_csv import CsvTable
from wxsync.sources.file_table import FileTable, Origin
from wxsync.sources.file_text import text_of_file
from wxsync.sources.file_xlsx import XlsxTable
from wxsync.sources.normal import Breach, key_of

KINDS: Final = {"member": Kind.MEMBER, "department": Kind.DEPARTMENT}
HINT: Final = 'give it the columns "old" and "new", and where there are departments in it "kind"'


def read_key_pairs(path: Path) -> tuple[KeyPair, ...]:
    """The pairs of a CSV or Excel file with the columns `old`, `new` and, if there is one, `kind`.

    A row without a kind is about a member. Rows whose two keys are one are left out. Raises WxsyncError
    where the file cannot be read, SourceError where it has a row that is no pair.
    """
    try:
        file = data_file(str(path))
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise WxsyncError(f"{path} cannot be read: {why}", hint=HINT) from None
    origin = Origin(source="rekey", query="keys", file=file)
    pairs = tuple(_pairs(origin, _table(origin, file, content)))
    return tuple(pair for pair in pairs if pair.old != pair.new)


def _table(origin: Origin, file: DataFile, content: bytes) -> FileTable:
    if file.format is Format.XLSX:
        return XlsxTable(origin, content)
    if file.format is Format.CSV:
        # Written by hand as often as not: the last line may lack its break.
        return CsvTable(origin, text_of_file(origin, content, "auto").rstrip("\r\n") + "\n")
    raise origin.refusal("is no list of pairs", hint="write it as CSV or .xlsx")


def _pairs(origin: Origin, table: FileTable) -> Iterator[KeyPair]:
    named = {column.lower(): column for column in table.columns}
    if not {"old", "new"} <= named.keys():
        raise origin.refusal("lacks a column", hint=HINT)
    for number, row in enumerate(table.rows(), 1):
        yield _pair(origin, number, {name: row[column] for name, column in named.items()})
    if table.torn is not None:
        raise origin.refusal(f"is torn: {table.torn}", hint="export it anew")


def _pair(origin: Origin, number: int, row: Row) -> KeyPair:
    try:
        old, new = key_of(row["old"], "old"), key_of(row["new"], "new")
    except Breach:
        old = new = None
    kind = KINDS.get(str(row.get("kind") or "member").strip().lower())
    if old is None or new is None or kind is None:
        raise origin.refusal(f"has no pair of keys in its row {number}", hint=HINT)
    return KeyPair(kind=kind, old=old, new=new)
