"""The fixed words of a report: its headings and labels."""

from __future__ import annotations

from dataclasses import dataclass

from wxsync.model.message import say
from wxsync.report.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Headings:
    """Every heading and label, in the report's language."""

    plan: str
    run: str
    summary: str
    kept: str
    rejected: str
    not_undoable: str
    limits: str
    forecast: str
    read: str
    outcomes: str
    sync: str
    corp: str
    made: str
    digest: str
    limit: str
    count: str
    allowed: str
    started: str
    took: str
    trigger: str
    next: str
    errcode: str
    masked: str
    personal: str


def headings(wording: Wording) -> Headings:
    """The headings in the language of `wording`."""
    of = wording.of
    return Headings(
        plan=of(say("Plan")),
        run=of(say("Run")),
        summary=of(say("Summary")),
        kept=of(say("Left alone")),
        rejected=of(say("Rejected")),
        not_undoable=of(say("Not undoable")),
        limits=of(say("Limits")),
        forecast=of(say("Forecast")),
        read=of(say("Read")),
        outcomes=of(say("Outcomes")),
        sync=of(say("Sync")),
        corp=of(say("Corp")),
        made=of(say("Made")),
        digest=of(say("Digest")),
        limit=of(say("Limit")),
        count=of(say("In this plan")),
        allowed=of(say("Allowed")),
        started=of(say("Started")),
        took=of(say("Took")),
        trigger=of(say("Set off")),
        next=of(say("What to do next")),
        errcode=of(say("errcode")),
        masked=of(say("Phone numbers, e-mails and addresses are masked.")),
        personal=of(say("This report shows personal data: keep it to those who need it.")),
    )
