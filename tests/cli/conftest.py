"""A company of its own for every test of a command."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.stage import Stage, open_stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with open_stage(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def first_load(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A company after its first load, to be copied from; its WeCom serves no more."""
    with open_stage(tmp_path_factory.mktemp("first-load")) as opened:
        opened.ok("apply", "--yes")
        return opened


@pytest.fixture
def applied(stage: Stage, first_load: Stage) -> Stage:
    """The company after its first load, which was run 1."""
    shutil.copy(first_load.mirror_file, stage.mirror_file)
    stage.wecom.directory = copy.deepcopy(first_load.wecom.directory)
    return stage
