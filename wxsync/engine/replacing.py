"""A file that replaces everybody: what stands against it, who is in it, and what it says of them.

WeCom deletes whoever is not in such a file (WeCom page 90981), so it is made of the plan's end state: what
is there now, with what the file changes laid over it, without those whom the plan deletes by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wxsync.config.settings import SyncSettings
from wxsync.engine.actual import Actual
from wxsync.engine.guard import is_protected
from wxsync.engine.remembering import EXTATTR, value_of, with_values
from wxsync.engine.saying import REACHABLE, creation_row, keeps_main, member_change
from wxsync.engine.schedule import Row, Schedule, Unit
from wxsync.errors import WeComError
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.desired import Desired
from wxsync.model.member import Member, fold
from wxsync.model.message import Message, say
from wxsync.model.unknown import Unknown, Value
from wxsync.wecom.wire.import_file import can_say

CORP_ROOT: Final = 1
"""The department that is the whole corp (WeCom page 90205)."""
ROWS_A_FILE: Final = 100_000
"""About as many fit into 20 MB (WeCom page 90253)."""
NAMED: Final = 5
"""So many of those who stand against it are named."""
NAMED_MISSING: Final = 20
"""So many of those who are missing are named in the alarm."""
ALWAYS: Final = frozenset({"name", "departments", "main_department"})
"""What every file says; the main department by the order of the departments."""
TEXTS: Final = ("alias", "position", "gender", "telephone", "address")
ARRAYS: Final = ("is_leader", "order")
NOBODY: Final = frozenset[int]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The units that go by one file of everybody."""

    rows: tuple[Row, ...]
    """Creations and updates with what the file says of them, and deletions by being left out of it."""
    early: frozenset[int] = NOBODY
    """Deletions by a call before it: somebody in it takes what they had."""
    columns: tuple[str, ...] = ()
    """The fields that it says of everybody, beside those of `ALWAYS`."""
    total: int = 0
    """How many are in it."""
    obstacles: tuple[Message, ...] = ()
    """What of those in it is not known well enough; then there are no rows."""


# What stands against it


def obstacles(
    actual: Actual, desired: Desired, settings: SyncSettings, siblings: Collection[str]
) -> tuple[Message, ...]:
    """Why nothing of this corp may be replaced by a file: somebody in it is not for us to write, or to drop.

    None where the sync owns the whole corp, and its sources are proven to be read whole.
    """
    return tuple(_obstacles(actual, desired, settings, siblings))


def _obstacles(
    actual: Actual, desired: Desired, settings: SyncSettings, siblings: Collection[str]
) -> Iterator[Message]:
    if settings.root_department != CORP_ROOT:
        yield say("root_department is {id}, and a file replaces the whole corp", id=settings.root_department)
    if siblings:
        yield say("other syncs feed the corp: {names}", names=", ".join(sorted(siblings)))
    if not desired.is_complete:
        yield say("a reading of the source is not proven complete")
    if actual.strangers:
        userids = (member.userid for member in actual.strangers.values())
        yield say("members in WeCom that are not ours: {count} ({some})", **_counted(userids))
    if actual.foreign_departments:
        ids = (str(id) for id in actual.foreign_departments)
        yield say("departments in WeCom that are not ours: {count} ({some})", **_counted(ids))
    ours = (member.userid for member in actual.members.values())
    protected = [userid for userid in ours if is_protected(userid, settings.policy.protect)]
    if protected:
        yield say("members of ours whom policy.protect names: {count} ({some})", **_counted(protected))


def _counted(names: Iterable[str]) -> dict[str, object]:
    """How many they are, and the first of them."""
    listed = sorted(names)
    some = ", ".join(listed[:NAMED]) + (", …" if len(listed) > NAMED else "")
    return {"count": len(listed), "some": some}


# Who goes in


def select(schedule: Schedule, actual: Actual) -> Selection:
    """The units that one file of everybody can carry out, with its columns.

    It takes what waits for no other member's change, since nobody promises the order in which WeCom works a
    file off. A column is there only where what it says is known of everybody; what has no column is a call
    after the file, and so is whoever waits. Whether somebody is disabled is never in it: of whom a hand
    has disabled nobody may know.
    """
    columns = _wished(schedule)
    rows, early = _classified(schedule, actual, columns)
    is_of_use = bool(rows)
    while True:
        file = _file(schedule, actual, rows, early)
        known = tuple(
            name for name in columns if all(_is_known(name, value_of(member, name)) for member in file)
        )
        if known == columns:
            break
        columns = known
        rows, early = _classified(schedule, actual, columns)
    total = len(file) + _creations(schedule, rows)
    against = tuple(_unsayable(file, columns, total)) if is_of_use else ()
    if against or not rows:
        return Selection(rows=(), obstacles=against)
    return Selection(rows=tuple(rows), early=early, columns=columns, total=total)


