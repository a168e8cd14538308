"""What the package imports and what it asks to be installed are the same."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT, project

# Never imported: time zones for machines that have none.
BY_NAME = {"tzdata"}

# Halves of a package that its own manual tells one to import from; each asks for the very version that fits.
HALVES = {"markupsafe": "jinja2", "pydantic-core": "pydantic"}


def imported() -> set[str]:
    """The distributions whose modules the product imports."""
    paths = [*(ROOT / "wxsync").rglob("*.py"), *(ROOT / "migrations").rglob("*.py")]
    tops = {top for path in paths for top in top_names(ast.parse(path.read_bytes()))}
    outside = tops - sys.stdlib_module_names - {"wxsync"}
    known = packages_distributions()
    names = {str(canonicalize_name(name)) for top in outside for name in known.get(top, [top])}
    return {HALVES.get(name, name) for name in names}


def top_names(tree: ast.AST) -> Iterator[str]:
    """The first word of everything that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module.split(".")[0]


def test_every_import_is_declared() -> None:
    """Nothing works only because some other package happens to bring it along."""
    declared = {str(canonicalize_name(Requirement(d).name)) for d in project()["project"]["dependencies"]}

    assert imported() <= declared, imported() - declared


def test_every_dependency_is_used() -> None:
    """Nobody has to install what nothing needs."""
    declared = {str(canonicalize_name(Requirement(d).name)) for d in project()["project"]["dependencies"]}

    assert declared - imported() == BY_NAME
