"""A day in the HR department of the sample company: SQL against its database, as any HR system does it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from wxsync.cli.demo_company import INSERT_PERSON, Person, as_row, working_on
from wxsync.model.message import Message, say

HIRES: Final = 4
STAFF_LEAVERS: Final = 2
MOVES: Final = 4

RENAMED: Final = ("市场部", "品牌与市场部")
MOVED: Final = ("质量保障部", "运营中心")
NEW_UNIT: Final = ("智能应用部", "研发中心")

STAFF: Final = """
SELECT emp_no FROM employees e
WHERE status = 'active' AND grade < 10
  AND (SELECT count(*) FROM employee_departments d WHERE d.emp_no = e.emp_no) = 1
ORDER BY emp_no
"""
HEADED: Final = """
SELECT d.dept_code, d.emp_no, min(s.emp_no)
FROM employee_departments d
JOIN employees s ON s.dept_code = d.dept_code AND s.grade < 10 AND s.status = 'active'
WHERE d.is_leader = 1
  AND NOT EXISTS (SELECT 1 FROM departments below WHERE below.parent_code = d.dept_code)
GROUP BY d.dept_code, d.emp_no
ORDER BY d.dept_code DESC
"""
"""Departments without any below them: the head, and somebody to follow as head."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    what: Message
    who: str
    detail: str | Message


@dataclass(frozen=True, slots=True)
class Day:
    """All that happened, and how much of it there must be in the plan."""

    events: tuple[Event, ...]
    hires: int
    leavers: int
    new_departments: int
    changed_departments: int


def have_a_day(path: Path, today: date) -> Day:
    """Change the database as one day of a company's life does."""
    with working_on(path) as connection:
        events = tuple(_Office(connection, today).work())
    return Day(
        events=events, hires=HIRES, leavers=STAFF_LEAVERS + 1, new_departments=1, changed_departments=2
    )


