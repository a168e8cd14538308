"""Who said yes or no to which plan, which syncs wait for a yes, and the config that was last applied.

All functions take a connection and never commit: what belongs together goes into one transaction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from wxsync.mirror import journal
from wxsync.mirror.store import replace_rows
from wxsync.mirror.tables import applied_configs, approval_demands, approvals, plans, runs
from wxsync.mirror.values import as_text, message_text, to_message
from wxsync.model.approval import Decided, Offer, Standing, Verdict
from wxsync.model.message import Message
from wxsync.model.run import RunState

UNDOES: Final = re.compile(r'\n  "undoes": (\d+)')
"""The run that a plan takes back, in the plan's document: no text in it has a line feed."""

# What waits


def demand(connection: Connection, corp: str, sync: str, why: Message, at: datetime) -> None:
    """The next plan of `sync` that would change anybody waits for approval, whatever sets its run off.

    A later demand takes the place of the former. It is met by an approved run that comes to its end.
    """
    row = {"corp": corp, "sync": sync, "why": message_text(why), "demanded_at": at}
    replace_rows(connection, approval_demands, [row])


def demanded(connection: Connection, corp: str, sync: str) -> Message | None:
    """Why the next plan of `sync` waits for approval; None where it does not."""
    query = select(approval_demands.c.why).filter_by(corp=corp, sync=sync)
    return to_message(connection.scalar(query))


def demanded_at(connection: Connection, corp: str, sync: str) -> datetime | None:
    """Since when the next plan of `sync` waits for approval; None where it does not."""
    found: Any = connection.scalar(select(approval_demands.c.demanded_at).filter_by(corp=corp, sync=sync))
    return None if found is None else found


def meet_demand(connection: Connection, corp: str, sync: str) -> None:
    """Somebody has approved a plan of `sync`, and it was carried out."""
    connection.execute(delete(approval_demands).filter_by(corp=corp, sync=sync))


# What was said


def offer_of(connection: Connection, digest: str) -> Offer | None:
    """The newest plan on record with this digest, of whatever sync; None where nobody was shown one."""
    return _newest(connection, _offers(digest))


def undone_by(connection: Connection, offer: Offer) -> int | None:
    """The run that the plan takes back; None where it is no undo, or no longer on record."""
    found = UNDOES.search(journal.document_of(connection, offer.run_id) or "")
    return None if found is None else int(found[1])


def standing(connection: Connection, corp: str, sync: str, digest: str, *, before: int) -> Standing:
    """How the plan with this digest stands, as runs before run `before` left it."""
    here = _offers(digest).where(runs.c.corp == corp, runs.c.sync == sync, runs.c.id < before)
    return Standing(
        digest=digest,
        offer=_newest(connection, here),
        decided=_last_word(connection, corp, sync, digest),
    )


def approve(
    connection: Connection, offer: Offer, by: str, at: datetime, parts: Sequence[str] | None = None
) -> Decided | None:
    """Put on record that somebody says yes to this plan, which holds for one run.

    None where a yes to it is on record already: of two who say it at once one is the first. One to the same
    plan as it was made before, that no run went by, holds no more.
    """
    c = approvals.c
    connection.execute(
        delete(approvals).where(
            c.corp == offer.corp,
            c.sync == offer.sync,
            c.digest == offer.digest,
            c.plan_run < offer.run_id,
            c.verdict == Verdict.APPROVED.value,
            c.run_id.is_(None),
        )
    )
    return _decide(connection, offer, Verdict.APPROVED, by, at, parts)


def reject(connection: Connection, offer: Offer, by: str, at: datetime) -> None:
    """Put on record that somebody says no to this plan; a yes of before holds no more.

    It is not carried out until somebody approves it anew.
    """
    c = approvals.c
    mine = (c.corp == offer.corp, c.sync == offer.sync, c.digest == offer.digest)
    connection.execute(delete(approvals).where(*mine, c.plan_run == offer.run_id, c.run_id.is_(None)))
    connection.execute(delete(approvals).where(*mine, c.verdict == Verdict.REJECTED.value))
    _decide(connection, offer, Verdict.REJECTED, by, at, None)


