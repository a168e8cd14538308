"""Several notices of one sync that wait together as one, with sums. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from wxsync.model.notice import Count, Notice, NoticeKind

MOST_REASONS: Final = 8


def summed(notices: Sequence[Notice]) -> Notice:
    """One that says what all of them do, the last one first of all; they are in order of time.

    What was written is summed. What is wrong or waits is what the last one says: the others are history. Only
    that nothing succeeds any more takes no plan's place that waits.
    """
    if len(notices) == 1:
        return notices[0]
    asked = [notice for notice in notices if notice.kind is not NoticeKind.SILENT]
    last = asked[-1] if asked and asked[-1].asks else notices[-1]
    return replace(
        last,
        runs=sum(each.runs for each in notices),
        done=_added(notices),
        failed=sum(each.failed for each in notices),
        skipped=sum(each.skipped for each in notices),
        unknown=sum(each.unknown for each in notices),
        reasons=_once([*last.reasons, *(reason for each in reversed(notices) for reason in each.reasons)]),
    )


def _added(notices: Iterable[Notice]) -> tuple[Count, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    for notice in notices:
        counts.update({(count.kind, count.verb): count.number for count in notice.done})
    return tuple(Count(kind, verb, number) for (kind, verb), number in sorted(counts.items()))


def _once(reasons: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reasons))[:MOST_REASONS]
