"""A JSON file: a list of objects, or an object whose `rows` is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from wxsync.model.message import Message
from wxsync.sources.base import Row
from wxsync.sources.file_table import Origin, named_columns, without_blank

FORM: Final = 'write a list of objects, or {"columns": ["name", …], "rows": [{"name": …}, …]}'


class _Faulty(ValueError):
    """What JSON's grammar, or Python's reading of it, allows and a table cannot have."""


class JsonTable:
    """The rows of a JSON file, its values as they are; a key that an object leaves out is None there.

    The columns are those of `columns`, else all keys in the order in which they first come. Raises
    SourceError where the text ends too early, is no table, or an object has a key twice.
    """

    torn: Message | None = None

    def __init__(self, origin: Origin, text: str) -> None:
        document = _parsed(origin, text)
        declared, self._objects = _table(origin, document)
        known = dict.fromkeys(key for each in self._objects for key in each)
        self.columns = named_columns(origin, declared if declared is not None else list(known))
        if strange := [key for key in known if key not in self.columns]:
            raise origin.refusal(f'has the key "{strange[0]}" in a row and not in its columns', hint=FORM)

    def rows(self) -> Iterator[Row]:
        """Every object, also one with nothing in it.

        No program writes one for the looks of it, as it leaves lines blank: it was somebody, and may be
        anybody now.
        """
        for each in self._objects:
            yield {column: without_blank(each.get(column)) for column in self.columns}

    def count(self) -> int:
        """How many objects there are: the document was whole, or it would not be here."""
        return len(self._objects)


def _parsed(origin: Origin, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise origin.refusal(
            f"is no whole JSON: {error.msg} in line {error.lineno}",
            hint="it was cut, or is still being written; export it anew",
        ) from None
    except _Faulty as error:
        raise origin.refusal(str(error), hint=FORM) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, brackets without end
        raise origin.refusal("is no table", hint=FORM) from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise _Faulty(f'has the key "{doubled}" twice in one object')
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise _Faulty(f"holds {name}, which is no JSON")


def _table(origin: Origin, document: Any) -> tuple[list[str] | None, list[dict[str, Any]]]:
    """The columns, where it names them, and the objects."""
    columns = document.get("columns") if isinstance(document, dict) else None
    objects = document.get("rows") if isinstance(document, dict) else document
    if not isinstance(objects, list) or not all(isinstance(each, dict) for each in objects):
        raise origin.refusal("is no list of objects", hint=FORM)
    if columns is not None and not _are_names(columns):
        raise origin.refusal("has other columns than names", hint=FORM)
    if columns is None and not any(objects):
        raise origin.refusal("has no rows, and does not name its columns", hint=FORM)
    return columns, objects


def _are_names(columns: Any) -> bool:
    return isinstance(columns, list) and all(isinstance(each, str) and each.strip() for each in columns)
