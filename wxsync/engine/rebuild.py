"""After the loss of a mirror: which of the records that saved plans call ours may be taken for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wxsync.engine.adoption import compare
from wxsync.engine.decide import Decision
from wxsync.engine.guard import is_protected
from wxsync.engine.roots import ancestors
from wxsync.errors import GuardError
from wxsync.model.change import Kind
from wxsync.model.member import Member, fold
from wxsync.model.message import Message, say
from wxsync.model.remembered import (
    LinkState,
    RememberedDepartment,
    RememberedMember,
    RememberedTag,
)
from wxsync.model.saved_plan import Named, NotRelinked, SavedPlan
from wxsync.model.unknown import UNKNOWN

CONTACTS: Final = frozenset({"mobile", "email"})
"""What is one person's alone: two may have one name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """Who is ours from now on; of none of them any value is known."""

    members: tuple[RememberedMember, ...]
    departments: tuple[RememberedDepartment, ...]
    tags: tuple[RememberedTag, ...]
    left: tuple[NotRelinked, ...]
    """Whom the plans call ours and who is not taken for it."""
    unnamed: Mapping[Kind, int]
    """How many of the source the plans do not name as ours."""


def rebuild(
    decision: Decision, saved: Sequence[SavedPlan], protect: Sequence[str], *, is_generated: bool
) -> Rebuild:
    """Whoever the plans call ours last, as far as WeCom and the source do not speak against it.

    Under another userid than the source's somebody is taken only where a number or address that WeCom shows
    agrees, or where userids are made from names (`is_generated`) and the plan's digest covers this one.

    Raises GuardError where a plan is of another corp or sync, or where the mirror is not fresh.
    """
    _refuse_strange_plans(decision, saved)
    _refuse_mirror_in_use(decision)
    ours = _ours(saved)
    looked = _Looked(decision, protect, ours, is_generated=is_generated)
    verdicts = {place: looked.problem(named) for place, named in sorted(ours.items())}
    good = [ours[place] for place, why in verdicts.items() if why is None]
    return Rebuild(
        members=tuple(_member(named) for named in good if named.kind is Kind.MEMBER),
        departments=tuple(_department(named) for named in good if named.kind is Kind.DEPARTMENT),
        tags=tuple(_tag(named) for named in good if named.kind is Kind.TAG),
        left=tuple(
            NotRelinked(kind=ours[place].kind, key=ours[place].key, why=why)
            for place, why in verdicts.items()
            if why is not None
        ),
        unnamed=_unnamed(decision, good),
    )


def _ours(saved: Sequence[SavedPlan]) -> dict[tuple[Kind, str], Named]:
    """By what is said last of each record: the plans follow each other as they were made."""
    last: dict[tuple[Kind, str], Named] = {}
    for plan in sorted(saved, key=lambda each: each.created_at):
        # One plan may name a record twice: what is written of it, and what is left as it is.
        said: dict[tuple[Kind, str], Named] = {}
        for named in plan.named:
            place = (named.kind, named.key)
            if named.is_ours or place not in said:
                said[place] = _vouched(named, last.get(place))
        last |= said
    return {place: named for place, named in last.items() if named.is_ours}


def _vouched(named: Named, before: Named | None) -> Named:
    """Where an earlier plan's digest covers the same id of ours, it does so still."""
    if before is None or not (before.is_ours and before.is_digested):
        return named
    return replace(named, is_digested=True) if _folded(before.id) == _folded(named.id) else named


def _refuse_strange_plans(decision: Decision, saved: Sequence[SavedPlan]) -> None:
    here = (decision.plan.sync, decision.plan.corp_id)
    for plan in saved:
        if (plan.sync, plan.corp_id) != here:
            raise GuardError(
                f"nothing was changed: {plan.file} is of sync {plan.sync} and corp {plan.corp_id}",
                hint=f"give it plans of sync {here[0]} and corp {here[1]}",
            )


def _refuse_mirror_in_use(decision: Decision) -> None:
    remembered = decision.remembered
    links = (*remembered.members.values(), *remembered.departments.values(), *remembered.tags.values())
    if links or remembered.has_been_applied:
        raise GuardError(
            f"nothing was changed: this mirror knows sync {decision.plan.sync} already"
            f" ({len(remembered.members)} members, {len(remembered.departments)} departments)",
            hint="this is for a fresh mirror, after the loss of the former one: name a new one as mirror.url,"
            " and give it all plans at once",
        )


