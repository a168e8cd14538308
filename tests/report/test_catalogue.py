"""The catalogue says everything that wxsync says, in Chinese."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import pytest

import wxsync
from wxsync.report.locale import NAMES, catalogue

PACKAGE = Path(wxsync.__file__).parent


@dataclass(frozen=True)
class Saying:
    """One `say(…)` in the source."""

    place: str
    template: str | None
    """None where it is not a literal."""
    facts: frozenset[str] | None
    """None where they are not spelled out."""


def sayings() -> Iterator[Saying]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            if isinstance(node, ast.Call) and _called(node.func) == "say":
                yield _saying(node, f"{path.relative_to(PACKAGE.parent)}:{node.lineno}")


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _saying(call: ast.Call, place: str) -> Saying:
    first = call.args[0] if call.args else None
    literal = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    names = [keyword.arg for keyword in call.keywords]
    told = None if None in names else frozenset(name for name in names if name is not None)
    return Saying(place, literal, told)


def fields(template: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def as_po(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def test_templates_are_literals() -> None:
    """Every `say` has its template as a literal at the place of use, so that this test can read it."""
    assert [each.place for each in sayings() if each.template is None] == []


def test_facts_fill_the_template() -> None:
    """Every `say` gives exactly the facts that its template names."""
    wrong = [
        each.place
        for each in sayings()
        if each.template is not None and each.facts is not None and fields(each.template) != each.facts
    ]
    assert wrong == []


def test_every_message_has_a_translation() -> None:
    """The Chinese catalogue has every template of the package, and this prints those that it lacks."""
    lacking: dict[str, str] = {}
    for each in sayings():
        found = catalogue("zh").get(each.template or "")
        if each.template and (found is None or not found.string):
            lacking.setdefault(each.template, each.place)
    entries = [f'#: {place}\nmsgid {as_po(text)}\nmsgstr ""\n' for text, place in lacking.items()]
    assert not entries, "add to wxsync/report/locale/zh/LC_MESSAGES/wxsync.po:\n\n" + "\n".join(entries)


def test_translations_name_the_same_facts() -> None:
    """A translation has the same fields in braces as its template."""
    wrong = [
        message.id
        for message in catalogue("zh")
        if message.id and fields(str(message.id)) != fields(str(message.string))
    ]
    assert wrong == []


def test_no_translation_is_left_over() -> None:
    """The catalogue has no text that nobody says any more."""
    said = {each.template for each in sayings()}
    left = [str(each.id) for each in catalogue("zh") if each.id and not each.context and each.id not in said]
    assert left == []


@pytest.mark.parametrize("context", NAMES)
def test_every_name_has_a_translation(context: str) -> None:
    """Every kind, verb, reason, state, limit and field has a Chinese name, and none is left over."""
    translated = {str(each.id) for each in catalogue("zh") if each.context == context and each.string}
    assert translated == set(NAMES[context].values())


def test_no_translation_is_doubtful() -> None:
    """No entry of the catalogue is marked fuzzy."""
    assert [each.id for each in catalogue("zh") if each.id and each.fuzzy] == []
