"""Entries as LDIF (RFC 2849)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence

Entries = Iterable[tuple[str, Mapping[str, Sequence[str | bytes]]]]
"""(DN, attribute -> values)."""


def to_ldif(entries: Entries) -> str:
    """The entries as content records; every value is written in base64, whatever it holds."""
    return "\n".join(_record(dn, attributes) for dn, attributes in entries)


def _record(dn: str, attributes: Mapping[str, Sequence[str | bytes]]) -> str:
    return "\n".join(_lines(dn, attributes)) + "\n"


def _lines(dn: str, attributes: Mapping[str, Sequence[str | bytes]]) -> Iterator[str]:
    yield _line("dn", dn)
    for name, values in attributes.items():
        for value in values:
            yield _line(name, value)


def _line(name: str, value: str | bytes) -> str:
    data = value.encode() if isinstance(value, str) else value
    return f"{name}:: {b64encode(data).decode('ascii')}"
