"""The sample company of `wxsync demo`: its HR database, generated, and the same for the same size."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, TypeVar
from zlib import crc32

from wxsync.errors import WxsyncError
from wxsync.sandbox.seed import GIVEN, SURNAMES

T = TypeVar("T")

COMPANY: Final = "星河科技有限公司"
COMPANY_CODE: Final = "0"

UNITS: Final = (
    ("总裁办公室", None),
    ("研发中心", None),
    ("产品中心", None),
    ("销售中心", None),
    ("市场部", None),
    ("人力资源部", None),
    ("财务部", None),
    ("运营中心", None),
    ("平台研发部", "研发中心"),
    ("质量保障部", "研发中心"),
    ("基础架构组", "平台研发部"),
    ("存储小组", "基础架构组"),
    ("网络小组", "基础架构组"),
    ("数据平台组", "平台研发部"),
    ("应用研发部", "研发中心"),
    ("移动端组", "应用研发部"),
    ("前端组", "应用研发部"),
    ("自动化测试组", "质量保障部"),
    ("性能测试组", "质量保障部"),
    ("用户研究部", "产品中心"),
    ("产品设计部", "产品中心"),
    ("企业产品部", "产品中心"),
    ("华东销售部", "销售中心"),
    ("华南销售部", "销售中心"),
    ("华北销售部", "销售中心"),
    ("上海销售组", "华东销售部"),
    ("杭州销售组", "华东销售部"),
    ("广州销售组", "华南销售部"),
    ("深圳销售组", "华南销售部"),
    ("北京销售组", "华北销售部"),
    ("品牌组", "市场部"),
    ("活动组", "市场部"),
    ("招聘组", "人力资源部"),
    ("薪酬福利组", "人力资源部"),
    ("会计组", "财务部"),
    ("资金组", "财务部"),
    ("客户服务部", "运营中心"),
    ("采购部", "运营中心"),
    ("热线一组", "客户服务部"),
    ("热线二组", "客户服务部"),
)
"""Name and parent, parents first; a larger company adds branches, a smaller one has the first of these."""
CITIES: Final = "成都 重庆 武汉 西安 南京 苏州 天津 长沙 青岛 厦门 合肥 郑州 大连 昆明".split()
BRANCH: Final = (
    ("综合部", None),
    ("销售部", None),
    ("技术部", None),
    ("客服部", None),
    ("销售一组", "销售部"),
    ("销售二组", "销售部"),
)
FEWEST_DEPARTMENTS: Final = 12

CALLINGS: Final = {
    "总裁办公室": "秘书",
    "研发中心": "工程师",
    "产品中心": "产品经理",
    "销售中心": "客户经理",
    "市场部": "市场专员",
    "人力资源部": "人事专员",
    "财务部": "会计",
    "运营中心": "运营专员",
}
HEADS: Final = ("总监", "经理", "组长")
"""What the head of a department of the first, second, third level is called."""
HEAD_GRADES: Final = (14, 12, 10)
MANAGERS_FROM: Final = 10
"""The grade from which somebody carries the tag by rule."""
TAGS: Final = "新员工 内训师 急救员 安全员 骑行社".split()
"""The tags that have rows of their own."""

SCHEMA: Final = """
CREATE TABLE departments (
    code TEXT PRIMARY KEY, parent_code TEXT REFERENCES departments, name TEXT NOT NULL, sort INTEGER NOT NULL
);
CREATE TABLE employees (
    emp_no TEXT PRIMARY KEY, full_name TEXT NOT NULL, mobile TEXT NOT NULL, email TEXT NOT NULL,
    dept_code TEXT NOT NULL REFERENCES departments, title TEXT NOT NULL, grade INTEGER NOT NULL,
    manager_no TEXT REFERENCES employees, status TEXT NOT NULL, hire_date TEXT NOT NULL
);
CREATE TABLE employee_departments (
    emp_no TEXT NOT NULL REFERENCES employees, dept_code TEXT NOT NULL REFERENCES departments,
    is_leader INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (emp_no, dept_code)
);
CREATE TABLE employee_tags (
    tag TEXT NOT NULL, emp_no TEXT NOT NULL REFERENCES employees, PRIMARY KEY (tag, emp_no)
);
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """One department; a row of its table."""

    code: str
    parent_code: str | None
    name: str
    sort: int


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the employees table."""

    emp_no: str
    full_name: str
    mobile: str
    email: str
    dept_code: str
    title: str
    grade: int
    manager_no: str | None
    status: str
    hire_date: str

    @classmethod
    def of(
        cls, number: int, *, unit: str, title: str, grade: int, manager: str | None, status: str = "active"
    ) -> Person:
        """The person with this number; the number makes up whatever is not given."""
        no = emp_no(number)
        hired = date(2012, 1, 1) + timedelta(days=crc32(f"hired {number}".encode()) % 4800)
        return cls(
            emp_no=no,
            full_name=name_of(number),
            mobile=mobile_of(number),
            email=f"{no.lower()}@example.com",
            dept_code=unit,
            title=title,
            grade=grade,
            manager_no=manager,
            status=status,
            hire_date=hired.isoformat(),
        )


@dataclass(frozen=True, slots=True)
class Company:
    """What stands in the HR database, table by table."""

    units: tuple[Unit, ...]
    """Parents first; the company itself is the first."""
    people: tuple[Person, ...]
    places: tuple[tuple[str, str, int], ...]
    """Employee, department, 1 for its leader."""
    tags: tuple[tuple[str, str], ...]


def found_company(members: int) -> Company:
    """A company with so many active people, at least as many as the fewest departments; some have left."""
    units = tuple(_units(max(FEWEST_DEPARTMENTS, members * 40 // 300)))
    active = (*_heads(units), *_staff(units, members))
    left = (
        Person.of(number, unit=units[1].code, title="专员", grade=6, manager=None, status="left")
        for number in range(members + 1, members + 1 + members // 25)
    )
    return Company(
        units=units,
        people=(*active, *left),
        places=tuple(_places(active, units)),
        tags=tuple(
            (tag, person.emp_no)
            for at, tag in enumerate(TAGS)
            for number, person in enumerate(active)
            if number % (7 + 2 * at) == at
        ),
    )


def levels_of(company: Company) -> int:
    """How many levels the tree of departments has, the company itself apart."""
    levels = {COMPANY_CODE: 0}
    for unit in company.units[1:]:
        levels[unit.code] = levels[str(unit.parent_code)] + 1
    return max(levels.values())


def write_company(company: Company, path: Path) -> None:
    """Put the company into a new SQLite file that its owner alone can read."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise WxsyncError(
            f"{path} cannot be made: {error.strerror}", hint="name a directory with --keep"
        ) from error
    with working_on(path) as connection:
        connection.executescript(SCHEMA)
        connection.executemany(
            "INSERT INTO departments VALUES (?, ?, ?, ?)",
            ((unit.code, unit.parent_code, unit.name, unit.sort) for unit in company.units),
        )
        connection.executemany(INSERT_PERSON, (as_row(person) for person in company.people))
        connection.executemany("INSERT INTO employee_departments VALUES (?, ?, ?)", company.places)
        connection.executemany("INSERT INTO employee_tags VALUES (?, ?)", company.tags)


