"""A dropped department goes only when it holds nobody and nothing that stays."""

from __future__ import annotations

from tests.engine.companies import ROOT, Company, desired, person, settings, unit
from wxsync.model.change import Kind, Reason, Verb
from wxsync.model.plan import Plan


def verdicts(plan: Plan) -> dict[str | None, tuple[Verb, Reason | None]]:
    return {
        change.key: (change.verb, change.reason) for change in plan.changes if change.kind is Kind.DEPARTMENT
    }


def test_leaf_first() -> None:
    """A dropped subtree goes from the leaves up, after everybody has left it."""
    company = Company()
    company.department("A")
    company.department("B", "A")
    company.member("M", mobile="13800000001", departments=("B",))

    plan = company.decide(desired([person("M", mobile="13800000001")])).plan

    assert [change.key for change in plan.writes] == ["M", "B", "A"]


def test_a_disabled_leaver_still_holds_a_place() -> None:
    """The department stays, and so do those above it."""
    company = Company()
    company.department("A")
    company.department("B", "A")
    company.member("M", mobile="13800000001", departments=("B",))

    kept = (Verb.KEEP, Reason.OCCUPIED)
    assert verdicts(company.decide(desired()).plan) == {"A": kept, "B": kept}


def test_a_deleted_leaver_holds_nothing() -> None:
    """Deleted before the department is."""
    company = Company()
    company.department("A")
    company.member("M", mobile="13800000001", departments=("A",))

    plan = company.decide(desired(), settings({"leavers": "delete"})).plan

    assert [(change.kind, change.verb) for change in plan.writes] == [
        (Kind.MEMBER, Verb.DELETE),
        (Kind.DEPARTMENT, Verb.DELETE),
    ]


def test_foreign_people_and_departments_hold_a_department() -> None:
    """They are never moved, so what they are in stays."""
    company = Company()
    first = company.department("A")
    second = company.department("B")
    company.foreign_members["stranger"] = frozenset({first})
    company.foreign_departments[9] = second

    kept = (Verb.KEEP, Reason.OCCUPIED)
    assert verdicts(company.decide(desired()).plan) == {"A": kept, "B": kept}


def test_a_child_that_moves_out_makes_room() -> None:
    """The move comes first."""
    company = Company()
    company.department("A")
    company.department("B", "A")

    plan = company.decide(desired(departments=[unit("B", ROOT)])).plan

    assert [(change.key, change.verb) for change in plan.writes] == [("B", Verb.UPDATE), ("A", Verb.DELETE)]


def test_the_policy_may_keep_them() -> None:
    """empty_departments = "keep" leaves them with the reason."""
    company = Company()
    company.department("A")

    plan = company.decide(desired(), settings({"empty_departments": "keep"})).plan

    assert verdicts(plan) == {"A": (Verb.KEEP, Reason.GRACE)}


def test_what_is_below_a_rejected_department_stays() -> None:
    """Dropped, renamed or moved: below a rejected row nothing changes."""
    company = Company()
    company.department("A")
    company.department("B", "A")
    company.department("C", "A", name="旧")

    plan = company.decide(desired(departments=[unit("C", name="新")], held_departments=frozenset({"A"}))).plan

    kept = (Verb.KEEP, Reason.REJECTED)
    assert verdicts(plan) == {"A": kept, "B": kept, "C": kept}
