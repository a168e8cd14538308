"""What the sources gave, as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.text import Text

from wxsync.model.change import Kind, Rejected
from wxsync.model.department import Department
from wxsync.model.desired import ReadingProof
from wxsync.model.glance import Column, Glance, Looked
from wxsync.model.member import Member
from wxsync.model.message import Message, say
from wxsync.report.notices import aside_text
from wxsync.report.source_json import SAMPLES, known_fields
from wxsync.report.wording import Wording, readable_time, visible

MOST_TALLIES: Final = 20
"""Object classes, places and tags that are listed; more of them are counted together."""
INDENT: Final = "  "


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
    for aside in desired.asides:
        yield Text(f"  {of(aside_text(aside))}")
    yield from _samples(Kind.DEPARTMENT, list(desired.departments.values()), wording)
    yield from _samples(Kind.MEMBER, list(desired.members.values()), wording)
    if desired.rejected:
        yield from _section(f"{of(say('Rejected'))} {len(desired.rejected)}")
        for rejected in desired.rejected:
            yield Text(f"  {reject_line(rejected, wording)}")


def query_lines(
    glance: Glance, readings: tuple[ReadingProof, ...], wording: Wording, *, most: int = MOST_TALLIES
) -> Iterator[Text]:
    """A query: how much it gave, whether that is all, what its rows have, and how they are spread.

    Of each way in which they are spread the `most` frequent are named.
    """
    yield Text()
    readings = tuple(each for each in readings if (each.source, each.query) == (glance.source, glance.query))
    head = Text(visible(f"{glance.source}.{glance.query}"), "bold")
    for reading in readings:
        head.append(f"  {wording.of(_rows(reading, glance.rows))}")
    yield head
    yield Text(f"{INDENT}{wording.of(_columns(glance, wording))}")
    for by, tallies in groupby(glance.tallies, lambda tally: tally.by):
        counts = [(tally.name, tally.count) for tally in tallies]
        yield from _counts(wording.name("tally", by), counts, wording, most)
    for reading in readings:
        if reading.left_out:
            counts = [(each.name, each.count) for each in reading.left_out_of]
            yield from _counts(wording.of(_left_out(reading)), counts, wording, most)


def _columns(glance: Glance, wording: Wording) -> Message:
    told = ", ".join(_column(column, glance.rows, wording) for column in glance.columns)
    if glance.is_directory:
        return say("attributes: {columns}", columns=told)
    return say("columns: {columns}", columns=told)


def _column(column: Column, rows: int, wording: Wording) -> str:
    """Its name, and where not all rows have a value, how many have one."""
    if column.filled == rows:
        return column.name
    share = wording.of(say("{shown} of {count}", shown=column.filled, count=rows))
    return f"{column.name} ({share})"


def _counts(title: str, counts: Sequence[tuple[str, int]], wording: Wording, most: int) -> Iterator[Text]:
    yield Text(f"{INDENT}{title}")
    for name, count in counts[:most]:
        yield Text(f"{INDENT}{count:>9}  {visible(name)}")
    if more := counts[most:]:
        rest = say("in {number} more", number=len(more))
        yield Text(f"{INDENT}{sum(count for _, count in more):>9}  {wording.of(rest)}")


def _left_out(reading: ReadingProof) -> Message:
    """How many people of groups are nobody of the sync."""
    return say("left out, since they are not among the people of this sync: {count}", count=reading.left_out)


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


def _rows(reading: ReadingProof, given: int) -> Message:
    """What was read; of groups, and of values of an attribute, also how many rows came of it."""
    rows: Message = say("{rows} rows", rows=reading.rows)
    if reading.entries is not None:
        rows = say("{rows} rows out of {entries} entries", rows=given, entries=reading.entries)
    if reading.is_complete:
        return rows
    problem = reading.problem or say("it is not proven that these are all rows")
    return say("{rows}; not proven complete: {problem}", rows=rows, problem=problem)


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
