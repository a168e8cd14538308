"""What runs did unasked, limit by limit: what the windows of 24 hours and 7 days are counted from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, case, delete, func, insert, select, update

from wxsync.mirror.tables import limit_uses
from wxsync.model.uses import WINDOWS, LimitKey, UnsettledRun

KEPT: Final = 1000
"""What so many of the last runs did is kept, however old it looks."""


def put_uses(
    connection: Connection,
    corp: str,
    sync: str,
    run_id: int,
    uses: Mapping[LimitKey, int],
    at: datetime,
    *,
    is_settled: bool,
) -> None:
    """Remember what run `run_id` does, in the place of what was remembered of it; forget what is too old.

    A clock that was wrong for a while makes nobody forget: what is old by it goes when many runs came after.
    """
    connection.execute(delete(limit_uses).where(limit_uses.c.run_id == run_id))
    is_old = _at < at - max(WINDOWS.values()), limit_uses.c.run_id < run_id - KEPT
    connection.execute(delete(limit_uses).filter_by(corp=corp, sync=sync).where(*is_old))
    rows = [
        {
            "run_id": run_id,
            "name": key.name,
            "detail": key.detail,
            "corp": corp,
            "sync": sync,
            "used": used,
            "used_at": at,
            "is_settled": is_settled,
        }
        for key, used in uses.items()
        if used
    ]
    if rows:
        connection.execute(insert(limit_uses), rows)


def no_later_than(connection: Connection, corp: str, sync: str, now: datetime) -> None:
    """What bears a time that is yet to come, of a clock that was ahead, counts from now on."""
    ahead = update(limit_uses).filter_by(corp=corp, sync=sync).where(_at > now)
    connection.execute(ahead.values(used_at=now))


def settled_uses(
    connection: Connection, corp: str, sync: str, now: datetime
) -> dict[str, dict[LimitKey, int]]:
    """Window -> limit -> how much of it runs used up of which it is known what they did."""
    c = limit_uses.c
    within = {name: func.sum(case((_at > now - span, c.used), else_=0)) for name, span in WINDOWS.items()}
    query = (
        select(c.name, c.detail, *(amount.label(f"in_{name}") for name, amount in within.items()))
        .filter_by(corp=corp, sync=sync, is_settled=True)
        .where(_at > now - max(WINDOWS.values()))
        .group_by(c.name, c.detail)
    )
    rows = connection.execute(query).all()
    return {
        name: {LimitKey(row.name, row.detail): int(getattr(row, f"in_{name}")) for row in rows}
        for name in WINDOWS
    }


def unsettled_runs(
    connection: Connection, corp: str, sync: str, now: datetime, *, but: Collection[int] = ()
) -> tuple[UnsettledRun, ...]:
    """Runs within the windows of which it is not known what became of every change, but for these."""
    c = limit_uses.c
    query = (
        select(c.run_id, c.used_at, c.name, c.detail, c.used)
        .filter_by(corp=corp, sync=sync, is_settled=False)
        .where(_at > now - max(WINDOWS.values()), c.run_id.not_in(list(but)))
        .order_by(c.run_id)
    )
    found: dict[tuple[int, datetime], dict[LimitKey, int]] = {}
    for row in connection.execute(query):
        uses = found.setdefault((row.run_id, row.used_at), {})
        uses[LimitKey(row.name, row.detail)] = row.used
    return tuple(UnsettledRun(run_id=run_id, at=at, planned=uses) for (run_id, at), uses in found.items())


def used_at(connection: Connection, run_id: int) -> datetime | None:
    """When the run began to use up limits; None where none of it counts."""
    found: Any = connection.scalar(select(_at).where(limit_uses.c.run_id == run_id).limit(1))
    return None if found is None else found


_at = limit_uses.c.used_at
