"""What differs between wanted and known people, and what is left alone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.engine.companies import NOW, ROOT, Company, desired, person, reading, settings, unit
from wxsync.engine.decide import Decision
from wxsync.model.change import Change, FieldChange, Kind, Reason, Rejected, Verb
from wxsync.model.message import say
from wxsync.model.remembered import LinkState, Remembered, RememberedMember
from wxsync.model.unknown import UNKNOWN


def only(decision: Decision) -> Change:
    (change,) = decision.plan.changes
    return change


def test_nothing_differs() -> None:
    """People as the source wants them give an empty plan."""
    company = Company()
    company.member("A", mobile="13800000001")

    assert company.decide(desired([person("A", mobile="13800000001")])).plan.changes == ()


def test_an_unknown_value_is_written_once_when_it_is_wanted() -> None:
    """Unknown is not equal to anything: a desired value is written over it."""
    company = Company()
    company.member("A", mobile="13800000001", position=UNKNOWN)

    change = only(company.decide(desired([person("A", mobile="13800000001", position="经理")])))

    assert (change.verb, change.fields) == (Verb.UPDATE, {"position": FieldChange(UNKNOWN, "经理")})


def test_an_unknown_value_is_not_cleared() -> None:
    """Unknown is not empty either, and an empty wish is never sent to it, whatever the policy clears."""
    company = Company()
    company.member("A", mobile="13800000001", position=UNKNOWN)
    wide = settings({"clear_when_empty": ["position"]})

    assert (
        company.decide(desired([person("A", mobile="13800000001", position=None)]), wide).plan.changes == ()
    )


@pytest.mark.parametrize(("clears", "expected"), [([], {}), (["alias"], {"alias": FieldChange("小", None)})])
def test_an_empty_value_clears_only_where_the_policy_says_so(
    clears: list[str], expected: dict[str, FieldChange]
) -> None:
    """An empty source value is no wish to clear, unless clear_when_empty names the field."""
    company = Company()
    company.member("A", mobile="13800000001", alias="小")

    decision = company.decide(
        desired([person("A", mobile="13800000001", alias=None)]), settings({"clear_when_empty": clears})
    )

    assert {
        name: values for change in decision.plan.writes for name, values in change.fields.items()
    } == expected


def test_a_leaver_is_disabled_and_nothing_else_is_said() -> None:
    """Somebody who is no longer in the source is disabled."""
    company = Company()
    company.member("A", mobile="13800000001")

    change = only(company.decide(desired()))

    assert (change.verb, change.fields) == (Verb.DISABLE, {"enable": FieldChange(True, False)})
    assert str(change.why) == "no longer in the source"


def test_a_leaver_whom_the_source_calls_inactive_tells_why() -> None:
    """The reason is the source's own."""
    company = Company()
    company.member("A", mobile="13800000001")
    why = say("the last day was {date}", date="2026-02-28")

    assert only(company.decide(desired(leavers={"A": why}))).why == why


def test_grace_and_deletion() -> None:
    """Disabled first, kept with the date for delete_after_days, then deleted."""
    sync = settings({"delete_after_days": 30})
    company = Company()
    company.member("A", mobile="13800000001", enable=False, link={"disabled_at": NOW, "left_at": NOW})

    kept = only(company.decide(desired(), sync, now=NOW + timedelta(days=29)))
    deleted = only(company.decide(desired(), sync, now=NOW + timedelta(days=31)))

    assert (kept.verb, kept.reason, kept.why.facts["date"]) == (Verb.KEEP, Reason.GRACE, date(2026, 4, 1))
    assert deleted.verb is Verb.DELETE


def test_somebody_who_comes_back_is_enabled_with_their_fields() -> None:
    """One change, under the same userid."""
    company = Company()
    company.member("A", mobile="13800000001", enable=False, link={"disabled_at": NOW, "left_at": NOW})

    change = only(company.decide(desired([person("A", mobile="13800000001", position="顾问")])))

    assert change.verb is Verb.ENABLE
    assert change.fields == {
        "position": FieldChange(UNKNOWN, "顾问"),
        "enable": FieldChange(False, True),
    }


