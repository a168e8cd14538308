"""A corp that hands have made, half of it known to HR, and what a plan must say of each person in it.

What must be said is worked out from how each person was made, by a table, and not by comparing records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.journeys.hr import HQ, Employee
from tests.journeys.stage import Stage
from tests.journeys.story import Story
from wxsync.model.change import Kind
from wxsync.model.plan import Plan
from wxsync.sandbox.records import ROOT
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App

APP = {"agent_id": 1000002, "secret": "sandbox-app-secret"}


@dataclass(frozen=True)
class Way:
    """How WeCom is read."""

    name: str
    app: Mapping[str, object] | None = None
    is_legacy: bool = False
    is_old_app: bool = False

    @property
    def shows_names(self) -> bool:
        return self.app is not None or self.is_legacy

    @property
    def shows_numbers(self) -> bool:
        return self.is_legacy or self.is_old_app

    def state(self) -> SandboxState:
        return SandboxState(legacy_ip=self.is_legacy, apps=(App(sees_sensitive=self.is_old_app),))

    def story(self, folder: Path, **settings: Any) -> Story:
        """A company whose WeCom is read this way."""
        story = Story(folder, app=self.app, **settings)
        story.stage.state = self.state()
        return story


WAYS = (
    Way("ids"),
    Way("app", app=APP),
    Way("old-app", app=APP, is_old_app=True),
    Way("contact", is_legacy=True),
)


class Case(StrEnum):
    """What WeCom has of somebody of the source."""

    SAME = "the same userid, name, phone number and address"
    SPELLED = "the userid in capitals, and the rest the same"
    RENUMBERED = "the same userid and name, with another phone number and address"
    NAMESAKE = "the userid, of another person"
    BY_MOBILE = "the person under another userid, with the same phone number"
    BY_EMAIL = "the person under another userid, with the same address and another phone number"
    NOTHING = "nothing"


CASES = (
    *(Case.SAME,) * 4,
    Case.SPELLED,
    Case.RENUMBERED,
    Case.NAMESAKE,
    Case.BY_MOBILE,
    Case.BY_EMAIL,
    Case.NOTHING,
)
ELSEWHERE = (Case.BY_MOBILE, Case.BY_EMAIL)

ADOPTED, UNADOPTED, CREATED, TAKEN = "adopt", "keep unadopted", "create", "userid_taken"


def verdict(case: Case, way: Way, *, weak_too: bool) -> str:
    """What the first plan must say of such a person."""
    weakly = ADOPTED if weak_too else UNADOPTED
    if case is Case.NOTHING:
        return CREATED
    if case in ELSEWHERE:
        return weakly if way.shows_numbers else CREATED
    if not way.shows_names:
        return weakly
    return TAKEN if case is Case.NAMESAKE else ADOPTED


def verdicts(plan: Plan) -> dict[str, str]:
    """What a plan does say of each person."""
    found = {
        str(change.key): f"{change.verb} {change.reason or ''}".strip()
        for change in plan.changes
        if change.kind is Kind.MEMBER
    }
    return found | {str(row.key): row.rule for row in plan.rejected}


Snapshot = dict[str, dict[str, object]]


@dataclass
class Existing:
    """The corp and what is known of its making."""

    story: Story
    way: Way
    cases: dict[str, Case] = field(default_factory=dict)
    userids: dict[str, str] = field(default_factory=dict)
    """Key -> folded userid under which WeCom has the person; a namesake's is nobody's."""
    there: dict[str, int] = field(default_factory=dict)
    """Department code -> id of the department of the same name in the same place."""
    moved: set[str] = field(default_factory=set)
    """Keys of those whom WeCom has in another department than HR."""
    retitled: set[str] = field(default_factory=set)
    """Keys of those who have another position in WeCom."""
    activated: set[str] = field(default_factory=set)
    tags_there: set[str] = field(default_factory=set)

    @property
    def stage(self) -> Stage:
        return self.story.stage

    @property
    def state(self) -> SandboxState:
        return self.story.wecom

    def keys(self, *cases: Case) -> set[str]:
        return {key for key, case in self.cases.items() if case in cases}

    def changing(self) -> set[str]:
        """Folded userids of those with whom something visible is wrong, once everybody is adopted."""
        keys = set(self.moved)
        if self.way.shows_names:
            keys |= self.retitled
        if self.way.shows_numbers:
            # Who has activated keeps the number; of a renumbered one the address changes all the same.
            keys |= self.keys(Case.RENUMBERED) | (self.keys(Case.BY_EMAIL) - self.activated)
        return {self.userids[key] for key in keys}


def make(folder: Path, way: Way, people: int, *, departments: int, tags: int = 20) -> Existing:
    """`people` in WeCom, half of them known to HR; so are half of the departments and tags."""
    story = way.story(
        folder,
        policy=policy(),
        # The operator's way to say who has which userid; nobody here has an alias.
        member={"userid": "alias | default(emp_no, true) | lower", "alias": "''"},
        # One in ten is in WeCom under another userid, and refused where that cannot be seen before.
        breaker={"percent": 25, "of": 1000, "trial_from": 1000},
    )
    corp = Existing(story, way)
    foreign = _make_departments(corp, departments)
    _make_people(corp, people, foreign)
    _make_tags(corp, tags)
    story.save()
    return corp


def policy(**more: object) -> dict[str, object]:
    """By calls, in which one sees who is written to."""
    asked = {"adopt": ["userid", "mobile", "email"], "clear_when_empty": ["position"], "method": "single"}
    return {**asked, **more}


def _make_departments(corp: Existing, count: int) -> list[int]:
    """A few at the top and the rest below them; gives the ids of those that HR does not know."""
    story, directory = corp.story, corp.state.directory
    foreign = [corp.state.add_department(f"手工部{n}").id for n in range(max(count // 4, 2))]
    tops = max(count // 20, 2)
    for n in range(tops):
        row = story.department(f"T{n}", f"事业部{n}")
        if n % 2 == 0:
            corp.there[row.code] = directory.add_department(name=row.name, parentid=ROOT, order=row.sort).id
    for n in range(count // 2):
        top = f"T{n % tops}"
        row = story.department(f"S{n}", f"组{n}", top)
        if top in corp.there and n % 3:
            corp.there[row.code] = directory.add_department(
                name=row.name, parentid=corp.there[top], order=row.sort
            ).id
        elif top in corp.there:  # the same name in another place is another department
            foreign.append(corp.state.add_department(row.name, foreign[n % 2]).id)
    return foreign


def _make_people(corp: Existing, count: int, foreign: list[int]) -> None:
    codes = [code for code in corp.story.hr.departments if code != HQ]
    there = sorted(corp.there)
    for n in range(1, count // 2 + 1):
        case = CASES[n % len(CASES)]
        code = codes[n % len(codes)] if case is Case.NOTHING else there[n % len(there)]
        row = corp.story.person(f"E{n}", dept=code, title="工程师")
        corp.cases[row.emp_no] = case
        if case is not Case.NOTHING:
            _add(corp, row, n, case, foreign)
    for n in range(count - len(corp.state.members)):
        mobile = f"1370000{n:04d}" if n % 2 else ""
        corp.state.add_member(f"guest{n}", f"访客{n}", department=[foreign[n % len(foreign)]], mobile=mobile)


def _add(corp: Existing, row: Employee, n: int, case: Case, foreign: list[int]) -> None:
    key, userid = row.emp_no, row.emp_no.lower()
    name, mobile, email, place = row.full_name, row.mobile, row.email, [corp.there[str(row.dept_code)]]
    if case is Case.NAMESAKE:
        name, mobile, email = f"别人{n}", f"1390000{n:04d}", f"other{n}@example.com"
        place = [foreign[0]]
    elif case is Case.RENUMBERED:
        mobile, email = f"1390000{n:04d}", f"old{n}@example.com"
    elif case is Case.BY_EMAIL:
        mobile = f"1390000{n:04d}"
    if case is Case.SPELLED:
        userid = row.emp_no
    elif case in ELSEWHERE:
        userid = f"w{n}"
    elif n % 11 == 0 and case is Case.SAME:
        place = [foreign[n % len(foreign)]]
        corp.moved.add(key)
    is_activated = n // len(CASES) % 2 == 0
    member = corp.state.add_member(
        userid, name, department=place, mobile=mobile or "", email=email or "", is_activated=is_activated
    )
    member.gender, member.position = "1", "工程师"
    if is_activated:
        corp.activated.add(key)
    if case is not Case.NAMESAKE:
        corp.userids[key] = userid.lower()
        if n % 7 == 0:
            member.position = "顾问"
            corp.retitled.add(key)


def _make_tags(corp: Existing, count: int) -> None:
    sure = sorted(corp.keys(Case.SAME))
    for n in range(count):
        name = f"标签{n}"
        people = sure[n * 3 : n * 3 + 3]
        if n < count // 2:
            corp.story.tag(name, *people)
        if n % 2 or n >= count // 2:  # n odd: known to both
            corp.state.add_tag(name, [corp.userids[key] for key in people])
            corp.tags_there.add(name)


def snapshot(state: SandboxState) -> Snapshot:
    """Every field of every member that a call could change, by folded userid."""
    return {
        folded: {
            "userid": member.userid,
            "name": member.name,
            "alias": member.alias,
            "mobile": member.mobile,
            "email": member.email,
            "position": member.position,
            "gender": member.gender,
            "enable": member.enable,
            "departments": member.department,
            "is_leader": member.is_leader_in_dept,
            "order": member.order,
            "main_department": member.main_department,
            "direct_leader": member.direct_leader,
            "extattr": dict(member.extattr),
        }
        for folded, member in state.members.items()
    }


def differing(before: Snapshot, after: Snapshot) -> dict[str, set[str]]:
    """Folded userid -> names of the fields that are not what they were, for those who were there."""
    return {
        folded: names
        for folded, values in before.items()
        if (names := {name for name in values if after.get(folded, {}).get(name) != values[name]})
    }
