"""Who said yes or no to which plan, and what of it has been used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from wxsync.model.run import RunState

LIFETIME: Final = timedelta(hours=24)
"""So long after a plan was made somebody may say yes to it, and a yes holds."""


class OperatorKind(StrEnum):
    """By what somebody is known who decides on a plan."""

    USER = "user"
    """A user of the operating system."""
    BEARER = "token"
    """A token of the HTTP API, by its name."""
    WECOM = "wecom"
    """A WeCom userid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Somebody who decides on a plan. As text: a user's name, or `token:NAME`, `wecom:USERID`."""

    kind: OperatorKind
    name: str

    def __str__(self) -> str:
        return self.name if self.kind is OperatorKind.USER else f"{self.kind.value}:{self.name}"


class Verdict(StrEnum):
    """What somebody said of a plan."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan on record to which somebody may say yes, and the run that made it."""

    digest: str
    run_id: int
    corp: str
    sync: str
    verb: str
    made_at: datetime

    def is_old(self, now: datetime) -> bool:
        """It was made too long ago to be approved, or under a clock that was wrong."""
        return abs(now - self.made_at) > LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What was said of one plan. `run_id` is the last run that went by it; None: no run has yet."""

    id: int
    digest: str
    plan_run: int
    made_at: datetime
    verdict: Verdict
    by: str
    at: datetime
    parts: tuple[str, ...] | None = None
    """The parts of the plan that may be carried out, as `member:create`; None: all of it."""
    run_id: int | None = None
    run_state: RunState | None = None
    """Of that run."""

    def is_old(self, now: datetime) -> bool:
        """Nothing more may be done by it."""
        return abs(now - self.made_at) > LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one plan stands: whether it is on record, and what was said of it last."""

    digest: str
    offer: Offer | None = None
    decided: Decided | None = None

    def stands(self, now: datetime) -> bool:
        """Somebody said yes to all of it, and no run has gone by that yet."""
        said = self.decided
        return (
            said is not None
            and said.verdict is Verdict.APPROVED
            and said.run_id is None
            and said.parts is None
            and not said.is_old(now)
        )

    @property
    def is_rejected(self) -> bool:
        """The last word on it was no."""
        return self.decided is not None and self.decided.verdict is Verdict.REJECTED

    @property
    def is_spent(self) -> bool:
        """It was approved, a run has gone by that, and it was not planned anew since."""
        said = self.decided
        return (
            said is not None
            and said.verdict is Verdict.APPROVED
            and said.run_id is not None
            and (self.offer is None or self.offer.run_id <= said.plan_run)
        )