class _Looked:
    """What speaks against taking a record for ours."""

    def __init__(
        self,
        decision: Decision,
        protect: Sequence[str],
        ours: Mapping[tuple[Kind, str], Named],
        *,
        is_generated: bool,
    ) -> None:
        self._is_generated = is_generated
        self._desired = decision.desired
        self._remembered = decision.remembered
        self._actual = decision.actual
        self._protect = protect
        self._members = {fold(member.userid): member for member in decision.seen.members}
        self._departments = {department.id: department for department in decision.seen.departments}
        self._tags = {tag.id: tag for tag in decision.seen.tags}
        self._takers = {fold(each.userid): key for key, each in decision.desired.members.items()}
        self._claims = Counter((named.kind, _folded(named.id)) for named in ours.values())

    def problem(self, named: Named) -> Message | None:
        """None where nothing does."""
        if named.id is None:
            return say("the plan that created it does not tell its id")
        if self._claims[named.kind, _folded(named.id)] > 1:
            return say("two of the plans' records have its id {id}", id=named.id)
        match named.kind:
            case Kind.MEMBER:
                return self._of_member(named, str(named.id))
            case Kind.DEPARTMENT:
                return self._of_department(named, int(named.id))
            case Kind.TAG:
                return self._of_tag(named, int(named.id))

    def _of_member(self, named: Named, userid: str) -> Message | None:
        folded, wanted = fold(userid), self._desired.members.get(named.key)
        seen = self._members.get(folded)
        there = {*self._desired.members, *self._desired.leavers, *self._desired.rejected_members}
        if named.key not in there:
            return say("the source has no such key any more")
        if seen is None:
            return say("WeCom has nobody with the userid {userid}", userid=userid)
        if folded in self._remembered.elsewhere_userids:
            return say("it belongs to another sync of this corp")
        if self._remembered.retired_userids.get(folded, named.key) != named.key:
            return say("its userid belonged to somebody else, who is gone")
        if is_protected(userid, self._protect):
            return say("its userid is protected by policy.protect")
        taker = self._takers.get(folded, named.key)
        if taker != named.key:
            return say("its userid is wanted by {key}", key=taker)
        known = wanted or Member(key=named.key, userid=userid, name=named.name or UNKNOWN)
        agree, differ = compare(known, seen)
        if differ and not agree:
            return say("WeCom has somebody else there: {fields} differ", fields=", ".join(differ))
        if CONTACTS.isdisjoint(agree):
            return self._of_userid(named, wanted, folded)
        return None

    def _of_userid(self, named: Named, wanted: Member | None, folded: str) -> Message | None:
        """Where nothing that is one person's alone agrees: who vouches for the userid.

        One that the plan alone says may be anybody's: it was altered there, or belongs to whoever had the
        key before. It may also be right (changed by hand, adopted by a number that is hidden now): adoption
        tells.
        """
        if wanted is not None and fold(wanted.userid) == folded:
            return None
        if wanted is not None and not self._is_generated:
            return say(
                "the source gives it the userid {userid}, the plan another one, and no number or address that"
                " WeCom shows agrees",
                userid=wanted.userid,
            )
        if not named.is_digested:
            return say("only a line that the plan's digest does not cover says which userid it has")
        return None

    def _of_department(self, named: Named, id: int) -> Message | None:
        seen, wanted = self._departments.get(id), self._desired.departments.get(named.key)
        if wanted is None:
            return say("the source has no such key any more")
        if seen is None:
            return say("WeCom has no department with the id {id}", id=id)
        if id == self._actual.root or id in set(ancestors(self._actual.root, self._actual.parents)):
            return say("it is root_department, or above it")
        if id in self._remembered.elsewhere_department_ids:
            return say("it belongs to another sync of this corp")
        if seen.name not in (UNKNOWN, wanted.name, named.name):
            return say("WeCom has another department there: its name differs")
        return None

    def _of_tag(self, named: Named, id: int) -> Message | None:
        seen = self._tags.get(id)
        if named.key not in self._desired.tags:
            return say("the source has no such key any more")
        if seen is None or seen.name != named.key:
            return say("WeCom has no tag of this name with the id {id}", id=id)
        if id in self._remembered.elsewhere_tag_ids:
            return say("it belongs to another sync of this corp")
        return None


def _folded(id: str | int | None) -> str:
    return fold(str(id))


def _unnamed(decision: Decision, good: Iterable[Named]) -> dict[Kind, int]:
    desired = decision.desired
    named = Counter(each.kind for each in good if each.key in _wanted(decision, each.kind))
    return {
        Kind.DEPARTMENT: len(desired.departments) - named[Kind.DEPARTMENT],
        Kind.MEMBER: len(desired.members) - named[Kind.MEMBER],
        Kind.TAG: len(desired.tags) - named[Kind.TAG],
    }


def _wanted(decision: Decision, kind: Kind) -> Iterable[str]:
    desired = decision.desired
    return {
        Kind.DEPARTMENT: desired.departments.keys(),
        Kind.MEMBER: desired.members.keys(),
        Kind.TAG: desired.tags.keys(),
    }[kind]


def _member(named: Named) -> RememberedMember:
    return RememberedMember(state=LinkState.OURS, member=Member(key=named.key, userid=str(named.id)))


def _department(named: Named) -> RememberedDepartment:
    names = () if named.name is None else (named.name,)
    return RememberedDepartment(
        key=named.key, id=int(named.id or 0), state=LinkState.OURS, doubted_names=names
    )


def _tag(named: Named) -> RememberedTag:
    return RememberedTag(name=named.key, id=int(named.id or 0), state=LinkState.OURS)
