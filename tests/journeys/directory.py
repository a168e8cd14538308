"""A company in a real directory, OpenLDAP or Active Directory, and what WeCom must then hold."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tests.servers import samba, slapd
from tests.sources import shapes
from tests.sources.shapes import Record
from wxsync.sandbox.state import SandboxState

Path = tuple[str, ...]
"""The names of units from the top down; () is the base itself."""

REFINT = """overlay refint
refint_attributes member manager
"""
"""Keeps DNs in members and managers true when entries are renamed, as Active Directory does by itself."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody of the company."""

    number: int
    login: str
    unit: Path
    title: str = "职员"
    manager: int | None = None
    is_active: bool = True

    @property
    def name(self) -> str:
        return f"员工{self.number:03d}"

    @property
    def mobile(self) -> str:
        return f"1390000{self.number:04d}"


class Directory(Protocol):
    """One kind of server, with the company in it."""

    def source(self) -> dict[str, Any]: ...

    def member(self) -> dict[str, str]:
        """The mapping of people, without what every company has."""
        ...

    def unit_dn(self, path: Path) -> str: ...

    def person_dn(self, person: Person) -> str: ...

    def person_entry(self, person: Person, manager: str | None) -> Record: ...

    def group_entry(self, name: str, members: Sequence[str]) -> Record: ...

    def group_dn(self, name: str) -> str: ...

    def load(self, records: Iterable[Record]) -> None: ...

    def change(self, ldif: str) -> None: ...

    def rename_login(self, person: Person, login: str) -> str:
        """The LDIF of that."""
        ...

    def switch_off(self, person: Person) -> str: ...


@dataclass
class OpenLdap:
    server: slapd.SlapdServer

    def source(self) -> dict[str, Any]:
        return shapes.openldap_source(self.server, page_size=50, groups="(objectClass=groupOfNames)")

    def member(self) -> dict[str, str]:
        return {"userid": "uid", "name": "cn"}

    def unit_dn(self, path: Path) -> str:
        return ",".join([*(f"ou={escaped(name)}" for name in reversed(path)), shapes.BASE])

    def person_dn(self, person: Person) -> str:
        return f"uid={person.login},{self.unit_dn(person.unit)}"

    def person_entry(self, person: Person, manager: str | None) -> Record:
        more = {"mobile": person.mobile, "title": person.title, "cn": person.name}
        more |= {} if manager is None else {"manager": manager}
        return shapes.person(person.login, self.unit_dn(person.unit), **more)

    def group_entry(self, name: str, members: Sequence[str]) -> Record:
        return shapes.group(name, *members)

    def group_dn(self, name: str) -> str:
        return f"cn={name},{shapes.BASE}"

    def load(self, records: Iterable[Record]) -> None:
        self.server.add(records)

    def change(self, ldif: str) -> None:
        self.server.change(ldif)

    def rename_login(self, person: Person, login: str) -> str:
        return renamed(self.person_dn(person), f"uid={login}")

    def switch_off(self, person: Person) -> str:
        return modified(self.person_dn(person), pwdAccountLockedTime="000001010000Z")


@dataclass
class ActiveDirectory:
    server: samba.Samba

    def source(self) -> dict[str, Any]:
        return shapes.samba_source(self.server, page_size=50, groups="(objectClass=group)")

    def member(self) -> dict[str, str]:
        return {"userid": "sAMAccountName", "name": "displayName"}

    def unit_dn(self, path: Path) -> str:
        return ",".join([*(f"OU={escaped(name)}" for name in reversed(path)), shapes.AD_BASE])

    def person_dn(self, person: Person) -> str:
        return f"CN={person.name},{self.unit_dn(person.unit)}"

    def person_entry(self, person: Person, manager: str | None) -> Record:
        more = {"mobile": person.mobile, "title": person.title, "sAMAccountName": person.login}
        more |= {"displayName": person.name, **({} if manager is None else {"manager": manager})}
        return shapes.user(person.name, self.unit_dn(person.unit), **more)

    def group_entry(self, name: str, members: Sequence[str]) -> Record:
        return shapes.ad_group(name, *members)

    def group_dn(self, name: str) -> str:
        return f"CN={name},{shapes.AD_BASE}"

    def load(self, records: Iterable[Record]) -> None:
        self.server.load(records)

    def change(self, ldif: str) -> None:
        self.server.change(ldif)

    def rename_login(self, person: Person, login: str) -> str:
        return modified(self.person_dn(person), sAMAccountName=login)

    def switch_off(self, person: Person) -> str:
        return modified(self.person_dn(person), userAccountControl="546")


