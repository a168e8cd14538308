"""Gives a fresh mirror the records that saved plans call ours; nothing is written to WeCom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from wxsync.engine.adoption import is_generated
from wxsync.engine.corp import Corp
from wxsync.engine.rebuild import Rebuild, rebuild
from wxsync.engine.reconcile import preview
from wxsync.errors import GuardError
from wxsync.mirror import lease, links
from wxsync.mirror.approvals import demand
from wxsync.mirror.lease import Lease
from wxsync.model.message import say
from wxsync.model.saved_plan import SavedPlan


async def propose_rebuild(corp: Corp, saved: Sequence[SavedPlan]) -> Rebuild:
    """Who would be ours: reads both sides as a plan does, and changes nothing.

    Raises GuardError where the plans are of another corp or sync, the mirror is not fresh, or the source
    was not read whole.
    """
    _, decision = await preview(corp, trigger="rebuild")
    if not decision.desired.is_complete:
        raise GuardError(
            "nothing was changed: a reading of the source is not proven complete",
            hint=f"`wxsync plan {corp.sync}` tells which; say it again when the source can be read whole",
        )
    return rebuild(
        decision, saved, corp.settings.policy.protect, is_generated=is_generated(corp.settings.member)
    )


async def remember_rebuild(corp: Corp, held: Lease, found: Rebuild) -> None:
    """Put it into the mirror, all of it or nothing.

    The next plan that would change anybody waits for approval.
    """
    await asyncio.to_thread(_remember, corp, held, found)


def _remember(corp: Corp, held: Lease, found: Rebuild) -> None:
    why = say("the mirror was rebuilt: look at what it would do before anybody is changed")
    with corp.store.transaction() as connection:
        lease.confirm(connection, held)
        links.put_department(connection, corp.name, corp.sync, found.departments)
        links.put_member(connection, corp.name, corp.sync, found.members)
        links.put_tag(connection, corp.name, corp.sync, found.tags)
        demand(connection, corp.name, corp.sync, why, corp.clock())
