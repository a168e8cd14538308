"""Wall times of a zone as moments: those that come once, twice, or not at all. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def to_wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall shows at `moment`, without a zone."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def to_moments(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """When the clock on the wall shows `wall`, in UTC: once, twice where it is set back, or never."""
    found = {_read(wall, zone, fold) for fold in (0, 1)}
    return tuple(sorted(moment for moment in found if to_wall(moment, zone) == wall))


def to_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment of `wall` in UTC; the end of the gap where the clock leaves it out (PEP 495)."""
    if moments := to_moments(wall, zone):
        return moments[0]
    # In a gap the two readings lie on either side of the moment at which the clock is set.
    before, after = _read(wall, zone, 1), _read(wall, zone, 0)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if to_wall(middle, zone) < wall:
            before = middle
        else:
            after = middle
    return after


def set_back(moment: datetime, zone: ZoneInfo, within: timedelta) -> timedelta:
    """By how much the clock on the wall is set back in the time after `moment`; nothing if it is not."""
    left = _offset(moment, zone) - _offset(moment + within, zone)
    return max(left, timedelta())


def _read(wall: datetime, zone: ZoneInfo, fold: int) -> datetime:
    return wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return to_wall(moment, zone) - moment.replace(tzinfo=None)
