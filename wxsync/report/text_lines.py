"""The single lines of a text report: one change, one field, one outcome, as styled text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from rich.text import Text

from wxsync.report.run_view import OutcomeView
from wxsync.report.view import ChangeView, LostView, RejectedView
from wxsync.report.wording import FieldLine

STYLES: Final[Mapping[str, str]] = {
    "create": "green",
    "adopt": "cyan",
    "update": "yellow",
    "enable": "green",
    "disable": "magenta",
    "delete": "red",
    "keep": "dim",
}
"""The colour of each verb; the sign at the head of the line tells it without colour."""


def change_line(change: ChangeView) -> Text:
    """`~ E0042 林梅 (e0042) — why`, for a creation with all that it will hold."""
    line = Text(change.sign, STYLES[change.verb]).append(" ")
    line.append_text(record(change))
    if change.temporary:
        line.append(f" [{change.temporary}]", "cyan")
    if change.verb == "create" and change.lines:
        line.append("  ").append_text(_join((_held(each) for each in change.lines), " · "))
    if change.why:
        line.append(f" — {change.why}", "dim")
    return line


def record(change: ChangeView) -> Text:
    """Key, name and WeCom id of the record."""
    line = Text(" ").join(part for part in (Text(change.key, "bold"), Text(change.name)) if part.plain)
    if change.id:
        line.append(f" ({change.id})" if line.plain else change.id, "dim" if line.plain else "bold")
    return line


def field_line(line: FieldLine) -> Text:
    """`label: before → after`, or `label: +added -removed`."""
    text = Text(f"{line.label}: ", "dim")
    if line.added or line.removed or line.moved:
        came = [Text(f"+{each}", "green") for each in line.added]
        went = [Text(f"-{each}", "red") for each in line.removed]
        moved = [Text(each, "yellow") for each in line.moved]
        return text.append_text(_join([*came, *went, *moved], ", "))
    text.append(line.before or "", "red").append(" → ", "dim").append(line.after or "", "green")
    return text.append(f" ({line.note})", "dim") if line.note else text


def outcome_line(outcome: OutcomeView) -> Text:
    """`E0042 林梅 (e0042), update — errcode 60104: hint`."""
    if outcome.change is None:
        line = Text(f"#{outcome.n}", "bold")
    else:
        sign = Text(outcome.change.sign, STYLES[outcome.change.verb])
        line = sign.append(" ").append_text(record(outcome.change)).append(f", {outcome.verb}", "dim")
    facts = [f"errcode {outcome.errcode}" if outcome.errcode else "", outcome.attempts]
    told = ", ".join(filter(None, facts))
    end = ": ".join(filter(None, [told, outcome.hint]))
    return line.append(f" — {end}") if end else line


def rejected_line(rejected: RejectedView) -> Text:
    """`member E0099, mobile: problem [rule]`."""
    line = Text(f"{rejected.kind} ", "dim").append(rejected.key or "?", "bold")
    line.append(f", {rejected.field}" if rejected.field else "").append(f": {rejected.problem}")
    return line.append(f" [{rejected.rule}]", "dim")


def lost_line(lost: LostView) -> Text:
    """`member E0042 林梅 (e0042): mobile, e-mail`."""
    line = Text(f"{lost.kind} ", "dim").append(lost.key or "?", "bold")
    line.append(f" {lost.name}" if lost.name else "").append(f" ({lost.id})" if lost.id else "", "dim")
    return line.append(f": {lost.fields}" if lost.fields else "")


def _held(line: FieldLine) -> Text:
    return Text(f"{line.label} ", "dim").append(line.after or "", "default")


def _join(parts: Iterable[Text], between: str) -> Text:
    return Text(between, "default").join(parts)
