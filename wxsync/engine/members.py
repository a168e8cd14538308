"""What differs between the people that the sources ask for and those of ours that WeCom has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from wxsync.config.settings import PolicySettings
from wxsync.engine.actual import Actual
from wxsync.engine.adoption import Match, Resemblance, Weight, doubly_meant
from wxsync.engine.places import Refs, foreign_places, in_order, place_differences, target_places
from wxsync.model.change import Change, FieldChange, Kind, Reason, Rejected, Verb
from wxsync.model.desired import Desired
from wxsync.model.member import MEMBER_FIELDS, TEXT_FIELDS, Member, fold
from wxsync.model.message import Message, say
from wxsync.model.remembered import LinkState, Remembered, RememberedMember
from wxsync.model.unknown import UNKNOWN, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDiff:
    """Compares people. One object a plan, so that what holds for all is worked out once."""

    desired: Desired
    actual: Actual
    remembered: Remembered
    policy: PolicySettings
    held: frozenset[str]
    """Departments that stay as they are, with everybody in them."""
    now: datetime
    owners: Mapping[str, str]
    """Folded userid -> key, for members of ours who are in WeCom."""
    former_owners: Mapping[str, str]
    """Folded userid -> key, for members of ours who are gone."""
    matches: Mapping[str, Match]
    """Key -> the foreign member whom somebody new looks like."""
    doubly_meant: frozenset[str]
    """Keys that look like the same foreign member as another key does."""
    weak_too: bool
    """Adopt on weak evidence as well: an operator looks at the plan and approves it."""

    @classmethod
    def of(
        cls,
        desired: Desired,
        actual: Actual,
        remembered: Remembered,
        policy: PolicySettings,
        held: frozenset[str],
        now: datetime,
        *,
        weak_too: bool = False,
        is_generated: bool = False,
    ) -> MemberDiff:
        resemblance = Resemblance.among(actual.strangers, policy.adopt, is_generated=is_generated)
        matches = {
            key: match
            for key, wanted in desired.members.items()
            if key not in actual.members and (match := resemblance.match(wanted)) is not None
        }
        return cls(
            matches=matches,
            doubly_meant=doubly_meant(matches),
            weak_too=weak_too,
            desired=desired,
            actual=actual,
            remembered=remembered,
            policy=policy,
            held=held,
            now=now,
            owners={fold(member.userid): key for key, member in actual.members.items()},
            former_owners={
                fold(link.member.userid): key
                for key, link in remembered.members.items()
                if link.state is not LinkState.PENDING and key not in actual.members
            },
        )

    def __iter__(self) -> Iterator[Change | Rejected]:
        """Every change, and every wish that cannot be granted, in no particular order."""
        for key, wanted in sorted(self.desired.members.items()):
            known = self.actual.members.get(key)
            if known is not None:
                yield from self._compare(wanted, known)
            elif key in self.actual.missing_members and (why := self._stays_missing(key)) is not None:
                yield _keep(wanted, why, Reason.FOREIGN)
            else:
                yield self._newcomer(wanted)
            if wanted.key in self.desired.leaders_left_out:
                yield self._without_leader(wanted, known)
        leavers = leavers_of(self.desired, self.actual)
        claimed = claimed_userids(self.desired, self.actual)
        for key, known in sorted(self.actual.members.items()):
            if key in self.desired.members:
                continue
            if key in leavers:
                yield from self._leaver(known, self.remembered.members[key])
            elif key in self.desired.rejected_members:
                yield _keep(known, say("its row is rejected"), Reason.REJECTED)
            elif (other := claimed.get(fold(known.userid))) is not None:
                why = say("its userid is wanted by {key}: has the person another key now?", key=other)
                yield _keep(known, why, Reason.REJECTED)
            else:
                doubt = say("the source has people without a key, and each may be this one: filter those out")
                yield _keep(known, doubt, Reason.REJECTED)

    def _without_leader(self, wanted: Member, known: Member | None) -> Change:
        leader = self.desired.leaders_left_out[wanted.key]
        why = say("its direct leader {key} is in no source, and is not sent", key=leader)
        before = UNKNOWN if known is None else known.direct_leader
        return _keep(
            wanted if known is None else known,
            why,
            Reason.UNKNOWN,
            id=None if known is None else known.userid,
            fields={"direct_leader": FieldChange(before, leader)},
        )

    def _newcomer(self, wanted: Member) -> Change | Rejected:
        folded = fold(wanted.userid)
        if (owner := self.owners.get(folded)) is not None:
            return _reject(wanted, "userid", "userid_taken", say("its userid belongs to {key}", key=owner))
        former = self.former_owners.get(folded)
        if former is not None and former != wanted.key:
            problem = say(
                "its userid belonged to {key}, who is gone; WeCom would mix their histories", key=former
            )
            return _reject(wanted, "userid", "userid_reused", problem)
        if folded in self.remembered.elsewhere_userids:
            return _reject(
                wanted, "userid", "userid_taken", say("its userid belongs to another sync of this corp")
            )
        if (match := self.matches.get(wanted.key)) is not None:
            return self._resembling(wanted, match)
        if (starts := self.desired.starts.get(wanted.key)) is not None:
            return _keep(wanted, say("starts on {date}", date=starts), Reason.WAITING, id=None)
        return self._creation(wanted)

    def _resembling(self, wanted: Member, match: Match) -> Change | Rejected:
        """Somebody in WeCom looks like this person: adopted on proof, kept on less, never doubled."""
        if wanted.key in self.doubly_meant or match.weight is Weight.UNCLEAR:
            why = say(
                "more than one person, or more than one member of WeCom, could be meant: {userid}",
                userid=match.userid,
            )
            return _keep(wanted, why, Reason.UNADOPTED, id=match.userid)
        if match.weight is Weight.CONTRADICTED and "userid" in match.agree:
            problem = say(
                "WeCom has a member with its userid who is somebody else; what does not agree: {fields}",
                fields=match.differ,
            )
            return _reject(wanted, "userid", "userid_taken", problem)
        by_userid = "userid" in match.agree
        may = "userid" in self.policy.adopt if by_userid else match.weight is Weight.WEAK
        if may and (match.weight is Weight.PROVEN or self.weak_too):
            why = say("it is in WeCom already: {fields} agree", fields=match.agree)
            return replace(_change(wanted, Verb.ADOPT, why, {}), id=match.userid)
        if may:
            why = say(
                "WeCom has a member who may be the same: {fields} agree, which wants approval",
                fields=match.agree,
            )
        else:
            why = say("WeCom has a member who is not of our making: {fields} agree", fields=match.agree)
        return _keep(wanted, why, Reason.UNADOPTED, id=match.userid)

    def _creation(self, wanted: Member) -> Change | Rejected:
        if not any(isinstance(value, str) for value in (wanted.mobile, wanted.email)):
            problem = say("WeCom wants a mobile or an email for a new member")
            return _reject(wanted, "mobile", "contact_required", problem)
        places = cast("Refs", wanted.departments)
        if not self.held.isdisjoint(places):
            why = say("a department of it is rejected, so nobody can be put there")
            return _keep(wanted, why, Reason.REJECTED, id=None)
        fields = {
            name: FieldChange(None, in_order(places) if name == "departments" else value)
            for name in MEMBER_FIELDS
            if (value := getattr(wanted, name)) not in (UNKNOWN, None, ())
        }
        fields |= {f"extattr.{name}": FieldChange(None, value) for name, value in wanted.extattr if value}
        why = say("it is in the source and not yet in WeCom")
        if wanted.key in self.actual.missing_members:
            why = say("it was deleted in WeCom by hand; policy.missing_in_wecom is recreate")
        return _change(wanted, Verb.CREATE, why, fields)

    def _stays_missing(self, key: str) -> Message | None:
        """Why somebody whom a hand deleted in WeCom is not created again; None where they are."""
        if self.policy.missing_in_wecom == "report":
            return say("it was deleted in WeCom by hand; policy.missing_in_wecom is report")
        again = self.remembered.members[key].recreated_at
        if again is not None and self.now - again < timedelta(days=1):
            return say("it was deleted in WeCom by hand again; it is created once a day at most")
        return None

    def _compare(self, wanted: Member, known: Member) -> Iterator[Change]:
        if fold(wanted.userid) != fold(known.userid):
            why = say("WeCom cannot change a userid; this member keeps the one that it has")
            yield _keep(
                known, why, Reason.FOREIGN, fields={"userid": FieldChange(known.userid, wanted.userid)}
            )
        fields = self._field_differences(wanted, known)
        places, kept = self._place_differences(wanted, known)
        verb, enable = self._verb(wanted, known)
        fields |= places
        if enable is not None:
            fields["enable"] = enable
        if "mobile" in fields and known.key in self.actual.activated:
            why = say("it has activated, and WeCom keeps the phone number that such a member has")
            yield _keep(known, why, Reason.UNKNOWN, fields={"mobile": fields.pop("mobile")})
        yield from kept
        if fields:
            yield _change(_shown(wanted, known), verb, _why(verb, fields), _sorted(fields))

    def _field_differences(self, wanted: Member, known: Member) -> dict[str, FieldChange]:
        fields: dict[str, FieldChange] = {}
        for name in (*TEXT_FIELDS, "direct_leader"):
            after, before = getattr(wanted, name), getattr(known, name)
            if self._is_due(name, before, after, known.key):
                fields[name] = FieldChange(before, after)
        if wanted.extattr:
            attributes = dict(known.extattr)
            for name, after in wanted.extattr:
                before = attributes.get(name, UNKNOWN)
                if self._is_due(f"extattr.{name}", before, after, known.key):
                    fields[f"extattr.{name}"] = FieldChange(before, after)
        return fields

    def _is_due(self, name: str, before: Value, after: Value, key: str) -> bool:
        """Unknown is not equal to anything, and an empty value clears only where the policy says so."""
        if after is UNKNOWN or after == before:
            return False
        if after is not None:
            return True
        holds = self.actual.doubts.get(key, {}).get(name, ()) if before is UNKNOWN else (before,)
        return any(value is not None for value in holds) and (
            name in self.policy.clear_when_empty or name.partition(".")[0] in self.policy.clear_when_empty
        )

    def _place_differences(
        self, wanted: Member, known: Member
    ) -> tuple[dict[str, FieldChange], list[Change]]:
        """What to write, and what is left alone: places in held departments, marks that nobody knows."""
        if not self.desired.places_are_mapped:
            return {}, []
        target = target_places(wanted, known, self.actual, self.policy)
        doubted = self.actual.doubts.get(known.key, {}).get("is_leader", ())
        fields = place_differences(wanted, known, target, may_lead=any(doubted))
        if not fields:
            return {}, []
        if not self.held.isdisjoint(target) or not self.held.isdisjoint(cast("Refs", known.departments)):
            why = say("a department of it is rejected: its places stay as they are")
            return {}, [_keep(known, why, Reason.REJECTED, fields=fields)]
        if wanted.key in self.desired.undecided_memberships:
            why = say("a membership row of it is rejected: its places stay as they are")
            return {}, [_keep(known, why, Reason.REJECTED, fields=fields)]
        marks = {name: values for name, values in fields.items() if name in ("is_leader", "order")}
        if marks and foreign_places(known, self.actual) and self.policy.foreign_memberships == "keep":
            why = say("it is in a foreign department too, whose mark nobody knows")
            rest = {name: change for name, change in fields.items() if name not in marks}
            return rest, [_keep(known, why, Reason.UNKNOWN, fields=marks)]
        return fields, []

    def _verb(self, wanted: Member, known: Member) -> tuple[Verb, FieldChange | None]:
        """`enable` is sent only to those whom wxsync itself disabled (contract §2)."""
        was_disabled_by_us = self.remembered.members[wanted.key].disabled_at is not None
        if was_disabled_by_us and wanted.enable is not False:
            return Verb.ENABLE, FieldChange(False, True)
        if not was_disabled_by_us and wanted.enable is False and known.enable is not False:
            return Verb.DISABLE, FieldChange(known.enable, False)
        return Verb.UPDATE, None

    def _leaver(self, known: Member, link: RememberedMember) -> Iterator[Change]:
        why = self.desired.leavers.get(known.key) or say("no longer in the source")
        if self.policy.leavers == "keep":
            yield _keep(known, why, Reason.GRACE)
        elif self.policy.leavers == "delete":
            yield _change(known, Verb.DELETE, why, {})
        elif known.enable is not False:
            yield _change(known, Verb.DISABLE, why, {"enable": FieldChange(known.enable, False)})
        elif link.disabled_at is not None and self.policy.delete_after_days is not None:
            yield self._in_grace(known, link)

    def _in_grace(self, known: Member, link: RememberedMember) -> Change:
        days = cast("int", self.policy.delete_after_days)
        # Both count: a leaver whom the policy kept for a year has not been disabled for a year.
        since = max((at for at in (link.left_at, link.disabled_at) if at is not None), default=self.now)
        due = (since if link.left_at is not None else self.now) + timedelta(days=days)
        if due <= self.now:
            why = say("left, and disabled for {days} days", days=days)
            return _change(known, Verb.DELETE, why, {})
        return _keep(known, say("left; to be deleted on {date}", date=due.date()), Reason.GRACE)


def leavers_of(desired: Desired, actual: Actual) -> frozenset[str]:
    """Keys of members of ours who are no longer wanted, and of whom nothing says that they may be."""
    claimed = claimed_userids(desired, actual)
    return frozenset(
        key
        for key, member in actual.members.items()
        if key not in desired.members
        and key not in desired.rejected_members
        and fold(member.userid) not in claimed
        and (key in desired.leavers or not desired.is_doubtful("members"))
    )


def claimed_userids(desired: Desired, actual: Actual) -> dict[str, str]:
    """Folded userid -> the key of somebody wanted who is not in WeCom under that key.

    Where a member of ours has it, the source has given the person another key: nobody has left.
    """
    return {fold(wanted.userid): key for key, wanted in desired.members.items() if key not in actual.members}


def _shown(wanted: Member, known: Member) -> Member:
    """The member under the userid that it has and the name that it shall have."""
    name = known.name if wanted.name is UNKNOWN else wanted.name
    return Member(key=wanted.key, userid=known.userid, name=name)


def _why(verb: Verb, fields: Mapping[str, FieldChange]) -> Message:
    if verb is Verb.ENABLE:
        return say("it is wanted again")
    if verb is Verb.DISABLE:
        return say("the source says that it is not enabled")
    return say("{fields} differs from the source", fields=", ".join(fields))


def _sorted(fields: Mapping[str, FieldChange]) -> dict[str, FieldChange]:
    """In the order of reports; `extattr.…` last."""
    known = [name for name in MEMBER_FIELDS if name in fields]
    return {name: fields[name] for name in (*known, *sorted(set(fields) - set(known)))}


def _change(member: Member, verb: Verb, why: Message, fields: Mapping[str, FieldChange]) -> Change:
    return Change(
        kind=Kind.MEMBER,
        verb=verb,
        key=member.key,
        id=member.userid,
        name=None if member.name is UNKNOWN else member.name,
        fields=fields,
        why=why,
    )


def _keep(
    member: Member,
    why: Message,
    reason: Reason,
    *,
    id: str | None = "",
    fields: Mapping[str, FieldChange] | None = None,
) -> Change:
    """Leave a member alone, and say why; `id` where it is not the member's own userid."""
    return Change(
        kind=Kind.MEMBER,
        verb=Verb.KEEP,
        key=member.key,
        id=member.userid if id == "" else id,
        name=None if member.name is UNKNOWN else member.name,
        fields=fields or {},
        why=why,
        reason=reason,
    )


def _reject(wanted: Member, field: str, rule: str, problem: Message) -> Rejected:
    return Rejected(kind=Kind.MEMBER, key=wanted.key, field=field, rule=rule, problem=problem)
