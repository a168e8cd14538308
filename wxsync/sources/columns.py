"""Which columns a mapping reads, held against those that the sources give: before any row is mapped."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wxsync.config.expressions import Expression
from wxsync.config.settings import DepartmentMapping, MemberMapping
from wxsync.config.suggestions import did_you_mean

Needs = Mapping[str, Expression]
"""An expression's path in the config -> the expression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one source has to give in one query."""

    source: str
    columns: tuple[str, ...]
    attributes: Collection[str] | None
    """Of a directory all that it knows; None: the columns are all that there is."""


def needs_of(path: str, mapping: DepartmentMapping | MemberMapping) -> dict[str, Expression]:
    """Every expression of a mapping table by its path."""
    return dict(_needs(path, mapping))


def _needs(path: str, mapping: DepartmentMapping | MemberMapping) -> Iterator[tuple[str, Expression]]:
    for name, value in mapping:
        if isinstance(value, Expression):
            yield f"{path}.{name}", value
        elif isinstance(value, dict):
            for attribute, expression in value.items():
                yield f"{path}.{name}.{attribute}", expression


def names_in(needs: Needs) -> frozenset[str]:
    """Every column that some expression reads."""
    return frozenset[str]().union(*(expression.names for expression in needs.values()))


def missing_columns(needs: Needs, query: str, offers: Sequence[Offer]) -> list[str]:
    """A problem for each name that no source gives, with what was perhaps meant."""
    given = {column for offer in offers for column in offer.columns}
    return [
        f"{path}: {_problem(name, query, offers)}"
        for path, expression in needs.items()
        for name in sorted(expression.names.difference(given))
    ]


def _problem(name: str, query: str, offers: Sequence[Offer]) -> str:
    tables = [offer for offer in offers if offer.attributes is None]
    directories = [offer.source for offer in offers if offer.attributes is not None]
    columns = dict.fromkeys(column for offer in tables for column in offer.columns)
    known = (*columns, *(each for offer in offers for each in offer.attributes or ()))
    lacking, more = [], []
    if tables:
        where = " or ".join(offer.source for offer in tables)
        lacking.append(f'the {query} query of source {where} gives no column "{name}"')
        more.append(f" {where if directories else 'It'} gives {', '.join(columns)}")
    if directories:
        lacking.append(f'the schema of source {" or ".join(directories)} has no attribute "{name}"')
        naming = " or ".join(f"source.{source}.names" for source in directories)
        more.append(f" Where the directory has it by another name, say so in {naming}")
    return f"{', and '.join(lacking)}.{did_you_mean(name, known)}{'.'.join(more)}"


def too_few_columns(query: str, source: str, given: Sequence[str], expected: str) -> list[str]:
    """A problem where a query whose first two columns go by position has less than two."""
    if len(given) >= 2:
        return []
    return [f"source.{source}.{query}: gives {len(given)} column; its first two must be {expected}"]
