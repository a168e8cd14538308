"""What of the config decides what a plan holds: each key by its path, without a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from wxsync.config.secrets import Secret
from wxsync.config.settings import Expression, Settings
from wxsync.config.table import Table

INDIFFERENT: Final = frozenset(
    {
        "canaries",
        "connect_timeout",
        "receive_timeout",
        "page_size",
        "ca_file",
        "start_tls",
        "watch",
        "mode",
        "notify",
        "schedule",
        "exact",
        "min_interval",
        "run_timeout",
        "breaker",
        "method",
        "exclusive",
        "replace",
        "invite",
        "confirm_reads",
    }
)
"""Keys that change how something is read or written, and not what a plan holds."""


def traits(settings: Settings, sync: str) -> dict[str, str]:
    """Path -> what it holds, of every key of `sync`, its sources and its corp's id that has not its default.

    A secret is not among them.
    """
    chosen = settings.sync[sync]
    found = {f"corp.{chosen.corp}.corp_id": settings.corp[chosen.corp].corp_id}
    for name in chosen.sources:
        found.update(_of_table(settings.source[name], f"source.{name}"))
    found.update(_of_table(chosen, f"sync.{sync}"))
    return found


def _of_table(table: Table, path: str) -> Iterator[tuple[str, str]]:
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        is_default = not field.is_required() and value == field.get_default(call_default_factory=True)
        if name not in INDIFFERENT and not is_default and not isinstance(value, Secret):
            yield from _of_value(value, f"{path}.{name}")


def _of_value(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Table):
        yield from _of_table(value, path)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _of_value(inner, f"{path}.{key}")
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    """As the file has it, or nearly so; an expression is its own text."""
    if isinstance(value, Expression):
        return value.source
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return json.dumps([_text(each) for each in value], ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, default=str)
