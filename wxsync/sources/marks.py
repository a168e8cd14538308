"""Where people belong: the places of their own rows, and those of the memberships query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from wxsync.model.change import Kind, Rejected
from wxsync.model.member import TEXT_FIELDS, Member, ref_order
from wxsync.model.message import Message, say
from wxsync.model.sharing import Sharing
from wxsync.model.unknown import UNKNOWN, DepartmentRef
from wxsync.sources.base import MEMBERSHIPS, Row, RowStream
from wxsync.sources.fields import MOST_DEPARTMENTS
from wxsync.sources.leaders import leader_of
from wxsync.sources.mapping import Candidate
from wxsync.sources.normal import Breach, flag, key_of, uint32
from wxsync.sources.outsiders import Outsiders
from wxsync.sources.people import People
from wxsync.sources.sheet import reject
from wxsync.sources.tree import Tree

MARKS: Final = {"is_leader": flag, "order": uint32, "is_main": flag}
"""The columns of a memberships query that go by name; the first two go by position."""


@dataclass(frozen=True, slots=True)
class Place:
    """One department of one person; None is "nothing said"."""

    department: DepartmentRef
    is_leader: bool | None = None
    order: int | None = None
    is_main: bool = False


class Memberships:
    """Gathers the rows of the memberships queries, for the people who are wanted."""

    def __init__(self, people: People, tree: Tree) -> None:
        self._people = people
        self._tree = tree
        self._mains: dict[str, DepartmentRef] = {}
        self._strangers: set[str] = set()
        self.places: dict[str, list[Place]] = {}
        self.gives: set[str] = set()
        """Which of MARKS some query has as a column."""
        self.rejected: list[Rejected] = []
        self.undecided: set[str] = set()
        """Keys of people with a row that cannot be used."""
        self.refused: dict[str, tuple[Rejected, ...]] = {}
        """Keys of people who are put into a department that no source knows."""
        self.outsiders = Outsiders()
        """Of the query that was read last: whom a later source knows and the first does not."""

    def read(self, stream: RowStream) -> int:
        """Take all rows of a query; gives how many of them may be anybody's."""
        self.outsiders = Outsiders()
        member, department, *more = stream.columns
        named = {column.lower(): column for column in more if column.lower() in MARKS}
        self.gives.update(named)
        return sum(not self._take(row, row[member], row[department], named) for row in stream)

    def _take(self, row: Row, member: object, department: object, named: Mapping[str, str]) -> bool:
        """Whether the row's member could be told."""
        try:
            name = key_of(member, "member")
        except Breach:
            name = None
        if name is None:
            self._refuse(None, MEMBERSHIPS, "key", say("a membership row has no readable member key"))
            return False
        key = self._people.refs.get(name)
        if key is None:
            if name in self._people.strangers:
                self.outsiders.add(None if department is None else str(department), (name,))
            elif name not in self._strangers:
                self._strangers.add(name)
                problem = say("a membership row names somebody whom no source knows")
                self._refuse(name, MEMBERSHIPS, "unknown_member", problem)
        elif key in self._people.candidates:
            self._place(key, row, department, named)
        return True

    def _place(self, key: str, row: Row, department: object, named: Mapping[str, str]) -> None:
        try:
            name = key_of(department, "department")
        except Breach:
            name = None
        if name is None:
            problem = say("a membership row of it has no readable department key")
            self._doubt(key, "departments", Breach("null", problem))
            return
        ref = self._tree.refs.get(name)
        if ref is None:
            self.refused[key] = (unknown_department(key, name),)
            return
        marks: dict[str, bool | int | None] = {}
        for mark, column in named.items():
            try:
                marks[mark] = MARKS[mark](row[column], mark)
            except Breach as breach:
                self._doubt(key, mark, breach)
        is_leader, order = marks.get("is_leader"), marks.get("order")
        place = Place(ref, None if is_leader is None else bool(is_leader), order, bool(marks.get("is_main")))
        if place.is_main and self._mains.setdefault(key, ref) != ref:
            problem = say("two membership rows of it say is_main")
            self._doubt(key, "main_department", Breach("main_department", problem))
        self.places.setdefault(key, []).append(place)

    def _doubt(self, key: str, field: str, breach: Breach) -> None:
        self.undecided.add(key)
        self.rejected.append(reject(Kind.MEMBER, key, field, breach))

    def _refuse(self, key: str | None, field: str, rule: str, problem: Message) -> None:
        self.rejected.append(Rejected(kind=Kind.MEMBER, key=key, field=field, rule=rule, problem=problem))


