"""The operator's word: what is unknown is what the source says, and what is known is left alone."""

from __future__ import annotations

from dataclasses import replace

from tests.engine.companies import ROOT, Company, desired, person, unit
from wxsync.engine.baseline import baseline_of
from wxsync.engine.decide import Decision
from wxsync.model.remembered import LinkState
from wxsync.model.unknown import UNKNOWN


def adopted() -> Decision:
    """Two adopted members of whom WeCom hides all but one title, in a department without a known name."""
    company = Company()
    company.department("D")
    for key in "AB":
        company.member(
            key,
            departments=("D",),
            name=UNKNOWN,
            mobile=UNKNOWN,
            main_department=UNKNOWN,
            is_leader=UNKNOWN,
            enable=UNKNOWN,
            position="旧" if key == "A" else UNKNOWN,
        )
    wanted = [
        person(
            key,
            departments=("D",),
            mobile=f"1380000000{place}",
            position="新",
            alias=None,
            extattr=(("工号", key),),
            enable=True,
        )
        for place, key in enumerate("AB")
    ]
    remembered = company.remembered()
    nameless = remembered.departments["D"].__class__(
        key="D", id=company.id_of("D"), state=remembered.departments["D"].state
    )
    return company.decide(
        desired(wanted, [unit("D")]),
        remembered=remembered.__class__(
            departments={"D": nameless}, members=remembered.members, has_been_applied=True
        ),
    )


def test_everything_unknown_of_everybody() -> None:
    """Empty values too; a known title that differs stays a change to be made, and `enable` is nobody's."""
    taken = baseline_of(adopted(), None, None)

    members = {link.member.key: link.member for link in taken.members}
    assert (members["A"].name, members["A"].mobile, members["A"].alias) == ("人A", "13800000000", None)
    assert (members["A"].position, members["B"].position) == ("旧", "新")
    assert (members["A"].main_department, members["A"].extattr) == ("D", (("工号", "A"),))
    assert members["A"].enable is UNKNOWN
    assert [department.name for department in taken.departments] == ["部门D"]
    assert taken.fields == {
        "alias": 2,
        "extattr.工号": 2,
        "main_department": 2,
        "mobile": 2,
        "name": 2,
        "position": 1,
    }


def test_some_fields_or_one_person() -> None:
    """Nothing beyond what was said is taken for known."""
    one = baseline_of(adopted(), None, "B")
    some = baseline_of(adopted(), {"mobile", "extattr"}, None)

    assert [link.member.key for link in one.members] == ["B"]
    assert some.fields == {"extattr.工号": 2, "mobile": 2}
    assert (one.departments, some.departments) == ((), ())


def test_a_leaver_holds_up_nobody() -> None:
    """There is no row to take values from: the others are remembered all the same."""
    company = Company()
    company.member("A", mobile=UNKNOWN)
    company.member("L", mobile=UNKNOWN)

    taken = baseline_of(company.decide(desired([person("A", mobile="13800000001")])), None, None)

    assert [link.member.key for link in taken.members] == ["A"]


def test_what_was_in_doubt_is_so_no_more() -> None:
    """Of the fields that were taken, and of no other: a number that may be somebody's can be given on."""
    company = Company()
    doubts = {"mobile": ("13800000001", "13800000002"), "email": ("a@example.com",)}
    company.member("A", {"doubts": doubts}, mobile=UNKNOWN, email=UNKNOWN)
    wanted = desired([person("A", mobile="13800000002", email="a@example.com")])

    (link,) = baseline_of(company.decide(wanted), {"mobile"}, None).members

    assert (link.member.mobile, link.member.email) == ("13800000002", UNKNOWN)
    assert link.doubts == {"email": ("a@example.com",)}


def test_what_wecom_shows_is_remembered_with_it() -> None:
    """It may be hidden tomorrow; a value that differs from the source stays one."""
    company = Company()
    company.member("A", name=UNKNOWN, mobile=UNKNOWN)
    decision = company.decide(desired([person("A", mobile="13800000001")]))
    shown = replace(decision.actual.members["A"], name="旧名")
    decision = replace(decision, actual=replace(decision.actual, members={"A": shown}))

    (link,) = baseline_of(decision, None, None).members

    assert (link.member.name, link.member.mobile) == ("旧名", "13800000001")


def test_whoever_an_interrupted_run_created_is_ours_by_it() -> None:
    """What is remembered of an announced creation alone would be thrown away by the next run."""
    company = Company()
    company.member(
        "A", {"state": LinkState.PENDING, "announced_department_ids": (ROOT,)}, mobile="13800000001"
    )

    (link,) = baseline_of(company.decide(desired([person("A", mobile="13800000001")])), None, None).members

    assert (link.state, link.announced_department_ids) == (LinkState.OURS, ())
    assert link.member.mobile == "13800000001"
