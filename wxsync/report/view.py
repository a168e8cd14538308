"""A plan as its reports show it: in words, grouped and counted, before text or HTML lays it out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from wxsync.model.change import VERBS, Change, Kind, Reason, Verb
from wxsync.model.loss import Loss
from wxsync.model.member import fold
from wxsync.model.message import Message, say
from wxsync.model.plan import Forecast, Limit, Plan
from wxsync.report.notices import Notice, plan_notices
from wxsync.report.wording import FieldLine, Wording, readable_time, visible

SIGNS: Final[Mapping[Verb, str]] = {
    Verb.CREATE: "+",
    Verb.ADOPT: "=",
    Verb.UPDATE: "~",
    Verb.ENABLE: "↑",
    Verb.DISABLE: "↓",
    Verb.DELETE: "-",
    Verb.KEEP: "·",
}
"""The mark before a change: it tells the verb where there is no colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """One change in words."""

    n: int
    kind: str
    verb: str
    sign: str
    key: str
    name: str
    id: str
    """Empty where WeCom has yet to give one, or where it is the key again."""
    why: str
    """Empty where the group says it for all."""
    lines: tuple[FieldLine, ...]
    temporary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """All changes of one kind and verb."""

    anchor: str
    title: str
    verb: str
    why: str
    """The reason that all of them share, if they do."""
    count: str
    """How many, those on the way to the end state apart."""
    changes: tuple[ChangeView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindView:
    title: str
    kind: str
    groups: tuple[GroupView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepView:
    """What is left alone for one reason; `unlisted` are foreign records that are only counted."""

    title: str
    unlisted: str
    count: int
    changes: tuple[ChangeView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryCell:
    verb: str
    title: str
    number: int | None
    """None where the kind does not know the verb."""
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    title: str
    cells: tuple[SummaryCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedView:
    kind: str
    key: str
    field: str
    rule: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LostView:
    """One record of which something does not come back, and the fields that this is about."""

    kind: str
    key: str
    name: str
    id: str
    fields: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LossView:
    """All of which an undo does not bring back the same, for the same reason."""

    why: str
    records: tuple[LostView, ...]

    @property
    def count(self) -> int:
        return len(self.records)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitView:
    title: str
    name: str
    detail: str
    window: str
    """Within which past runs count too; empty for this plan alone."""
    count: int
    allowed: str
    is_exceeded: bool
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A whole plan in words."""

    title: str
    sync: str
    corp_id: str
    created_at: str
    digest: str
    total: str
    """Plan: 2 to create, 1 to update, 1 to disable, 0 to delete; 3 kept."""
    summary: tuple[SummaryRow, ...]
    notices: tuple[Notice, ...]
    kinds: tuple[KindView, ...]
    keeps: tuple[KeepView, ...]
    rejected: tuple[RejectedView, ...]
    losses: tuple[LossView, ...]
    limits: tuple[LimitView, ...]
    forecast: str
    readings: tuple[str, ...] = field(default=())


def view_plan(plan: Plan, wording: Wording) -> PlanView:
    """The plan in the words of one report."""
    numbered = [(view_change(n, change, wording), change) for n, change in enumerate(plan.changes, start=1)]
    return PlanView(
        title=wording.of(say("Plan") if plan.undoes is None else say("Undo of run {run}", run=plan.undoes)),
        sync=visible(plan.sync),
        corp_id=visible(plan.corp_id),
        created_at=readable_time(plan.created_at),
        digest=plan.digest,
        total=wording.of(total(plan, wording)),
        summary=_summary(plan, wording),
        notices=plan_notices(plan, wording),
        kinds=tuple(_kinds(numbered, wording)),
        keeps=tuple(_keeps(plan, numbered, wording)),
        rejected=_rejected(plan, wording),
        losses=_losses(plan, wording),
        limits=tuple(view_limit(limit, wording) for limit in plan.limits if is_told(limit)),
        forecast=_forecast(plan.forecast, wording),
        readings=_readings(plan, wording),
    )


def view_change(n: int, change: Change, wording: Wording) -> ChangeView:
    """One change in words."""
    key = wording.label(change.key or "")
    is_key = change.key is not None and fold(str(change.id)) == fold(change.key)
    return ChangeView(
        n=n,
        kind=wording.name("kind", change.kind),
        verb=change.verb.value,
        sign=SIGNS[change.verb],
        key=key,
        name="" if change.name == change.key else visible(change.name or ""),
        id="" if change.id is None or is_key else wording.label(str(change.id)),
        why=wording.of(change.why),
        lines=_of_creation(change, wording)
        if change.verb in (Verb.CREATE, Verb.ADOPT)
        else _of_change(change, wording),
        temporary=wording.of(say("temporary")) if change.is_temporary else "",
    )


def total(plan: Plan, wording: Wording) -> Message:
    """The last line of a report: what the plan comes to."""
    counts = dict.fromkeys(Verb, 0)
    for verbs in plan.summary.values():
        for verb, number in verbs.items():
            counts[verb] += number
    parts = {
        Verb.CREATE: say("{count} to create", count=counts[Verb.CREATE]),
        Verb.ADOPT: say("{count} to adopt", count=counts[Verb.ADOPT]),
        Verb.UPDATE: say("{count} to update", count=counts[Verb.UPDATE]),
        Verb.ENABLE: say("{count} to enable", count=counts[Verb.ENABLE]),
        Verb.DISABLE: say("{count} to disable", count=counts[Verb.DISABLE]),
        Verb.DELETE: say("{count} to delete", count=counts[Verb.DELETE]),
    }
    told = [part for verb, part in parts.items() if counts[verb] or verb not in (Verb.ADOPT, Verb.ENABLE)]
    changes = wording.listed(wording.of(part) for part in told)
    if plan.rejected:
        return say(
            "Plan: {changes}; {kept} kept; {rejected} rejected",
            changes=changes,
            kept=counts[Verb.KEEP],
            rejected=len(plan.rejected),
        )
    return say("Plan: {changes}; {kept} kept", changes=changes, kept=counts[Verb.KEEP])


def is_told(limit: Limit) -> bool:
    """A window is worth a line where more than half of it is used up; the JSON has all of them."""
    return limit.window is None or limit.allowed is None or limit.count * 2 > limit.allowed


def view_limit(limit: Limit, wording: Wording) -> LimitView:
    """One limit in words."""
    return LimitView(
        title=wording.name("limit", limit.name),
        name=limit.name,
        detail=wording.detail(limit),
        window="" if limit.window is None else wording.name("window", limit.window),
        count=limit.count,
        allowed=wording.of(say("no limit")) if limit.allowed is None else str(limit.allowed),
        is_exceeded=limit.is_exceeded,
        mark=wording.of(say("OVER")) if limit.is_exceeded else wording.of(say("within")),
    )


def _of_creation(change: Change, wording: Wording) -> tuple[FieldLine, ...]:
    """What a new record will hold, or what an adopted one has that agrees.

    The name at its head, what is empty and `enable` are not told.
    """
    return tuple(
        FieldLine(label=wording.field(name), after=wording.value(name, values.after))
        for name, values in change.fields.items()
        if values.after not in (None, (), "")
        and not (name == "name" and values.after == change.name)
        and not (name == "enable" and values.after is True)
    )


def _of_change(change: Change, wording: Wording) -> tuple[FieldLine, ...]:
    """What becomes of the fields; that somebody enabled or disabled is so is said by the verb."""
    said = "enable" if change.verb in (Verb.ENABLE, Verb.DISABLE) else None
    return tuple(wording.difference(name, values) for name, values in change.fields.items() if name != said)


def _kinds(numbered: Sequence[tuple[ChangeView, Change]], wording: Wording) -> Iterable[KindView]:
    for kind, verbs in VERBS.items():
        groups = []
        for verb in verbs:
            views = tuple(v for v, change in numbered if change.kind is kind and change.verb is verb)
            if views and verb is not Verb.KEEP:
                groups.append(_group(kind, verb, views, wording))
        if groups:
            yield KindView(title=wording.name("kinds", kind), kind=kind.value, groups=tuple(groups))


def _group(kind: Kind, verb: Verb, views: tuple[ChangeView, ...], wording: Wording) -> GroupView:
    whys = {view.why for view in views}
    shared = whys.pop() if len(whys) == 1 and len(views) > 1 else ""
    return GroupView(
        anchor=f"{kind.value}-{verb.value}",
        title=wording.name("verb", verb),
        verb=verb.value,
        why=shared,
        count=_count(views, wording),
        changes=tuple(replace(view, why="") for view in views) if shared else views,
    )


def _count(views: tuple[ChangeView, ...], wording: Wording) -> str:
    temporary = sum(bool(view.temporary) for view in views)
    if not temporary:
        return str(len(views))
    return wording.of(
        say("{count} and {temporary} temporary", count=len(views) - temporary, temporary=temporary)
    )


def _keeps(plan: Plan, numbered: Sequence[tuple[ChangeView, Change]], wording: Wording) -> Iterable[KeepView]:
    foreign = sum(plan.foreign.values())
    for reason in Reason:
        views = tuple(v for v, change in numbered if change.verb is Verb.KEEP and change.reason is reason)
        unlisted = foreign if reason is Reason.FOREIGN else 0
        if views or unlisted:
            yield KeepView(
                title=wording.name("reason", reason),
                unlisted=wording.of(_unlisted(plan, wording)) if unlisted else "",
                count=len(views) + unlisted,
                changes=views,
            )


def _unlisted(plan: Plan, wording: Wording) -> Message:
    kinds = (f"{wording.name('kinds', kind)} {number}" for kind, number in plan.foreign.items() if number > 0)
    return say("nothing in the source resembles them, so they are only counted: {kinds}", kinds=list(kinds))


def _summary(plan: Plan, wording: Wording) -> tuple[SummaryRow, ...]:
    return tuple(
        SummaryRow(
            title=wording.name("kinds", kind),
            cells=tuple(
                SummaryCell(
                    verb=verb.value,
                    title=wording.name("verb", verb),
                    number=verbs.get(verb),
                    anchor=f"{kind.value}-{verb.value}",
                )
                for verb in Verb
            ),
        )
        for kind, verbs in plan.summary.items()
    )


def _rejected(plan: Plan, wording: Wording) -> tuple[RejectedView, ...]:
    return tuple(
        RejectedView(
            kind=wording.name("kind", rejected.kind),
            key=wording.label(rejected.key or ""),
            field="" if rejected.field is None else wording.field(rejected.field),
            rule=rejected.rule,
            problem=wording.of(rejected.problem),
        )
        for rejected in plan.rejected
    )


def _losses(plan: Plan, wording: Wording) -> tuple[LossView, ...]:
    """Grouped by what is said of them, in the order in which the first of each group comes."""
    groups: dict[str, list[LostView]] = {}
    for loss in plan.not_undoable:
        groups.setdefault(wording.of(loss.why), []).append(_lost(loss, wording))
    return tuple(LossView(why=why, records=tuple(records)) for why, records in groups.items())


def _lost(loss: Loss, wording: Wording) -> LostView:
    is_key = loss.key is not None and fold(str(loss.id)) == fold(loss.key)
    return LostView(
        kind=wording.name("kind", loss.kind),
        key=wording.label(loss.key or ""),
        name="" if loss.name == loss.key else visible(loss.name or ""),
        id="" if loss.id is None or is_key else wording.label(str(loss.id)),
        fields=wording.listed(wording.field(name) for name in loss.fields),
    )


def _forecast(forecast: Forecast, wording: Wording) -> str:
    told = [wording.of(_way(forecast, wording))]
    if forecast.rows:
        told.append(wording.of(say("{rows} changes as rows of files", rows=forecast.rows)))
    others = [way for way in forecast.weighed if way.method != forecast.method]
    if others:
        ways = "; ".join(wording.of(_way(way, wording)) for way in others)
        told.append(wording.of(say("instead of {ways}", ways=ways)))
    return "; ".join(told)


def _way(forecast: Forecast, wording: Wording) -> Message:
    return say(
        "calls to WeCom: {calls}, {duration} ({method})",
        calls=forecast.calls,
        duration=wording.duration(forecast.seconds),
        method=wording.name("method", forecast.method),
    )


def _readings(plan: Plan, wording: Wording) -> tuple[str, ...]:
    return tuple(
        wording.of(
            say(
                "{source} {query}: {rows} rows",
                source=reading.source,
                rows=reading.rows,
                query=wording.name("query", reading.query),
            )
        )
        for reading in plan.readings
    )