@dataclass
class Company:
    """Units, people and groups as they are in the directory; every change is made in both."""

    directory: Directory
    units: list[Path] = field(default_factory=list)
    people: dict[int, Person] = field(default_factory=dict)
    groups: dict[str, set[int]] = field(default_factory=dict)
    nests: dict[str, str] = field(default_factory=dict)
    """A group -> another one that is in it."""

    def found(
        self,
        units: Sequence[Path],
        people: Sequence[Person],
        groups: Mapping[str, set[int]],
        nests: Mapping[str, str],
    ) -> None:
        """Put everything into the empty directory."""
        self.units, self.groups = list(units), {name: set(members) for name, members in groups.items()}
        self.people = {person.number: person for person in people}
        directory = self.directory
        directory.load([shapes.unit(directory.unit_dn(path)) for path in ((), *units)])
        directory.load([directory.person_entry(person, None) for person in people if person.manager is None])
        directory.load([self._entry(person) for person in people if person.manager is not None])
        directory.load(
            [
                directory.group_entry(name, [self._dn(number) for number in sorted(members)])
                for name, members in groups.items()
            ]
        )
        for outer, inner in nests.items():
            directory.change(added(directory.group_dn(outer), member=directory.group_dn(inner)))
        self.nests = dict(nests)

    def rename_unit(self, path: Path, name: str) -> None:
        first = self.directory.unit_dn(path).partition("=")[0]
        self.directory.change(renamed(self.directory.unit_dn(path), f"{first}={name}"))
        self._replace_path(path, (*path[:-1], name))

    def move_unit(self, path: Path, above: Path) -> None:
        dn = self.directory.unit_dn(path)
        first = dn.partition("=")[0]
        self.directory.change(renamed(dn, f"{first}={path[-1]}", above=self.directory.unit_dn(above)))
        self._replace_path(path, (*above, path[-1]))

    def open_unit(self, path: Path) -> None:
        self.directory.load([shapes.unit(self.directory.unit_dn(path))])
        self.units.append(path)

    def close_unit(self, path: Path) -> None:
        self.directory.change(deleted(self.directory.unit_dn(path)))
        self.units.remove(path)

    def hire(self, person: Person) -> None:
        self.people[person.number] = person
        self.directory.load([self._entry(person)])

    def dismiss(self, number: int) -> None:
        """The entry is gone."""
        person = self.people.pop(number)
        self.directory.change(deleted(self.directory.person_dn(person)))
        for members in self.groups.values():
            members.discard(number)
        for other in self.people.values():
            if other.manager == number:
                self.people[other.number] = replace(other, manager=None)

    def switch_off(self, number: int) -> None:
        person = self.people[number]
        self.directory.change(self.directory.switch_off(person))
        self.people[number] = replace(person, is_active=False)

    def move(self, number: int, unit: Path) -> None:
        person = self.people[number]
        moved = replace(person, unit=unit)
        rdn = self.directory.person_dn(person).partition(",")[0]
        above = self.directory.unit_dn(unit)
        self.directory.change(renamed(self.directory.person_dn(person), rdn, above=above))
        self.people[number] = moved

    def promote(self, number: int, title: str) -> None:
        person = self.people[number]
        self.directory.change(modified(self.directory.person_dn(person), title=title))
        self.people[number] = replace(person, title=title)

    def give_manager(self, number: int, manager: int) -> None:
        person = self.people[number]
        self.directory.change(modified(self.directory.person_dn(person), manager=self._dn(manager)))
        self.people[number] = replace(person, manager=manager)

    def give_login(self, number: int, login: str) -> None:
        """Somebody gets another login; the record of what WeCom must hold keeps the old one."""
        self.directory.change(self.directory.rename_login(self.people[number], login))

    def join(self, group: str, number: int) -> None:
        self.directory.change(added(self.directory.group_dn(group), member=self._dn(number)))
        self.groups[group].add(number)

    def leave(self, group: str, number: int) -> None:
        self.directory.change(taken(self.directory.group_dn(group), member=self._dn(number)))
        self.groups[group].discard(number)

    def _entry(self, person: Person) -> Record:
        manager = None if person.manager is None else self._dn(person.manager)
        return self.directory.person_entry(person, manager)

    def _dn(self, number: int) -> str:
        return self.directory.person_dn(self.people[number])

    def _replace_path(self, old: Path, new: Path) -> None:
        def moved(path: Path) -> Path:
            return (*new, *path[len(old) :]) if path[: len(old)] == old else path

        self.units = [moved(path) for path in self.units]
        self.people = {n: replace(each, unit=moved(each.unit)) for n, each in self.people.items()}

    # What WeCom must hold

    def departments(self) -> set[Path]:
        """Every department's names, from the top down."""
        return set(self.units)

    def members(self) -> dict[str, tuple[str, str, str, Path, str, bool]]:
        """Of everybody who is active: name, mobile, position, place, leader's userid, enabled."""
        active = {number: each for number, each in self.people.items() if each.is_active}
        return {
            each.login: (
                each.name,
                each.mobile,
                each.title,
                each.unit,
                active[each.manager].login if each.manager in active else "",
                True,
            )
            for each in active.values()
        }

    def tags(self) -> dict[str, set[str]]:
        """Tag -> userids."""
        return {
            name: {self.people[n].login for n in self._in(name, set()) if self.people[n].is_active}
            for name in self.groups
        }

    def _in(self, name: str, seen: set[str]) -> set[int]:
        if name in seen:
            return set()
        inner = self.nests.get(name)
        return self.groups[name] | (self._in(inner, {*seen, name}) if inner is not None else set())


