"""Jinja expressions over one row: the right-hand side of every mapping."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from jinja2 import TemplateError, Undefined, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from markupsafe import Markup
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from wxsync.config.filters import FilterFailed
from wxsync.config.sandbox import Lookup, RowContext, row_environment
from wxsync.config.syntax import ExpressionError, ManyValued, UnreadableValue, every_value, parse

__all__ = [
    "Expression",
    "ExpressionError",
    "ExpressionFailed",
    "ManyValued",
    "Row",
    "UnreadableValue",
    "every_value",
]

Row = Mapping[str, object]

LITERALS: Final = frozenset({"true", "false", "none", "True", "False", "None", "not"})
"""Words of Jinja's that look like a bare name."""

RESULT: Final = "_wxsync_result"

PLAIN: Final = frozenset({str, int, bool, float, type(None), date, datetime, Decimal, bytes})
"""Types that need no second look."""

TELLING: Final = (
    TypeError,
    ZeroDivisionError,
    FilterFailed,
    UnreadableValue,
    UndefinedError,
    SecurityError,
)
"""Errors whose text tells what is wrong without showing a value of the row."""


ROW_ERRORS: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TemplateError,
    TypeError,
    ValueError,
    re.error,
)
"""What an expression can raise over a row: the row's failure, never the run's."""


class ExpressionFailed(Exception):
    """An expression has no value for a row; `message` says why and shows no value of the row."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked and compiled expression; equal texts are equal and are compiled once.

    Raises ExpressionError (a ValueError) for a text that is no expression.
    """

    source: str
    names: frozenset[str] = field(init=False, compare=False, repr=False)
    """The row's names that it reads, those in col('…') and all('…') too."""
    singles: frozenset[str] = field(init=False, compare=False, repr=False)
    """Those of `names` of which it reads one value, be there several or not: a bare word, or col('…')."""
    null_tolerant: bool = field(init=False, compare=False, repr=False)
    """It says itself what a null means: `is none`, `is not none` or `default`."""
    filters: frozenset[str] = field(init=False, compare=False, repr=False)
    """The names of the filters in it."""
    is_bare: bool = field(init=False, compare=False, repr=False)
    """It is one name, so its value is the row's own."""
    _run: Callable[[Row], object] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        compiled = _compiled(self.source.strip())
        for name in ("names", "singles", "null_tolerant", "filters", "is_bare"):
            object.__setattr__(self, name, getattr(compiled, name))
        object.__setattr__(self, "_run", compiled.run)

    def evaluate(self, row: Row) -> object:
        """The expression's own value for the row; raises ExpressionFailed."""
        return self._run(row)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _validated,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.source),
        )


@dataclass(frozen=True, slots=True)
class _Compiled:
    run: Callable[[Row], object]
    names: frozenset[str]
    singles: frozenset[str]
    null_tolerant: bool
    is_bare: bool
    filters: frozenset[str] = frozenset()


@lru_cache(maxsize=1024)
def _compiled(source: str) -> _Compiled:
    if source.isidentifier() and source not in LITERALS:
        return _bare(source)
    try:
        parsed = parse(source)
        if parsed.sole_name is not None:
            return _bare(parsed.sole_name)
        run = _evaluator(parsed.tree, parsed.stand_ins)
    except (SyntaxError, RecursionError, MemoryError):
        raise ExpressionError("is nested too deeply") from None
    return _Compiled(
        run, parsed.names, parsed.singles, parsed.is_null_tolerant, is_bare=False, filters=parsed.filters
    )


def _bare(name: str) -> _Compiled:
    names = frozenset({name})
    return _Compiled(_reader(name), names, names, null_tolerant=False, is_bare=True)


def _reader(name: str) -> Callable[[Row], object]:
    def read(row: Row) -> object:
        try:
            return row[name]
        except KeyError:
            raise ExpressionFailed(f'the row has no "{name}"') from None
        except UnreadableValue as error:
            raise ExpressionFailed(str(error)) from None

    return read


def _evaluator(tree: nodes.Expr, stand_ins: Mapping[str, Lookup]) -> Callable[[Row], object]:
    environment = row_environment()
    assignment = nodes.Assign(nodes.Name(RESULT, "store"), tree, lineno=1)
    # What Jinja's own compile_expression does with the text, done with the tree.
    root = environment.from_string(nodes.Template([assignment], lineno=1)).root_render_func

    def evaluate(row: Row) -> object:
        context = RowContext(environment, row, stand_ins)
        try:
            next(root(context), None)
            value = context.vars[RESULT]
            return value if type(value) in PLAIN else _own(value)
        except ROW_ERRORS as error:
            raise ExpressionFailed(_reason(error)) from None

    return evaluate


def _own(value: object) -> object:
    """The value without Jinja's wrappings: a list for a generator, text for Markup."""
    if isinstance(value, Undefined):
        str(value)  # a strict one raises here and says what is not there
    if isinstance(value, Markup):
        return str(value)
    if isinstance(value, Iterator):
        value = list(value)
    if isinstance(value, (list, tuple)):
        return [item if type(item) in PLAIN else _own(item) for item in value]
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"the row has no {error}"
    return str(error) if isinstance(error, TELLING) else f"it fails with {type(error).__name__}"


def _validated(value: object) -> Expression:
    if isinstance(value, Expression):
        return value
    if not isinstance(value, str):
        raise ValueError("is an expression: write it as text, in quotes")
    return Expression(value)
