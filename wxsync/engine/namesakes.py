"""Departments that want a name in a place where another one stays: rejected, with what is below them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from wxsync.engine.actual import Actual
from wxsync.model.change import Change, Kind, Rejected, Verb
from wxsync.model.desired import Desired
from wxsync.model.message import say
from wxsync.model.unknown import UNKNOWN, DepartmentRef, Value

Place = tuple[DepartmentRef, Value]
"""(parent, name): no two departments may stand in one (WeCom errcode 60008)."""


def namesakes(changes: Iterable[Change], actual: Actual) -> dict[str, Rejected]:
    """Key -> reject, for each department that the plan would put where another one of ours is to stay.

    That one was dropped and still holds somebody, or is held back on a doubtful reading. WeCom would refuse,
    run after run.
    """
    writes = [
        change
        for change in changes
        if change.kind is Kind.DEPARTMENT and change.verb is not Verb.KEEP and not change.is_temporary
    ]
    places: dict[str, Place] = {key: (unit.parent, unit.name) for key, unit in actual.departments.items()}
    staying = places.keys() - {change.key for change in writes}
    holders: dict[Place, str] = {places[key]: key for key in sorted(staying) if places[key][1] is not UNKNOWN}
    found: dict[str, Rejected] = {}
    for change in writes:
        key = str(change.key)
        if change.verb in (Verb.CREATE, Verb.UPDATE) and change.fields.keys() & {"parent", "name"}:
            holder = holders.get(_target(change, places.get(key, (actual.root, UNKNOWN))))
            if holder is not None:
                found[key] = _taken(key, holder)
    return found


def without(desired: Desired, rejected: Mapping[str, Rejected]) -> Desired:
    """The same wishes without these departments; they and all below them stay as they are (contract §1)."""
    below: dict[DepartmentRef, list[str]] = {}
    for key, department in desired.departments.items():
        below.setdefault(department.parent, []).append(key)
    held: set[str] = set()
    queue = list(rejected)
    while queue:
        key = queue.pop()
        if key not in held:
            held.add(key)
            queue += below.get(key, [])
    return replace(
        desired,
        departments={key: each for key, each in desired.departments.items() if key not in held},
        held_departments=desired.held_departments | held,
        rejected=(*desired.rejected, *(rejected[key] for key in sorted(rejected))),
    )


def _target(change: Change, now: Place) -> Place:
    parent, name = now
    if "parent" in change.fields and isinstance(after := change.fields["parent"].after, str | int):
        parent = after
    return parent, change.fields["name"].after if "name" in change.fields else name


def _taken(key: str, holder: str) -> Rejected:
    problem = say("its name in that place is that of {key}, which stays there", key=holder)
    return Rejected(kind=Kind.DEPARTMENT, key=key, field="name", rule="taken", problem=problem)
