"""Notices on their way to people, the cards that ask, and what was told of each sync last.

All functions take a connection and never commit: what belongs together goes into one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, exists, func, insert, or_, select, update

from wxsync.mirror.store import replace_rows
from wxsync.mirror.tables import notice_marks, notices, readings, runs
from wxsync.mirror.values import as_text
from wxsync.model.approval import Verdict
from wxsync.model.notice import Count, Notice, NoticeKind, NoticeState
from wxsync.model.run import RunState

LONGEST_SENDING: Final = timedelta(minutes=10)
"""No try takes as long: of one that began before then the process died."""
DOUBT: Final = "the process ended, or its connection, before the answer came"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A notice for one channel that is to be sent."""

    id: int
    channel: str
    tries: int
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card that asked about a plan, and what was decided by it."""

    id: int
    corp: str
    sync: str
    channel: str
    digest: str
    notice: Notice
    verdict: Verdict | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What people were told of a sync last."""

    known_since: datetime
    trouble: str | None = None
    told_at: datetime | None = None
    silent_since: datetime | None = None
    """The end of the last complete run, or when the sync became known, where its age was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A notice of which nobody knows whether it arrived, or which never went."""

    id: int
    sync: str
    channel: str
    kind: NoticeKind
    state: NoticeState
    at: datetime
    problem: str


# On their way


def put(connection: Connection, notice: Notice, channels: Iterable[str], now: datetime) -> None:
    """The notice waits to be sent by each of the channels."""
    row = {
        "corp": notice.corp,
        "sync": notice.sync,
        "kind": notice.kind.value,
        "document": _document(notice),
        "made_at": notice.at,
        "state": NoticeState.WAITING.value,
        "not_before": now,
        "tries": 0,
    }
    rows = [{**row, "channel": channel} for channel in channels]
    if rows:
        connection.execute(insert(notices), rows)


def due(connection: Connection, corp: str, now: datetime) -> tuple[Waiting, ...]:
    """What may be sent now, in the order in which it happened."""
    c = notices.c
    query = select(c.id, c.channel, c.tries, c.document).where(
        c.corp == corp, c.state == NoticeState.WAITING.value, c.not_before <= now
    )
    return tuple(
        Waiting(id=row.id, channel=row.channel, tries=row.tries, notice=_to_notice(row.document))
        for row in connection.execute(query.order_by(c.made_at, c.id))
    )


def sent_since(connection: Connection, channel: str, moment: datetime) -> tuple[datetime, ...]:
    """When sending by the channel was tried since `moment`, by whichever process; the first one first."""
    c = notices.c
    query = select(c.begun_at).where(c.channel == channel, c.begun_at > moment)
    return tuple(connection.scalars(query.order_by(c.begun_at)))


def last_begun(connection: Connection, corp: str, sync: str, channel: str) -> datetime | None:
    """When something of the sync was last sent by the channel."""
    c = notices.c
    went = (NoticeState.SENT.value, NoticeState.UNKNOWN.value, NoticeState.SENDING.value)
    query = select(func.max(c.begun_at)).filter_by(corp=corp, sync=sync, channel=channel)
    found: datetime | None = connection.scalar(query.where(c.state.in_(went)))
    return found


def begin(
    connection: Connection,
    first: int,
    others: Collection[int],
    notice: Notice,
    now: datetime,
    *,
    task_id: str | None = None,
) -> bool:
    """Put on record, before the call, that `first` is sent as `notice` and says the `others` too.

    `task_id` is that of a card which asks. False where another process was quicker.
    """
    c = notices.c
    mine = c.state == NoticeState.WAITING.value
    sending = {
        "state": NoticeState.SENDING.value,
        "begun_at": now,
        "tries": c.tries + 1,
        "kind": notice.kind.value,
        "document": _document(notice),
        "task_id": task_id,
        "digest": notice.digest if task_id else None,
        "problem": None,
    }
    if connection.execute(update(notices).where(c.id == first, mine).values(sending)).rowcount != 1:
        return False
    joined = {"state": NoticeState.JOINED.value}
    connection.execute(update(notices).where(c.id.in_(sorted(others)), mine).values(joined))
    return True


def end(connection: Connection, id: int, state: NoticeState, problem: str = "") -> None:
    """What became of the notice that was begun."""
    c = notices.c
    this = (c.id == id, c.state == NoticeState.SENDING.value)
    connection.execute(update(notices).where(*this).values(state=state.value, problem=problem or None))


def put_off(connection: Connection, id: int, until: datetime, problem: str = "") -> None:
    """It was not sent, surely, and is to be sent later; of its card nobody knows."""
    c = notices.c
    values: dict[str, Any] = {
        "state": NoticeState.WAITING.value,
        "not_before": until,
        "task_id": None,
        "digest": None,
    }
    if problem:
        values["problem"] = problem
    connection.execute(update(notices).where(c.id == id).values(values))


def give_up(connection: Connection, ids: Collection[int], why: str) -> None:
    """These are sent no more."""
    values: dict[str, Any] = {"state": NoticeState.GIVEN_UP.value, "problem": why}
    connection.execute(update(notices).where(notices.c.id.in_(sorted(ids))).values(values))