def use(connection: Connection, decided: Decided, run_id: int) -> bool:
    """Run `run_id` goes by this approval; False where another run was quicker."""
    c = approvals.c
    last = c.run_id.is_(None) if decided.run_id is None else c.run_id == decided.run_id
    found = connection.execute(
        update(approvals)
        .where(c.id == decided.id, c.verdict == Verdict.APPROVED.value, last)
        .values(run_id=run_id)
    )
    return found.rowcount == 1


def cut_off(
    connection: Connection, corp: str, sync: str, *, before: int | None = None, is_idle: bool = False
) -> Decided | None:
    """The approval by which the last run of `sync` went that wrote, where that run did not come to its end.

    None where it did, or went by none, or somebody has said no to that plan since. Where the corp `is_idle`,
    nobody having its lease, a run that is said to be at work has died.
    """
    run = runs.c
    broken = [RunState.STOPPED.value, *([RunState.RUNNING.value] if is_idle else [])]
    wrote = [RunState.APPLIED.value, *broken]
    last = connection.execute(
        select(run.id, run.state)
        .where(run.corp == corp, run.sync == sync, run.verb != "plan", run.state.in_(wrote))
        .where(true() if before is None else run.id < before)
        .order_by(run.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None or last.state not in broken:
        return None
    found = connection.execute(_words().where(approvals.c.run_id == last.id)).one_or_none()
    if found is None:
        return None
    last_word = _last_word(connection, corp, sync, found.digest)
    return None if last_word is None or last_word.id != found.id else last_word


def _decide(
    connection: Connection,
    offer: Offer,
    verdict: Verdict,
    by: str,
    at: datetime,
    parts: Sequence[str] | None,
) -> Decided | None:
    row = {
        "corp": offer.corp,
        "sync": offer.sync,
        "digest": offer.digest,
        "plan_run": offer.run_id,
        "made_at": offer.made_at,
        "verdict": verdict.value,
        "decided_by": by,
        "decided_at": at,
        "parts": None if parts is None else as_text(list(parts)),
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(approvals).values(row))
    except IntegrityError:
        return None
    return _last_word(connection, offer.corp, offer.sync, offer.digest)


def _offers(digest: str) -> Select[Any]:
    """Plans that were made to be looked at: those of whoever had said yes beforehand count for nothing."""
    run = runs.c
    shown = or_(run.asked_digest.is_(None), run.asked_digest != digest)
    query = select(run.id, run.corp, run.sync, run.verb, run.started_at, plans.c.digest)
    return query.select_from(plans.join(runs)).where(plans.c.digest == digest, shown)


def _newest(connection: Connection, offers: Select[Any]) -> Offer | None:
    found = connection.execute(offers.order_by(runs.c.id.desc()).limit(1)).one_or_none()
    if found is None:
        return None
    return Offer(
        digest=found.digest,
        run_id=found.id,
        corp=found.corp,
        sync=found.sync,
        verb=found.verb,
        made_at=found.started_at,
    )


def _words() -> Select[Any]:
    return select(approvals, runs.c.state).outerjoin(runs, runs.c.id == approvals.c.run_id)


def _last_word(connection: Connection, corp: str, sync: str, digest: str) -> Decided | None:
    c = approvals.c
    mine = _words().where(c.corp == corp, c.sync == sync, c.digest == digest)
    found = connection.execute(mine.order_by(c.id.desc()).limit(1)).one_or_none()
    return None if found is None else _to_decided(found)


def _to_decided(row: Row[Any]) -> Decided:
    return Decided(
        id=row.id,
        digest=row.digest,
        plan_run=row.plan_run,
        made_at=row.made_at,
        verdict=Verdict(row.verdict),
        by=row.decided_by,
        at=row.decided_at,
        parts=None if row.parts is None else tuple(json.loads(row.parts)),
        run_id=row.run_id,
        run_state=None if row.state is None else RunState(row.state),
    )


# The config


def applied_config(connection: Connection, corp: str, sync: str) -> dict[str, str] | None:
    """Path -> what it held, in the form in which it was saved; None before anything was applied."""
    document = connection.scalar(select(applied_configs.c.document).filter_by(corp=corp, sync=sync))
    return None if document is None else dict(json.loads(document))


def save_config(connection: Connection, corp: str, sync: str, marks: Mapping[str, str], run_id: int) -> None:
    """This is the config of the last run of `sync` that was applied, or approved."""
    row = {"corp": corp, "sync": sync, "document": as_text(dict(marks)), "run_id": run_id}
    replace_rows(connection, applied_configs, [row])