def _wished(schedule: Schedule) -> tuple[str, ...]:
    """The fields that some unit would have the file say, in the order of its columns."""
    named: set[str] = set()
    for unit in schedule.units:
        found = member_change(unit, schedule.changes)
        if found is not None and found[0].verb in (Verb.CREATE, Verb.UPDATE):
            named.update(name for name, values in found[1].items() if can_say(name, values.after))
    attributes = sorted(name for name in named if name.startswith(EXTATTR))
    return (*REACHABLE, *(name for name in (*TEXTS, *ARRAYS) if name in named), *attributes)


def _classified(
    schedule: Schedule, actual: Actual, columns: Sequence[str]
) -> tuple[list[Row], frozenset[int]]:
    """The rows, and the deletions that have to be calls before them."""
    awaited = _awaited(schedule)
    rows: list[Row] = []
    early: set[int] = set()
    members: set[int] = set()
    """Units that a row may not wait for: they are rows themselves, or calls after the file."""
    for number, unit in enumerate(schedule.units):
        row = _row(number, unit, schedule.changes, actual, frozenset(columns))
        before = unit.needs if row is not None and "direct_leader" in row.rest else unit.needs | unit.after
        is_free = members.isdisjoint(before)
        if not is_free or (row is None and _is_members(unit, schedule.changes)):
            members.add(number)
        elif row is not None and number in awaited:
            early.add(number)
        elif row is not None:
            members.add(number)
            rows.append(row)
    return rows, frozenset(early)


def _is_members(unit: Unit, changes: Sequence[Change]) -> bool:
    return any(changes[part.n - 1].kind is Kind.MEMBER for part in unit.parts)


def _awaited(schedule: Schedule) -> frozenset[int]:
    """Deletions of members that another member's change waits for."""
    waited = (unit.needs | unit.after for unit in schedule.units if _is_members(unit, schedule.changes))
    return frozenset(
        number
        for number in frozenset[int]().union(*waited)
        if schedule.changes[schedule.units[number].parts[0].n - 1].verb is Verb.DELETE
    )


def _row(
    number: int, unit: Unit, changes: Sequence[Change], actual: Actual, columns: frozenset[str]
) -> Row | None:
    found = member_change(unit, changes)
    if found is None:
        return None
    change, fields = found
    match change.verb:
        case Verb.DELETE:
            is_there = change.key in actual.members
            return Row(unit=number, said=frozenset(), rest=frozenset(), columns=columns) if is_there else None
        case Verb.CREATE:
            return _creation(number, fields, columns)
        case Verb.UPDATE:
            return _update(number, actual.members.get(str(change.key)), fields, columns)
    return None


def _creation(number: int, fields: Mapping[str, FieldChange], columns: frozenset[str]) -> Row | None:
    """Somebody new, who has to be reachable by a column that the file has; not whoever starts disabled."""
    row = creation_row(number, fields)
    if row is None or fields.get("enable", DEFAULT).after is False:
        return None
    said = row.said & (columns | ALWAYS | {"enable"})
    if not any(name in said and fields[name].after is not None for name in REACHABLE):
        return None
    return Row(unit=number, said=said, rest=frozenset(fields) - said, columns=columns)


def _update(
    number: int, known: Member | None, fields: Mapping[str, FieldChange], columns: frozenset[str]
) -> Row | None:
    said = {
        name for name, values in fields.items() if name in columns | ALWAYS and can_say(name, values.after)
    }
    if known is None or not said or not keeps_main(known, fields):
        return None
    if not fields.keys() & {"departments", "main_department"} <= said:
        return None
    return Row(unit=number, said=frozenset(said), rest=frozenset(fields) - said, columns=columns)


def _file(schedule: Schedule, actual: Actual, rows: Iterable[Row], early: Collection[int]) -> list[Member]:
    """Who is there already, as the file says them."""
    dropped = {schedule.changes[schedule.units[number].parts[0].n - 1].key for number in early}
    said: dict[str, Mapping[str, Value]] = {}
    for row in rows:
        change = schedule.changes[schedule.units[row.unit].parts[0].n - 1]
        if change.verb is Verb.DELETE:
            dropped.add(change.key)
        elif change.verb is Verb.UPDATE:
            said[str(change.key)] = {name: change.fields[name].after for name in row.said}
    return [
        with_values(member, said[key]) if key in said else member
        for key, member in actual.members.items()
        if key not in dropped
    ]


