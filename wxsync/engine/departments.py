"""What differs between the departments that the sources ask for and those that WeCom has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wxsync.config.settings import PolicySettings
from wxsync.engine.actual import Actual
from wxsync.errors import ConfigError
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.department import DEPARTMENT_FIELDS, Department
from wxsync.model.desired import Desired
from wxsync.model.message import Message, say
from wxsync.model.remembered import Remembered
from wxsync.model.unknown import UNKNOWN, Value


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
) -> Iterator[Change]:
    """One change for each department that differs, in no particular order.

    A dropped department is proposed for deletion here; whether it holds anybody is judged by
    `wxsync.engine.vacancy`, when it is known who leaves.

    Raises ConfigError where `adopt_departments` names a department that cannot be adopted.
    """
    adopted = _adoptable(desired, actual, remembered, policy.adopt_departments)
    for key, wanted in desired.departments.items():
        known = actual.departments.get(key)
        if key in adopted:
            yield _adoption(wanted, adopted[key])
        elif known is None:
            yield _creation(wanted, key in remembered.departments)
        elif fields := _differences(wanted, known):
            yield _update(wanted, known, fields, is_held=key in held)
    for key, known in actual.departments.items():
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


def _creation(wanted: Department, was_ours: bool) -> Change:
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


def _update(
    wanted: Department, known: Department, fields: Mapping[str, FieldChange], *, is_held: bool
) -> Change:
    shown = Department(
        key=wanted.key, id=known.id, name=wanted.name, parent=wanted.parent, order=wanted.order
    )
    if is_held:
        return _change(
            shown,
            Verb.KEEP,
            say("it is below a department whose row is rejected"),
            fields=fields,
            reason=Reason.REJECTED,
        )
    why = say("{fields} differs from the source", fields=", ".join(fields))
    return _change(shown, Verb.UPDATE, why, fields=fields)


def _dropped(known: Department, desired: Desired, policy: PolicySettings, *, is_held: bool) -> Change:
    if is_held:
        why = say("its row, or one above it, is rejected")
        return _change(known, Verb.KEEP, why, reason=Reason.REJECTED)
    if desired.is_doubtful("departments"):
        why = say("the source has departments without a key: each of them may be this one")
        return _change(known, Verb.KEEP, why, reason=Reason.REJECTED)
    if policy.empty_departments == "keep":
        why = say("the source dropped it; policy.empty_departments is keep")
        return _change(known, Verb.KEEP, why, reason=Reason.GRACE)
    return _change(known, Verb.DELETE, say("the source dropped it, and it holds nobody"))


def _adoptable(
    desired: Desired, actual: Actual, remembered: Remembered, wishes: Mapping[str, int]
) -> dict[str, int]:
    """The wishes that are still to be carried out: key -> department id."""
    taken = {department.id: key for key, department in actual.departments.items()}
    adoptable: dict[str, int] = {}
    problems: list[str] = []
    for key, id in wishes.items():
        if key in remembered.departments or key not in desired.departments:
            continue
        if id == actual.root:
            problems.append(f"{key} = {id}: that is root_department itself; use department.root for it")
        elif id in taken:
            problems.append(f"{key} = {id}: that department belongs to {taken[id]} already")
        elif id not in actual.department_ids:
            problems.append(f"{key} = {id}: WeCom has no department with this id")
        else:
            adoptable[key] = id
    if problems:
        raise ConfigError([f"policy.adopt_departments: {problem}" for problem in problems])
    return adoptable


def _adoption(wanted: Department, id: int) -> Change:
    shown = Department(key=wanted.key, id=id, name=wanted.name, parent=wanted.parent, order=wanted.order)
    return _change(shown, Verb.ADOPT, say("policy.adopt_departments names it: {id}", id=id))


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
