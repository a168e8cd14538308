"""Plans and runs that were saved as JSON, read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wxsync.errors import WxsyncError
from wxsync.report.from_json import read_saved_plan


def change(n: int, verb: str, **more: Any) -> dict[str, Any]:
    entry = {"n": n, "kind": "member", "verb": verb, "key": f"E{n}", "id": f"e{n}", "name": "林梅"}
    return {**entry, "fields": {}, "why": "why", **more}


def plan(*changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": "wxsync-plan/1",
        "sync": "acme",
        "corp_id": "ww1",
        "created_at": "2026-01-31T08:00:00Z",
        "changes": list(changes),
    }


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
        (json.dumps(plan({"n": 1})), "is no plan and no run"),
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
