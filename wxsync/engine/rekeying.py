"""Gives the mirror the keys that the source has by now; nothing is written to WeCom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import preview
from wxsync.engine.rekey import check_pairs, left_over, paired_by_place, paired_by_userid, rekeyed
from wxsync.errors import GuardError
from wxsync.mirror import lease, links
from wxsync.mirror.lease import Lease
from wxsync.model.rekey import KeyPair, Rekeyed
from wxsync.model.remembered import Remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What would be remembered, and what it was worked out from."""

    rekeyed: Rekeyed
    remembered: Remembered
    left_over: tuple[str, ...]
    """Keys of members of ours who would be in no source after it."""


async def propose(corp: Corp, listed: Sequence[KeyPair] | None) -> Proposal:
    """Which keys of ours are to become which: members by these pairs, or by userid where there are none.

    Departments that no pair names go by name and place. Reads both sides as a plan does and changes
    nothing. Raises GuardError where it cannot be told who is who, or the source was not read whole.
    """
    _, decision = await preview(corp, trigger="rekey")
    desired, actual, remembered = decision.asked, decision.actual, decision.remembered
    if not desired.is_complete:
        problems = [reading for reading in desired.readings if not reading.is_complete]
        raise GuardError(
            "nothing was changed: a reading of the source is not proven complete: "
            + "; ".join(f"{each.source}.{each.query}: {each.problem}" for each in problems),
            hint="say it again when the source can be read whole",
        )
    named = paired_by_userid(desired, remembered) if listed is None else tuple(listed)
    pairs = (*named, *paired_by_place(desired, actual, remembered, named))
    told = check_pairs(pairs, desired, remembered)
    return Proposal(
        rekeyed=rekeyed(remembered, told),
        remembered=remembered,
        left_over=left_over(desired, actual, told),
    )


async def remember_keys(corp: Corp, held: Lease, proposal: Proposal) -> None:
    """Put it into the mirror, all of it or nothing."""
    await asyncio.to_thread(_remember, corp, held, proposal)


def _remember(corp: Corp, held: Lease, proposal: Proposal) -> None:
    with corp.store.transaction() as connection:
        lease.confirm(connection, held)
        links.rekey(connection, corp.name, corp.sync, proposal.rekeyed)
        links.put_missed(
            connection,
            corp.name,
            corp.sync,
            proposal.remembered.missed_reads,
            proposal.rekeyed.missed_reads,
        )
