"""Who in WeCom is who in the source: adopted on proof, shown for approval on less, never mistaken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.companies import ROOT, Company, desired, person, settings, unit
from wxsync.engine.decide import Decision
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.remembered import Remembered
from wxsync.model.seen import ShownMember

EVERYTHING = {"adopt": ["userid", "mobile", "email"]}


def corp_with(userid: str, **shown: Any) -> Company:
    company = Company()
    company.foreign_members[userid] = frozenset({ROOT})
    if shown:
        company.shown[userid] = ShownMember(**shown)
    return company


def zhang(**fields: Any) -> Any:
    return desired([person("E1", **{"userid": "zhang", "name": "张三", "mobile": "13800000001", **fields})])


def verdict(decision: Decision) -> tuple[Verb, Reason | None, object] | tuple[str, str]:
    changes = [change for change in decision.plan.changes if change.kind is Kind.MEMBER]
    if not changes:
        (row,) = decision.plan.rejected
        return str(row.key), row.rule
    (change,) = changes
    return change.verb, change.reason, change.id


UNADOPTED = (Verb.KEEP, Reason.UNADOPTED, "zhang")
ADOPTED = (Verb.ADOPT, None, "zhang")
REJECTED = ("E1", "userid_taken")


@pytest.mark.parametrize(
    ("shown", "adopt", "plain", "weak_too"),
    [
        ({"name": "张三"}, ["userid"], ADOPTED, ADOPTED),
        ({"mobile": "13800000001"}, ["userid"], ADOPTED, ADOPTED),
        ({"name": "张叁", "mobile": "13800000001"}, ["userid"], ADOPTED, ADOPTED),
        ({}, ["userid"], UNADOPTED, ADOPTED),
        ({}, [], UNADOPTED, UNADOPTED),
        ({"name": "张三"}, ["mobile"], UNADOPTED, UNADOPTED),
        ({"name": "李四"}, ["userid"], REJECTED, REJECTED),
        ({"name": "李四", "mobile": "13900000009"}, ["userid"], REJECTED, REJECTED),
    ],
)
def test_by_userid(shown: dict[str, Any], adopt: list[str], plain: Any, weak_too: Any) -> None:
    """With a second fact that agrees: adopted. Alone: by approval. With facts that all differ:
    somebody else."""
    sync = settings({"adopt": adopt})

    assert verdict(corp_with("zhang", **shown).decide(zhang(), sync)) == plain
    assert verdict(corp_with("zhang", **shown).decide(zhang(), sync, weak_too=True)) == weak_too


def test_the_case_of_a_userid_is_wecoms() -> None:
    """ZhangSan and zhangsan are one; the link has WeCom's spelling."""
    company = corp_with("Zhang", name="张三")

    assert verdict(company.decide(zhang(), settings(EVERYTHING))) == (Verb.ADOPT, None, "Zhang")


@pytest.mark.parametrize(("adopt", "weak_too"), [(["mobile"], Verb.ADOPT), (["userid"], Verb.KEEP)])
def test_by_phone_number_under_another_userid(adopt: list[str], weak_too: Verb) -> None:
    """Wants approval, and only where the policy recognises people by it; never created beside."""
    company = corp_with("zs", mobile="13800000001", name="张三")
    sync = settings({"adopt": adopt})

    assert verdict(company.decide(zhang(), sync)) == (Verb.KEEP, Reason.UNADOPTED, "zs")
    assert verdict(company.decide(zhang(), sync, weak_too=True))[0] is weak_too


def test_two_members_who_could_be_meant() -> None:
    """The phone number is one member's and the address another's: nobody is adopted, nobody created."""
    company = corp_with("a", mobile="13800000001")
    company.foreign_members["b"] = frozenset({ROOT})
    company.shown["b"] = ShownMember(email="z@example.com")

    decision = company.decide(zhang(email="z@example.com"), settings(EVERYTHING), weak_too=True)

    assert verdict(decision)[:2] == (Verb.KEEP, Reason.UNADOPTED)


def test_two_people_who_look_like_one_member() -> None:
    """Neither is adopted."""
    company = corp_with("zs", mobile="13800000001", email="z@example.com")
    two = desired(
        [
            person("E1", userid="x1", mobile="13800000001"),
            person("E2", userid="x2", mobile=None, email="z@example.com"),
        ]
    )

    changes = company.decide(two, settings(EVERYTHING), weak_too=True).plan.changes

    assert {(change.key, change.reason) for change in changes} == {
        ("E1", Reason.UNADOPTED),
        ("E2", Reason.UNADOPTED),
    }


