"""A made-up company in a relational HR database: its tables, its rows, and how it came to be."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import date, timedelta

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    insert,
)

HQ = "HQ"
"""The code of the row that is the company itself."""
FIRST_DAY = date(2026, 3, 2)

METADATA = MetaData()
DEPARTMENTS = Table(
    "departments",
    METADATA,
    Column("code", String(20)),
    Column("parent_code", String(20)),
    Column("name", String(64)),
    Column("sort", Integer),
)
EMPLOYEES = Table(
    "employees",
    METADATA,
    Column("emp_no", String(20)),
    Column("full_name", String(64)),
    Column("alias", String(64)),
    Column("gender", String(4)),
    Column("mobile", String(32)),
    Column("email", String(64)),
    Column("title", String(64)),
    Column("dept_code", String(20)),
    Column("manager_no", String(20)),
    Column("status", String(20)),
    Column("grade", Integer),
    Column("hire_date", Date),
    Column("leave_date", Date),
)
EMPLOYEE_DEPARTMENTS = Table(
    "employee_departments",
    METADATA,
    Column("emp_no", String(20)),
    Column("dept_code", String(20)),
    Column("is_leader", Boolean),
    Column("sort", Integer),
)
EMPLOYEE_TAGS = Table("employee_tags", METADATA, Column("tag", String(32)), Column("emp_no", String(20)))

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚桂英华玉兰建国文红梅雪晨宇轩子涵"
FIELDS_OF_WORK = (
    "研发 产品 市场 销售 财务 人事 法务 采购 仓储 物流 客服 运维 测试 设计 品牌 渠道 行政 审计".split()
)
UNITS = "部 中心 组 处 室 科".split()
TITLES = "工程师 高级工程师 专员 主管 经理 助理 会计 设计师 分析师 顾问".split()


@dataclass(slots=True)
class Department:
    """A row of departments."""

    code: str
    parent_code: str | None
    name: str
    sort: int


@dataclass(slots=True, kw_only=True)
class Employee:
    """A row of employees."""

    emp_no: str
    full_name: str
    alias: str | None = None
    gender: str = "男"
    mobile: str | None = None
    email: str | None = None
    title: str | None = None
    dept_code: str | None = None
    manager_no: str | None = None
    status: str = "active"
    grade: int = 5
    hire_date: date = FIRST_DAY
    leave_date: date | None = None


@dataclass(slots=True)
class Place:
    """A row of employee_departments."""

    emp_no: str
    dept_code: str
    is_leader: bool
    sort: int


@dataclass(slots=True)
class Departed:
    """What WeCom still has of somebody who left: the account is disabled, not deleted."""

    row: Employee
    codes: frozenset[str]
    has_given_up: bool = False
    """The phone number or the address has gone to somebody else."""


@dataclass
class Hr:
    """The HR database, in memory; `save` writes it. `random` decides everything that is left open."""

    random: random.Random
    departments: dict[str, Department] = field(default_factory=dict)
    employees: dict[str, Employee] = field(default_factory=dict)
    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    tags: set[tuple[str, str]] = field(default_factory=set)
    departed: dict[str, Departed] = field(default_factory=dict)
    ghosts: dict[str, Department] = field(default_factory=dict)
    """Departments that were dropped and that WeCom may still have, since somebody disabled is in them."""
    closed: set[str] = field(default_factory=set)
    """Codes of departments that are gone."""
    serial: int = 0

    # New things, none of which there was before

    def next(self) -> int:
        self.serial += 1
        return self.serial

    def mobile(self) -> str:
        return f"138{self.next() * 7919 % 100_000_000:08d}"

    def email(self) -> str:
        return f"p{self.next():06d}@example.com"

    def person_name(self) -> str:
        length = self.random.choice((1, 2))
        return self.random.choice(SURNAMES) + "".join(self.random.choices(GIVEN, k=length))

    def department_name(self, parent: str | None, *, is_new: bool = False) -> str:
        """A name that is free below `parent`; where `is_new`, one that no department ever had."""
        while True:
            name = self.random.choice(FIELDS_OF_WORK) + self.random.choice(UNITS)
            if is_new or self.random.random() < 0.5:
                name += str(self.next())
            if self.is_free(parent, name):
                return name

    def is_free(self, parent: str | None, name: str, *, but: str | None = None) -> bool:
        """Nobody below `parent` has the name, neither in HR nor, as a leftover, in WeCom."""
        return not any(
            each.parent_code == parent and each.name == name and each.code != but
            for each in (*self.departments.values(), *self.ghosts.values())
        )

    def add_department(self, parent: str, name: str | None = None) -> Department:
        code = f"D{self.next():05d}"
        row = Department(
            code, parent, name or self.department_name(parent), self.random.randrange(1, 100_000)
        )
        self.departments[code] = row
        return row

    def add_employee(self, dept_code: str | None, hire_date: date) -> Employee:
        """Somebody with a phone number, an address, or both."""
        contacts = self.random.choices(("both", "mobile", "email"), weights=(90, 5, 5))[0]
        number = self.next()
        row = Employee(
            emp_no=f"E{number:06d}",
            full_name=self.person_name(),
            alias=f"别名{number}" if self.random.random() < 0.2 else None,
            gender=self.random.choice("男女"),
            mobile=self.mobile() if contacts != "email" else None,
            email=self.email() if contacts != "mobile" else None,
            title=self.random.choice(TITLES) if self.random.random() < 0.9 else None,
            dept_code=dept_code,
            grade=self.random.randrange(1, 13),
            hire_date=hire_date,
        )
        self.employees[row.emp_no] = row
        return row

    def add_place(self, emp_no: str, code: str, *, is_leader: bool = False) -> Place:
        place = Place(emp_no, code, is_leader, self.random.randrange(1, 100_000))
        self.places[emp_no, code] = place
        return place

    # Looking

    def active(self, today: date) -> list[Employee]:
        """Everybody who is at work today."""
        return [
            row
            for row in self.employees.values()
            if row.status == "active"
            and row.hire_date <= today
            and (row.leave_date is None or row.leave_date >= today)
        ]

    def wanted(self, today: date) -> list[Employee]:
        """Those, and everybody whose first day is yet to come."""
        return [
            row
            for row in self.employees.values()
            if row.status == "active" and (row.leave_date is None or row.leave_date >= today)
        ]

    def codes_of(self, row: Employee) -> frozenset[str]:
        own = {row.dept_code} if row.dept_code is not None else set()
        return frozenset(own | {code for emp_no, code in self.places if emp_no == row.emp_no})

    def children(self, code: str) -> list[Department]:
        return [each for each in self.departments.values() if each.parent_code == code]

    def above(self, code: str | None) -> Iterator[str]:
        """`code`, its parent, and so on up to the company itself."""
        while code is not None:
            yield code
            code = self.departments[code].parent_code

    def depth(self, code: str) -> int:
        return sum(1 for _ in self.above(code))

    def height(self, code: str) -> int:
        return 1 + max((self.height(child.code) for child in self.children(code)), default=0)

    # Writing

    def save(self, engine: Engine) -> None:
        """Replace what the tables hold, in one transaction."""
        rows = {
            DEPARTMENTS: [asdict(row) for row in self.departments.values()],
            EMPLOYEES: [plain(row) for row in self.employees.values()],
            EMPLOYEE_DEPARTMENTS: [asdict(row) for row in self.places.values()],
            EMPLOYEE_TAGS: [{"tag": tag, "emp_no": emp_no} for tag, emp_no in sorted(self.tags)],
        }
        METADATA.create_all(engine)
        with engine.begin() as connection:
            for table, content in rows.items():
                connection.execute(delete(table))
                if content:
                    connection.execute(insert(table), content)


def plain(row: Employee) -> dict[str, object]:
    """The row as somebody typed it: some numbers with country code and dashes, some addresses in capitals."""
    values: dict[str, object] = {each.name: getattr(row, each.name) for each in fields(row)}
    if row.mobile is not None and row.mobile.endswith("7") and len(row.mobile) == 11:
        values["mobile"] = f"+86 {row.mobile[:3]}-{row.mobile[3:7]}-{row.mobile[7:]}"
    if row.email is not None and row.email[6] == "3":
        values["email"] = f" {row.email.upper()}"
    if row.emp_no.endswith("5"):
        values["full_name"] = f"{row.full_name}\u200b "
    return values


@contextmanager
def hr_database(url: str) -> Iterator[Engine]:
    """The database for the length of the block."""
    engine = create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def found(seed: int, *, members: int, departments: int, tags: int, levels: int = 8) -> Hr:
    """A company of that size: a nested tree, some people in several departments, leaders and tags."""
    hr = Hr(random.Random(seed))
    hr.departments[HQ] = Department(HQ, None, "样例集团", 0)
    codes = [HQ]
    while len(codes) < departments:
        # The newest parents are the likeliest: that makes a deep tree.
        parent = hr.random.choice(codes[-12:] if hr.random.random() < 0.6 else codes)
        if hr.depth(parent) < levels:
            codes.append(hr.add_department(parent).code)
    for _ in range(members):
        code = hr.random.choice(codes) if hr.random.random() < 0.99 else None
        hr.add_employee(code, FIRST_DAY - timedelta(days=hr.random.randrange(1, 4000)))
    people = [row for row in hr.employees.values() if row.dept_code is not None]
    for row in hr.random.sample(people, max(members // 20, 1)):
        for code in hr.random.sample(codes, hr.random.choice((1, 1, 2))):
            hr.add_place(row.emp_no, code)
    for code in codes:
        leader = hr.random.choice(people)
        hr.add_place(leader.emp_no, code, is_leader=True)
    for row in people:
        if hr.random.random() < 0.7 and (manager := hr.random.choice(people)) is not row:
            row.manager_no = manager.emp_no
    for number in range(tags):
        for row in hr.random.sample(people, hr.random.randrange(1, max(members // 20, 3))):
            hr.tags.add((f"标签{number:02d}", row.emp_no))
    return hr
