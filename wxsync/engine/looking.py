"""Reads both sides for one run, and remembers what the next one is helped by: the way, and the claims."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from wxsync.engine.approving import left_of_approved
from wxsync.engine.claims import claims_of, without_claimed
from wxsync.engine.corp import Corp
from wxsync.engine.rolling import past_uses
from wxsync.mirror import aftermath, approvals, journal, links
from wxsync.mirror.claims import claims_of_others, load_claims, save_claims
from wxsync.mirror.told import load_told, written_at
from wxsync.mirror.ways import forget_way, load_way, save_way
from wxsync.model.desired import Desired
from wxsync.model.remembered import LinkState, Remembered, RememberedWay
from wxsync.model.seen import ReadingWay, Seen
from wxsync.wecom.reader import read_seen

MONTH: Final = timedelta(days=30)
"""WeCom's month, in its quotas (page 90312)."""
PROBE_AFTER: Final = timedelta(hours=24)
"""So long WeCom is taken at its word that it shows ids alone; then a permission may have come."""


def remembered_of(corp: Corp, connection: Connection) -> Remembered:
    """All that the mirror knows of the sync; whom the corp created this month where that is bounded."""
    linked = links.load(connection, corp.name, corp.sync)
    told = load_told(connection, corp.name, corp.sync)
    remembered = replace(
        linked,
        uses=past_uses(connection, corp.name, corp.sync, corp.clock()),
        demanded=approvals.demanded(connection, corp.name, corp.sync),
        applied_config=approvals.applied_config(connection, corp.name, corp.sync),
        left_of_approved=left_of_approved(connection, corp, linked),
        tags_in_doubt=aftermath.tags_in_doubt(connection, corp.name, corp.sync),
        told=told,
        written_at=written_at(connection, corp.name, sorted({each.userid for each in told})),
        failed_lately=aftermath.failed_userids(connection, corp.name, corp.sync),
    )
    if corp.account_cap is None:
        return remembered
    created = journal.creations_since(connection, corp.name, corp.clock() - MONTH)
    return replace(remembered, created_this_month=created)


async def look_at_wecom(corp: Corp, remembered: Remembered, now: datetime) -> Seen:
    """The corp as WeCom shows it, by the way that worked before as far as it still does.

    The way is saved where it was found anew; else nothing is written. Raises WeComError, MirrorError.
    """
    tag_ids = [tag.id for tag in remembered.tags.values() if tag.state is not LinkState.GONE]
    has_app = corp.app is not None
    way = way_to_try(await asyncio.to_thread(_known_way, corp), has_app=has_app, now=now)
    seen = await read_seen(corp.wecom, tag_ids, app=corp.app, way=way)
    if seen.way is not way:
        # A way that was refused for once, or for good: the next run finds out which.
        is_lost = seen.way is ReadingWay.IDS and way is not None
        found = None if is_lost else RememberedWay(way=seen.way, has_app=has_app, found_at=now)
        await asyncio.to_thread(_save_way, corp, found)
    return seen


def way_to_try(known: RememberedWay | None, *, has_app: bool, now: datetime) -> ReadingWay | None:
    """The way to read by; None where it is to be found anew.

    That is where none is known, where the app came or went, and once a day where only ids were shown.
    """
    if known is None or known.has_app is not has_app:
        return None
    is_recent = timedelta(0) <= now - known.found_at <= PROBE_AFTER
    return known.way if is_recent or known.way is not ReadingWay.IDS else None


def without_claims_of_others(corp: Corp, desired: Desired) -> Desired:
    """The reading without those whom another sync of the corp claims too; what it claims itself is saved.

    Only a complete reading says what a sync no longer claims. Blocks; raises MirrorError.
    """
    if not corp.siblings:
        return desired
    with corp.store.reading() as connection:
        others = claims_of_others(connection, corp.name, corp.siblings)
        before = load_claims(connection, corp.name, corp.sync)
    claims = claims_of(desired)
    if desired.is_complete and claims != before:
        with corp.store.transaction() as connection:
            save_claims(connection, corp.name, corp.sync, claims)
    return without_claimed(desired, others, sync=corp.sync)


def _known_way(corp: Corp) -> RememberedWay | None:
    with corp.store.reading() as connection:
        return load_way(connection, corp.name)


def _save_way(corp: Corp, found: RememberedWay | None) -> None:
    with corp.store.transaction() as connection:
        if found is None:
            forget_way(connection, corp.name)
        else:
            save_way(connection, corp.name, found)