def _creations(schedule: Schedule, rows: Iterable[Row]) -> int:
    changes, units = schedule.changes, schedule.units
    return sum(changes[units[row.unit].parts[0].n - 1].verb is Verb.CREATE for row in rows)


def _is_known(name: str, value: Value) -> bool:
    """Whether the cell holds what WeCom holds: empty only where that is known to be empty."""
    return value is None or can_say(name, value)


def _unsayable(file: Sequence[Member], columns: Sequence[str], total: int) -> Iterator[Message]:
    """What every row has to have, and some row would not."""
    reachable = [name for name in REACHABLE if name in columns]
    nameless = [member.key for member in file if not can_say("name", member.name)]
    if nameless:
        yield say(
            "members of ours whose name is not known, or fits into no file: {count} ({some})",
            **_counted(nameless),
        )
    if not all(any(can_say(name, getattr(member, name)) for name in reachable) for member in file):
        unreachable = [member.key for member in file if not _is_reachable(member)]
        yield say(
            "members of ours whose address or number is not known, or fits into no file: {count} ({some})",
            **_counted(unreachable),
        )
    placeless = [member.key for member in file if not can_say("departments", member.departments)]
    if placeless:
        yield say("members of ours in no department: {count} ({some})", **_counted(placeless))
    if total > ROWS_A_FILE:
        yield say("one file holds about {most} members, and these are {count}", most=ROWS_A_FILE, count=total)


def _is_reachable(member: Member) -> bool:
    """Neither column is wanting for this one's sake, and one of them says something."""
    values = {name: value_of(member, name) for name in REACHABLE}
    return all(_is_known(*each) for each in values.items()) and any(can_say(*each) for each in values.items())


# The tree


def tree_units(
    schedule: Schedule, actual: Actual, root_name: str | Unknown
) -> tuple[frozenset[int], Message | None]:
    """The units that one file of the whole tree carries out: all that build and change it, or none and why.

    The file gives every department its name (WeCom page 90982), the root among them: so all of them have
    to be known. None without a reason where there is nothing to do.
    """
    units = [(number, schedule.changes[unit.parts[0].n - 1]) for number, unit in enumerate(schedule.units)]
    writing = {
        number: change
        for number, change in units
        if change.kind is Kind.DEPARTMENT and change.verb in (Verb.CREATE, Verb.UPDATE, Verb.ADOPT)
    }
    if not writing:
        return NOBODY, None
    renamed = {change.key for change in writing.values() if "name" in change.fields}
    names = {key: department.name for key, department in actual.departments.items() if key not in renamed}
    unknown = [key for key, name in names.items() if not can_say("name", name)]
    if not can_say("name", root_name):
        return NOBODY, say("departments go by calls: the name of the root department is not known")
    if unknown:
        return NOBODY, say(
            "departments go by calls, since the names of some are not known: {count} ({some})",
            **_counted(unknown),
        )
    if any(change.is_temporary or change.verb is Verb.ADOPT for change in writing.values()):
        return NOBODY, say("departments go by calls: some are adopted, or change their names in turn")
    if any(change.fields["order"].after == 0 for change in writing.values() if "order" in change.fields):
        return NOBODY, say("departments go by calls: a file cannot give the order 0")
    return frozenset(writing), None


# Who would be deleted


def surplus(seen: Iterable[str], file: Iterable[str]) -> frozenset[str]:
    """Whom WeCom would delete: those who are there and not in the file, by folded userid."""
    return frozenset(map(fold, seen)) - frozenset(map(fold, file))


def alarm(job: int, keys: Sequence[str], wanted: Collection[str] | None = None) -> WeComError:
    """People who were to stay and are not there; `wanted`: whom the source asks for, if that is known."""
    again = [key for key in keys if wanted is None or key in wanted]
    left = [key for key in keys if key not in again]
    told = (
        f" The next plan creates again{'' if wanted is not None else ', if wanted'}: {_first(again)}."
        if again
        else "",
        f" The source does not ask for, so that nobody creates them: {_first(left)}." if left else "",
    )
    return WeComError(
        f"job {job} replaced all members, and {len(keys)} who were to stay are no longer in WeCom."
        + "".join(told),
        hint="find out who else deletes members; then plan and apply",
    )


def _first(keys: Sequence[str]) -> str:
    more = len(keys) - NAMED_MISSING
    return ", ".join(keys[:NAMED_MISSING]) + (f" and {more} more" if more > 0 else "")


DEFAULT: Final = FieldChange(None, None)