def test_nobody_whom_somebody_else_disabled_is_enabled() -> None:
    """`enable` is sent only to those whom wxsync itself disabled."""
    company = Company()
    company.member("A", mobile="13800000001", enable=False)

    assert company.decide(desired([person("A", mobile="13800000001", enable=True)])).plan.changes == ()


def test_a_disabling_that_nobody_knows_the_end_of_is_done_again() -> None:
    """A run died while it disabled a leaver: the next one sends it again."""
    company = Company()
    company.member("A", mobile="13800000001", enable=UNKNOWN, link={"disabled_at": NOW, "left_at": NOW})

    assert only(company.decide(desired())).verb is Verb.DISABLE


def test_a_mapped_enable_that_turns_false_is_a_disable() -> None:
    """It is counted with the removals."""
    company = Company()
    company.member("A", mobile="13800000001")

    decision = company.decide(desired([person("A", mobile="13800000001", enable=False)]))

    assert only(decision).verb is Verb.DISABLE
    assert decision.plan.limits[0].count == 1


def test_a_rejected_person_is_kept() -> None:
    """A bad row never makes a leaver of anybody."""
    company = Company()
    company.member("A", mobile="13800000001")
    row = Rejected(kind=Kind.MEMBER, key="A", field="mobile", rule="phone_number", problem=say("x"))

    change = only(company.decide(desired(rejected=(row,), rejected_members=frozenset({"A"}))))

    assert (change.verb, change.reason) == (Verb.KEEP, Reason.REJECTED)


def test_a_row_without_a_key_may_be_anybody() -> None:
    """While there is one, nobody is taken for absent; whom the source calls inactive still leaves."""
    company = Company()
    company.member("A", mobile="13800000001")
    company.member("B", mobile="13800000002")
    doubt = (reading("members", unreadable_keys=1),)

    decision = company.decide(desired(leavers={"B": say("x")}, readings=doubt))

    assert {(change.key, change.verb, change.reason) for change in decision.plan.changes} == {
        ("A", Verb.KEEP, Reason.REJECTED),
        ("B", Verb.DISABLE, None),
    }


def test_who_starts_later_waits() -> None:
    """A future joiner is not created before the first day; one who exists is kept in step."""
    company = Company()
    company.member("B", mobile="13800000002", position="旧")
    wanted = [person("A", mobile="13800000001"), person("B", mobile="13800000002", position="新")]

    decision = company.decide(desired(wanted, starts={"A": date(2026, 4, 1), "B": date(2026, 4, 1)}))

    assert {(change.key, change.verb, change.reason) for change in decision.plan.changes} == {
        ("A", Verb.KEEP, Reason.WAITING),
        ("B", Verb.UPDATE, None),
    }


def test_a_userid_that_somebody_foreign_has_is_left_alone() -> None:
    """It looks like a record of the source and is not ours: kept, unadopted, under WeCom's spelling."""
    company = Company()
    company.foreign_members["ZhangSan"] = frozenset({ROOT})

    change = only(company.decide(desired([person("A", userid="zhangsan", mobile="13800000001")])))

    assert (change.verb, change.reason, change.id) == (Verb.KEEP, Reason.UNADOPTED, "ZhangSan")


def test_a_userid_of_somebody_else_of_ours_is_rejected() -> None:
    """Two people never get one userid, whatever its case."""
    company = Company()
    company.member("A", userid="Wang", mobile="13800000001")

    decision = company.decide(
        desired(
            [
                person("A", userid="Wang", mobile="13800000001"),
                person("B", userid="wang", mobile="13800000002"),
            ]
        )
    )

    assert [(row.key, row.rule) for row in decision.plan.rejected] == [("B", "userid_taken")]
    assert decision.plan.writes == ()


def test_a_userid_of_somebody_gone_is_given_to_nobody_else() -> None:
    """WeCom would mix the histories of two people; the same person may have it again."""
    gone = RememberedMember(state=LinkState.GONE, member=person("OLD", userid="wang"))
    remembered = Remembered(members={"OLD": gone}, has_been_applied=True)
    company = Company()

    other = company.decide(
        desired([person("NEW", userid="wang", mobile="13800000001")]), remembered=remembered
    )
    same = company.decide(
        desired([person("OLD", userid="wang", mobile="13800000001")]), remembered=remembered
    )

    assert [(row.key, row.rule) for row in other.plan.rejected] == [("NEW", "userid_reused")]
    assert only(same).verb is Verb.CREATE


