"""Who goes into a file that replaces everybody, with what, and what stands against one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.companies import Company, desired, person, reading, settings, unit
from wxsync.engine.actual import recall
from wxsync.engine.decide import Decision
from wxsync.engine.ledger import Ledger
from wxsync.engine.replacing import obstacles, select, surplus
from wxsync.engine.writing import to_row
from wxsync.errors import UnsendableError
from wxsync.model.member import Member
from wxsync.model.unknown import UNKNOWN

REPLACE = {"method": "batch", "replace": True, "exclusive": True, "leavers": "delete"}


def number(n: int) -> str:
    return f"138{n:08d}"


def company(count: int = 4, **fields: Any) -> Company:
    """Some people of whom everything is known that a file says."""
    found = Company()
    for n in range(1, count + 1):
        found.member(f"E{n}", **{"mobile": number(n), "email": None, "position": "工程师", **fields})
    return found


def wanted(count: int = 4, *more: Member, **fields: Any) -> list[Member]:
    return [
        *(
            person(f"E{n}", **{"mobile": number(n), "position": "工程师", **fields})
            for n in range(1, count + 1)
        ),
        *more,
    ]


def decided(found: Company, people: list[Member], policy: dict[str, Any] | None = None) -> Decision:
    return found.decide(desired(people), settings({**REPLACE, **(policy or {})}))


def told(decision: Decision) -> list[str]:
    return [str(each) for each in decision.plan.forecast.obstacles]


def imported(decision: Decision) -> list[str]:
    """What the file carries out, in words."""
    schedule = decision.schedule
    changes = [schedule.changes[schedule.units[n].parts[0].n - 1] for n in sorted(schedule.imported)]
    return sorted(f"{change.verb} {change.key}" for change in changes)


# What stands against it


def corp_obstacles(found: Company, *, siblings: tuple[str, ...] = (), **more: Any) -> list[str]:
    policy = more.pop("policy", {})
    root = more.pop("root_department", 1)
    wish = desired(wanted(), **more)
    actual = recall(found.seen(), found.remembered(), root)
    sync = settings({**REPLACE, **policy}, root_department=root)
    return [str(each) for each in obstacles(actual, wish, sync, siblings)]


def test_nothing_stands_against_a_corp_that_is_all_ours():
    """Every member and every department is ours, and the reading is whole."""
    assert corp_obstacles(company()) == []


def test_everything_that_stands_against_it_is_told_at_once():
    """Strangers, foreign departments, other syncs, an unproven reading, protected people, a root below."""
    found = company()
    found.foreign_members = {f"x{n}": frozenset({1}) for n in range(7)}
    found.foreign_departments = {50: 1}
    below = found.department("D1")
    assert corp_obstacles(
        found,
        siblings=("other",),
        policy={"protect": ["e1", "e2"]},
        readings=(reading("members", is_complete=False),),
        root_department=below,
    ) == [
        f"root_department is {below}, and a file replaces the whole corp",
        "other syncs feed the corp: other",
        "a reading of the source is not proven complete",
        "members in WeCom that are not ours: 7 (x0, x1, x2, x3, x4, …)",
        "departments in WeCom that are not ours: 2 (1, 50)",
        "members of ours whom policy.protect names: 2 (e1, e2)",
    ]


@pytest.mark.parametrize(
    ("fields", "obstacle"),
    [
        ({"name": UNKNOWN}, "members of ours whose name is not known, or fits into no file: 1 (E9)"),
        (
            {"mobile": UNKNOWN, "email": UNKNOWN},
            "members of ours whose address or number is not known, or fits into no file: 1 (E9)",
        ),
    ],
)
def test_members_who_cannot_be_said_again_stand_against_it(fields, obstacle):
    """Somebody whom nothing changes: their row would lack what every row has."""
    found = company()
    found.member("E9", **{"mobile": number(9), "email": None, "position": "工程师", **fields})
    kept = person("E9", name=UNKNOWN)
    decision = decided(found, [*wanted(4, position="主管"), kept])
    assert told(decision) == [obstacle]
    assert decision.schedule.columns == ()


def test_without_anything_to_do_nothing_is_told():
    """An empty plan has no use for a file."""
    found = company()
    found.foreign_members = {"x": frozenset({1})}
    assert told(decided(found, wanted())) == []


# Who goes in


def test_the_file_creates_changes_and_deletes():
    """And whoever is kept is in it: four are there, one goes, one comes."""
    decision = decided(company(), [*wanted(3, position="主管"), person("E5", mobile=number(5))])
    assert imported(decision) == ["create E5", "delete E4", "update E1", "update E2", "update E3"]
    assert decision.schedule.columns == ("email", "mobile", "position")
    assert select(decision.schedule, decision.actual).total == 4
    assert decision.plan.forecast.method == "replace"
    assert decision.plan.forecast.rows == 5


def test_a_column_is_there_only_where_all_of_it_is_known():
    """Whose title nobody knows would have an empty cell: titles are calls after the file."""
    found = company()
    found.member("E9", mobile=number(9), email=None, position=UNKNOWN)
    people = [*wanted(4, position="主管"), person("E9", mobile=number(9)), person("E5", mobile=number(5))]
    decision = decided(found, people)
    assert decision.schedule.columns == ("email", "mobile")
    assert imported(decision) == ["create E5"]
    (one,) = decision.schedule.imported
    assert all(one in unit.after for n, unit in enumerate(decision.schedule.units) if n != one)


def test_whoever_has_a_number_that_a_row_takes_is_deleted_before():
    """By a call, which the file waits for."""
    decision = decided(company(), [*wanted(3), person("E5", mobile=number(4))])
    schedule = decision.schedule
    assert imported(decision) == ["create E5"]
    (one,) = schedule.imported
    assert {schedule.changes[schedule.units[n].parts[0].n - 1].key for n in schedule.units[one].after} == {
        "E4"
    }


def test_no_column_says_who_is_disabled():
    """Disabling is a call after the file, since a hand may have disabled others."""
    people = [
        *wanted(3),
        person("E5", mobile=number(5)),
        person("E6", mobile=number(6), enable=False),
    ]
    decision = decided(company(), people, {"leavers": "disable"})
    assert imported(decision) == ["create E5"]


def test_a_cleared_value_is_a_call_and_the_row_has_the_old_one():
    """An empty cell may keep what is there or clear it: no page says."""
    people = [person("E1", mobile=number(1), position=None), *wanted(4, position="主管")[1:]]
    decision = decided(company(), people, {"clear_when_empty": ["position"]})
    assert imported(decision) == ["update E2", "update E3", "update E4"]
    assert decision.schedule.columns == ("email", "mobile", "position")


# What it says


def row(member: Member, *columns: str, is_new: bool = False) -> Any:
    decision = decided(company(), wanted())
    return to_row(member, columns, Ledger(decision, decision.plan.created_at), is_new=is_new)


def test_a_row_says_its_columns_and_nothing_else():
    """Departments by id; marks and orders aligned with them, where they are columns."""
    member = person("E1", mobile="13800000001", position="主管", is_leader=(1,), order=((1, 7),))
    write = row(member, "mobile", "is_leader", "order")
    assert (write.departments, write.is_leader, write.order) == ((1,), (True,), (7,))
    assert (write.mobile, write.position) == ("13800000001", UNKNOWN)


def test_a_row_of_somebody_who_is_there_lacks_nothing():
    """A cell is empty only where WeCom is known to hold nothing."""
    assert row(person("E1", mobile=None), "mobile").mobile is UNKNOWN
    with pytest.raises(UnsendableError, match="mobile"):
        row(person("E1"), "mobile")
    assert row(person("E1"), "mobile", is_new=True).mobile is UNKNOWN


def test_a_row_knows_its_departments():
    """One that is not in WeCom would be made up by it."""
    with pytest.raises(UnsendableError, match="departments"):
        row(person("E1", departments=("D404",)))


def test_who_would_be_deleted_is_told_without_case():
    """WeCom compares userids without it."""
    assert surplus(["Zhang", "li", "wang"], ["ZHANG", "Li"]) == {"wang"}


# Departments


def tree(found: Company, *units: Any) -> Decision:
    return found.decide(desired(wanted(), units), settings(REPLACE))


def test_departments_go_by_calls_where_names_are_hidden():
    """The root has a row, and would be renamed by it."""
    decision = tree(company(), unit("D1"))
    assert decision.schedule.imported_departments == frozenset()
    assert told(decision) == ["departments go by calls: the name of the root department is not known"]
