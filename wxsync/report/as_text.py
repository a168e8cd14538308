"""A plan or a run as text for people, through rich: what is no terminal gets no colour and no wrapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wxsync.model.message import say
from wxsync.model.plan import Plan
from wxsync.model.run import Run
from wxsync.report.headings import Headings, headings
from wxsync.report.notices import Notice
from wxsync.report.run_view import OutcomesView, RunView, view_run
from wxsync.report.text_lines import (
    STYLES,
    change_line,
    field_line,
    lost_line,
    outcome_line,
    rejected_line,
)
from wxsync.report.view import GroupView, KeepView, LimitView, LossView, PlanView, RejectedView, view_plan
from wxsync.report.wording import Wording, wording_for

LEVELS: Final[Mapping[str, str]] = {"ok": "green", "info": "cyan", "warn": "yellow", "stop": "bold red"}
MARKS: Final[Mapping[str, str]] = {"ok": "=", "info": ">", "warn": "!", "stop": "!!"}
OUTCOMES: Final[Mapping[str, str]] = {
    "failed": "bold red",
    "unknown": "bold magenta",
    "skipped": "bold yellow",
}
FIRST_KEPT: Final = 3
"""How many of those that are kept for one reason are shown."""
FIRST_LOST: Final = 20
"""How many of those that an undo does not bring back for one reason are shown; HTML and JSON have all."""


def print_plan(plan: Plan, console: Console, *, language: str, show_personal: bool) -> None:
    """Print the whole plan; the last two lines are what it comes to and its digest."""
    wording = wording_for(plan, language=language, show_personal=show_personal)
    view, page = view_plan(plan, wording), _Page(console, wording, headings(wording))
    page.head(f"{view.title}  {view.sync} → {view.corp_id}", view.created_at)
    _print_readings(page, view)
    _print_summary(page, view)
    page.notices(view.notices)
    for kind in view.kinds:
        page.section(kind.title)
        for group in kind.groups:
            _print_group(page, group)
    _print_keeps(page, view.keeps)
    _print_rejected(page, view.rejected)
    _print_losses(page, view.losses)
    _print_limits(page, view.limits)
    page.line(Text())
    page.line(Text(f"{page.words.forecast}: {view.forecast}"))
    page.line(Text(view.total, "bold"))
    page.line(Text(f"{page.words.digest}: {view.digest}", "dim"))


def print_run(run: Run, console: Console, *, language: str, show_personal: bool) -> None:
    """Print what became of the run's plan, failures first, and what to do next; not the plan itself."""
    wording = wording_for(run.plan, language=language, show_personal=show_personal)
    view, page = view_run(run, wording), _Page(console, wording, headings(wording))
    page.head(f"{page.words.run} {view.id}  {view.sync}: {view.state_title}", view.started_at)
    page.line(Text(_run_facts(page.words, view), "dim"))
    for trouble in view.trouble:
        _print_outcomes(page, trouble)
    if view.has_outcomes:
        page.section(page.words.outcomes)
        page.line(Text(wording.listed(f"{name} {number}" for _, name, number in view.counts)), 2)
        for done in view.done:
            page.line(Text(done, "dim"), 4)
    page.section(page.words.next)
    page.notices(view.next, indent=2)


@dataclass(frozen=True, slots=True)
class _Page:
    """Where the lines go: wrapped under their indent on a terminal, whole elsewhere."""

    console: Console
    wording: Wording
    words: Headings

    def line(self, text: Text, indent: int = 0) -> None:
        if self.console.is_terminal:
            self.console.print(Padding(text, (0, 0, 0, indent), expand=False))
        else:
            self.console.print(Text(" " * indent).append_text(text), soft_wrap=True)

    def head(self, title: str, time: str) -> None:
        self.line(Text(title, "bold").append(f"  {time}", "dim"))

    def section(self, title: str, note: str = "") -> None:
        self.line(Text())
        self.line(Text(title, "bold underline").append(f" {note}" if note else "", "not bold not underline"))

    def notices(self, notices: Sequence[Notice], indent: int = 0) -> None:
        for notice in notices:
            style = LEVELS[notice.level]
            self.line(Text(f"{MARKS[notice.level]} {notice.text}", style), indent)
            for detail in notice.details:
                self.line(Text(detail), indent + 4)
            if notice.command:
                self.line(Text(notice.command, "bold"), indent + 4)


