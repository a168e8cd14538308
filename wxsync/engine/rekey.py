"""Which keys of ours the source has given up for others, and what the mirror then remembers.

Pure: reads nothing, writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from wxsync.engine.actual import Actual
from wxsync.errors import GuardError
from wxsync.model.change import Kind
from wxsync.model.desired import Desired
from wxsync.model.drift import Drift
from wxsync.model.member import fold, ref_order
from wxsync.model.rekey import KeyPair, Rekeyed
from wxsync.model.remembered import LinkState, Remembered, RememberedMember
from wxsync.model.unknown import UNKNOWN, DepartmentRef, Value

MOST_NAMED: Final = 5
Keys = Mapping[str, str]
"""Old key -> new key."""


def paired_by_userid(desired: Desired, remembered: Remembered) -> tuple[KeyPair, ...]:
    """Members of ours whose userid the source now gives to another key: the same person, renumbered."""
    owners = {
        fold(link.member.userid): key
        for key, link in remembered.members.items()
        if link.state is not LinkState.GONE
    }
    return tuple(
        KeyPair(kind=Kind.MEMBER, old=owner, new=key)
        for key, wanted in sorted(desired.members.items())
        if (owner := owners.get(fold(wanted.userid))) is not None and owner != key
    )


def paired_by_place(
    desired: Desired, actual: Actual, remembered: Remembered, known: Iterable[KeyPair] = ()
) -> tuple[KeyPair, ...]:
    """Departments that the source dropped, beside new ones of the same name in the same place.

    From the top down, so that a whole tree with other keys is found; what `known` names is not looked at.
    """
    listed = [pair for pair in known if pair.kind is Kind.DEPARTMENT]
    olds = {pair.new: pair.old for pair in listed}
    named = {pair.old for pair in listed}
    there = desired.departments.keys() | desired.held_departments
    dropped: dict[tuple[Value, Value], str] = {
        (department.parent, department.name): key
        for key, department in actual.departments.items()
        if key not in there and key not in named and department.name is not UNKNOWN
    }
    found: list[KeyPair] = []
    for key in _top_down(desired):
        wanted = desired.departments[key]
        is_new = key not in olds and key not in remembered.departments
        parent = olds.get(wanted.parent, wanted.parent) if isinstance(wanted.parent, str) else wanted.parent
        if is_new and (old := dropped.get((parent, wanted.name))) is not None:
            olds[key] = old
            found.append(KeyPair(kind=Kind.DEPARTMENT, old=old, new=key))
    return tuple(found)


def _top_down(desired: Desired) -> list[str]:
    """Every department after the one that it is in."""
    depths: dict[str, int] = {}

    def depth(key: str) -> int:
        if key not in depths:
            parent = desired.departments[key].parent
            is_inside = isinstance(parent, str) and parent in desired.departments
            depths[key] = depth(str(parent)) + 1 if is_inside else 0
        return depths[key]

    return sorted(desired.departments, key=lambda key: (depth(key), key))


def check_pairs(pairs: Iterable[KeyPair], desired: Desired, remembered: Remembered) -> tuple[KeyPair, ...]:
    """Those of the pairs that are about records of ours; each once.

    Raises GuardError, which names what is ambiguous: a key with two others, a new key that another record
    of ours keeps, or an old one that the source still has while it knows nothing of the new one.
    """
    once = tuple(dict.fromkeys(pairs))
    ours = {Kind.MEMBER: remembered.members.keys(), Kind.DEPARTMENT: remembered.departments.keys()}
    told = tuple(pair for pair in once if pair.old in ours[pair.kind])
    faults = [*_doubled(once), *_occupied(told, ours), *_reversed(told, desired)]
    if faults:
        more = f"; and {len(faults) - MOST_NAMED} more" if len(faults) > MOST_NAMED else ""
        raise GuardError(
            "nothing was changed, as it cannot be told who is who: " + "; ".join(faults[:MOST_NAMED]) + more,
            hint="name the pairs in a file with the columns old and new: wxsync rekey SYNC --by FILE",
        )
    return told


def _doubled(pairs: Iterable[KeyPair]) -> Iterator[str]:
    pairs = list(pairs)
    for side, other in (("old", "new"), ("new", "old")):
        counts = Counter((pair.kind, getattr(pair, side)) for pair in pairs)
        for (kind, key), count in sorted(counts.items()):
            if count > 1:
                yield f"the {side} key {key} of a {kind.value} has {count} {other} ones"


def _occupied(pairs: Iterable[KeyPair], ours: Mapping[Kind, Any]) -> Iterator[str]:
    pairs = list(pairs)
    leaving = {(pair.kind, pair.old) for pair in pairs}
    for pair in pairs:
        if pair.new in ours[pair.kind] and (pair.kind, pair.new) not in leaving:
            yield f"{pair.new} is the key of another {pair.kind.value} of ours, and not that of {pair.old}"


def _reversed(pairs: Iterable[KeyPair], desired: Desired) -> Iterator[str]:
    there = {
        Kind.MEMBER: {*desired.members, *desired.leavers, *desired.rejected_members},
        Kind.DEPARTMENT: {*desired.departments, *desired.held_departments},
    }
    for pair in pairs:
        if pair.old in there[pair.kind] and pair.new not in there[pair.kind]:
            yield f"the source has {pair.old} and not {pair.new}"


def rekeyed(remembered: Remembered, pairs: Iterable[KeyPair]) -> Rekeyed:
    """What the mirror remembers with these keys: links, places, leaders, doubts and userids of the gone."""
    pairs = tuple(pairs)
    people = {pair.old: pair.new for pair in pairs if pair.kind is Kind.MEMBER}
    places = {pair.old: pair.new for pair in pairs if pair.kind is Kind.DEPARTMENT}
    members = {key: _relinked(link, people, places) for key, link in remembered.members.items()}
    return Rekeyed(
        pairs=pairs,
        members={key: link for key, link in members.items() if link != remembered.members[key]},
        departments={
            old: replace(remembered.departments[old], key=new)
            for old, new in places.items()
            if old in remembered.departments
        },
        missed_reads={people.get(key, key): reads for key, reads in remembered.missed_reads.items()},
        retired_userids={
            folded: people[key] for folded, key in remembered.retired_userids.items() if key in people
        },
        drifts={
            place: changed
            for place, drift in remembered.drifts.items()
            if (changed := _noted(drift, people, places)) != drift
        },
    )


def _noted(drift: Drift, people: Keys, places: Keys) -> Drift:
    """What a hand did, under the new keys; tags go by name, and their people by userid."""
    if drift.kind is Kind.TAG:
        return drift
    keys = people if drift.kind is Kind.MEMBER else places
    field = "main_department" if drift.field == "parent" else drift.field  # one department too
    base = _translated(field, drift.base, people, places)
    return replace(drift, key=keys.get(drift.key, drift.key), base=base)


def _relinked(link: RememberedMember, people: Keys, places: Keys) -> RememberedMember:
    member = link.member
    values: dict[str, Any] = {
        name: _translated(name, value, people, places)
        for name in ("direct_leader", "departments", "main_department", "is_leader", "order")
        if (value := getattr(member, name)) is not UNKNOWN
    }
    return replace(
        link,
        member=replace(member, key=people.get(member.key, member.key), **values),
        doubts={
            name: tuple(_translated(name, value, people, places) for value in held)
            for name, held in link.doubts.items()
        },
    )


def _translated(name: str, value: Value, people: Keys, places: Keys) -> Any:
    """A field's value with the new keys in it; ids of WeCom are numbers and stay."""
    match name, value:
        case "direct_leader", str():
            return people.get(value, value)
        case "main_department", str():
            return places.get(value, value)
        case "departments", tuple():
            return tuple(_place(ref, places) for ref in value)
        case "is_leader", tuple():
            return tuple(sorted((_place(ref, places) for ref in value), key=ref_order))
        case "order", tuple():
            orders = cast("tuple[tuple[DepartmentRef, int], ...]", value)
            moved = ((_place(ref, places), number) for ref, number in orders)
            return tuple(sorted(moved, key=lambda pair: ref_order(pair[0])))
        case _:
            return value


def _place(ref: Any, places: Keys) -> DepartmentRef:
    moved: DepartmentRef = places.get(ref, ref)
    return moved


def left_over(desired: Desired, actual: Actual, pairs: Iterable[KeyPair]) -> tuple[str, ...]:
    """Keys of members of ours whom the source has under no key, as far as these pairs tell."""
    paired = {pair.old for pair in pairs if pair.kind is Kind.MEMBER}
    there = {*desired.members, *desired.leavers, *desired.rejected_members}
    return tuple(sorted(actual.members.keys() - there - paired))
