"""The dead-man's switch: a sync of which no complete run has succeeded for two intervals. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from wxsync.mirror.notices import Mark
from wxsync.model.message import say
from wxsync.model.notice import Notice, NoticeKind
from wxsync.report.wording import Wording
from wxsync.service.notify.words import readable
from wxsync.service.timetable import Timetable

GRACE: Final = timedelta(minutes=10)
"""For the run that begins when the second interval ends."""


def overdue(since: datetime, timetable: Timetable, now: datetime) -> bool:
    """Two starts have gone by since then, the second one for long enough to have come to its end."""
    first = timetable.after(since)
    second = None if first is None else timetable.after(first)
    return second is not None and now >= second + GRACE


def silence(
    corp: str,
    sync: str,
    mark: Mark,
    complete: datetime | None,
    timetable: Timetable,
    now: datetime,
    language: str,
) -> tuple[Notice | None, Mark]:
    """What is to be told, once, of a sync whose last complete run ended at `complete`; and the mark after it.

    Before any such run it counts from when the sync became known. A time to come is not believed.
    """
    since = mark.known_since if complete is None or complete > now else max(complete, mark.known_since)
    if mark.silent_since is not None and since <= mark.silent_since:
        return None, mark
    if not overdue(since, timetable, now):
        return None, replace(mark, silent_since=None)
    return _notice(corp, sync, complete, since, now, language), replace(mark, silent_since=since)


def _notice(
    corp: str, sync: str, complete: datetime | None, since: datetime, now: datetime, language: str
) -> Notice:
    words = Wording(language=language, show_personal=False, names={})
    if complete is None:
        why = say(
            "no complete run has succeeded yet; it was first due after {time}",
            time=readable(since.astimezone(now.tzinfo)),
        )
    else:
        why = say("the last complete run ended at {time}", time=readable(complete.astimezone(now.tzinfo)))
    return Notice(
        kind=NoticeKind.SILENT,
        corp=corp,
        sync=sync,
        at=now,
        reasons=(words.of(why),),
        command="wxsync status",
    )