def departments_of(wecom: SandboxState) -> dict[Path, int]:
    """Every department but the root, by its names from the top down, with its id."""
    return {path_of(wecom, id_): id_ for id_ in wecom.departments if id_ != 1}


def path_of(wecom: SandboxState, id_: int) -> Path:
    department = wecom.departments[id_]
    return () if id_ == 1 else (*path_of(wecom, department.parentid), department.name)


def members_of(wecom: SandboxState) -> dict[str, tuple[str, str, str, Path, str, bool]]:
    """Of everybody who is enabled: name, mobile, position, place, leader's userid, enabled."""
    return {
        each.userid: (
            each.name,
            each.mobile,
            each.position,
            path_of(wecom, each.main_department),
            next(iter(each.direct_leader), ""),
            bool(each.enable),
        )
        for each in wecom.members.values()
        if each.enable
    }


def tags_of(wecom: SandboxState) -> dict[str, set[str]]:
    """Tag -> the userids of those in it who are enabled."""
    return {
        each.name: {userid for userid in each.users if wecom.members[userid].enable}
        for each in wecom.tags.values()
    }


def escaped(name: str) -> str:
    return "".join(f"\\{each}" if each in ",+" else each for each in name)


def coded(name: str, value: str) -> str:
    return f"{name}:: {base64.b64encode(value.encode()).decode()}\n"


def renamed(dn: str, rdn: str, *, above: str | None = None) -> str:
    """LDIF that gives an entry another name, or another place."""
    record = coded("dn", dn) + "changetype: modrdn\n" + coded("newrdn", rdn) + "deleteoldrdn: 1\n"
    return record + (coded("newsuperior", above) if above is not None else "")


def modified(dn: str, **values: str) -> str:
    return _modify(dn, "replace", values)


def added(dn: str, **values: str) -> str:
    return _modify(dn, "add", values)


def taken(dn: str, **values: str) -> str:
    return _modify(dn, "delete", values)


def deleted(dn: str) -> str:
    return coded("dn", dn) + "changetype: delete\n"


def _modify(dn: str, verb: str, values: Mapping[str, str]) -> str:
    changes = "".join(f"{verb}: {name}\n{coded(name, value)}-\n" for name, value in values.items())
    return coded("dn", dn) + "changetype: modify\n" + changes
