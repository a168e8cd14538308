"""The floors and the bans hold, and they are able to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, project

# The half of engine that acts; every other module there decides, and does no I/O.
ACTING = {
    "apply",
    "approving",
    "aside",
    "auditing",
    "baseline",
    "batch",
    "bell",
    "chronicle",
    "corp",
    "cut_off",
    "department_file",
    "hold",
    "housekeeping",
    "job_line",
    "judging",
    "looking",
    "measuring",
    "rebuilding",
    "reconcile",
    "recorder",
    "rekeying",
    "replacement",
    "rolling",
    "rows",
    "second_look",
    "settling",
    "single",
    "undoing",
    "watching",
}

BREACHES = {
    "imports point down": ("wxsync/model/tag.py", "import wxsync.config"),
    "do no I/O": ("wxsync/engine/actual.py", "import asyncio"),
    "shares nothing with the client": ("wxsync/sandbox/__init__.py", "import wxsync.wecom.errcodes"),
    "knows the sandbox": ("wxsync/runtime.py", "import wxsync.sandbox"),
    "write calls": ("wxsync/cli/__init__.py", "import wxsync.wecom.jobs"),
    "opens the client": ("wxsync/engine/corp.py", "import wxsync.wecom.client"),
}


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of the tree at `root`."""
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_contract_holds() -> None:
    """Imports point one way, in the tree as it stands."""
    done = lint_imports(ROOT)

    assert done.returncode == 0, done.stdout
    assert f"{len(BREACHES)} kept, 0 broken" in done.stdout


@pytest.mark.parametrize("contract", BREACHES)
def test_a_breach_is_seen(contract: str, tmp_path: Path) -> None:
    """An import that a contract forbids breaks that contract."""
    shutil.copytree(ROOT / "wxsync", tmp_path / "wxsync", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    module, line = BREACHES[contract]
    with (tmp_path / module).open("a", encoding="utf-8") as target:
        target.write(f"\n{line}\n")

    done = lint_imports(tmp_path)

    assert done.returncode == 1
    broken = [text for text in done.stdout.splitlines() if "BROKEN" in text]
    assert any(contract in text for text in broken), done.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("wxsync/service/turns.py", "import wxsync.cli"),
        ("wxsync/runtime.py", "import wxsync.service"),
        ("wxsync/engine/corp.py", "import wxsync.service"),
        ("wxsync/config/cron.py", "import wxsync.service"),
    ],
)
def test_service_has_its_floor(module: str, line: str, tmp_path: Path) -> None:
    """It knows all floors below it, and none of them knows it."""
    shutil.copytree(ROOT / "wxsync", tmp_path / "wxsync", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as target:
        target.write(f"\n{line}\n")

    done = lint_imports(tmp_path)

    assert done.returncode == 1
    assert f"{len(BREACHES) - 1} kept, 1 broken" in done.stdout, done.stdout


def test_a_room_that_nobody_drew_is_seen(tmp_path: Path) -> None:
    """A new module directly under wxsync must be given its floor."""
    shutil.copytree(ROOT / "wxsync", tmp_path / "wxsync", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "wxsync" / "attic.py").touch()

    done = lint_imports(tmp_path)

    assert done.returncode == 1
    assert "- wxsync.attic" in done.stdout


def test_every_module_of_engine_decides_or_acts() -> None:
    """A new module of engine falls under the ban on I/O, unless it is named here as one that acts."""
    contracts = project()["tool"]["importlinter"]["contracts"]
    [sources] = [c["source_modules"] for c in contracts if "do no I/O" in c["name"]]
    prefix = "wxsync.engine."
    deciding = {name.removeprefix(prefix) for name in sources if name.startswith(prefix)}
    present = {path.stem for path in (ROOT / "wxsync" / "engine").glob("*.py")} - {"__init__"}

    assert present == deciding | ACTING
    assert not deciding & ACTING
