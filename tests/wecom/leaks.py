"""Everything that a failure leaves to be read, and the search for marked values in it."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote, quote_plus

TESTS = str(Path(__file__).parents[1])
"""Whose frames hold the marks themselves."""


def forms(value: str) -> frozenset[str]:
    """A value as it stands, and as URLs, JSON, HTML, base64 and hexadecimal have it."""
    raw = value.encode()
    found = {
        value,
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        lower_escapes(quote(value, safe="")),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        html.escape(value),
        raw.hex(),
        *_within_base64(raw),
    }
    return frozenset(found)


def lower_escapes(text: str) -> str:
    """A part of a URL as some servers write it."""
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def _within_base64(raw: bytes) -> Iterator[str]:
    """The characters that base64 has for it wherever it stands among other bytes."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        whole = encoded[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
        yield whole
        yield whole.translate(str.maketrans("+/", "-_"))


def leaked(text: str, marks: Mapping[str, str]) -> dict[str, str]:
    """The marks that `text` tells, each with some of what stands around it."""
    return {
        name: text[max(0, text.index(form) - 60) : text.index(form) + 30]
        for name, value in marks.items()
        for form in forms(value)
        if form in text
    }


def leaked_bytes(content: bytes, marks: Mapping[str, str]) -> set[str]:
    """The marks that a file tells, whatever it is a file of."""
    return {
        name
        for name, value in marks.items()
        for form in forms(value)
        for encoding in ("utf-8", "utf-16-le", "utf-16-be")
        if form.encode(encoding) in content
    }


def told_by(error: BaseException) -> str:
    """Texts, fields and tracebacks of an error and of all that led to it."""
    return "\n".join(
        [*traceback.format_exception(error), *map(str, chain(error)), *map(repr, reachable(error))]
    )


def frames_of(error: BaseException) -> str:
    """The values in the frames of its tracebacks, as a reporter of crashes shows them; not a test's."""
    return "\n".join(line for each in chain(error) for line in _values(each.__traceback__))


def chain(error: BaseException) -> list[BaseException]:
    """The error, and those that it came of or while it was dealt with."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or each in found:
            continue
        found.append(each)
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
    return found


def reachable(error: BaseException) -> list[object]:
    """What an error and those behind it hold: arguments, fields, notes, and what is in those."""
    found: list[object] = []
    waiting: list[object] = list(chain(error))
    while waiting:
        each = waiting.pop()
        if any(each is other for other in found):
            continue
        found.append(each)
        waiting += _parts(each)
    return found


def _parts(value: object) -> list[object]:
    if isinstance(value, BaseException):
        return [value.args, vars(value), getattr(value, "__notes__", None)]
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, (Sequence, frozenset, set)) and not isinstance(value, (str, bytes)):
        return list(value)
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, each.name) for each in fields(value) if each.repr]
    return []


def _values(trace: TracebackType | None) -> Iterator[str]:
    for frame, _ in traceback.walk_tb(trace):
        if frame.f_code.co_filename.startswith(TESTS):
            continue
        for name, value in frame.f_locals.items():
            yield f"{frame.f_code.co_qualname}: {name} = {value!r}"


@contextmanager
def listening() -> Iterator[list[str]]:
    """All that is logged in the block, at every level by every logger there is, and all warnings."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(f"{record.name}: {self.format(record)} {record.args!r}")

    ear = Ear(logging.NOTSET)
    root = logging.getLogger()
    known = [each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    before = [(each, each.level, each.propagate, each.disabled) for each in (root, *known)]
    for each in (root, *known):
        each.setLevel(logging.DEBUG)
        each.propagate, each.disabled = True, False
    root.addHandler(ear)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield heard
        heard += [str(each.message) for each in warned]
    finally:
        root.removeHandler(ear)
        for each, level, propagate, disabled in before:
            each.setLevel(level)
            each.propagate, each.disabled = propagate, disabled
