"""WeCom at one moment, and what may have become of it a run later: the contract's promises as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from wxsync.config.limits import LimitsSettings
from wxsync.sandbox.state import SandboxState

TEXTS = ("name", "alias", "mobile", "email", "position")


@dataclass(frozen=True, slots=True)
class Person:
    texts: tuple[str, ...]
    """As in `TEXTS`."""
    is_enabled: bool
    places: frozenset[int]
    leads: frozenset[int]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that must not change behind anybody's back."""

    people: Mapping[str, Person]
    units: Mapping[int, tuple[str, int]]
    """Department id -> name and the id above."""
    tags: Mapping[int, tuple[str, frozenset[str]]]


def picture(state: SandboxState) -> Picture:
    return Picture(
        people={
            userid: Person(
                texts=tuple(str(getattr(member, name)) for name in TEXTS),
                is_enabled=bool(member.enable),
                places=frozenset(member.department),
                leads=frozenset(
                    id for id, mark in zip(member.department, member.is_leader_in_dept, strict=True) if mark
                ),
            )
            for userid, member in state.members.items()
        },
        units={id: (each.name, each.parentid) for id, each in state.departments.items()},
        tags={id: (each.name, frozenset(each.users)) for id, each in state.tags.items()},
    )


@dataclass(slots=True)
class Strangers:
    """What is not wxsync's to touch, as it was left by whoever made it."""

    people: dict[str, Person] = field(default_factory=dict)
    """Foreign ones, and those whom the policy protects."""
    units: dict[int, tuple[str, int]] = field(default_factory=dict)
    tags: dict[int, tuple[str, frozenset[str]]] = field(default_factory=dict)

    def touched(self, now: Picture) -> Iterator[str]:
        """Promise 3; none is good."""
        for userid, person in self.people.items():
            if now.people.get(userid) != person:
                yield f"{userid} is not ours: {person} became {now.people.get(userid)}"
        for id, unit in self.units.items():
            if now.units.get(id) != unit:
                yield f"department {id} is not ours: {unit} became {now.units.get(id)}"
        for id, tag in self.tags.items():
            if now.tags.get(id) != tag:
                yield f"tag {id} is not ours: {tag} became {now.tags.get(id)}"


@dataclass(frozen=True, slots=True)
class Removed:
    """What one run took away."""

    gone: AbstractSet[str]
    disabled: AbstractSet[str]
    created: AbstractSet[str]
    units: AbstractSet[int]

    def unwarranted(self, wanted: list[AbstractSet[str]], ever: AbstractSet[str]) -> Iterator[str]:
        """Nobody is lost whom the source wanted ever since the last clean run; nobody comes unasked."""
        for userid in sorted(self.gone | self.disabled):
            if all(userid in some for some in wanted):
                yield f"{userid} is wanted, and was {'deleted' if userid in self.gone else 'disabled'}"
        for userid in sorted(self.created - ever):
            yield f"{userid} was created, and nobody wants them"

    def beyond(self, limits: LimitsSettings, ours: int, units: int, *, is_first: bool) -> Iterator[str]:
        """No unapproved run does more than the config allows; none is good."""
        counts = {
            "member_remove": (len(self.gone | self.disabled), limits.member_remove.allowed(ours)),
            "department_delete": (len(self.units), limits.department_delete.allowed(units)),
        }
        if not is_first:
            counts["member_create"] = (len(self.created), limits.member_create.allowed(ours))
        for name, (count, allowed) in counts.items():
            if count > allowed:
                yield f"{name}: {count}, and {allowed} are allowed"


def removed(before: Picture, after: Picture) -> Removed:
    return Removed(
        gone=before.people.keys() - after.people.keys(),
        disabled={
            userid
            for userid, person in before.people.items()
            if person.is_enabled and userid in after.people and not after.people[userid].is_enabled
        },
        created=after.people.keys() - before.people.keys(),
        units=before.units.keys() - after.units.keys(),
    )


def taken_away(before: Picture, after: Picture) -> Iterator[str]:
    """Every removal in the wide sense (contract §1); none is good after a read that was not proven whole."""
    for userid, person in before.people.items():
        now = after.people.get(userid)
        if now is None:
            yield f"{userid} was deleted"
            continue
        if person.is_enabled and not now.is_enabled:
            yield f"{userid} was disabled"
        if lost := person.places - now.places:
            yield f"{userid} left departments {sorted(lost)}"
        if lost := (person.leads & now.places) - now.leads:
            yield f"{userid} leads {sorted(lost)} no longer"
        for name, had, has in zip(TEXTS, person.texts, now.texts, strict=True):
            if had and not has:
                yield f"{userid} has no {name} any more"
    for id, (name, above) in before.units.items():
        if after.units.get(id, ("", above))[1] != above or id not in after.units:
            yield f"department {id} {name} was moved or deleted"
    for id, (name, users) in before.tags.items():
        if lost_users := users - after.tags.get(id, ("", frozenset[str]()))[1]:
            yield f"tag {name} lost {sorted(lost_users)}"
