"""The audit trail as text for people: its lines, and whether it is what was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from wxsync.model.audit import AuditLine, Begun, Deed, Erased, Pruned, Verdict
from wxsync.model.change import Kind
from wxsync.model.message import say
from wxsync.model.run import OutcomeState
from wxsync.report.text_lines import STYLES, field_line
from wxsync.report.wording import Wording, readable_time, visible

OUTCOMES: Final = {
    OutcomeState.DONE: "green",
    OutcomeState.FAILED: "bold red",
    OutcomeState.UNKNOWN: "bold magenta",
    OutcomeState.SKIPPED: "bold yellow",
}
MOST_NAMED: Final = 20
"""Of those who were put into a tag at once, or taken out of it."""


def print_trail(
    lines: Sequence[AuditLine], runs: Mapping[int, Begun], console: Console, wording: Wording
) -> None:
    """Print lines with what set off the run of each, where that is known."""
    if not lines:
        console.print(wording.of(say("No line: nothing was written, or it is not kept any more.")))
    for line in lines:
        for text in trail_lines(line, runs, wording):
            console.print(text, soft_wrap=True)


def trail_lines(line: AuditLine, runs: Mapping[int, Begun], wording: Wording) -> Iterator[Text]:
    """One line of the trail, as several of text."""
    head = Text(f"{line.seq}  {readable_time(line.at)}  ", "dim")
    match line.record:
        case Deed():
            yield head.append_text(_title(line.record, wording))
            yield from _details(line.record, wording)
            yield from _of_run(line, runs, wording)
        case Begun():
            told = say("run {run} of {sync} began to write", run=line.run_id, sync=line.sync or "")
            yield head.append(wording.of(told), "bold")
            yield from _begun(line.record, wording)
        case Erased():
            told = say("{count} values of one person were destroyed", count=len(line.record.values))
            yield head.append(wording.of(told), "bold")
            yield Text(f"    {wording.of(line.record.why)}", "dim")
        case Pruned():
            told = say("lines up to {until} were struck for their age", until=line.record.until)
            yield head.append(wording.of(told), "bold")


def _title(deed: Deed, wording: Wording) -> Text:
    text = Text(f"{wording.name('kind', deed.kind)} {wording.name('verb', deed.verb)} ", STYLES[deed.verb])
    if deed.key is None and deed.id is None:
        text.append(wording.of(say("somebody who was erased")), "dim")
    if deed.key is not None:
        text.append(wording.label(deed.key), "bold")
    if deed.name is not None:
        text.append(f" {visible(deed.name)}")
    if deed.id is not None:
        text.append(f" ({wording.label(str(deed.id))})", "dim")
    text.append(f"  {wording.name('outcome', deed.state)}", OUTCOMES[deed.state])
    return text.append("" if deed.errcode is None else f" {deed.errcode}", "bold red")


def _details(deed: Deed, wording: Wording) -> Iterator[Text]:
    for name, values in deed.fields.items():
        yield Text("    ").append_text(field_line(wording.difference(name, values)))
    for sign, userids, style in (("+", deed.joined, "green"), ("-", deed.left, "red")):
        if userids:
            more = f" (+{len(userids) - MOST_NAMED})" if len(userids) > MOST_NAMED else ""
            named = (wording.label(userid) for userid in userids[:MOST_NAMED])
            yield Text(f"    {sign}{wording.listed(named)}{more}", style)
    if deed.erased and (deed.key is not None or deed.kind is Kind.TAG):
        yield Text(f"    {wording.of(say('{count} people in it were erased', count=deed.erased))}", "dim")
    marks = [deed.call or wording.of(say("nothing was sent"))]
    marks += [wording.of(say("for a while"))] if deed.is_temporary else []
    marks += [wording.of(say("found out by a later run"))] if deed.is_settled else []
    yield Text(f"    {' · '.join(marks)}", "dim")
    for message in (deed.why, deed.hint):
        if message is not None:
            yield Text(f"    {wording.of(message)}", "dim")


def _of_run(line: AuditLine, runs: Mapping[int, Begun], wording: Wording) -> Iterator[Text]:
    begun = None if line.run_id is None else runs.get(line.run_id)
    if begun is None:
        if line.run_id is not None:
            yield Text(f"    {wording.of(say('run {run}', run=line.run_id))}", "dim")
        return
    trigger = wording.name("trigger", begun.trigger)
    sources = wording.listed(visible(name) for name in begun.sources)
    told = say("run {run}, {trigger}, from {sources}", run=line.run_id, trigger=trigger, sources=sources)
    if begun.approved_by is not None:
        told = say(
            "run {run}, {trigger}, from {sources}; approved by {who}",
            run=line.run_id,
            trigger=trigger,
            sources=sources,
            who=visible(begun.approved_by),
        )
    yield Text(f"    {wording.of(told)}", "dim")


def _begun(begun: Begun, wording: Wording) -> Iterator[Text]:
    yield Text(f"    {wording.name('trigger', begun.trigger)} · {begun.digest}", "dim")
    if begun.approved_by is not None:
        yield Text(f"    {wording.of(say('approved by {who}', who=visible(begun.approved_by)))}")
    for each in begun.lifted:
        name = wording.name("limit", each.name) + ("" if each.detail is None else f" ({each.detail})")
        told = say(
            "over a limit: {limit}, {count} of {allowed}", limit=name, count=each.count, allowed=each.allowed
        )
        yield Text(f"    {wording.of(told)}", "yellow")


def print_verdicts(
    verdicts: Sequence[Verdict], given: str | None, console: Console, wording: Wording
) -> None:
    """Print what a walk through each corp's trail found."""
    if not verdicts:
        console.print(wording.of(say("There is no audit trail yet: nothing was written to WeCom.")))
    for verdict in verdicts:
        for text in _verdict_lines(verdict, wording):
            console.print(text, soft_wrap=True)
    if given is not None:
        holders = [verdict.corp for verdict in verdicts if verdict.has_given_head]
        told = say("The given head is in the trail of {corp}.", corp=", ".join(holders))
        missing = say("The given head is in no trail: lines that were there are gone, or were written anew.")
        console.print(Text(wording.of(told if holders else missing), "green" if holders else "bold red"))


def _verdict_lines(verdict: Verdict, wording: Wording) -> Iterator[Text]:
    corp = visible(verdict.corp)
    if verdict.flaw is not None:
        told = say("{corp}: broken at line {seq}", corp=corp, seq=verdict.flaw.seq)
        yield Text(wording.of(told), "bold red")
        yield Text(f"  {wording.of(verdict.flaw.problem)}")
        return
    told = say(
        "{corp}: whole, {count} lines, {first} to {last}",
        corp=corp,
        count=verdict.lines,
        first=verdict.first,
        last=verdict.head,
    )
    yield Text(wording.of(told), "green")
    if verdict.erased:
        yield Text(f"  {wording.of(say('{count} values of people were erased', count=verdict.erased))}")
    yield Text(f"  {wording.of(say('head'))} {verdict.head_hash}")
