"""The ledger of WeCom's limits (WeCom page 90312) that all processes on this mirror share.

What a process has reserved is spent, also where the process dies. Whoever counts locks the names that the
account has for that, so that two can never both have the last permit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from wxsync.mirror.store import Store
from wxsync.mirror.tables import member_links, quota_holds, quota_uses
from wxsync.model.quota import Account, Grant, Hold, Unused, Window

Used = dict[int, int]
"""Calls by the beginning of their grain."""


class MirrorLedger:
    """Permits that no two processes have. Raises `MirrorError`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def reserve(self, account: Account, want: int, now: float, unused: Sequence[Unused] = ()) -> Grant:
        """Take back `unused`, then count `want` calls of the account, or as many as every window takes."""
        with self._store.transaction() as connection:
            held_until = _lock(connection, account, now)
            if held_until > now:
                _add(connection, account, _read(connection, account), [], unused)
                return Grant(count=0, wait=held_until - now)
            tables = _read(connection, account)
            _forget(connection, tables, now)
            left = {window: _without(window, tables[window], unused) for window in account.windows}
            count = min([want, *(window.room(used, now) for window, used in left.items())])
            _add(connection, account, tables, [(count, now)] if count > 0 else [], unused)
        if count > 0:
            return Grant(count=count)
        return Grant(count=0, wait=max(window.wait(used, now) for window, used in left.items()))

    def give_back(self, account: Account, unused: Sequence[Unused]) -> None:
        """Take back permits that were not used."""
        with self._store.transaction() as connection:
            _lock(connection, account, 0.0)
            _add(connection, account, _read(connection, account), [], unused)

    def held(self, account: Account, now: float) -> Hold | None:
        """The last hold of the account's calls, which may be over."""
        with self._store.reading() as connection:
            row = connection.execute(select(quota_holds).filter_by(name=account.key)).one_or_none()
        if row is None or row.held_until is None:
            return None
        hold = Hold(until=row.held_until.timestamp(), step=row.step)
        return hold if account.is_possible(hold, now) else None

    def hold(self, account: Account, hold: Hold, now: float) -> None:
        """Grant nothing to the account's calls before the hold's end; a longer one that can be stays."""
        c = quota_holds.c
        until, last = (
            datetime.fromtimestamp(moment, UTC) for moment in (hold.until, now + account.longest_hold)
        )
        with self._store.transaction() as connection:
            _make(connection, [account.key])
            passes = c.held_until.is_(None) | (c.held_until < until) | (c.held_until > last)
            connection.execute(
                update(quota_holds)
                .where(c.name == account.key, passes)
                .values(held_until=until, step=hold.step)
            )

    def forget_holds(self, corp_id: str) -> None:
        """Have WeCom asked again, whatever call of the corp it has refused for a while."""
        of_corp = quota_holds.c.name.startswith(f"{corp_id} ", autoescape=True)
        with self._store.transaction() as connection:
            connection.execute(update(quota_holds).where(of_corp).values(held_until=None, step=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What calls were counted under one name."""

    used: Mapping[int, Used]
    """By the seconds of the window."""
    held_until: datetime | None


def counted_calls(connection: Connection) -> dict[str, Counted]:
    """Every name that calls of one kind are counted under; what is counted for a person or a chat is not."""
    hold, use = quota_holds.c, quota_uses.c
    held = {row.name: row.held_until for row in connection.execute(select(hold.name, hold.held_until))}
    used: dict[str, dict[int, Used]] = {name: defaultdict(dict) for name in held}
    rows = connection.execute(
        select(use.name, use.span, use.grain, use.used).join(quota_holds, hold.name == use.name)
    )
    for name, span, grain, number in rows:
        used[name][span][grain] = number
    return {name: Counted(used=used[name], held_until=until) for name, until in held.items()}


def known_members(store: Store, corp: str) -> int:
    """How many members the corp has as far as all its syncs know: those of ours."""
    c = member_links.c
    query = select(func.count()).select_from(member_links).where(c.corp == corp, c.live_userid.is_not(None))
    with store.reading() as connection:
        return connection.scalar(query) or 0


def _lock(connection: Connection, account: Account, now: float) -> float:
    """Excludes whoever counts under one of the account's names; gives the end of its hold, 0 without one."""
    c = quota_holds.c
    query = select(c.name, c.held_until).where(c.name.in_(account.locks)).order_by(c.name).with_for_update()
    rows = {row.name: row.held_until for row in connection.execute(query)}
    missing = [name for name in account.locks if name not in rows]
    if missing:
        _make(connection, missing)
        rows = {row.name: row.held_until for row in connection.execute(query)}
    held_until = rows.get(account.key)
    hold = Hold(until=0.0 if held_until is None else held_until.timestamp(), step=0)
    return hold.until if account.is_possible(hold, now) else 0.0


def _make(connection: Connection, names: Sequence[str]) -> None:
    for name in names:
        try:
            with connection.begin_nested():
                connection.execute(insert(quota_holds), {"name": name, "held_until": None, "step": 0})
        except IntegrityError:
            continue  # it is there


def _read(connection: Connection, account: Account) -> Mapping[Window, Used]:
    c = quota_uses.c
    names = {window.name for window in account.windows}
    rows = connection.execute(select(c.name, c.span, c.grain, c.used).where(c.name.in_(names)))
    found: dict[tuple[str, int], Used] = defaultdict(dict)
    for name, span, grain, used in rows:
        found[name, span][grain] = used
    return {window: found[window.name, window.span] for window in account.windows}


def _forget(connection: Connection, tables: Mapping[Window, Used], now: float) -> None:
    """What no window counts any more is not kept."""
    old = [
        _place(window, grain)
        for window, used in tables.items()
        for grain in used
        if window.leaves_at(grain) <= now
    ]
    if old:
        connection.execute(delete(quota_uses).where(*_is_at_place()), old)
        for window, used in tables.items():
            for grain in [grain for grain in used if window.leaves_at(grain) <= now]:
                del used[grain]


def _without(window: Window, used: Used, unused: Sequence[Unused]) -> Used:
    left = dict(used)
    for each in unused:
        grain = window.grain_at(each.reserved_at)
        if grain in left:
            left[grain] = max(0, left[grain] - each.count * window.weight)
    return left


def _add(
    connection: Connection,
    account: Account,
    tables: Mapping[Window, Used],
    spent: Sequence[tuple[int, float]],
    unused: Sequence[Unused],
) -> None:
    """Write down what changes: permits that are spent, and those that come back."""
    changed: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    for window in account.windows:
        before = tables[window]
        after = _without(window, before, unused)
        for count, moment in spent:
            grain = window.grain_at(moment)
            after[grain] = after.get(grain, 0) + count * window.weight
        for grain, used in after.items():
            if grain not in before:
                new.append({"name": window.name, "span": window.span, "grain": grain, "used": used})
            elif before[grain] != used:
                changed.append({**_place(window, grain), "now_used": used})
    if changed:
        connection.execute(
            update(quota_uses).where(*_is_at_place()).values(used=bindparam("now_used")), changed
        )
    if new:
        connection.execute(insert(quota_uses), new)


def _place(window: Window, grain: int) -> dict[str, Any]:
    return {"at_name": window.name, "at_span": window.span, "at_grain": grain}


def _is_at_place() -> tuple[Any, ...]:
    c = quota_uses.c
    return c.name == bindparam("at_name"), c.span == bindparam("at_span"), c.grain == bindparam("at_grain")
