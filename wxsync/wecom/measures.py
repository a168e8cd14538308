"""What WeCom takes of a text or a list, declared on the fields of a record and checked at its birth.

A record that breaks a measure raises `UnsendableError`, which names the field and the numbers and never the
content. `shown` forbids nothing: WeCom takes more, and its clients may show no more than that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, fields
from typing import Any, ClassVar, Final, Protocol

from wxsync.errors import UnsendableError

URL: Final = re.compile(r"https?://[^\s/]\S*", re.ASCII | re.IGNORECASE)
NAME: Final = "measure"
"""Of the entry in a field's metadata."""


class Record(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What one field may hold: a text, or a tuple of `items`."""

    is_required: bool = False
    octets: int | None = None
    """Bytes in UTF-8."""
    characters: int | None = None
    is_url: bool = False
    items: tuple[int, int] | None = None
    """Fewest and most."""
    shown: int | None = None
    shown_in_webhook: int | None = None

    @property
    def metadata(self) -> Mapping[str, Measure]:
        """For `dataclasses.field`."""
        return {NAME: self}


FREE: Final = Measure()
REQUIRED_TEXT: Final = Measure(is_required=True)
REQUIRED: Final = REQUIRED_TEXT.metadata


def check(record: Record) -> None:
    """Raise `UnsendableError` for the first field of `record` that breaks its measure."""
    for part in fields(record):
        value = getattr(record, part.name)
        measure: Measure = part.metadata.get(NAME, FREE)
        if isinstance(value, str):
            check_text(field_name(record, part.name), value, measure)
        elif isinstance(value, tuple):
            check_items(field_name(record, part.name), value, measure)


def check_text(name: str, text: str, measure: Measure) -> None:
    """Raise `UnsendableError` where `text`, called `name`, breaks its measure."""
    octets = size_of(name, text)
    if measure.is_required and not text.strip():
        raise UnsendableError(name, "is empty, and WeCom wants a text there")
    if measure.octets is not None and octets > measure.octets:
        raise UnsendableError(name, f"has {octets} bytes, and WeCom takes {measure.octets}")
    if measure.characters is not None and len(text) > measure.characters:
        raise UnsendableError(name, f"has {len(text)} characters, and WeCom takes {measure.characters}")
    if measure.is_url and text and not URL.fullmatch(text):
        raise UnsendableError(name, "is no address that begins with http:// or https://")


def check_items(name: str, items: tuple[object, ...], measure: Measure) -> None:
    """Raise `UnsendableError` where there are too few or too many, or a text among them cannot be sent."""
    for item in items:
        if isinstance(item, str):
            size_of(name, item)
    if measure.items is None:
        return
    fewest, most = measure.items
    if not fewest <= len(items) <= most:
        raise UnsendableError(name, f"has {len(items)} items, and WeCom takes {fewest} to {most}")


def check_distinct(name: str, keys: Iterable[str]) -> None:
    """Raise `UnsendableError` where one of `keys` comes twice."""
    known = list(keys)
    if len(set(known)) < len(known):
        raise UnsendableError(name, "has one key twice")


def size_of(name: str, text: str) -> int:
    """Bytes of `text` in UTF-8; half a surrogate pair has none, and raises `UnsendableError`."""
    try:
        return len(text.encode("utf-8"))
    except UnicodeEncodeError:
        pass  # its exception holds the whole text
    raise UnsendableError(name, "holds something that is no character")


def field_name(record: Record, name: str) -> str:
    return f"{type(record).__name__}.{name}"


def overlong(record: Record, *, is_webhook: bool = False) -> tuple[str, ...]:
    """The fields, those of the records in it too, of which WeCom's clients may show the beginning only."""
    return tuple(_overlong(record, is_webhook=is_webhook))


def _overlong(record: Record, *, is_webhook: bool) -> Iterator[str]:
    for part in fields(record):
        value = getattr(record, part.name)
        measure: Measure = part.metadata.get(NAME, FREE)
        shown = measure.shown_in_webhook if is_webhook and measure.shown_in_webhook else measure.shown
        if isinstance(value, str) and shown is not None and len(value) > shown:
            yield field_name(record, part.name)
        for inner in value if isinstance(value, tuple) else (value,):
            if hasattr(inner, "__dataclass_fields__"):
                yield from _overlong(inner, is_webhook=is_webhook)
