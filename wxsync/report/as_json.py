"""A plan, a run or an error as the JSON documents that other programs rely on (contract §4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from wxsync.model.change import Change, Rejected
from wxsync.model.desired import Aside
from wxsync.model.plan import PLAN_FORMAT, Limit, Plan, plain
from wxsync.model.run import Outcome, Run
from wxsync.report.locale import translate
from wxsync.report.masking import mask

RUN_FORMAT: Final = "wxsync-run/1"
ERROR_FORMAT: Final = "wxsync-error/1"
MOST_LISTED: Final = 1000
"""Keys of a later source's rows: a directory of the whole group may have many more than one company."""


def plan_document(plan: Plan, language: str = "en", masked: bool = False) -> dict[str, Any]:
    """The whole plan as `wxsync-plan/1`; with `masked`, personal values are made unreadable.

    The digest is that of the full values in either case, and the same in every language.
    """
    document = {
        "format": PLAN_FORMAT,
        "sync": plan.sync,
        "corp_id": plan.corp_id,
        "created_at": moment(plan.created_at),
        "digest": plan.digest,
        "complete": plan.is_complete,
        "summary": {
            kind.value: {verb.value: number for verb, number in verbs.items()}
            for kind, verbs in plan.summary.items()
        },
        "changes": [_change(n, change, language, masked) for n, change in enumerate(plan.changes, start=1)],
        "rejected": [rejected_entry(rejected, language) for rejected in plan.rejected],
        "limits": [_limit(limit) for limit in plan.limits],
        "forecast": {
            "calls": plan.forecast.calls,
            "seconds": round(plan.forecast.seconds, 1),
            "method": plan.forecast.method,
        },
    }
    for name, has_column in (("unmatched", False), ("conflicts", True)):
        asides = [_aside(aside) for aside in plan.asides if (aside.column is not None) is has_column]
        if asides:
            document[name] = asides
    return document


def run_document(run: Run, language: str = "en", masked: bool = False) -> dict[str, Any]:
    """The run with its whole plan as `wxsync-run/1`."""
    return {
        "format": RUN_FORMAT,
        "id": run.id,
        "sync": run.sync,
        "trigger": run.trigger,
        "started_at": moment(run.started_at),
        "finished_at": None if run.finished_at is None else moment(run.finished_at),
        "state": run.state.value,
        "plan": plan_document(run.plan, language, masked),
        "outcomes": [_outcome(outcome, language) for outcome in run.outcomes],
    }


def error_document(
    *, code: str, message: str, hint: str | None = None, language: str = "en"
) -> dict[str, Any]:
    """What stopped a command as `wxsync-error/1`, translated as far as the catalogue has it."""
    return {
        "format": ERROR_FORMAT,
        "code": code,
        "message": translate(message, language),
        "hint": None if hint is None else translate(hint, language),
    }


def to_json(document: Mapping[str, Any]) -> str:
    """The document as text: readable, Chinese as it is, one line feed at the end."""
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def moment(at: datetime) -> str:
    """A time as UTC to the second: 2026-01-31T08:00:00Z. One without a zone is taken for UTC."""
    utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def _change(n: int, change: Change, language: str, masked: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "n": n,
        "kind": change.kind.value,
        "verb": change.verb.value,
        "key": change.key,
        "id": change.id,
        "name": change.name,
        "fields": {
            field: {
                "before": plain(mask(field, values.before) if masked else values.before),
                "after": plain(mask(field, values.after) if masked else values.after),
            }
            for field, values in change.fields.items()
        },
        "why": translate(change.why, language),
    }
    if change.reason is not None:
        document["reason"] = change.reason.value
    if change.is_temporary:
        document["temporary"] = True
    return document


def rejected_entry(rejected: Rejected, language: str) -> dict[str, Any]:
    """One reject, as every document lists it."""
    return {
        "kind": rejected.kind.value,
        "key": rejected.key,
        "field": rejected.field,
        "rule": rejected.rule,
        "problem": translate(rejected.problem, language),
    }


def _aside(aside: Aside) -> dict[str, Any]:
    document: dict[str, Any] = {"source": aside.source, "query": aside.query}
    if aside.column is not None:
        document["column"] = aside.column
    return {**document, "count": len(aside.keys), "keys": list(aside.keys[:MOST_LISTED])}


def _limit(limit: Limit) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": limit.name,
        "count": limit.count,
        "allowed": limit.allowed,
        "exceeded": limit.is_exceeded,
    }
    if limit.detail is not None:
        document["detail"] = limit.detail
    return document


def _outcome(outcome: Outcome, language: str) -> dict[str, Any]:
    return {
        "n": outcome.n,
        "state": outcome.state.value,
        "errcode": outcome.errcode,
        "hint": None if outcome.hint is None else translate(outcome.hint, language),
        "attempts": outcome.attempts,
    }
