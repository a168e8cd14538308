"""A click on a card that asked: who it was, whether they may, and what follows from it.

A click carries no right of its own. What was said by it is put on record as `wxsync approve` and `wxsync
reject` do; a plan that is another one by then, or is older than a day, is not carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from sqlalchemy import Connection

from wxsync.config.notify import AppChannelSettings
from wxsync.config.settings import Settings
from wxsync.mirror import approvals, notices
from wxsync.mirror.notices import Card
from wxsync.model.approval import Decided, Offer, Operator, OperatorKind, Verdict
from wxsync.model.message import Message, say
from wxsync.service.notify.faces import APPROVE, REJECT, verdict_text

VERDICTS: Final[Mapping[str, Verdict]] = {APPROVE: Verdict.APPROVED, REJECT: Verdict.REJECTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A button was pressed, as WeCom tells it (WeCom page 90376)."""

    corp: str
    userid: str
    task_id: str
    key: str
    response_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Somebody said yes to a plan: a run is to carry it out, as `wxsync approve` would."""

    corp: str
    sync: str
    digest: str
    by: str
    undoes: int | None = None
    """The run that the plan takes back."""


class Outcome(Enum):
    """What a click came to."""

    APPROVED = "approved"
    REJECTED = "rejected"
    STRANGE = "no such card, or no such button"
    NOT_ALLOWED = "not an approver"
    TOO_LATE = "decided already, or too old"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is to be shown on the card, and whether a run is wanted."""

    outcome: Outcome
    card: Card | None = None
    said: Message | None = None
    """In the place of the buttons; None: the card stays as it is."""
    wanted: Wanted | None = None


def answer(connection: Connection, settings: Settings, click: Click, now: datetime) -> Answer:
    """Judge the click, and put on record what was decided by it; within one transaction."""
    card, verdict = notices.card(connection, click.corp, click.task_id), VERDICTS.get(click.key)
    if card is None or verdict is None:
        return Answer(outcome=Outcome.STRANGE)
    if not may_decide(settings, card, click.userid):
        return Answer(outcome=Outcome.NOT_ALLOWED, card=card)
    offer = approvals.offer_of(connection, card.digest)
    if (reason := _too_late(connection, card, offer, now)) is not None:
        return Answer(outcome=Outcome.TOO_LATE, card=card, said=reason)
    if offer is None or not notices.decide(connection, card, verdict, str(_operator(click)), now):
        return Answer(outcome=Outcome.TOO_LATE, card=card, said=say("it is decided already"))
    return _decided(connection, card, offer, verdict, click, now)


def may_decide(settings: Settings, card: Card, userid: str) -> bool:
    """By the config as it is now, not as it was when the card was sent."""
    sync, channel = settings.sync.get(card.sync), settings.notify.get(card.channel)
    if sync is None or sync.corp != card.corp or card.channel not in sync.notify:
        return False
    return isinstance(channel, AppChannelSettings) and channel.may_decide(userid)


def wanted_of(connection: Connection, card: Card, now: datetime) -> Wanted | None:
    """The run that the yes on this card still waits for; None where one went by it, or it holds no more."""
    offer = approvals.offer_of(connection, card.digest)
    said = None if offer is None else _last_word(connection, offer)
    if offer is None or said is None or card.decided_by is None or card.verdict is not Verdict.APPROVED:
        return None
    is_open = said.verdict is Verdict.APPROVED and said.run_id is None and said.by == card.decided_by
    return _wanted(connection, offer, card.decided_by) if is_open and not said.is_old(now) else None


def _decided(
    connection: Connection, card: Card, offer: Offer, verdict: Verdict, click: Click, now: datetime
) -> Answer:
    by = str(_operator(click))
    said = verdict_text(verdict, click.userid)
    if verdict is Verdict.REJECTED:
        approvals.reject(connection, offer, by, now)
        return Answer(outcome=Outcome.REJECTED, card=card, said=said)
    # On record at once: the run that goes by it may be one of another process, after this one died.
    if approvals.approve(connection, offer, by, now) is None:
        return Answer(outcome=Outcome.TOO_LATE, card=card, said=say("it is decided already"))
    return Answer(outcome=Outcome.APPROVED, card=card, said=said, wanted=_wanted(connection, offer, by))


def _too_late(connection: Connection, card: Card, offer: Offer | None, now: datetime) -> Message | None:
    """Why this card decides nothing any more; None where it does."""
    if card.verdict is not None and card.decided_by is not None:
        return verdict_text(card.verdict, _name(card.decided_by))
    if offer is None or offer.sync != card.sync or offer.corp != card.corp:
        return say("this plan is no longer on record")
    if offer.is_old(now):
        return say("this plan is older than a day")
    said = _last_word(connection, offer)
    if said is None:
        return None
    return verdict_text(said.verdict, _name(said.by))


def _last_word(connection: Connection, offer: Offer) -> Decided | None:
    """What was said of the plan as it was made last, by whatever way."""
    standing = approvals.standing(connection, offer.corp, offer.sync, offer.digest, before=offer.run_id + 1)
    said = standing.decided
    return said if said is not None and said.plan_run == offer.run_id else None


def _wanted(connection: Connection, offer: Offer, by: str) -> Wanted:
    undoes = approvals.undone_by(connection, offer)
    return Wanted(corp=offer.corp, sync=offer.sync, digest=offer.digest, by=by, undoes=undoes)


def _operator(click: Click) -> Operator:
    return Operator(kind=OperatorKind.WECOM, name=click.userid)


def _name(by: str) -> str:
    """Who decided, as people call them."""
    return by.removeprefix(f"{OperatorKind.WECOM.value}:")
