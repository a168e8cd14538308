"""What is wrong with a config, in words, each with its path."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from wxsync.config.shape import keys_at, tables
from wxsync.config.suggestions import did_you_mean

Path = tuple[str | int, ...]

BARE_KEY: Final = re.compile(r"[\w-]+")
NO_MARK: Final = "[key]"

SENTENCES: Final[Mapping[str, str]] = {
    "missing": "is required",
    "string_type": "must be text, in quotes",
    "string_too_short": "is empty",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list, in square brackets",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "path_type": "must be a path, in quotes",
    "too_short": "must name at least one",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than_equal": "must be {le:g} or less",
    "string_pattern_mismatch": "is no name: those have 1 to 64 letters, digits, _ and -",
    "union_tag_not_found": "is required: {choices}",
}
"""pydantic's error type -> what it means for somebody who writes TOML."""

MARKED: Final = (("source",), ("notify",))
"""Tables of several types: pydantic puts the type behind the table's own name."""
TYPES: Final[Mapping[str | int, str]] = {
    "source": '"sql", "ldap" or "file"',
    "notify": '"app", "group", "smtp" or "http"',
}

NOT_HERE: Final[Mapping[Path, str]] = {
    ("sql", "watch"): "is for directories: a database does not tell what has changed since a moment. "
    "It is read whenever the schedule says so",
    ("file", "watch"): "is for directories: files do not tell what has changed since a moment. "
    "They are read whenever the schedule says so",
}
"""A kind of source and a key that it does not have -> why another kind has it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of the config and where it stands."""

    path: Path
    text: str

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.text}"


def dotted(path: Path) -> str:
    """The path as TOML would write it; the items of a list count from 0."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{key}" if text else key
    return text


def problems_of(error: ValidationError, data: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Every fault that pydantic found in `data`. No text shows a value, except where it is a choice."""
    found = [(details["type"], _problem(details, data)) for details in error.errors(include_url=False)]
    places = [problem.path for _, problem in found]
    return tuple(
        problem
        for kind, problem in found
        # A list whose items are at fault is also too short to pydantic, which left them out.
        if not (kind == "too_short" and any(place[:-1] == problem.path for place in places))
    )


def value_at(path: Path, data: Any) -> Any:
    """What the file says at the path; None where it says nothing."""
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _problem(details: ErrorDetails, data: Mapping[str, Any]) -> Problem:
    kind, facts, path = details["type"], details.get("ctx", {}), _without_marks(details["loc"])
    if kind.startswith("union_tag"):
        path = (*path, "type")
    if kind == "extra_forbidden":
        return Problem(path, NOT_HERE.get(details["loc"][2:]) or _unknown_key(details["loc"]))
    if kind == "value_error":
        return Problem(path, str(facts["error"]))
    if kind in ("literal_error", "union_tag_invalid"):
        choices = facts["expected" if kind == "literal_error" else "expected_tags"]
        return Problem(path, _not_a_choice(value_at(path, data), re.findall("'([^']+)'", choices)))
    sentence, choices = SENTENCES.get(kind), TYPES.get(path[0], "") if path else ""
    return Problem(path, sentence.format(**facts, choices=choices) if sentence else details["msg"])


def _without_marks(place: Path) -> Path:
    """The path without what pydantic adds: the type of a source, the mark of a faulty table name."""
    path = tuple(part for part in place if part != NO_MARK)
    is_marked = path[:1] in MARKED and len(path) > 2
    return path[:2] + path[3:] if is_marked else path


def _not_a_choice(value: object, choices: list[str]) -> str:
    said = f'is "{value}", but ' if isinstance(value, str) else ""
    listed = " or ".join(f'"{choice}"' for choice in choices)
    hint = did_you_mean(value, choices) if isinstance(value, str) else ""
    return f"{said}must be {listed}.{hint}" if hint else f"{said}must be {listed}"


def _unknown_key(place: Path) -> str:
    key, keys = str(place[-1]), keys_at(place[:-1])
    if hint := did_you_mean(key, keys):
        return f"there is no such key.{hint}"
    if homes := [path for path, table in tables() if path and key in table.model_fields]:
        return f"there is no such key here. It belongs in [{homes[0]}]"
    return f"there is no such key. This table takes {', '.join(keys)}"
