"""What docs/operations.md and the README tell one to type can be typed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from tests.house.command_line import named_commands
from tests.house.tree import ROOT
from wxsync.cli.main import cli

DOCUMENTS = ("README.md", "docs/operations.md")
COMMANDS = dict(named_commands(cli))


def typed(document: str) -> Iterator[str]:
    """Every piece of code that begins with wxsync, without the sudo before it."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if not language:
            yield from re.findall(r"^(?:sudo -u wxsync )?(wxsync .*)$", block, re.MULTILINE)
    sentences = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`(wxsync [^`…]*)[`…]", sentences)


def words_of(line: str) -> list[str]:
    """Without the comment, and without the options before the command."""
    words = line.partition(" #")[0].replace("[", "").replace("]", "").split()[1:]
    while words and words[0].startswith("--config"):
        words = words[2:]
    return words


def found(words: list[str]) -> click.Command | None:
    """The command that the first words name."""
    return next((COMMANDS[key] for n in (1, 2) if (key := tuple(words[:n])) in COMMANDS), None)


def yet_to_come() -> set[str]:
    """What the README says is not there yet."""
    [line] = re.findall(r"^- \*\*Commands\*\* (.*)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    return set(re.findall(r"`([\w-]+)`", line))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_can_be_typed(document: str) -> None:
    """It is there, and has the options with which it is shown."""
    shown = [words_of(line) for line in typed(document)]
    shown = [words for words in shown if words and words[0] not in yet_to_come()]
    unknown = [words for words in shown if found(words) is None]

    assert len(shown) > 15
    assert not unknown
    for words in shown:
        command = found(words)
        assert command is not None
        known = {name for param in command.params for name in param.opts}
        asked = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert asked <= known | {"--help"}, words


def test_a_command_that_is_not_there_would_be_noticed() -> None:
    """The search finds commands in blocks and in sentences, and tells what is none."""
    lines = [*typed("docs/operations.md")]

    assert "wxsync db restored" in lines
    assert any(line.startswith("wxsync --config /etc/wxsync/config.toml plan") for line in lines)
    assert found(["db", "restore"]) is None
    assert found(["recover"]) is None
