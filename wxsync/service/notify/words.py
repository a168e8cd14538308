"""A notice in sentences, in Chinese or English: what every form of it is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from wxsync.model.message import Message, say
from wxsync.model.notice import Count, Notice, NoticeKind
from wxsync.report.wording import Wording

SHORT = 19
"""Characters of a digest that are shown, "sha256:" and twelve more: enough to tell two plans apart."""
SHORTEST_NAME = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a reader gets: a title, what happened, why, and what to do."""

    title: str
    facts: tuple[str, ...]
    """Numbers, a sentence each."""
    reasons: tuple[str, ...]
    action: str
    """What to do, in a sentence; empty where there is nothing to do."""
    command: str
    origin: str
    """Which run of which corp, and when."""

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it below the title; a line that is empty is left out."""
        return tuple(
            line for line in (*self.facts, *self.reasons, self.action, self.command, self.origin) if line
        )


def letter(notice: Notice, language: str) -> Letter:
    """The notice in words."""
    words = Wording(language=language, show_personal=False, names={})
    return Letter(
        title=headline(notice, happened(notice), words),
        facts=tuple(_facts(notice, words)),
        reasons=tuple(_reasons(notice)),
        action=_action(notice, words),
        command=notice.command,
        origin=_origin(notice, words),
    )


def headline(notice: Notice, what: Message, words: Wording, most: int = 200) -> str:
    """Which sync, and what happened, in a few words; of a long name the beginning."""
    left = max(most - len(words.of(what)) - 2, SHORTEST_NAME)
    return cut(words.of(say("{sync}: {what}", sync=cut(notice.sync, left), what=what)), most)


def happened(notice: Notice) -> Message:
    """In a few words."""
    match notice.kind:
        case NoticeKind.CHANGED:
            return say("written to WeCom")
        case NoticeKind.PLANNED:
            return say("something to change")
        case NoticeKind.WAITS:
            return say("a plan waits for approval")
        case NoticeKind.REFUSED:
            return say("refused, nothing was written")
        case NoticeKind.TROUBLE:
            return say("some changes failed")
        case NoticeKind.STOPPED:
            return say("the run broke off half-way")
        case NoticeKind.FAILED:
            return say("failed, nothing was written")
        case NoticeKind.SILENT:
            return say("no success for two intervals")
        case NoticeKind.RECOVERED:
            return say("all is well again")
        case NoticeKind.TEST:
            return say("a test, nothing happened")


def counted(counts: Sequence[Count], words: Wording) -> Iterator[tuple[str, str]]:
    """Kind by kind: its code, and "create 2, update 1"."""
    for kind, group in groupby(counts, key=lambda count: count.kind):
        yield kind, words.listed(f"{words.name('verb', each.verb)} {each.number}" for each in group)


def _facts(notice: Notice, words: Wording) -> Iterator[str]:
    if notice.done:
        yield words.of(say("Written: {counts}", counts=_all(notice.done, words)))
    if notice.planned:
        yield words.of(say("Planned: {counts}", counts=_all(notice.planned, words)))
    if notice.failed:
        yield words.of(say("Failed: {count}", count=notice.failed))
    if notice.skipped:
        yield words.of(say("Not tried: {count}", count=notice.skipped))
    if notice.unknown:
        yield words.of(say("Fate unknown: {count}", count=notice.unknown))
    if notice.rejected:
        yield words.of(say("Rejected rows: {count}", count=notice.rejected))


def _all(counts: Sequence[Count], words: Wording) -> str:
    between = "；" if words.language == "zh" else "; "
    return between.join(f"{words.name('kinds', kind)} {told}" for kind, told in counted(counts, words))


def _reasons(notice: Notice) -> Iterator[str]:
    yield from notice.reasons
    if notice.error:
        yield notice.error
    if notice.hint:
        yield notice.hint


def _action(notice: Notice, words: Wording) -> str:
    match notice.kind:
        case NoticeKind.WAITS:
            return words.of(say("Nothing was written. If all of it is meant, approve it within 24 hours:"))
        case NoticeKind.PLANNED:
            return words.of(say("Nothing was written. To look at it:"))
        case NoticeKind.REFUSED:
            return words.of(say("To look at the plan:"))
        case NoticeKind.TROUBLE:
            return words.of(say("What failed, and how to mend it:"))
        case NoticeKind.STOPPED:
            return words.of(say("What was left is as it was. Mend the cause; by hand it is run again by:"))
        case NoticeKind.FAILED:
            return words.of(say("It is tried again by itself. To see what is wrong:"))
        case NoticeKind.SILENT:
            return words.of(say("See whether the daemon runs, and why its runs do not succeed:"))
        case NoticeKind.CHANGED | NoticeKind.RECOVERED if notice.command:
            return words.of(say("Details:"))
        case _:
            return ""


def _origin(notice: Notice, words: Wording) -> str:
    at = readable(notice.at)
    if notice.runs > 1:
        return words.of(
            say("corp {corp}, the sum of {runs} runs, {time}", corp=notice.corp, runs=notice.runs, time=at)
        )
    if notice.run is not None:
        return words.of(say("corp {corp}, run {run}, {time}", corp=notice.corp, run=notice.run, time=at))
    return words.of(say("corp {corp}, {time}", corp=notice.corp, time=at))


def readable(at: datetime) -> str:
    """2026-01-31 16:00+08:00, in the zone that the time comes with."""
    return at.isoformat(sep=" ", timespec="minutes")


def short(digest: str) -> str:
    """As much of a digest as tells two plans apart."""
    return digest[:SHORT]


def cut(text: str, most: int) -> str:
    """The text within so many characters, with a sign where it was longer."""
    return text if len(text) <= most else text[: most - 1] + "…"


def cut_bytes(text: str, most: int) -> str:
    """The text within so many bytes of UTF-8, with a sign where it was longer; never half a character."""
    if len(text.encode()) <= most:
        return text
    return text.encode()[: most - len("…".encode())].decode(errors="ignore") + "…"