def doubt(connection: Connection, corp: str, now: datetime) -> tuple[int, ...]:
    """Of what was begun and not ended nobody knows whether it arrived; gives their numbers."""
    c = notices.c
    begun = c.begun_at < now - LONGEST_SENDING
    left = (c.corp == corp, c.state == NoticeState.SENDING.value, or_(begun, c.begun_at > now))
    found = tuple(connection.scalars(select(c.id).where(*left)))
    if found:
        values: dict[str, Any] = {"state": NoticeState.UNKNOWN.value, "problem": DOUBT}
        connection.execute(update(notices).where(c.id.in_(found)).values(values))
    return found


def undelivered(connection: Connection, since: datetime) -> tuple[Undelivered, ...]:
    """What may not have arrived since then, the newest first."""
    c = notices.c
    bad = (NoticeState.UNKNOWN.value, NoticeState.GIVEN_UP.value)
    refused = (c.state == NoticeState.WAITING.value) & c.problem.is_not(None)
    query = select(notices).where(c.made_at > since, or_(c.state.in_(bad), refused))
    return tuple(_to_undelivered(row) for row in connection.execute(query.order_by(c.id.desc())))


def strike(connection: Connection, corp: str, before: datetime) -> None:
    """What is older goes, sent or not."""
    c = notices.c
    connection.execute(delete(notices).where(c.corp == corp, c.made_at < before))


# Cards that ask


def card(connection: Connection, corp: str, task_id: str) -> Card | None:
    """The card with this task_id; None where no such card was sent."""
    found = connection.execute(select(notices).filter_by(corp=corp, task_id=task_id)).one_or_none()
    return None if found is None else _to_card(found)


def decide(connection: Connection, card: Card, verdict: Verdict, by: str, at: datetime) -> bool:
    """By this card somebody has said yes or no; False where somebody was quicker: it takes one answer."""
    c = notices.c
    values = {"verdict": verdict.value, "decided_by": by, "decided_at": at}
    found = connection.execute(update(notices).where(c.id == card.id, c.verdict.is_(None)).values(values))
    return found.rowcount == 1


def approved_cards(connection: Connection, corp: str, since: datetime) -> tuple[Card, ...]:
    """The cards by which somebody has said yes since then, the newest first."""
    c = notices.c
    said = (c.corp == corp, c.verdict == Verdict.APPROVED.value, c.decided_at > since)
    rows = connection.execute(select(notices).where(*said).order_by(c.decided_at.desc()))
    return tuple(_to_card(row) for row in rows)


# What was told last


def mark(connection: Connection, corp: str, sync: str) -> Mark | None:
    """What was told of the sync last; None where nothing is known of it yet."""
    found = connection.execute(select(notice_marks).filter_by(corp=corp, sync=sync)).one_or_none()
    if found is None:
        return None
    return Mark(
        known_since=found.known_since,
        trouble=found.trouble,
        told_at=found.told_at,
        silent_since=found.silent_since,
    )


def put_mark(connection: Connection, corp: str, sync: str, mark: Mark) -> None:
    """What was told of the sync last, from now on."""
    replace_rows(connection, notice_marks, [{"corp": corp, "sync": sync, **asdict(mark)}])


def last_complete(connection: Connection, corp: str, sync: str, *, by_plans: bool) -> datetime | None:
    """When the last run of the sync ended that came to its end on complete readings; None before any.

    With `by_plans` dry runs count too: where the daemon makes no others.
    """
    run, reading = runs.c, readings.c
    ends = [RunState.APPLIED.value, *([RunState.PLANNED.value] if by_plans else [])]
    verbs = ["apply", *(["plan"] if by_plans else [])]
    has_lacked = exists().where(reading.run_id == run.id, reading.is_complete.is_(False))
    has_read = exists().where(reading.run_id == run.id)
    query = select(func.max(run.finished_at)).where(
        run.corp == corp, run.sync == sync, run.state.in_(ends), run.verb.in_(verbs), has_read, ~has_lacked
    )
    found: datetime | None = connection.scalar(query)
    return found


def _document(notice: Notice) -> str:
    return as_text({**asdict(notice), "at": notice.at.isoformat()})


def _to_notice(document: str) -> Notice:
    written = json.loads(document)
    return Notice(
        **{
            **written,
            "kind": NoticeKind(written["kind"]),
            "at": datetime.fromisoformat(written["at"]),
            "done": tuple(Count(**each) for each in written["done"]),
            "planned": tuple(Count(**each) for each in written["planned"]),
            "reasons": tuple(written["reasons"]),
        }
    )


def _to_card(row: Row[Any]) -> Card:
    found = Card(
        id=row.id,
        corp=row.corp,
        sync=row.sync,
        channel=row.channel,
        digest=row.digest,
        notice=_to_notice(row.document),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )
    return found if row.verdict is None else replace(found, verdict=Verdict(row.verdict))


def _to_undelivered(row: Row[Any]) -> Undelivered:
    return Undelivered(
        id=row.id,
        sync=row.sync,
        channel=row.channel,
        kind=NoticeKind(row.kind),
        state=NoticeState(row.state),
        at=row.made_at,
        problem=row.problem or "",
    )
