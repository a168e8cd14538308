"""What a reader must know before the details: over a limit, an incomplete read, nothing to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from wxsync.model.change import Verb
from wxsync.model.message import Message, say
from wxsync.model.plan import Limit, Plan
from wxsync.report.wording import Wording

Level: TypeAlias = Literal["ok", "info", "warn", "stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One remark at the head of a report, with what follows from it and the command to type."""

    level: Level
    text: str
    details: tuple[str, ...] = ()
    command: str = ""


def plan_notices(plan: Plan, wording: Wording) -> tuple[Notice, ...]:
    """The remarks on a plan, the weightiest first."""
    return tuple(
        [*_exceeded(plan, wording), *_incomplete(plan, wording), *_doubtful(plan, wording)]
        or _nothing(plan, wording)
    )


NOT_APPROVABLE: Final = say(
    "WeCom allows no more creations within 30 days: no approval lifts that. Ask for fewer, or wait."
)


def limit_text(limit: Limit, wording: Wording) -> str:
    """One limit and its numbers in a line."""
    name = wording.name("limit", limit.name)
    if limit.detail:
        name = wording.of(say("{limit} ({detail})", limit=name, detail=wording.detail(limit)))
    return wording.of(
        say("{limit}: {count}, allowed {allowed}", limit=name, count=limit.count, allowed=limit.allowed)
    )


def approval_command(plan: Plan) -> str:
    """What carries out exactly this plan although it is over a limit; nothing where no approval helps."""
    return f"wxsync apply {plan.sync} --approve {plan.digest}" if plan.is_approvable else ""


def _exceeded(plan: Plan, wording: Wording) -> Iterable[Notice]:
    if plan.exceeded:
        approving = say("If all of it is meant, approve exactly this plan:")
        yield Notice(
            level="stop",
            text=wording.of(say("Over the limit: apply writes nothing of this plan.")),
            details=(
                *(limit_text(limit, wording) for limit in plan.exceeded),
                wording.of(approving if plan.is_approvable else NOT_APPROVABLE),
            ),
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


def _filtering(query: str) -> Message:
    return say(
        "Filter such rows out in the query, for example WHERE {column} IS NOT NULL.",
        column="code" if query == "departments" else "emp_no",
    )


def _nothing(plan: Plan, wording: Wording) -> list[Notice]:
    if plan.writes:
        return []
    if plan.rejected or any(change.verb is Verb.KEEP for change in plan.changes):
        left = say("Nothing to change. What is left alone is listed below, with its reason.")
        return [Notice(level="info", text=wording.of(left))]
    return [Notice(level="ok", text=wording.of(say("Nothing to do: WeCom is as the sources want it.")))]
