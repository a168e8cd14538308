"""What the files of all formats have in common: a header, rows, and the words of a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from wxsync.config.files import DataFile
from wxsync.errors import SourceError
from wxsync.model.message import Message
from wxsync.sources.base import Row

FLAGS: Final = ("is_leader", "is_main")
YES: Final = ("1", "true", "yes", "y", "是")
NO: Final = ("0", "false", "no", "n", "否")
WORDS: Final[Mapping[str, bool]] = {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which file is read, and for what."""

    source: str
    query: str
    file: DataFile

    def refusal(self, problem: str, hint: str) -> SourceError:
        """The error for a file that cannot serve as the truth; `problem` begins after the file's name."""
        return SourceError(self.source, f"{self.file.path.name} ({self.query}) {problem}", hint=hint)


class FileTable(Protocol):
    """A file that was read and understood as far as its header."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in its header."""
        ...

    def rows(self) -> Iterator[Row]:
        """Every row that holds something; raises SourceError where the file is no good further down."""
        ...

    def count(self) -> int:
        """How many rows there should have been, found in another way; asked after the last one."""
        ...

    @property
    def torn(self) -> Message | None:
        """What was left out of the rows, which are therefore not all; known after the last one."""
        ...


def named_columns(origin: Origin, header: Sequence[object]) -> tuple[str, ...]:
    """The header's names; raises SourceError where one is missing or there twice.

    Columns at the end that have no name are none: what a row holds there is a value too many.
    """
    names = ["" if cell is None else str(cell).strip("\ufeff\u200b \t\r\n\u3000") for cell in header]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise origin.refusal(
            "has no header",
            hint="the first row must name the columns; take away what stands above it",
        )
    for number, name in enumerate(names, 1):
        if not name:
            raise origin.refusal(
                f"has no name above column {number}", hint="give every column a name, each its own"
            )
        if name in names[: number - 1]:
            first = names.index(name) + 1
            raise origin.refusal(
                f'names two columns "{name}": {first} and {number}',
                hint="give every column a name of its own",
            )
    return tuple(names)


def further_names(origin: Origin, columns: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """Those of `names` whose column this file has; raises SourceError where it has one of that name too."""
    found = {name: column for name, column in names.items() if column in columns}
    for name, column in found.items():
        if name in columns:
            raise origin.refusal(
                f'has a column "{name}", which source.{origin.source}.names gives to "{column}"',
                hint=f"give source.{origin.source}.names another name for it",
            )
    return found


def without_blank(value: object) -> object:
    """The value, or None for a text with nothing in it: a file has no other way to say null.

    Else an empty status would not be "active", and make its person a leaver.
    """
    return None if isinstance(value, str) and not value.strip() else value


def with_flags(row: Row) -> Row:
    """A row of memberships whose marks are flags: no expression reads them, and CSV knows only texts."""
    marks = {name: _flag(row[name]) for name in FLAGS if isinstance(row.get(name), str)}
    return {**row, **marks} if marks else row


def _flag(value: object) -> object:
    """What people and programs write for yes and no; anything else as it is, to be rejected."""
    return WORDS.get(str(value).strip().lower(), value)


def too_long(origin: Origin, place: str, found: int, columns: int) -> SourceError:
    """A row with values beyond the header: a separator in a value that was not quoted shifts all others."""
    return origin.refusal(
        f"has more values in {place} than columns in its header: {found} and {columns}",
        hint="a value that holds the separator must be in quotes; correct the export",
    )
