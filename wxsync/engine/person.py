"""One person's own changes out of a whole plan: to mend one record and to leave all others for later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wxsync.config.settings import SyncSettings
from wxsync.engine.decide import Decision
from wxsync.engine.reducing import needed_by, reduced
from wxsync.errors import GuardError, WxsyncError
from wxsync.model.change import Change, Kind
from wxsync.model.member import fold
from wxsync.model.remembered import LinkState
from wxsync.model.who import KEY, Who, only_one

MOST_NAMED = 5
"""So many changes of others are named in a refusal; the plan shows all of them."""


def only_person(
    decision: Decision, person: str, settings: SyncSettings, account_cap: int | None = None
) -> Decision:
    """The decision with the changes of `person` alone, a source key or a userid, counted anew.

    Their tags are not among them: those are lists of many people. What of others' changes has to
    come first is in `needed`; such a decision cannot be carried out, see `check_alone`.

    Raises WxsyncError where nobody, or more than one, goes by `person`.
    """
    key = key_of(decision, person)
    changes = decision.schedule.changes
    own = [n for n, change in enumerate(changes, 1) if _is_of(change, key)]
    rejected = tuple(row for row in decision.plan.rejected if row.kind is Kind.MEMBER and row.key == key)
    alone = reduced(decision, own, settings, account_cap)
    needed = tuple(changes[n - 1] for n in needed_by(decision.schedule, own))
    return replace(alone, plan=replace(alone.plan, rejected=rejected), person=KEY + key, needed=needed)


def check_alone(decision: Decision) -> None:
    """Refuse one person's changes that cannot be made without another's: no half of them is made.

    Raises GuardError, which names what has to come first.
    """
    if decision.needed:
        named = "; ".join(_named(change) for change in decision.needed[:MOST_NAMED])
        more = f"; and {len(decision.needed) - MOST_NAMED} more" if len(decision.needed) > MOST_NAMED else ""
        raise GuardError(
            f"nothing was written: this person's changes need others first: {named}{more}",
            hint=f"carry out the whole plan: wxsync apply {decision.plan.sync}",
        )


def key_of(decision: Decision, person: str) -> str:
    """The source key of who goes by `person`, a key or a userid: see `wxsync.model.who`.

    Raises WxsyncError, without repeating what may be a phone number.
    """
    known, who = dict(_known(decision)), Who.of(person)
    by_key = (key for key in known if key == who.key)
    by_userid = (key for key, userids in known.items() if who.userid in userids)
    found = only_one(by_key, by_userid)
    if found is None:
        raise WxsyncError(
            f"neither the sources of sync {decision.plan.sync} nor its mirror know anybody by this key or"
            " userid",
            hint="name a person by the key in the source, or by the userid that they have in WeCom",
        )
    return found


def _known(decision: Decision) -> Iterator[tuple[str, frozenset[str]]]:
    """Everybody of whom something can be said: key -> folded userids."""
    userids: dict[str, set[str]] = {
        row.key: set() for row in decision.plan.rejected if row.kind is Kind.MEMBER and row.key is not None
    }
    for key, wanted in decision.desired.members.items():
        userids.setdefault(key, set()).add(fold(wanted.userid))
    for key, link in decision.remembered.members.items():
        if link.state is not LinkState.GONE:
            userids.setdefault(key, set()).add(fold(link.member.userid))
    for change in decision.schedule.changes:
        if change.kind is Kind.MEMBER and change.key is not None:
            ids = {fold(change.id)} if isinstance(change.id, str) else set()
            userids.setdefault(change.key, set()).update(ids)
    return ((key, frozenset(ids)) for key, ids in userids.items())


def _is_of(change: Change, key: str) -> bool:
    return change.kind is Kind.MEMBER and change.key == key


def _named(change: Change) -> str:
    return f"{change.verb.value} {change.kind.value} {change.key}"