@contextmanager
def working_on(path: Path) -> Iterator[sqlite3.Connection]:
    """The HR database in one transaction; raises WxsyncError where SQLite cannot go on."""
    try:
        with closing(sqlite3.connect(path)) as connection, connection:
            yield connection
    except sqlite3.Error as error:
        raise WxsyncError(f"{path} cannot be used: {error}") from error


INSERT_PERSON: Final = "INSERT INTO employees VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def as_row(person: Person) -> tuple[object, ...]:
    """The person as INSERT_PERSON wants it."""
    return tuple(getattr(person, field) for field in Person.__slots__)


def emp_no(number: int) -> str:
    """E0001, …"""
    return f"E{number:04d}"


def name_of(number: int) -> str:
    """A Chinese name of two or three characters."""
    given = "".join(_pick(GIVEN, f"{number} given {at}") for at in range(1 + (number % 3 > 0)))
    return _pick(SURNAMES, f"{number} surname") + given


def mobile_of(number: int) -> str:
    """A mainland number that no other number of a person gives: 7919 has no divisor in common with 10^6."""
    return f"13800{number * 7919 % 1_000_000:06d}"


def _pick(choices: Sequence[T], what: str) -> T:
    """Looks like chance, and is the same for the same `what`."""
    return choices[crc32(what.encode()) % len(choices)]


