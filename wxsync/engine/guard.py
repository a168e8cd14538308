"""What a plan may do: protected people, doubtful reads, and how many changes of a kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final, cast

from wxsync.errors import GuardError, StalePlanError
from wxsync.model.approval import Standing
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.desired import Desired
from wxsync.model.member import PLACE_FIELDS, fold
from wxsync.model.message import Message, say
from wxsync.model.plan import Limit, Plan
from wxsync.model.unknown import UNKNOWN
from wxsync.report.masking import mask_message

CIRCUMSTANCES: Final = ("source_shrink", "first_load", "changed_keys", "missing_in_wecom")
"""Limits on what a plan is made upon, and not on what it writes."""


def is_protected(userid: str, patterns: Sequence[str]) -> bool:
    """One of the policy's patterns (`admin`, `svc-*`) is this userid, case aside."""
    folded = fold(userid)
    return any(fnmatchcase(folded, fold(pattern)) for pattern in patterns)


def permit(changes: Iterable[Change], desired: Desired, protect: Sequence[str]) -> Iterator[Change]:
    """The same changes, or a KEEP with its reason in the place of what is not permitted.

    Protected members are left alone whole. On a read that is not proven complete every removal in
    the wide sense (contract §1) is held back, field by field, and the rest goes on.
    """
    for change in changes:
        is_adoption = change.verb is Verb.ADOPT
        if change.verb is Verb.KEEP or (is_adoption and change.kind is not Kind.MEMBER):
            yield change
        elif change.kind is Kind.MEMBER and is_protected(str(change.id), protect):
            yield as_kept(change, say("its userid is protected by policy.protect"), Reason.PROTECTED)
        elif is_adoption:
            yield change
        elif not desired.is_complete:
            yield from hold_removals(change, _unproven(change, desired), Reason.INCOMPLETE)
        elif change.kind is Kind.MEMBER and desired.is_doubtful("memberships"):
            why = say(
                "the source has memberships without a key, and each may be this member's: filter those out"
            )
            yield from _hold(change, _lost_places(change) | _lost_marks(change), why, Reason.REJECTED)
        else:
            yield change


def _unproven(change: Change, desired: Desired) -> Message:
    if change.kind is Kind.MEMBER and change.key in desired.found_again:
        return say("a second look found it in the source: the reading was not whole")
    return say("a reading of the source is not proven complete: nothing is removed")


def as_kept(change: Change, why: Message, reason: Reason) -> Change:
    """Leave alone what the change would have changed; its fields stay to be seen."""
    id = None if change.verb is Verb.CREATE else change.id
    return replace(change, verb=Verb.KEEP, id=id, why=why, reason=reason)


def hold_removals(change: Change, why: Message, reason: Reason) -> Iterator[Change]:
    """What is left of a change without its removals, and the KEEP that names them."""
    if change.verb in (Verb.DELETE, Verb.DISABLE):
        yield as_kept(change, why, reason)
    elif change.kind is Kind.TAG:
        yield from _hold_tag(change, why, reason)
    else:
        yield from _hold(change, removals(change), why, reason)


def removals(change: Change) -> frozenset[str]:
    """The fields of an update that take something away."""
    if change.verb is Verb.CREATE:
        return frozenset()
    if change.kind is Kind.DEPARTMENT:
        return frozenset({"parent"}) & change.fields.keys()
    cleared = {
        name for name, values in change.fields.items() if values.after is None and values.before is not None
    }
    return frozenset(cleared) | _lost_places(change) | _lost_marks(change)


def _lost_places(change: Change) -> frozenset[str]:
    """All place fields, where a department is left: WeCom takes them together."""
    if not _loses(change.fields.get("departments")):
        return frozenset()
    return frozenset(PLACE_FIELDS) & change.fields.keys()


def _lost_marks(change: Change) -> frozenset[str]:
    return frozenset({"is_leader"}) if _loses(change.fields.get("is_leader")) else frozenset()


def _loses(values: FieldChange | None) -> bool:
    if values is None:
        return False
    if not isinstance(values.before, tuple):
        return values.before is UNKNOWN  # whatever there is, it is written over
    after = values.after if isinstance(values.after, tuple) else ()
    return bool(set(values.before) - set(after))


def _hold(change: Change, names: frozenset[str], why: Message, reason: Reason) -> Iterator[Change]:
    if not names:
        yield change
        return
    rest = {name: values for name, values in change.fields.items() if name not in names}
    held = {name: values for name, values in change.fields.items() if name in names}
    if rest:
        yield replace(change, fields=rest)
    yield replace(as_kept(change, why, reason), fields=held)


def _hold_tag(change: Change, why: Message, reason: Reason) -> Iterator[Change]:
    """Who joins a tag may join it; who would leave it stays."""
    values = change.fields.get("members")
    before, after = _keys(values, "before"), _keys(values, "after")
    joining = after - before
    if joining:
        both = FieldChange(tuple(sorted(before)), tuple(sorted(before | after)))
        if change.verb is Verb.CREATE:
            yield change
            return
        yield replace(change, fields={"members": both})
    if before - after or "foreign_members" in change.fields or not joining:
        yield change if change.verb is Verb.CREATE else as_kept(change, why, reason)


def leaving_tag(change: Change) -> set[str]:
    """Keys of those whom a change of a tag takes out of it; its deletion takes all."""
    values = change.fields.get("members")
    return _keys(values, "before") - _keys(values, "after")


def _keys(values: FieldChange | None, side: str) -> set[str]:
    held = None if values is None else getattr(values, side)
    return set(cast("tuple[str, ...]", held)) if isinstance(held, tuple) else set()


