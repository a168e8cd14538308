"""A plan, a run or an error as the JSON documents that other programs rely on (contract §4)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from wxsync.model.change import Change, Rejected
from wxsync.model.desired import Aside, ReadingProof
from wxsync.model.loss import Loss
from wxsync.model.message import Message
from wxsync.model.plan import PLAN_FORMAT, Forecast, Limit, Plan, plain
from wxsync.model.run import Outcome, Run
from wxsync.report.locale import translate
from wxsync.report.masking import mask, mask_message

RUN_FORMAT: Final = "wxsync-run/1"
ERROR_FORMAT: Final = "wxsync-error/1"
INDENT: Final = "  "
READABLE: Final = json.JSONEncoder(ensure_ascii=False, indent=len(INDENT), allow_nan=False)
MOST_LISTED: Final = 1000
"""Keys of a later source's rows: a directory of the whole group may have many more than one company."""


def plan_document(plan: Plan, language: str = "en", masked: bool = False) -> dict[str, Any]:
    """The whole plan as `wxsync-plan/1`; with `masked`, personal values are made unreadable.

    The digest is that of the full values in either case, and the same in every language.
    """
    document = _plan(plan, language, masked)
    return {**document, "changes": list(document["changes"])}


def plan_text(plan: Plan, language: str = "en", masked: bool = False) -> Iterator[str]:
    """`to_json` of the same document in pieces, of which a plan may have very many."""
    return in_pieces(_plan(plan, language, masked))


def _plan(plan: Plan, language: str, masked: bool) -> dict[str, Any]:
    """The document; its changes are made one by one, as somebody walks through them."""
    document: dict[str, Any] = {
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
        "changes": (_change(n, change, language, masked) for n, change in enumerate(plan.changes, start=1)),
        "rejected": [rejected_entry(rejected, language) for rejected in plan.rejected],
        "limits": [_limit(limit) for limit in plan.limits],
        "forecast": {**_forecast(plan.forecast), **_obstacles(plan.forecast, language)},
    }
    if plan.causes:
        document["causes"] = [_told(cause, language, masked) for cause in plan.causes]
    if plan.waits:
        document["waits"] = [_told(why, language, masked) for why in plan.waits]
    if plan.undoes is not None:
        document["undoes"] = plan.undoes
    if plan.not_undoable:
        document["not_undoable"] = [_loss(loss, language) for loss in plan.not_undoable]
    return {**document, **aside_entries(plan.asides), **left_out_entries(plan.readings)}


def _told(message: Message, language: str, masked: bool) -> str:
    return translate(mask_message(message) if masked else message, language)


def _loss(loss: Loss, language: str) -> dict[str, Any]:
    """What an undo does not bring back; a value is in none."""
    return {
        "kind": loss.kind.value,
        "key": loss.key,
        "id": loss.id,
        "name": loss.name,
        "fields": list(loss.fields),
        "reason": loss.reason.value,
        "why": translate(loss.why, language),
    }


def _forecast(forecast: Forecast) -> dict[str, Any]:
    """`rows` and the ways that were `weighed` are there where files were thought of."""
    document: dict[str, Any] = {
        "calls": forecast.calls,
        "seconds": round(forecast.seconds, 1),
        "method": forecast.method,
    }
    if forecast.rows:
        document["rows"] = forecast.rows
    if forecast.weighed:
        document["weighed"] = [_forecast(way) for way in forecast.weighed]
    return document


def _obstacles(forecast: Forecast, language: str) -> dict[str, Any]:
    """What stands against files that replace everybody; no key where nothing does, or nobody asked."""
    told = [translate(obstacle, language) for obstacle in forecast.obstacles]
    return {"obstacles": told} if told else {}


def run_document(run: Run, language: str = "en", masked: bool = False) -> dict[str, Any]:
    """The run with its whole plan as `wxsync-run/1`."""
    document = {
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
    if run.differences:
        document["differences"] = [translate(each, language) for each in run.differences]
    return document


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
    return READABLE.encode(document) + "\n"


def in_pieces(document: Mapping[str, Any]) -> Iterator[str]:
    """What `to_json` gives, piece by piece; a value that is an iterator is written as a list of its items."""
    yield from _pieces(document, "\n")
    yield "\n"


def _pieces(value: Any, line: str) -> Iterator[str]:
    """`line` is a line feed and the margin of the line on which the value begins."""
    if isinstance(value, Mapping) and value:
        start = "{"
        for name, each in value.items():
            yield f"{start}{line}{INDENT}{json.dumps(name, ensure_ascii=False)}: "
            yield from _pieces(each, line + INDENT)
            start = ","
        yield line + "}"
    elif isinstance(value, Iterator):
        start = "["
        for each in value:
            yield f"{start}{line}{INDENT}{_indented(each, line + INDENT)}"
            start = ","
        yield "[]" if start == "[" else line + "]"
    else:
        yield _indented(value, line)


def _indented(value: Any, line: str) -> str:
    # Inside of a text a line feed is written as \\n, so each one is between lines.
    return READABLE.encode(value).replace("\n", line)


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
    if change.held is not None:
        document["held"] = {
            field: plain(mask(field, value) if masked else value) for field, value in change.held.items()
        }
    if drift := [field for field in change.drift if field in change.fields]:
        document["drift"] = drift
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


def aside_entries(asides: Sequence[Aside]) -> dict[str, list[dict[str, Any]]]:
    """What later sources have that does not count, as every document lists it; no list where none is."""
    unmatched = [_aside(aside) for aside in asides if aside.column is None]
    conflicts = [_aside(aside) for aside in asides if aside.column is not None]
    return {name: each for name, each in (("unmatched", unmatched), ("conflicts", conflicts)) if each}


def left_out_entries(readings: Sequence[ReadingProof]) -> dict[str, list[dict[str, Any]]]:
    """Who is in groups and is nobody of the sync, as every document counts them; no list where none is."""
    found = [_left_out(reading) for reading in readings if reading.left_out]
    return {"left_out": found} if found else {}


def _left_out(reading: ReadingProof) -> dict[str, Any]:
    groups = [{"name": each.name, "count": each.count} for each in reading.left_out_of[:MOST_LISTED]]
    return {"source": reading.source, "query": reading.query, "count": reading.left_out, "groups": groups}


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
    if limit.window is not None:
        document["window"] = limit.window
    return document


def _outcome(outcome: Outcome, language: str) -> dict[str, Any]:
    return {
        "n": outcome.n,
        "state": outcome.state.value,
        "errcode": outcome.errcode,
        "hint": None if outcome.hint is None else translate(outcome.hint, language),
        "attempts": outcome.attempts,
    }
