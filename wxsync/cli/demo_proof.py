"""Does WeCom hold what the HR database says? Both sides written down alike, person by person."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from wxsync.cli.demo_company import COMPANY_CODE, MANAGERS_FROM, working_on
from wxsync.cli.demo_config import RULE_TAG
from wxsync.sandbox.records import ROOT, Department
from wxsync.sandbox.state import SandboxState


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One person as either side has them; departments are paths such as 研发中心/平台研发部."""

    name: str
    mobile: str
    email: str
    position: str
    main_department: str
    departments: frozenset[str]
    leads: frozenset[str]
    leader: str
    tags: frozenset[str]


def unlike(hr: Path, wecom: SandboxState, admin: str) -> list[str]:
    """The userids of all who are not the same on both sides, and the paths of such departments."""
    with working_on(hr) as connection:
        wanted_units = _paths_in_hr(connection)
        wanted = dict(_people_in_hr(connection, wanted_units))
    units = {id: _path_in_wecom(wecom.departments, id) for id in wecom.departments}
    found = dict(_people_in_wecom(wecom, units))
    found.pop(admin, None)
    people = [userid for userid in wanted.keys() | found.keys() if wanted.get(userid) != found.get(userid)]
    return sorted([*people, *(set(wanted_units.values()) ^ set(units.values()))])


def _paths_in_hr(connection: sqlite3.Connection) -> dict[str, str]:
    rows = {
        code: (above, name)
        for code, above, name in connection.execute("SELECT code, parent_code, name FROM departments")
    }

    def path(code: str) -> str:
        above, name = rows[code]
        return "" if code == COMPANY_CODE else f"{path(above)}/{name}"

    return {code: path(code) for code in rows}


def _people_in_hr(connection: sqlite3.Connection, units: Mapping[str, str]) -> Iterator[tuple[str, Entry]]:
    places: dict[str, dict[str, bool]] = {}
    for emp_no, code, is_leader in connection.execute("SELECT * FROM employee_departments"):
        places.setdefault(emp_no, {})[units[code]] = bool(is_leader)
    tags: dict[str, set[str]] = {}
    for tag, emp_no in connection.execute("SELECT tag, emp_no FROM employee_tags"):
        tags.setdefault(emp_no, set()).add(tag)
    for emp_no, name, mobile, email, main, title, grade, manager in connection.execute(
        "SELECT emp_no, full_name, mobile, email, dept_code, title, grade, manager_no FROM employees"
        " WHERE status = 'active'"
    ):
        yield (
            emp_no.lower(),
            Entry(
                name=name,
                mobile=mobile,
                email=email,
                position=title,
                main_department=units[main],
                departments=frozenset(places[emp_no]),
                leads=frozenset(path for path, is_leader in places[emp_no].items() if is_leader),
                leader=(manager or "").lower(),
                tags=frozenset(tags.get(emp_no, set()) | ({RULE_TAG} if grade >= MANAGERS_FROM else set())),
            ),
        )


def _path_in_wecom(departments: Mapping[int, Department], id: int) -> str:
    if id == ROOT:
        return ""
    return f"{_path_in_wecom(departments, departments[id].parentid)}/{departments[id].name}"


def _people_in_wecom(wecom: SandboxState, units: Mapping[int, str]) -> Iterator[tuple[str, Entry]]:
    """Everybody whose account is enabled."""
    for userid, member in wecom.members.items():
        if not member.enable:
            continue
        marks = zip(member.department, member.is_leader_in_dept, strict=True)
        yield (
            userid,
            Entry(
                name=member.name,
                mobile=member.mobile,
                email=member.email,
                position=member.position,
                main_department=units[member.main_department],
                departments=frozenset(units[id] for id in member.department),
                leads=frozenset(units[id] for id, mark in marks if mark),
                leader=member.direct_leader[0].lower() if member.direct_leader else "",
                tags=frozenset(wecom.tags[id].name for id in member.tags),
            ),
        )
