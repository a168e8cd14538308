"""An Excel workbook: one visible sheet of it, values as Excel last calculated and showed them."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, time, timedelta
from importlib import import_module
from typing import Any, Final
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

from defusedxml.common import DefusedXmlException

from wxsync.model.message import Message
from wxsync.sources.base import Row
from wxsync.sources.file_table import Origin, named_columns, too_long, without_blank
from wxsync.sources.file_xlsx_parts import SheetPart, filling_of, sheets_of

OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
"""What an old .xls begins with, and a workbook that is protected by a password."""
LARGEST_UNPACKED: Final = 2 * 2**30
"""Bytes of XML; more of it is no list of people but a bomb."""
TEXT_FORMAT: Final = "@"
BROKEN: Final = (
    BadZipFile,
    ParseError,
    DefusedXmlException,
    zlib.error,
    EOFError,
    AttributeError,
    LookupError,
    OverflowError,
    RuntimeError,  # a part that is encrypted, or packed in a way that Python does not know
    StopIteration,
    TypeError,
    ValueError,
)
"""What openpyxl and the parsers raise over an archive that is cut or was written wrongly."""


class XlsxTable:
    """The rows of one sheet: numbers, texts, booleans, dates; None for an empty cell.

    Raises SourceError where the archive is cut, the sheet is not there or hidden, cells are merged, or
    a formula has failed or was never worked out.
    """

    torn: Message | None = None

    def __init__(self, origin: Origin, content: bytes) -> None:
        self._origin = origin
        self._content = content
        if content.startswith(OLE):
            raise origin.refusal(
                "is protected by a password, or an old .xls under another name",
                hint="save it as .xlsx, without a password",
            )
        with self._reading():
            self._sheet = self._chosen()
            with ZipFile(io.BytesIO(content)) as archive:
                self._filling = filling_of(archive, self._sheet.part)
        if self._filling.merged is not None:
            raise origin.refusal(
                f"has merged cells in sheet {self._sheet.name}: {self._filling.merged}",
                hint="all but the first of them are empty to a program; unmerge them and fill each",
            )
        if self._filling.pending is not None:
            raise origin.refusal(
                f"has a formula that nothing has worked out in {self._sheet.name}!{self._filling.pending}",
                hint="a program wrote it that cannot calculate: open it in Excel and save it, or let the"
                " program write values",
            )
        self._blank = 0
        """Rows with nothing but blank texts in them, which the bare XML cannot tell from others."""
        self._records = self._walk()
        self.columns = named_columns(origin, next(self._records, (0, ()))[1])

    def rows(self) -> Iterator[Row]:
        """Every row that holds something; raises SourceError where a formula failed or the file is broken."""
        width = len(self.columns)
        for number, values in self._records:
            if any(value is not None for value in values[width:]):
                raise too_long(self._origin, f"row {number}", len(values), width)
            padded = (*values[:width], *(None,) * (width - len(values)))
            yield dict(zip(self.columns, padded, strict=True))

    def count(self) -> int:
        """How many rows below the header hold something, by the archive's own XML."""
        return self._filling.rows - self._blank - 1

    def _chosen(self) -> SheetPart:
        with ZipFile(io.BytesIO(self._content)) as archive:
            if sum(each.file_size for each in archive.infolist()) > LARGEST_UNPACKED:
                raise self._origin.refusal("unpacks to more than 2 GiB", hint="name a list of people")
            sheets = sheets_of(archive)
        wanted = self._origin.file.sheet
        visible = [sheet for sheet in sheets if not sheet.is_hidden]
        found = next((sheet for sheet in visible if wanted in (None, sheet.name)), None)
        if found is None:
            state = "is hidden" if wanted in {sheet.name for sheet in sheets} else "is not there"
            raise self._origin.refusal(
                "has no visible sheet" if wanted is None else f"cannot give the sheet {wanted}: it {state}",
                hint=f"visible are: {', '.join(sheet.name for sheet in visible)}",
            )
        return found

    def _walk(self) -> Iterator[tuple[int, tuple[object, ...]]]:
        """Every row that holds something, with its number in the sheet."""
        open_book: Callable[[bytes], Any] = import_module("wxsync.sources.file_xlsx_book").open_book
        with self._reading():
            book = _quietly(open_book, self._content)
            with closing(book):
                sheet = book[self._sheet.name]
                # The hint of the sheet's size is often wrong, and what lies beyond it would be left out.
                sheet.reset_dimensions()
                rows = sheet.iter_rows()
                number = 0
                while (cells := _quietly(next, rows, None)) is not None:
                    number += 1
                    values = tuple(self._value(cell) for cell in cells)
                    if any(value is not None for value in values):
                        yield number, values
                    else:
                        self._blank += any(cell.value is not None for cell in cells)

    def _value(self, cell: Any) -> object:
        if cell.data_type == "e":
            raise self._origin.refusal(
                f"has a failed formula in {self._sheet.name}!{cell.coordinate}: {cell.value}",
                hint="mend the formula, or save the sheet with values in its place",
            )
        value = cell.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            whole = int(value) if value == int(value) else value
            return str(whole) if cell.number_format == TEXT_FORMAT else whole
        return _plain(value)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except BROKEN as error:
            raise self._origin.refusal(
                f"is no whole workbook ({type(error).__name__})",
                hint="it was cut, or is still being written; export it anew",
            ) from None


def _plain(value: object) -> object:
    """A day without a time of day as a date; times as texts; a blank text as None."""
    if isinstance(value, datetime):
        return value.date() if value.time() == time.min else value
    if isinstance(value, time | timedelta):
        return str(value)
    return without_blank(value)


def _quietly(call: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """The call without the warnings of what openpyxl would lose, were it to write the workbook back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*given, **named)
