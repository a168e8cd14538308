"""Plans and runs that were saved as JSON, read again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from wxsync.errors import WxsyncError
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.message import say
from wxsync.model.plan import Forecast, Plan, document_digest
from wxsync.model.unknown import UNKNOWN
from wxsync.report.as_json import plan_document
from wxsync.report.from_json import read_saved_plan


def change(n: int, verb: str, **more: Any) -> dict[str, Any]:
    entry = {"n": n, "kind": "member", "verb": verb, "key": f"E{n}", "id": f"e{n}", "name": "林梅"}
    return {**entry, "fields": {}, "why": "why", **more}


def plan(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    document = {
        "format": "wxsync-plan/1",
        "sync": "acme",
        "corp_id": "ww1",
        "created_at": "2026-01-31T08:00:00Z",
        "changes": list(changes),
        **more,
    }
    return {**document, "digest": document_digest(document)}


def run(states: list[str], *changes: dict[str, Any]) -> dict[str, Any]:
    outcomes = [{"n": n, "state": state} for n, state in enumerate(states, 1)]
    return {"format": "wxsync-run/1", "plan": plan(*changes), "outcomes": outcomes}


def ours(folder: Path, document: Any) -> list[str]:
    file = folder / "plan.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return [named.key for named in read_saved_plan(file).named if named.is_ours]


CHANGES = (
    change(1, "create"),
    change(2, "adopt"),
    change(3, "update"),
    change(4, "disable"),
    change(5, "delete"),
    change(6, "keep", reason="grace"),
    change(7, "keep", reason="unadopted"),
    change(8, "keep", reason="foreign"),
    change(9, "keep", reason="protected"),
    change(10, "keep", reason="waiting", id=None),
    change(11, "update", temporary=True),
    change(12, "keep", reason="foreign", key=None),
)


def test_a_plan_tells_who_was_ours_when_it_was_made(tmp_path: Path) -> None:
    """What it was about to create or adopt was not, what it was about to delete was."""
    assert ours(tmp_path, plan(*CHANGES)) == ["E3", "E4", "E5", "E6"]


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("done", ["E1", "E2", "E3", "E4", "E6"]),
        ("failed", ["E3", "E4", "E5", "E6"]),
        ("unknown", ["E3", "E4", "E5", "E6"]),
    ],
)
def test_a_run_tells_who_was_ours_when_it_ended(tmp_path: Path, state: str, found: list[str]) -> None:
    """Created and adopted are those of whom it is done; deleted, too."""
    assert ours(tmp_path, run([state] * 5, *CHANGES)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[]", "is no plan and no run"),
        ('{"format": "wxsync-error/1"}', "is no plan and no run"),
        (json.dumps(plan(change(1, "abolish"))), "is no plan and no run"),
        (
            json.dumps(plan(change(1, "keep", reason="grace")) | {"changes": [{"n": 1}]}),
            "is no plan and no run",
        ),
        (json.dumps(plan(change(1, "update", id=7))), "is no plan and no run"),
        (json.dumps(plan(change(1, "keep", reason="grace", kind="tag"))), "is no plan and no run"),
        (json.dumps({**plan(), "digest": None}), "is not as wxsync wrote it: its changes do not give"),
        (
            json.dumps({each: said for each, said in plan().items() if each != "digest"}),
            "is no plan and no run",
        ),
        (
            json.dumps(plan() | {"created_at": "2026-01-31T08:00:00"}),
            "is not as wxsync wrote it: its created_at is without a zone",
        ),
    ],
)
def test_what_is_no_plan_is_said_to_be_none(tmp_path: Path, text: str, said: str) -> None:
    """The file is named, and none of what is in it."""
    file = tmp_path / "plan.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(WxsyncError, match=f"plan.json {said}") as caught:
        read_saved_plan(file)
    assert "--format json" in str(caught.value.hint)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The system's own words are passed on."""
    with pytest.raises(WxsyncError, match="cannot be read: No such file"):
        read_saved_plan(tmp_path / "none.json")


REAL = Plan(
    sync="acme",
    corp_id="ww1",
    created_at=datetime(2026, 1, 31, 8, tzinfo=UTC),
    is_complete=True,
    changes=(
        Change(
            kind=Kind.MEMBER,
            verb=Verb.UPDATE,
            key="E1",
            id="e1",
            name="林梅",
            fields={
                "order": FieldChange(UNKNOWN, ((3, 10), ("D1", 2))),
                "departments": FieldChange((1,), ("D1", 3)),
                "mobile": FieldChange("13800000001", None),
            },
            why=say("why"),
            is_temporary=True,
        ),
        Change(
            kind=Kind.TAG,
            verb=Verb.CREATE,
            key="标签",
            id=None,
            name="标签",
            fields={"members": FieldChange(None, ("E1",))},
            why=say("why"),
        ),
    ),
    forecast=Forecast(calls=1, seconds=1.0),
    undoes=3,
)


def saved_as(folder: Path, document: Any) -> Path:
    file = folder / "plan.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def test_what_a_plan_is_written_as_gives_its_digest() -> None:
    """Orders, unknown and empty values, steps on the way, and the run that is undone are all in it."""
    document = json.loads(json.dumps(plan_document(REAL)))
    assert document_digest(document) == REAL.digest
    assert document_digest({**document, "undoes": 4}) != REAL.digest


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        (0, "id", "boss"),
        (0, "key", "E2"),
        (0, "verb", "delete"),
        (0, "temporary", False),
        (1, "verb", "keep"),
    ],
)
def test_a_file_that_was_altered_is_not_believed(tmp_path: Path, place: int, name: str, value: Any) -> None:
    """Whoever altered it would make somebody ours who never was."""
    document = json.loads(json.dumps(plan_document(REAL)))
    read_saved_plan(saved_as(tmp_path, document))
    document["changes"][place][name] = value
    with pytest.raises(WxsyncError, match="do not give its digest"):
        read_saved_plan(saved_as(tmp_path, document))


def test_a_masked_file_is_refused_as_one(tmp_path: Path) -> None:
    """Its digest is of the full values, so nobody can tell whether it was altered."""
    with pytest.raises(WxsyncError, match="masked") as raised:
        read_saved_plan(saved_as(tmp_path, plan_document(REAL, masked=True)))
    assert "full values" in str(raised.value.hint)


def test_the_digest_covers_ids_but_not_of_what_is_kept(tmp_path: Path) -> None:
    """Of each record it is told which it is."""
    document = plan(change(1, "update"), change(2, "keep", reason="grace"))
    named = read_saved_plan(saved_as(tmp_path, document)).named
    assert [each.is_digested for each in named] == [True, False]
