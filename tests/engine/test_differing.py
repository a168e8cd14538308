"""What is otherwise in a plan than in the approved one: said in words, masked, and not without end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wxsync.engine.differing import MOST_TOLD, differences
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.message import say
from wxsync.model.unknown import UNKNOWN
from wxsync.report.locale import translate


def change(
    verb: Verb, key: str = "E0042", kind: Kind = Kind.MEMBER, id: Any = "e0042", **fields: Any
) -> Change:
    told = {name: FieldChange(*values) for name, values in fields.items()}
    return Change(kind=kind, verb=verb, key=key, id=id, name=None, fields=told, why=say("why"))


TITLE = change(Verb.UPDATE, position=("专员", "经理"))


def told(approved: list[Change], planned: list[Change], language: str = "en") -> list[str]:
    return [translate(each, language) for each in differences(approved, planned)]


@pytest.mark.parametrize(
    ("approved", "planned", "words"),
    [
        ([TITLE], [], "member E0042: update is no longer planned"),
        ([], [TITLE], "member E0042: update was not planned"),
        ([TITLE], [change(Verb.DISABLE)], "member E0042: update was planned, disable is now"),
        ([TITLE], [change(Verb.UPDATE, position=("专员", "总监"))],
         "member E0042: position was to become 经理, and is to become 总监"),
        ([TITLE], [change(Verb.UPDATE, position=("助理", "经理"))],
         "member E0042: position held 专员, and holds 助理"),
        ([TITLE], [change(Verb.UPDATE, position=(UNKNOWN, "经理"))],
         "member E0042: position held 专员, and holds something unknown"),
        ([TITLE], [replace(TITLE, fields={**TITLE.fields, "alias": FieldChange(None, "梅")})],
         "member E0042: alias was not to change"),
        ([change(Verb.UPDATE, alias=(None, "梅"))], [change(Verb.UPDATE, alias=(None, None))],
         "member E0042: alias was to become 梅, and is to become nothing"),
        ([change(Verb.UPDATE, mobile=(None, "13812345678"))],
         [change(Verb.UPDATE, mobile=(None, "13887654321"))],
         "member E0042: mobile was to become 138****5678, and is to become 138****4321"),
        ([change(Verb.UPDATE, departments=(("A",), ("B", 5)))],
         [change(Verb.UPDATE, departments=(("A",), ("C",)))],
         "member E0042: departments was to become B, 5, and is to become C"),
        ([change(Verb.UPDATE, order=((), (("A", 1),)))], [change(Verb.UPDATE, order=((), (("A", 2),)))],
         "member E0042: order was to become A = 1, and is to become A = 2"),
        ([TITLE], [replace(TITLE, id="e42")], "member E0042: it goes by another id in WeCom now"),
        ([change(Verb.DELETE, "13812345678")], [], "member 138****5678: delete is no longer planned"),
        ([TITLE, change(Verb.DISABLE, "E2")], [change(Verb.DISABLE, "E2"), TITLE],
         "the same changes come in another order"),
        ([], [replace(TITLE, verb=Verb.KEEP, reason=Reason.GRACE)], "the same changes come in another order"),
    ],
)  # fmt: skip
def test_a_difference_in_words(approved: list[Change], planned: list[Change], words: str) -> None:
    """Of every kind, with numbers and addresses masked."""
    assert told(approved, planned) == [words]


def test_in_chinese() -> None:
    """Kinds, fields and verbs by their names."""
    assert told([TITLE], [change(Verb.UPDATE, position=("专员", None))], "zh") == [
        "成员 E0042：职务原计划改为 经理，现为 空"
    ]
    assert told([TITLE], [change(Verb.DISABLE)], "zh") == ["成员 E0042：原计划更新，现为禁用"]


def test_not_without_end() -> None:
    """Twenty, and how many more there are."""
    many = [change(Verb.DISABLE, f"E{number}") for number in range(50)]
    found = told([], many)
    assert len(found) == MOST_TOLD + 1
    assert found[-1] == "and 30 more"
