"""What differs between the departments that the sources ask for and those that WeCom has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from wxsync.config.settings import PolicySettings
from wxsync.engine.actual import Actual
from wxsync.engine.drift import Hands, Handwork
from wxsync.engine.drift_fields import Fields
from wxsync.engine.handed import Handed, handed
from wxsync.engine.roots import ancestors
from wxsync.errors import ConfigError
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.department import DEPARTMENT_FIELDS, Department
from wxsync.model.desired import Desired
from wxsync.model.message import Message, say
from wxsync.model.remembered import LinkState, Remembered
from wxsync.model.unknown import UNKNOWN, Unknown, Value


def held_departments(desired: Desired, actual: Actual) -> frozenset[str]:
    """Keys of the rejected departments and of all below them, in the source's tree and in WeCom's."""
    below: dict[str, list[str]] = {}
    for key, department in actual.departments.items():
        if isinstance(department.parent, str):
            below.setdefault(department.parent, []).append(key)
    held: set[str] = set()
    queue = list(desired.held_departments)
    while queue:
        key = queue.pop()
        if key not in held:
            held.add(key)
            queue.extend(below.get(key, ()))
    return frozenset(held)


def diff_departments(
    desired: Desired,
    actual: Actual,
    remembered: Remembered,
    policy: PolicySettings,
    held: frozenset[str],
    adopted: Mapping[str, int],
    hands: Hands,
    sides: Fields,
) -> Iterator[Change | Handwork]:
    """One change for each department that differs, and every hand's doing.

    `adopted` are those that become ours by this plan.

    A dropped department is proposed for deletion here; whether it holds anybody is judged by
    `wxsync.engine.vacancy`, when it is known who leaves.
    """
    for key, wanted in sorted(desired.departments.items()):
        known = actual.departments.get(key)
        if key in adopted:
            yield _adoption(wanted, adopted[key])
        elif known is None:
            yield _creation(wanted, was_ours=_was_ours(remembered, key))
        elif fields := _differences(wanted, known):
            judged = handed(hands, Kind.DEPARTMENT, key, fields, sides.of_department)
            yield from judged.handwork
            yield from _updates(wanted, known, judged, fields, is_held=key in held)
    for key, known in sorted(actual.departments.items()):
        if key not in desired.departments:
            yield _dropped(known, desired, policy, is_held=key in held)


def _differences(wanted: Department, known: Department) -> dict[str, FieldChange]:
    fields: dict[str, FieldChange] = {}
    for name in DEPARTMENT_FIELDS:
        before: Value = getattr(known, name)
        after: Value = getattr(wanted, name)
        if after is not UNKNOWN and (before is UNKNOWN or before != after):
            fields[name] = FieldChange(before, after)
    return fields


def _was_ours(remembered: Remembered, key: str) -> bool:
    link = remembered.departments.get(key)
    return link is not None and link.state is not LinkState.PENDING


def _creation(wanted: Department, *, was_ours: bool) -> Change:
    fields = {
        name: FieldChange(None, value)
        for name in DEPARTMENT_FIELDS
        if (value := getattr(wanted, name)) is not UNKNOWN
    }
    why = (
        say("it was ours and is no longer in WeCom")
        if was_ours
        else say("it is in the source and not yet in WeCom")
    )
    return _change(wanted, Verb.CREATE, why, fields=fields)


def _updates(
    wanted: Department,
    known: Department,
    judged: Handed,
    differences: Mapping[str, FieldChange],
    *,
    is_held: bool,
) -> Iterator[Change]:
    shown = Department(
        key=wanted.key, id=known.id, name=wanted.name, parent=wanted.parent, order=wanted.order
    )
    if is_held:
        why = say("it is below a department whose row is rejected")
        keep = _change(shown, Verb.KEEP, why, fields=differences, reason=Reason.REJECTED)
        yield replace(keep, drift=judged.by_hand)
        return
    for left in judged.left:
        keep = _change(shown, Verb.KEEP, left.why, fields=left.fields, reason=Reason.FOREIGN)
        yield replace(keep, drift=left.drift)
    if judged.fields:
        yield replace(_change(shown, Verb.UPDATE, judged.why, fields=judged.fields), drift=judged.drift)


def _dropped(known: Department, desired: Desired, policy: PolicySettings, *, is_held: bool) -> Change:
    if is_held:
        why = say("its row, or one above it, is rejected")
        return _change(known, Verb.KEEP, why, reason=Reason.REJECTED)
    if desired.is_doubtful("departments"):
        why = say("the source has departments without a key, and each may be this one: filter those out")
        return _change(known, Verb.KEEP, why, reason=Reason.REJECTED)
    if policy.empty_departments == "keep":
        why = say("the source dropped it; policy.empty_departments is keep")
        return _change(known, Verb.KEEP, why, reason=Reason.GRACE)
    return _change(known, Verb.DELETE, say("the source dropped it, and it holds nobody"))


def adoptable(
    desired: Desired, actual: Actual, remembered: Remembered, wishes: Mapping[str, int]
) -> dict[str, int]:
    """The wishes of `adopt_departments` that are still to be carried out: key -> department id.

    Raises ConfigError where one of them cannot be.
    """
    taken = {department.id: key for key, department in actual.departments.items()}
    above = set(ancestors(actual.root, actual.parents))
    adopted: dict[str, int] = {}
    problems: list[str] = []
    for key, id in sorted(wishes.items()):
        is_known = key in remembered.departments or key in desired.held_departments
        if key in actual.departments or (key not in desired.departments and is_known):
            continue
        if key not in desired.departments:
            if desired.is_complete:
                problems.append(f"{key} = {id}: no source has a department with this key")
            continue
        if id == actual.root:
            problems.append(f"{key} = {id}: that is root_department itself; use department.root for it")
        elif id in taken:
            problems.append(f"{key} = {id}: that department belongs to {taken[id]} already")
        elif id in above:
            problems.append(f"{key} = {id}: that department lies above root_department")
        elif id in remembered.elsewhere_department_ids:
            problems.append(f"{key} = {id}: that department belongs to another sync of this corp")
        elif id not in actual.department_ids:
            problems.append(f"{key} = {id}: WeCom has no department with this id")
        else:
            adopted[key] = id
    if problems:
        raise ConfigError([f"policy.adopt_departments: {problem}" for problem in problems])
    return _with_namesakes(adopted, desired, actual, remembered.elsewhere_department_ids)


def _with_namesakes(
    adopted: Mapping[str, int], desired: Desired, actual: Actual, elsewhere: frozenset[int]
) -> dict[str, int]:
    """The same, and those of the same name in the same place, from the top down, where names are shown."""
    places: dict[tuple[int | None, str | Unknown], int] = {
        (department.parent_id, department.name): id
        for id, department in actual.foreign_departments.items()
        if department.name is not UNKNOWN and id not in adopted.values() and id not in elsewhere
    }
    found = dict(adopted)
    ids = {key: department.id for key, department in actual.departments.items()} | found
    waiting = [key for key in sorted(desired.departments) if key not in ids]
    while places:
        new = {
            key: id
            for key in waiting
            if (id := places.get((_parent_id(desired.departments[key], ids), desired.departments[key].name)))
        }
        if not new:
            break
        found |= new
        ids |= new
        waiting = [key for key in waiting if key not in new]
    return found


def _parent_id(department: Department, ids: Mapping[str, int | None]) -> int | None:
    return department.parent if isinstance(department.parent, int) else ids.get(department.parent)


def _adoption(wanted: Department, id: int) -> Change:
    shown = Department(key=wanted.key, id=id, name=wanted.name, parent=wanted.parent, order=wanted.order)
    return _change(shown, Verb.ADOPT, say("it is in WeCom already, under the id {id}", id=id))


def _change(
    department: Department,
    verb: Verb,
    why: Message,
    *,
    fields: Mapping[str, FieldChange] | None = None,
    reason: Reason | None = None,
) -> Change:
    return Change(
        kind=Kind.DEPARTMENT,
        verb=verb,
        key=department.key,
        id=None if verb is Verb.CREATE else department.id,
        name=None if department.name is UNKNOWN else department.name,
        fields=fields or {},
        why=why,
        reason=reason,
    )
