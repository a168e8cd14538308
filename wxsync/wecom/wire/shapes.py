"""What every answer of WeCom goes through: a field that is not as documented is an error, never a guess."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, TypeGuard

from wxsync.errors import WeComError

Json = dict[str, Any]
Answer = Mapping[str, Any]

LARGEST: Final = 2**63 - 1
"""No number of WeCom's is larger, and no database keeps a larger one."""
DIGITS: Final = len(str(LARGEST))


def object_of(content: bytes) -> Json | None:
    """The JSON object in `content`; None for anything else, however deep, long or ill-encoded it is.

    Half a surrogate pair, which no file, database or terminal takes, becomes U+FFFD.
    """
    try:
        answer = json.loads(content.decode("utf-8-sig"))
        if b"\\ud" in content.lower():
            answer = json.loads(_whole(json.dumps(answer, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _whole(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def errcode_of(row: Answer) -> int | None:
    """The errcode of an answer or a row: a number, or as a real log of getresult has it, digits in a text."""
    value = row.get("errcode")
    if isinstance(value, str) and len(value) <= DIGITS and value.removeprefix("-").isdecimal():
        value = int(value)
    return value if is_number(value) else None


def is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST


def rows_of(answer: Answer, name: str, endpoint: str) -> list[Answer]:
    rows = answer.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise unreadable(endpoint, f"{name} is not a list of records")
    return rows


def number_of(row: Answer, name: str, endpoint: str) -> int:
    value = row.get(name)
    if not is_number(value):
        raise unreadable(endpoint, f"{name} is not a number")
    return value


def text_of(row: Answer, name: str, endpoint: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise unreadable(endpoint, f"{name} is not a text")
    return value


def numbers_of(row: Answer, name: str, endpoint: str) -> tuple[int, ...]:
    """A list of numbers; one that is not there has none."""
    values = row.get(name, [])
    if not isinstance(values, list) or not all(is_number(value) for value in values):
        raise unreadable(endpoint, f"{name} is not a list of numbers")
    return tuple(values)


def texts_of(row: Answer, name: str, endpoint: str) -> tuple[str, ...]:
    """A list of texts; one that is not there has none."""
    values = row.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise unreadable(endpoint, f"{name} is not a list of texts")
    return tuple(values)


def unreadable(endpoint: str, problem: str) -> WeComError:
    hint = "see whether base_url of the corp is WeCom's; if it is, please report this"
    return WeComError(f"{endpoint}: the answer is not what WeCom documents: {problem}", hint=hint)
