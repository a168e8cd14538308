"""A company of its own for every test of a command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.stage import Stage, open_stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with open_stage(tmp_path) as opened:
        yield opened


@pytest.fixture
def applied(stage: Stage) -> Stage:
    """The company after its first load."""
    stage.ok("apply", "--yes")
    return stage
