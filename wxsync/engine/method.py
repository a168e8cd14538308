"""One call a change, or many changes in one file: what each way takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from wxsync.config.settings import PolicySettings
from wxsync.engine.actual import Actual
from wxsync.engine.forecast import PACE, SECONDS_A_CALL, forecast
from wxsync.engine.replacing import Selection, select, tree_units
from wxsync.engine.saying import ROWS_AT_ONCE, row_of
from wxsync.engine.schedule import Part, Row, Schedule, Unit
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.message import Message
from wxsync.model.plan import Forecast
from wxsync.model.remembered import Remembered
from wxsync.model.sharing import Sharing
from wxsync.model.unknown import UNKNOWN, Unknown

ROWS_A_SECOND: Final = 100
"""How fast WeCom works a file off. No page says it; an assumption, kept here."""
WAITING: Final = 3.0
"""Seconds until a job has begun, and until somebody notices that it is over."""
CALLS_A_FILE: Final = 10
"""The upload, the start, the looks at the corp before it, and the questions how far it is."""
SECONDS_FOR_A_CALL: Final = 0.1
"""What a call less is worth: WeCom's limits are shared with every other program of the corp."""


def choose(
    schedule: Schedule,
    actual: Actual,
    remembered: Remembered,
    policy: PolicySettings,
    *,
    against: Collection[Message] = (),
    root_name: str | Unknown = UNKNOWN,
) -> tuple[Schedule, Forecast]:
    """The schedule by the cheapest way that the policy allows, and what was compared.

    A file takes creations and updates, and of those what its cells can say; tags, direct leaders, corp mail,
    and values that are cleared are calls in any case, and so are deletions but by a file that replaces
    everybody. That one is a way where the policy asks for it and nothing stands `against` it, nor is found
    to here; the forecast tells what does. Only rows that wait for no other row go into files: the order in
    which WeCom works them off is nobody's promise. The end state is the same by every way.
    """
    by_calls = forecast(schedule.changes, schedule.units)
    if policy.method == "single":
        return schedule, by_calls
    is_forced = policy.method == "batch"
    ways = [(schedule, by_calls)]
    rows = list(_independent(schedule, actual, remembered))
    if not is_forced:
        rows = _worthwhile(rows)
    if rows:
        batched = _with_rows(schedule, rows)
        ways.append((batched, _forecast(batched, Counter(row.columns for row in rows).values())))
    obstacles = tuple(against) if schedule.units else ()
    if policy.replace and schedule.units and not obstacles:
        selection = select(schedule, actual)
        tree, hindrance = _tree(schedule, actual, root_name, is_forced=is_forced)
        obstacles = (*selection.obstacles, *(() if hindrance is None else (hindrance,)))
        if selection.rows or (tree and not selection.obstacles):
            ways.append(_replacing(schedule, actual, selection, tree))
    chosen, expected = ways[-1] if is_forced else min(ways, key=lambda way: _cost(way[1]))
    weighed = tuple(way for _, way in ways) if len(ways) > 1 else ()
    return chosen, replace(expected, weighed=weighed, obstacles=obstacles)


def _tree(
    schedule: Schedule, actual: Actual, root_name: str | Unknown, *, is_forced: bool
) -> tuple[frozenset[int], Message | None]:
    """The units that go by one file of departments, where that is worth it."""
    units, hindrance = tree_units(schedule, actual, root_name)
    by_calls = len(units) * (SECONDS_A_CALL + SECONDS_FOR_A_CALL)
    if not is_forced and _cost_of_file(len(actual.departments) + len(units)) >= by_calls:
        return frozenset(), hindrance
    return units, hindrance


def _replacing(
    schedule: Schedule, actual: Actual, selection: Selection, tree: frozenset[int]
) -> tuple[Schedule, Forecast]:
    """The schedule by files that replace all, and what it takes."""
    replaced = _with_rows(schedule, selection.rows, selection.early, selection.columns)
    replaced = replace(replaced, imported_departments=tree)
    sizes = [selection.total] if selection.rows else []
    if tree:
        sizes.append(len(actual.departments) + len(tree))
    return replaced, replace(_forecast(replaced, sizes), method="replace")


def _independent(schedule: Schedule, actual: Actual, remembered: Remembered) -> Iterator[Row]:
    """The units that a file can say and that wait for none of these, be it through calls in between."""
    waiting: set[int] = set()
    taken: set[int] = set()
    names = Sharing[frozenset[str]]()  # of a hundred thousand rows most have the same
    for number, unit in enumerate(schedule.units):
        row = row_of(number, unit, schedule.changes, actual, remembered)
        before = unit.needs if row is not None and row.rest else unit.needs | unit.after
        if any(other in taken or other in waiting for other in before):
            waiting.add(number)
        elif row is not None:
            taken.add(number)
            said, rest, columns = map(names.one, (row.said, row.rest, row.columns))
            yield Row(unit=number, said=said, rest=rest, columns=columns)


