"""What a plan may not do: protected people, doubtful reads, limits, foreign approvals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.companies import Company, desired, person, reading, settings, unit
from wxsync.engine.guard import check, check_approval, is_protected
from wxsync.errors import GuardError, StalePlanError
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.plan import Limit, Plan

INCOMPLETE = (reading("members", is_complete=False),)


def by_key(plan: Plan, kind: Kind = Kind.MEMBER) -> dict[str | None, list[Change]]:
    found: dict[str | None, list[Change]] = {}
    for change in plan.changes:
        if change.kind is kind:
            found.setdefault(change.key, []).append(change)
    return found


@pytest.mark.parametrize(
    ("userid", "expected"),
    [("admin", True), ("Admin", True), ("svc-backup", True), ("svc", False), ("administrator", False)],
)
def test_protection_goes_by_pattern_and_ignores_case(userid: str, expected: bool) -> None:
    """`admin` is one person, `svc-*` is many."""
    assert is_protected(userid, ["admin", "svc-*"]) is expected


def test_protected_people_are_never_changed_nor_removed_nor_created() -> None:
    """Whatever the source says of them, they are kept."""
    company = Company()
    company.member("ADMIN", mobile="13800000001", position="旧")
    company.member("SVC-1", mobile="13800000002")
    wanted = [person("ADMIN", mobile="13800000001", position="新"), person("SVC-2", mobile="13800000003")]

    plan = company.decide(desired(wanted), settings({"protect": ["admin", "svc-*"]})).plan

    assert plan.writes == ()
    assert {change.reason for change in plan.changes} == {Reason.PROTECTED}
    assert {change.key for change in plan.changes} == {"ADMIN", "SVC-1", "SVC-2"}


class TestIncompleteReading:
    """On a reading that is not proven complete nothing is removed, in the wide sense."""

    def test_leavers_are_held_back(self) -> None:
        """Neither the absent nor those whom the source calls inactive."""
        company = Company()
        company.member("A", mobile="13800000001")

        plan = company.decide(desired(readings=INCOMPLETE)).plan

        assert [(change.verb, change.reason) for change in plan.changes] == [(Verb.KEEP, Reason.INCOMPLETE)]

    def test_creations_and_updates_go_on(self) -> None:
        """What takes nothing away is done."""
        company = Company()
        company.member("A", mobile="13800000001", position="旧")
        wanted = [person("A", mobile="13800000001", position="新"), person("B", mobile="13800000002")]

        plan = company.decide(desired(wanted, readings=INCOMPLETE)).plan

        assert {(change.key, change.verb) for change in plan.writes} == {
            ("A", Verb.UPDATE),
            ("B", Verb.CREATE),
        }

    def test_an_update_loses_only_what_takes_away(self) -> None:
        """A lost place and a lost mark are held, a new title and a new place are written."""
        company = Company()
        company.department("D")
        company.department("E")
        company.member("A", mobile="13800000001", departments=("D",), position="旧")
        company.member("B", mobile="13800000002", departments=("D",), is_leader=("D",))
        wanted = [
            person("A", mobile="13800000001", departments=("E",), position="新"),
            person("B", mobile="13800000002", departments=("D", "E"), is_leader=()),
        ]

        plan = company.decide(desired(wanted, [unit("D"), unit("E")], readings=INCOMPLETE)).plan

        (written, kept), (joined, marked) = by_key(plan)["A"], by_key(plan)["B"]
        assert written.fields == {"position": FieldChange("旧", "新")}
        assert (kept.reason, set(kept.fields)) == (Reason.INCOMPLETE, {"departments", "main_department"})
        assert joined.fields == {"departments": FieldChange(("D",), ("D", "E"))}
        assert (marked.reason, set(marked.fields)) == (Reason.INCOMPLETE, {"is_leader"})

    def test_departments_are_neither_moved_nor_deleted(self) -> None:
        """A rename goes on, a move and a deletion do not."""
        company = Company()
        company.department("A", name="旧")
        company.department("B")
        company.department("GONE")

        plan = company.decide(
            desired(departments=[unit("A", "B", name="新"), unit("B")], readings=INCOMPLETE)
        ).plan

        departments = by_key(plan, Kind.DEPARTMENT)
        assert [set(change.fields) for change in departments["A"]] == [{"name"}, {"parent"}]
        assert [change.reason for change in departments["GONE"]] == [Reason.INCOMPLETE]

    def test_tags_take_in_and_let_nobody_go(self) -> None:
        """Who joins a tag joins it; who would leave it stays."""
        company = Company()
        for key in "AB":
            company.member(key, mobile=f"1380000000{ord(key) - 64}")
        company.tag("骨干", ["A"])
        wanted = [person("A", mobile="13800000001"), person("B", mobile="13800000002")]

        plan = company.decide(desired(wanted, tags={"骨干": ["B"]}, readings=INCOMPLETE)).plan

        written, kept = by_key(plan, Kind.TAG)["骨干"]
        assert written.fields["members"] == FieldChange(("A",), ("A", "B"))
        assert kept.reason is Reason.INCOMPLETE


def test_memberships_without_a_key_hold_everybody_in_their_departments() -> None:
    """Each of them may be anybody's: nobody leaves a department, and other fields go on."""
    company = Company()
    company.department("D")
    company.member("A", mobile="13800000001", departments=("D",), position="旧")
    doubt = (reading("memberships", unreadable_keys=1),)

    plan = company.decide(
        desired([person("A", mobile="13800000001", position="新")], [unit("D")], readings=doubt)
    ).plan

    written, kept = by_key(plan)["A"]
    assert set(written.fields) == {"position"}
    assert kept.reason is Reason.REJECTED


def plan_over_limit() -> Plan:
    plan = Company().decide(desired([person("A", mobile="13800000001")])).plan
    return replace(plan, limits=(Limit(name="member_create", count=1, allowed=0),))


def test_a_plan_over_a_limit_is_refused_with_its_numbers() -> None:
    """The error names the limit, the count, what is allowed, and how to approve this one plan."""
    plan = plan_over_limit()

    with pytest.raises(GuardError, match="member_create: 1, allowed 0") as refusal:
        check(plan)

    assert plan.digest in str(refusal.value.hint)


def test_an_approval_holds_for_one_plan() -> None:
    """The right digest lifts the limits; any other is stale."""
    plan = plan_over_limit()

    check_approval(plan, plan.digest)
    with pytest.raises(StalePlanError):
        check_approval(plan, "sha256:0")
    with pytest.raises(GuardError):
        check_approval(plan, None)


def test_wecoms_own_bound_is_lifted_by_no_approval() -> None:
    """Nor does the error tell how to approve it."""
    limits = (Limit(name="month_creations", count=10, allowed=9, is_absolute=True),)
    plan = replace(plan_over_limit(), limits=limits)

    with pytest.raises(GuardError, match="month_creations: 10, allowed 9") as refusal:
        check_approval(plan, plan.digest)

    assert "--approve" not in str(refusal.value.hint)