def _print_readings(page: _Page, view: PlanView) -> None:
    if view.readings:
        page.line(Text(f"{page.words.read}: {' · '.join(view.readings)}", "dim"))


def _print_summary(page: _Page, view: PlanView) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    table.add_column("")
    for cell in view.summary[0].cells:
        table.add_column(Text(cell.title, STYLES[cell.verb]), justify="right")
    for row in view.summary:
        cells = (_number(cell.number, STYLES[cell.verb]) for cell in row.cells)
        table.add_row(Text(row.title), *cells)
    page.console.print(table)


def _number(number: int | None, style: str) -> Text:
    if number is None:
        return Text("")
    return Text(str(number), f"bold {style}") if number else Text("0", "dim")


def _print_group(page: _Page, group: GroupView) -> None:
    title = Text(f"{group.title} ({group.count})", STYLES[group.verb])
    page.line(title.append(f" — {group.why}", "dim") if group.why else title, 2)
    for change in group.changes:
        page.line(change_line(change), 4)
        if group.verb != "create":
            for line in change.lines:
                page.line(field_line(line), 8)


def _print_keeps(page: _Page, keeps: Sequence[KeepView]) -> None:
    if keeps:
        page.section(page.words.kept, f"({sum(keep.count for keep in keeps)})")
    for keep in keeps:
        page.line(Text(f"{keep.title} ({keep.count})"), 2)
        for change in keep.changes[:FIRST_KEPT]:
            page.line(change_line(change), 4)
        if len(keep.changes) > FIRST_KEPT:
            more = say("and {count} more", count=len(keep.changes) - FIRST_KEPT)
            page.line(Text(page.wording.of(more), "dim"), 6)
        if keep.unlisted:
            page.line(Text(keep.unlisted, "dim"), 6)


def _print_rejected(page: _Page, rejected: Sequence[RejectedView]) -> None:
    if rejected:
        page.section(page.words.rejected, f"({len(rejected)})")
    for each in rejected:
        page.line(rejected_line(each), 2)


def _print_losses(page: _Page, losses: Sequence[LossView]) -> None:
    if losses:
        page.section(page.words.not_undoable, f"({sum(loss.count for loss in losses)})")
    for loss in losses:
        page.line(Text(f"{loss.why} ({loss.count})"), 2)
        for lost in loss.records[:FIRST_LOST]:
            page.line(lost_line(lost), 4)
        if loss.count > FIRST_LOST:
            more = say("and {count} more", count=loss.count - FIRST_LOST)
            page.line(Text(page.wording.of(more), "dim"), 6)


def _print_limits(page: _Page, limits: Sequence[LimitView]) -> None:
    told = sorted((each for each in limits if each.count), key=lambda each: not each.is_exceeded)
    if not told:
        return
    page.section(page.words.limits)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for each in told:
        style = "bold red" if each.is_exceeded else "default"
        title = "  " + " · ".join(filter(None, [each.title, each.detail, each.window]))
        table.add_row(
            Text(title, style),
            Text(f"{each.count} / {each.allowed}", style, justify="right"),
            Text(each.mark, style),
        )
    page.console.print(table)


def _print_outcomes(page: _Page, trouble: OutcomesView) -> None:
    page.line(Text())
    page.line(Text(f"{trouble.title} ({len(trouble.outcomes)})", OUTCOMES[trouble.state]))
    for outcome in trouble.outcomes:
        page.line(outcome_line(outcome), 2)


def _run_facts(words: Headings, view: RunView) -> str:
    return f"{words.trigger}: {view.trigger} · {words.took}: {view.took}"
