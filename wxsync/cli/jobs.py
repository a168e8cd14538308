"""`wxsync jobs`: imports by file, what became of their rows, and one of them followed to its end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import Connection

from wxsync.cli.options import config_option, open_mirror, open_settings
from wxsync.cli.output import stdout_console
from wxsync.errors import WxsyncError
from wxsync.mirror import jobs as records
from wxsync.mirror import lease
from wxsync.mirror.store import Store
from wxsync.model.batch_job import JobOverview, JobReport
from wxsync.report.as_json import to_json
from wxsync.report.job_json import job_document, jobs_document
from wxsync.report.job_text import left_alone, print_job, print_jobs, progress_text, wording_for_jobs
from wxsync.report.wording import Wording

MOST = 2**31 - 1
"""The highest number that every database takes."""
FEW = 20
"""Jobs, or rows of one, where nobody said how many."""
EVERY_SECONDS = 1.0
"""How often a job that is followed is looked at; the mirror is asked, and not WeCom."""


@click.command()
@click.argument("job", type=click.IntRange(1, MOST), required=False)
@click.option("--follow", is_flag=True, help="Wait until JOB is over, telling how far it is.")
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    help=f"How many of the last jobs, or of the rows of JOB [default: {FEW}; as JSON every row].",
)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--language", type=click.Choice(["zh", "en"]), help="[default: service.language]")
@config_option
def jobs(
    job: int | None, follow: bool, limit: int | None, format_: str, language: str | None, config: Path | None
) -> None:
    """Show the last imports by file, or one JOB with what became of its rows."""
    if follow and job is None:
        raise click.UsageError("--follow wants a JOB; `wxsync jobs` lists them.")
    settings = open_settings(config)
    wording = wording_for_jobs(language or settings.service.language)
    with open_mirror(settings) as store:
        if job is None:
            _show_list(store, limit or FEW, format_, wording)
            return
        if follow:
            _follow(store, job, wording)
        _show_one(store, job, limit if format_ == "json" else limit or FEW, format_, wording)


def _show_list(store: Store, limit: int, format_: str, wording: Wording) -> None:
    now = datetime.now(UTC)
    with store.reading() as connection:
        found = records.jobs(connection, limit)
        counts = records.counts(connection, [each.id for each in found])
        workers = {each.corp: lease.holder(connection, each.corp) for each in found}
    listed = [
        JobOverview(job=each, counts=counts.get(each.id, {}), worker=workers[each.corp]) for each in found
    ]
    if format_ == "json":
        document = jobs_document(listed, now, wording.language)
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        print_jobs(listed, stdout_console(), now, wording)


def _show_one(store: Store, id: int, limit: int | None, format_: str, wording: Wording) -> None:
    now = datetime.now(UTC)
    with store.reading() as connection:
        report = JobReport(
            overview=_overview(connection, id),
            tallies=records.tallies(connection, id),
            results=records.results(connection, id, limit),
        )
    if format_ == "json":
        click.echo(to_json(job_document(report, now, wording.language)), nl=False)
    else:
        print_job(report, stdout_console(), now, wording)


def _overview(connection: Connection, id: int) -> JobOverview:
    """Raises WxsyncError where there is no such job."""
    found = records.job(connection, id)
    if found is None:
        raise WxsyncError(f"there is no job {id}", hint="`wxsync jobs` lists them")
    counts = records.counts(connection, [id]).get(id, {})
    return JobOverview(job=found, counts=counts, worker=lease.holder(connection, found.corp))


def _follow(store: Store, id: int, wording: Wording) -> None:
    """Until the job is over: a bar on a terminal, else a line for each step forward, both on stderr."""
    console = Console(stderr=True)
    if console.is_terminal:
        _follow_by_bar(store, id, wording, console)
    else:
        _follow_by_lines(store, id, wording)


def _follow_by_bar(store: Store, id: int, wording: Wording, console: Console) -> None:
    was_left = False
    with _bar(console) as bar:
        task = bar.add_task("", total=100)
        for overview in _steps(store, id):
            if overview.is_left and not was_left:
                console.print(wording.of(left_alone(overview)), markup=False, highlight=False)
            was_left = overview.is_left
            bar.update(task, description=progress_text(overview, wording), completed=_percentage(overview))


def _follow_by_lines(store: Store, id: int, wording: Wording) -> None:
    told = ""
    for overview in _steps(store, id):
        line = f"{progress_text(overview, wording)}, {overview.job.percentage} %"
        if overview.is_left:
            line = f"{line}; {wording.of(left_alone(overview))}"
        if line != told:
            click.echo(line, err=True)
            told = line


def _steps(store: Store, id: int) -> Iterator[JobOverview]:
    """The job as it stands, again and again, the last time when it is over."""
    while True:
        with store.reading() as connection:
            overview = _overview(connection, id)
        yield overview
        if not overview.job.state.is_open:
            return
        time.sleep(EVERY_SECONDS)


def _percentage(overview: JobOverview) -> int:
    """100 is for a job that is over, whose rows are on record."""
    return min(overview.job.percentage, 99) if overview.job.state.is_open else 100


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
