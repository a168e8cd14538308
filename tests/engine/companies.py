"""Small companies for the tests of the deciding half: desired and actual as values, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from wxsync.config.policy import PolicySettings
from wxsync.config.settings import SyncSettings
from wxsync.engine.decide import Decision, decide
from wxsync.model.department import Department
from wxsync.model.desired import Desired, ReadingProof
from wxsync.model.member import Member
from wxsync.model.remembered import (
    LinkState,
    Remembered,
    RememberedDepartment,
    RememberedMember,
    RememberedTag,
)
from wxsync.model.seen import Seen, SeenDepartment, SeenMember, SeenTag, ShownMember
from wxsync.model.tag import Tag
from wxsync.model.unknown import UNKNOWN

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ROOT = 1


def settings(policy: Mapping[str, Any] | None = None, **more: Any) -> SyncSettings:
    """A sync whose limits are never in the way, unless the test says otherwise."""
    wide = {"percent": 100, "floor": 1_000_000}
    limits = dict.fromkeys(
        (
            "member_remove",
            "member_create",
            "member_update",
            "field_change",
            "department_create",
            "department_update",
            "department_delete",
            "department_move",
            "tag_member_add",
            "tag_member_remove",
            "source_shrink",
        ),
        wide,
    )
    return SyncSettings.model_validate(
        {
            "corp": "acme",
            "sources": ["hr"],
            "mode": "apply",
            "department": {"key": "code", "parent": "parent", "name": "name"},
            "member": {"key": "no", "userid": "no", "name": "name"},
            "policy": {"leavers": "disable", "empty_departments": "delete", "adopt": [], **(policy or {})},
            "limits": limits,
            **more,
        }
    )


def policy(**more: Any) -> PolicySettings:
    return settings(more).policy


def reading(query: str, rows: int = 1, **more: Any) -> ReadingProof:
    return ReadingProof(source="hr", query=query, rows=rows, **{"is_complete": True, **more})


def person(key: str, **fields: Any) -> Member:
    """Somebody as the source wants them: in the root department, with a phone number."""
    values: dict[str, Any] = {
        "userid": key.lower(),
        "name": f"人{key}",
        "departments": (ROOT,),
        "main_department": ROOT,
        **fields,
    }
    if "main_department" not in fields and values["departments"] != (ROOT,):
        values["main_department"] = values["departments"][0]
    return Member(key=key, **values)


def unit(key: str, parent: str | int = ROOT, name: str | None = None, **more: Any) -> Department:
    return Department(
        key=key, parent=parent, name=name or f"部门{key}", order=more.pop("order", UNKNOWN), **more
    )


def desired(
    people: Iterable[Member] = (),
    departments: Iterable[Department] = (),
    tags: Mapping[str, Iterable[str]] | None = None,
    **more: Any,
) -> Desired:
    return Desired(
        departments={each.key: each for each in departments},
        members={each.key: each for each in people},
        tags={name: Tag(name=name, members=frozenset(keys)) for name, keys in (tags or {}).items()},
        readings=more.pop("readings", (reading("departments"), reading("members"))),
        tags_are_mapped=more.pop("tags_are_mapped", tags is not None),
        **more,
    )


def places(member: Member) -> tuple[str | int, ...]:
    return () if member.departments is UNKNOWN else member.departments


class Company:
    """What WeCom shows and what the mirror remembers, told together: everything here is ours."""

    def __init__(self) -> None:
        self.departments: dict[str, tuple[int, Department]] = {}
        self.members: dict[str, Member] = {}
        self.links: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, tuple[int, frozenset[str], frozenset[str]]] = {}
        self.foreign_members: dict[str, frozenset[int]] = {}
        self.foreign_departments: dict[int, int] = {}
        self.foreign_tags: dict[str, int] = {}
        self.shown: dict[str, ShownMember] = {}
        """Userid -> what WeCom shows of a foreign member."""
        self.shown_names: dict[int, str] = {}
        """Department id -> the name that WeCom shows."""

    def department(self, key: str, parent: str | int = ROOT, name: str | None = None) -> int:
        id = len(self.departments) + 100
        self.departments[key] = (id, unit(key, parent, name))
        return id

    def member(self, key: str, link: Mapping[str, Any] | None = None, **fields: Any) -> Member:
        known = person(key, **{"enable": True, "is_leader": (), **fields})
        self.members[key] = known
        self.links[key] = dict(link or {})
        return known

    def tag(self, name: str, put_in: Iterable[str] = (), by_hand: Iterable[str] = ()) -> None:
        """`put_in` are keys, `by_hand` are userids."""
        self.tags[name] = (len(self.tags) + 1, frozenset(put_in), frozenset(by_hand))

    def id_of(self, ref: str | int) -> int:
        return ref if isinstance(ref, int) else self.departments[ref][0]

    def seen(self) -> Seen:
        ours = [
            SeenDepartment(id=id, parent_id=self.id_of(each.parent), order=0)
            for id, each in self.departments.values()
        ]
        foreign = [
            SeenDepartment(id=id, parent_id=parent, order=0, name=self.shown_names.get(id, UNKNOWN))
            for id, parent in self.foreign_departments.items()
        ]
        people = [
            SeenMember(userid=each.userid, department_ids=frozenset(map(self.id_of, places(each))))
            for each in self.members.values()
        ]
        strangers = [
            SeenMember(userid=userid, department_ids=ids, shown=self.shown.get(userid))
            for userid, ids in self.foreign_members.items()
        ]
        tags = [
            SeenTag(
                id=id,
                name=name,
                userids=frozenset(self.members[key].userid for key in put_in) | by_hand,
            )
            for name, (id, put_in, by_hand) in self.tags.items()
        ]
        tags += [SeenTag(id=id, name=name) for name, id in self.foreign_tags.items()]
        return Seen(
            departments=(SeenDepartment(id=ROOT, parent_id=0, order=0), *ours, *foreign),
            members=(*people, *strangers),
            tags=tuple(tags),
        )

    def remembered(self, **more: Any) -> Remembered:
        return Remembered(
            departments={
                key: RememberedDepartment(
                    key=key, id=id, state=LinkState.OURS, name=each.name, parent_id=self.id_of(each.parent)
                )
                for key, (id, each) in self.departments.items()
            },
            members={
                key: RememberedMember(**{"state": LinkState.OURS, "member": each, **self.links[key]})
                for key, each in self.members.items()
            },
            tags={
                name: RememberedTag(
                    name=name,
                    id=id,
                    state=LinkState.OURS,
                    userids=frozenset(self.members[key].userid for key in put_in),
                )
                for name, (id, put_in, _) in self.tags.items()
            },
            has_been_applied=more.pop("has_been_applied", True),
            **more,
        )

    def decide(
        self,
        wanted: Desired,
        sync: SyncSettings | None = None,
        remembered: Remembered | None = None,
        now: datetime = NOW,
        *,
        weak_too: bool = False,
    ) -> Decision:
        return decide(
            sync="acme",
            corp_id="ww5a6d626f78000001",
            settings=sync or settings(),
            desired=wanted,
            seen=self.seen(),
            remembered=remembered or self.remembered(),
            now=now,
            weak_too=weak_too,
        )
