"""`wxsync db`: the mirror's schema."""

from __future__ import annotations

import json
from pathlib import Path

import click

from wxsync.cli.options import config_option, open_settings
from wxsync.mirror import schema
from wxsync.mirror.schema import SchemaStatus


@click.group()
def db() -> None:
    """The mirror: what wxsync remembers of WeCom."""


@db.command()
@config_option
def upgrade(config: Path | None) -> None:
    """Bring the mirror's schema to what this version works with."""
    _show(schema.upgrade(open_settings(config).mirror.full_url))


@db.command()
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@config_option
def status(format_: str, config: Path | None) -> None:
    """Show the mirror's place, schema and size."""
    found = schema.status(open_settings(config).mirror.full_url)
    if format_ == "json":
        document = {
            "place": found.place,
            "schema": found.current,
            "head": found.head,
            "is_at_head": found.is_at_head,
            "size_bytes": found.size_bytes,
        }
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        _show(found)


def _show(found: SchemaStatus) -> None:
    click.echo(f"mirror:  {found.place}")
    click.echo(f"schema:  {found.current or 'none'}" + ("" if found.is_at_head else f" (needs {found.head})"))
    if found.size_bytes is not None:
        click.echo(f"size:    {found.size_bytes / 1024:,.0f} KiB")
    if found.is_newer:
        click.echo("A later wxsync made it: use that one, or a later one still.", err=True)
    elif not found.is_at_head:
        click.echo("Run `wxsync db upgrade` to bring it up.", err=True)
