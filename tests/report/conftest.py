"""A plan with changes of every kind and verb, and the run of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wxsync.model.change import Change, FieldChange, Kind, Reason, Rejected, Verb
from wxsync.model.desired import ReadingProof
from wxsync.model.message import say
from wxsync.model.plan import Forecast, Limit, Plan
from wxsync.model.run import Outcome, OutcomeState, Run, RunState
from wxsync.model.unknown import UNKNOWN, Value

AT = datetime(2026, 1, 31, 8, 0, 0, tzinfo=UTC)
SURNAMES = "王李张刘陈杨黄赵吴周徐孙"
GIVEN = ("伟", "芳", "娜敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超")


def name(n: int) -> str:
    return SURNAMES[n % len(SURNAMES)] + GIVEN[n % len(GIVEN)]


def changed(before: Value, after: Value) -> FieldChange:
    return FieldChange(before, after)


def department(verb: Verb, key: str, called: str, **more: Any) -> Change:
    return replace(
        Change(
            kind=Kind.DEPARTMENT,
            verb=verb,
            key=key,
            id=None,
            name=called,
            why=say("it is in the source and not yet in WeCom"),
        ),
        **more,
    )


def member(verb: Verb, n: int, **more: Any) -> Change:
    key = f"E{n:04}"
    return replace(
        Change(
            kind=Kind.MEMBER,
            verb=verb,
            key=key,
            id=key.lower(),
            name=name(n),
            why=say("it is in the source and not yet in WeCom"),
        ),
        **more,
    )


def tag(verb: Verb, called: str, **more: Any) -> Change:
    return replace(
        Change(
            kind=Kind.TAG,
            verb=verb,
            key=called,
            id=None,
            name=called,
            why=say("it is in the source and not yet in WeCom"),
        ),
        **more,
    )


def departments() -> list[Change]:
    return [
        department(
            Verb.UPDATE,
            "D110",
            "华北销售部",
            id=12,
            fields={"name": changed("华北销售部", "华北销售部 (1)")},
            is_temporary=True,
            why=say("its name is needed by another department before it is renamed, moved or deleted"),
        ),
        department(
            Verb.CREATE,
            "D300",
            "研发三部",
            fields={
                "name": changed(None, "研发三部"),
                "parent": changed(None, "D100"),
                "order": changed(None, 900),
            },
        ),
        department(
            Verb.CREATE,
            "D310",
            "平台组",
            fields={"name": changed(None, "平台组"), "parent": changed(None, "D300")},
        ),
        department(
            Verb.ADOPT, "D400", "财务部", id=40, why=say("policy.adopt_departments names it: {id}", id=40)
        ),
        department(
            Verb.UPDATE,
            "D120",
            "华北销售部",
            id=13,
            fields={"name": changed("华东销售部", "华北销售部"), "parent": changed("D100", "D300")},
            why=say("{fields} differs from the source", fields="name, parent"),
        ),
        department(
            Verb.UPDATE,
            "D110",
            "华东销售部",
            id=12,
            fields={"name": changed(UNKNOWN, "华东销售部"), "order": changed(100, 200)},
            why=say("{fields} differs from the source", fields="name, order"),
        ),
        department(
            Verb.DELETE, "D900", "旧项目部", id=90, why=say("the source dropped it, and it holds nobody")
        ),
        department(
            Verb.KEEP,
            "D910",
            "筹备组",
            id=91,
            reason=Reason.OCCUPIED,
            why=say("the source dropped it; members still in it: {count}", count=2),
        ),
    ]


def hires() -> list[Change]:
    return [
        member(
            Verb.CREATE,
            n,
            fields={
                "name": changed(None, name(n)),
                "mobile": changed(None, f"138{n:08}"),
                "email": changed(None, f"member{n}@example.com"),
                "departments": changed(None, ("D300", "D310") if n % 3 else ("D100",)),
                "position": changed(None, "高级软件工程师" if n % 2 else "工程师"),
                "gender": changed(None, str(1 + n % 2)),
                "enable": changed(None, True),
            },
        )
        for n in range(100, 118)
    ]


def updates() -> list[Change]:
    differs = say("{fields} differs from the source", fields="position")
    promoted = [
        member(Verb.UPDATE, n, fields={"position": changed("工程师", "高级工程师")}, why=differs)
        for n in range(42, 50)
    ]
    return [
        *promoted,
        member(
            Verb.UPDATE,
            50,
            fields={
                "mobile": changed("13812341234", "13899991234"),
                "telephone": changed(UNKNOWN, "+85298765432"),
            },
            why=say("{fields} differs from the source", fields="mobile, telephone"),
        ),
        member(
            Verb.UPDATE,
            51,
            fields={"mobile": changed("13812340000", None)},
            is_temporary=True,
            why=say("its {field} is taken by {key}", field="mobile", key="E0052"),
        ),
        member(
            Verb.UPDATE,
            52,
            fields={
                "mobile": changed(None, "13812340000"),
                "email": changed("lin.mei@example.com", "lin.m@example.com"),
                "departments": changed(("D110", "D120", 7), ("D120", 7, "D300")),
                "main_department": changed("D110", "D120"),
                "is_leader": changed((), ("D300",)),
                "order": changed((("D110", 3), ("D120", 5)), (("D120", 9), ("D300", 1))),
                "direct_leader": changed(UNKNOWN, "E0042"),
                "address": changed(None, "上海市浦东新区张江路 88 号 3 栋"),
                "extattr.工号": changed("A-1", "A-2"),
                "extattr.备用电话": changed(None, "13912345678"),
            },
            why=say("{fields} differs from the source", fields="departments, email"),
        ),
        member(
            Verb.UPDATE,
            53,
            name="<script>alert(1)</script>",
            fields={"name": changed("[red]阿杰[/red]", "<script>alert(1)</script>")},
            why=say("{fields} differs from the source", fields="name"),
        ),
    ]


def comings_and_goings() -> list[Change]:
    left = say("the source calls this person inactive")
    return [
        member(Verb.ADOPT, 60, why=say("WeCom has a member with this userid who is not of our making")),
        member(
            Verb.ENABLE,
            61,
            fields={"enable": changed(False, True), "position": changed("经理", "总监")},
            why=say("it is wanted again"),
        ),
        *(member(Verb.DISABLE, n, fields={"enable": changed(True, False)}, why=left) for n in range(62, 68)),
        member(Verb.DELETE, 68, why=say("left, and disabled for {days} days", days=31)),
        member(Verb.DELETE, 69, why=say("left, and disabled for {days} days", days=45)),
    ]


def kept() -> list[Change]:
    return [
        *(
            member(
                Verb.KEEP, n, reason=Reason.GRACE, why=say("left; to be deleted on {date}", date="2026-02-28")
            )
            for n in range(70, 76)
        ),
        member(
            Verb.KEEP,
            76,
            reason=Reason.REJECTED,
            why=say("its row is rejected"),
        ),
        Change(
            kind=Kind.MEMBER,
            verb=Verb.KEEP,
            key=None,
            id="svc-printer",
            name=None,
            reason=Reason.PROTECTED,
            why=say("its userid is protected by policy.protect"),
        ),
        member(
            Verb.KEEP,
            77,
            reason=Reason.UNADOPTED,
            why=say("WeCom has a member with this userid who is not of our making"),
        ),
        member(
            Verb.KEEP,
            78,
            reason=Reason.UNKNOWN,
            why=say("it is in a foreign department too, whose mark nobody knows"),
        ),
    ]


def tags() -> list[Change]:
    people = tuple(f"E{n:04}" for n in range(100, 112))
    return [
        tag(Verb.CREATE, "新员工", fields={"members": changed(None, people)}),
        tag(Verb.ADOPT, "司机", id=9, why=say("WeCom has a tag with this name that is not of our making")),
        tag(
            Verb.UPDATE,
            "管理层",
            id=5,
            fields={"members": changed(("E0042", "E0043", "E0062"), ("E0042", "E0043", "E0100", "E0101"))},
            why=say("{fields} differs from the source", fields="members"),
        ),
        tag(Verb.DELETE, "2024 入职", id=6, why=say("the source dropped it, and it holds nobody")),
    ]


@pytest.fixture
def plan() -> Plan:
    """About sixty changes: every kind and verb, an exceeded limit, rejected rows, foreign records."""
    return Plan(
        sync="acme",
        corp_id="ww1234567890abcdef",
        created_at=AT,
        is_complete=False,
        changes=(*departments(), *hires(), *updates(), *comings_and_goings(), *kept(), *tags()),
        rejected=(
            Rejected(
                kind=Kind.MEMBER,
                key="E0099",
                field="mobile",
                rule="phone_number",
                problem=say("mobile is not a phone number"),
            ),
            Rejected(
                kind=Kind.DEPARTMENT,
                key="D800",
                field="parent",
                rule="loop",
                problem=say("it is its own ancestor"),
            ),
        ),
        limits=(
            Limit(name="member_remove", count=8, allowed=5),
            Limit(name="member_create", count=18, allowed=None),
            Limit(name="member_update", count=12, allowed=150),
            Limit(name="field_change", count=8, allowed=60, detail="position"),
            Limit(name="department_delete", count=1, allowed=10),
            Limit(name="department_move", count=1, allowed=5),
            Limit(name="tag_member_remove", count=1, allowed=20),
            Limit(name="source_shrink", count=0, allowed=9, detail="hr.members"),
        ),
        forecast=Forecast(calls=71, seconds=8.24),
        foreign={Kind.DEPARTMENT: 2, Kind.MEMBER: 11, Kind.TAG: 0},
        readings=(
            ReadingProof(source="hr", query="departments", rows=40, is_complete=True),
            ReadingProof(source="hr", query="members", rows=300, is_complete=True, unreadable_keys=1),
            ReadingProof(
                source="hr",
                query="tags",
                rows=55,
                is_complete=False,
                problem=say("it was not read to its end"),
            ),
        ),
    )


@pytest.fixture
def small_plan() -> Plan:
    """The plan of the contract: 2 to create, 1 to update, 1 to disable, 3 kept."""
    return Plan(
        sync="acme",
        corp_id="ww1",
        created_at=AT,
        is_complete=True,
        changes=(
            member(
                Verb.UPDATE,
                42,
                name="林梅",
                fields={
                    "position": changed("工程师", "高级工程师"),
                    "mobile": changed(UNKNOWN, "13812341234"),
                },
                why=say("{fields} differs from the source", fields="position"),
            ),
            member(Verb.CREATE, 100, fields={"mobile": changed(None, "13800000001")}),
            member(Verb.CREATE, 101, fields={"email": changed(None, "lin.mei@example.com")}),
            member(
                Verb.DISABLE, 62, fields={"enable": changed(True, False)}, why=say("no longer in the source")
            ),
            member(
                Verb.KEEP,
                70,
                reason=Reason.GRACE,
                why=say("left; to be deleted on {date}", date="2026-02-28"),
            ),
        ),
        limits=(Limit(name="member_remove", count=1, allowed=5),),
        forecast=Forecast(calls=5, seconds=0.8),
        foreign={Kind.MEMBER: 2},
    )


@pytest.fixture
def run(plan: Plan) -> Run:
    """A run that went to its end: two records failed, one fate is unknown, three were not tried."""
    fates = {
        3: Outcome(
            n=3,
            state=OutcomeState.SKIPPED,
            hint=say("the parent department does not exist: see what became of it"),
        ),
        2: Outcome(
            n=2,
            state=OutcomeState.FAILED,
            errcode=60008,
            hint=say("a department of this name is there already, or one with this id"),
            attempts=1,
        ),
        9: Outcome(
            n=9,
            state=OutcomeState.FAILED,
            errcode=60104,
            hint=say("another member has this phone number: see who, and correct one of the two"),
            attempts=3,
        ),
        12: Outcome(n=12, state=OutcomeState.UNKNOWN, attempts=1),
    }
    return Run(
        id=17,
        sync="acme",
        trigger="manual",
        started_at=AT,
        finished_at=AT + timedelta(seconds=9.4),
        state=RunState.APPLIED,
        plan=plan,
        outcomes=tuple(
            fates.get(n) or Outcome(n=n, state=OutcomeState.DONE, attempts=1)
            for n, change in enumerate(plan.changes, start=1)
            if change.verb is not Verb.KEEP
        ),
    )
