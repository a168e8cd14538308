"""The last look before somebody is removed for being absent: are they in the source after all?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision
from wxsync.model.change import Kind, Verb
from wxsync.model.desired import Desired
from wxsync.model.message import Message, say
from wxsync.sources.base import MEMBERS
from wxsync.sources.second_look import still_there

CONTROLS: Final = 3
"""So many people who were read just now are looked for as well: a look that misses them proves nothing."""
MOST_NAMED: Final = 3


def doubted_keys(decision: Decision) -> frozenset[str]:
    """Whom the plan disables or deletes because no reading has them.

    Not those whom the source itself calls inactive: their row was read.
    """
    return frozenset(
        change.key
        for change in decision.plan.changes
        if change.kind is Kind.MEMBER
        and change.verb in (Verb.DISABLE, Verb.DELETE)
        and change.key in decision.leavers
        and change.key not in decision.desired.leavers
    )


async def look_again(corp: Corp, decision: Decision) -> Desired:
    """What is wanted, known better: the same where nobody is removed for being absent, or all are absent.

    Where one of them is there after all, or nobody can tell, the reading counts as incomplete, so that
    nothing is removed on its ground. Raises SourceError.
    """
    doubted = doubted_keys(decision)
    if not doubted:
        return decision.desired
    authority = corp.sources[0]
    control = frozenset(sorted(decision.desired.members)[:CONTROLS])
    found = await asyncio.to_thread(still_there, authority, corp.settings.member.key, doubted, control)
    return judged(decision.desired, authority.name, found)


def judged(desired: Desired, authority: str, found: frozenset[str] | None) -> Desired:
    """The reading after the second look, which found these; None where nobody could tell."""
    if found is not None and not found:
        return desired
    problem = _problem(found)
    return replace(
        desired,
        found_again=found or frozenset(),
        readings=tuple(
            replace(reading, is_complete=False, problem=problem)
            if (reading.source, reading.query) == (authority, MEMBERS)
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
