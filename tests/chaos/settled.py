"""What WeCom must hold once a run has gone well, worked out from HR by another way than wxsync's own.

Whatever came before: only what the rows say today counts, and what wxsync may not touch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from tests.journeys.hr import HQ, Employee, Hr
from tests.journeys.oracle import GENDERS, path_of
from wxsync.sandbox.records import ROOT, Member
from wxsync.sandbox.state import SandboxState

RULE = "干部"
GRADE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Excused:
    """Who or what is as it is for a reason that the rows do not tell."""

    people: Collection[str]
    """By userid: foreign, protected, deleted by hand, or rejected by name."""
    disabled: Collection[str]
    """Whom a hand disabled."""
    units: Collection[int]
    """Foreign departments."""
    held: Collection[str]
    """Codes of rejected departments: they, and all below them, stay as they are."""
    tags: Collection[int]
    tagged: Collection[tuple[str, str]]
    """Tag and userid: put into it by hand."""


def differences(state: SandboxState, hr: Hr, today: date, excused: Excused) -> list[str]:
    """Everything that is not as it must be, in words; none is good."""
    return [*_Settled(state, hr, today, excused).all()]


class _Settled:
    def __init__(self, state: SandboxState, hr: Hr, today: date, excused: Excused) -> None:
        self._state, self._hr, self._excused = state, hr, excused
        self._paths = {id: path_of(state, id) for id in state.departments}
        self._wanted = {
            row.emp_no.lower(): row
            for row in hr.wanted(today)
            if row.hire_date <= today or row.emp_no.lower() in state.members
        }

        self._held = {code for code in hr.departments if not set(hr.above(code)).isdisjoint(excused.held)}

    def all(self) -> Iterator[str]:
        yield from self._departments()
        for userid, row in self._wanted.items():
            if userid in self._excused.people:
                continue
            member = self._state.members.get(userid)
            if member is None:
                yield f"{userid} is wanted and not there"
            else:
                yield from (f"{userid}: {fault}" for fault in self._person(member, row))
        for userid, member in self._state.members.items():
            if userid not in self._wanted and userid not in self._excused.people and member.enable:
                yield f"{userid} is not wanted, and enabled"
        yield from self._tags()

    # Departments

    def _path(self, code: str) -> str:
        names: list[str] = []
        while code != HQ:
            row = self._hr.departments[code]
            names.append(row.name)
            code = str(row.parent_code)
        return "/" + "/".join(reversed(names))

    def _departments(self) -> Iterator[str]:
        ids: dict[str, list[int]] = {}
        for id, path in self._paths.items():
            ids.setdefault(path, []).append(id)
        for path, some in ids.items():
            if len(some) > 1:
                yield f"department {path} is there {len(some)} times"
        ours = {
            self._path(code): row
            for code, row in self._hr.departments.items()
            if code != HQ and code not in self._held
        }
        for path, row in ours.items():
            if path not in ids:
                yield f"department {path} is not there"
            elif self._state.departments[ids[path][0]].order != row.sort:
                yield f"department {path} has order {self._state.departments[ids[path][0]].order}"
        for id, path in self._paths.items():
            unit = self._state.departments[id]
            is_held = bool(unit.children or unit.members)
            is_excused = id in self._excused.units or bool(self._held)
            if path not in ours and id != ROOT and not is_excused and not is_held:
                yield f"department {path} is nobody's, and holds nobody"

    # People

    def _person(self, member: Member, row: Employee) -> Iterator[str]:
        must: dict[str, object] = {
            "name": row.full_name,
            "alias": row.alias or "",
            "position": row.title or "",
            "gender": GENDERS[row.gender],
        }
        must |= {name: value for name in ("mobile", "email") if (value := getattr(row, name))}
        for name, value in must.items():
            if getattr(member, name) != value:
                yield f"{name} is {getattr(member, name)!r}, not {value!r}"
        if not member.enable and member.userid.lower() not in self._excused.disabled:
            yield "disabled"
        yield from self._places(member, row)
        leader = (row.manager_no or "").lower()
        if leader in self._wanted and leader in self._state.members and leader not in self._excused.people:
            is_self = leader == member.userid.lower()
            if not is_self and tuple(each.lower() for each in member.direct_leader) != (leader,):
                yield f"is led by {member.direct_leader}, not {leader}"

    def _places(self, member: Member, row: Employee) -> Iterator[str]:
        rows = {code: each for (emp_no, code), each in self._hr.places.items() if emp_no == row.emp_no}
        codes = dict.fromkeys([*([row.dept_code] if row.dept_code else []), *rows])
        if self._held & {*codes, *self._codes(member)}:
            return
        paths = {self._path(code): rows.get(code) for code in codes} or {"/": None}
        ids = [id for id in member.department if id not in self._excused.units]
        if {self._paths[id] for id in ids} != set(paths):
            yield f"is in {sorted(self._paths[id] for id in ids)}, not {sorted(paths)}"
        if len(ids) < len(member.department) or {self._paths[id] for id in ids} != set(paths):
            return  # in a foreign department too: the marks there nobody knows, so that none are sent
        marks = dict(zip(member.department, member.is_leader_in_dept, strict=True))
        orders = dict(zip(member.department, member.order, strict=True))
        for id in ids:
            place = paths[self._paths[id]]
            if bool(marks[id]) != (place is not None and place.is_leader):
                yield f"leads {self._paths[id]}: {bool(marks[id])}"
            if place is not None and orders[id] != place.sort:
                yield f"has order {orders[id]} in {self._paths[id]}, not {place.sort}"
        if row.dept_code and self._paths.get(member.main_department) != self._path(row.dept_code):
            yield f"has main department {self._paths.get(member.main_department)}"

    def _codes(self, member: Member) -> set[str]:
        """Of the departments that the member is in; of one that no row has, that of a held one."""
        codes = {self._path(code): code for code in self._hr.departments}
        some = next(iter(self._held), "")
        return {codes.get(self._paths[id], some) for id in member.department if id not in self._excused.units}

    # Tags

    def _tags(self) -> Iterator[str]:
        here = {userid for userid in self._wanted if userid in self._state.members}
        must: dict[str, set[str]] = {RULE: {userid for userid in here if self._wanted[userid].grade >= GRADE}}
        for tag, emp_no in self._hr.tags:
            must.setdefault(tag, set())
            if emp_no.lower() in here:
                must[tag].add(emp_no.lower())
        are = self._by_name()
        for name, people in must.items():
            has = are.pop(name, set())
            by_hand = {userid for tag, userid in self._excused.tagged if tag == name}
            excused = by_hand | set(self._excused.people)
            if (has ^ people) - excused:
                yield f"tag {name} has {sorted(has - excused)}, not {sorted(people - excused)}"
        for name, users in are.items():
            if (
                users
                - {userid for tag, userid in self._excused.tagged if tag == name}
                - set(self._excused.people)
            ):
                yield f"tag {name} has {sorted(users)} and must not be"

    def _by_name(self) -> dict[str, set[str]]:
        tags: Mapping[str, set[str]] = {
            each.name: set(each.users)
            for id, each in self._state.tags.items()
            if id not in self._excused.tags
        }
        return dict(tags)
