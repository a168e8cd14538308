"""How the daemon stands, in one line for whoever looks at its unit. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from wxsync.mirror.journal import RunRecord
from wxsync.service.running import Finished
from wxsync.service.turns import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """What is told of a sync's last run."""

    number: int | None
    word: str
    """What became of it: `applied`, `refused`, …"""
    began: datetime

    @classmethod
    def of(cls, finished: Finished) -> Self:
        """Of a run of this process."""
        return cls(number=finished.number, word=_word(finished), began=finished.began)

    @classmethod
    def on_record(cls, run: RunRecord) -> Self:
        """Of one before it, or of another process."""
        return cls(number=run.id, word=run.state.value, began=run.started_at)


def standing(
    zones: Mapping[str, ZoneInfo],
    last: Mapping[str, LastRun],
    running: Collection[str],
    following: Mapping[str, datetime],
    elsewhere: Collection[str] = (),
) -> str:
    """Each sync of `zones` with its last run and its next start, by the clock of its time zone.

    Of those in `elsewhere` another daemon takes care.
    """
    told = []
    for sync, zone in sorted(zones.items()):
        if sync in elsewhere:
            told.append(f"{sync}: another daemon leads")
        else:
            parts = _parts(zone, sync in running, last.get(sync), following.get(sync))
            told.append(f"{sync}: {', '.join(parts)}")
    return "; ".join(told)


def _parts(
    zone: ZoneInfo, is_running: bool, last: LastRun | None, following: datetime | None
) -> Iterator[str]:
    if is_running:
        yield "a run is under way"
    elif last is None:
        yield "no run yet"
    else:
        number = "" if last.number is None else f" {last.number}"
        yield f"last run{number} {last.word} at {last.began.astimezone(zone):%H:%M}"
    if following is not None:
        yield f"next at {following.astimezone(zone):%H:%M}"


def _word(finished: Finished) -> str:
    if finished.ending is Ending.BUSY:
        return "did not begin, as another one has the corp,"
    if finished.run is not None:
        return finished.run.state.value
    return "planned" if finished.error is None else "failed"
