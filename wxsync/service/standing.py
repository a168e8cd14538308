"""How the daemon stands, in one line for whoever looks at its unit. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from wxsync.service.running import Finished
from wxsync.service.turns import Ending


def standing(
    zones: Mapping[str, ZoneInfo],
    last: Mapping[str, Finished],
    running: Collection[str],
    following: Mapping[str, datetime],
) -> str:
    """Each sync of `zones` with its last run and its next start, by the clock of its time zone."""
    return "; ".join(_of(sync, zone, last, running, following) for sync, zone in sorted(zones.items()))


def _of(
    sync: str,
    zone: ZoneInfo,
    last: Mapping[str, Finished],
    running: Collection[str],
    following: Mapping[str, datetime],
) -> str:
    return f"{sync}: {', '.join(_parts(sync, zone, last, running, following))}"


def _parts(
    sync: str,
    zone: ZoneInfo,
    last: Mapping[str, Finished],
    running: Collection[str],
    following: Mapping[str, datetime],
) -> Iterator[str]:
    if sync in running:
        yield "a run is under way"
    elif (finished := last.get(sync)) is not None:
        yield f"last {_told(finished)} at {finished.began.astimezone(zone):%H:%M}"
    else:
        yield "no run yet"
    if (moment := following.get(sync)) is not None:
        yield f"next at {moment.astimezone(zone):%H:%M}"


def _told(finished: Finished) -> str:
    number = "run" if finished.number is None else f"run {finished.number}"
    if finished.ending is Ending.BUSY:
        return "run did not begin: another one has the corp,"
    if finished.run is None and finished.error is None:
        return f"{number} planned"
    if finished.run is None:
        return f"{number} failed"
    return f"{number} {finished.run.state.value}"
