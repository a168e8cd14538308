"""requirements.lock pins all that pyproject.toml asks for, and tells nothing of where it was made."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT, project

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = re.findall(r"^([\w.-]+)==([\w.]+)((?: \\\n    --hash=\S+)*)", LOCK, re.MULTILINE)
PINNED = {
    canonicalize_name(name): (version, hashes.count("--hash=sha256:")) for name, version, hashes in PINS
}


def wanted() -> list[str]:
    """Every requirement of the project: to run it, to develop it, to build it."""
    table = project()
    return [
        *table["project"]["dependencies"],
        *table["project"]["optional-dependencies"]["dev"],
        *table["build-system"]["requires"],
    ]


@pytest.mark.parametrize("line", wanted())
def test_a_requirement_is_pinned_within_its_range(line: str) -> None:
    """The lock has a version of it that the range in pyproject.toml allows."""
    requirement = Requirement(line)
    version, _ = PINNED[canonicalize_name(requirement.name)]

    assert version in requirement.specifier


def test_everything_pinned_has_hashes() -> None:
    """pip --require-hashes has something to hold every package against."""
    pins = [line for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))]

    assert len(pins) == len(PINNED)
    assert not [name for name, (_, hashes) in PINNED.items() if not hashes]


def test_the_lock_names_no_place() -> None:
    """No index, no host, no path, no option: only packages, versions and hashes."""
    assert "/" not in LOCK
    assert not [line for line in LOCK.splitlines() if line.startswith("-")]
