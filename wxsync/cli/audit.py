"""`wxsync audit`: who changed what, when and why; and whether what is said of it is what was written."""

from __future__ import annotations

from pathlib import Path

import click

from wxsync.cli.options import config_option, open_mirror, open_settings
from wxsync.cli.output import EXIT_DONE, stdout_console
from wxsync.config.settings import Settings
from wxsync.errors import WxsyncError
from wxsync.mirror import audit as trail
from wxsync.mirror.audit_chain import verify as walk_through
from wxsync.mirror.people import find_person
from wxsync.mirror.store import Store
from wxsync.model.audit import AuditLine, Begun, Verdict
from wxsync.report.as_json import to_json
from wxsync.report.trail_json import AUDIT_FORMAT, trail_document, verdict_document
from wxsync.report.trail_text import print_trail, print_verdicts
from wxsync.report.wording import Wording

EXIT_BROKEN = 1
MOST = 2**31 - 1
"""The highest number that every database takes."""
FEW = 50

FORMAT = click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
LANGUAGE = click.option("--language", type=click.Choice(["zh", "en"]), help="[default: service.language]")


@click.group()
def audit() -> None:
    """The audit trail: every write to WeCom, in lines that no one can change unseen."""


@audit.command()
@click.option(
    "--head",
    metavar="HASH",
    help="A head that was noted before: whether the trail still has it, so that nobody wrote it anew.",
)
@FORMAT
@LANGUAGE
@config_option
def verify(head: str | None, format_: str, language: str | None, config: Path | None) -> int:
    """Walk through the trail of every corp; leave with 1 where it is not what was written.

    Prints the trail's head: note it outside of the mirror, for --head.
    """
    settings = open_settings(config)
    given = None if head is None else head.strip().lower()
    with open_mirror(settings) as store, store.reading() as connection:
        verdicts = [walk_through(connection, corp, given) for corp in trail.corps(connection)]
    chosen = language or settings.service.language
    if format_ == "json":
        found = [verdict_document(verdict, chosen) for verdict in verdicts]
        click.echo(to_json({"format": AUDIT_FORMAT, "corps": found}), nl=False)
    else:
        print_verdicts(verdicts, given, stdout_console(), _wording(chosen))
    return EXIT_DONE if _is_whole(verdicts, given) else EXIT_BROKEN


def _is_whole(verdicts: list[Verdict], given: str | None) -> bool:
    has_head = given is None or any(verdict.has_given_head for verdict in verdicts)
    return has_head and all(verdict.flaw is None for verdict in verdicts)


@audit.command()
@click.option("--person", metavar="KEY", help="Only what was done to this person, by source key or userid.")
@click.option("--run", type=click.IntRange(1, MOST), help="Only what this run did.")
@click.option("--corp", help="Only this corp, where the mirror knows several.")
@click.option("--limit", type=click.IntRange(1, MOST), default=FEW, show_default=True, help="How many lines.")
@FORMAT
@click.option("--show-personal", is_flag=True, help="Show phone numbers and addresses in full.")
@LANGUAGE
@config_option
def show(
    person: str | None,
    run: int | None,
    corp: str | None,
    limit: int,
    format_: str,
    show_personal: bool,
    language: str | None,
    config: Path | None,
) -> None:
    """Show who was changed, when, by which run and why; the newest first."""
    settings = open_settings(config)
    chosen = language or settings.service.language
    with open_mirror(settings) as store:
        found = _found(store, settings, corp, person, run, limit)
    if person is not None and not any(lines for _, lines, _ in found):
        raise WxsyncError(
            f"the audit trail has nothing about {person}",
            hint="it is looked for by source key or userid; old lines go after service.audit_days",
        )
    if format_ == "json":
        documents = [
            trail_document(name, lines, runs, language=chosen, masked=False) for name, lines, runs in found
        ]
        click.echo(to_json({"format": AUDIT_FORMAT, "corps": documents}), nl=False)
        return
    for name, lines, runs in found or [("", (), {})]:
        if len(found) > 1:
            click.echo(f"{name}:")
        wording = Wording(language=chosen, show_personal=show_personal, names={})
        print_trail(lines, runs, stdout_console(), wording)


def _found(
    store: Store, settings: Settings, corp: str | None, who: str | None, run: int | None, limit: int
) -> list[tuple[str, tuple[AuditLine, ...], dict[int, Begun]]]:
    """Corp -> its lines, and the beginnings of their runs."""
    found = []
    with store.reading() as connection:
        corps = trail.corps(connection)
        if corp is not None and corp not in {*corps, *settings.corp}:
            raise click.UsageError(
                f"There is no corp {corp!r}; there are: {', '.join(sorted(settings.corp))}."
            )
        for name in corps if corp is None else (corp,):
            person = None if who is None else find_person(connection, name, who)
            if who is not None and person is None:
                continue
            lines = trail.lines(connection, name, person=person, run_id=run, limit=limit)
            run_ids = {line.run_id for line in lines if line.run_id is not None}
            beginnings = trail.beginnings(connection, name, run_ids)
            runs = {
                line.run_id: line.record
                for line in beginnings
                if isinstance(line.record, Begun) and line.run_id is not None
            }
            found.append((name, lines, runs))
    return found


def _wording(language: str) -> Wording:
    return Wording(language=language, show_personal=False, names={})
