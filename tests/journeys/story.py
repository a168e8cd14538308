"""A company of a few people on SQLite, for stories that are told in a few lines."""

from __future__ import annotations

import random
import shutil
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.journeys.hr import FIRST_DAY, HQ, Department, Employee, Hr, Place, hr_database
from tests.journeys.oracle import Company, compare
from tests.journeys.stage import MORNING, Stage, described, failures, settings_of
from wxsync.model.run import Run
from wxsync.sandbox.records import Department as WeComDepartment
from wxsync.sandbox.records import Member
from wxsync.sandbox.state import SandboxState


class Story:
    """Rows are changed by hand, and saved by whatever is done next. Starts with two departments."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'hr.db'}"
        self.mirror = folder / "mirror.db"
        self.hr = Hr(random.Random(0))
        self.company = Company()
        self.stage = Stage(settings_of(self.url, self.mirror, tags={}, **settings))
        self.hr.departments[HQ] = Department(HQ, None, "样例集团", 0)
        self.department("D1", "研发部")
        self.department("D2", "市场部")

    def configure(self, **settings: Any) -> None:
        """Another config from now on."""
        self.stage.settings = settings_of(self.url, self.mirror, tags={}, **settings)

    def copy(self, folder: Path, **settings: Any) -> Story:
        """The same company, mirror and WeCom once more, to go on from here in another way."""
        folder.mkdir()
        other = Story(folder, **settings)
        other.hr, other.company = deepcopy(self.hr), deepcopy(self.company)
        other.stage.state, other.stage.now = deepcopy(self.wecom), self.stage.now
        for file in self.folder.glob("mirror.db*"):
            shutil.copy(file, folder)
        return other

    @property
    def wecom(self) -> SandboxState:
        return self.stage.state

    # Rows

    def department(self, code: str, name: str, parent: str = HQ) -> Department:
        row = Department(code, parent, name, 100)
        self.hr.departments[code] = row
        return row

    def person(self, emp_no: str, *, dept: str | None = "D1", **fields: Any) -> Employee:
        """Somebody with a phone number and an address, unless it is said otherwise."""
        number = int(emp_no[1:])
        values: dict[str, Any] = {
            "full_name": f"员工{number}",
            "mobile": mobile(number),
            "email": email(number),
            "dept_code": dept,
            "hire_date": FIRST_DAY - timedelta(days=9),
        }
        row = Employee(emp_no=emp_no, **{**values, **fields})
        self.hr.employees[emp_no] = row
        return row

    def people(self, count: int, **fields: Any) -> list[Employee]:
        return [self.person(f"E{number}", **fields) for number in range(1, count + 1)]

    def place(self, emp_no: str, code: str, *, is_leader: bool = False, sort: int = 10) -> None:
        self.hr.places[emp_no, code] = Place(emp_no, code, is_leader, sort)

    def tag(self, name: str, *people: str) -> None:
        self.hr.tags |= {(name, emp_no) for emp_no in people}

    def goes(self, emp_no: str) -> None:
        """The person's rows are gone."""
        del self.hr.employees[emp_no]
        self.hr.places = {key: row for key, row in self.hr.places.items() if key[0] != emp_no}
        self.hr.tags = {pair for pair in self.hr.tags if pair[1] != emp_no}

    def swap(self, field: str, *people: str) -> None:
        """Each has what the next one had."""
        rows = [self.hr.employees[emp_no] for emp_no in people]
        values = [getattr(row, field) for row in rows]
        for row, value in zip(rows, values[1:] + values[:1], strict=True):
            setattr(row, field, value)

    def save(self) -> None:
        with hr_database(self.url) as engine:
            self.hr.save(engine)

    # Acts

    def plan(self) -> list[str]:
        """What would be done or kept, in words."""
        self.save()
        return described(self.stage.plan().plan.changes)

    def apply(self, **approval: Any) -> Run:
        self.save()
        return self.stage.apply(**approval)

    def settle(self) -> Run:
        """One apply does everything: WeCom is what HR says, and nothing is left to do."""
        run = self.apply()
        assert failures(run) == []
        self.check()
        return run

    def settle_beside_strangers(self) -> Run:
        """Apply in a corp that has more than HR knows of; everything succeeds, and nothing is left to do."""
        run = self.apply()
        assert failures(run) == []
        assert described(self.stage.plan().plan.writes) == []
        return run

    def digest(self) -> str:
        """Of the plan as it is now."""
        self.save()
        return self.stage.plan().plan.digest

    def check(self) -> None:
        """WeCom is what HR says, and the plan is empty."""
        with hr_database(self.url) as engine:
            self.company.follow(engine, FIRST_DAY + (self.stage.now - MORNING))
        self.company.tags.pop(self.company.rule, None)
        assert compare(self.wecom, self.company) == []
        assert described(self.stage.plan().plan.writes) == []

    # WeCom

    def member(self, emp_no: str) -> Member:
        return self.wecom.members[emp_no.lower()]

    def mobiles(self) -> dict[str, str]:
        return {userid: member.mobile for userid, member in self.wecom.members.items()}

    def emails(self) -> dict[str, str]:
        return {userid: member.email for userid, member in self.wecom.members.items()}

    def unit(self, name: str) -> WeComDepartment:
        """The one department of that name."""
        (found,) = [each for each in self.wecom.departments.values() if each.name == name]
        return found

    def names(self) -> set[str]:
        return {each.name for each in self.wecom.departments.values()} - {self.wecom.corp_name}

    def tagged(self, name: str) -> set[str]:
        (found,) = [tag for tag in self.wecom.tags.values() if tag.name == name]
        return set(found.users)

    def written(self, since: int = 0) -> list[str]:
        """The write calls in order: path and whom or what."""
        return [f"{call.path} {_whom(call.body or call.query)}".strip() for call in self.wecom.writes[since:]]


def _whom(call: Any) -> object:
    return next((call[name] for name in ("userid", "id", "tagid", "tagname") if name in call), "")


def mobile(number: int) -> str:
    return f"1380000{number:04d}"


def email(number: int) -> str:
    return f"p{number:04d}x@example.com"
