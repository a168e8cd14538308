"""The command line as the house tests look at it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from wxsync.cli import main, output


def commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command of the command line, as the words that one types."""
    for name, _ in named_commands(command, words):
        yield name


def named_commands(
    command: click.Command, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command of the command line by the words that one types."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None, f"{name} is listed and not there"
        if not found.hidden:
            yield from named_commands(found, (*words, name))


def exit_codes() -> set[int]:
    """Every code with which a command can leave."""
    named = (item for module in (main, output) for item in vars(module).items())
    return {value for name, value in named if name.startswith("EXIT_")}
