"""What the sources gave: for `wxsync plan --source-only`, and for what `wxsync check` says of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

import click

from wxsync.cli.finding import Finding, note, ok
from wxsync.cli.output import EXIT_DONE, Reporter
from wxsync.cli.waiting import run_to_end
from wxsync.config.settings import Settings
from wxsync.model.change import Kind
from wxsync.model.department import Department
from wxsync.model.glance import Looked
from wxsync.model.member import Member
from wxsync.report.notices import aside_text
from wxsync.report.source_json import SAMPLES
from wxsync.report.source_text import query_lines, reject_line, sample_line
from wxsync.report.wording import Wording
from wxsync.runtime import open_sources, utc_now
from wxsync.sources.glance import look

FEW_TALLIES: Final = 5
"""`check` tells in short how the rows are spread."""

source_only_option = click.option(
    "--source-only",
    is_flag=True,
    help="Show what the sources gave and how it is mapped; ask neither WeCom nor the mirror.",
)


def show_sources(settings: Settings, sync: str, reporter: Reporter) -> int:
    """`plan --source-only`: read the sources, show what they gave, and end with 0.

    Raises ConfigError and SourceError, and click.UsageError for a format that it has not.
    """
    if reporter.format not in ("text", "json"):
        raise click.UsageError("--source-only is shown as text or json.")
    reporter.show_sources(run_to_end(asyncio.to_thread(_look, settings, sync)))
    return EXIT_DONE


def _look(settings: Settings, sync: str) -> Looked:
    return look(open_sources(settings, sync), settings.sync[sync], utc_now(), sync_name=sync)


def findings_of(looked: Looked, counts: str) -> Iterator[Finding]:
    """What `check` says of a reading: each query, ten departments and people as mapped, every reject."""
    departments = looked.desired.departments.values()
    names = {(Kind.DEPARTMENT, each.key): str(each.name) for each in departments}
    wording = Wording(language="en", show_personal=False, names=names)
    yield ok("\n".join([f"the source {counts}", *_details(looked, wording)]))
    for rejected in looked.desired.rejected:
        yield note(f"rejected: {reject_line(rejected, wording)}")


def _details(looked: Looked, wording: Wording) -> Iterator[str]:
    desired = looked.desired
    for glance in looked.glances:
        lines = query_lines(glance, desired.readings, wording, most=FEW_TALLIES)
        yield from (line.plain for line in lines if line.plain)
    yield from (wording.of(aside_text(aside)) for aside in desired.asides)
    mapped: dict[str, Mapping[str, Member | Department]] = {
        "departments": desired.departments,
        "people": desired.members,
    }
    for title, records in mapped.items():
        shown = [sample_line(each, wording) for each in islice(records.values(), SAMPLES)]
        yield f"{title} as they are mapped, {len(shown)} of {len(records)}:"
        yield from (f"  {line}" for line in shown)
