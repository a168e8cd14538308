"""What WeCom must hold, worked out from the HR tables by another way than wxsync's own.

It reads the rows as they are and goes by the words of the contract: leavers are disabled and keep
their data, an empty value clears only alias and position, a value that somebody else takes is lost
to whoever had it, a dropped department stays while somebody or something is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Engine, select

from tests.journeys.hr import DEPARTMENTS, EMPLOYEE_DEPARTMENTS, EMPLOYEE_TAGS, EMPLOYEES, HQ
from wxsync.sandbox.records import ROOT
from wxsync.sandbox.state import SandboxState

GENDERS = {"男": "1", "女": "2"}


@dataclass
class Unit:
    """A department as it must be."""

    parent: str
    name: str
    order: int


@dataclass
class Person:
    """A member as they must be; empty is ""."""

    name: str = ""
    alias: str = ""
    mobile: str = ""
    email: str = ""
    position: str = ""
    gender: str = "0"
    places: dict[str, tuple[bool, int]] = field(default_factory=dict)
    """Department code -> (leads it, order in it)."""
    main: str = HQ
    leader: str = ""
    enabled: bool = True


@dataclass
class Company:
    """All of it. `follow` takes it one day further."""

    rule: str = "干部"
    departments: dict[str, Unit] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    tags: dict[str, set[str]] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    """Code -> the id that the department was once seen to have."""

    def follow(self, engine: Engine, today: date) -> None:
        """What HR says today, laid over what there was."""
        with engine.connect() as connection:
            tables: dict[str, list[dict[str, Any]]] = {
                table.name: [dict(row._mapping) for row in connection.execute(select(table))]
                for table in (DEPARTMENTS, EMPLOYEES, EMPLOYEE_DEPARTMENTS, EMPLOYEE_TAGS)
            }
        rows = {
            row["emp_no"].lower(): row
            for row in tables["employees"]
            if row["status"] == "active" and (row["leave_date"] is None or row["leave_date"] >= today)
        }
        here = {
            userid: row for userid, row in rows.items() if userid in self.people or row["hire_date"] <= today
        }
        for row in here.values():
            row["mobile"] = (row["mobile"] or "").replace("-", "").replace("+86 ", "")
            row["email"] = (row["email"] or "").strip().lower()
            row["full_name"] = row["full_name"].removesuffix("\u200b ")
        self._take_values(here)
        self._place(here, tables["employee_departments"])
        self._lead(here)
        self._keep_departments(tables["departments"])
        self._tag(here, tables["employee_tags"])

    def _take_values(self, here: Mapping[str, dict[str, Any]]) -> None:
        taken = {
            (name, row[name]): userid
            for userid, row in here.items()
            for name in ("mobile", "email")
            if row[name]
        }
        for userid in here:
            self.people.setdefault(userid, Person())
        for userid, person in self.people.items():
            person.enabled = userid in here
            for name in ("mobile", "email"):
                if taken.get((name, getattr(person, name)), userid) != userid:
                    setattr(person, name, "")
        for userid, row in here.items():
            person = self.people[userid]
            person.name, person.gender = row["full_name"], GENDERS[row["gender"]]
            person.alias, person.position = row["alias"] or "", row["title"] or ""
            person.mobile = row["mobile"] or person.mobile
            person.email = row["email"] or person.email

    def _place(self, here: Mapping[str, dict[str, Any]], rows: list[dict[str, Any]]) -> None:
        marks: dict[str, dict[str, tuple[bool, int]]] = {}
        for row in rows:
            mark = (bool(row["is_leader"]), row["sort"])
            marks.setdefault(row["emp_no"].lower(), {})[row["dept_code"]] = mark
        for userid, row in here.items():
            person, own, added = self.people[userid], row["dept_code"], marks.get(userid, {})
            codes = ([own] if own else []) + [code for code in added if code != own]
            codes = codes or [HQ]
            before = person.places
            person.places = {
                code: added.get(code, (False, before.get(code, (False, 0))[1])) for code in codes
            }
            if own is None and len(added) > 1:
                raise AssertionError("which department is the main one is not this oracle's to say")
            person.main = codes[0]

    def _lead(self, here: Mapping[str, dict[str, Any]]) -> None:
        for userid, row in here.items():
            leader = (row["manager_no"] or "").lower()
            if leader in here and leader != userid:
                self.people[userid].leader = leader

    def _keep_departments(self, rows: list[dict[str, Any]]) -> None:
        new = {
            row["code"]: Unit(row["parent_code"], row["name"], row["sort"])
            for row in rows
            if row["code"] != HQ
        }
        occupied = {code for person in self.people.values() for code in person.places}
        left = {code: unit for code, unit in self.departments.items() if code not in new}
        while True:
            held = occupied | {unit.parent for unit in (*new.values(), *left.values())}
            vacant = [code for code in left if code not in held]
            if not vacant:
                break
            for code in vacant:
                del left[code]
        for code in self.departments.keys() - new.keys() - left.keys():
            self.ids.pop(code, None)
        self.departments = {**new, **left}

    def _tag(self, here: Mapping[str, dict[str, Any]], rows: list[dict[str, Any]]) -> None:
        self.tags = {self.rule: {userid for userid, row in here.items() if row["grade"] >= 10}}
        for row in rows:
            people = self.tags.setdefault(row["tag"], set())
            if (userid := row["emp_no"].lower()) in here:
                people.add(userid)

    def path(self, code: str) -> str:
        """Names from the top to the department; the company itself is "/"."""
        names: list[str] = []
        while code != HQ:
            names.append(self.departments[code].name)
            code = self.departments[code].parent
        return "/" + "/".join(reversed(names))


def compare(state: SandboxState, company: Company) -> list[str]:
    """Every difference between what WeCom holds and what it must hold, in words; none is good.

    A department that was seen before must still be the same one, by its id.
    """
    paths = {id: path_of(state, id) for id in state.departments}
    found = [*_departments(state, company, paths), *_people(state, company, paths), *_tags(state, company)]
    if not found:
        codes = {company.path(code): code for code in company.departments}
        company.ids = {codes[path]: id for id, path in paths.items() if id != ROOT}
    return found


def path_of(state: SandboxState, id: int) -> str:
    names: list[str] = []
    while id != ROOT:
        names.append(state.departments[id].name)
        id = state.departments[id].parentid
    return "/" + "/".join(reversed(names))


def _departments(state: SandboxState, company: Company, paths: Mapping[int, str]) -> Iterator[str]:
    ids = {path: id for id, path in paths.items() if id != ROOT}
    codes = {company.path(code): code for code in company.departments}
    for path in sorted(ids.keys() - codes.keys()):
        yield f"department {path} is in WeCom (id {ids[path]}) and must not be"
    for path in sorted(codes.keys() - ids.keys()):
        yield f"department {path} ({codes[path]}) is not in WeCom"
    for path in sorted(codes.keys() & ids.keys()):
        code, id = codes[path], ids[path]
        order, wanted = state.departments[id].order, company.departments[code].order
        if order != wanted:
            yield f"department {path} ({code}) has order {order}, not {wanted}"
        if company.ids.get(code, id) != id:
            yield f"department {path} ({code}) is no longer {company.ids[code]}, but {id}"


def _people(state: SandboxState, company: Company, paths: Mapping[int, str]) -> Iterator[str]:
    for userid in sorted(state.members.keys() - company.people.keys()):
        yield f"member {userid} is in WeCom and must not be"
    for userid in sorted(company.people.keys() - state.members.keys()):
        yield f"member {userid} is not in WeCom"
    for userid in sorted(state.members.keys() & company.people.keys()):
        is_, must = _seen(state, userid, paths), _wanted(company, userid)
        for name, value in must.items():
            if is_[name] != value:
                yield f"member {userid}: {name} is {is_[name]!r}, not {value!r}"


def _seen(state: SandboxState, userid: str, paths: Mapping[int, str]) -> dict[str, object]:
    member = state.members[userid]
    places = [paths[id] for id in member.department]
    return {
        "name": member.name,
        "alias": member.alias,
        "mobile": member.mobile,
        "email": member.email,
        "position": member.position,
        "gender": member.gender,
        "departments": sorted(places),
        "is_leader": sorted(
            path for path, mark in zip(places, member.is_leader_in_dept, strict=True) if mark
        ),
        "order": dict(zip(places, member.order, strict=True)),
        "main_department": paths[member.main_department],
        "direct_leader": tuple(leader.lower() for leader in member.direct_leader),
        "enable": bool(member.enable),
    }


def _wanted(company: Company, userid: str) -> dict[str, object]:
    person = company.people[userid]
    places = {company.path(code): mark for code, mark in person.places.items()}
    return {
        "name": person.name,
        "alias": person.alias,
        "mobile": person.mobile,
        "email": person.email,
        "position": person.position,
        "gender": person.gender,
        "departments": sorted(places),
        "is_leader": sorted(path for path, (leads, _) in places.items() if leads),
        "order": {path: order for path, (_, order) in places.items()},
        "main_department": company.path(person.main),
        "direct_leader": (person.leader,) if person.leader else (),
        "enable": person.enabled,
    }


def _tags(state: SandboxState, company: Company) -> Iterator[str]:
    tags = {tag.name: set(tag.users) for tag in state.tags.values()}
    for name in sorted(tags.keys() - company.tags.keys()):
        yield f"tag {name} is in WeCom and must not be"
    for name in sorted(company.tags.keys() - tags.keys()):
        yield f"tag {name} is not in WeCom"
    for name in sorted(tags.keys() & company.tags.keys()):
        if extra := sorted(tags[name] - company.tags[name]):
            yield f"tag {name} has {extra} and must not"
        if lacking := sorted(company.tags[name] - tags[name]):
            yield f"tag {name} lacks {lacking}"
