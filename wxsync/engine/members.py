"""What differs between the people that the sources ask for and those of ours that WeCom has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, cast

from wxsync.config.settings import PolicySettings
from wxsync.engine.actual import Actual
from wxsync.engine.adoption import Match, Resemblance, Weight, doubly_meant
from wxsync.engine.creation import CreationFields
from wxsync.engine.drift import Hands, Handwork
from wxsync.engine.drift_fields import Fields
from wxsync.engine.handed import Handed, handed
from wxsync.engine.places import Refs, foreign_places, place_differences, target_places
from wxsync.engine.verdicts import change_of, keep_of, reject_of
from wxsync.model.change import Change, FieldChange, Kind, Reason, Rejected, Verb
from wxsync.model.desired import Desired
from wxsync.model.member import MEMBER_FIELDS, TEXT_FIELDS, Member, fold
from wxsync.model.message import Message, say
from wxsync.model.remembered import LinkState, Remembered
from wxsync.model.taken import taken_hash
from wxsync.model.unknown import UNKNOWN, Value

CREATED: Final = say("it is in the source and not yet in WeCom")
RECREATED: Final = say("it was deleted in WeCom by hand; policy.missing_in_wecom is recreate")


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
    hands: Hands
    sides: Fields

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
        hands: Hands,
        sides: Fields,
        weak_too: bool = False,
        is_generated: bool = False,
    ) -> MemberDiff:
        unowned = {
            folded: stranger
            for folded, stranger in actual.strangers.items()
            if folded not in remembered.elsewhere_userids
        }
        resemblance = Resemblance.among(unowned, policy.adopt, is_generated=is_generated)
        matches = {
            key: match
            for key, wanted in desired.members.items()
            if key not in actual.members and (match := resemblance.match(wanted)) is not None
        }
        return cls(
            matches=matches,
            doubly_meant=doubly_meant(matches),
            weak_too=weak_too,
            hands=hands,
            sides=sides,
            desired=desired,
            actual=actual,
            remembered=remembered,
            policy=policy,
            held=held,
            now=now,
            owners={fold(member.userid): key for key, member in actual.members.items()},
            former_owners={
                **remembered.retired_userids,
                **{
                    fold(link.member.userid): key
                    for key, link in remembered.members.items()
                    if link.state is not LinkState.PENDING and key not in actual.members
                },
            },
        )

    def __iter__(self) -> Iterator[Change | Rejected | Handwork]:
        """Every change, every wish that cannot be granted, and every hand's doing, in no particular order."""
        for key, wanted in sorted(self.desired.members.items()):
            known = self.actual.members.get(key)
            if known is not None:
                yield from self._compare(wanted, known)
            elif self._is_missing(key) and (why := self._stays_missing(key)) is not None:
                yield keep_of(wanted, why, Reason.FOREIGN, id=self.remembered.members[key].member.userid)
            else:
                yield self._newcomer(wanted)
            if wanted.key in self.desired.leaders_left_out:
                yield self._without_leader(wanted, known)

    def _without_leader(self, wanted: Member, known: Member | None) -> Change:
        leader = self.desired.leaders_left_out[wanted.key]
        why = say("its direct leader {key} is in no source, and is not sent", key=leader)
        before = UNKNOWN if known is None else known.direct_leader
        return keep_of(
            wanted if known is None else known,
            why,
            Reason.UNKNOWN,
            id=None if known is None else known.userid,
            fields={"direct_leader": FieldChange(before, leader)},
        )

    def _newcomer(self, wanted: Member) -> Change | Rejected:
        folded = fold(wanted.userid)
        if (owner := self.owners.get(folded)) is not None:
            return reject_of(wanted, "userid", "userid_taken", say("its userid belongs to {key}", key=owner))
        former = self.former_owners.get(folded)
        if former is not None and former != wanted.key:
            problem = say(
                "its userid belonged to {key}, who is gone; WeCom would mix their histories", key=former
            )
            return reject_of(wanted, "userid", "userid_reused", problem)
        if former is None and self._was_erased(folded):
            problem = say("its userid belonged to somebody who is gone and was erased: give it another one")
            return reject_of(wanted, "userid", "userid_reused", problem)
        if folded in self.remembered.elsewhere_userids:
            return reject_of(
                wanted, "userid", "userid_taken", say("its userid belongs to another sync of this corp")
            )
        if (match := self.matches.get(wanted.key)) is not None:
            return self._resembling(wanted, match)
        if (starts := self.desired.starts.get(wanted.key)) is not None:
            return keep_of(wanted, say("starts on {date}", date=starts), Reason.WAITING, id=None)
        return self._creation(wanted)

    def _was_erased(self, folded: str) -> bool:
        erased = self.remembered.erased_userids
        return bool(erased) and taken_hash(folded) in erased

    def _resembling(self, wanted: Member, match: Match) -> Change | Rejected:
        """Somebody in WeCom looks like this person: adopted on proof, kept on less, never doubled."""
        if match.weight is Weight.GENERATED:
            why = say(
                "its userid is made from its name, which alone proves nobody: {userid}", userid=match.userid
            )
            return keep_of(wanted, why, Reason.UNADOPTED, id=match.userid)
        if wanted.key in self.doubly_meant or match.weight is Weight.UNCLEAR:
            why = say(
                "more than one person, or more than one member of WeCom, could be meant: {userid}",
                userid=match.userid,
            )
            return keep_of(wanted, why, Reason.UNADOPTED, id=match.userid)
        if match.weight is Weight.CONTRADICTED and "userid" in match.agree:
            problem = (
                say(
                    "WeCom has a member with its userid who is somebody else; what does not agree: {fields}",
                    fields=match.differ,
                )
                if match.differ
                else say("WeCom has one member with its userid, and another with its phone number or address")
            )
            return reject_of(wanted, "userid", "userid_taken", problem)
        may = not set(self.policy.adopt).isdisjoint(match.agree)
        if may and (match.weight is Weight.PROVEN or self.weak_too):
            why = say("it is in WeCom already: {fields} agree", fields=match.agree)
            evidence = {
                field: FieldChange(value, value)
                for field in match.agree
                if field != "userid" and (value := getattr(wanted, field))
            }
            return replace(change_of(wanted, Verb.ADOPT, why, evidence), id=match.userid)
        if may:
            why = say(
                "WeCom has a member who may be the same: {fields} agree, which wants approval",
                fields=match.agree,
            )
        else:
            why = say("WeCom has a member who is not of our making: {fields} agree", fields=match.agree)
        return keep_of(wanted, why, Reason.UNADOPTED, id=match.userid)

    def _creation(self, wanted: Member) -> Change | Rejected:
        if not any(isinstance(value, str) for value in (wanted.mobile, wanted.email)):
            problem = say("WeCom wants a mobile or an email for a new member")
            return reject_of(wanted, "mobile", "contact_required", problem)
        places = cast("Refs", wanted.departments)
        if not self.held.isdisjoint(places):
            why = say("a department of it is rejected, so nobody can be put there")
            return keep_of(wanted, why, Reason.REJECTED, id=None)
        why = RECREATED if wanted.key in self.actual.missing_members else CREATED
        return change_of(wanted, Verb.CREATE, why, CreationFields(wanted))

    def _is_missing(self, key: str) -> bool:
        """A hand deleted this member in WeCom, and nobody there looks like them."""
        return key in self.actual.missing_members and key not in self.matches

    def _stays_missing(self, key: str) -> Message | None:
        """Why somebody whom a hand deleted in WeCom is not created again; None where they are."""
        if self.policy.missing_in_wecom == "report":
            return say("it was deleted in WeCom by hand; policy.missing_in_wecom is report")
        again = self.remembered.members[key].recreated_at
        if again is not None and self.now - again < timedelta(days=1):
            return say("it was deleted in WeCom by hand again; it is created once a day at most")
        return None

    def _compare(self, wanted: Member, known: Member) -> Iterator[Change | Handwork]:
        if fold(wanted.userid) != fold(known.userid):
            why = say("WeCom cannot change a userid; this member keeps the one that it has")
            yield keep_of(
                known, why, Reason.FOREIGN, fields={"userid": FieldChange(known.userid, wanted.userid)}
            )
        fields = self._field_differences(wanted, known)
        places, kept = self._place_differences(wanted, known)
        verb, enable = self._verb(wanted, known)
        fields |= places
        if enable is not None:
            fields["enable"] = enable
        for keep in kept:
            marked = self._handed(known, keep.fields)
            yield from marked.handwork
            yield replace(keep, drift=marked.by_hand)
        if fields:
            yield from self._judged(wanted, known, verb, _sorted(fields))

    def _judged(
        self, wanted: Member, known: Member, verb: Verb, fields: Mapping[str, FieldChange]
    ) -> Iterator[Change | Handwork]:
        """What differs, as far as it is not a hand's whose word counts."""
        judged = self._handed(known, fields)
        yield from judged.handwork
        for left in judged.left:
            yield keep_of(known, left.why, Reason.FOREIGN, fields=left.fields, drift=left.drift)
        if "mobile" in judged.fields and known.key in self.actual.activated:
            why = say("it has activated, and WeCom keeps the phone number that such a member has")
            yield keep_of(
                known,
                why,
                Reason.UNKNOWN,
                fields={"mobile": judged.fields["mobile"]},
                drift=tuple(name for name in judged.drift if name == "mobile"),
            )
            judged = judged.without("mobile")
        if judged.fields:
            why = _why(verb) or judged.why
            yield change_of(_shown(wanted, known), verb, why, judged.fields, judged.drift)

    def _handed(self, known: Member, fields: Mapping[str, FieldChange]) -> Handed:
        return handed(self.hands, Kind.MEMBER, known.key, fields, self.sides.of_member)

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
            return {}, [keep_of(known, why, Reason.REJECTED, fields=fields)]
        if wanted.key in self.desired.undecided_memberships:
            why = say("a membership row of it is rejected: its places stay as they are")
            return {}, [keep_of(known, why, Reason.REJECTED, fields=fields)]
        marks = {name: values for name, values in fields.items() if name in ("is_leader", "order")}
        if marks and foreign_places(known, self.actual) and self.policy.foreign_memberships == "keep":
            why = say("it is in a foreign department too, whose mark nobody knows")
            rest = {name: change for name, change in fields.items() if name not in marks}
            return rest, [keep_of(known, why, Reason.UNKNOWN, fields=marks)]
        return fields, []

    def _verb(self, wanted: Member, known: Member) -> tuple[Verb, FieldChange | None]:
        """`enable` is sent only to those whom wxsync itself disabled (contract §2)."""
        was_disabled_by_us = self.remembered.members[wanted.key].disabled_at is not None
        if was_disabled_by_us and wanted.enable is not False:
            return Verb.ENABLE, FieldChange(False, True)
        if not was_disabled_by_us and wanted.enable is False and known.enable is not False:
            return Verb.DISABLE, FieldChange(known.enable, False)
        return Verb.UPDATE, None


def _shown(wanted: Member, known: Member) -> Member:
    """The member under the userid that it has and the name that it shall have."""
    name = known.name if wanted.name is UNKNOWN else wanted.name
    return Member(key=wanted.key, userid=known.userid, name=name)


def _why(verb: Verb) -> Message | None:
    """Why somebody is enabled or disabled; None for an update, whose fields tell."""
    if verb is Verb.ENABLE:
        return say("it is wanted again")
    return say("the source says that it is not enabled") if verb is Verb.DISABLE else None


def _sorted(fields: Mapping[str, FieldChange]) -> dict[str, FieldChange]:
    """In the order of reports; `extattr.…` last."""
    known = [name for name in MEMBER_FIELDS if name in fields]
    return {name: fields[name] for name in (*known, *sorted(set(fields) - set(known)))}
