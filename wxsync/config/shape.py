"""The shape of the config: which table stands where, and which keys it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from wxsync.config.settings import Settings
from wxsync.config.table import Table

PLACEHOLDER = "NAME"
"""Stands for a table's own name in a path."""


def keys_at(place: Sequence[str | int]) -> tuple[str, ...]:
    """The keys of the table at pydantic's `place` (it has the source's type in it); () where is none."""
    found: list[Any] = [Settings]
    for part in place:
        found = [inner for outer in found for inner in _below(outer, part)]
    return tuple(key for table in found if _is_table(table) for key in table.model_fields)


def tables() -> Iterator[tuple[str, type[Table]]]:
    """Every table of the config with its path, such as "sync.NAME.policy"; the top has the path ""."""
    yield from _tables(Settings, "")


def _tables(table: type[Table], path: str) -> Iterator[tuple[str, type[Table]]]:
    yield path, table
    for key, field in table.model_fields.items():
        for kind in _kinds(field.annotation):
            named = get_origin(kind) is dict
            for inner in _kinds(get_args(kind)[1]) if named else (kind,):
                if _is_table(inner):
                    below = f"{path}.{key}".lstrip(".") + (f".{PLACEHOLDER}" if named else "")
                    yield from _tables(inner, below)


def _below(outer: Any, part: str | int) -> Iterator[Any]:
    if get_origin(outer) in (dict, tuple):
        yield from _kinds(get_args(outer)[0 if get_origin(outer) is tuple else 1])
    elif _is_table(outer):
        fields = outer.model_fields
        if part in fields:
            yield from _kinds(fields[part].annotation)
        elif "type" in fields and get_args(fields["type"].annotation) == (part,):
            yield outer


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that a value may have, without `Annotated` and unions around them."""
    if get_origin(annotation) is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _kinds(member)
    else:
        yield annotation


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Table)
