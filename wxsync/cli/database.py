"""`wxsync db`: the mirror's schema, its backups, and another database for it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.engine import URL

from wxsync.cli.options import config_option, open_settings
from wxsync.cli.output import counted, progress_bar
from wxsync.cli.recovery import rebuild, restored
from wxsync.cli.waiting import must_agree
from wxsync.config.database import MIRROR_DIALECTS, check_database_url, full_url, has_password
from wxsync.config.secrets import Secret, Surroundings, resolve
from wxsync.errors import ConfigError, SecretError
from wxsync.mirror import schema
from wxsync.mirror.backup import back_up
from wxsync.mirror.marks import MarkKind
from wxsync.mirror.moving import move
from wxsync.mirror.schema import SchemaStatus

SAID_OF = {
    MarkKind.BACKUP: "a backup of {place}, made at {made_at}: not to be used before `wxsync db restored`",
    MarkKind.COPYING: "a copy of {place} that is not whole",
    MarkKind.MOVED: "copied to {place} at {made_at}, which is the mirror since",
    MarkKind.RESTORED: "restored from a backup at {made_at}",
}


@click.group()
def db() -> None:
    """The mirror: what wxsync remembers of WeCom."""


db.add_command(restored)
db.add_command(rebuild)


@db.command()
@config_option
def upgrade(config: Path | None) -> None:
    """Bring the mirror's schema to what this version works with."""
    _show(schema.upgrade(open_settings(config).mirror.full_url))


@db.command()
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@config_option
def status(format_: str, config: Path | None) -> None:
    """Show the mirror's place, schema and size, and whether it is a backup."""
    found = schema.status(open_settings(config).mirror.full_url)
    if format_ == "json":
        document = {
            "place": found.place,
            "schema": found.current,
            "head": found.head,
            "is_at_head": found.is_at_head,
            "size_bytes": found.size_bytes,
            "marks": [
                {"mark": mark.kind.value, "made_at": _moment(mark.made_at), "place": mark.place}
                for mark in found.marks
            ],
        }
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        _show(found)


@db.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@config_option
def backup(file: Path | None, config: Path | None) -> None:
    """Make a copy of the mirror in FILE, also while runs are at work.

    It is the mirror of one moment, in a SQLite file that only you can read, whatever database the mirror
    lives in. Nothing is written over. FILE may be a directory; left out, it is this one, and the file's
    name has the moment in it.
    """
    url = open_settings(config).mirror.full_url
    now = datetime.now(UTC)
    with progress_bar() as bar:
        task = bar.add_task("wxsync db backup", total=None)
        made = back_up(
            url,
            _named(file, now),
            made_at=now,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    click.echo(f"backup:  {made.file}")
    click.echo(f"of:      {made.place}, {_moment(made.made_at)}")
    click.echo(f"schema:  {made.schema}")
    click.echo(f"size:    {_size(made.size_bytes)}, {counted(made.rows, 'row')}")
    click.echo("Before it is used as a mirror: wxsync db restored", err=True)


@db.command()
@click.argument("url")
@click.option(
    "--password",
    metavar="env:NAME",
    help="The password of that database: env:NAME, file:PATH or credential:NAME, never the word itself.",
)
@click.option("--yes", is_flag=True, help="Do not ask before.")
@config_option
def copy(url: str, password: str | None, yes: bool, config: Path | None) -> None:
    """Move the mirror to the empty database at URL, of any kind; then name that one as mirror.url.

    Every table is read back there and compared. No run may be at work meanwhile. The mirror stays as it is,
    marked, so that nobody goes on with it by mistake.
    """
    settings = open_settings(config)
    source, target = settings.mirror.full_url, _target(url, password)
    places = schema.existing(source).place, schema.status(target).place
    must_agree(f"Move the mirror from {places[0]} to {places[1]}?", yes=yes)
    with progress_bar() as bar:
        task = bar.add_task("wxsync db copy", total=None)
        moved = move(
            source,
            target,
            sorted(settings.corp),
            datetime.now(UTC),
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    click.echo(f"copied:  {counted(moved.rows, 'row')} in {counted(moved.tables, 'table')}, and compared")
    click.echo(f"from:    {moved.source}")
    click.echo(f"to:      {moved.target}")
    click.echo("Name that one as mirror.url in the config: the former one is marked and refuses to go on.")


def _target(text: str, password: str | None) -> URL:
    """Where to, with its password. Raises ConfigError, none of which shows one."""
    around = Surroundings(Path.cwd(), os.environ)
    try:
        url = check_database_url(text, dialects=MIRROR_DIALECTS, around=around)
        if has_password(url):
            raise ConfigError(
                ["URL holds a password, which everybody on this machine sees in the list of processes"],
                hint="leave it out there, and give it by --password env:NAME",
            )
        return full_url(url, None if password is None else _referred(password, around))
    except (ValueError, SecretError) as error:
        raise ConfigError([str(error)], hint="see wxsync db copy --help") from None


def _referred(reference: str, around: Surroundings) -> Secret:
    secret = resolve(reference, around)
    if secret.is_written_out:
        raise SecretError("--password is the password itself: name where it is, as in env:NAME")
    return secret


def _named(file: Path | None, now: datetime) -> Path:
    """The file, under a name of its own in a directory."""
    if file is not None and not file.is_dir():
        return file
    return (file or Path()) / f"wxsync-backup-{now:%Y%m%dT%H%M%SZ}.db"


def _show(found: SchemaStatus) -> None:
    click.echo(f"mirror:  {found.place}")
    click.echo(f"schema:  {found.current or 'none'}" + ("" if found.is_at_head else f" (needs {found.head})"))
    if found.size_bytes is not None:
        click.echo(f"size:    {_size(found.size_bytes)}")
    for mark in found.marks:
        said = SAID_OF[mark.kind].format(made_at=_moment(mark.made_at), place=mark.place)
        click.echo(f"is:      {said}")
    if found.is_newer:
        click.echo("A later wxsync made it: use that one, or a later one still.", err=True)
    elif not found.is_at_head:
        click.echo("Run `wxsync db upgrade` to bring it up.", err=True)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1024:,.0f} KiB"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
