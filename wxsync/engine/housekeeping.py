"""What the mirror learns from a reading alone: lost replies found again, who left, what is gone."""

from __future__ import annotations

from collections.abc import Iterator

from wxsync.engine.actual import found_again, found_department_again
from wxsync.engine.decide import Decision
from wxsync.engine.ledger import Ledger
from wxsync.engine.recorder import Entry, Forget
from wxsync.model.member import fold
from wxsync.model.remembered import LinkState
from wxsync.model.unknown import UNKNOWN


def housekeeping(decision: Decision, ledger: Ledger) -> list[Entry]:
    """The entries to put on record before the first call of a run."""
    return [
        *_announced(decision, ledger),
        *_leavers(decision, ledger),
        *_missing(decision, ledger),
        *_seen(decision, ledger),
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
            else:
                yield ledger.drop_department(key)
    for name, tag in remembered.tags.items():
        if tag.state is LinkState.PENDING:
            yield ledger.keep_tag(name) if name in actual.tags else ledger.drop_tag(name)
    for key, member in remembered.members.items():
        if member.state is LinkState.PENDING:
            if key in actual.members:
                yield ledger.keep_member(found_again(member))
            else:
                ledger.forget_member(key)
                yield Forget(key)


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


def _seen(decision: Decision, ledger: Ledger) -> Iterator[Entry]:
    """What WeCom shows today it may hide tomorrow: then this is what is known."""
    seen = {fold(member.userid): member.shown for member in decision.seen.members}
    for key, member in decision.actual.members.items():
        shown = seen[fold(member.userid)]
        if shown is not None:
            link = ledger.mark_seen(key, shows_mobile=shown.mobile is not UNKNOWN)
            if link is not None:
                yield link


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
