"""The checks between a mistake and somebody's account are held by tests: changing one is noticed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.house.tree import ROOT
from tests.mutation.hunt import TESTS
from tests.mutation.mutants import mutants


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("x = a == b", ["x = a != b"]),
        ("x = a < b <= c", ["x = a <= b <= c", "x = a < b < c"]),
        ("x = a in b", ["x = a not in b"]),
        ("x = a is not b", ["x = a is b"]),
        ("x = a + b", ["x = a - b"]),
        ("x = a | b", ["x = a & b"]),
        ("x += a", ["x -= a"]),
        ("x = a and b", ["x = a or b", "x = b and b", "x = a and a"]),
        ("x = not a", ["x = +bool(a)"]),
        ("x = 1", ["x = 2"]),
        ("x = True", ["x = False"]),
        ("x = b if a else c", ["x = b if True else c", "x = b if False else c"]),
        ("x = [y for y in z if y]", ["x = [y for y in z]"]),
        ("def f():\n    return x", ["def f():\n    return None"]),
        (
            "def f():\n    g()\n    yield x",
            ["def f():\n    pass\n    yield x", "def f():\n    g()\n    pass"],
        ),
        ("if a:\n    raise b", ["if True:\n    raise b", "if False:\n    raise b", "if a:\n    pass"]),
        ("while a:\n    break", ["while True:\n    break", "while False:\n    break", "while a:\n    pass"]),
    ],
)
def test_every_part_of_a_check_is_changed(source: str, changed: list[str]) -> None:
    """One change at a time, and all of them."""
    assert sorted(mutant.code for mutant in mutants(source)) == sorted(changed)


@pytest.mark.parametrize(
    "source",
    [
        '"""A text."""',
        "x = 'text'",
        "x: int | None = None",
        "@dataclass(frozen=True)\nclass A:\n    x: str | None",
        "def f(a: str | None) -> str | None:\n    '''Said.'''\n    return None",
        "from a import b",
    ],
)
def test_what_is_no_behaviour_is_left_alone(source: str) -> None:
    """Texts, types, decorators, imports, and the return of nothing."""
    assert list(mutants(source)) == []


def test_a_mutant_is_told_with_its_line() -> None:
    """For whoever writes the test that is missing."""
    (mutant,) = mutants("a = b\n\nx = a == b")
    assert (mutant.line, mutant.what) == (3, "NotEq for Eq")


def test_the_modules_that_hold_a_door_have_mutants_and_tests() -> None:
    """Each of them is there, and so are the tests that should notice."""
    for module, tests in TESTS.items():
        source = (ROOT / (module.replace(".", "/") + ".py")).read_text("utf-8")
        assert len(list(mutants(source))) > 10, module
        assert all((ROOT / test).is_file() for test in tests)


@pytest.mark.soak
def test_a_check_that_is_changed_is_noticed() -> None:
    """Of all mutants of the gate, the page loop, the second look and the guard at least 85 % fail a test."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation.hunt"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