def _worthwhile(rows: Iterable[Row]) -> list[Row]:
    """Rows of which there are enough with the same columns to be worth a file."""
    listed = list(rows)
    sizes = Counter(row.columns for row in listed)
    worth = {columns for columns, size in sizes.items() if _cost_of_file(size) < _cost_of_calls(size)}
    return [row for row in listed if row.columns in worth]


def _with_rows(
    schedule: Schedule,
    rows: Sequence[Row],
    early: frozenset[int] = frozenset(),
    columns: tuple[str, ...] = (),
) -> Schedule:
    """The same units, those of `rows` together, and a call more for what a row leaves unsaid.

    Where the file replaces everybody (it has `columns`), the `early` units come before it, and all other
    calls for members after it: somebody who was created before would be deleted by it.
    """
    imported = frozenset(row.unit for row in rows)
    units: Sequence[Unit] = schedule.units
    if columns or any(row.rest for row in rows):
        units = tuple(_cut(schedule, rows, imported, early, columns))
    return replace(schedule, units=units, imported=imported, columns=columns if rows else ())


def _cut(
    schedule: Schedule,
    rows: Sequence[Row],
    imported: frozenset[int],
    early: frozenset[int],
    columns: tuple[str, ...],
) -> list[Unit]:
    units = list(schedule.units)
    rests: dict[int, int] = {}
    for row in rows:
        unit = units[row.unit]
        if not row.rest:
            continue
        part = replace(unit.parts[0], fields=row.said)
        units[row.unit] = Unit(parts=(part,), needs=unit.needs)
        if schedule.changes[part.n - 1].verb is not Verb.CREATE:  # one of those gives nothing away
            rests[row.unit] = len(units)
        units.append(
            Unit(parts=(Part(n=part.n, fields=row.rest),), needs=frozenset({row.unit}), after=unit.after)
        )
    _let_wait(units, rests)
    if columns and rows:
        _put_around(units, schedule.changes, imported, early)
    return units


def _let_wait(units: list[Unit], rests: Mapping[int, int]) -> None:
    """Whoever waits for a change waits for the rest of it too: that may be the number that they take."""
    for number, unit in enumerate(units if rests else ()):
        needs = frozenset(rests[other] for other in unit.needs if other in rests) - {number}
        after = frozenset(rests[other] for other in unit.after if other in rests) - {number}
        if needs or after:
            units[number] = replace(unit, needs=unit.needs | needs, after=unit.after | after)


def _put_around(
    units: list[Unit], changes: Sequence[Change], imported: frozenset[int], early: frozenset[int]
) -> None:
    """All rows of a file begin and end together, so one of them stands for all."""
    one = min(imported)
    units[one] = replace(units[one], after=units[one].after | early)
    for number, unit in enumerate(units):
        is_members = any(changes[part.n - 1].kind is Kind.MEMBER for part in unit.parts)
        if is_members and number not in imported and number not in early:
            units[number] = replace(unit, after=unit.after | {one})


def _forecast(schedule: Schedule, sizes: Iterable[int]) -> Forecast:
    """What calls are left, and files of so many rows."""
    by_file = schedule.imported | schedule.imported_departments
    others = (unit for number, unit in enumerate(schedule.units) if number not in by_file)
    by_calls = forecast(schedule.changes, others)
    listed = list(sizes)
    calls = by_calls.calls + sum(_files(size) * CALLS_A_FILE for size in listed)
    seconds = by_calls.seconds + sum(_seconds_of_file(size) for size in listed)
    return Forecast(calls=calls, seconds=round(seconds, 1), method="batch", rows=len(by_file))


def _files(rows: int) -> int:
    return -(-rows // ROWS_AT_ONCE)


def _seconds_of_file(rows: int) -> float:
    return _files(rows) * (WAITING + CALLS_A_FILE * SECONDS_A_CALL) + rows / ROWS_A_SECOND


def _cost_of_file(rows: int) -> float:
    return _seconds_of_file(rows) + _files(rows) * CALLS_A_FILE * SECONDS_FOR_A_CALL


def _cost_of_calls(rows: int) -> float:
    return rows / PACE + rows * SECONDS_FOR_A_CALL


def _cost(forecast: Forecast) -> float:
    return forecast.seconds + forecast.calls * SECONDS_FOR_A_CALL