def test_adoption_writes_nothing_by_itself() -> None:
    """No call; the fields are the evidence, and what differs is compared from the next run on."""
    decision = corp_with("zhang", name="张三", position="旧").decide(
        zhang(position="新"), settings(EVERYTHING)
    )

    (change,) = decision.plan.changes
    assert change.fields == {"name": FieldChange("张三", "张三")}
    assert decision.plan.forecast.calls == 0


def test_protected_members_are_not_adopted() -> None:
    """They are never changed, and never ours."""
    decision = corp_with("zhang", name="张三").decide(zhang(), settings({**EVERYTHING, "protect": ["zhang"]}))

    assert verdict(decision)[:2] == (Verb.KEEP, Reason.PROTECTED)


def test_a_number_that_somebody_foreign_has_is_not_taken() -> None:
    """WeCom shows who has it: the change is rejected before WeCom would refuse it."""
    company = corp_with("boss", mobile="13900000009")
    company.member("E1", mobile="13800000001", email="z@example.com")

    decision = company.decide(desired([person("E1", mobile="13900000009", email="z@example.com")]))

    assert decision.plan.writes == ()
    assert [(row.key, row.rule) for row in decision.plan.rejected] == [("E1", "taken")]


def test_departments_of_the_same_name_in_the_same_place() -> None:
    """From the top down, so that a tree is adopted in one plan; the same name elsewhere is another one."""
    company = Company()
    company.foreign_departments |= {5: ROOT, 6: 5, 7: ROOT}
    company.shown_names |= {5: "研发", 6: "后端", 7: "前端"}
    tree = [unit("A", name="研发"), unit("B", "A", name="后端"), unit("C", "A", name="前端")]

    changes = company.decide(desired(departments=tree)).plan.writes

    assert {(change.key, change.verb, change.id) for change in changes} == {
        ("A", Verb.ADOPT, 5),
        ("B", Verb.ADOPT, 6),
        ("C", Verb.CREATE, None),
    }


def adopted_crowd(count: int) -> Company:
    company = Company()
    for number in range(count):
        company.member(f"E{number}", name="人", mobile=f"138{number:08}", enable=True)
    return company


def test_what_nobody_knows_is_written_within_the_limits() -> None:
    """Ten of a hundred a run where the limits say so, and the plan tells in how many runs."""
    company = adopted_crowd(100)
    wanted = [person(f"E{n}", name="人", mobile=f"138{n:08}", position="职员") for n in range(100)]
    sync = settings(limits={"field_change": 10})

    plan = company.decide(desired(wanted), sync).plan

    kept = [change for change in plan.changes if change.verb is Verb.KEEP]
    assert (len(plan.writes), len(kept), plan.exceeded) == (10, 90, ())
    assert {change.reason for change in kept} == {Reason.UNKNOWN}
    assert kept[0].why.facts["runs"] == 10


def test_an_activated_member_keeps_the_phone_number() -> None:
    """WeCom would answer ok and ignore the new one: it is not asked again and again."""
    company = Company()
    company.member("E1", name="张三", mobile="13800000001", position="旧")
    seen = company.seen()
    shown = ShownMember(is_activated=True)

    def changes() -> tuple[Change, ...]:

        members = tuple(replace(member, shown=shown) for member in seen.members)
        company.seen = lambda: replace(seen, members=members)  # type: ignore[method-assign]
        wanted = person("E1", name="张三", mobile="13900000009", position="新")
        return company.decide(desired([wanted])).plan.changes

    written, kept = changes()
    assert set(written.fields) == {"position"}
    assert (kept.reason, set(kept.fields)) == (Reason.UNKNOWN, {"mobile"})


@pytest.mark.parametrize("userid", ["name | pinyin", "name | lower", "(name | lower)[:3]"])
def test_a_generated_userid_proves_nothing_by_itself(userid: str) -> None:
    """Made from a name it is as likely somebody else of that name: not even by approval."""
    sync = settings(EVERYTHING, member={"key": "no", "userid": userid, "name": "name"})

    alone = corp_with("zhang").decide(zhang(), sync, weak_too=True)

    assert verdict(alone) == UNADOPTED
    assert "made from its name" in str(alone.plan.changes[0].why)


