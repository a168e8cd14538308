"""What is left of a plan whose run was cut off, and what is more than that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.companies import NOW
from wxsync.engine.going_on import uncovered
from wxsync.engine.saved import saved_changes
from wxsync.errors import MirrorError
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.message import say
from wxsync.model.plan import Forecast, Plan, digested
from wxsync.model.unknown import UNKNOWN
from wxsync.report.as_json import plan_text

WHY = say("why")


def change(verb: Verb, kind: Kind = Kind.MEMBER, key: str = "E1", id: Any = "e1", **fields: Any) -> Change:
    told = {name: FieldChange(*values) for name, values in fields.items()}
    return Change(kind=kind, verb=verb, key=key, id=id, name=None, fields=told, why=WHY)


def tagged(before: tuple[str, ...], after: tuple[str, ...]) -> Change:
    return change(Verb.UPDATE, Kind.TAG, "标签", 7, members=(before, after))


def temporary(each: Change) -> Change:
    return replace(each, is_temporary=True)


TITLE = change(Verb.UPDATE, position=("A", "C"))
CREATION = change(Verb.CREATE, name=(None, "林"), departments=(None, ("D1",)), direct_leader=(None, "E2"))
TAGGED = tagged(("E1", "E2"), ("E2", "E3", "E4"))
UNIT = change(Verb.CREATE, Kind.DEPARTMENT, "D1", None, name=(None, "部"), parent=(None, 1))
LEAVER = change(Verb.DISABLE, enable=(True, False))


@pytest.mark.parametrize(
    ("approved", "planned"),
    [
        ([TITLE], []),
        ([TITLE], [TITLE]),
        ([TITLE, LEAVER], [LEAVER]),
        ([TITLE], [change(Verb.UPDATE, position=(UNKNOWN, "C"))]),
        ([change(Verb.UPDATE, position=("A", "C"), name=("X", "Y"))], [TITLE]),
        ([CREATION], [CREATION]),
        ([CREATION], [change(Verb.UPDATE, direct_leader=(UNKNOWN, "E2"))]),
        ([CREATION], [change(Verb.UPDATE, direct_leader=(None, "E2"))]),
        ([TAGGED], [tagged(("E1", "E2", "E3"), ("E2", "E3", "E4"))]),
        ([UNIT], [UNIT]),
        ([UNIT], [change(Verb.UPDATE, Kind.DEPARTMENT, "D1", 204, name=(UNKNOWN, "部"))]),
        ([change(Verb.ENABLE, enable=(False, True), position=("A", "C"))], [TITLE]),
        ([temporary(change(Verb.UPDATE, mobile=("1", None))), change(Verb.UPDATE, mobile=("1", "2"))],
         [change(Verb.UPDATE, mobile=(None, "2"))]),
        ([change(Verb.UPDATE, mobile=("1", "2"))],
         [temporary(change(Verb.UPDATE, mobile=("1", None))), change(Verb.UPDATE, mobile=("1", "2"))]),
        ([], [replace(TITLE, verb=Verb.KEEP, reason=Reason.UNKNOWN)]),
        ([change(Verb.UPDATE, order=((("D1", 3),), (("D1", 4),)))],
         [change(Verb.UPDATE, order=(UNKNOWN, (("D1", 4),)))]),
    ],
)  # fmt: skip
def test_what_is_left_stands(approved: list[Change], planned: list[Change]) -> None:
    """Fewer changes, fewer fields, what nobody knows, and the rest of a list or of a creation."""
    assert uncovered(approved, planned) == []


@pytest.mark.parametrize(
    ("approved", "planned"),
    [
        ([], [TITLE]),
        ([TITLE], [LEAVER]),
        ([LEAVER], [change(Verb.DELETE)]),
        ([TITLE], [change(Verb.UPDATE, key="E2", id="e2", position=("A", "C"))]),
        ([TITLE], [change(Verb.UPDATE, position=("A", "D"))]),
        ([TITLE], [change(Verb.UPDATE, position=("B", "C"))]),
        ([TITLE], [change(Verb.UPDATE, position=("A", "C"), name=("X", "Y"))]),
        ([TITLE], [change(Verb.UPDATE, id="e9", position=("A", "C"))]),
        ([CREATION], [change(Verb.CREATE, name=(None, "王"), departments=(None, ("D1",)))]),
        ([CREATION], [change(Verb.UPDATE, direct_leader=(UNKNOWN, "E3"))]),
        ([TAGGED], [tagged(("E1", "E2"), ("E2", "E3"))]),
        ([TAGGED], [tagged(("E1", "E9"), ("E2", "E3", "E4"))]),
        ([TAGGED], [change(Verb.DELETE, Kind.TAG, "标签", 7, members=(("E1", "E2"), None))]),
        ([TITLE], [temporary(change(Verb.UPDATE, mobile=("1", None)))]),
    ],
)  # fmt: skip
def test_what_is_more_does_not(approved: list[Change], planned: list[Change]) -> None:
    """Another record, verb, field or value, or something that the approved plan did not take it from."""
    assert uncovered(approved, planned) == planned


def plan_of(*changes: Change) -> Plan:
    return Plan(
        sync="acme",
        corp_id="ww1",
        created_at=NOW,
        is_complete=True,
        changes=changes,
        forecast=Forecast(calls=0, seconds=0),
    )


def test_a_saved_plan_reads_as_it_was_digested() -> None:
    """Every value and verb: of each change the digest sees the same."""
    odd = change(
        Verb.UPDATE,
        position=(UNKNOWN, 'say "changes": [\n{'),
        order=(((1, 3), ("D1", 4)), ()),
        departments=((5, "D1"), ("D1",)),
        enable=(None, True),
    )
    changes = (
        TITLE,
        CREATION,
        TAGGED,
        UNIT,
        LEAVER,
        odd,
        temporary(odd),
        replace(odd, verb=Verb.KEEP, reason=Reason.GRACE),
    )
    read = list(saved_changes("".join(plan_text(plan_of(*changes)))))
    assert [digested(each) for each in read] == [digested(each) for each in changes]
    assert list(saved_changes("".join(plan_text(plan_of())))) == []


@pytest.mark.parametrize("document", ["", "{}", '{\n  "changes": [\n    {"kind": 3}\n  ]\n}'])
def test_what_is_no_plan_is_said_to_be_none(document: str) -> None:
    """And none of its values is quoted."""
    with pytest.raises(MirrorError, match="cannot be read") as refused:
        list(saved_changes(document))
    assert "3" not in str(refused.value)
