"""What every answer of WeCom goes through: a field that is not as documented is an error, never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wxsync.errors import WeComError

Json = dict[str, Any]
Answer = Mapping[str, Any]


def rows_of(answer: Answer, name: str, endpoint: str) -> list[Answer]:
    rows = answer.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise unreadable(endpoint, f"{name} is not a list of records")
    return rows


def number_of(row: Answer, name: str, endpoint: str) -> int:
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise unreadable(endpoint, f"{name} is not a number")
    return value


def text_of(row: Answer, name: str, endpoint: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise unreadable(endpoint, f"{name} is not a text")
    return value


def unreadable(endpoint: str, problem: str) -> WeComError:
    hint = "see whether base_url of the corp is WeCom's; if it is, please report this"
    return WeComError(f"{endpoint}: the answer is not what WeCom documents: {problem}", hint=hint)