def unknown_department(key: str, department: str) -> Rejected:
    """The reject of a person who is put into a department that no source knows."""
    problem = say("its department {department} is not in the source", department=department)
    return Rejected(
        kind=Kind.MEMBER, key=key, field="departments", rule="unknown_department", problem=problem
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settler:
    """Makes members of candidates, once it is known where everybody belongs."""

    people: People
    tree: Tree
    memberships: Memberships
    root: int
    has_leaders: bool
    """Leader marks are mapped, or a column of the memberships query."""
    has_orders: bool
    departments: Sharing[tuple[DepartmentRef, ...]] = field(default_factory=Sharing)

    def settle(self, person: Candidate) -> Member | tuple[Rejected, ...]:
        """The member with all places and marks; the rejects where a place cannot be."""
        try:
            places = self._places(person)
            main = self._main(person, places)
        except Breach as breach:
            field = "main_department" if breach.rule == "main_department" else "departments"
            return (reject(Kind.MEMBER, person.key, field, breach),)
        in_order = list(places.values())
        if len(in_order) > 1:
            in_order.sort(key=lambda place: ref_order(place.department))
        leads = tuple(place.department for place in in_order if place.is_leader)
        orders = tuple((place.department, place.order) for place in in_order if place.order is not None)
        return Member(
            key=person.key,
            userid=person.userid,
            **dict(zip(TEXT_FIELDS, person.texts, strict=True)),
            departments=self.departments.one((main, *(ref for ref in places if ref != main))),
            main_department=main,
            is_leader=leads if self.has_leaders else UNKNOWN,
            order=orders if self.has_orders else UNKNOWN,
            direct_leader=leader_of(person, self.people),
            enable=person.enable,
            extattr=person.extattr,
        )

    def _places(self, person: Candidate) -> dict[DepartmentRef, Place]:
        """The own row's places first, then the memberships', whose marks win."""
        added = self.memberships.places.get(person.key, ())
        places: dict[DepartmentRef, Place] = {}
        for own in person.places:
            if own.department is None:
                continue
            ref = self.tree.refs.get(own.department)
            if ref is None:
                raise Breach("unknown_department", unknown_department(person.key, own.department).problem)
            places.setdefault(ref, Place(ref, own.is_leader, own.order))
        by_department: dict[DepartmentRef, list[Place]] = {}
        for place in added:
            by_department.setdefault(place.department, []).append(place)
        for ref, same in by_department.items():
            places[ref] = _merged(places.get(ref), same)
        if not places:
            first = person.places[0]
            places[self.root] = Place(self.root, first.is_leader, first.order)
        if len(places) > MOST_DEPARTMENTS:
            count, limit = len(places), MOST_DEPARTMENTS
            problem = say("it is in {count} departments; WeCom takes {limit}", count=count, limit=limit)
            raise Breach("too_many_departments", problem)
        return places

    def _main(self, person: Candidate, places: Mapping[DepartmentRef, Place]) -> DepartmentRef:
        if person.main is None:
            return next((ref for ref, place in places.items() if place.is_main), next(iter(places)))
        main = self.tree.refs.get(person.main)
        if main is None or main not in places:
            problem = say("main_department {department} is none of its departments", department=person.main)
            raise Breach("main_department", problem)
        return main


def _merged(before: Place | None, same: Sequence[Place]) -> Place:
    """One place out of all that is said of it: a leader by any membership row, the largest order."""
    leads = [each.is_leader for each in same if each.is_leader is not None]
    orders = [each.order for each in same if each.order is not None]
    return Place(
        same[0].department,
        any(leads) if leads else before.is_leader if before else None,
        max(orders) if orders else before.order if before else None,
        any(each.is_main for each in same),
    )
