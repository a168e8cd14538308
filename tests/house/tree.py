"""The checkout as the house tests look at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {"__pycache__", "build", "dist", ".git", ".venv"}


def project() -> dict[str, Any]:
    """pyproject.toml, parsed."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def files() -> list[Path]:
    """Every file of the project, relative to its root: what git would commit, or all."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        names = map(Path, sorted(set(os.fsdecode(listed.stdout).split("\0")) - {""}))
        return [name for name in names if (ROOT / name).is_file()]
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return sorted(p for p in found if not SKIPPED.intersection(p.parts) and not is_cache(p))


def is_cache(path: Path) -> bool:
    """Whether a tool left the file behind, in a folder such as .mypy_cache."""
    return any(part.startswith(".") and part.endswith(("cache", "hypothesis")) for part in path.parts[:-1])


def copy_tree(target: Path) -> Path:
    """The project's files and nothing else, as an archive would hold them; no .git."""
    for name in files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return target