def _units(count: int) -> Iterator[Unit]:
    yield Unit(COMPANY_CODE, None, COMPANY, 0)
    codes: dict[str, str] = {}
    for at, (path, parent) in enumerate([*UNITS, *_branches(count - len(UNITS))][:count], 1):
        codes[path] = code = f"D{at:02d}"
        above = COMPANY_CODE if parent is None else codes[parent]
        yield Unit(code, above, path.rpartition("/")[2], 10_000 - at)


def _branches(count: int) -> list[tuple[str, str | None]]:
    """At least so many more departments, named by their paths: two branches have a 销售部 each."""
    found: list[tuple[str, str | None]] = []
    while len(found) < count:
        round_, at = divmod(len(found) // (len(BRANCH) + 1), len(CITIES))
        city = f"{CITIES[at]}{'第' + str(round_ + 1) if round_ else ''}分公司"
        found.append((city, None))
        found.extend((f"{city}/{name}", f"{city}/{above}" if above else city) for name, above in BRANCH)
    return found


def _heads(units: Sequence[Unit]) -> Iterator[Person]:
    """The first people lead a department each, the very first one the company."""
    numbers = {unit.code: number for number, unit in enumerate(units[1:], 1)}
    levels = {COMPANY_CODE: -1}
    for unit in units[1:]:
        above = str(unit.parent_code)
        levels[unit.code] = levels[above] + 1
        rank = min(levels[unit.code], len(HEADS) - 1)
        number = numbers[unit.code]
        yield Person.of(
            number,
            unit=unit.code,
            title="总经理" if number == 1 else HEADS[rank],
            grade=16 if number == 1 else HEAD_GRADES[rank],
            manager=None if number == 1 else emp_no(numbers.get(above, 1)),
        )


def _staff(units: Sequence[Unit], members: int) -> Iterator[Person]:
    """Everybody else, led by the head of the department."""
    tops: dict[str, str] = {}
    for unit in units[1:]:
        tops[unit.code] = tops.get(str(unit.parent_code), unit.name)
    for number in range(len(units), members + 1):
        at = 2 + crc32(f"unit of {number}".encode()) % (len(units) - 2)
        grade = 5 + crc32(f"grade of {number}".encode()) % 5
        calling = CALLINGS.get(tops[units[at].code], "专员")
        title = f"高级{calling}" if grade >= 8 else calling
        yield Person.of(number, unit=units[at].code, title=title, grade=grade, manager=emp_no(at))


def _places(active: Sequence[Person], units: Sequence[Unit]) -> Iterator[tuple[str, str, int]]:
    """Everybody's own department, which its head leads; some are in a second or third one."""
    for number, person in enumerate(active, 1):
        yield person.emp_no, person.dept_code, int(number < len(units))
        more = {
            _pick(units[1:], f"{number} also {at}").code
            for at in range((number % 12 == 0) + (number % 36 == 0))
        }
        yield from ((person.emp_no, code, 0) for code in sorted(more - {person.dept_code}))
