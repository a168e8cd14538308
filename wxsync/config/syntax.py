"""Expressions read and checked before any row is: what they name, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar, runtime_checkable

from jinja2 import TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer

from wxsync.config.filters import fault_in_arguments
from wxsync.config.sandbox import UNSTEADY, Lookup, RowEnvironment, row_environment
from wxsync.config.suggestions import did_you_mean

NodeType = TypeVar("NodeType", bound=nodes.Node)

JINJAS_END: Final = re.compile(r"'?(end of print statement|end of template)'?")
"""How Jinja calls the end of an expression, which to it is part of a template."""

FUNCTIONS: Final = ("col", "all")
STAND_IN: Final = "_wxsync_{}"
NAMED_FILTERS: Final = {"map": "filters", "select": "tests", "reject": "tests"}
"""Filters whose first argument names another filter or test."""

HINTS: Final[Mapping[str, str]] = {
    "=": 'To compare, write "=="',
    "&": 'Write "and"',
    "|": 'Write "or" between conditions, one "|" before a filter',
    "!": 'Write "not"',
    "?": 'Write "A if CONDITION else B"',
    ";": "One expression is all there can be",
}


class ExpressionError(ValueError):
    """A text that is no expression; says what is wrong, and where."""


class UnreadableValue(ValueError):
    """A value of a row that is not what it should be; the message does not show it."""


@runtime_checkable
class ManyValued(Protocol):
    """A row whose names may hold several values, of which plain reading gives the first.

    Reading a name raises UnreadableValue where its values cannot be read.
    """

    def all_values(self, name: str) -> list[object]:
        """Every value of the name, none if there is none; KeyError for an unknown name."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """An expression's tree, with `col(…)` and `all(…)` replaced by names that stand in for them."""

    tree: nodes.Expr
    names: frozenset[str]
    singles: frozenset[str]
    """Those of which it reads one value: all but what stands in `all(…)` alone."""
    stand_ins: Mapping[str, Lookup]
    sole_name: str | None
    """Set where the whole expression is `col('…')`."""
    is_null_tolerant: bool
    filters: frozenset[str]


def parse(source: str) -> Parsed:
    """The expression, checked; raises ExpressionError."""
    environment = row_environment()
    scan = Scan(environment, source)
    tree = scan.parse()
    replacer = CallReplacer(scan)
    tree = replacer.visit(tree)
    _check_filters_and_tests(tree, scan, environment)
    for condition in _all_of(tree, nodes.CondExpr):
        if condition.expr2 is None:  # "A if B": null where B is false
            condition.expr2 = nodes.Const(None, lineno=condition.lineno, environment=environment)
    read = {node.name for node in _all_of(tree, nodes.Name)} - replacer.stand_ins.keys()
    if "self" in read:
        raise scan.fault("\"self\" is a word of Jinja's own. Write col('self')", "self")
    return Parsed(
        tree=tree,
        names=frozenset(read | replacer.names),
        singles=frozenset(read | set(replacer.columns.values())),
        stand_ins=replacer.stand_ins,
        sole_name=replacer.column_of(tree),
        is_null_tolerant=_is_null_tolerant(tree),
        filters=frozenset(used.name for used in _all_of(tree, nodes.Filter)),
    )


class Scan:
    """One expression's text and the places of its tokens, for errors that say where."""

    def __init__(self, environment: RowEnvironment, source: str) -> None:
        self.environment = environment
        self.source = source.strip()
        self.tokens: list[tuple[int, str]] = []
        self.offset = 0

    def parse(self) -> nodes.Expr:
        if not self.source:
            raise ExpressionError("is empty")
        if self.source.startswith("{{"):
            raise self._fault_at(0, "unexpected braces. Write the expression without {{ and }}")
        try:
            parser = Parser(self.environment, "", state="variable")
            parser.stream = TokenStream(self.environment.lexer.wrap(self._lexed()), None, None)
            tree = parser.parse_expression()
            if not parser.stream.eos:
                raise self._fault_at(self.tokens[-1][0], f'unexpected "{self.tokens[-1][1]}"')
        except TemplateSyntaxError as error:
            raise self._explained(error, at_end=parser.stream.current.type == "eof") from None
        tree.set_environment(self.environment)
        return tree

    def fault(self, text: str, word: str) -> ExpressionError:
        """The error, with the place where `word` first stands."""
        places = [offset for offset, token in self.tokens if token.strip("'\"") == word]
        return self._fault_at(places[0] if places else 0, text)

    def _lexed(self) -> Iterator[tuple[int, str, str]]:
        lexer = self.environment.lexer
        for line, kind, text in lexer.tokeniter(self.source, None, None, "variable"):
            if kind != "whitespace":
                self.tokens.append((self.offset, text))
            self.offset += len(text)
            yield line, kind, text

    def _explained(self, error: TemplateSyntaxError, *, at_end: bool) -> ExpressionError:
        text, at, place = (error.message or "is no expression").partition(" at ")
        if at and place.isdigit():  # "unexpected char '!' at 7"
            return self._fault_at(int(place), text)
        text = JINJAS_END.sub("end of the expression", text).rstrip(".")
        offset = len(self.source) if at_end or not self.tokens else self.tokens[-1][0]
        return self._fault_at(offset, text)

    def _fault_at(self, offset: int, text: str) -> ExpressionError:
        before = self.source[:offset]
        column = offset - (before.rfind("\n") + 1) + 1
        line = f"line {before.count(chr(10)) + 1}, " if "\n" in self.source else ""
        hint = HINTS.get(self.source[offset : offset + 1])
        return ExpressionError(f"{line}column {column}: {text.rstrip('.')}" + (f". {hint}" if hint else ""))


