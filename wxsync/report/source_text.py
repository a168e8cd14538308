"""What the sources gave, as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from wxsync.model.change import Kind, Rejected
from wxsync.model.department import Department
from wxsync.model.desired import ReadingProof
from wxsync.model.glance import Glance, Looked
from wxsync.model.member import Member
from wxsync.model.message import Message, say
from wxsync.report.source_json import SAMPLES, known_fields
from wxsync.report.wording import Wording, readable_time, visible

MOST_TALLIES: Final = 20
"""Places of a directory that are listed; more of them are counted together."""


def print_source(looked: Looked, console: Console, *, language: str, show_personal: bool) -> None:
    """Print the queries with their columns, ten departments and people as they are mapped, every reject."""
    names = {(Kind.DEPARTMENT, each.key): str(each.name) for each in looked.desired.departments.values()}
    wording = Wording(language=language, show_personal=show_personal, names=names)
    for line in source_lines(looked, wording):
        console.print(line, soft_wrap=True)


def source_lines(looked: Looked, wording: Wording) -> Iterator[Text]:
    """The report, line by line."""
    desired, of = looked.desired, wording.of
    title = of(say("Sources of {sync}", sync=looked.sync))
    yield Text(title, "bold").append(f"  {readable_time(looked.read_at)}", "dim")
    for glance in looked.glances:
        yield from query_lines(glance, desired.readings, wording)
    yield from _section(of(say("What the mapping makes of it")))
    yield Text(f"  {of(result_of(looked))}")
    yield from _samples(Kind.DEPARTMENT, list(desired.departments.values()), wording)
    yield from _samples(Kind.MEMBER, list(desired.members.values()), wording)
    if desired.rejected:
        yield from _section(f"{of(say('Rejected'))} {len(desired.rejected)}")
        for rejected in desired.rejected:
            yield Text(f"  {reject_line(rejected, wording)}")


def query_lines(glance: Glance, readings: tuple[ReadingProof, ...], wording: Wording) -> Iterator[Text]:
    """A query: how much it gave, whether that is all, its columns, and how it is spread."""
    yield Text()
    head = Text(visible(f"{glance.source}.{glance.query}"), "bold")
    for reading in readings:
        if (reading.source, reading.query) == (glance.source, glance.query):
            head.append(f"  {wording.of(_rows(reading))}")
    yield head
    columns = visible(", ".join(glance.columns))
    yield Text(f"  {wording.of(say('columns: {columns}', columns=columns))}")
    for tally in glance.tallies[:MOST_TALLIES]:
        yield Text(visible(f"  {tally.count:>7}  {tally.by} {tally.name}"))
    more = glance.tallies[MOST_TALLIES:]
    if more:
        count = sum(each.count for each in more)
        yield Text(f"  {wording.of(say('{count} more, in {places} places', count=count, places=len(more)))}")


def reject_line(rejected: Rejected, wording: Wording) -> str:
    """`member E0099, mobile: problem [rule]`."""
    field = "" if rejected.field is None else f", {wording.field(rejected.field)}"
    key = wording.label(rejected.key or "?")
    kind = wording.name("kind", rejected.kind)
    return f"{kind} {key}{field}: {wording.of(rejected.problem)} [{rejected.rule}]"


def sample_line(record: Member | Department, wording: Wording) -> str:
    """A record with every field that the mapping gives it."""
    who = wording.label(record.key)
    if isinstance(record, Member):
        who = f"{who} ({wording.label(record.userid)})"
    fields = known_fields(record)
    told = (f"{wording.field(name)} {wording.value(name, value)}" for name, value in fields.items())
    return f"{who}  {' · '.join(told)}"


def result_of(looked: Looked) -> Message:
    """How many of each kind come out."""
    desired = looked.desired
    return say(
        "departments: {departments}, members: {members}, leavers: {leavers}, tags: {tags},"
        " rejected: {rejected}",
        departments=len(desired.departments),
        members=len(desired.members),
        leavers=len(desired.leavers),
        tags=len(desired.tags),
        rejected=len(desired.rejected),
    )


def _rows(reading: ReadingProof) -> Message:
    if reading.is_complete:
        return say("{rows} rows", rows=reading.rows)
    problem = reading.problem or say("it is not proven that these are all rows")
    return say("{rows} rows; not proven complete: {problem}", rows=reading.rows, problem=problem)


def _samples(kind: Kind, records: Sequence[Member | Department], wording: Wording) -> Iterator[Text]:
    if records:
        shown = min(SAMPLES, len(records))
        told = wording.of(say("{shown} of {count}", shown=shown, count=len(records)))
        yield from _section(f"{wording.name('kinds', kind.value)}: {told}")
    for record in records[:SAMPLES]:
        yield Text(f"  {sample_line(record, wording)}")


def _section(title: str) -> Iterator[Text]:
    yield Text()
    yield Text(title, "bold underline")
