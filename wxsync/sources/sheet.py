"""One row under the pen: its fields are evaluated one by one, and what is wrong with them is gathered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from wxsync.config.expressions import Expression, ExpressionFailed, UnreadableValue
from wxsync.model.change import Kind, Rejected
from wxsync.model.message import Message, say
from wxsync.model.unknown import UNKNOWN
from wxsync.sources.base import NamedRow, Row
from wxsync.sources.normal import Breach, key_of

NOTHING: Final = frozenset[str]()
NOT_KNOWN: Final = say(
    "it reads what a later source has, and that one was not read whole: what it says here is not known"
)


def reject(kind: Kind, key: str | None, field: str | None, breach: Breach) -> Rejected:
    """The breach as a reject of the record."""
    return Rejected(kind=kind, key=key, field=field, rule=breach.rule, problem=breach.problem)


def failed(error: ExpressionFailed, field: str) -> Breach:
    """An expression that fails on a row; its message shows no value of the row."""
    problem = say("{field} cannot be worked out: {reason}", field=field, reason=error.message)
    return Breach("expression", problem)


def read_key(expression: Expression, row: Row) -> str:
    """The row's key; breaks rule "key", "several_values" or "expression" where it has none."""
    demand_one_value(expression, row, "key")
    try:
        value = None if has_null(expression, row) else key_of(expression.evaluate(row), "key")
        key = key_of(value, "key")  # once more, for the length of a DN: the mirror holds keys
    except ExpressionFailed as error:
        raise failed(error, "key") from None
    except Breach as breach:
        raise Breach("key", breach.problem) from None
    if key is None:
        raise Breach(
            "key",
            say("the row has no key: it may be anybody; filter such rows out in the query, or mend them"),
        )
    return key


def demand_one_value(expression: Expression, row: Row, field: str) -> None:
    """Break rule "several_values" where the expression reads one value of a name that has several here.

    In which order a directory gives them is its own business, so the first one decides nothing.
    """
    if isinstance(row, NamedRow):
        for name in sorted(expression.singles):
            with suppress(UnreadableValue, KeyError):  # which the expression itself will meet
                if row.has_several(name):
                    raise Breach("several_values", _several(field, name))


def _several(field: str, name: str) -> Message:
    return say(
        "{field} reads one value of {name}, of which the row has several: say which, as by all('{name}')",
        field=field,
        name=name,
    )


def has_null(expression: Expression, row: Row) -> bool:
    """Whether a column that the expression names is null, and it does not say what to do then.

    Without this, `'u' ~ emp_no` would make "uNone" of a null.
    """
    return not expression.null_tolerant and any(_is_null(row, name) for name in expression.names)


def _is_null(row: Row, name: str) -> bool:
    try:
        return row.get(name) is None
    except UnreadableValue:  # which the expression itself will meet
        return False


@dataclass(slots=True, kw_only=True)
class Sheet:
    """One row under the pen: evaluates fields and gathers what is wrong with them."""

    kind: Kind
    key: str
    row: Row
    rejected: list[Rejected] = field(default_factory=list)
    unknown: frozenset[str] = field(init=False)
    """Columns of which nobody can tell what the row has there."""

    def __post_init__(self) -> None:
        self.unknown = self.row.unknown if isinstance(self.row, NamedRow) else NOTHING

    def take(
        self,
        name: str,
        expression: Expression | None,
        normalise: Callable[[object], Any],
        *,
        may_be_unknown: bool = False,
        decides: bool = False,
    ) -> Any:
        """The normal form of a mapped field; UNKNOWN where it is not mapped or cannot be used.

        So it is where a later source that was not read whole may have a value that nobody saw. That
        refuses the row, but for fields that may be unknown: those stay as they are. A field that `decides`
        who is there, and where, takes no first of several values.
        """
        if expression is None:
            return UNKNOWN
        if not self.unknown.isdisjoint(expression.names):
            if not may_be_unknown:
                self.refuse(name, Breach("incomplete", NOT_KNOWN))
            return UNKNOWN
        try:
            if decides:
                demand_one_value(expression, self.row, name)
            return normalise(expression.evaluate(self.row))
        except ExpressionFailed as error:
            self.refuse(name, failed(error, name))
        except Breach as breach:
            self.refuse(name, breach)
        return UNKNOWN

    def refuse(self, name: str, breach: Breach) -> None:
        self.rejected.append(reject(self.kind, self.key, name, breach))
