"""A CSV file: one header, records of as many fields, the separator found by the header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wxsync.model.message import Message, say
from wxsync.sources.base import Row
from wxsync.sources.file_table import Origin, named_columns, too_long, without_blank

SEPARATORS: Final = (",", ";", "\t")
QUOTED: Final = re.compile(r'"((?:[^"]|"")*)"')
LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
NAMED: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    """The line in which it ends."""
    fields: list[str]
    is_ended: bool
    """A line break follows it."""


class CsvTable:
    """The rows of a CSV file; every value is a text, or None where the field is empty.

    A record with fewer fields than the header is torn, and so is the last one where no line break
    follows it: it is left out, and the rows are not all. One with more fields is refused together with
    the file.
    """

    def __init__(self, origin: Origin, text: str) -> None:
        self._origin = origin
        self._text = text
        self._separator = _separator(origin, text)
        self._records = self._walk()
        header = next(self._records, None)
        if header is not None and not header.is_ended:
            raise origin.refusal("ends within its header", hint="it was cut; export it anew")
        self.columns = named_columns(origin, header.fields if header else [])
        self._torn: list[_Record] = []

    def rows(self) -> Iterator[Row]:
        """Every record that holds something; raises SourceError where the quoting is broken."""
        width = len(self.columns)
        for record in self._records:
            fields = [without_blank(field) for field in record.fields]
            if not any(field is not None for field in fields):
                continue
            if any(field is not None for field in fields[width:]):
                raise too_long(self._origin, f"line {record.line}", len(fields), width)
            if len(fields) < width or not record.is_ended:
                self._torn.append(record)
            else:
                yield dict(zip(self.columns, fields, strict=False))

    @property
    def torn(self) -> Message | None:
        if not self._torn:
            return None
        count, first, file = len(self._torn), self._torn[0], self._origin.file.path.name
        if len(first.fields) >= len(self.columns):
            return say(
                "{file} ends without a line break: its last row may be torn, and was left out", file=file
            )
        return say(
            "torn rows that were left out: {count}; line {line} of {file} has {fields} fields, and the header"
            " has {columns}",
            count=count,
            line=first.line,
            file=file,
            fields=len(first.fields),
            columns=len(self.columns),
        )

    def count(self) -> int:
        """How many records below the header hold something, by line breaks outside quotation marks."""
        return _count_lines(self._text, self._separator) - 1

    def _walk(self) -> Iterator[_Record]:
        """Every record that is no empty line, the header first."""
        text = io.StringIO(self._text, newline="")
        reader = csv.reader(text, delimiter=self._separator, strict=True)
        is_ended = self._text.endswith(("\n", "\r"))
        try:
            for fields in reader:
                if fields:
                    yield _Record(reader.line_num, fields, is_ended or text.tell() < len(self._text))
        except csv.Error as error:
            raise self._origin.refusal(
                f"is broken in line {reader.line_num}: {error}",
                hint="a quotation mark opens and nothing closes it, or the file was cut; export it anew",
            ) from None


def _count_lines(text: str, separator: str) -> int:
    bare = QUOTED.sub(lambda found: "x" if found[1].strip() else "", text)
    return sum(1 for line in LINE_BREAK.split(bare) if line.replace(separator, " ").strip())


def _separator(origin: Origin, text: str) -> str:
    """The one that parts the header into most names."""
    first = next((line for line in LINE_BREAK.split(text) if line.strip()), "")
    widths = {each: _width(first, each) for each in SEPARATORS}
    most = max(widths.values())
    found = [separator for separator, width in widths.items() if width == most]
    if most > 1 and len(found) > 1:
        names = " and ".join(NAMED[each] for each in found)
        raise origin.refusal(
            f"has as many {names} in its header",
            hint="which of them separates the columns cannot be told; put names that hold one in quotes",
        )
    return found[0]


def _width(line: str, separator: str) -> int:
    return len(next(csv.reader([line], delimiter=separator), []))
