"""What a reader must know before the details: over a limit, an incomplete read, nothing to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from wxsync.model.change import Verb
from wxsync.model.desired import Aside, ReadingProof
from wxsync.model.message import Message, say
from wxsync.model.plan import Limit, Plan
from wxsync.report.wording import Wording

Level: TypeAlias = Literal["ok", "info", "warn", "stop"]
MOST_NAMED: Final = 10
"""So many rows of later sources are named; the JSON has more of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One remark at the head of a report, with what follows from it and the command to type."""

    level: Level
    text: str
    details: tuple[str, ...] = ()
    command: str = ""


def plan_notices(plan: Plan, wording: Wording) -> tuple[Notice, ...]:
    """The remarks on a plan, the weightiest first."""
    weighty = [
        *_exceeded(plan, wording),
        *_waiting(plan, wording),
        *_incomplete(plan, wording),
        *_doubtful(plan, wording),
    ]
    rest = [*_left_out(plan, wording), *_set_aside(plan, wording), *_not_replacing(plan, wording)]
    if plan.undoes is not None:
        return (*weighty, _undone(plan, plan.undoes, wording), *rest)
    return (*(weighty or _nothing(plan, wording)), *rest)


NOT_APPROVABLE: Final = say(
    "WeCom allows no more creations within 30 days: no approval lifts that. Ask for fewer, or wait."
)


def limit_text(limit: Limit, wording: Wording) -> str:
    """One limit and its numbers in a line."""
    name = wording.name("limit", limit.name)
    if limit.detail:
        name = wording.of(say("{limit} ({detail})", limit=name, detail=wording.detail(limit)))
    if limit.window:
        within = wording.name("window", limit.window)
        name = wording.of(say("{limit}, {window}", limit=name, window=within))
    return wording.of(
        say("{limit}: {count}, allowed {allowed}", limit=name, count=limit.count, allowed=limit.allowed)
    )


def approval_command(plan: Plan) -> str:
    """What carries out exactly this plan although it is over a limit; nothing where no approval helps."""
    return f"{plan.command} --approve {plan.digest}" if plan.is_approvable else ""


def _exceeded(plan: Plan, wording: Wording) -> Iterable[Notice]:
    if plan.exceeded:
        approving = say("If all of it is meant, approve exactly this plan:")
        yield Notice(
            level="stop",
            text=wording.of(say("Over the limit: apply writes nothing of this plan.")),
            details=(
                *(limit_text(limit, wording) for limit in plan.exceeded),
                *why_exceeded(plan, wording),
                wording.of(approving if plan.is_approvable else NOT_APPROVABLE),
            ),
            command=approval_command(plan),
        )


def why_exceeded(plan: Plan, wording: Wording) -> tuple[str, ...]:
    """What the limits that are exceeded come from, a line each; none where that does not show."""
    if not plan.causes:
        return ()
    return (wording.of(say("Where it comes from:")), *(f"  {wording.of(cause)}" for cause in plan.causes))


def _waiting(plan: Plan, wording: Wording) -> Iterable[Notice]:
    if plan.waits:
        approving = say("To carry out exactly this plan:")
        yield Notice(
            level="stop",
            text=wording.of(say("This plan waits for approval, also where it is within its limits.")),
            details=(*(wording.of(why) for why in plan.waits), wording.of(approving)),
            command=approval_command(plan),
        )


def _incomplete(plan: Plan, wording: Wording) -> Iterable[Notice]:
    if not plan.is_complete:
        yield Notice(
            level="warn",
            text=wording.of(say("Not every read is proven complete: on its ground nothing is removed.")),
            details=tuple(
                wording.of(
                    say(
                        "{source}.{query}: {problem}",
                        source=reading.source,
                        query=reading.query,
                        problem=reading.problem or say("it is not proven that these are all rows"),
                    )
                )
                for reading in plan.readings
                if not reading.is_complete
            ),
        )


def _doubtful(plan: Plan, wording: Wording) -> Iterable[Notice]:
    for reading in plan.readings:
        if reading.unreadable_keys:
            text = say(
                "{source}.{query} has rows without a readable key: "
                "each may be anybody, nobody is taken for absent.",
                source=reading.source,
                query=reading.query,
            )
            yield Notice(
                level="warn", text=wording.of(text), details=(wording.of(_filtering(reading.query)),)
            )


def _not_replacing(plan: Plan, wording: Wording) -> Iterable[Notice]:
    if plan.forecast.obstacles:
        text = say("policy.replace is on, and this plan does without; the end state is the same:")
        details = tuple(wording.of(obstacle) for obstacle in plan.forecast.obstacles)
        yield Notice(level="info", text=wording.of(text), details=details)


def _left_out(plan: Plan, wording: Wording) -> Iterable[Notice]:
    for reading in plan.readings:
        if reading.left_out:
            text = say(
                "{source}.{query}: {count} members of groups are not among the people of this sync, "
                "and are left out.",
                source=reading.source,
                query=reading.query,
                count=reading.left_out,
            )
            yield Notice(level="info", text=wording.of(text), details=_groups(reading, wording))


def _groups(reading: ReadingProof, wording: Wording) -> tuple[str, ...]:
    """How many are left out of each group, in a line."""
    groups = reading.left_out_of
    named = wording.listed(f"{wording.label(each.name)} {each.count}" for each in groups[:MOST_NAMED])
    more = f" (+{len(groups) - MOST_NAMED})" if len(groups) > MOST_NAMED else ""
    return (named + more,) if groups else ()


def _set_aside(plan: Plan, wording: Wording) -> Iterable[Notice]:
    if plan.asides:
        yield Notice(
            level="info",
            text=wording.of(say("Later sources have what does not count, since those before them decide:")),
            details=tuple(wording.of(aside_text(aside)) for aside in plan.asides),
        )


def aside_text(aside: Aside) -> Message:
    """What a later source has that does not count, and of whom."""
    where = f"{aside.source}.{aside.query}"
    count, keys = len(aside.keys), _some(aside.keys)
    if aside.column is None:
        return say(
            "{where}: {count} rows that the first source lacks: {keys}", where=where, count=count, keys=keys
        )
    return say(
        "{where}: another {column} in {count} rows: {keys}",
        where=where,
        column=aside.column,
        count=count,
        keys=keys,
    )


def _some(keys: Sequence[str]) -> str:
    more = f" (+{len(keys) - MOST_NAMED})" if len(keys) > MOST_NAMED else ""
    return ", ".join(keys[:MOST_NAMED]) + more


def _filtering(query: str) -> Message:
    return say(
        "Filter such rows out in the query, for example WHERE {column} IS NOT NULL.",
        column="code" if query == "departments" else "emp_no",
    )


def _undone(plan: Plan, run: int, wording: Wording) -> Notice:
    """What an undo is, and what comes after it."""
    if not plan.writes:
        nothing = say("Nothing to take back: what run {run} wrote is as it was, or is listed below.", run=run)
        return Notice(level="info", text=wording.of(nothing))
    text = say("This takes run {run} back. The sources stay as they are:", run=run)
    after = say("mend them before the next plan, which waits for approval once this is applied.")
    return Notice(level="info", text=wording.of(text), details=(wording.of(after),))


def _nothing(plan: Plan, wording: Wording) -> list[Notice]:
    if plan.writes:
        return []
    if plan.rejected or any(change.verb is Verb.KEEP for change in plan.changes):
        left = say("Nothing to change. What is left alone is listed below, with its reason.")
        return [Notice(level="info", text=wording.of(left))]
    return [Notice(level="ok", text=wording.of(say("Nothing to do: WeCom is as the sources want it.")))]
