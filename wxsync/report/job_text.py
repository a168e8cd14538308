"""Jobs as text for people: the list, one with its rows, and the line that tells how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wxsync.model.batch_job import JobOverview, JobReport, JobState, RowResult, RowTally
from wxsync.model.message import Message, say
from wxsync.model.run import OutcomeState
from wxsync.report.wording import Wording, readable_time, visible

STATES: Final = {JobState.FINISHED: "green", JobState.FAILED: "bold red", JobState.ABANDONED: "yellow"}
OUTCOMES: Final = {
    OutcomeState.DONE: "green",
    OutcomeState.FAILED: "bold red",
    OutcomeState.UNKNOWN: "bold magenta",
    OutcomeState.SKIPPED: "bold yellow",
}
MINUTE, HOUR, DAY = 60, 3600, 86400


def wording_for_jobs(language: str) -> Wording:
    """The wording of a report about jobs, which names no record but by key and userid."""
    return Wording(language=language, show_personal=False, names={})


def print_jobs(jobs: Sequence[JobOverview], console: Console, now: datetime, wording: Wording) -> None:
    """Print the jobs, one a line."""
    of = wording.of
    if not jobs:
        console.print(of(say("No job yet: so far everything went by single calls.")), soft_wrap=True)
        return
    table = Table(box=None)
    headings = (
        of(say("job")),
        of(say("sync")),
        of(say("run")),
        of(say("file of")),
        of(say("state")),
        "%",
        of(say("rows")),
        of(say("failures")),
        of(say("age")),
    )
    for heading in headings:
        table.add_column(heading)
    for each in jobs:
        job = each.job
        table.add_row(
            str(job.id),
            Text(visible(job.sync)),
            str(job.run_id),
            wording.name("job_kind", job.kind),
            Text(_state(each, wording), STATES.get(job.state, "")),
            str(job.percentage),
            str(job.rows),
            Text(str(each.failures), "bold red" if each.failures else ""),
            of(age(job.prepared_at, now)),
        )
    console.print(table)


def print_job(report: JobReport, console: Console, now: datetime, wording: Wording) -> None:
    """Print one job, and of its rows those that the report has, the failed first."""
    for line in job_lines(report, now, wording):
        console.print(line, soft_wrap=True)


def job_lines(report: JobReport, now: datetime, wording: Wording) -> Iterator[Text]:
    """The report on one job, line by line."""
    of, overview, job = wording.of, report.overview, report.overview.job
    title = f"{of(say('Job {id} of {sync}', id=job.id, sync=job.sync))}: {_state(overview, wording)}"
    yield Text(title, STATES.get(job.state, "bold")).append(f"  {readable_time(job.prepared_at)}", "dim")
    yield Text(f"  {' · '.join(_facts(overview, now, wording))}", "dim")
    if job.errcode is not None or job.hint is not None:
        yield Text(f"  {_told(job.errcode, job.hint, wording)}", "bold red")
    if overview.is_left:
        yield Text(f"  {of(left_alone(overview))}", "yellow")
    yield from (_tally_line(tally, wording) for tally in report.tallies)
    yield from (_row_line(result, wording) for result in report.results)
    left = job.rows - len(report.results)
    if left > 0:
        yield Text(f"  {of(say('and {count} more: --limit shows more of them', count=left))}", "dim")


def progress_text(overview: JobOverview, wording: Wording) -> str:
    """How far the job is, in one line, but for the percentage."""
    told = say(
        "job {id}: {state}, {ended} of {rows} rows on record",
        id=overview.job.id,
        state=_state(overview, wording),
        ended=sum(overview.counts.values()),
        rows=overview.job.rows,
    )
    return wording.of(told)


def left_alone(overview: JobOverview) -> Message:
    """What to do about an open job that nobody sees to."""
    return say(
        "nobody is seeing to it now: the next `wxsync apply {sync}` takes it up where it stands",
        sync=overview.job.sync,
    )


def age(since: datetime, now: datetime) -> Message:
    """How long ago that was, in the largest unit that fits."""
    seconds = max(0, int((now - since).total_seconds()))
    if seconds < MINUTE:
        return say("{seconds} s", seconds=seconds)
    if seconds < HOUR:
        return say("{minutes} min", minutes=seconds // MINUTE)
    if seconds < DAY:
        return say("{hours} h", hours=seconds // HOUR)
    return say("{days} d", days=seconds // DAY)


def _state(overview: JobOverview, wording: Wording) -> str:
    return wording.name("job_state", overview.job.state)


def _facts(overview: JobOverview, now: datetime, wording: Wording) -> Iterator[str]:
    of, job = wording.of, overview.job
    yield wording.name("job_kind", job.kind)
    yield of(say("run {id}", id=job.run_id))
    yield of(say("{count} rows", count=job.rows))
    yield from (f"{wording.name('outcome', state)} {number}" for state, number in overview.counts.items())
    yield f"{job.percentage} %"
    yield of(say("age {age}", age=age(job.prepared_at, now)))
    if job.job_id is not None:
        yield of(say("WeCom's id {id}", id=job.job_id))
    if job.submissions > 1:
        yield of(say("submitted {count} times", count=job.submissions))
    if job.state.is_open and overview.worker is not None:
        yield of(say("{worker} sees to it", worker=overview.worker))


def _tally_line(tally: RowTally, wording: Wording) -> Text:
    line = Text("  ").append(f"{tally.count} × {wording.name('outcome', tally.state)}", OUTCOMES[tally.state])
    told = _told(tally.errcode, tally.hint, wording)
    return line.append(f" — {told}" if told else "")


def _row_line(result: RowResult, wording: Wording) -> Text:
    if result.state is None:
        line = Text(f"    {wording.of(say('no result yet'))} ", "dim")
    else:
        line = Text("    ").append(f"{wording.name('outcome', result.state)} ", OUTCOMES[result.state])
    line.append(f"{wording.label(result.key)} ({wording.label(result.userid)})")
    line.append(f", {wording.name('verb', result.verb)}", "dim")
    told = _told(result.errcode, result.hint, wording)
    return line.append(f" — {told}" if told else "")


def _told(errcode: int | None, hint: Message | None, wording: Wording) -> str:
    code = "" if errcode is None else f"errcode {errcode}"
    return ": ".join(filter(None, [code, "" if hint is None else wording.of(hint)]))