class CallReplacer(NodeTransformer):
    """Turns `col('x')` and `all('x')` into names that stand in for them; refuses other functions."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.names: set[str] = set()
        self.stand_ins: dict[str, Lookup] = {}
        self.columns: dict[str, str] = {}

    def get_visitor(self, node: nodes.Node) -> Callable[..., nodes.Node] | None:
        return self.replaced if isinstance(node, nodes.Call) else None

    def replaced(self, node: nodes.Call) -> nodes.Node:
        """The name that stands in for the call; the call itself where it is a value's method."""
        if not isinstance(node.node, nodes.Name):
            visited: nodes.Node = self.generic_visit(node)
            return visited
        function = node.node.name
        if function not in FUNCTIONS:
            raise self.scan.fault(self._no_such_function(function), function)
        name = node.args[0].value if len(node.args) == 1 and isinstance(node.args[0], nodes.Const) else None
        if not isinstance(name, str) or not name or node.kwargs or node.dyn_args or node.dyn_kwargs:
            example = f"{function}('mail')"
            raise self.scan.fault(f"{function}() takes one name in quotes, such as {example}", function)
        self.names.add(name)
        stand_in = STAND_IN.format(len(self.stand_ins))
        self.stand_ins[stand_in] = _one_value(name) if function == "col" else _every_value(name)
        if function == "col":
            self.columns[stand_in] = name
        return nodes.Name(stand_in, "load", lineno=node.lineno, environment=self.scan.environment)

    def column_of(self, tree: nodes.Node) -> str | None:
        return self.columns.get(tree.name) if isinstance(tree, nodes.Name) else None

    def _no_such_function(self, function: str) -> str:
        if function in self.scan.environment.filters:
            return f'there is no function "{function}", but a filter: write "VALUE | {function}"'
        return f'there is no function "{function}".{did_you_mean(function, FUNCTIONS)}'


def _one_value(name: str) -> Lookup:
    def one_value(row: Mapping[str, object]) -> object:
        return row[name]

    return one_value


def _every_value(name: str) -> Lookup:
    def lookup(row: Mapping[str, object]) -> object:
        return every_value(row, name)

    return lookup


def every_value(row: Mapping[str, object], name: str) -> list[object]:
    """All values that a row has under a name; none of a null. Raises KeyError, UnreadableValue."""
    if isinstance(row, ManyValued):
        return row.all_values(name)
    value = row[name]
    if isinstance(value, (list, tuple)):
        return list(value)
    return [] if value is None else [value]


def _check_filters_and_tests(tree: nodes.Expr, scan: Scan, environment: RowEnvironment) -> None:
    for used in _all_of(tree, nodes.Filter):
        if used.name in UNSTEADY:
            raise scan.fault(f'the filter "{used.name}" gives something else every time', used.name)
        _check_known("filter", used.name, environment.filters, scan)
        arguments = [argument.value for argument in used.args if isinstance(argument, nodes.Const)]
        if len(arguments) < len(used.args) or used.kwargs:
            continue
        if fault := fault_in_arguments(used.name, arguments):
            raise scan.fault(fault, used.name)
        if arguments and (register := NAMED_FILTERS.get(used.name)):
            _check_known(register.removesuffix("s"), str(arguments[0]), getattr(environment, register), scan)
    for test in _all_of(tree, nodes.Test):
        _check_known("test", test.name, environment.tests, scan)


def _check_known(what: str, name: str, known: Mapping[str, object], scan: Scan) -> None:
    if name not in known:
        raise scan.fault(f'there is no {what} "{name}".{did_you_mean(name, known)}', name)


def _is_null_tolerant(tree: nodes.Expr) -> bool:
    if any(test.name == "none" for test in _all_of(tree, nodes.Test)):
        return True
    return any(used.name in ("default", "d") for used in _all_of(tree, nodes.Filter))


def _all_of(tree: nodes.Node, kind: type[NodeType]) -> Iterator[NodeType]:
    if isinstance(tree, kind):
        yield tree
    yield from tree.find_all(kind)