class _Office:
    """Who keeps the database; nobody has two things happen to them on one day."""

    def __init__(self, connection: sqlite3.Connection, today: date) -> None:
        self._connection = connection
        self._today = today
        self._unit, self._head, self._successor = self._rows(HEADED)[0]
        busy = {self._successor}
        staff = [emp_no for (emp_no,) in self._rows(STAFF) if emp_no not in busy]
        wanted = STAFF_LEAVERS + MOVES + 1
        self._staff = [staff[at * len(staff) // wanted] for at in range(wanted)]

    def work(self) -> Iterator[Event]:
        """Everything that happens, in the order in which it is told."""
        yield self._found()
        yield self._rename()
        yield self._relocate()
        yield from (self._hire(at) for at in range(HIRES))
        yield from (self._leave(emp_no) for emp_no in self._staff[:STAFF_LEAVERS])
        yield from self._succeed()
        yield from (self._move(at, emp_no) for at, emp_no in enumerate(self._staff[STAFF_LEAVERS:-1]))
        yield self._correct(self._staff[-1])

    def _found(self) -> Event:
        name, parent = NEW_UNIT
        self._run(
            "INSERT INTO departments SELECT 'D' || printf('%02d', count(*)), ?, ?, 1 FROM departments",
            self._code(parent),
            name,
        )
        return Event(say("new department"), name, say("under {parent}", parent=parent))

    def _rename(self) -> Event:
        before, after = RENAMED
        self._run("UPDATE departments SET name = ? WHERE name = ?", after, before)
        return Event(say("renamed department"), before, f"→ {after}")

    def _relocate(self) -> Event:
        """With all that is below it; its head has another superior from now on."""
        name, parent = MOVED
        self._run("UPDATE departments SET parent_code = ? WHERE name = ?", self._code(parent), name)
        self._run(
            "UPDATE employees SET manager_no = ? WHERE emp_no = ?", self._leader(parent), self._leader(name)
        )
        return Event(
            say("moved department"), name, say("from {before} to {after}", before="研发中心", after=parent)
        )

    def _hire(self, at: int) -> Event:
        headed = self._rows(HEADED)
        unit, head, _ = headed[-at % len(headed)]
        if at == 0:
            unit, head = self._code(NEW_UNIT[0]), self._leader(NEW_UNIT[1])
        [[people]] = self._rows("SELECT count(*) FROM employees")
        person = Person.of(int(people) + 1, unit=unit, title="专员", grade=6, manager=head)
        row = as_row(person)
        self._run(INSERT_PERSON, *row[:-1], self._today.isoformat())
        self._run("INSERT INTO employee_departments VALUES (?, ?, 0)", person.emp_no, unit)
        self._run("INSERT INTO employee_tags VALUES ('新员工', ?)", person.emp_no)
        return Event(say("hired"), self._called(person.emp_no), say("in {place}", place=self._name(unit)))

    def _leave(self, emp_no: str) -> Event:
        self._run("UPDATE employees SET status = 'left' WHERE emp_no = ?", emp_no)
        [[unit]] = self._rows("SELECT dept_code FROM employees WHERE emp_no = ?", emp_no)
        return Event(say("left"), self._called(emp_no), say("was in {place}", place=self._name(unit)))

    def _succeed(self) -> Iterator[Event]:
        """The head of a department leaves, and one of its people takes over with all reports."""
        unit, head, successor = self._unit, self._head, self._successor
        yield self._leave(head)
        self._run(
            "UPDATE employees SET grade = 10, title = (SELECT title FROM employees WHERE emp_no = ?),"
            " manager_no = (SELECT manager_no FROM employees WHERE emp_no = ?) WHERE emp_no = ?",
            *(head, head, successor),
        )
        self._run("UPDATE employees SET manager_no = ? WHERE manager_no = ?", successor, head)
        self._run(
            "UPDATE employee_departments SET is_leader = (emp_no = ?) WHERE dept_code = ?", successor, unit
        )
        yield Event(
            say("promoted"), self._called(successor), say("leads {place} now", place=self._name(unit))
        )

    def _move(self, at: int, emp_no: str) -> Event:
        [[before]] = self._rows("SELECT dept_code FROM employees WHERE emp_no = ?", emp_no)
        others = [row for row in self._rows(HEADED) if row[0] not in (before, self._unit)]
        unit, head, _ = others[at * len(others) // MOVES]
        self._run("UPDATE employees SET dept_code = ?, manager_no = ? WHERE emp_no = ?", unit, head, emp_no)
        self._run("UPDATE employee_departments SET dept_code = ? WHERE emp_no = ?", unit, emp_no)
        return Event(
            say("changed department"),
            self._called(emp_no),
            say("from {before} to {after}", before=self._name(before), after=self._name(unit)),
        )

    def _correct(self, emp_no: str) -> Event:
        """The last two digits were the wrong way round; another prefix where that makes no difference."""
        [[before]] = self._rows("SELECT mobile FROM employees WHERE emp_no = ?", emp_no)
        after = before[:-2] + before[-1] + before[-2]
        taken = self._rows("SELECT 1 FROM employees WHERE mobile = ?", after)
        if taken:
            after = f"13801{before[5:]}"
        self._run("UPDATE employees SET mobile = ? WHERE emp_no = ?", after, emp_no)
        return Event(say("phone corrected"), self._called(emp_no), f"…{before[-4:]} → …{after[-4:]}")

    def _called(self, emp_no: str) -> str:
        [[name]] = self._rows("SELECT full_name FROM employees WHERE emp_no = ?", emp_no)
        return f"{emp_no} {name}"

    def _code(self, name: str) -> str:
        [[code]] = self._rows("SELECT code FROM departments WHERE name = ?", name)
        return str(code)

    def _leader(self, name: str) -> str:
        leader = "SELECT emp_no FROM employee_departments WHERE is_leader = 1 AND dept_code = ?"
        [[emp_no]] = self._rows(leader, self._code(name))
        return str(emp_no)

    def _name(self, code: str) -> str:
        [[name]] = self._rows("SELECT name FROM departments WHERE code = ?", code)
        return str(name)

    def _rows(self, statement: str, *values: object) -> list[tuple[str, ...]]:
        return self._connection.execute(statement, values).fetchall()

    def _run(self, statement: str, *values: object) -> None:
        self._connection.execute(statement, values)
