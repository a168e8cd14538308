"""The last look before somebody loses something for being absent: are they in the source after all?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from wxsync.engine.aside import aside
from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision
from wxsync.engine.guard import leaving_tag, removals
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.desired import Desired
from wxsync.model.message import Message, say
from wxsync.sources.base import MEMBERS, Source
from wxsync.sources.second_look import still_there, whereabouts

CONTROLS: Final = 3
"""So many people who were read just now are looked for as well: a look that misses them proves nothing."""
MOST_NAMED: Final = 3
REMOVING: Final = (Verb.DISABLE, Verb.DELETE)


def doubted_keys(decision: Decision) -> frozenset[str]:
    """Whom the plan disables or deletes because no reading has them.

    Not those whom the source itself calls inactive: their row was read.
    """
    return frozenset(
        change.key
        for change in decision.plan.changes
        if change.kind is Kind.MEMBER
        and change.verb in REMOVING
        and change.key in decision.leavers
        and change.key not in decision.asked.leavers
    )


def emptied_keys(decision: Decision, source: str) -> frozenset[str]:
    """From whom the plan takes something, a place in a tag too, and whom this later source does not have.

    Whatever they had by it is empty now, and perhaps for no other reason.
    """
    losing = (key for change in decision.plan.writes for key in _losing(change))
    return decision.asked.lacking.get(source, frozenset()).intersection(losing)


def _losing(change: Change) -> Iterator[str]:
    if change.kind is Kind.TAG:
        yield from leaving_tag(change)
    elif change.kind is Kind.MEMBER and change.key and (change.verb in REMOVING or removals(change)):
        yield change.key


async def look_again(corp: Corp, decision: Decision) -> Desired:
    """What is wanted, known better: the same where nobody loses anything for being absent, or all are absent.

    The first source is asked for those who would be removed, a later one for those who would lose what
    they have by it. Where one of them is there after all, or nobody can tell, the reading counts as
    incomplete, so that nothing is removed on its ground. Who is gone from a directory's base alone leaves
    too, and the plan says where they are. Raises SourceError.
    """
    for source in corp.sources:
        known = await _looked_in(corp, decision, source)
        if known is not decision.asked:
            return known  # nothing is removed any more, whatever the other sources have
    return await _told_where(corp, decision)


async def _told_where(corp: Corp, decision: Decision) -> Desired:
    """With the places where the first source's system still has those who leave for being absent."""
    doubted = doubted_keys(decision)
    if not doubted:
        return decision.asked
    ask_where = partial(whereabouts, corp.sources[0], corp.settings.member.key, doubted)
    where = await aside(corp, ask_where)
    return replace(decision.asked, whereabouts=where) if where else decision.asked


async def _looked_in(corp: Corp, decision: Decision, source: Source) -> Desired:
    desired = decision.asked
    is_authority = source.name == corp.sources[0].name
    doubted = doubted_keys(decision) if is_authority else emptied_keys(decision, source.name)
    if not doubted:
        return desired
    present = desired.members.keys() - desired.lacking.get(source.name, frozenset())
    control = frozenset(sorted(present)[:CONTROLS])
    found = await aside(corp, partial(still_there, source, corp.settings.member.key, doubted, control))
    return judged(desired, source.name, found)


def judged(desired: Desired, source: str, found: frozenset[str] | None) -> Desired:
    """The reading after the second look, which found these; None where nobody could tell."""
    if found is not None and not found:
        return desired
    problem = _problem(found)
    return replace(
        desired,
        found_again=found or frozenset(),
        readings=tuple(
            replace(reading, is_complete=False, problem=problem)
            if (reading.source, reading.query) == (source, MEMBERS)
            else reading
            for reading in desired.readings
        ),
    )


def _problem(found: frozenset[str] | None) -> Message:
    if found is None:
        return say("whether those whom it lacks are gone could not be told by a second look")
    named = sorted(found)[:MOST_NAMED]
    more = f" (+{len(found) - len(named)})" if len(found) > len(named) else ""
    return say("it lacked people whom a second look found: {keys}", keys=", ".join(named) + more)
