"""A plan or run that was saved as JSON, read again: who was ours by it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from wxsync.errors import WxsyncError
from wxsync.model.change import Kind, Reason, Verb
from wxsync.model.plan import PLAN_FORMAT, document_digest, noted_digest
from wxsync.model.run import OutcomeState
from wxsync.model.saved_plan import Named, SavedPlan
from wxsync.report.as_json import RUN_FORMAT

NOT_OURS: Final = frozenset({Reason.FOREIGN.value, Reason.UNADOPTED.value, Reason.PROTECTED.value})
"""A record that is kept for one of these may be anybody's."""
BECOMING: Final = frozenset({Verb.CREATE, Verb.ADOPT})
"""By one of these a record becomes ours, and not before it is done."""
HINT: Final = "give it what `wxsync apply --format json --output FILE` or `wxsync plan` wrote"

ALTERED: Final = "its changes do not give its digest, so they were altered, or their values are masked"
LEAVE_OUT: Final = (
    f"{HINT}, untouched and with full values; or leave it out: whom no other file names is for adoption"
)


def read_saved_plan(path: Path) -> SavedPlan:
    """The plan of a `wxsync-plan/1` or `wxsync-run/1` file, with the fate of each change where it tells that.

    Raises WxsyncError where it is none, or not as wxsync wrote it: its changes have to give its digest.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise WxsyncError(f"{path} cannot be read: {error.strerror}", hint=HINT) from error
    except ValueError:
        # "from None": the error quotes the text.
        raise WxsyncError(f"{path} is no JSON", hint=HINT) from None
    try:
        return _saved_plan(str(path), document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise WxsyncError(f"{path} is no plan and no run of wxsync", hint=HINT) from None


def _saved_plan(file: str, document: Mapping[str, Any]) -> SavedPlan:
    outcomes: dict[int, str] | None = None
    if document["format"] == RUN_FORMAT:
        outcomes = {int(each["n"]): str(each["state"]) for each in document["outcomes"]}
        document = document["plan"]
    if document["format"] != PLAN_FORMAT:
        raise ValueError(document["format"])
    if document_digest(document) != noted_digest(document):
        raise WxsyncError(f"{file} is not as wxsync wrote it: {ALTERED}", hint=LEAVE_OUT)
    return SavedPlan(
        file=file,
        sync=str(document["sync"]),
        corp_id=str(document["corp_id"]),
        created_at=_moment(file, document["created_at"]),
        named=tuple(_named(document["changes"], outcomes)),
    )


def _moment(file: str, said: str) -> datetime:
    """Of several files the later one counts: a time that may be any of a day's tells nothing of that."""
    moment = datetime.fromisoformat(said)
    if moment.tzinfo is None:
        raise WxsyncError(
            f"{file} is not as wxsync wrote it: its created_at is without a zone", hint=LEAVE_OUT
        )
    return moment


def _named(changes: list[Mapping[str, Any]], outcomes: Mapping[int, str] | None) -> Iterator[Named]:
    for change in changes:
        if change.get("temporary") or change["key"] is None:
            continue
        fate = None if outcomes is None else outcomes.get(int(change["n"]))
        yield Named(
            kind=Kind(change["kind"]),
            key=str(change["key"]),
            id=_id(change),
            name=change["name"],
            is_ours=_is_ours(change, fate),
            is_digested=Verb(change["verb"]) is not Verb.KEEP,
        )


def _id(change: Mapping[str, Any]) -> str | int | None:
    """Raises TypeError where it cannot be one of its kind."""
    id: str | int | None = change["id"]
    kind = str if change["kind"] == Kind.MEMBER.value else int
    if id is None or type(id) is kind:
        return id
    raise TypeError(kind)


def _is_ours(change: Mapping[str, Any], fate: str | None) -> bool:
    """A plan without outcomes says what was meant, and not what was done."""
    verb, is_done = Verb(change["verb"]), fate == OutcomeState.DONE.value
    if verb is Verb.KEEP:
        return change["id"] is not None and change["reason"] not in NOT_OURS
    if verb in BECOMING:
        return is_done
    return not (verb is Verb.DELETE and is_done)
