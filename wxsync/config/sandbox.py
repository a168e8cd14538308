"""Jinja's sandbox as expressions see it: strict, null-safe, and fast enough for every row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any, Final

from jinja2 import StrictUndefined, Undefined, UndefinedError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing, object_type_repr

from wxsync.config.filters import FILTERS

Filter = Callable[..., Any]
Lookup = Callable[[Mapping[str, object]], object]

UNSTEADY: Final = frozenset({"random"})
"""Filters that give something else every time: a plan must come out the same twice."""


class RowUndefined(StrictUndefined):
    """A name, element or attribute that is not there. Its message shows no value of the row."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is missing:
            return f'the row has no "{self._undefined_name}"'
        return f"{object_type_repr(self._undefined_obj)} has no such element or attribute"


class RowContext(Context):
    """One row as the names of an expression.

    Jinja's own constructor copies all variables and builds an evaluation context; for one
    expression over one row that costs more than the expression.
    """

    def __init__(
        self, environment: RowEnvironment, row: Mapping[str, object], stand_ins: Mapping[str, Lookup]
    ) -> None:
        self.parent: Any = row
        self.stand_ins = stand_ins
        self.vars = {}
        self.environment = environment
        self.eval_ctx = environment.shared_eval_context
        self.exported_vars = set()
        self.name = None
        self.globals_keys = set()
        self.blocks = {}

    def resolve_or_missing(self, key: str) -> Any:
        """The row's value, or what the call that `key` stands for reads; never Jinja's `missing`."""
        if (lookup := self.stand_ins.get(key)) is not None:
            return lookup(self.parent)
        try:
            return self.parent[key]
        except KeyError:
            raise UndefinedError(f'the row has no "{key}"') from None


class RowEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox with our filters, without globals; every filter gives null for null."""

    context_class = RowContext

    def __init__(self) -> None:
        super().__init__(undefined=RowUndefined, autoescape=False)
        self.globals.clear()
        filters = {name: f for name, f in self.filters.items() if name not in UNSTEADY} | dict(FILTERS)
        self.filters = {name: null_safe(function) for name, function in filters.items()}
        self.filters["default"] = self.filters["d"] = default
        self.shared_eval_context = EvalContext(self)


@cache
def row_environment() -> RowEnvironment:
    """The one environment: it holds no state of any row, and is costly to make."""
    return RowEnvironment()


def null_safe(function: Filter) -> Filter:
    """The filter, giving null for null."""
    if hasattr(function, "jinja_pass_arg"):

        @wraps(function)
        def with_surroundings(surroundings: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
            return None if value is None else function(surroundings, value, *args, **kwargs)

        return with_surroundings

    @wraps(function)
    def plain(value: Any, *args: Any, **kwargs: Any) -> Any:
        return None if value is None else function(value, *args, **kwargs)

    return plain


def default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:
    """`default_value` in the place of null; with `boolean` in the place of anything empty or false.

    Jinja's own steps in for undefined names alone, which a row never has.
    """
    if value is None or isinstance(value, Undefined) or (boolean and not value):
        return default_value
    return value