def test_a_changed_userid_is_kept_and_the_rest_goes_on() -> None:
    """WeCom cannot change a userid: the member keeps it, and the other fields are kept in step."""
    company = Company()
    company.member("A", userid="old", mobile="13800000001", position="旧")

    decision = company.decide(desired([person("A", userid="new", mobile="13800000001", position="新")]))

    kept, written = sorted(decision.plan.changes, key=lambda change: change.verb)
    assert (kept.verb, kept.fields) == (Verb.KEEP, {"userid": FieldChange("old", "new")})
    assert (written.verb, written.id) == (Verb.UPDATE, "old")


def test_a_new_member_without_any_contact_is_rejected() -> None:
    """WeCom wants a phone number or an address on everybody."""
    decision = Company().decide(desired([person("A", mobile=None, email=None)]))

    assert [(row.key, row.rule) for row in decision.plan.rejected] == [("A", "contact_required")]


@pytest.mark.parametrize("policy", ["report", "recreate"])
def test_somebody_who_was_deleted_in_wecom_by_hand(policy: str) -> None:
    """It is reported, or created again, as the policy says."""
    company = Company()
    company.member("A", mobile="13800000001")
    remembered = company.remembered()
    company.members.clear()

    change = only(
        company.decide(
            desired([person("A", mobile="13800000001")]), settings({"missing_in_wecom": policy}), remembered
        )
    )

    assert change.verb is (Verb.KEEP if policy == "report" else Verb.CREATE)


def test_somebody_whom_we_deleted_and_who_returns_is_created() -> None:
    """A leaver who is no longer in WeCom is nobody whom a hand deleted."""
    company = Company()
    company.member("A", mobile="13800000001", link={"left_at": NOW})
    remembered = company.remembered()
    company.members.clear()

    change = only(company.decide(desired([person("A", mobile="13800000001")]), remembered=remembered))

    assert change.verb is Verb.CREATE


class TestPlaces:
    """Where people are."""

    def test_a_foreign_department_is_sent_along(self) -> None:
        """A move keeps the places that are not ours."""
        company = Company()
        company.department("D")
        company.foreign_departments[9] = ROOT
        company.member("A", mobile="13800000001", departments=(ROOT, 9), main_department=ROOT)

        decision = company.decide(
            desired([person("A", mobile="13800000001", departments=("D",))], [unit("D")])
        )

        assert only(decision).fields["departments"] == FieldChange((1, 9), ("D", 9))

    def test_a_foreign_department_is_left_where_the_policy_says_so(self) -> None:
        """foreign_memberships = "remove" takes them out."""
        company = Company()
        company.foreign_departments[9] = ROOT
        company.member("A", mobile="13800000001", departments=(ROOT, 9), main_department=ROOT)

        decision = company.decide(
            desired([person("A", mobile="13800000001")]), settings({"foreign_memberships": "remove"})
        )

        assert only(decision).fields["departments"] == FieldChange((1, 9), (1,))

    def test_marks_beside_a_foreign_department_are_not_sent(self) -> None:
        """Nobody knows the mark in the foreign one, so the array stays as it is."""
        company = Company()
        company.department("D")
        company.foreign_departments[9] = ROOT
        company.member("A", mobile="13800000001", departments=("D", 9))

        decision = company.decide(
            desired([person("A", mobile="13800000001", departments=("D",), is_leader=("D",))], [unit("D")])
        )

        change = only(decision)
        assert (change.verb, change.reason) == (Verb.KEEP, Reason.UNKNOWN)
        assert change.fields == {"is_leader": FieldChange((), ("D",))}

    def test_nobody_is_moved_where_places_are_not_mapped(self) -> None:
        """A field that the mapping does not name is never sent."""
        company = Company()
        company.department("D")
        company.member("A", mobile="13800000001", departments=("D",))

        decision = company.decide(
            desired([person("A", mobile="13800000001")], [unit("D")], places_are_mapped=False)
        )

        assert decision.plan.changes == ()

    def test_members_of_a_rejected_department_stay_in_it(self) -> None:
        """Its memberships stay as they are, and other fields go on."""
        company = Company()
        company.department("D")
        company.member("A", mobile="13800000001", departments=("D",), position="旧")

        decision = company.decide(
            desired([person("A", mobile="13800000001", position="新")], held_departments=frozenset({"D"}))
        )

        members = [change for change in decision.plan.changes if change.kind is Kind.MEMBER]
        assert {(change.verb, change.reason, tuple(change.fields)) for change in members} == {
            (Verb.UPDATE, None, ("position",)),
            (Verb.KEEP, Reason.REJECTED, ("departments", "main_department")),
        }

    def test_nobody_is_created_in_a_rejected_department(self) -> None:
        """There is no right place for them yet."""
        decision = Company().decide(
            desired(
                [person("A", mobile="13800000001", departments=("D",))], held_departments=frozenset({"D"})
            )
        )

        assert (only(decision).verb, only(decision).reason) == (Verb.KEEP, Reason.REJECTED)


