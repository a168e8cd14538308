"""Kinds of changes out of a whole plan, with what they need: what somebody approved a part of. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from wxsync.config.settings import SyncSettings
from wxsync.engine.decide import Decision
from wxsync.engine.reducing import needed_by, reduced
from wxsync.errors import GuardError
from wxsync.model.change import Change, Verb

REMOVALS: Final = (Verb.DISABLE, Verb.DELETE)


def part_of(change: Change) -> str:
    """The part of a plan that a change belongs to: `member:create`."""
    return f"{change.kind.value}:{change.verb.value}"


def only_parts(
    decision: Decision, parts: Collection[str], settings: SyncSettings, account_cap: int | None = None
) -> Decision:
    """The decision with the changes of these parts alone, and what has to come before them.

    A step on the way to one of them is a part of it. Removals come along only where they are named too:
    nobody is removed whose removal nobody said yes to. The rest is planned anew, for another approval. Raises
    GuardError where the plan has nothing of them, or where such a removal would have to come before.
    """
    changes = decision.schedule.changes
    own = {n for n, change in enumerate(changes, 1) if change.reason is None and part_of(change) in parts}
    if not own:
        raise GuardError(
            f"nothing was written: the plan has no {' and no '.join(parts)}",
            hint=f"it has: {_listed(decision)}",
        )
    while more := {*needed_by(decision.schedule, sorted(own)), *_ends_of_ways(changes, own)} - own:
        own |= more
    _check_removals(changes, own, parts)
    kept = {n for n, change in enumerate(changes, 1) if change.reason is not None}
    part = reduced(decision, sorted(own | kept), settings, account_cap)
    return replace(part, whole=decision.plan)


def _check_removals(changes: Sequence[Change], own: Collection[int], parts: Collection[str]) -> None:
    removals = [part_of(changes[n - 1]) for n in own if changes[n - 1].verb in REMOVALS]
    unnamed = Counter(part for part in removals if part not in parts)
    if unnamed:
        said = ", ".join(f"{part} ({count})" for part, count in sorted(unnamed.items()))
        options = " ".join(f"--only {part}" for part in sorted({*parts, *unnamed}))
        raise GuardError(
            f"nothing was written: {' and '.join(sorted(parts))} cannot be carried out without {said}",
            hint=f"look at these in the plan; say yes to them too with {options}, or leave all for later",
        )


def _ends_of_ways(changes: Sequence[Change], own: Collection[int]) -> set[int]:
    """The changes to which those of `own` are but steps: nobody is left half-way."""
    steps = {(step.kind, step.key) for n in own if (step := changes[n - 1]).is_temporary}
    return {
        n
        for n, change in enumerate(changes, 1)
        if (change.kind, change.key) in steps and change.reason is None
    }


def _listed(decision: Decision) -> str:
    found = Counter(part_of(change) for change in decision.plan.writes)
    return ", ".join(f"{part} ({count})" for part, count in sorted(found.items())) or "nothing"
