"""The README names all that there is, and nothing that there is not."""

from __future__ import annotations

import re

from packaging.requirements import Requirement

from tests.house.command_line import commands
from tests.house.tree import ROOT, project
from wxsync.cli.main import cli

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_is_in_the_readme() -> None:
    """Somewhere one line of the README holds the command's words."""
    lines = [set(re.findall(r"[\w-]+", line)) for line in README.splitlines() if "wxsync " in line]
    missing = [" ".join(words) for words in commands(cli) if not any({*words} <= line for line in lines)]

    assert not missing


def test_the_readme_promises_no_command_that_is_not_there() -> None:
    """What stands in its code blocks can be typed."""
    blocks = "\n".join(re.findall(r"```\w*\n(.*?)```", README, re.DOTALL))
    shown = set(re.findall(r"^\s*(?:\$ )?(?:\.venv/bin/)?wxsync ([a-z][\w-]*)", blocks, re.MULTILINE))

    assert shown
    assert shown <= {words[0] for words in commands(cli)}


def test_no_command_that_is_there_is_said_to_be_missing() -> None:
    """What the README lists as not there yet is not there."""
    [line] = re.findall(r"^- \*\*Commands\*\* (.*)$", README, re.MULTILINE)
    missing = set(re.findall(r"`([\w-]+)`", line))

    assert missing
    assert missing.isdisjoint({words[0] for words in commands(cli)})


def test_every_make_target_of_the_readme_exists() -> None:
    """`make something` in the README is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^\s*(?:\$ )?)make ([a-z]+)", README, re.MULTILINE))

    assert {"demo", "test"} <= named <= targets


def test_every_dependency_is_named_with_its_reason() -> None:
    """The README says of each package that gets installed what it is for."""
    names = [Requirement(line).name for line in project()["project"]["dependencies"]]
    missing = [name for name in names if not re.search(rf"`{re.escape(name)}`", README, re.IGNORECASE)]

    assert not missing
