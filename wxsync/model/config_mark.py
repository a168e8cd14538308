"""What a key of the config held when something was last applied: enough to see that it has changed since."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

MOST_SHOWN: Final = 120
"""Characters; of a longer value, as of a query, only a hash is kept."""
SHOWN: Final = "="
HIDDEN: Final = "#"
SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """A key of the config that holds something else than when something was last applied."""

    path: str
    before: str | None = None
    """None where there was none, or where it is not to be shown."""
    after: str | None = None


def marks_of(values: Mapping[str, str]) -> dict[str, str]:
    """Path -> what is kept of its value: itself where it is short and says nothing of a login, else a hash.

    The hash has a salt of its own, so that nobody finds the value by trying.
    """
    return {path: _mark(path, value) for path, value in values.items()}


def changed_since(marks: Mapping[str, str], values: Mapping[str, str]) -> Iterator[ConfigChange]:
    """Each path that holds something else than what `marks` were made of, or that was added or left out."""
    for path in sorted(marks.keys() | values.keys()):
        mark, value = marks.get(path), values.get(path)
        if mark is None or value is None or not _agrees(mark, value):
            yield ConfigChange(path=path, before=_shown(mark), after=_readable(path, value))


def _mark(path: str, value: str) -> str:
    if _is_shown(path, value):
        return SHOWN + value
    salt = secrets.token_hex(SALT_BYTES)
    return f"{HIDDEN}{salt}:{_hashed(salt, value)}"


def _agrees(mark: str, value: str) -> bool:
    if mark.startswith(SHOWN):
        return mark.removeprefix(SHOWN) == value
    salt, _, hashed = mark.removeprefix(HIDDEN).partition(":")
    return _hashed(salt, value) == hashed


def _hashed(salt: str, value: str) -> str:
    return hashlib.sha256(f"{salt}:{value}".encode()).hexdigest()


def _is_shown(path: str, value: str) -> bool:
    """A URL names a login, and may have more in it than anybody wants to read."""
    return len(value) <= MOST_SHOWN and path.rpartition(".")[2] not in ("url", "bind_dn")


def _shown(mark: str | None) -> str | None:
    return mark.removeprefix(SHOWN) if mark is not None and mark.startswith(SHOWN) else None


def _readable(path: str, value: str | None) -> str | None:
    return value if value is not None and _is_shown(path, value) else None
