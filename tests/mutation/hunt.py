"""Are the checks held by tests? Runs the tests of a module against every mutant of it.

    python -m tests.mutation.hunt [MODULE ...]

Prints a line a module and every mutant that nobody noticed. Ends with 1 where fewer than 85 % were noticed.
Each mutant has a process of its own, which imports the changed code in the place of the module.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Final

import pytest

from tests.mutation.mutants import mutants

ROOT: Final = Path(__file__).parents[2]
LEAST: Final = 0.85
"""So many of all mutants must be noticed."""
SECONDS: Final = 60
"""A mutant that runs longer has got lost, which is noticed too."""
MEMORY: Final = 4 << 30
WORKERS: Final = 2
HEAVY: Final = ("sqlalchemy", "pydantic", "httpx", "jinja2", "ldap3", "phonenumbers", "alembic")
"""Imported once, before the processes part."""

TESTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "wxsync.sources.proof": ("tests/sources/test_proof.py",),
        "wxsync.sources.ldap_pages": ("tests/sources/test_ldap_pages.py",),
        "wxsync.sources.ldap_proof": (
            "tests/sources/test_ldap_proof_scripted.py",  # first: it takes no second
            "tests/sources/test_ldap_proof.py",
        ),
        "wxsync.sources.second_look": ("tests/sources/test_finding.py",),
        "wxsync.engine.second_look": (
            "tests/engine/test_second_look.py",
            "tests/journeys/test_second_looks.py",
        ),
        "wxsync.engine.shrinking": ("tests/engine/test_shrinking.py",),
        "wxsync.engine.other_keys": ("tests/engine/test_other_keys.py",),
        "wxsync.sources.file_csv": ("tests/sources/test_file_csv.py",),
        "wxsync.sources.file_json": ("tests/sources/test_file_json.py",),
        "wxsync.sources.file_xlsx_parts": ("tests/sources/test_file_xlsx.py",),
        "wxsync.engine.guard": (
            "tests/engine/test_permit.py",
            "tests/engine/test_guard.py",
        ),
    }
)
"""A module that holds a door -> the tests that should notice when it does not: few, as time is."""


@dataclass(slots=True)
class Hunt:
    """What became of the mutants of one module."""

    module: str
    noticed: int = 0
    unnoticed: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.noticed + len(self.unnoticed)


class Changed(Loader):
    """Finds one module as another code than what is on disk."""

    def __init__(self, module: str, path: Path, code: str) -> None:
        self._module = module
        self._path = path
        self._code = code

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(name, self, origin=str(self._path)) if name == self._module else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._code, str(self._path), "exec"), module.__dict__)


def hunt(module: str) -> Hunt:
    """Try every mutant of the module; raises RuntimeError where its tests fail on the code as it is."""
    path = ROOT / (module.replace(".", "/") + ".py")
    source = path.read_text("utf-8")
    if not all(_outcomes(module, path, [source])):
        raise RuntimeError(f"the tests of {module} fail without any change")
    found, tried = Hunt(module), list(mutants(source))
    for mutant, survived in zip(tried, _outcomes(module, path, [each.code for each in tried]), strict=True):
        if survived:
            found.unnoticed.append(f"{path.relative_to(ROOT)}:{mutant.line} {mutant.what}")
        else:
            found.noticed += 1
    return found


def _outcomes(module: str, path: Path, codes: Sequence[str]) -> list[bool]:
    """Whether the tests passed, for each code in turn; several are tried at once."""
    passed = dict.fromkeys(range(len(codes)), False)
    running: dict[int, int] = {}
    waiting = iter(enumerate(codes))
    while True:
        while len(running) < WORKERS and (following := next(waiting, None)) is not None:
            number, code = following
            running[_start(module, path, code)] = number
        if not running:
            return [passed[number] for number in sorted(passed)]
        pid, status = os.wait()
        passed[running.pop(pid)] = os.waitstatus_to_exitcode(status) == 0


def _start(module: str, path: Path, code: str) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(_judge(module, path, code))
        finally:
            os._exit(99)
    return pid


def _judge(module: str, path: Path, code: str) -> int:
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    sys.meta_path.insert(0, Changed(module, path, code))
    quiet = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return int(pytest.main([*quiet, *TESTS[module]]))


def _give_up(_number: int, _frame: object) -> None:
    """As Ctrl-C does: servers that the tests have started are stopped."""
    raise KeyboardInterrupt


def main(modules: Sequence[str]) -> int:
    """Hunt in these modules, or in all; print what was found."""
    os.chdir(ROOT)
    for name in HEAVY:
        importlib.import_module(name)
    hunts = list(_told(modules or tuple(TESTS)))
    noticed, total = sum(each.noticed for each in hunts), sum(each.total for each in hunts)
    print(f"{noticed} of {total} mutants were noticed: {noticed / total:.1%}")
    return 0 if noticed >= LEAST * total else 1


def _told(modules: Sequence[str]) -> Iterator[Hunt]:
    for module in modules:
        since = time.monotonic()
        found = hunt(module)
        seconds = time.monotonic() - since
        print(f"{module}: {found.noticed} of {found.total} in {seconds:.0f} s", flush=True)
        for line in found.unnoticed:
            print(f"  {line}", flush=True)
        yield found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
