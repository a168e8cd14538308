"""What became of the source where a plan is over a limit: whole departments gone, fields emptied. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from wxsync.engine.actual import Actual
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.desired import Desired
from wxsync.model.message import Message, say
from wxsync.model.plan import Limit
from wxsync.model.remembered import Remembered
from wxsync.model.unknown import UNKNOWN, Value

MOST_NAMED: Final = 5
"""So many departments are named, those with most people first."""
MOSTLY: Final = 2
"""What explains at least one part in so many of the changes is told."""


def lost_departments(changes: Sequence[Change], desired: Desired, actual: Actual) -> Iterator[Message]:
    """Departments of ours all of whose people are removed: each with what is below it, the largest first."""
    removed = {
        change.key
        for change in changes
        if change.kind is Kind.MEMBER and change.verb in (Verb.DISABLE, Verb.DELETE)
    }
    people, leaving = _people(actual, lambda key: True), _people(actual, lambda key: key in removed)
    whole = {key for key, count in people.items() if count > 1 and leaving[key] == count}
    topmost = [key for key in whole if actual.departments[key].parent not in whole]
    for key in sorted(topmost, key=lambda key: (-people[key], key))[:MOST_NAMED]:
        name, count = _name(actual, key), people[key]
        if _is_gone(key, desired):
            yield say(
                "department {name} is gone from the source, with {count} people", name=name, count=count
            )
        else:
            yield say(
                "department {name} has nobody left in the source, and had {count} people",
                name=name,
                count=count,
            )


def left_departments(changes: Sequence[Change], desired: Desired, actual: Actual) -> Iterator[Message]:
    """Departments of ours that the source has no more, and whose people it has elsewhere."""
    moved: Counter[str] = Counter()
    for change in changes:
        values = change.fields.get("departments")
        if change.kind is Kind.MEMBER and values is not None and change.verb is not Verb.KEEP:
            before, after = _refs(values.before), _refs(values.after)
            moved.update(key for key in before - after if key in actual.departments)
    gone = [(key, count) for key, count in moved.items() if _is_gone(key, desired)]
    for key, count in sorted(gone, key=lambda item: (-item[1], item[0]))[:MOST_NAMED]:
        yield say(
            "department {name} is gone from the source, and {count} people of it are in others",
            name=_name(actual, key),
            count=count,
        )


def dropped_departments(changes: Sequence[Change], actual: Actual) -> Iterator[Message]:
    """The topmost of the departments that are deleted."""
    dropped = {
        change.key for change in changes if change.kind is Kind.DEPARTMENT and change.verb is Verb.DELETE
    }
    below = Counter(_topmost(str(key), dropped, actual) for key in dropped if key in actual.departments)
    for key, count in sorted(below.items(), key=lambda item: (-item[1], item[0]))[:MOST_NAMED]:
        name = _name(actual, key)
        if count == 1:
            yield say("department {name} is gone from the source", name=name)
        else:
            yield say(
                "department {name} is gone from the source, with {count} below it", name=name, count=count - 1
            )


def new_parents(changes: Sequence[Change], desired: Desired) -> Iterator[Message]:
    """The department below which most of those that move go."""
    parents = Counter(
        str(change.fields["parent"].after)
        for change in changes
        if change.kind is Kind.DEPARTMENT and change.verb is Verb.UPDATE and "parent" in change.fields
    )
    for key, count in parents.most_common(1):
        if count > 1 and count * MOSTLY >= parents.total():
            wanted = desired.departments.get(key)
            name = str(wanted.name) if wanted is not None else key
            yield say("{count} of them go below department {name}", count=count, name=name)


def fewer_rows(limit: Limit, desired: Desired, remembered: Remembered) -> Iterator[Message]:
    """Queries that lost rows, so many that it explains the limit."""
    for reading in desired.readings:
        where = f"{reading.source}.{reading.query}"
        before = remembered.baselines.get((reading.source, reading.query), 0)
        is_meant = limit.detail == where if limit.name == "source_shrink" else reading.query == "members"
        if is_meant and (before - reading.rows) * MOSTLY >= max(1, limit.count):
            yield say(
                "{query} gives {rows} rows, and gave {before} in the last run",
                query=where,
                rows=reading.rows,
                before=before,
            )


def called_leavers(changes: Sequence[Change], desired: Desired) -> Iterator[Message]:
    """Most of those who are removed have a row that says so."""
    removed = [
        change
        for change in changes
        if change.kind is Kind.MEMBER and change.verb in (Verb.DISABLE, Verb.DELETE)
    ]
    own = sum(change.key in desired.leavers for change in removed)
    if own and own * MOSTLY >= len(removed):
        yield say("the source itself calls {count} of them inactive or past their last day", count=own)


def one_value(field: str, changes: Sequence[Change]) -> Iterator[Message]:
    """Most members get one and the same value, or lose it."""
    after: Counter[Value] = Counter(
        change.fields[field].after
        for change in changes
        if change.kind is Kind.MEMBER and change.verb in (Verb.UPDATE, Verb.ENABLE) and field in change.fields
    )
    for value, count in after.most_common(1):
        if count < 2 or count * MOSTLY < after.total():
            continue
        if value is None:
            yield say("the source has no value any more for {count} of them", count=count)
        else:
            yield say("{count} of them get one and the same value", count=count)


def _people(actual: Actual, counts: Callable[[str], bool]) -> Counter[str]:
    """Department of ours -> how many of ours who count are in it or below it."""
    found: Counter[str] = Counter()
    for key, member in actual.members.items():
        if counts(key):
            places = {ref for ref in _refs(member.departments) if ref in actual.departments}
            found.update({above for place in places for above in _upwards(place, actual)})
    return found


def _upwards(key: str, actual: Actual) -> Iterator[str]:
    """The department and all above it that are ours; a loop ends where it began."""
    passed: set[str] = set()
    while key in actual.departments and key not in passed:
        passed.add(key)
        yield key
        key = str(actual.departments[key].parent)


def _topmost(key: str, among: set[str | None], actual: Actual) -> str:
    return [above for above in _upwards(key, actual) if above in among][-1]


def _refs(value: Value | Mapping[str, object]) -> frozenset[str]:
    return (
        frozenset(ref for ref in value if isinstance(ref, str)) if isinstance(value, tuple) else frozenset()
    )


def _is_gone(key: str, desired: Desired) -> bool:
    return key not in desired.departments and key not in desired.held_departments


def _name(actual: Actual, key: str) -> str:
    name = actual.departments[key].name
    return key if name is UNKNOWN else str(name)
