"""Small changes to one module's code, each of which some test should notice.

Every mutant is the whole module with one change: a comparison turned round, a condition taken for true or
false, `and` for `or`, a number one larger, a statement or a check left out. Texts are left alone: what is
said to people is not what holds the door.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

SWAPS: Final[dict[type[Any], type[Any]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
Change: TypeAlias = Callable[[ast.AST], None]
"""Changes the node at one place, in a tree of its own."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: where, and the module's code with it."""

    line: int
    what: str
    code: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    silent = frozenset(map(id, _without_behaviour(tree)))
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in silent:
            continue
        for what, change in _changes(node):
            changed = copy.deepcopy(tree)
            change(_nth(changed, number))
            code = ast.unparse(ast.fix_missing_locations(changed))
            yield Mutant(getattr(node, "lineno", 0), what, code)


def _nth(tree: ast.AST, number: int) -> ast.AST:
    return next(node for place, node in enumerate(ast.walk(tree)) if place == number)


def _without_behaviour(tree: ast.AST) -> Iterator[ast.AST]:
    """What is written for readers and type checkers: annotations and decorators."""
    for node in ast.walk(tree):
        told = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        for part in (*told, *getattr(node, "decorator_list", ())):
            if isinstance(part, ast.AST):
                yield from ast.walk(part)


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Compare(ops=ops):
            for place, op in enumerate(ops):
                if type(op) in SWAPS:
                    yield _told(op), _turning(place)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in SWAPS:
            yield _told(op), _turning_op
        case ast.BoolOp(op=op):
            yield _told(op), _turning_op
            for place in range(len(node.values)):
                yield f"part {place + 1} left out", _leaving_out(place)
        case ast.UnaryOp(op=ast.Not()):
            yield "not left out", _without_not
        case ast.If() | ast.IfExp() | ast.While():
            yield "always", _deciding(is_met=True)
            yield "never", _deciding(is_met=False)
        case ast.comprehension(ifs=ifs):
            for place in range(len(ifs)):
                yield "filter left out", _unfiltered(place)
        case ast.Constant(value=bool()):
            yield "the other one", _other_constant
        case ast.Constant(value=int()):
            yield "one more", _other_constant
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield "gives nothing", _giving_nothing
    yield from _statements_left_out(node)


def _told(op: ast.AST) -> str:
    return f"{SWAPS[type(op)].__name__} for {type(op).__name__}"


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _turning(place: int) -> Change:
    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.Compare)
        node.ops[place] = SWAPS[type(node.ops[place])]()

    return change


def _turning_op(node: ast.AST) -> None:
    assert isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp)
    node.op = SWAPS[type(node.op)]()


def _leaving_out(place: int) -> Change:
    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.BoolOp)
        del node.values[place]
        if len(node.values) == 1:
            node.values.append(copy.deepcopy(node.values[0]))

    return change


def _without_not(node: ast.AST) -> None:
    assert isinstance(node, ast.UnaryOp)
    node.op = ast.UAdd()
    node.operand = ast.Call(func=ast.Name(id="bool", ctx=ast.Load()), args=[node.operand], keywords=[])


def _deciding(*, is_met: bool) -> Change:
    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.If | ast.IfExp | ast.While)
        node.test = ast.Constant(value=is_met)

    return change


def _unfiltered(place: int) -> Change:
    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.comprehension)
        del node.ifs[place]

    return change


def _other_constant(node: ast.AST) -> None:
    assert isinstance(node, ast.Constant)
    node.value = (not node.value) if isinstance(node.value, bool) else int(str(node.value)) + 1


def _giving_nothing(node: ast.AST) -> None:
    assert isinstance(node, ast.Return)
    node.value = ast.Constant(value=None)


def _statements_left_out(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """Each statement that does something by itself; docstrings and bare declarations do nothing."""
    for field in ("body", "orelse"):
        body = getattr(node, field, None)
        if not isinstance(body, list) or isinstance(node, ast.ClassDef | ast.Module):
            continue
        for place, statement in enumerate(body):
            if _does_something(statement):
                yield f"line {statement.lineno} left out", _passing(field, place)


def _does_something(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
            return True
        case _:
            return False


def _passing(field: str, place: int) -> Change:
    def change(node: ast.AST) -> None:
        getattr(node, field)[place] = ast.Pass()

    return change