@pytest.mark.parametrize(
    ("shown", "plain", "weak_too"),
    [
        ({"name": "张三"}, UNADOPTED, ADOPTED),
        ({"name": "张三", "mobile": "13900000009"}, REJECTED, REJECTED),
        ({"name": "张三", "mobile": "13800000001"}, ADOPTED, ADOPTED),
    ],
)
def test_a_generated_userid_and_its_name_are_one_fact(
    shown: dict[str, Any], plain: Any, weak_too: Any
) -> None:
    """A namesake has both; a number that differs tells them apart, one that agrees proves them the same."""
    sync = settings(EVERYTHING, member={"key": "no", "userid": "name | pinyin", "name": "name"})

    assert verdict(corp_with("zhang", **shown).decide(zhang(), sync)) == plain
    assert verdict(corp_with("zhang", **shown).decide(zhang(), sync, weak_too=True)) == weak_too


def test_a_column_that_is_called_pinyin_generates_nothing() -> None:
    """It is the filter that makes a userid out of a name."""
    sync = settings(EVERYTHING, member={"key": "no", "userid": "pinyin_login", "name": "name"})

    assert verdict(corp_with("zhang").decide(zhang(), sync, weak_too=True)) == ADOPTED


def test_a_stronger_resemblance_is_not_worth_less() -> None:
    """Whom the policy recognises by mobile is recognised by it under the same userid too."""
    sync = settings({"adopt": ["mobile"]})

    assert verdict(corp_with("zhang", mobile="13800000001").decide(zhang(), sync)) == ADOPTED


def test_people_of_another_sync_are_nobodys_to_adopt() -> None:
    """Not by their number either: it is theirs, and the plan says so."""
    company = corp_with("zs", mobile="13800000001")
    remembered = Remembered(elsewhere_userids=frozenset({"zs"}), has_been_applied=True)

    decision = company.decide(zhang(), settings(EVERYTHING), remembered, weak_too=True)

    assert [(row.key, row.rule) for row in decision.plan.rejected] == [("E1", "taken")]
    assert [change.verb for change in decision.plan.changes] == [Verb.KEEP]


def test_foreign_records_are_counted_once() -> None:
    """However many people of the source look like one of them."""
    company = corp_with("zs", mobile="13800000001")
    three = desired([person(f"E{n}", userid=f"x{n}", mobile="13800000001") for n in range(3)])

    plan = company.decide(three, settings(EVERYTHING)).plan

    assert plan.foreign[Kind.MEMBER] == 0
    assert plan.summary[Kind.MEMBER][Verb.KEEP] == 3


def test_approval_is_for_the_evidence_that_was_shown() -> None:
    """The same member, recognised by another fact, is another plan."""
    by_mobile = corp_with("zs", mobile="13800000001").decide(
        zhang(email="z@example.com"), settings(EVERYTHING), weak_too=True
    )
    by_email = corp_with("zs", mobile="13900000009", email="z@example.com").decide(
        zhang(email="z@example.com"), settings(EVERYTHING), weak_too=True
    )

    assert verdict(by_mobile) == verdict(by_email) == (Verb.ADOPT, None, "zs")
    assert by_mobile.plan.digest != by_email.plan.digest


def test_a_userid_alone_is_nothing_where_another_one_has_the_number() -> None:
    """The person has the number that their source says: so the userid is somebody else's."""
    company = corp_with("zhang")
    company.foreign_members["zs"] = frozenset({ROOT})
    company.shown["zs"] = ShownMember(mobile="13800000001")

    decision = company.decide(zhang(), settings(EVERYTHING), weak_too=True)

    assert verdict(decision) == REJECTED
    assert "another with its phone number" in str(decision.plan.rejected[0].problem)


def test_a_department_is_adopted_for_one_key() -> None:
    """Whoever is named by the wish has it; one of the same name in the same place is created."""
    company = Company()
    company.foreign_departments[50] = ROOT
    company.shown_names[50] = "研发"
    two = desired(departments=[unit("A", name="甲"), unit("B", name="研发")])

    plan = company.decide(two, settings({"adopt_departments": {"A": 50}})).plan

    assert [(change.key, change.verb) for change in plan.changes] == [("A", Verb.ADOPT), ("B", Verb.CREATE)]
