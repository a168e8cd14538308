"""The project's files agree with each other and know nothing of the machine that they were written on."""

from __future__ import annotations

import re
from pathlib import Path

import wxsync
from tests.house.tree import ROOT, files, project


def test_the_version_is_one() -> None:
    """pyproject.toml and the package name the same version, and the changelog has it."""
    version = project()["project"]["version"]

    assert version == wxsync.__version__
    assert f"\n## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_file_names_this_machine() -> None:
    """No file of the project holds the path of the checkout, somebody's home, or what lies beside it."""
    outside = "../" + "shared"  # in two pieces, or this file would name it
    places = [str(path) for path in (ROOT, Path.home()) if path != Path(path.anchor)]
    # A short path such as /app may be a word of the project's own: only its files count.
    pattern = re.compile("|".join([re.escape(outside), *(rf"(?<![\w./-]){re.escape(p)}/\w" for p in places)]))
    guilty = [
        f"{name}: {found}"
        for name in files()
        for found in pattern.findall((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    ]

    assert not guilty


def test_the_license_is_whole() -> None:
    """LICENSE is the full text of the license that pyproject.toml names."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")

    assert project()["project"]["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_tests_are_no_packages() -> None:
    """pytest imports them by path (importlib); an __init__.py would make that ambiguous."""
    assert not [path for path in files() if path.parts[0] == "tests" and path.name == "__init__.py"]
