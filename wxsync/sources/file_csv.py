"""A CSV file: one header, records of as many fields, the separator found by the header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wxsync.errors import SourceError
from wxsync.model.message import Message, say
from wxsync.sources.base import Row
from wxsync.sources.file_table import Origin, named_columns, too_long, without_blank

SEPARATORS: Final = (",", ";", "\t")
LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
DECLARED: Final = re.compile(r"sep=([,;\t|])(?:\r\n|\r|\n)", re.IGNORECASE)
"""A first line that tells Excel what separates the columns."""
LONGEST: Final = 1 << 24
"""Characters of one value. Python's own bound of 131,072 is less than some databases export."""
NAMED: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True, slots=True)
class _Record:
    lines: tuple[str, ...]
    """As they stand in the file, with their line breaks."""
    last: int
    """The number of the last of them."""
    fields: list[str]
    is_ended: bool
    """A line break follows it."""

    def has_taken_in_rows(self, separator: str, width: int) -> bool:
        """A value in quotes goes on over line ends, and one of its lines could be a row of `width` fields.

        A stray quotation mark does that: whatever stands up to the next one becomes a part of a value.
        """
        if len(self.lines) == 1:
            return False
        # Behind a first field of several lines comes the rest of its own row.
        later = () if LINE_BREAK.search(self.fields[0]) else self.lines[1:]
        inner = (part for field in self.fields for part in _parts(field))
        return any(line.count(separator) >= width - 1 for line in (*later, *inner))


class CsvTable:
    """The rows of a CSV file; every value is a text, or None where the field is empty.

    A record with fewer fields than the header is torn, and so is the last one where no line break
    follows it, and one whose quotation marks have taken in others: it is left out, and the rows are not
    all. One with more fields is refused together with the file.
    """

    def __init__(self, origin: Origin, text: str) -> None:
        self._origin = origin
        declared = DECLARED.match(text)
        self._text = text[declared.end() :] if declared else text
        self._skipped = 1 if declared else 0
        """Lines above the header."""
        self._separator = declared[1] if declared else _separator(origin, text)
        self._continued = 0
        """Lines beyond the first of a record, the header's too."""
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
                raise too_long(self._origin, f"line {record.last}", len(fields), width)
            taken_in = record.has_taken_in_rows(self._separator, width)
            if len(fields) < width or not record.is_ended or taken_in:
                self._torn.append(record)
            else:
                yield dict(zip(self.columns, fields, strict=False))

    @property
    def torn(self) -> Message | None:
        if not self._torn:
            return None
        count, first, file = len(self._torn), self._torn[0], self._origin.file.path.name
        if first.has_taken_in_rows(self._separator, len(self.columns)):
            return say(
                "{file} has a value in quotes that goes on from line {first} to line {last} and holds what"
                " looks like whole rows: it was left out; a quotation mark is missing there, or one too many",
                file=file,
                first=first.last - len(first.lines) + 1,
                last=first.last,
            )
        if len(first.fields) >= len(self.columns):
            return say(
                "{file} ends without a line break: its last row may be torn, and was left out", file=file
            )
        return say(
            "torn rows that were left out: {count}; line {line} of {file} has {fields} fields, and the header"
            " has {columns}",
            count=count,
            line=first.last,
            file=file,
            fields=len(first.fields),
            columns=len(self.columns),
        )

    def count(self) -> int:
        """How many records below the header hold something, by the lines of the file.

        Quotation marks do not count here, but where the walk found a record that goes on over a line end.
        """
        lines = sum(_holds_something(line, self._separator) for line in LINE_BREAK.split(self._text))
        return lines - self._continued - 1

    def _walk(self) -> Iterator[_Record]:
        """Every record that is no empty line, the header first."""
        text = io.StringIO(self._text, newline="")
        lines: list[str] = []
        reader = csv.reader(_noting(text, lines), delimiter=self._separator, strict=True)
        is_ended = self._text.endswith(("\n", "\r"))
        csv.field_size_limit(LONGEST)  # the process has but one
        try:
            for fields in reader:
                filled = sum(_holds_something(line, self._separator) for line in lines)
                self._continued += max(0, filled - 1)
                if fields:
                    last = reader.line_num + self._skipped
                    yield _Record(tuple(lines), last, fields, is_ended or text.tell() < len(self._text))
                lines.clear()
        except csv.Error as error:
            raise self._broken(reader.line_num + self._skipped, str(error)) from None

    def _broken(self, line: int, error: str) -> SourceError:
        what = f"is broken in line {line}: {error}"
        if "field limit" in error:
            what = f"has a value of more than {LONGEST:,} characters that ends behind line {line}"
        return self._origin.refusal(
            what, hint="a quotation mark opens and nothing closes it, or the file was cut; export it anew"
        )


def _noting(text: io.StringIO, lines: list[str]) -> Iterator[str]:
    for line in text:
        lines.append(line)
        yield line


def _parts(field: str) -> list[str]:
    """The lines of a value that has several."""
    parts = LINE_BREAK.split(field)
    return parts if len(parts) > 1 else []


def _holds_something(line: str, separator: str) -> bool:
    return bool(line.replace(separator, " ").replace('"', " ").strip())


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