def check(plan: Plan) -> None:
    """Refuse a plan that is over any limit: the whole run writes nothing (contract §2); and one that waits.

    Raises GuardError, which names every limit that is exceeded, what it comes from, or why the plan waits.
    """
    if plan.exceeded:
        lines = [_in_words(limit) for limit in plan.exceeded]
        why = _told(plan.causes)
        raise GuardError(
            "the plan is over a limit, nothing was written: "
            + "; ".join(lines)
            + (f". Why: {why}" if why else ""),
            hint=_how_to_approve(plan),
        )
    if plan.waits:
        raise GuardError(
            f"the plan waits for approval, nothing was written: {_told(plan.waits)}",
            hint=_how_to_approve(plan),
        )


def check_approval(
    plan: Plan,
    approved: str | None,
    standing: Standing | None = None,
    *,
    now: datetime | None = None,
    digest: str | None = None,
    differences: Sequence[Message] = (),
) -> None:
    """Refuse a plan that is over a limit or waits, unless `approved` is the digest of this very plan.

    What WeCom itself does not allow no approval lifts. `standing` is how the mirror has it: of the plan that
    is approved now, or of this one where nobody says so now. `digest` is that of the whole plan where this is
    a part of it, and `differences` are those to the plan that was approved. Raises GuardError, or
    StalePlanError where another plan was approved than this one, or one to which nobody can say yes any more.
    """
    if not plan.is_approvable:
        check(plan)
    if approved is None:
        if standing is not None and now is not None and standing.stands(now):
            return
        if standing is not None and standing.is_rejected:
            raise _rejected(plan, standing)
        check(plan)
        return
    if standing is not None and now is not None:
        _check_usable(plan.sync, standing, now)
    current = digest or plan.digest
    if approved != current:
        raise StalePlanError(
            f"the plan is not the one that was approved: {approved} was, {current} is now",
            hint="look at the plan as it is now, and approve that one",
            differences=differences,
        )


def check_shown(plan: Plan, shown: Iterable[Limit]) -> None:
    """Refuse a plan under an approval where something is so by now that whoever approved was not shown.

    What the plan writes was before their eyes. What it was planned upon may have changed under the same
    digest: a source that lost rows, people who are gone from WeCom. `shown` are the limits of the approved
    plan. Raises StalePlanError.
    """
    known = {(limit.name, _of_what(limit)): limit.count for limit in shown if limit.is_exceeded}
    news = [
        limit
        for limit in plan.exceeded
        if limit.name in CIRCUMSTANCES and limit.count > known.get((limit.name, _of_what(limit)), 0)
    ]
    if news:
        raise StalePlanError(
            "nothing was written: when this plan was approved it was not so that "
            + "; ".join(_in_words(limit) for limit in news),
            hint=f"look at the plan as it is now, and approve that one: wxsync plan {plan.sync}",
        )


def check_made_since(plan: Plan, made_at: datetime | None, demanded_at: datetime | None) -> None:
    """Refuse an approval of what was shown before something asked for another look: it is not that look.

    Raises StalePlanError.
    """
    if demanded_at is not None and made_at is not None and made_at < demanded_at:
        raise StalePlanError(
            "nothing was written: this plan was made before it was asked that somebody look again:"
            f" {_told(plan.waits)}",
            hint=f"look at the plan as it is now, and approve that one: wxsync plan {plan.sync}",
        )


def _of_what(limit: Limit) -> str | None:
    """Which of the limits of one name; the others' detail is their doubt in words."""
    return limit.detail if limit.name == "source_shrink" else None


def _in_words(limit: Limit) -> str:
    detail = f" ({limit.detail})" if limit.detail else ""
    window = f" within {limit.window}" if limit.window else ""
    return f"{limit.name}{detail}{window}: {limit.count}, allowed {limit.allowed}"


def _told(messages: Sequence[Message]) -> str:
    return "; ".join(str(mask_message(message)) for message in messages)


def _how_to_approve(plan: Plan) -> str:
    if not plan.is_approvable:
        return (
            "WeCom would refuse the rest of these creations, so no approval lifts this: let the source ask"
            " for fewer, plan again when those of 30 days ago no longer count, or have the corp's cap raised"
            " and account_cap with it"
        )
    return (
        "look at the plan; if it is what you want, carry out this one plan with: "
        f"{plan.command} --approve {plan.digest}"
    )


def _rejected(plan: Plan, standing: Standing) -> GuardError:
    said = standing.decided
    who = "" if said is None else f" by {said.by}, {said.at:%Y-%m-%d %H:%M} UTC"
    return GuardError(
        f"nothing was written: this plan was rejected{who}",
        hint="mend the source or the config, so that another plan comes of it; or approve this one all the"
        f" same: {plan.command} --approve {plan.digest}",
    )


def _check_usable(sync: str, standing: Standing, now: datetime) -> None:
    """Raises StalePlanError where nobody can say yes to this plan, or not any more."""
    anew = f"look at the plan as it is now, and approve the digest that it has: wxsync plan {sync}"
    offer, said = standing.offer, standing.decided
    if standing.is_spent and said is not None:
        raise StalePlanError(
            f"nothing was written: plan {standing.digest} was approved by {said.by} and carried out by run"
            f" {said.run_id}; an approval holds once",
            hint=anew,
        )
    if offer is None:
        raise StalePlanError(
            f"nothing was written: the mirror has no plan {standing.digest}, so nobody can have looked at it",
            hint=anew,
        )
    if offer.is_old(now):
        hours = (now - offer.made_at).total_seconds() / 3600
        made = f"{hours:.0f} hours ago" if hours > 0 else f"{-hours:.0f} hours ahead of this clock"
        raise StalePlanError(
            f"nothing was written: plan {standing.digest} was made {made}, and can be approved within 24",
            hint=anew,
        )
