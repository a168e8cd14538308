"""Calls whose run did not live to tell what became of them: the audit trail says what somebody finds out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from wxsync.engine.auditing import CUT_OFF, Calling, deed_of_change
from wxsync.mirror import aftermath, audit, journal
from wxsync.mirror.journal import ROW_CALLS, Intent
from wxsync.model.audit import AuditEntry, Deed
from wxsync.model.batch_job import JobRow
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.message import say
from wxsync.model.run import OutcomeState
from wxsync.model.unknown import UNKNOWN, Value

UNRECORDED: Final = say("its plan is no longer on record")


def tell_of_cut_off(connection: Connection, corp: str, *, before: int, at: datetime) -> None:
    """A line for each call, of the runs before run `before`, that was announced and of which there is none.

    Whoever holds the corp's lease knows that none of them is still being made. Rows of files are told of by
    whoever settles their job, before this.
    """
    after = audit.settled_run(connection, corp)
    if after is None:
        return  # it has no trail yet
    for run_id, sync in aftermath.broken_off(connection, corp, after=after, before=before):
        told = audit.told_steps(connection, corp, run_id)
        left = [
            each for each in aftermath.open_intents(connection, run_id) if (each.n, each.step) not in told
        ]
        planned = planned_changes(journal.document_of(connection, run_id), [each.n for each in left])
        deeds = (_deed(each, planned.get(each.n)) for each in left)
        entries = [AuditEntry(sync=sync, run_id=run_id, record=deed) for deed in deeds]
        audit.append(connection, corp, entries, at)
    audit.put_settled_run(connection, corp, before - 1)


def planned_changes(document: str | None, numbers: Iterable[int]) -> dict[int, Change]:
    """n -> the change, as the plan's text has it; of these alone, since a plan may be very long."""
    return {} if document is None else {n: _to_change(said) for n, said in _said(document, numbers)}


def _said(document: str, numbers: Iterable[int]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    decoder = json.JSONDecoder()
    place = document.find('"changes":')
    for n in sorted(set(numbers)):
        # Within a text every quotation mark has a backslash before it, so this is the number and no value.
        found = document.find(f'"n": {n},', place)
        if found < 0:
            return
        said, place = decoder.raw_decode(document, document.rfind("{", place, found))
        yield n, said


def _to_change(said: Mapping[str, Any]) -> Change:
    return Change(
        kind=Kind(said["kind"]),
        verb=Verb(said["verb"]),
        key=said["key"],
        id=said["id"],
        name=said["name"],
        fields={
            name: FieldChange(_to_value(values["before"]), _to_value(values["after"]))
            for name, values in said["fields"].items()
        },
        why=say("{problem}", problem=said["why"]),
        is_temporary=said.get("temporary", False),
    )


def _to_value(said: Any) -> Value:
    if isinstance(said, dict):
        return UNKNOWN if "unknown" in said else tuple((ref, number) for ref, number in said.items())
    return tuple(said) if isinstance(said, list) else said


def calls_of_rows(
    connection: Connection, corp: str, run_id: int, rows: Sequence[JobRow]
) -> dict[int, Calling]:
    """n -> the call that a row of a job was, as long as the trail has no word of what became of it."""
    told = audit.told_steps(connection, corp, run_id)
    intents = {
        each.n: each
        for each in aftermath.open_intents(connection, run_id)
        if each.call in ROW_CALLS and (each.n, each.step) not in told
    }
    ours = [row for row in rows if row.n in intents]
    planned = planned_changes(journal.document_of(connection, run_id), [row.n for row in ours])
    return {
        row.n: Calling(
            intent=intents[row.n], change=_as_said(row, planned.get(row.n) or _bare(intents[row.n]))
        )
        for row in ours
    }


def _as_said(row: JobRow, change: Change) -> Change:
    """What the row said of the change, where a call was to say the rest."""
    before = {name: values.before for name, values in change.fields.items()}
    unknown = None if row.verb is Verb.CREATE else UNKNOWN
    fields = {name: FieldChange(before.get(name, unknown), after) for name, after in row.fields.items()}
    return replace(change, verb=row.verb, key=row.key, id=change.id or row.userid, fields=fields)


def _deed(intent: Intent, change: Change | None) -> Deed:
    """What is known of a call whose end nobody put on record."""
    change = change or _bare(intent)
    names = intent.detail.get("fields")
    if names is not None:
        change = replace(
            change, fields={name: change.fields[name] for name in names if name in change.fields}
        )
    if change.id is None:
        change = replace(change, id=intent.detail.get("id"))
    return replace(
        deed_of_change(change),
        call=intent.call,
        n=intent.n,
        step=intent.step,
        state=OutcomeState.UNKNOWN,
        hint=CUT_OFF,
        is_settled=True,
    )


def _bare(intent: Intent) -> Change:
    """The plan is gone: the call's own name is all that tells."""
    kinds = {"department": Kind.DEPARTMENT, "tag": Kind.TAG}
    verbs = {"create": Verb.CREATE, "delete": Verb.DELETE}
    room, _, act = intent.call.partition("/")
    return Change(
        kind=kinds.get(room, Kind.MEMBER),
        verb=verbs.get(act, Verb.UPDATE),
        key=None,
        id=intent.detail.get("userid") or intent.detail.get("id"),
        name=None,
        why=UNRECORDED,
    )
