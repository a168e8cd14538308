"""What WeCom answered to a look-up, as JSON for programs and as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import IntEnum, IntFlag
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wxsync.model.unknown import UNKNOWN
from wxsync.report.as_json import moment
from wxsync.report.masking import EXTATTR, HIDDEN, mask, mask_by_look
from wxsync.wecom.answers import printable

Json = Any
"""A value as JSON has it."""
Record = Mapping[str, Json]

NOT_SHOWN: Final = {"unknown": True}
MOST_COLUMNS: Final = 7
"""More are no table that a terminal can hold: then each record is a block of its own."""
URLS: Final = frozenset({"avatar", "qr_code"})
"""Whoever has such an address has the person's picture, or may write to them."""
PAIRS: Final = frozenset({"extattr", "order"})
"""Fields of ours that are (name, value) pairs."""


def as_json(found: object, name: str = "") -> Json:
    """What a call gave as JSON, with full values; what WeCom did not show is `{"unknown": true}`."""
    if found is UNKNOWN:
        return dict(NOT_SHOWN)
    if is_dataclass(found):
        return dict(_fields_of(found))
    if isinstance(found, IntFlag):
        return [each.name.lower() for each in found if each.name]
    if isinstance(found, IntEnum):
        return found.name.lower()
    if isinstance(found, datetime):
        return moment(found)
    if isinstance(found, frozenset):
        return sorted(as_json(each) for each in found)
    if isinstance(found, tuple):
        return _listed(found, name)
    return found if found is None or isinstance(found, bool | int | str) else str(found)


def _fields_of(found: object) -> Iterator[tuple[str, Json]]:
    """A record's fields by name; those shown of a member stand beside the userid, and secrets nowhere."""
    if not is_dataclass(found) or isinstance(found, type):
        return
    for field in fields(found):
        value = getattr(found, field.name)
        if field.name == "shown":
            yield from _fields_of(value)
        elif field.repr:
            yield field.name, as_json(value, field.name)


def _listed(values: tuple[object, ...], name: str) -> Json:
    pairs = [value for value in values if isinstance(value, tuple)]
    if name in PAIRS:
        return {str(key): as_json(value) for key, value in pairs}
    if name == "rows":
        return [{"userid": userid, "department_id": id} for userid, id in pairs]
    return [as_json(value) for value in values]


def print_answer(answer: Json, console: Console, *, show_personal: bool) -> None:
    """The same for people: a line, a block for a record, a table or blocks for several."""
    shown = answer if show_personal else _masked(answer)
    if isinstance(shown, Mapping):
        _print_block(shown, console)
    elif isinstance(shown, list) and shown and all(isinstance(row, Mapping) for row in shown):
        _print_rows(shown, console)
    elif isinstance(shown, list):
        _say(console, "\n".join(map(_text, shown)) or "none")
    else:
        _say(console, _text(shown))


def _masked(value: Json, name: str = "") -> Json:
    if isinstance(value, Mapping):
        prefix = EXTATTR if name == "extattr" else ""
        return {key: _masked(each, f"{prefix}{key}") for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, name) for each in value]
    if not isinstance(value, str):
        return value
    if name in URLS:
        return HIDDEN
    masked = mask(name, value)
    return mask_by_look(value) if masked == value else masked


def _print_rows(rows: Sequence[Record], console: Console) -> None:
    names = [name for name in rows[0] if any(row[name] not in (None, NOT_SHOWN, [], {}) for row in rows)]
    if len(names) > MOST_COLUMNS:
        for row in rows:
            _print_block(row, console)
            console.print()
        return
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_text(row[name])) for name in names))
    console.print(table)
    _say_hidden(console, [name for name in rows[0] if all(row[name] == NOT_SHOWN for row in rows)])


def _print_block(record: Record, console: Console) -> None:
    """A field a line; lists of records below them."""
    table = Table.grid(padding=(0, 2))
    lists = {name: value for name, value in record.items() if _holds_records(value)}
    for name, value in record.items():
        if value != NOT_SHOWN and name not in lists:
            table.add_row(name, Text(_text(value)))
    console.print(table)
    for name, value in lists.items():
        _say(console, f"{name}:")
        _print_rows(value, console)
    _say_hidden(console, [name for name, value in record.items() if value == NOT_SHOWN])


def _holds_records(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _say_hidden(console: Console, names: Sequence[str]) -> None:
    if names:
        _say(console, f"not shown to this secret: {', '.join(names)}")


def _say(console: Console, text: str) -> None:
    console.print(Text(text))


def _text(value: Json) -> str:
    """A value on one line, without what a terminal would obey."""
    if value == NOT_SHOWN:
        return "?"
    if isinstance(value, Mapping):
        return ", ".join(f"{printable(name)}={_text(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else printable(str(value))
