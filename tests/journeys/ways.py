"""The same company several times: a WeCom and a mirror for each method, one HR database for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Column, Engine, MetaData, String, Table, delete, insert

from tests.journeys.hr import FIRST_DAY, Employee, Hr, hr_database
from tests.journeys.oracle import path_of
from tests.journeys.stage import MORNING, Stage, settings_of
from tests.journeys.test_hr_to_wecom import WIDE
from wxsync.model.run import Run
from wxsync.sandbox.dump import to_document
from wxsync.sandbox.records import Placement
from wxsync.sandbox.state import SandboxState

METHODS: Mapping[str, Mapping[str, object]] = {
    "single": {"method": "single"},
    "batch": {"method": "batch"},
    "auto": {"method": "auto"},
}
REPLACE = {"replace": {"method": "batch", "replace": True, "exclusive": True}}
ATTRIBUTES = ("办公,地点", "工牌", "职位")
"""A comma in a header; a plain one; one that a file would take for a column of its own."""

ELSEWHERE = "项目组（手工）"

METADATA = MetaData()
DETAILS = Table(
    "details",
    METADATA,
    Column("emp_no", String(20)),
    Column("phone", String(64)),
    Column("address", String(128)),
    Column("site", String(64)),
    Column("badge", String(64)),
    Column("rank", String(64)),
    Column("is_open", Boolean),
)
MEMBERS = (
    "SELECT e.*, d.phone, d.address, d.site, d.badge, d.rank, d.is_open"
    " FROM employees e LEFT JOIN details d ON d.emp_no = e.emp_no"
)
MAPPED = {
    "telephone": "phone",
    "address": "address",
    "enable": "is_open | default(true)",
    "extattr": dict(zip(ATTRIBUTES, ("site", "badge", "rank"), strict=True)),
}
CLEARED = ["alias", "position", "telephone", "address", *(f"extattr.{name}" for name in ATTRIBUTES)]


@dataclass
class Detail:
    """A row of details: what the usual HR tables lack of WeCom's fields."""

    emp_no: str
    phone: str | None = None
    address: str | None = None
    site: str | None = None
    badge: str | None = None
    rank: str | None = None
    is_open: bool | None = None


@dataclass
class Ways:
    """One HR database, and what each method has made of it so far."""

    hr: Hr
    engine: Engine
    stages: Mapping[str, Stage]
    details: dict[str, Detail] = field(default_factory=dict)

    def apply(self) -> dict[str, Run]:
        """What HR says now, by every way."""
        self.hr.save(self.engine)
        METADATA.create_all(self.engine)
        with self.engine.begin() as connection:
            connection.execute(delete(DETAILS))
            if self.details:
                connection.execute(insert(DETAILS), [asdict(row) for row in self.details.values()])
        return {method: stage.apply() for method, stage in self.stages.items()}

    def live(self, today: date) -> None:
        """It is the morning of that day."""
        for stage in self.stages.values():
            stage.now = MORNING + (today - FIRST_DAY)

    def row(self, number: int) -> Employee:
        """Somebody; every number is somebody's."""
        people = list(self.hr.employees.values())
        return people[number % len(people)]

    def detail(self, emp_no: str) -> Detail:
        return self.details.setdefault(emp_no, Detail(emp_no))

    def work_off(self, *, backwards: bool) -> None:
        """In this order WeCom goes through the rows of a file."""
        for stage in self.stages.values():
            stage.state.jobs_go_backwards = backwards

    def stranger(self, mobile: str) -> None:
        """In every WeCom there is somebody whom HR does not know, with this number."""
        for stage in self.stages.values():
            stage.state.add_member("stranger", "陌生人", mobile=mobile)

    def put_elsewhere(self, userid: str) -> None:
        """Somebody puts this member into one more department, which HR does not know, in every WeCom."""
        for stage in self.stages.values():
            state = stage.state
            names = {unit.name: unit for unit in state.departments.values()}
            unit = names.get(ELSEWHERE) or state.add_department(ELSEWHERE)
            member = state.members.get(userid)
            if member is None or unit.id in member.department:
                continue
            now = member.placement
            more = Placement(
                (*now.department, unit.id), (*now.order, 7), (*now.is_leader_in_dept, 1), now.main_department
            )
            state.directory.place(member, more)


@contextmanager
def ways_of(
    hr: Hr,
    folder: Path,
    policy: Mapping[str, object],
    methods: Mapping[str, Mapping[str, object]] = METHODS,
) -> Iterator[Ways]:
    """The company before its first load."""
    url = f"sqlite:///{folder / 'hr.db'}"
    stages: dict[str, Stage] = {}
    for method, own in methods.items():
        settings = settings_of(
            url,
            folder / f"{method}.db",
            source={"members": MEMBERS},
            member=MAPPED,
            limits=WIDE,
            policy={"clear_when_empty": CLEARED, **policy, **own},
        )
        state = SandboxState(job_seconds=0, attributes=dict.fromkeys(ATTRIBUTES, 0))
        stages[method] = Stage(settings, state)
    with hr_database(url) as engine:
        yield Ways(hr, engine, stages)


def directory_of(state: SandboxState) -> dict[str, Any]:
    """All that WeCom holds, by names and userids: ids are given in the order of calls, and say nothing."""
    document = to_document(state)
    paths = {id: path_of(state, id) for id in state.departments}
    return {
        "departments": {paths[row["id"]]: row["order"] for row in document["departments"]},
        "members": {row["userid"].lower(): _person(row, paths) for row in document["members"]},
        "tags": {
            row["tagname"]: (sorted(row["userlist"]), sorted(paths[id] for id in row["partylist"]))
            for row in document["tags"]
        },
    }


def _person(row: dict[str, Any], paths: Mapping[int, str]) -> dict[str, Any]:
    arrays = zip(row["department"], row["order"], row["is_leader_in_dept"], strict=True)
    return {
        **row,
        "department": {paths[id]: marks for id, *marks in arrays},
        "order": None,
        "is_leader_in_dept": None,
        "main_department": paths[row["main_department"]],
        "extattr": {attribute["name"]: attribute["value"] for attribute in row["extattr"]["attrs"]},
    }


def outcomes_of(run: Run) -> dict[tuple[str, ...], list[tuple[object, ...]]]:
    """What became of each record: by what it is and its key, state and errcode."""
    found: dict[tuple[str, ...], list[tuple[object, ...]]] = {}
    for outcome in run.outcomes:
        change = run.plan.changes[outcome.n - 1]
        record = (change.kind.value, str(change.key), change.verb.value)
        found.setdefault(record, []).append((change.is_temporary, outcome.state.value, outcome.errcode))
    return found
