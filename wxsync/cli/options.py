"""Options that several commands share, and how they become settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from wxsync.cli.invocation import Invocation
from wxsync.config.loader import find_config, load_settings
from wxsync.config.settings import Settings
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """`--config` after the command; it may stand before it as well."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        help="The config file [default: $WXSYNC_CONFIG, ./wxsync.toml or /etc/wxsync/config.toml].",
    )(command)


def report_options(command: F) -> F:
    """How a plan or run is shown."""
    for option in (
        click.option("--show-personal", is_flag=True, help="Show phone numbers and addresses in full."),
        click.option("--language", type=click.Choice(["zh", "en"]), help="[default: service.language]"),
        click.option(
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write the report to this file (readable by you only) and not to the terminal.",
        ),
        click.option(
            "--format",
            "format_",
            type=click.Choice(["text", "json", "html"]),
            default="text",
            show_default=True,
            help="json is one document on stdout, with full values.",
        ),
    ):
        command = option(command)
    return command


def open_settings(config: Path | None) -> Settings:
    """The settings that the command works with; what their owner should know goes to stderr.

    `config` is the option after the command; the one before it is in the invocation.
    Raises ConfigError with every problem at once.
    """
    invocation = click.get_current_context().ensure_object(Invocation)
    loaded = load_settings(find_config(config or invocation.config))
    invocation.configured_language = loaded.settings.service.language
    for warning in loaded.warnings:
        click.echo(f"Warning: {warning}", err=True)
    return loaded.settings


@contextmanager
def open_mirror(settings: Settings) -> Iterator[Store]:
    """The mirror of the config, closed at the end of the block."""
    store = Store(prepare(settings.mirror.full_url))
    try:
        yield store
    finally:
        store.close()


def chosen_sync(settings: Settings, sync: str | None) -> str:
    """The sync that the command is about; it may be left out where there is just one."""
    names = sorted(settings.sync)
    if sync is None and len(names) == 1:
        return names[0]
    if sync is None:
        if not names:
            raise click.UsageError("The config has no [sync.…] table to work with.")
        raise click.UsageError(f"Which sync? The config has several: {', '.join(names)}.")
    if sync not in names:
        raise click.UsageError(f"There is no sync {sync!r} in the config; it has: {', '.join(names)}.")
    return sync