def test_a_direct_leader_whom_no_source_knows_is_listed() -> None:
    """It is not sent, the person's row is used, and the plan says so."""
    company = Company()
    company.member("A", mobile="13800000001")

    change = only(company.decide(desired([person("A", mobile="13800000001")], leaders_left_out={"A": "X"})))

    assert (change.verb, change.reason, change.fields["direct_leader"].after) == (
        Verb.KEEP,
        Reason.UNKNOWN,
        "X",
    )


def test_a_direct_leader_who_is_not_there_yet_is_set_later() -> None:
    """The leader starts next month: the person is created without, and the plan names what waits."""
    wanted = [
        person("A", mobile="13800000001", direct_leader="B"),
        person("B", mobile="13800000002"),
    ]

    plan = Company().decide(desired(wanted, starts={"B": date(2026, 4, 1)})).plan

    (created,) = plan.writes
    assert "direct_leader" not in created.fields
    assert {(change.key, change.reason) for change in plan.changes if change.verb is Verb.KEEP} == {
        ("A", Reason.WAITING),
        ("B", Reason.WAITING),
    }


def test_the_grace_counts_from_disabling_and_from_leaving() -> None:
    """A leaver whom the policy kept for a year has not been disabled for a year."""
    sync = settings({"delete_after_days": 30})
    company = Company()
    link = {"disabled_at": NOW - timedelta(days=1), "left_at": NOW - timedelta(days=365)}
    company.member("A", mobile="13800000001", enable=False, link=link)

    assert only(company.decide(desired(), sync)).reason is Reason.GRACE


def test_a_person_with_another_key_has_not_left() -> None:
    """The source corrected a key and kept the userid: the member stays as it is, and both are named."""
    company = Company()
    company.member("E1", userid="e1", mobile="13800000001")
    renamed = desired([person("e1", userid="e1", mobile="13800000001")])

    for leavers in ("disable", "delete"):
        plan = company.decide(renamed, settings({"leavers": leavers})).plan

        assert plan.writes == ()
        assert [(change.key, change.reason) for change in plan.changes] == [("E1", Reason.REJECTED)]
        assert [(row.key, row.rule) for row in plan.rejected] == [("e1", "userid_taken")]


def test_somebody_is_created_again_once_a_day() -> None:
    """Deleted by hand, created again, deleted by hand again: that waits until tomorrow."""
    company = Company()
    company.member("A", mobile="13800000001", link={"recreated_at": NOW})
    remembered = company.remembered()
    company.members.clear()
    sync, wanted = settings({"missing_in_wecom": "recreate"}), desired([person("A", mobile="13800000001")])

    today = only(company.decide(wanted, sync, remembered, NOW + timedelta(hours=23)))
    tomorrow = only(company.decide(wanted, sync, remembered, NOW + timedelta(hours=25)))

    assert (today.verb, today.reason, tomorrow.verb) == (Verb.KEEP, Reason.FOREIGN, Verb.CREATE)


def test_nobody_counts_as_having_left_on_an_unproven_reading() -> None:
    """The clock of the grace does not start on a doubt."""
    company = Company()
    company.member("A", mobile="13800000001")

    assert company.decide(desired(readings=(reading("members", is_complete=False),))).leavers == frozenset()
    assert company.decide(desired()).leavers == {"A"}
