"""Which columns a mapping reads, held against those that the sources give: before any row is mapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wxsync.config.expressions import Expression
from wxsync.config.settings import DepartmentMapping, MemberMapping
from wxsync.config.suggestions import did_you_mean

Needs = Mapping[str, Expression]
"""An expression's path in the config -> the expression."""


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


def missing_columns(needs: Needs, query: str, sources: Sequence[str], given: Sequence[str]) -> list[str]:
    """A problem for each name that no source gives, with what was perhaps meant."""
    return [
        _problem(path, name, query, sources, given)
        for path, expression in needs.items()
        for name in sorted(expression.names.difference(given))
    ]


def _problem(path: str, name: str, query: str, sources: Sequence[str], given: Sequence[str]) -> str:
    where = f"the {query} query of source {' or '.join(sources)}"
    return f'{path}: {where} gives no column "{name}".{did_you_mean(name, given)} It gives {", ".join(given)}'


def too_few_columns(query: str, source: str, given: Sequence[str], expected: str) -> list[str]:
    """A problem where a query whose first two columns go by position has less than two."""
    if len(given) >= 2:
        return []
    return [f"source.{source}.{query}: gives {len(given)} column; its first two must be {expected}"]
