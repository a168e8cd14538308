"""What the mirror learns from a reading alone: lost replies found again, who left, what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wxsync.engine.actual import found_again, found_department_again
from wxsync.engine.decide import Decision
from wxsync.engine.drift import IN_TAG
from wxsync.engine.drift_notes import noted, noted_unasked, outdated
from wxsync.engine.ledger import Ledger
from wxsync.engine.recorder import Entry, Forget, ForgetDrift
from wxsync.model.audit import Deed
from wxsync.model.change import Kind, Verb
from wxsync.model.member import fold
from wxsync.model.message import Message, say
from wxsync.model.remembered import LinkState
from wxsync.model.run import OutcomeState
from wxsync.model.unknown import UNKNOWN

FOUND: Final = say("WeCom shows what an earlier run was to create, and whose reply was lost")
NOT_FOUND: Final = say("WeCom does not show what an earlier run was to create, and whose reply was lost")


def housekeeping(decision: Decision, ledger: Ledger) -> list[Entry]:
    """The entries to put on record before the first call of a run.

    An undo asks no source: it learns of nobody that they have left or are wanted again, and what a hand
    changed in WeCom is left for the next plan to find.
    """
    if decision.plan.undoes is not None:
        return [
            *_announced(decision, ledger),
            *_missing(decision, ledger),
            *_never_put_in(decision, ledger),
        ]
    return [
        *_announced(decision, ledger),
        *_leavers(decision, ledger),
        *_missing(decision, ledger),
        *_leaderless(decision, ledger),
        *_seen(decision, ledger),
        *_seen_departments(decision, ledger),
        *_never_put_in(decision, ledger),
        *_by_hand(decision, ledger),
        *_gone(decision, ledger),
    ]


def _announced(decision: Decision, ledger: Ledger) -> Iterator[Entry]:
    """Creations whose fate was open: what is proven is ours, what is not never came about.

    An id that was announced is never used again; a userid is free for whoever the source gives it to.
    """
    actual, remembered = decision.actual, decision.remembered
    for key, department in remembered.departments.items():
        if department.state is LinkState.PENDING:
            if key in actual.departments:
                yield ledger.keep_department(found_department_again(department))
                yield _found(Kind.DEPARTMENT, key, department.id)
            else:
                yield ledger.drop_department(key)
                yield _not_found(Kind.DEPARTMENT, key, department.id)
    for name, tag in remembered.tags.items():
        if tag.state is LinkState.PENDING:
            is_there = name in actual.tags
            yield ledger.keep_tag(name) if is_there else ledger.drop_tag(name)
            yield (_found if is_there else _not_found)(Kind.TAG, name, tag.id)
    for key, member in remembered.members.items():
        if member.state is LinkState.PENDING:
            if key in actual.members:
                yield ledger.keep_member(found_again(member))
                yield _found(Kind.MEMBER, key, member.member.userid)
            else:
                ledger.forget_member(key)
                yield Forget(key)
                yield _not_found(Kind.MEMBER, key, member.member.userid)


def _found(kind: Kind, key: str, id: str | int) -> Deed:
    """What the audit trail says of a creation whose reply was lost."""
    return _settled(kind, key, id, OutcomeState.DONE, FOUND)


def _not_found(kind: Kind, key: str, id: str | int) -> Deed:
    return _settled(kind, key, id, OutcomeState.FAILED, NOT_FOUND)


def _settled(kind: Kind, key: str, id: str | int, state: OutcomeState, why: Message) -> Deed:
    return Deed(kind=kind, verb=Verb.CREATE, state=state, key=key, id=id, why=why, is_settled=True)


def _leavers(decision: Decision, ledger: Ledger) -> Iterator[Entry]:
    for key in decision.actual.members:
        left_at = ledger.members[key].left_at
        if key in decision.leavers and left_at is None:
            yield ledger.mark_left(key)
        elif key not in decision.leavers and decision.desired.is_complete and left_at is not None:
            yield ledger.mark_wanted(key)


def _missing(decision: Decision, ledger: Ledger) -> Iterator[Entry]:
    """Whoever has such a userid from now on was put there by a hand."""
    for key in sorted(decision.actual.missing_members):
        if ledger.members[key].missing_since is None:
            yield ledger.mark_missing(key)


def _leaderless(decision: Decision, ledger: Ledger) -> Iterator[Entry]:
    """Those whose direct leader was deleted. It is on record before that leader may be created anew."""
    for key in decision.actual.members:
        leader = ledger.members[key].member.direct_leader
        if isinstance(leader, str) and leader not in decision.actual.members:
            yield ledger.forget_leader(key)


def _seen(decision: Decision, ledger: Ledger) -> Iterator[Entry]:
    """What WeCom shows today it may hide tomorrow: then this is what is known."""
    seen = {fold(member.userid): member.shown for member in decision.seen.members}
    news: list[str] = []
    for key, member in decision.actual.members.items():
        shown = seen[fold(member.userid)]
        if shown is not None:
            link = ledger.mark_seen(key, shows_mobile=shown.mobile is not UNKNOWN)
            if link is not None:
                news.append(key)
                yield link
    yield from noted_unasked(decision, news)


def _seen_departments(decision: Decision, ledger: Ledger) -> Iterator[Entry]:
    """Where departments are, and their names where those are shown."""
    for department in decision.seen.departments:
        key = decision.sides.keys.get(department.id)
        if key is not None and (link := ledger.mark_department_seen(key, department)) is not None:
            yield link


def _never_put_in(decision: Decision, ledger: Ledger) -> Iterator[Entry]:
    """Who was to come into a tag by a call whose end nobody knows, and is not in it: nobody took them out."""
    shown = {tag.id: frozenset(map(fold, tag.userids or ())) for tag in decision.seen.tags}
    for name in decision.actual.tags:
        link = ledger.tags.get(name)
        if link is not None and link.id in decision.remembered.tags_in_doubt and link.id in shown:
            gone = link.userids - shown[link.id]
            if gone:
                yield ledger.take_out_of_tag(name, tuple(sorted(gone)))


def _by_hand(decision: Decision, ledger: Ledger) -> Iterator[Entry]:
    """What hands did and what becomes of it, before anything of it is written.

    What a hand left is what is known from here on: of members' fields `_seen` says so.
    """
    yield from noted(decision)
    for each in decision.handwork:
        if each.three.is_fresh and each.kind is Kind.TAG and each.field.startswith(IN_TAG):
            yield ledger.take_out_of_tag(each.key, (each.field.removeprefix(IN_TAG),))
        elif each.three.is_fresh and each.kind is Kind.MEMBER and each.field == "departments":
            yield ledger.mark_moved(each.key)
    renewed = {each.place for each in decision.handwork}
    yield from map(ForgetDrift, outdated(decision, renewed))


def _gone(decision: Decision, ledger: Ledger) -> Iterator[Entry]:
    """Ours by the mirror, wanted by nobody, and no longer in WeCom."""
    actual, desired, remembered = decision.actual, decision.desired, decision.remembered
    if not desired.is_complete or desired.is_doubtful("members") or desired.is_doubtful("departments"):
        return
    rejected = {row.key for row in desired.rejected}
    for key, member in remembered.members.items():
        is_kept = key in actual.members or key in desired.members or key in rejected
        if member.state is LinkState.OURS and not is_kept:
            yield ledger.drop_member(key)
    wanted = desired.departments.keys() | desired.held_departments
    for key, department in remembered.departments.items():
        is_kept = key in actual.departments or key in wanted or key in rejected
        if department.state is LinkState.OURS and not is_kept:
            yield ledger.drop_department(key)
    for name, tag in remembered.tags.items() if desired.tags_are_mapped else ():
        if tag.state is LinkState.OURS and name not in actual.tags and name not in desired.tags:
            yield ledger.drop_tag(name)
