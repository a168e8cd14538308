"""What differs between the tags that the sources ask for and those of ours that WeCom has."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from wxsync.config.settings import PolicySettings
from wxsync.engine.actual import Actual
from wxsync.engine.drift import IN_TAG, Hands, Handwork, Verdict
from wxsync.engine.drift_fields import Fields
from wxsync.engine.guard import is_protected
from wxsync.engine.handed import why_left, why_written
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.desired import Desired
from wxsync.model.member import fold
from wxsync.model.message import Message, say
from wxsync.model.remembered import LinkState, Remembered
from wxsync.model.tag import Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class TagDiff:
    """Compares tags, knowing who will be there when the tags' turn comes."""

    desired: Desired
    actual: Actual
    remembered: Remembered
    policy: PolicySettings
    present: Collection[str]
    """Keys of members of ours who will be in WeCom after the member changes of this plan."""
    deleted: Collection[str]
    """Keys of members whom this plan deletes: they fall out of every tag by themselves."""
    staying: Collection[str]
    """Keys of members whom this plan leaves as they are: their places in tags stay."""
    hands: Hands
    sides: Fields

    def __iter__(self) -> Iterator[Change | Handwork]:
        """One change for each tag that differs, and every hand's doing.

        Nothing where the sync has no tags of its own.
        """
        if not self.desired.tags_are_mapped:
            return
        for name, wanted in sorted(self.desired.tags.items()):
            known = self.actual.tags.get(name)
            if known is not None:
                yield from self._compare(wanted, known)
            elif self.actual.foreign_tags.get(name) in self.remembered.elsewhere_tag_ids:
                why = say("another sync of this corp has a tag of this name: give one of them another name")
                yield _keep(name, self.actual.foreign_tags[name], why, Reason.FOREIGN)
            elif name in self.actual.foreign_tags:
                why = say("it is in WeCom already: the name agrees")
                yield _change(name, self.actual.foreign_tags[name], Verb.ADOPT, why, {})
            else:
                yield self._creation(wanted)
        for name, known in sorted(self.actual.tags.items()):
            if name in self.desired.empty_tags:
                yield from self._compare(Tag(name=name, members=frozenset()), known)
            elif name not in self.desired.tags:
                yield from self._dropped(known)

    def _creation(self, wanted: Tag) -> Change:
        members = tuple(sorted(self._joining(wanted.members)))
        former = self.remembered.tags.get(wanted.name)
        was_ours = former is not None and former.state is LinkState.OURS
        why = (
            say("it was ours and is no longer in WeCom")
            if was_ours
            else say("it is in the source and not yet in WeCom")
        )
        return _change(wanted.name, None, Verb.CREATE, why, {"members": FieldChange(None, members)})

    def _compare(self, wanted: Tag, known: Tag) -> Iterator[Change | Handwork]:
        joining = self._joining(wanted.members - known.members)
        leaving = self._leaving(known, wanted.members)
        judged = self._judged(known, joining)
        yield from judged
        for verdict in (Verdict.ACCEPTED, Verdict.REPORTED, Verdict.CONTESTED):
            yield from self._left(known, verdict, judged)
        staying_out = {each.field for each in judged if each.verdict.is_left}
        joining = {key for key in joining if self._place_of(key) not in staying_out}
        fields = self._fields(known, joining, leaving)
        if known.shown_name not in (None, known.name) and "name" not in staying_out:
            fields = {"name": FieldChange(known.shown_name, known.name), **fields}
        put_back = any(not each.verdict.is_left and each.field != "name" for each in judged)
        by_hand = {"name", "foreign_members"}
        if put_back or self._is_cleared(known, leaving):
            by_hand.add("members")
        drift = tuple(name for name in fields if name in by_hand)
        if fields:
            others = (name for name in fields if name not in by_hand)
            why = why_written(", ".join(drift), ", ".join(others))
            yield replace(_change(known.name, known.id, Verb.UPDATE, why, fields), drift=drift)

    def _judged(self, known: Tag, joining: Collection[str]) -> list[Handwork]:
        """What a hand did to the tag: its name, and each whom it took out."""
        judged = [
            self.hands.judge(
                Kind.TAG, known.name, self._place_of(key), self.sides.of_tag_member(known.name, key)
            )
            for key in sorted(joining)
            if key in self.actual.members
        ]
        if known.shown_name not in (None, known.name):
            three = self.sides.of_tag_name(known.name)
            judged.append(self.hands.judge(Kind.TAG, known.name, "name", three))
        return [each for each in judged if each.verdict.is_by_hand or each.field == "name"]

    def _place_of(self, key: str) -> str:
        member = self.actual.members.get(key)
        return "" if member is None else IN_TAG + fold(member.userid)

    def _left(self, known: Tag, verdict: Verdict, judged: Collection[Handwork]) -> Iterator[Change]:
        """What stays as a hand left it, told."""
        mine = [each for each in judged if each.verdict is verdict]
        if not mine:
            return
        out = {each.field for each in mine if each.field != "name"}
        wanted = self.desired.tags[known.name].members if out else frozenset()
        missed = {key for key in wanted if out and self._place_of(key) in out}
        fields = {}
        if len(out) < len(mine):
            fields["name"] = FieldChange(known.shown_name, known.name)
        if missed:
            before = tuple(sorted(known.members))
            fields["members"] = FieldChange(before, tuple(sorted(known.members | missed)))
        until = max(self.hands.released_at(each.place) for each in mine)
        keep = _keep(known.name, known.id, why_left(verdict, fields, until), Reason.FOREIGN)
        yield replace(keep, fields=fields, drift=tuple(fields))

    def _is_cleared(self, known: Tag, leaving: Collection[str]) -> bool:
        """Somebody leaves whom a hand put in."""
        put_in = self.remembered.tags[known.name].userids
        return any(fold(self.actual.members[key].userid) not in put_in for key in leaving)

    def _joining(self, keys: Collection[str]) -> set[str]:
        return {key for key in keys if key in self.present and not self._is_protected(key)}

    def _is_protected(self, key: str) -> bool:
        """Protected people are never changed: they neither join a tag nor leave one."""
        member = self.actual.members.get(key) or self.desired.members[key]
        return is_protected(member.userid, self.policy.protect)

    def _strangers(self, known: Tag) -> frozenset[str]:
        """Userids in the tag that are neither ours nor protected."""
        foreign = self.actual.foreign_tag_members[known.name]
        return frozenset(userid for userid in foreign if not is_protected(userid, self.policy.protect))

    def _leaving(self, known: Tag, wanted: Collection[str]) -> frozenset[str]:
        """Those whom we put in and whom the source no longer names: nobody on the ground of a doubt."""
        if known.name in self.desired.undecided_tags or self.desired.is_doubtful("tags"):
            return frozenset()
        put_in = self.remembered.tags[known.name].userids
        return frozenset(
            key
            for key in known.members
            if key not in wanted
            and key not in self.deleted
            and key not in self.staying
            and not self._is_protected(key)
            and (known.name, key) not in self.desired.undecided_places
            and (self.policy.strict_tags or fold(self.actual.members[key].userid) in put_in)
        )

    def _fields(
        self, known: Tag, joining: Collection[str], leaving: Collection[str]
    ) -> dict[str, FieldChange]:
        fields: dict[str, FieldChange] = {}
        if joining or leaving:
            after = (known.members | set(joining)) - set(leaving)
            fields["members"] = FieldChange(tuple(sorted(known.members)), tuple(sorted(after)))
        foreign = self._strangers(known)
        if self.policy.strict_tags and foreign:
            fields["foreign_members"] = FieldChange(tuple(sorted(foreign)), ())
        return fields

    def _dropped(self, known: Tag) -> Iterator[Change]:
        if self.desired.is_doubtful("tags"):
            why = say("the source has tag rows without a readable key: each of them may be of this tag")
            yield _keep(known.name, known.id, why, Reason.REJECTED)
            return
        leaving = self._leaving(known, ())
        fields = self._fields(known, (), leaving)
        foreign = self.actual.foreign_tag_members[known.name]
        remaining = foreign - self._strangers(known) if self.policy.strict_tags else foreign
        is_empty = not (known.members - leaving - set(self.deleted) or remaining)
        empties = is_empty and known.name not in self.actual.tags_with_departments
        if empties and self.policy.empty_tags == "delete":
            yield _change(known.name, known.id, Verb.DELETE, say("the source dropped it"), fields)
            return
        if fields:
            why = say("the source dropped it: those whom wxsync put in leave")
            yield _change(known.name, known.id, Verb.UPDATE, why, fields)
        if self.policy.empty_tags == "delete":
            why = say("the source dropped it, and somebody is still in it")
            yield _keep(known.name, known.id, why, Reason.OCCUPIED)


def _change(name: str, id: int | None, verb: Verb, why: Message, fields: Mapping[str, FieldChange]) -> Change:
    return Change(kind=Kind.TAG, verb=verb, key=name, id=id, name=name, fields=fields, why=why)


def _keep(name: str, id: int | None, why: Message, reason: Reason) -> Change:
    return Change(kind=Kind.TAG, verb=Verb.KEEP, key=name, id=id, name=name, why=why, reason=reason)
