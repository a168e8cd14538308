"""A made-up company in an HR database of SQLite, and the config that brings it to WeCom."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wxsync.sandbox.seed import POSITIONS, UNITS, chinese_name

SYNC = "bench"
CORP = "bench"
TAGS = 10
"""Nine by rows, with one member in twenty each, and one by rule."""
LEVELS = 12
"""Of departments, at most, the root counted."""
SPREAD = 0.05
"""So many of the members are in a second department."""

TABLES = """
CREATE TABLE departments (code TEXT PRIMARY KEY, parent_code TEXT, name TEXT NOT NULL, sort INTEGER);
CREATE TABLE employees (emp_no TEXT PRIMARY KEY, full_name TEXT NOT NULL, dept_code TEXT, mobile TEXT,
    email TEXT, title TEXT, grade INTEGER, status TEXT, hire_date TEXT, leave_date TEXT);
CREATE TABLE employee_departments (emp_no TEXT, dept_code TEXT, is_leader INTEGER);
CREATE TABLE employee_tags (tag TEXT, emp_no TEXT);
"""

CONFIG = """
[mirror]
url = "sqlite:///mirror.db"

[corp.bench]
corp_id = {corp_id}
base_url = {base_url}
contact_secret = {secret}

[source.hr]
type = "sql"
url = "sqlite:///hr.db"
departments = "SELECT code, parent_code, name, sort FROM departments"
members = "SELECT * FROM employees"
memberships = "SELECT emp_no, dept_code, is_leader FROM employee_departments"
tags = "SELECT tag, emp_no FROM employee_tags"

[sync.bench]
corp = "bench"
sources = ["hr"]
mode = "apply"

[sync.bench.department]
key = "code"
parent = "parent_code"
name = "name"
order = "sort"

[sync.bench.member]
key = "emp_no"
userid = "emp_no | lower"
name = "full_name"
departments = "dept_code"
mobile = "mobile"
email = "email"
position = "title"
active = "status == 'active'"
starts = "hire_date"
ends = "leave_date"

[sync.bench.tags]
"Managers" = "grade >= 10"

[sync.bench.policy]
method = {method}
leavers = "disable"
empty_departments = "delete"
adopt = []
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Where a company of so many members keeps its HR database, its mirror and its config."""

    directory: Path
    members: int
    members_a_department: int = 10
    method: str = "single"
    """How changes go to WeCom: `policy.method`."""

    @property
    def departments(self) -> int:
        return max(1, self.members // self.members_a_department)

    @property
    def config(self) -> Path:
        return self.directory / "wxsync.toml"

    def make(self, *, base_url: str, corp_id: str, secret: str) -> None:
        """Write the HR database and the config; the same company for the same number of members."""
        self.directory.mkdir()
        values = {"base_url": base_url, "corp_id": corp_id, "secret": secret, "method": self.method}
        text = CONFIG.format(**{name: json.dumps(value) for name, value in values.items()})
        self.config.write_text(text, encoding="utf-8")
        self.config.chmod(0o600)
        chance = random.Random(self.members)
        database = sqlite3.connect(self.directory / "hr.db")
        with database:
            database.executescript(TABLES)
            database.executemany("INSERT INTO departments VALUES (?, ?, ?, ?)", self._departments(chance))
            database.executemany(
                "INSERT INTO employees VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._employees(chance)
            )
            database.executemany(
                "INSERT INTO employee_departments VALUES (?, ?, ?)", self._memberships(chance)
            )
            database.executemany("INSERT INTO employee_tags VALUES (?, ?)", self._tags(chance))
        database.close()

    def _departments(self, chance: random.Random) -> Iterator[tuple[str, str | None, str, int]]:
        levels = {0: 1}
        may_have_children = [0]
        for number in range(1, self.departments + 1):
            parent = chance.choice(may_have_children)
            levels[number] = levels[parent] + 1
            if levels[number] < LEVELS:
                may_have_children.append(number)
            name = f"{UNITS[number % len(UNITS)]}{number}部"
            yield f"D{number}", f"D{parent}" if parent else None, name, self.departments - number

    def _employees(self, chance: random.Random) -> Iterator[tuple[str | int | None, ...]]:
        for number in range(1, self.members + 1):
            emp_no = f"E{number:06d}"
            yield (
                emp_no,
                chinese_name(chance),
                f"D{chance.randint(1, self.departments)}",
                f"138{number:08d}",
                f"{emp_no.lower()}@example.com",
                chance.choice(POSITIONS),
                chance.randint(1, 12),
                "active",
                f"20{chance.randint(10, 25)}-03-01",
                None,
            )

    def _memberships(self, chance: random.Random) -> Iterator[tuple[str, str, int]]:
        for number in chance.sample(range(1, self.members + 1), int(self.members * SPREAD)):
            yield f"E{number:06d}", f"D{chance.randint(1, self.departments)}", chance.randint(0, 1)

    def _tags(self, chance: random.Random) -> Iterator[tuple[str, str]]:
        everybody = range(1, self.members + 1)
        for tag in range(1, TAGS):
            for number in chance.sample(everybody, max(1, self.members // 20)):
                yield f"标签{tag}", f"E{number:06d}"
